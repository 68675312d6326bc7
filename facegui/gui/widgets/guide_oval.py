"""The oval over the preview: where the face goes, which poses are there, where to turn."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from facegui.faces.guide import GuidePose
from facegui.gui import theme
from facegui.gui.widgets.photo_view import PhotoView

__all__ = ["GuideOval"]

_HEIGHT: Final = 0.78
"""Height of the oval in the picture's: a face that is near enough for a good sample, chin to hairline."""
_WIDTH: Final = 0.72
"""Width of the oval in its own height."""
_QUARTER: Final = 76
"""Degrees of a quarter of the ring; the rest is the gap between two."""
_CENTRES: Final = {GuidePose.RIGHT: 0, GuidePose.UP: 90, GuidePose.LEFT: 180, GuidePose.DOWN: 270}
_ICONS: Final = {
    GuidePose.RIGHT: "chevron-right", GuidePose.UP: "chevron-up", GuidePose.LEFT: "chevron-left",
    GuidePose.DOWN: "chevron-down",
}  # fmt: skip


class GuideOval(QWidget):
    """A ring in four quarters around an oval; the pointer goes through it to the picture.

    A pose that is there is drawn thick, whole and ticked, one that is lacking thin and dashed, and the one that is
    asked for has an arrow.
    """

    def __init__(self, view: PhotoView) -> None:
        super().__init__(view)
        self._view = view
        self._taken: frozenset[GuidePose] = frozenset()
        self._wanted: GuidePose | None = None
        self._mirrored = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_poses(self, taken: Collection[GuidePose], wanted: GuidePose | None, *, mirrored: bool) -> None:
        """Draw this state; in a mirror the person's left is at the left."""
        self._taken, self._wanted, self._mirrored = frozenset(taken), wanted, mirrored
        self.setGeometry(self._view.rect())
        self.update()

    def _side(self, pose: GuidePose) -> GuidePose:
        """Return the side of the picture at which a pose lies."""
        if pose is GuidePose.LEFT and not self._mirrored:
            return GuidePose.RIGHT
        if pose is GuidePose.RIGHT and not self._mirrored:
            return GuidePose.LEFT
        return pose

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.size() != self._view.size():
            self.setGeometry(self._view.rect())
        picture = self._view.viewport().target
        height = picture.height() * _HEIGHT
        oval = QRectF(0, 0, height * _WIDTH, height)
        oval.moveCenter(picture.center())
        ring = oval.adjusted(*(sign * 1.5 * theme.size("unit") for sign in (-1, -1, 1, 1)))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._stroke(painter, GuidePose.FRONTAL in self._taken, lambda: painter.drawEllipse(oval))
        for pose in _ICONS:
            side = self._side(pose)
            begin = (_CENTRES[side] - _QUARTER // 2) * 16
            self._stroke(painter, pose in self._taken, partial(painter.drawArc, ring, begin, _QUARTER * 16))
            if pose in self._taken:
                self._badge(painter, ring, side, "check")
            elif pose is self._wanted:
                self._badge(painter, ring, side, _ICONS[side])

    @staticmethod
    def _stroke(painter: QPainter, done: bool, draw: Callable[[], object]) -> None:
        """Draw twice, dark below bright, so that it shows on every picture."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = theme.size("half") + theme.size("focus") if done else theme.size("focus")
        for role, extra in (("overlay_halo", 2 * theme.size("focus")), ("overlay", 0)):
            pen = QPen(theme.color(role), width + extra)
            if not done and not extra:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            draw()

    def _badge(self, painter: QPainter, ring: QRectF, side: GuidePose, icon: str) -> None:
        middle = {
            GuidePose.LEFT: QPointF(ring.left(), ring.center().y()),
            GuidePose.RIGHT: QPointF(ring.right(), ring.center().y()),
            GuidePose.UP: QPointF(ring.center().x(), ring.top()),
            GuidePose.DOWN: QPointF(ring.center().x(), ring.bottom()),
        }[side]
        arrow = icon != "check"
        length = theme.size("control") if arrow else theme.size("badge")
        place = QRectF(0, 0, length, length)
        place.moveCenter(middle)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("overlay_back"))
        painter.drawEllipse(place)
        drawn = theme.size("icon") if arrow else theme.size("small_icon")
        picture = theme.pixmap(icon, "overlay", drawn, self.devicePixelRatioF())
        painter.drawPixmap(middle - QPointF(drawn / 2, drawn / 2), picture)
