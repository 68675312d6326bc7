"""Histogram, ROC and DET of scores: the same three plots for a calibration, a gallery and an evaluation."""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QWidget

from facegui.gui import theme
from facegui.gui.widgets.plot import Plot
from facegui.matching.error_curves import Band, ErrorCurves
from facegui.matching.wording import format_rate, format_share, format_similarity

__all__ = ["DetPlot", "RatePlot", "RocPlot", "ScorePlot"]

_FAINT: Final = 0.24
_BAND: Final = 0.18
_STEP: Final = 0.01
_FEW: Final = 1000  # pairs
_COARSE: Final = 5  # bins drawn as one
_SMALLEST: Final = 1e-4
_DECADES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_DET_TICKS: Final = (1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5)
_NORMAL: Final = NormalDist()


class RatePlot(Plot):
    """Curves and the threshold that is looked at.

    Signals
    -------
    looked(float)
        The pointer, or an arrow key, went to a threshold.
    """

    looked = Signal(float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.curves: ErrorCurves | None = None
        self.threshold: float | None = None
        self._first: float | None = None

    def show_curves(self, curves: ErrorCurves | None, threshold: float | None) -> None:
        """Draw curves with a threshold marked."""
        self.curves, self.threshold, self._first = curves, threshold, threshold
        self._describe()
        self.update()

    def look_at(self, threshold: float) -> None:
        """Mark another threshold."""
        self.threshold = threshold
        self._describe()
        self.update()

    def _describe(self) -> None:
        curves, threshold = self.curves, self.threshold
        if curves is None or threshold is None:
            self.setAccessibleDescription(self.tr("Nothing to show"))
            return
        words = self.tr("At {threshold}: false match rate {fmr}, false non-match rate {fnmr}.")
        self.setAccessibleDescription(
            words.format(
                threshold=format_similarity(threshold),
                fmr=format_rate(_clipped(curves.fmr.at(curves.thresholds, threshold).value)),
                fnmr=format_share(curves.fnmr.at(curves.thresholds, threshold).value),
            )
        )

    def _mark(self, painter: QPainter, area: QRectF, place: QPointF) -> None:
        """Mark a point; one beyond the axes is marked at their edge."""
        radius = float(theme.size("half"))
        place = QPointF(
            min(max(place.x(), area.left() + radius), area.right() - radius),
            min(max(place.y(), area.top() + radius), area.bottom() - radius),
        )
        painter.setPen(QPen(theme.color("panel"), theme.size("hairline")))
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(place, radius, radius)


class ScorePlot(RatePlot):
    """How scores of the same person and of strangers are spread; the pointer looks at thresholds."""

    x_ends = (-0.5, 1.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Scores of strangers and of the same person"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def x_ticks(self) -> list[tuple[float, str]]:
        return [(value, format_similarity(value, 1)) for value in (-0.5, 0.0, 0.5, 1.0)]

    def x_title(self) -> str:
        return self.tr("similarity")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        curves = self.curves
        if curves is None:
            return
        # So few pairs make a comb of narrow bins.
        width = _COARSE if min(curves.genuine_pairs, curves.impostor_pairs) < _FEW else 1
        middles, impostor, genuine = (
            part.reshape(-1, width).mean(1) for part in (curves.similarity, curves.impostor, curves.genuine)
        )
        peak = 1.12 * max(float(genuine.max()), float(impostor.max()), 1e-9)
        half = (middles[1] - middles[0]) / 2
        for values, role, words in (
            (impostor, "impostor", self.tr("strangers")), (genuine, "genuine", self.tr("same person")),
        ):  # fmt: skip
            path = QPainterPath(self.at(area, -1, 0))
            for middle, value in zip(middles.tolist(), (values / peak).tolist(), strict=True):
                path.lineTo(self.at(area, middle - half, value))
                path.lineTo(self.at(area, middle + half, value))
            path.lineTo(self.at(area, 1, 0))
            shade = QColor(theme.color(role))
            painter.setPen(QPen(shade, 1.5 * theme.size("hairline")))
            fill = QColor(shade)
            fill.setAlphaF(_FAINT)
            painter.setBrush(fill)
            painter.drawPath(path)
            self._name(painter, area, middles, values / peak, words)
        if self.threshold is not None:
            painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
            painter.drawLine(self.at(area, self.threshold, 0), self.at(area, self.threshold, 1))

    def _name(
        self, painter: QPainter, area: QRectF, similarity: NDArray[np.float64], values: NDArray[np.float64], words: str
    ) -> None:
        """Write the name of a heap beside its top."""
        top = int(values.argmax())
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("muted"))
        line, unit = theme.line_height("small"), theme.size("unit")
        place = self.at(area, float(similarity[top]), float(values[top]))
        wide = painter.fontMetrics().horizontalAdvance(words)
        left = min(max(place.x() - wide / 2, area.left()), area.right() - wide)
        box = QRectF(left, max(place.y() - line - unit / 4, area.top()), wide + unit, line)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, words)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        area = self.area()
        low, high = self.x_ends
        share = (event.position().x() - area.left()) / max(area.width(), 1)
        if self.curves is not None and 0 <= share <= 1:
            self.looked.emit(low + share * (high - low))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -_STEP, Qt.Key.Key_Right: _STEP}.get(Qt.Key(event.key()))
        if step is None or self.threshold is None:
            super().keyPressEvent(event)
        else:
            self.looked.emit(min(self.x_ends[1], max(self.x_ends[0], self.threshold + step)))


class RocPlot(RatePlot):
    """Share of the same person's pairs found over the false match rate, with its 95 % band."""

    x_ends = (-4.0, 0.0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("ROC: found over false match rate"))

    @property
    def y_ends(self) -> tuple[float, float]:  # type: ignore[override]
        """From below the least found at the smallest rate that is drawn up to everything."""
        if self.curves is None:
            return 0.0, 1.0
        seen = self.curves.fmr.value >= _SMALLEST
        least = 1 - float(self.curves.fnmr.high[seen].max(initial=0.0, where=self.curves.fmr.value[seen] < _DECADES[3]))
        if self._first is not None:
            least = min(least, 1 - self.curves.fnmr.at(self.curves.thresholds, self._first).value)
        step = 0.1 if least < 0.9 else 0.05 if least < 0.95 else 0.01
        low = min(max(0.0, float(np.floor(least / step)) * step), 1 - step)
        return low, 1.0 + 0.04 * (1 - low)

    def x_ticks(self) -> list[tuple[float, str]]:
        return [(float(np.log10(rate)), f"{rate * 100:g}") for rate in _DECADES]

    def y_ticks(self) -> list[tuple[float, str]]:
        low, _ = self.y_ends
        return [(value, f"{value * 100:.4g}") for value in (low, (1 + low) / 2, 1.0)]

    def x_title(self) -> str:
        return self.tr("strangers accepted, %")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        curves = self.curves
        if curves is None:
            return
        _shade_unsupported(self, painter, area, float(np.log10(max(curves.smallest_claim, _SMALLEST))))
        x = np.log10(np.maximum(curves.fmr.value, _SMALLEST))
        band = Band(1 - curves.fnmr.value, 1 - curves.fnmr.high, 1 - curves.fnmr.low)
        _paint_band(self, painter, area, x, band)
        if self.threshold is not None:
            place = self.threshold
            fmr, fnmr = (side.at(curves.thresholds, place).value for side in (curves.fmr, curves.fnmr))
            self._mark(painter, area, self.at(area, float(np.log10(max(fmr, _SMALLEST))), 1 - fnmr))


class DetPlot(RatePlot):
    """Both error rates against each other on normal deviates, where the curve of a good model is nearly straight."""

    x_ends = (_NORMAL.inv_cdf(_SMALLEST), _NORMAL.inv_cdf(0.5))
    y_ends = x_ends

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("DET: missed over false match rate"))

    def x_ticks(self) -> list[tuple[float, str]]:
        return self.y_ticks()

    def y_ticks(self) -> list[tuple[float, str]]:
        return [(_NORMAL.inv_cdf(rate), f"{rate * 100:g}") for rate in _DET_TICKS]

    def x_title(self) -> str:
        return self.tr("strangers accepted, %")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        curves = self.curves
        if curves is None:
            return
        _shade_unsupported(self, painter, area, _deviate(curves.smallest_claim))
        painter.setPen(QPen(theme.color("muted"), theme.size("hairline"), Qt.PenStyle.DashLine))
        low, high = self.x_ends
        painter.drawLine(self.at(area, low, low), self.at(area, high, high))
        sides = (curves.fnmr.value, curves.fnmr.low, curves.fnmr.high)
        _paint_band(self, painter, area, _deviates(curves.fmr.value), Band(*(_deviates(side) for side in sides)))
        if self.threshold is not None:
            place = self.threshold
            fmr, fnmr = (side.at(curves.thresholds, place).value for side in (curves.fmr, curves.fnmr))
            self._mark(painter, area, self.at(area, _deviate(fmr), _deviate(fnmr)))


def _clipped(rate: float) -> float:
    return min(1.0, max(0.0, rate))


def _deviate(rate: float) -> float:
    return _NORMAL.inv_cdf(min(max(rate, _SMALLEST), 1 - _SMALLEST))


def _deviates(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([_deviate(rate) for rate in rates.tolist()])


def _paint_band(plot: RatePlot, painter: QPainter, area: QRectF, x: NDArray[np.float64], band: Band) -> None:
    outline = plot.curve(area, np.concatenate([x, x[::-1]]), np.concatenate([band.low, band.high[::-1]]))
    outline.closeSubpath()
    shade = QColor(theme.color("accent"))
    shade.setAlphaF(_BAND)
    painter.fillPath(outline, shade)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
    painter.drawPath(plot.curve(area, x, band.value))


def _shade_unsupported(plot: RatePlot, painter: QPainter, area: QRectF, limit: float) -> None:
    """Shade the rates that are too small for so few pairs of people."""
    low = plot.x_ends[0]
    if limit <= low:
        return
    edge = plot.at(area, limit, plot.y_ends[0]).x()
    shade = QColor(theme.color("muted"))
    shade.setAlphaF(_BAND / 2)
    painter.fillRect(QRectF(area.left(), area.top(), edge - area.left(), area.height()), shade)
