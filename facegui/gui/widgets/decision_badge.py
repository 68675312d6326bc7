"""A decision as shape, word and colour together."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme
from facegui.matching.decision import Outcome

__all__ = ["DecisionBadge", "draw_badge", "outcome_role", "outcome_word"]

_ROLES: Final = {Outcome.MATCH: "match", Outcome.UNSURE: "unsure", Outcome.NO_MATCH: "no_match"}
_ICONS: Final = {Outcome.MATCH: "check", Outcome.UNSURE: "question", Outcome.NO_MATCH: "cross"}
_SIGN_SHARE: Final = 0.62
_CORNER_SHARE: Final = 0.22


def outcome_role(outcome: Outcome | None) -> str:
    """Return the colour role of a decision; the border's when there is none."""
    return _ROLES[outcome] if outcome is not None else "border_strong"


def outcome_word(outcome: Outcome | None) -> str:
    """Return the word of a decision in the user's language; empty when there is none."""
    if outcome is None:
        return ""
    translate = QCoreApplication.translate
    return {
        Outcome.MATCH: translate("Decision", "Match"),
        Outcome.UNSURE: translate("Decision", "Unsure"),
        Outcome.NO_MATCH: translate("Decision", "No match"),
    }[outcome]


def _shape(area: QRectF, outcome: Outcome) -> QPainterPath:
    """A disc for a match, a square for no match, a diamond for unsure: told apart without colour."""
    path = QPainterPath()
    if outcome is Outcome.MATCH:
        path.addEllipse(area)
    elif outcome is Outcome.NO_MATCH:
        inset = area.width() * _CORNER_SHARE / 4
        corner = area.width() * _CORNER_SHARE
        path.addRoundedRect(area.adjusted(inset, inset, -inset, -inset), corner, corner)
    else:
        middle = area.center()
        path.addPolygon(QPolygonF([
            QPointF(middle.x(), area.top()), QPointF(area.right(), middle.y()),
            QPointF(middle.x(), area.bottom()), QPointF(area.left(), middle.y()),
        ]))  # fmt: skip
        path.closeSubpath()
    return path


def draw_badge(painter: QPainter, area: QRectF, outcome: Outcome) -> None:
    """Draw the shape and the sign of a decision into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(_ROLES[outcome]))
    painter.drawPath(_shape(area, outcome))
    share = _SIGN_SHARE * (0.85 if outcome is Outcome.UNSURE else 1.0)
    length = area.width() * share
    device = painter.device()
    ratio = device.devicePixelRatio() if device is not None else 1.0
    sign = theme.pixmap(_ICONS[outcome], "on_decision", round(length), ratio)
    middle = area.center()
    painter.drawPixmap(
        QRectF(middle.x() - length / 2, middle.y() - length / 2, length, length), sign, QRectF(sign.rect())
    )
    painter.restore()


class DecisionBadge(QWidget):
    """Shape and word side by side; keeps its place while there is no decision."""

    def __init__(self, parent: QWidget | None = None, *, kind: str = "title") -> None:
        super().__init__(parent)
        self._outcome: Outcome | None = None
        self._kind = kind
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Show a decision, or nothing."""
        self._outcome = outcome
        self.setAccessibleName(outcome_word(outcome))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        from PySide6.QtGui import QFontMetrics

        metrics = QFontMetrics(theme.font(self._kind, bold=True))
        widest = max(metrics.horizontalAdvance(outcome_word(outcome)) for outcome in Outcome)
        return QSize(theme.size("badge") + theme.size("unit") + widest, max(theme.size("badge"), metrics.height()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._outcome is None:
            return
        painter = QPainter(self)
        length = theme.size("badge")
        top = (self.height() - length) / 2
        draw_badge(painter, QRectF(0, top, length, length), self._outcome)
        painter.setFont(theme.font(self._kind, bold=True))
        painter.setPen(theme.color(_ROLES[self._outcome]))
        area = self.rect().adjusted(length + theme.size("unit"), 0, 0, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, outcome_word(self._outcome))
