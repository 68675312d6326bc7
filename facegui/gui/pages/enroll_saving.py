"""From the tray into the gallery: check the samples, show what was found, save, and take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from facegui.gallery.records import Change, PersonRecord
from facegui.gui.bridge import Bridge, Task
from facegui.gui.pages.enroll_reading import Sample
from facegui.gui.pages.enroll_tray import Tray
from facegui.matching.enrolment import SampleCheck
from facegui.services import EnrolSample

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Saving"]


class Saving(QObject):
    """Nothing is saved before its warnings were shown.

    Signals
    -------
    changed
        Whether something can be saved may differ now.
    saved(PersonRecord, Change)
        The samples are in the gallery.
    undone
        They are out of it again.
    failed(Exception)
        They could not be saved; the tray is as it was.
    """

    changed = Signal()
    saved = Signal(object, object)
    undone = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, tray: Tray) -> None:
        super().__init__(tray)
        self._services, self._bridge, self._tray = services, bridge, tray
        self._check: Task | None = None
        self._save_when_checked = False
        self.checked = True
        self.under_way = False
        self.read_only = False

    # --- checking -----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Name or samples are others: check them anew."""
        samples, name = self._tray.samples, self._tray.name.name
        self._save_when_checked = False
        if self._check is not None:
            self._check.cancel()
        self.checked = not samples
        if not samples:
            self._tray.warnings.set_checks((), ())
        else:
            self._check = self._bridge.run(
                self, lambda: self._services.check_samples(name, [sample.face for sample in samples]),
                lambda checks: self._show(checks, samples), self._not_checked, lane="analyse", newest="check",
            )  # fmt: skip
        self.changed.emit()

    def _not_checked(self, error: Exception) -> None:
        self._save_when_checked = False
        self.failed.emit(error)

    def _show(self, checks: tuple[SampleCheck, ...], samples: tuple[Sample, ...]) -> None:
        note = ""
        if self._services.rule() is None:
            note = self.tr("Likeness to others was not checked: this model is not calibrated.")
        self._tray.warnings.set_checks(checks, samples, note)
        self.checked = True
        if self._save_when_checked:
            self._save_when_checked = False
            if self._tray.warnings.doubts:
                self._tray.set_note(self.tr("Look at the warnings, then save."), "warning")
            else:
                self.save()

    # --- saving -------------------------------------------------------------------------------------------

    def missing(self) -> str:
        """Return why nothing can be saved yet; empty when it can."""
        if self.read_only:
            return self.tr("This gallery is open for reading only.")
        if not self._tray.samples:
            return self.tr("Choose a photo, or take a picture with the camera.")
        return "" if self._tray.name.name else self.tr("Type a name.")

    def save(self) -> None:
        """Save the samples, once their warnings were shown."""
        missing = self.missing()
        if missing or self.under_way:
            self._tray.set_note(missing or self.tr("Saving…"))
            return
        if not self.checked:
            self._save_when_checked = True
            return
        self.under_way = True
        self.changed.emit()
        name = self._tray.name.name
        samples = [EnrolSample(sample.face, sample.frame) for sample in self._tray.samples]

        def work() -> tuple[Change, PersonRecord | None]:
            person_id, change = self._services.enroll(name, samples)
            return change, self._services.gallery.person(person_id)

        self._bridge.run(self, work, self._saved, self._not_saved, lane="write")

    def _not_saved(self, error: Exception) -> None:
        self.under_way = False
        self.changed.emit()
        self.failed.emit(error)

    def _saved(self, answer: tuple[Change, PersonRecord | None]) -> None:
        change, person = answer
        self.under_way = False
        if person is not None:
            self.saved.emit(person, change)

    def undo(self, change: Change) -> None:
        """Take a save back."""
        undo = change.undo
        if undo is not None:
            self._bridge.run(
                self, lambda: self._services.gallery.undo(undo), lambda _change: self.undone.emit(),
                self.failed.emit, lane="write",
            )  # fmt: skip
