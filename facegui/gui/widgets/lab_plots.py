"""The plots of the margin lab: target logit over the angle, decision boundaries, cosines of pairs."""

from __future__ import annotations

from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme
from facegui.matching.lab import Margin, PairScores, boundary, target_cosine
from facegui.matching.wording import MINUS, format_share, format_similarity

__all__ = ["BoundaryPlot", "LogitPlot", "PairPlot"]

_SAMPLES: Final = 181
_CLASSES: Final = 10
_FAINT: Final = 0.22


class _Plot(QWidget):
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
        left = unit / 2 + (3.4 * unit if self.y_ticks() else 0)
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
            box = QRectF(area.right() + unit / 2, self._tick_top(place.y(), area), 2.0 * unit, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(theme.color("muted"))
        box = QRectF(0, area.bottom() + line + unit / 4, self.width(), line)
        painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, self.x_title())

    def _tick_top(self, y: float, area: QRectF) -> float:
        line = theme.line_height("small")
        return min(max(y - line / 2, 0.0), area.bottom() - line / 2)


class LogitPlot(_Plot):
    """The logit of the own class over the angle, with and without margin, and the probability that it gets."""

    x_ends = (0.0, 180.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Target logit over the angle"))
        self._margin = Margin()
        self._angles: NDArray[np.float64] = np.zeros(0)
        self._describe()

    def show_margin(self, margin: Margin) -> None:
        """Draw the curves of a margin."""
        self._margin = margin
        self._describe()
        self.update()

    def show_angles(self, shares: NDArray[np.float64]) -> None:
        """Draw how the pictures' angles with their own centres are spread: shares from 0 to 180 degrees."""
        self._angles = shares
        self.update()

    def logit(self, degrees: float) -> float:
        """Return the logit at an angle."""
        return self._margin.scale * float(target_cosine(np.radians([degrees]), self._margin)[0])

    def _describe(self) -> None:
        self.setAccessibleDescription(
            self.tr("At 0°, 30°, 60° and 90° the logit is {values}.").format(
                values=", ".join(format_similarity(self.logit(angle), 1) for angle in (0, 30, 60, 90))
            )
        )

    @property
    def y_ends(self) -> tuple[float, float]:  # type: ignore[override]
        """A little beyond minus and plus the scale."""
        return -1.6 * self._margin.scale, 1.1 * self._margin.scale

    def x_ticks(self) -> list[tuple[float, str]]:
        return [(float(angle), f"{angle}°") for angle in (0, 45, 90, 135, 180)]

    def y_ticks(self) -> list[tuple[float, str]]:
        scale = self._margin.scale
        return [(value, f"{value:.0f}".replace("-", MINUS)) for value in (-scale, 0.0, scale)]

    def right_ticks(self) -> list[tuple[float, str]]:
        low, high = self.y_ends
        return [(low, "0"), (high, "1")]

    def x_title(self) -> str:
        return self.tr("angle with the own centre")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        degrees = np.linspace(0, 180, _SAMPLES)
        theta, margin = np.radians(degrees), self._margin
        low, high = self.y_ends
        if len(self._angles):
            self._paint_angles(painter, area)
        plain = margin.scale * np.cos(theta)
        logit = margin.scale * target_cosine(theta, margin)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("muted"), theme.size("hairline"), Qt.PenStyle.DashLine))
        painter.drawPath(self.curve(area, degrees, plain))
        # The other classes at right angles with the picture, where their logit is 0.
        chance = 1 / (1 + (_CLASSES - 1) * np.exp(-np.clip(logit, -700, 700)))
        painter.setPen(QPen(theme.color("match"), 1.5 * theme.size("hairline"), Qt.PenStyle.DotLine))
        painter.drawPath(self.curve(area, degrees, low + chance * (high - low)))
        painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
        painter.drawPath(self.curve(area, degrees, logit))

    def _paint_angles(self, painter: QPainter, area: QRectF) -> None:
        low, high = self.y_ends
        width = 180 / len(self._angles)
        peak = max(float(self._angles.max()), 1e-9)
        shade = QColor(theme.color("genuine"))
        shade.setAlphaF(_FAINT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        for k, share in enumerate(self._angles.tolist()):
            if share:
                top = self.at(area, k * width, low + share / peak * 0.5 * (high - low))
                corner = self.at(area, (k + 1) * width, low)
                painter.drawRect(QRectF(top, corner))


class BoundaryPlot(_Plot):
    """Two classes: the angles with both centres, and from where on a picture is right for each."""

    x_ends = (0.0, 90.0)
    y_ends = (0.0, 90.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Decision boundaries of two classes"))
        self._margin = Margin()
        self.show_margin(self._margin)

    def show_margin(self, margin: Margin) -> None:
        """Draw the boundaries of a margin."""
        self._margin = margin
        needed = float(np.degrees(boundary(np.radians([30.0]), margin)[0]))
        text = self.tr("At 30° from its own centre a picture must be {angle:.0f}° from the other one.")
        if not isfinite(needed):
            text = self.tr("At 30° from its own centre no picture is right.")
        self.setAccessibleDescription(text.format(angle=needed))
        self.update()

    def x_ticks(self) -> list[tuple[float, str]]:
        return [(float(angle), f"{angle}°") for angle in (0, 45, 90)]

    def y_ticks(self) -> list[tuple[float, str]]:
        return self.x_ticks()

    def x_title(self) -> str:
        return self.tr("angle with centre 1; upwards: 2")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        degrees = np.linspace(0, 90, _SAMPLES)
        needed = np.degrees(boundary(np.radians(degrees), self._margin))
        top = np.where(np.isfinite(needed), np.minimum(needed, 120.0), 120.0)
        for role, mirrored in (("class_0", False), ("class_1", True)):
            shade = QColor(theme.color(role))
            shade.setAlphaF(_FAINT)
            x, y = (top, degrees) if mirrored else (degrees, top)
            path = self.curve(area, x, y)
            far = QPainterPath(path)
            if mirrored:
                far.lineTo(self.at(area, 120, 90))
                far.lineTo(self.at(area, 120, 0))
            else:
                far.lineTo(self.at(area, 90, 120))
                far.lineTo(self.at(area, 0, 120))
            far.closeSubpath()
            painter.fillPath(far, shade)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color(role), theme.size("focus")))
            painter.drawPath(path)
        painter.setPen(QPen(theme.color("muted"), theme.size("hairline"), Qt.PenStyle.DashLine))
        painter.drawLine(self.at(area, 0, 0), self.at(area, 90, 90))
        painter.setFont(theme.font("small", bold=True))
        line, unit = theme.line_height("small"), theme.size("unit")
        painter.setPen(theme.color("class_0"))
        painter.drawText(QPointF(area.left() + unit, area.top() + line), self.tr("right for 1"))
        painter.setPen(theme.color("class_1"))
        box = QRectF(area.left(), area.bottom() - line - unit / 2, area.width() - unit, line)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, self.tr("right for 2"))


class PairPlot(_Plot):
    """The cosines of all pairs of the pictures shown, and the threshold that serves them best."""

    x_ends = (-1.0, 1.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Cosines of pairs"))
        self._pairs: PairScores | None = None

    def show_pairs(self, pairs: PairScores) -> None:
        """Draw the cosines of pairs of one class and of two."""
        self._pairs = pairs
        self.setAccessibleDescription(self.words())
        self.update()

    def words(self) -> str:
        """Return the threshold and the share of wrong pairs as a sentence."""
        if self._pairs is None:
            return ""
        return self.tr("Threshold {threshold}: {share} of the pairs on the wrong side").format(
            threshold=format_similarity(self._pairs.threshold), share=format_share(self._pairs.eer, 1)
        )

    def x_ticks(self) -> list[tuple[float, str]]:
        return [(value, format_similarity(value, 1)) for value in (-1.0, -0.5, 0.0, 0.5, 1.0)]

    def x_title(self) -> str:
        return self.tr("cosine of two pictures")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        pairs = self._pairs
        if pairs is None:
            return
        middles = (pairs.edges[:-1] + pairs.edges[1:]) / 2
        # Narrow heaps are high: the root keeps the wide ones visible beside them.
        heights = [np.sqrt(values) for values in (pairs.different, pairs.same)]
        peak = max(float(part.max()) for part in heights) * 1.08
        for values, role in zip(heights, ("impostor", "genuine"), strict=True):
            path = QPainterPath(self.at(area, -1, 0))
            for x, y in zip(middles.tolist(), (values / peak).tolist(), strict=True):
                path.lineTo(self.at(area, x, y))
            path.lineTo(self.at(area, 1, 0))
            shade = QColor(theme.color(role))
            painter.setPen(QPen(shade, 1.5 * theme.size("hairline")))
            shade.setAlphaF(_FAINT)
            painter.setBrush(shade)
            painter.drawPath(path)
        painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
        painter.drawLine(self.at(area, pairs.threshold, 0), self.at(area, pairs.threshold, 1))
