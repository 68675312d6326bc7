"""The enrolled people as tiles; one dropped on another asks to merge the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.item_models import FaceRow
from facegui.gui.pages.people_words import person_detail
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.face_grid import FaceGrid

__all__ = ["PERSON_MIME", "PeopleGrid"]

PERSON_MIME: Final = "application/x-facegui-person"
_NOBODY: Final = "nobody"


class PeopleGrid(FaceGrid):
    """One tile for each person: best sample, name, samples, when last seen.

    Signals
    -------
    mergeWanted(int, int)
        Id of the person who shall keep the name, and of the one who was dropped there.
    deleteWanted(int), renameWanted(int)
        Row; by Delete and F2.
    """

    mergeWanted = Signal(int, int)
    deleteWanted = Signal(int)
    renameWanted = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(thumbnails, parent, side=theme.size("tile"))
        self.setAccessibleName(self.tr("People"))
        self._people: tuple[PersonRecord, ...] = ()
        self._pressed: tuple[QPoint, int] | None = None
        self.setAcceptDrops(True)

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

    # --- dragging one person on another -------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        place = event.position().toPoint()
        index = self.indexAt(place).row()
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = (place, index) if left and index >= 0 else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        super().mouseReleaseEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        start, index = self._pressed
        if (event.position().toPoint() - start).manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            self._drag(index)

    def mime_of(self, index: int) -> QMimeData:
        """Return what is carried when a row is dragged."""
        mime = QMimeData()
        mime.setData(PERSON_MIME, str(self._people[index].id).encode())
        return mime

    def _drag(self, index: int) -> None:
        drag = QDrag(self)
        drag.setMimeData(self.mime_of(index))
        area = self.row_rect(index)
        drag.setPixmap(self.viewport().grab(area))
        drag.setHotSpot(QPoint(area.width() // 2, area.height() // 2))
        drag.exec(Qt.DropAction.MoveAction)

    def _pair(self, event: QDropEvent) -> tuple[int, int] | None:
        """Return who would keep the name and who was dragged there."""
        if not event.mimeData().hasFormat(PERSON_MIME):
            return None
        index = self.indexAt(event.position().toPoint()).row()
        dragged = int(bytes(event.mimeData().data(PERSON_MIME).data()).decode())
        if index < 0 or self._people[index].id == dragged:
            return None
        return self._people[index].id, dragged

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(PERSON_MIME):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.point_at(event.position().toPoint())
        if self._pair(event) is not None:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.point_at(None)
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        pair = self._pair(event)
        self.point_at(None)
        if pair is not None:
            event.acceptProposedAction()
            self.mergeWanted.emit(*pair)
