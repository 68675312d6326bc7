"""Grids of people and of groups whose tiles can be dragged on each other."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.face_grid import FaceGrid

__all__ = ["GROUP_MIME", "PERSON_MIME", "DragGrid"]

PERSON_MIME: Final = "application/x-facegui-person"
GROUP_MIME: Final = "application/x-facegui-group"


class DragGrid(FaceGrid):
    """A subclass says what a tile carries (`mime`, `ids`) and what it takes (`takes`).

    Signals
    -------
    dropped(int, str, int)
        Id of the tile under the pointer; kind and id of what was dropped there.
    """

    dropped = Signal(int, str, int)
    mime: str = ""
    takes: tuple[str, ...] = ()

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None, *, side: int = 0) -> None:
        super().__init__(thumbnails, parent, side=side)
        self._pressed: tuple[QPoint, int] | None = None
        self.setAcceptDrops(True)

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the tiles, in their order."""
        return ()

    def mime_of(self, index: int) -> QMimeData:
        """Return what is carried when a row is dragged."""
        mime = QMimeData()
        mime.setData(self.mime, str(self.ids[index]).encode())
        return mime

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

    def _drag(self, index: int) -> None:
        drag = QDrag(self)
        drag.setMimeData(self.mime_of(index))
        area = self.row_rect(index)
        drag.setPixmap(self.viewport().grab(area))
        drag.setHotSpot(QPoint(area.width() // 2, area.height() // 2))
        drag.exec(Qt.DropAction.MoveAction)

    def _kind(self, event: QDropEvent) -> str | None:
        return next((kind for kind in self.takes if event.mimeData().hasFormat(kind)), None)

    def _pair(self, event: QDropEvent) -> tuple[int, str, int] | None:
        """Return on what something was dropped, and what."""
        kind = self._kind(event)
        index = self.indexAt(event.position().toPoint()).row()
        if kind is None or not 0 <= index < len(self.ids):
            return None
        dragged = int(bytes(event.mimeData().data(kind).data()).decode())
        if kind == self.mime and self.ids[index] == dragged:
            return None
        return self.ids[index], kind, dragged

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._kind(event) is not None:
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
            self.dropped.emit(*pair)
