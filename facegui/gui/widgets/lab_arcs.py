"""Angles between pictures, drawn on the sphere of the margin lab as arcs with their cosines."""

from __future__ import annotations

from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from facegui.gui import theme
from facegui.matching.wording import format_similarity

__all__ = ["paint_arc", "telling_pairs"]

Pair = tuple[int, int]

_PIECES: Final = 32
# Shares of a class that lie nearer to the centre than the pictures chosen.
_NEAR: Final = 0.5
_FAR: Final = 0.9


def telling_pairs(
    points: NDArray[np.float32], labels: NDArray[np.int64], centres: NDArray[np.float32], turn: NDArray[np.float64]
) -> tuple[Pair, ...]:
    """Choose a pair of one class and a pair of two classes that stand in front.

    Parameters
    ----------
    points : array of float32, shape (N, 3)
    labels : array of int64, shape (N,)
    centres : array of float32, shape (n, 3)
    turn : array of float64, shape (3, 3)

    Returns
    -------
    tuple of (int, int)
        Numbers of two points each; both pairs begin with the same one. None where a class has no two points in front.
    """
    depth = points @ turn[2]
    cosine = points @ centres.T
    found = []
    for k in np.argsort(-(centres @ turn[2])).tolist():
        mine = np.flatnonzero((labels == k) & (cosine.argmax(axis=1) == k) & (depth > 0))
        if len(mine) > 1:
            found.append(mine[np.argsort(-cosine[mine, k])])
    if len(found) < 2:
        return ()
    first, second, other = _at(found[0], _NEAR), _at(found[0], _FAR), _at(found[1], _FAR)
    return ((first, second), (first, other)) if first != second else ()


def _at(ordered: NDArray[np.int64], part: float) -> int:
    return int(ordered[min(len(ordered) - 1, int(part * len(ordered)))])


def paint_arc(painter: QPainter, ball: QRectF, start: NDArray[np.floating], end: NDArray[np.floating]) -> None:
    """Draw the way from one point to another over the front of the sphere, and its cosine.

    Parameters
    ----------
    ball : QRectF
    start, end : array of float, shape (3,)
        Unit vectors as the eye sees them, z towards it.
    """
    cosine = float(np.clip(start @ end, -1.0, 1.0))
    angle = float(np.arccos(cosine))
    share = np.linspace(0, 1, _PIECES + 1)[:, None]
    if angle > 1e-4 and isfinite(1 / np.sin(angle)):
        way = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
    else:
        way = np.broadcast_to(start, (_PIECES + 1, 3))
    radius = ball.width() / 2
    places = [QPointF(ball.center().x() + radius * x, ball.center().y() - radius * y) for x, y, _ in way.tolist()]
    front = way[:, 2] > 0
    if not front.any():
        return
    path, pen_down = QPainterPath(), False
    for place, seen in zip(places, front.tolist(), strict=True):
        if seen and pen_down:
            path.lineTo(place)
        elif seen:
            path.moveTo(place)
        pen_down = seen
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ring = 1.6 * theme.size("point")
    # A pale edge keeps the line apart from whatever it crosses.
    for role, width in (("raised", 3.0 * theme.size("focus")), ("text", float(theme.size("focus")))):
        painter.setPen(QPen(theme.color(role), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(path)
        for place, seen in ((places[0], front[0]), (places[-1], front[-1])):
            if seen:
                painter.drawEllipse(place, ring, ring)
    _paint_words(painter, ball, path, format_similarity(cosine))


def _paint_words(painter: QPainter, ball: QRectF, path: QPainterPath, words: str) -> None:
    """Write the cosine beside the middle of the way, to the side that is nearer to the rim."""
    font = theme.font("small", bold=True, tabular=True)
    metrics = QFontMetricsF(font)
    unit = float(theme.size("unit"))
    box = QRectF(0, 0, metrics.horizontalAdvance(words) + unit, metrics.height())
    bounds = path.boundingRect()
    middle = path.pointAtPercent(0.5)
    if bounds.width() > 2 * box.width():
        box.moveCenter(middle)
    else:
        left = middle.x() < ball.center().x()
        box.moveCenter(QPointF(bounds.left() - box.width() if left else bounds.right() + box.width(), middle.y()))
    back = QColor(theme.color("raised"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(back)
    painter.drawRoundedRect(box, theme.size("half"), theme.size("half"))
    painter.setPen(theme.color("text"))
    painter.setFont(font)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
