"""The sphere of the margin lab: recorded embeddings, class centres, and the regions that a margin leaves."""

from __future__ import annotations

from functools import lru_cache
from math import cos, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme
from facegui.gui.widgets.lab_arcs import paint_arc
from facegui.matching.lab import Margin, regions

__all__ = ["SphereView"]

_PICTURE: Final = 360
"""Pixels across of the painted regions at most; they are enlarged smoothly, so that turning stays fluent."""

_STEP: Final = 6.0  # degrees of an arrow key
_TILT: Final = (-20.0, 30.0)
_HELD: Final = 0.42  # how strongly a region is coloured where the margin is kept, and where it is not
_BAND: Final = 0.10
_DARKER_EDGE: Final = 0.12
_SOFT: Final = 5.0
_LEAST: Final = 1e-3


class SphereView(QWidget):
    """A sphere that the mouse or the arrow keys turn.

    Signals
    -------
    turned
        The user turned it.
    """

    turned = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: NDArray[np.float32] = np.zeros((0, 3), np.float32)
        self._centres: NDArray[np.float32] = np.zeros((0, 3), np.float32)
        self._labels: NDArray[np.int64] = np.zeros(0, np.int64)
        self._margin = Margin()
        self._home = self._turn = _rotation(*_TILT)
        self._pairs: tuple[tuple[int, int], ...] = ()
        self._from: QPointF | None = None
        self._image: QImage | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(theme.size("sphere"), theme.size("sphere"))
        self.setAccessibleName(self.tr("Sphere of embeddings; the arrow keys turn it"))
        self.setToolTip(self.tr("Drag to turn, or use the arrow keys. Home turns back."))
        theme.manager().changed.connect(self._repaint)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    @property
    def turn(self) -> NDArray[np.float64]:
        """The rotation, float64, (3, 3): view = turn @ point, z towards the eye."""
        return self._turn

    def show_frame(self, points: NDArray[np.float32], labels: NDArray[np.int64], centres: NDArray[np.float32]) -> None:
        """Show embeddings and class centres, all unit vectors, float32 (N, 3) and (n, 3)."""
        self._points, self._labels, self._centres = points, labels, centres
        self._repaint()

    def show_margin(self, margin: Margin) -> None:
        """Paint the regions that a margin leaves to the classes."""
        self._margin = margin
        self._repaint()

    def show_pairs(self, pairs: tuple[tuple[int, int], ...]) -> None:
        """Draw the angles between pairs of the points, which are given by their numbers."""
        self._pairs = pairs
        self.update()

    def look_at(self, direction: NDArray[np.floating]) -> None:
        """Turn so that a direction is in front, a little to the side, and begin from there."""
        front = np.asarray(direction, np.float64)
        side = np.cross([0.0, 1.0, 0.0], front)
        if np.linalg.norm(front) < _LEAST or np.linalg.norm(side) < _LEAST:
            return
        front, side = front / np.linalg.norm(front), side / np.linalg.norm(side)
        self._home = _rotation(*_TILT) @ np.stack([side, np.cross(front, side), front])
        self.turn_back()

    def _repaint(self) -> None:
        self._image = None
        self.update()

    def turn_by(self, right: float, down: float) -> None:
        """Turn by degrees, as seen by the eye."""
        self._turn = _rotation(down, right) @ self._turn
        # Many small turns must not bend the axes.
        u, _, v = np.linalg.svd(self._turn)
        self._turn = u @ v
        self._repaint()
        self.turned.emit()

    def turn_back(self) -> None:
        """Turn to where it was at the start."""
        self._turn = self._home
        self._repaint()
        self.turned.emit()

    # --- input --------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (-_STEP, 0.0), Qt.Key.Key_Right: (_STEP, 0.0),
            Qt.Key.Key_Up: (0.0, -_STEP), Qt.Key.Key_Down: (0.0, _STEP),
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in moves:
            self.turn_by(*moves[key])
        elif key == Qt.Key.Key_Home:
            self.turn_back()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            moved = event.position() - self._from
            self._from = event.position()
            degrees = 180.0 / max(1.0, self._ball().width())
            self.turn_by(moved.x() * degrees, moved.y() * degrees)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._from = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.turn_back()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    # --- painting -----------------------------------------------------------------------------------------

    def _ball(self) -> QRectF:
        edge = 2.0 * theme.size("unit")
        side = min(self.width(), self.height()) - 2 * edge
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        ball = self._ball()
        if self._image is None:
            self._image = self._regions(min(_PICTURE, round(ball.width() * self.devicePixelRatioF())))
        painter.drawImage(ball, self._image)
        painter.setPen(QPen(theme.color("border_strong"), theme.size("hairline")))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ball)
        self._paint_points(painter, ball)
        self._paint_centres(painter, ball)
        for first, second in self._pairs:
            paint_arc(painter, ball, self._turn @ self._points[first], self._turn @ self._points[second])
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inset = theme.size("focus") / 2
            radius = theme.size("radius")
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), radius, radius)

    def _regions(self, side: int) -> QImage:
        """Paint which class each place of the sphere belongs to, strongly where the margin is kept."""
        inside, seen, shade, alpha = _disc(side)
        surface = _rgb(theme.color("raised"))
        colours = np.broadcast_to(surface, seen.shape)
        if len(self._centres):
            nearest, kept = regions(seen, self._centres @ self._turn.T, self._margin)
            table = np.stack([_rgb(theme.color(f"class_{k % 10}")) for k in range(len(self._centres))]) - surface
            # The edge of a region is soft over about two pixels, or it would be a staircase.
            share = np.clip(0.5 + kept * (side / _SOFT), 0, 1)
            weight = (_BAND + (_HELD - _BAND) * share).astype(np.float32)
            colours = surface + table[nearest] * weight[:, None]
        colours = colours + (_rgb(theme.color("border_strong")) - colours) * shade
        pixels = np.zeros((side, side, 4), np.uint8)
        pixels[inside, :3] = colours.astype(np.uint8)
        pixels[..., 3] = alpha
        return QImage(pixels.data, side, side, 4 * side, QImage.Format.Format_RGBA8888).copy()

    def _place(self, ball: QRectF, rows: NDArray[np.float64]) -> list[tuple[float, float, float]]:
        middle, radius = ball.center(), ball.width() / 2
        return [(middle.x() + radius * x, middle.y() - radius * y, z) for x, y, z in rows.tolist()]

    def _paint_points(self, painter: QPainter, ball: QRectF) -> None:
        radius = float(theme.size("point"))
        rim = QColor(theme.color("raised"))
        places = self._place(ball, self._points @ self._turn.T)
        for (x, y, z), label in zip(places, self._labels.tolist(), strict=True):
            if z > 0:
                painter.setPen(QPen(rim, theme.size("hairline") / 2))
                painter.setBrush(theme.color(f"class_{label % 10}"))
                painter.drawEllipse(QPointF(x, y), radius, radius)

    def _paint_centres(self, painter: QPainter, ball: QRectF) -> None:
        radius = theme.size("small_icon") * 0.62
        painter.setFont(theme.font("small", bold=True))
        for k, (x, y, z) in enumerate(self._place(ball, self._centres @ self._turn.T)):
            if z <= 0:
                continue
            painter.setPen(QPen(theme.color("raised"), theme.size("focus")))
            painter.setBrush(theme.color(f"class_{k % 10}"))
            painter.drawEllipse(QPointF(x, y), radius, radius)
            painter.setPen(theme.color("raised"))
            box = QRectF(x - radius, y - radius, 2 * radius, 2 * radius)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(k))


@lru_cache(maxsize=4)
def _disc(side: int) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Return what does not change with the turn: the pixels inside, their directions, their shade, all opacities."""
    line = ((np.arange(side) + 0.5) * 2 / side - 1).astype(np.float32)
    x, y = np.meshgrid(line, -line)
    depth = 1 - x**2 - y**2
    inside = depth > 0
    z = np.sqrt(depth[inside])
    # The rim fades over one pixel.
    alpha = np.clip((1 - np.sqrt(x**2 + y**2)) * side / 2, 0, 1) * 255
    shade = (_DARKER_EDGE * (1 - z) ** 2)[:, None].astype(np.float32)
    return inside, np.column_stack([x[inside], y[inside], z]), shade, alpha.astype(np.uint8)


def _rgb(colour: QColor) -> NDArray[np.float32]:
    return np.array([colour.red(), colour.green(), colour.blue()], np.float32)


def _rotation(down: float, right: float) -> NDArray[np.float64]:
    """Return the rotation about the horizontal axis (front goes down), then about the vertical one, in degrees."""
    a, b = radians(down), radians(right)
    about_x = np.array([[1, 0, 0], [0, cos(a), -sin(a)], [0, sin(a), cos(a)]])
    about_y = np.array([[cos(b), 0, sin(b)], [0, 1, 0], [-sin(b), 0, cos(b)]])
    turned: NDArray[np.float64] = about_y @ about_x
    return turned
