"""The heat map and the map of a similarity board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme
from facegui.gui.thumbnails import Thumbnails
from facegui.lookalikes.board import Board
from facegui.lookalikes.board_files import RAMP
from facegui.matching.wording import format_similarity

__all__ = ["HeatMap", "PlaceMap"]

_LOW, _HIGH = -0.1, 1.0
"""Similarities at the ends of the ramp."""
_PICTURES: Final = 90
"""Faces up to which the map shows them instead of dots."""
_CLOSEST, _STEP = 12.0, 1.2
_FAINT = 0.4


def _coloured(similarities: NDArray[np.float32]) -> QImage:
    share = np.clip((similarities - _LOW) / (_HIGH - _LOW), 0, 1) * (len(RAMP) - 1)
    low = np.minimum(share.astype(int), len(RAMP) - 2)
    ramp = np.array(RAMP, np.float32)
    part = (share - low)[..., None]
    pixels = np.ascontiguousarray((ramp[low] * (1 - part) + ramp[low + 1] * part).astype(np.uint8))
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


class HeatMap(QWidget):
    """All with all; alike faces stand beside each other, so a person with several photos is a square.

    Signals
    -------
    pairChosen(int, int)
        Under the pointer, or where the arrow keys went.
    """

    pairChosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board: Board | None = None
        self._image = QImage()
        self._cell = 0, 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Heat map: all faces compared with all"))

    def sizeHint(self) -> QSize:
        return QSize(theme.size("sphere"), theme.size("sphere"))

    def show_board(self, board: Board | None) -> None:
        """Show a board."""
        self._board, self._cell = board, (0, 0)
        self._image = _coloured(board.similarities) if board is not None else QImage()
        self.update()

    def _area(self) -> QRectF:
        foot = theme.line_height("small") + 2 * theme.size("unit")
        side = min(self.width() - 2, self.height() - 2 - foot)
        return QRectF(1, 1, side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._board is None:
            return
        painter = QPainter(self)
        area, count = self._area(), len(self._board.items)
        painter.drawImage(area, self._image)
        row, column = self._cell
        size = area.width() / count
        pen = QPen(theme.color("accent" if self.hasFocus() else "text"), theme.size("focus"))
        faint = theme.color("overlay")
        faint.setAlphaF(_FAINT)
        painter.setPen(QPen(faint, theme.size("hairline")))
        painter.drawRect(QRectF(area.left(), area.top() + row * size, area.width(), size))
        painter.drawRect(QRectF(area.left() + column * size, area.top(), size, area.height()))
        painter.setPen(pen)
        least = max(size, float(theme.size("unit")))
        middle = QPointF(area.left() + (column + 0.5) * size, area.top() + (row + 0.5) * size)
        painter.drawRect(QRectF(middle.x() - least / 2, middle.y() - least / 2, least, least))
        painter.setPen(QPen(theme.color("border"), theme.size("hairline")))
        painter.drawRect(area)
        self._paint_ramp(painter, area)

    def _paint_ramp(self, painter: QPainter, area: QRectF) -> None:
        unit = theme.size("unit")
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.color("muted"))
        ramp = _coloured(np.linspace(_LOW, _HIGH, 64, dtype=np.float32)[None])
        low, high = format_similarity(_LOW), format_similarity(_HIGH)
        metrics = painter.fontMetrics()
        top = area.bottom() + unit
        line = QRectF(area.left(), top, area.width(), metrics.height())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, low)
        left = area.left() + metrics.horizontalAdvance(low) + unit
        bar = QRectF(left, line.center().y() - unit / 2, 2 * theme.size("tile"), unit)
        painter.drawImage(bar, ramp)
        line.setLeft(bar.right() + unit)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, high)

    def _choose(self, row: int, column: int) -> None:
        if self._board is None:
            return
        last = len(self._board.items) - 1
        cell = min(max(row, 0), last), min(max(column, 0), last)
        if cell != self._cell:
            self._cell = cell
            one, other = (self._board.items[place].name for place in cell)
            score = format_similarity(float(self._board.similarities[cell]))
            self.setAccessibleDescription(self.tr("{0} and {1}: {2}").format(one, other, score))
            self.update()
            self.pairChosen.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        area = self._area()
        if self._board is not None and area.contains(event.position()):
            size = area.width() / len(self._board.items)
            place = event.position() - area.topLeft()
            self._choose(int(place.y() / size), int(place.x() / size))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
        step = keys.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self._choose(self._cell[0] + step[0], self._cell[1] + step[1])


class PlaceMap(QWidget):
    """Near means alike. The wheel comes closer, dragging moves, the face under the pointer is shown.

    Signals
    -------
    chosen(int)
        Row of the board under the pointer, or where the arrow keys went.
    """

    chosen = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._board: Board | None = None
        self._colours: Mapping[str, str] = {}
        self._current = -1
        self._scale, self._centre = 1.0, QPointF(0.5, 0.5)
        self._dragged: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Map of the faces: near means alike"))
        thumbnails.loaded.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(theme.size("sphere"), theme.size("sphere"))

    def show_board(self, board: Board | None, colours: Mapping[str, str]) -> None:
        """Show a board; `colours` by person."""
        self._board, self._colours, self._current = board, colours, -1
        self._scale, self._centre = 1.0, QPointF(0.5, 0.5)
        self.update()

    def point_of(self, row: int) -> QPointF:
        """Return where a face lies in this widget."""
        assert self._board is not None
        edge = theme.size("crop") // 2
        x, y = self._board.places[row].tolist()
        room = QPointF(self.width() - 2 * edge, self.height() - 2 * edge)
        return QPointF(
            self.width() / 2 + (x - self._centre.x()) * room.x() * self._scale,
            self.height() / 2 + (y - self._centre.y()) * room.y() * self._scale,
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        frame = QPainterPath()
        frame.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.size("radius"), theme.size("radius"))
        painter.fillPath(frame, theme.color("panel"))
        painter.strokePath(frame, QPen(theme.color("accent" if self.hasFocus() else "border"), theme.size("hairline")))
        if self._board is None:
            return
        painter.setClipPath(frame)
        few = len(self._board.items) <= _PICTURES
        for row in range(len(self._board.items)):
            if few:
                self._paint_face(painter, row, theme.size("control") + theme.size("half"))
            else:
                self._paint_dot(painter, row)
        if self._current >= 0:
            self._paint_current(painter, self._current)

    def _colour(self, row: int) -> QColor:
        assert self._board is not None
        return QColor(self._colours.get(self._board.items[row].person, self._colours.get("", "")))

    def _paint_dot(self, painter: QPainter, row: int) -> None:
        painter.setPen(QPen(theme.color("panel"), theme.size("hairline")))
        painter.setBrush(self._colour(row))
        painter.drawEllipse(self.point_of(row), theme.size("half") + 1, theme.size("half") + 1)

    def _paint_face(self, painter: QPainter, row: int, side: float, middle: QPointF | None = None) -> None:
        assert self._board is not None
        middle = middle or self.point_of(row)
        area = QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side)
        path = QPainterPath()
        path.addRoundedRect(area, theme.size("small_radius"), theme.size("small_radius"))
        painter.fillPath(path, theme.color("sunken"))
        picture = self._thumbnails.get(self._board.items[row].face_id)
        if picture is not None:
            painter.save()
            painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
            painter.drawPixmap(area, picture, QRectF(picture.rect()))
            painter.restore()
        painter.strokePath(path, QPen(self._colour(row), theme.size("focus")))

    def _paint_current(self, painter: QPainter, row: int) -> None:
        """Show the face large, with its name, inside the widget wherever its place is."""
        assert self._board is not None
        item = self._board.items[row]
        side, unit = theme.size("crop"), theme.size("unit")
        words = item.name if item.person in ("", item.name) else f"{item.person} · {item.name}"
        painter.setFont(theme.font("small"))
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, 2 * side)
        line = painter.fontMetrics().height() + unit
        point = self.point_of(row)
        half = side / 2 + unit
        x = min(max(point.x(), half), self.width() - half)
        y = min(max(point.y(), half), self.height() - half - line)
        self._paint_face(painter, row, side, QPointF(x, y))
        width = painter.fontMetrics().horizontalAdvance(words) + 2 * unit
        left = min(max(x - width / 2, unit), max(float(unit), self.width() - width - unit))
        label = QRectF(left, y + side / 2 + 2, width, line)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("overlay_back"))
        painter.drawRoundedRect(label, theme.size("small_radius"), theme.size("small_radius"))
        painter.setPen(theme.color("overlay"))
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, words)

    def choose(self, row: int) -> None:
        """Show a face large."""
        if row != self._current:
            self._current = row
            self.update()
            if row >= 0 and self._board is not None:
                self.setAccessibleDescription(self._board.items[row].name)
                self.chosen.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._board is None:
            return
        place = event.position()
        if self._dragged is not None:
            edge, moved = theme.size("crop"), place - self._dragged
            room = QPointF(max(1, self.width() - edge), max(1, self.height() - edge))
            self._centre -= QPointF(moved.x() / room.x() / self._scale, moved.y() / room.y() / self._scale)
            self._dragged = place
            self.update()
            return
        away = [(self.point_of(row) - place).manhattanLength() for row in range(len(self._board.items))]
        nearest = int(np.argmin(away))
        self.choose(nearest if away[nearest] <= theme.size("control") else -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._dragged = event.position()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._dragged = None

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self._scale, self._centre = 1.0, QPointF(0.5, 0.5)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        edge = theme.size("crop")
        room = QPointF(max(1, self.width() - edge), max(1, self.height() - edge))
        away = event.position() - QPointF(self.width() / 2, self.height() / 2)
        before, factor = self._scale, _STEP if event.angleDelta().y() > 0 else 1 / _STEP
        self._scale = min(_CLOSEST, max(1.0, before * factor))
        # What is under the pointer stays there.
        shift = 1 / before - 1 / self._scale
        self._centre += QPointF(away.x() / room.x() * shift, away.y() / room.y() * shift)
        if self._scale == 1.0:
            self._centre = QPointF(0.5, 0.5)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._dragged = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(
            Qt.Key(event.key())
        )
        if step is None or self._board is None:
            super().keyPressEvent(event)
        else:
            self.choose((self._current + step) % len(self._board.items))
