"""The chosen face on the clipboard: its file for a file manager, a picture of the comparison for everything else."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData, QRectF, Qt, QUrl
from PySide6.QtGui import QImage, QPainter

from facegui.gui import theme
from facegui.gui.widgets.decision_badge import outcome_role, outcome_word
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_similarity

__all__ = ["Side", "clipping", "comparison_picture"]

Side = tuple[QImage | None, str]
"""An aligned crop and the name below it."""

_SHARPER = 2
"""Pixels of the picture per pixel of the window."""


def comparison_picture(sides: tuple[Side, Side], similarity: float, rule: Rule | None) -> QImage:
    """Paint both faces side by side with their names, the similarity, the decision and its threshold."""
    unit, side = theme.size("unit"), theme.size("tile")
    line = theme.line_height("body") + theme.size("half")
    width, height = 2 * side + 3 * unit, side + 3 * unit + 3 * line
    picture = QImage(width * _SHARPER, height * _SHARPER, QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(_SHARPER)
    picture.fill(theme.color("panel"))
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    for number, (crop, name) in enumerate(sides):
        area = QRectF(unit + number * (side + unit), unit, side, side)
        painter.fillRect(area, theme.color("sunken"))
        if crop is not None:
            painter.drawImage(area, crop)
        _write(painter, QRectF(area.left(), area.bottom(), side, line), name, "body", "muted")
    outcome = decide(similarity, rule) if rule is not None else None
    words = f"{format_similarity(similarity)}  {outcome_word(outcome)}".strip()
    below = QRectF(unit, side + 2 * unit + line, width - 2 * unit, line)
    _write(painter, below, words, "emphasis", outcome_role(outcome) if outcome is not None else "text", bold=True)
    if rule is not None:
        said = QCoreApplication.translate("Comparison", "Match from {0}").format(format_similarity(rule.threshold))
        _write(painter, below.translated(0, line), said, "small", "muted")
    painter.end()
    return picture


def _write(painter: QPainter, area: QRectF, words: str, kind: str, role: str, *, bold: bool = False) -> None:
    painter.setFont(theme.font(kind, bold=bold, tabular=True))
    painter.setPen(theme.color(role))
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, int(area.width()))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, shown)


def clipping(file: Path, picture: QImage) -> QMimeData:
    """Return what goes on the clipboard: a file manager takes the file, an editor its path, the rest the picture."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    data.setText(str(file))
    data.setImageData(picture)
    return data
