"""A plot painted with the colours of the theme: axes with ticks, and what a subclass paints between them."""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme

__all__ = ["Plot"]


class Plot(QWidget):
    """Axes with ticks; a subclass says their ends and paints inside."""

    x_ends = (0.0, 1.0)
    y_ends = (0.0, 1.0)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMinimumSize(round(1.3 * theme.size("plot")), theme.size("plot"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.manager().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(2 * theme.size("plot"), round(1.3 * theme.size("plot")))

    def area(self) -> QRectF:
        """Return the rectangle between the axes."""
        unit = float(theme.size("unit"))
        line = theme.line_height("small")
        left = unit / 2 + (3.4 * unit if self.y_ticks() else 0) + (line if self.y_title() else 0)
        right = 2.5 * unit if self.right_ticks() else 1.5 * unit
        return QRectF(left, unit / 2, self.width() - left - right, self.height() - 2 * line - unit)

    def x_ticks(self) -> list[tuple[float, str]]:
        return []

    def y_ticks(self) -> list[tuple[float, str]]:
        return []

    def right_ticks(self) -> list[tuple[float, str]]:
        return []

    def x_title(self) -> str:
        return ""

    def y_title(self) -> str:
        return ""

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Paint what is between the axes."""

    def at(self, area: QRectF, x: float, y: float) -> QPointF:
        """Return where a value is."""
        (x0, x1), (y0, y1) = self.x_ends, self.y_ends
        return QPointF(
            area.left() + (x - x0) / (x1 - x0) * area.width(), area.bottom() - (y - y0) / (y1 - y0) * area.height()
        )

    def curve(self, area: QRectF, x: NDArray[np.floating], y: NDArray[np.floating]) -> QPainterPath:
        """Return a line through values; it is broken where one is no number."""
        path, pen_down = QPainterPath(), False
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            if not isfinite(b):
                pen_down = False
            elif pen_down:
                path.lineTo(self.at(area, a, b))
            else:
                path.moveTo(self.at(area, a, b))
                pen_down = True
        return path

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.area()
        self._paint_axes(painter, area)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -1, 1, 1))
        self.paint(painter, area)
        painter.restore()

    def _paint_axes(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(theme.font("small", tabular=True))
        hair = QPen(theme.color("border"), theme.size("hairline"))
        line, unit = theme.line_height("small"), theme.size("unit")
        wide = 8.0 * unit
        for value, text in self.x_ticks():
            place = self.at(area, value, self.y_ends[0])
            painter.setPen(hair)
            painter.drawLine(QPointF(place.x(), area.top()), QPointF(place.x(), area.bottom()))
            painter.setPen(theme.color("muted"))
            left = min(max(place.x() - wide / 2, 0.0), self.width() - wide)
            side = Qt.AlignmentFlag.AlignHCenter
            if left == 0.0:
                side = Qt.AlignmentFlag.AlignLeft
                left = place.x() - unit / 2
            elif left == self.width() - wide:
                side = Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(left, area.bottom() + unit / 4, wide, line), side, text)
        for value, text in self.y_ticks():
            place = self.at(area, self.x_ends[0], value)
            painter.setPen(hair)
            painter.drawLine(QPointF(area.left(), place.y()), QPointF(area.right(), place.y()))
            painter.setPen(theme.color("muted"))
            box = QRectF(0, self._tick_top(place.y(), area), area.left() - unit / 2, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        for value, text in self.right_ticks():
            place = self.at(area, self.x_ends[1], value)
            painter.setPen(theme.color("muted"))
            # The last tick of the other axis stands below the lower end.
            top = min(self._tick_top(place.y(), area), area.bottom() - line)
            box = QRectF(area.right() + unit / 2, top, 2.0 * unit, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(theme.color("muted"))
        box = QRectF(0, area.bottom() + line + unit / 4, self.width(), line)
        painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, _fitted(painter, self.x_title(), box))
        if self.y_title():
            painter.save()
            painter.translate(area.left() - 3.4 * unit - line, area.center().y())
            painter.rotate(-90)
            box = QRectF(-self.height() / 2, 0, self.height(), line)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, _fitted(painter, self.y_title(), box))
            painter.restore()

    def _tick_top(self, y: float, area: QRectF) -> float:
        line = theme.line_height("small")
        return min(max(y - line / 2, 0.0), area.bottom() - line / 2)


def _fitted(painter: QPainter, text: str, box: QRectF) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()))
