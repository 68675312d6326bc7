"""The questions that come before a change: merge with whom, move to whom, really delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from facegui.gallery.records import DecisionRecord, PersonRecord
from facegui.gui.bridge import Bridge
from facegui.gui.pages.people_actions import PeopleActions
from facegui.gui.pages.people_ask import AskBar
from facegui.gui.pages.people_words import delete_question

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["PeopleQuestions"]


class PeopleQuestions(QObject):
    """Asks in the bar above the page and hands the answer to the actions."""

    def __init__(
        self, services: Services, bridge: Bridge, bar: AskBar, actions: PeopleActions, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._services, self._bridge, self._bar, self._actions = services, bridge, bar, actions

    def merge(self, person: PersonRecord, people: Sequence[PersonRecord], on_chosen: Callable[[int], object]) -> None:
        """Ask who the person is; `on_chosen` gets the id of the one whose name stays."""
        others = [other for other in people if other.id != person.id]
        question = self.tr("Who is {0} really? All samples go to the person you choose, whose name stays.")
        self._bar.ask_person(
            question.format(person.name), self.tr("Merge"), others,
            lambda _name, into: on_chosen(into) if into is not None else None,
        )  # fmt: skip

    def move(self, face_ids: Sequence[int], people: Sequence[PersonRecord], owner: int | None) -> None:
        """Ask whose samples these are: somebody enrolled, or a new name."""
        others = [other for other in people if other.id != owner]
        question = (
            self.tr("Whose face is this? Choose somebody enrolled, or type a new name.")
            if len(face_ids) == 1
            else self.tr("Whose {0} faces are these? Choose somebody enrolled, or type a new name.")
        )
        self._bar.ask_person(
            question.format(len(face_ids)), self.tr("Move"), others,
            lambda name, _id: self._actions.move_samples(face_ids, name), allows_new=True,
        )  # fmt: skip

    def delete(self, person: PersonRecord, on_yes: Callable[[], object]) -> None:
        """Ask whether a person shall go, saying what goes along."""

        def ask(decisions: list[DecisionRecord]) -> None:
            self._bar.confirm(delete_question(person, len(decisions)), self.tr("Delete"), on_yes)

        self._bridge.run(
            self, lambda: self._services.gallery.decisions(None, person.id), ask, self._actions.failed.emit,
            newest="delete",
        )  # fmt: skip
