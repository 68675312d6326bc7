"""The enrolled people as tiles; one dropped on another asks to merge the two, a group to be that person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.item_models import FaceRow
from facegui.gui.pages.people_drag import GROUP_MIME, PERSON_MIME, DragGrid
from facegui.gui.pages.people_words import person_detail
from facegui.gui.thumbnails import Thumbnails

__all__ = ["PeopleGrid"]

_NOBODY: Final = "nobody"


class PeopleGrid(DragGrid):
    """One tile for each person: best sample, name, samples, when last seen.

    Signals
    -------
    mergeWanted(int, int)
        Id of the person who shall keep the name, and of the one who was dropped there.
    groupDropped(int, int)
        Id of a person, and of the group of faces that was dropped there.
    deleteWanted(int), renameWanted(int)
        Row; by Delete and F2.
    """

    mime = PERSON_MIME
    takes = (PERSON_MIME, GROUP_MIME)
    mergeWanted = Signal(int, int)
    groupDropped = Signal(int, int)
    deleteWanted = Signal(int)
    renameWanted = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(thumbnails, parent, side=theme.size("tile"))
        self.setAccessibleName(self.tr("People"))
        self._people: tuple[PersonRecord, ...] = ()
        self.dropped.connect(self._drop)

    @property
    def people(self) -> tuple[PersonRecord, ...]:
        """Who is shown, in the order of the tiles."""
        return self._people

    @property
    def person(self) -> PersonRecord | None:
        """The person chosen."""
        index = self.currentIndex().row()
        return self._people[index] if 0 <= index < len(self._people) else None

    def show_people(self, people: Sequence[PersonRecord]) -> None:
        """Show these people; who was chosen stays chosen, and the place is kept."""
        chosen = self.person
        self._people = tuple(people)
        rows = [
            FaceRow(
                person.cover_face_id if person.cover_face_id is not None else _NOBODY, person.name,
                detail=person_detail(person), tip=person.name, person_id=person.id,
            )
            for person in self._people
        ]  # fmt: skip
        now = next((n for n, person in enumerate(self._people) if chosen and person.id == chosen.id), -1)
        self.replace_rows(rows, now)

    def choose(self, person_id: int) -> None:
        """Choose a person and scroll to them."""
        for index, person in enumerate(self._people):
            if person.id == person_id:
                self.select_row(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        wanted = {Qt.Key.Key_Delete: self.deleteWanted, Qt.Key.Key_F2: self.renameWanted}.get(Qt.Key(event.key()))
        if wanted is not None and self.person is not None:
            wanted.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    @property
    def ids(self) -> tuple[int, ...]:
        """The people's ids."""
        return tuple(person.id for person in self._people)

    def _drop(self, on: int, kind: str, dragged: int) -> None:
        (self.mergeWanted if kind == PERSON_MIME else self.groupDropped).emit(on, dragged)
