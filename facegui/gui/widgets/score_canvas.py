"""The painted part of the score scale: -1 to 1, densities, unsure band, threshold, similarity."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from facegui.gui import theme
from facegui.gui.widgets.decision_badge import outcome_role
from facegui.gui.widgets.score_bar import paint_bar, to_x
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_percent, format_rate, format_similarity

__all__ = ["ScoreCanvas", "paint_bar"]

_TICKS: Final = (-1.0, -0.5, 0.0, 0.5, 1.0)
_STEP: Final = 0.01
_FINE_STEP: Final = 0.001
_PAGE: Final = 0.05
_FAINT: Final = 0.28
_LINE: Final = 0.75


class ScoreCanvas(QWidget):
    """Paints the scale and lets the threshold be dragged or moved with the arrow keys.

    Signals
    -------
    thresholdMoved(float)
        By mouse or keys.
    resetWanted
        Double click on the handle, or Home.
    """

    thresholdMoved = Signal(float)
    resetWanted = Signal()

    def __init__(self, parent: QWidget | None = None, *, compact: bool = False, slim: bool = False) -> None:
        """`compact` is the bar alone, which cannot be moved; `slim` is the whole scale, for above a grid."""
        super().__init__(parent)
        self._compact, self._slim = compact, slim
        self._calibration: Calibration | None = None
        self._rule: Rule | None = None
        self._similarity: float | None = None
        self._dragging = False
        self._hover: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if not compact:
            self.setMouseTracking(True)
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        if self._compact:
            return QSize(theme.size("tile"), theme.size("scale_compact"))
        return QSize(theme.size("minimum_width") // 2, theme.size("scale_slim" if self._slim else "scale_height"))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.size("tile") if self._compact else 2 * theme.size("tile"), self.sizeHint().height())

    def set_calibration(self, calibration: Calibration | None) -> None:
        """Draw the densities of a calibration behind the scale."""
        self._calibration = calibration
        self.update()

    def set_rule(self, rule: Rule | None) -> None:
        """Draw threshold and unsure band."""
        self._rule = rule
        self.update()

    def set_similarity(self, similarity: float | None) -> None:
        """Draw the marker, or none."""
        self._similarity = similarity
        self.update()

    def threshold_point(self) -> QPointF | None:
        """Return where the handle is, in pixels of this widget."""
        if self._rule is None:
            return None
        bar = self._bar()
        return QPointF(to_x(bar, self._rule.threshold), bar.center().y())

    def similarity_at(self, x: float) -> float:
        """Return the similarity at a horizontal position."""
        bar = self._bar()
        return min(1.0, max(-1.0, (x - bar.left()) / bar.width() * 2.0 - 1.0))

    def _bar(self) -> QRectF:
        unit = theme.size("unit")
        side = 1.5 * unit
        if self._compact:
            return QRectF(side, (self.height() - unit) / 2, self.width() - 2 * side, unit)
        height = unit if self._slim else unit + theme.size("half")
        below = (3.5 if self._slim else 5) * unit
        return QRectF(side, self.height() - below - height, self.width() - 2 * side, height)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = self._bar()
        if self._compact:
            paint_bar(painter, bar, self._rule, self._similarity)
            return
        self._paint_densities(painter, bar)
        self._paint_stem(painter, bar)
        paint_bar(painter, bar, self._rule, None if self._rule and self._on_handle() else self._similarity)
        if self._rule is not None:
            self._paint_handle(painter, bar)
        self._paint_numbers(painter, bar)

    def _on_handle(self) -> bool:
        """Tell whether marker and handle cover one another; the stem alone then shows the similarity."""
        if self._rule is None or self._similarity is None:
            return False
        bar = self._bar()
        return abs(to_x(bar, self._rule.threshold) - to_x(bar, self._similarity)) < theme.size("half")

    def _curve(
        self, values: NDArray[np.float64], middles: NDArray[np.float64], peak: float, bar: QRectF
    ) -> QPainterPath:
        top, base = float(theme.size("focus" if self._slim else "unit")), bar.top() - theme.size("half")
        kernel = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
        smooth = np.convolve(values, kernel, mode="same") / peak
        path = QPainterPath(QPointF(bar.left(), base))
        for middle, value in zip(middles.tolist(), smooth.tolist(), strict=True):
            path.lineTo(to_x(bar, middle), base - value * (base - top))
        path.lineTo(bar.right(), base)
        return path

    def _paint_densities(self, painter: QPainter, bar: QRectF) -> None:
        if self._calibration is None:
            return
        densities = self._calibration.densities()
        peak = float(max(densities.impostor.max(), densities.genuine.max(), 1e-9))
        for values, role in ((densities.impostor, "impostor"), (densities.genuine, "genuine")):
            path = self._curve(values, densities.similarity, peak, bar)
            shade = theme.color(role)
            fill = QColor(shade)
            fill.setAlphaF(_FAINT)
            shade.setAlphaF(_LINE)
            painter.fillPath(path, fill)
            painter.strokePath(path, QPen(shade, theme.size("hairline")))

    def _paint_stem(self, painter: QPainter, bar: QRectF) -> None:
        if self._hover is not None and not self._dragging and self._calibration is not None:
            painter.setPen(QPen(theme.color("muted"), theme.size("hairline"), Qt.PenStyle.DotLine))
            x = to_x(bar, self._hover)
            painter.drawLine(QLineF(x, theme.size("unit"), x, bar.top()))
        if self._similarity is not None and self._similarity == self._similarity:
            outcome = decide(self._similarity, self._rule) if self._rule else None
            painter.setPen(QPen(theme.color(outcome_role(outcome)), theme.size("focus")))
            x = to_x(bar, self._similarity)
            painter.drawLine(QLineF(x, 2.5 * theme.size("unit"), x, bar.center().y()))

    def _paint_handle(self, painter: QPainter, bar: QRectF) -> None:
        assert self._rule is not None
        x = to_x(bar, self._rule.threshold)
        painter.setPen(QPen(theme.color("text"), theme.size("hairline") * 1.5))
        painter.drawLine(QLineF(x, theme.size("focus" if self._slim else "unit"), x, bar.bottom() + theme.size("half")))
        half_width = theme.size("half") + 1
        half_height = theme.size("unit") + (theme.size("focus") if self._slim else theme.size("half"))
        grip = QRectF(x - half_width, bar.center().y() - half_height, 2 * half_width, 2 * half_height)
        painter.setBrush(theme.color("accent_hover" if self._dragging else "raised"))
        painter.setPen(QPen(theme.color("accent" if self.hasFocus() else "text"), theme.size("focus")))
        painter.drawRoundedRect(grip, theme.size("half"), theme.size("half"))
        painter.setPen(QPen(theme.color("on_accent" if self._dragging else "text"), theme.size("hairline")))
        for shift in (-1.5, 1.5):
            painter.drawLine(QLineF(x + shift, grip.top() + half_width, x + shift, grip.bottom() - half_width))

    def _paint_numbers(self, painter: QPainter, bar: QRectF) -> None:
        unit = theme.size("unit")
        painter.setFont(theme.font("small", tabular=True))
        metrics = painter.fontMetrics()
        top = bar.bottom() + unit + theme.size("half")
        taken: list[QRectF] = []

        def place(x: float, text: str, role: str) -> None:
            width = metrics.horizontalAdvance(text) + theme.size("half")
            left = min(max(x - width / 2, 0.0), self.width() - width)
            area = QRectF(left, top, width, metrics.height())
            if any(area.adjusted(-unit, 0, unit, 0).intersects(other) for other in taken):
                return
            taken.append(area)
            painter.setPen(theme.color(role))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

        if self._rule is not None:
            place(to_x(bar, self._rule.threshold), self.tr("{0} threshold").format(
                format_similarity(self._rule.threshold)), "text")  # fmt: skip
        for tick in _TICKS:
            place(to_x(bar, tick), f"{tick:g}".replace("-", "−"), "muted")

    def _near_handle(self, position: QPointF) -> bool:
        point = self.threshold_point()
        return point is not None and abs(position.x() - point.x()) <= theme.size("unit") + theme.size("half")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._compact or event.button() != Qt.MouseButton.LeftButton or not self._near_handle(event.position()):
            super().mousePressEvent(event)
            return
        self._dragging = True
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._compact:
            super().mouseMoveEvent(event)
            return
        self._hover = self.similarity_at(event.position().x())
        if self._dragging:
            self.thresholdMoved.emit(self._hover)
        near = self._dragging or self._near_handle(event.position())
        self.setCursor(Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragging = False
        self.update()
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._near_handle(event.position()):
            self.resetWanted.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self.update()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _FINE_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _STEP
        moves = {
            Qt.Key.Key_Left: -step, Qt.Key.Key_Right: step, Qt.Key.Key_PageDown: -_PAGE, Qt.Key.Key_PageUp: _PAGE,
        }  # fmt: skip
        key = Qt.Key(event.key())
        if self._rule is not None and key in moves:
            self.thresholdMoved.emit(min(1.0, max(-1.0, self._rule.threshold + moves[key])))
        elif self._rule is not None and key == Qt.Key.Key_Home:
            self.resetWanted.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and not self._compact:
            words = self.words_at(self.similarity_at(event.pos().x()))
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def words_at(self, similarity: float) -> str:
        """Say what FMR and FNMR are at a similarity."""
        score = format_similarity(similarity)
        if self._calibration is None:
            return score
        fmr, fnmr = self._calibration.fmr_at(similarity), self._calibration.fnmr_at(similarity)
        return self.tr("{0}: {1} strangers reach it (FMR), {2} of genuine pairs miss it (FNMR)").format(
            score, format_rate(fmr.value), format_percent(fnmr.value)
        )
