"""What the Verify page reads in the background: everybody enrolled, the history, what the model runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from facegui.gallery.records import DecisionRecord, PersonRecord
from facegui.gui.bridge import Bridge
from facegui.gui.pages.verify_evidence import HISTORY_LENGTH, Evidence

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Reading"]

People = tuple[list[PersonRecord], bool]


class Reading(QObject):
    """Reads off the UI thread; the history and the model go straight to the inspector.

    Signals
    -------
    peopleRead(list, bool)
        Everybody enrolled, by name, and whether the gallery is open for reading only.
    """

    peopleRead = Signal(list, bool)

    def __init__(self, services: Services, bridge: Bridge, evidence: Evidence, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge, self._evidence = services, bridge, evidence
        self._owner = parent

    def people(self) -> None:
        """Read who is enrolled."""

        def work() -> People:
            gallery = self._services.gallery
            return gallery.people(), gallery.read_only

        self._bridge.run(self._owner, work, lambda found: self.peopleRead.emit(*found), newest="people")

    def history(self, person: PersonRecord | None) -> None:
        """Read the newest decisions, on a person if one is given."""

        def work() -> list[DecisionRecord]:
            return self._services.gallery.decisions(HISTORY_LENGTH, person.id if person else None)

        name = person.name if person else None
        self._bridge.run(self._owner, work, lambda found: self._evidence.show_history(found, name), newest="history")

    def model(self) -> None:
        """Say what the model runs on, once it is loaded; where that fails, the window says so."""
        self._evidence.show_program()
        if self._services.provider is None:
            self._bridge.run(
                self._owner, self._services.warm_up, lambda _report: self._evidence.show_program(),
                lambda _error: None, lane="job", newest="warm up",
            )  # fmt: skip
