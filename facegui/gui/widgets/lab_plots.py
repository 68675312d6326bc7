"""The plots of the margin lab: target logit over the angle, decision boundaries, cosines of pairs."""

from __future__ import annotations

from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QWidget

from facegui.gui import theme
from facegui.gui.widgets.plot import Plot
from facegui.matching.lab import Margin, PairScores, boundary, target_cosine
from facegui.matching.wording import MINUS, format_share, format_similarity

__all__ = ["BoundaryPlot", "LogitPlot", "PairPlot"]

_SAMPLES: Final = 181
_CLASSES: Final = 10
_FAINT: Final = 0.22


class LogitPlot(Plot):
    """The logit of the own class over the angle, with and without margin, and the probability that it gets."""

    x_ends = (0.0, 180.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Target logit over the angle"))
        self.setToolTip(
            self.tr(
                "Where angle and margin together pass 180° the curve goes on lower, as in the paper's code: "
                "else a picture would gain by moving away from its centre."
            )
        )
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


class BoundaryPlot(Plot):
    """Two classes, A and B: the plane of the angles with both centres, and where a picture is right for each."""

    x_ends = (0.0, 180.0)
    y_ends = (0.0, 180.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Decision boundaries of two classes"))
        self.show_margin(Margin())

    def show_margin(self, margin: Margin) -> None:
        """Draw the boundaries of a margin."""
        self._margin = margin
        needed = float(np.degrees(boundary(np.radians([30.0]), margin)[0]))
        text = self.tr("At 30° from its own centre a picture must be {angle:.0f}° from the other one.")
        if not isfinite(needed):
            text = self.tr("At 30° from its own centre no picture is right.")
        self.setAccessibleDescription(text.format(angle=needed))
        self.update()

    def area(self) -> QRectF:
        """Return a square: the boundary of equal angles is its diagonal, and margins look alike on both axes."""
        whole = super().area()
        side = min(whole.width(), whole.height())
        return QRectF(whole.left() + (whole.width() - side) / 2, whole.top() + (whole.height() - side) / 2, side, side)

    def x_ticks(self) -> list[tuple[float, str]]:
        return [(float(angle), f"{angle}°") for angle in (0, 90, 180)]

    def y_ticks(self) -> list[tuple[float, str]]:
        return self.x_ticks()

    def x_title(self) -> str:
        return self.tr("angle with centre A")

    def y_title(self) -> str:
        return self.tr("angle with centre B")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        degrees = np.linspace(0, 180, _SAMPLES)
        needed = np.degrees(boundary(np.radians(degrees), self._margin))
        reached = np.isfinite(needed)
        own, other = degrees[reached], needed[reached]
        for role, mirrored in (("class_0", False), ("class_1", True)):
            shade = QColor(theme.color(role))
            path = self.curve(area, other, own) if mirrored else self.curve(area, own, other)
            far = QPainterPath(path)
            # What is farther from the other centre than the boundary, up to the edge of the plane.
            for a, b in ((own[-1], 180.0), (0.0, 180.0)) if len(own) else ():
                far.lineTo(self.at(area, b, a) if mirrored else self.at(area, a, b))
            far.closeSubpath()
            shade.setAlphaF(_FAINT)
            painter.fillPath(far, shade)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color(role), theme.size("focus")))
            painter.drawPath(path)
        painter.setPen(QPen(theme.color("muted"), theme.size("hairline"), Qt.PenStyle.DashLine))
        painter.drawLine(self.at(area, 0, 0), self.at(area, 180, 180))
        painter.setFont(theme.font("small", bold=True))
        line, unit = theme.line_height("small"), theme.size("unit")
        painter.setPen(theme.color("class_0"))
        painter.drawText(QPointF(area.left() + unit, area.top() + line), self.tr("right for A"))
        painter.setPen(theme.color("class_1"))
        box = QRectF(area.left(), area.bottom() - line - unit / 2, area.width() - unit, line)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, self.tr("right for B"))


class PairPlot(Plot):
    """The cosines of all pairs of the pictures shown, and the threshold that serves them best."""

    x_ends = (-1.0, 1.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Cosines of pairs"))
        self.setToolTip(self.tr("Heights are square roots of the shares: small heaps stay visible beside great ones."))
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
        self._paint_names(painter, area)

    def _paint_names(self, painter: QPainter, area: QRectF) -> None:
        """Name the two heaps at the left, where both are low."""
        painter.setFont(theme.font("small"))
        line, unit = theme.line_height("small"), float(theme.size("unit"))
        for number, (role, name) in enumerate(
            (("genuine", self.tr("one class")), ("impostor", self.tr("two classes")))
        ):
            top = area.top() + number * line
            painter.fillRect(QRectF(area.left() + unit / 2, top + (line - unit) / 2, unit, unit), theme.color(role))
            painter.setPen(theme.color("text"))
            box = QRectF(area.left() + 2 * unit, top, area.width(), line)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
