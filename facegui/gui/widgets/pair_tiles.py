"""Pairs of photos as tiles that wrap: two pictures beside each other, a score below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from facegui.gui import theme
from facegui.gui.thumbnails import Thumbnails

__all__ = ["PairTile", "PairTiles"]


@dataclass(frozen=True, slots=True)
class PairTile:
    """A pair: keys of its pictures, what stands below, and what the tip says."""

    left: int
    right: int
    text: str
    tip: str


class PairTiles(QWidget):
    """Paints pairs in as many columns as fit.

    Signals
    -------
    chosen(int)
        Number of a pair: a click, or Enter on the one that the arrow keys went to.
    """

    chosen = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._tiles: tuple[PairTile, ...] = ()
        self._at = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        thumbnails.loaded.connect(self.update)
        theme.manager().changed.connect(self.update)

    @property
    def tiles(self) -> tuple[PairTile, ...]:
        """What is shown."""
        return self._tiles

    def show_pairs(self, tiles: Sequence[PairTile]) -> None:
        """Show these pairs."""
        self._tiles, self._at = tuple(tiles), 0
        self.setAccessibleDescription("; ".join(f"{tile.text}: {tile.tip}" for tile in self._tiles))
        self._fit()
        self.update()

    def _side(self) -> float:
        return 0.6 * theme.size("tile")

    def _tile_size(self) -> tuple[float, float]:
        unit = theme.size("unit")
        return 2 * self._side() + 1.5 * unit, self._side() + theme.line_height("small") + 1.5 * unit

    def _columns(self, width: int) -> int:
        return max(1, int(width // self._tile_size()[0]))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(-(-len(self._tiles) // self._columns(width)) * self._tile_size()[1])

    def sizeHint(self) -> QSize:
        return QSize(round(self._tile_size()[0]), self.heightForWidth(self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(self.heightForWidth(self.width()))

    def _box(self, number: int) -> QRectF:
        wide, high = self._tile_size()
        columns = self._columns(self.width())
        return QRectF(number % columns * wide, number // columns * high, wide, high)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        side, gap = self._side(), float(theme.size("hairline"))
        painter.setFont(theme.font("small", tabular=True))
        for number, tile in enumerate(self._tiles):
            box = self._box(number)
            if not box.intersects(QRectF(event.rect())):
                continue
            for place, key in enumerate((tile.left, tile.right)):
                inside = QRectF(box.left() + place * (side + gap), box.top(), side, side)
                _paint_picture(painter, inside, self._thumbnails.get(key))
            painter.setPen(theme.color("text"))
            below = QRectF(
                box.left(), box.top() + side, 2 * side + gap, theme.line_height("small") + theme.size("half")
            )
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, tile.text)
            if self.hasFocus() and number == self._at:
                painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(box.left() + 1, box.top() + 1, 2 * side + gap - 2, side - 2))

    def _number_at(self, place: QPointF) -> int | None:
        return next((number for number in range(len(self._tiles)) if self._box(number).contains(place)), None)

    def event(self, event: QEvent) -> bool:
        """Name the photos of the pair under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            number = self._number_at(event.pos().toPointF())
            if number is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self._tiles[number].tip, self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._number_at(event.position())
        if number is not None:
            self._at = number
            self.chosen.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, columns = Qt.Key(event.key()), self._columns(self.width())
        step = {
            Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: columns, Qt.Key.Key_Up: -columns,
        }.get(key)  # fmt: skip
        if step is not None and 0 <= self._at + step < len(self._tiles):
            self._at += step
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._tiles:
            self.chosen.emit(self._at)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()


def _paint_picture(painter: QPainter, area: QRectF, picture: QPixmap | None) -> None:
    """Paint the middle of a picture, or an empty place."""
    painter.fillRect(area, theme.color("sunken"))
    if picture is not None:
        short = min(picture.width(), picture.height())
        middle = QRectF((picture.width() - short) / 2, (picture.height() - short) / 2, short, short)
        painter.drawPixmap(area, picture, middle)
    painter.setPen(QPen(theme.color("border"), theme.size("hairline")))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(area)
