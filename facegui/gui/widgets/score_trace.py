"""The similarity of the last seconds as a thin line, for a live source."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme
from facegui.gui.widgets.decision_badge import outcome_role, outcome_word
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_similarity

__all__ = ["TRACE_SECONDS", "ScoreTrace"]

TRACE_SECONDS: Final = 10.0
_LOWEST: Final = -0.2
_HIGHEST: Final = 1.0
_GAP_SECONDS: Final = 1.0
_BAND: Final = 0.25

Point = tuple[float, float | None]


class ScoreTrace(QWidget):
    """Draws similarities over time, newest at the right, with the threshold and the unsure band behind them.

    A moment without a face, or a pause of more than a second, leaves a gap.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: deque[Point] = deque()
        self._rule: Rule | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setAccessibleName(self.tr("Score over the last 10 seconds"))
        self.setToolTip(self.tr("Score over the last 10 seconds; the dashed line is the threshold"))
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(theme.size("tile"), theme.size("control") + theme.size("unit"))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.size("crop") // 2, 3 * theme.size("unit"))

    def add(self, similarity: float | None, seconds: float) -> None:
        """Add a score, or None where no face was seen.

        Parameters
        ----------
        similarity : float or None
            Cosine, -1..1; drawn no lower than -0.2.
        seconds : float
            A clock that only grows. What is older than ten seconds leaves.
        """
        self._points.append((seconds, similarity))
        while self._points[0][0] < seconds - TRACE_SECONDS:
            self._points.popleft()
        self._describe()
        self.update()

    def clear(self) -> None:
        """Forget all scores."""
        self._points.clear()
        self._describe()
        self.update()

    def set_rule(self, rule: Rule | None) -> None:
        """Draw another threshold; the scores stay."""
        self._rule = rule
        self._describe()
        self.update()

    @property
    def scores(self) -> tuple[float, ...]:
        """The scores drawn, oldest first, without the gaps."""
        return tuple(score for _seconds, score in self._points if score is not None)

    def _describe(self) -> None:
        scores = self.scores
        if not scores:
            self.setAccessibleDescription(self.tr("No score yet"))
            return
        words = self.tr("now {0}, lowest {1}, highest {2}").format(
            *(format_similarity(value) for value in (scores[-1], min(scores), max(scores)))
        )
        if self._rule is not None:
            words = f"{words}, {outcome_word(decide(scores[-1], self._rule))}"
        self.setAccessibleDescription(words)

    def lines(self, area: QRectF) -> Iterator[QPolygonF]:
        """Return the unbroken pieces of the line in an area."""
        piece = QPolygonF()
        before = None
        end = self._points[-1][0] if self._points else 0.0
        for seconds, score in self._points:
            if piece.size() and (score is None or (before is not None and seconds - before > _GAP_SECONDS)):
                yield piece
                piece = QPolygonF()
            before = seconds
            if score is not None:
                piece.append(QPointF(area.right() - (end - seconds) / TRACE_SECONDS * area.width(), _y(area, score)))
        if piece.size():
            yield piece

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        clip = QPainterPath()
        clip.addRoundedRect(frame, theme.size("small_radius"), theme.size("small_radius"))
        painter.fillPath(clip, theme.color("sunken"))
        painter.setClipPath(clip)
        inset = theme.size("half")
        area = frame.adjusted(inset, inset, -inset - theme.size("focus"), -inset)
        if self._rule is not None:
            self._paint_rule(painter, frame, area, self._rule)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("text"), 1.5 * theme.size("hairline")))
        for piece in self.lines(area):
            painter.drawPolyline(piece)
        if self._points and (score := self._points[-1][1]) is not None:
            outcome = decide(score, self._rule) if self._rule is not None else None
            painter.setPen(QPen(theme.color("sunken"), theme.size("hairline")))
            painter.setBrush(theme.color(outcome_role(outcome)))
            painter.drawEllipse(QPointF(area.right(), _y(area, score)), theme.size("half"), theme.size("half"))

    def _paint_rule(self, painter: QPainter, frame: QRectF, area: QRectF, rule: Rule) -> None:
        high, low = _y(area, rule.threshold), _y(area, rule.unsure_low)
        shade = theme.color("unsure")
        shade.setAlphaF(_BAND)
        painter.fillRect(QRectF(frame.left(), high, frame.width(), low - high), shade)
        painter.setPen(QPen(theme.color("muted"), theme.size("hairline"), Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(frame.left(), high, frame.right(), high))


def _y(area: QRectF, score: float) -> float:
    share = (min(_HIGHEST, max(_LOWEST, score)) - _LOWEST) / (_HIGHEST - _LOWEST)
    return area.bottom() - share * area.height()
