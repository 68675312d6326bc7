"""The bar of the score scale: its zones and the marker, for the scale itself and for the tiles of lists."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from facegui.gui import theme
from facegui.gui.widgets.decision_badge import outcome_role
from facegui.matching.decision import Outcome, Rule, decide

__all__ = ["paint_bar", "to_x"]

# How strongly a zone of the bar is coloured: at rest, the unsure band at rest, and the one that the score is in.
_ZONE: Final = 0.2
_BAND: Final = 0.4
_ACTIVE_ZONE: Final = 0.6


def to_x(area: QRectF, similarity: float) -> float:
    """Return where a similarity lies across the bar."""
    return area.left() + (min(1.0, max(-1.0, similarity)) + 1.0) / 2.0 * area.width()


def paint_bar(painter: QPainter, area: QRectF, rule: Rule | None, similarity: float | None) -> None:
    """Draw the bar with its zones and the marker; for the scale itself and for the tiles of lists."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outcome = decide(similarity, rule) if similarity is not None and rule is not None else None
    corner = area.height() / 2
    clip = QPainterPath()
    clip.addRoundedRect(area, corner, corner)
    painter.setClipPath(clip)
    painter.fillRect(area, theme.color("sunken"))
    if rule is not None:
        low, high = to_x(area, rule.unsure_low), to_x(area, rule.threshold)
        zones = (
            (Outcome.NO_MATCH, area.left(), low), (Outcome.UNSURE, low, high), (Outcome.MATCH, high, area.right()),
        )  # fmt: skip
        for zone, left, right in zones:
            shade = theme.color(outcome_role(zone))
            quiet = _BAND if zone is Outcome.UNSURE else _ZONE
            shade.setAlphaF(_ACTIVE_ZONE if zone is outcome else quiet)
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), shade)
    painter.setClipping(False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("border"), theme.size("hairline")))
    painter.drawRoundedRect(area, corner, corner)
    if similarity is not None and similarity == similarity:
        radius = theme.size("marker") if area.height() >= theme.size("unit") else theme.size("half") + 1
        center = QPointF(to_x(area, similarity), area.center().y())
        painter.setPen(QPen(theme.color("panel"), theme.size("focus")))
        painter.setBrush(theme.color(outcome_role(outcome)) if outcome else theme.color("text"))
        painter.drawEllipse(center, radius + 1, radius + 1)
    painter.restore()
