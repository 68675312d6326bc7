"""A map of faces: each a point in the colour of its person; the one under the pointer shows its picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme
from facegui.gui.thumbnails import Thumbnails
from facegui.services.insights import SampleMap

__all__ = ["MapView"]

_CLASSES: Final = 10
_FAINT: Final = 0.35  # how strongly other people's points are seen beside the chosen person's
_NAMED: Final = 24
"""So many people, those with most samples, have their names written on the map."""


class MapView(QWidget):
    """Paints a `SampleMap`.

    Signals
    -------
    chosen(int)
        Id of a person: a click on one of their points, or Enter.
    """

    chosen = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._map: SampleMap | None = None
        self._under: int | None = None
        self._order: list[int] = []
        self._colours: dict[int, str] = {}  # by person
        self._layers: tuple[QPixmap, QPixmap] | None = None  # the points; the names
        thumbnails.loaded.connect(self.update)
        theme.manager().changed.connect(self._paint_anew)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Map of the samples"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(theme.size("sphere"), theme.size("sphere"))

    def sizeHint(self) -> QSize:
        return QSize(2 * theme.size("sphere"), 2 * theme.size("sphere"))

    def show_map(self, made: SampleMap) -> None:
        """Show a map."""
        self._map, self._under = made, None
        people = np.unique(made.person_ids).tolist()
        self._colours = {person: f"class_{k % _CLASSES}" for k, person in enumerate(people)}
        self._order = np.lexsort((made.places[:, 0], made.person_ids)).tolist()
        self._describe()
        self._paint_anew()

    @property
    def under(self) -> int | None:
        """Row of the sample whose picture is shown."""
        return self._under

    def place(self, row: int) -> QPointF:
        """Return where a sample is, in pixels of this widget."""
        assert self._map is not None
        area = self._area()
        x, y = (float(value) for value in self._map.places[row])
        return QPointF(area.left() + x * area.width(), area.bottom() - y * area.height())

    def _area(self) -> QRectF:
        edge = 3.0 * theme.size("unit")
        side = max(1.0, min(self.width(), self.height()) - 2 * edge)
        # The map is square, but may stretch a little to the sides.
        wide = min(self.width() - 2 * edge, 1.6 * side)
        return QRectF((self.width() - wide) / 2, (self.height() - side) / 2, wide, side)

    def _look_at(self, row: int | None) -> None:
        if row != self._under:
            self._under = row
            self._describe()
            self.update()

    def _describe(self) -> None:
        if self._map is None:
            return
        words = self.tr("{samples} samples of {people} people").format(
            samples=len(self._map.face_ids), people=len(set(self._map.person_ids.tolist()))
        )
        if self._under is not None:
            words = self._name(self._under)
        self.setAccessibleDescription(words)

    def _name(self, row: int) -> str:
        assert self._map is not None
        return self._map.names[int(self._map.person_ids[row])]

    # --- painting -----------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._map is None:
            return
        if self._layers is None or self._layers[0].devicePixelRatio() != self.devicePixelRatioF():
            self._layers = self._layer(), self._layer()
            with QPainter(self._layers[0]) as layer:
                self._paint_points(layer, range(len(self._map.places)))
            with QPainter(self._layers[1]) as layer:
                self._paint_names(layer)
        points, names = self._layers
        if self._under is None:
            painter.drawPixmap(0, 0, points)
        else:
            painter.setOpacity(_FAINT)
            painter.drawPixmap(0, 0, points)
            painter.setOpacity(1.0)
            chosen = self._map.person_ids == self._map.person_ids[self._under]
            self._paint_points(painter, np.flatnonzero(chosen).tolist())
        painter.drawPixmap(0, 0, names)
        if self._under is not None:
            self._paint_face(painter, self._under)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), theme.size("hairline")))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.size("radius"), theme.size("radius")
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._paint_anew()

    def _paint_anew(self) -> None:
        self._layers = None
        self.update()

    def _layer(self) -> QPixmap:
        """Return a clear sheet: thousands of points would be too many for every move of the pointer."""
        ratio = self.devicePixelRatioF()
        sheet = QPixmap(self.size() * ratio)
        sheet.setDevicePixelRatio(ratio)
        sheet.fill(Qt.GlobalColor.transparent)
        return sheet

    def _paint_points(self, painter: QPainter, rows: Iterable[int]) -> None:
        made = self._map
        assert made is not None
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        radius, area = float(theme.size("point")) + 0.5, self._area()
        for row in rows:
            painter.setBrush(theme.color(self._colours[int(made.person_ids[row])]))
            x, y = (float(value) for value in made.places[row])
            place = QPointF(area.left() + x * area.width(), area.bottom() - y * area.height())
            painter.drawEllipse(place, radius, radius)

    def _paint_names(self, painter: QPainter) -> None:
        """Write people's names below their samples, those with most samples first, where no other name stands."""
        made = self._map
        assert made is not None
        people, counts = np.unique(made.person_ids, return_counts=True)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        taken: list[QRectF] = []
        unit, line = float(theme.size("unit")), theme.line_height("small")
        for place in np.argsort(-counts, kind="stable")[:_NAMED].tolist():
            person = int(people[place])
            rows = np.flatnonzero(made.person_ids == person).tolist()
            points = [self.place(row) for row in rows]
            x = float(np.median([point.x() for point in points]))
            near = [point.y() for point in points if abs(point.x() - x) < 12 * unit] or [points[0].y()]
            middle = float(np.median(near))
            below = max(y for y in near if y - middle < 4 * unit)  # the points that lie together stay uncovered
            text = painter.fontMetrics().elidedText(made.names[person], Qt.TextElideMode.ElideRight, round(16 * unit))
            wide = painter.fontMetrics().horizontalAdvance(text) + unit
            left = min(max(x - wide / 2, 0.0), self.width() - wide)
            box = QRectF(left, min(below + unit, self.height() - line), wide, line)
            if any(box.intersects(other) for other in taken):
                continue
            taken.append(box)
            back = theme.color("panel")
            back.setAlphaF(0.75)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(back)
            painter.drawRoundedRect(box, unit / 2, unit / 2)
            painter.setPen(theme.color(self._colours[person]))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_face(self, painter: QPainter, row: int) -> None:
        """Draw the picture of a sample beside its point."""
        made = self._map
        assert made is not None
        place, unit, side = self.place(row), float(theme.size("unit")), float(theme.size("crop"))
        painter.setPen(QPen(theme.color("text"), theme.size("focus")))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(place, theme.size("marker"), theme.size("marker"))
        line = theme.line_height("small")
        box = QRectF(place.x() + 2 * unit, place.y() - side / 2, side + unit, side + line + unit)
        if box.right() > self.width():
            box.moveRight(place.x() - 2 * unit)
        box.moveTop(min(max(box.top(), 0.0), max(0.0, self.height() - box.height())))
        painter.setPen(QPen(theme.color("border"), theme.size("hairline")))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(box, theme.size("radius"), theme.size("radius"))
        picture = self._thumbnails.get(int(made.face_ids[row]))
        inside = QRectF(box.left() + unit / 2, box.top() + unit / 2, side, side)
        if picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(inside, picture, QRectF(picture.rect()))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text"))
        text = painter.fontMetrics().elidedText(self._name(row), Qt.TextElideMode.ElideRight, round(side))
        painter.drawText(QRectF(inside.left(), inside.bottom(), side, line), Qt.AlignmentFlag.AlignCenter, text)

    # --- pointer and keys ---------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._look_at(self._at(event.position()))

    def _at(self, place: QPointF) -> int | None:
        if self._map is None or not len(self._map.places):
            return None
        area = self._area()
        x = area.left() + self._map.places[:, 0] * area.width() - place.x()
        y = area.bottom() - self._map.places[:, 1] * area.height() - place.y()
        distance = np.hypot(x, y)
        nearest = int(distance.argmin())
        return nearest if distance[nearest] <= 2 * theme.size("unit") else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._look_at(self._at(event.position()))
        self._choose()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._look_at(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._look_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}.get(key)
        if step is not None and self._order:
            now = self._order.index(self._under) if self._under is not None else -1 if step > 0 else 0
            self._look_at(self._order[(now + step) % len(self._order)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._under is not None:
            self._choose()
        else:
            super().keyPressEvent(event)

    def _choose(self) -> None:
        if self._under is not None and self._map is not None:
            self.chosen.emit(int(self._map.person_ids[self._under]))
