"""A view of equal tiles in lines, laid out by arithmetic: a hundred thousand of them cost no more than those seen."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyleOptionViewItem, QWidget

__all__ = ["TileView"]

Index = QModelIndex | QPersistentModelIndex
_STEPS: Final = 3
"""Turns of the wheel that pass one line of tiles."""


class TileView(QListView):
    """Shows a list in lines of equal tiles; a band may part the tiles before a row from those from it on.

    `QListView` keeps a place for every item, which takes a third of a second for 100,000 at each change. This one
    computes places when they are asked for, and takes from `QListView` only what a list means to a screen reader.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tile = self._cell = QSize(1, 1)
        self._break = -1
        self._band = 0
        self._hovered = -1
        self._top = 0
        self._beside = 0
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def set_cell(self, tile: QSize, gap: QSize) -> None:
        """Give the tiles their size, and the room between them."""
        self._tile, self._cell = tile, tile + gap
        self.updateGeometries()
        self.viewport().update()

    def set_break(self, row: int, height: int) -> None:
        """Leave a band of `height` pixels before `row`, which begins a new line; -1 for no band."""
        if (row, height) == (self._break, self._band):
            return
        self._break, self._band = row, height
        self.updateGeometries()
        self.viewport().update()

    @property
    def columns(self) -> int:
        """Tiles in a line."""
        return max(1, self._room() // self._cell.width())

    @property
    def hovered(self) -> int:
        """Row under the pointer; -1 for none."""
        return self._hovered

    def band_rect(self) -> QRect:
        """Return where the band is, in the viewport; an empty one where there is none."""
        if self._break < 0:
            return QRect()
        top = self._lines_before() * self._cell.height() - self.verticalOffset()
        return QRect(0, top, self._room(), self._band)

    def row_rect(self, row: int) -> QRect:
        """Return where a row's tile is, in the viewport."""
        place = self._place(row)
        return QRect(QPoint(place.x(), place.y() - self.verticalOffset()), self._tile)

    def place_row(self, row: int, top: int) -> None:
        """Scroll so that a row's tile lies at this height of the viewport, as far as the content reaches."""
        self.verticalScrollBar().setValue(self._place(row).y() - top)

    def _place(self, row: int) -> QPoint:
        columns = self.columns
        line, column = divmod(row, columns)
        top = 0
        if 0 <= self._break <= row:
            line, column = divmod(row - self._break, columns)
            line += self._lines_before()
            top = self._band
        return QPoint(column * (self._room() // columns), top + line * self._cell.height())

    def rows_in(self, area: QRect) -> list[int]:
        """Return the rows whose tiles touch a rectangle of the viewport, rising."""
        height, columns = self._cell.height(), self.columns
        first = (area.top() + self.verticalOffset() - self._band) // height - 1
        last = (area.bottom() + self.verticalOffset()) // height + 1
        before = self._lines_before() if self._break >= 0 else None
        found = []
        for line in range(max(0, first), last + 1):
            start = line * columns
            stop = start + columns
            if before is not None and line < before:
                stop = min(stop, self._break)
            elif before is not None:
                start = self._break + (line - before) * columns
                stop = start + columns
            found += [row for row in range(start, min(stop, self._count())) if self.row_rect(row).intersects(area)]
        return found

    def _room(self) -> int:
        """Return the width for tiles; the scroll bar has its place even while it is hidden, so that nothing jumps."""
        return self.width() - self._beside

    def _count(self) -> int:
        model = self.model()
        return model.rowCount(self.rootIndex()) if model is not None else 0

    def _lines_before(self) -> int:
        return -(-max(0, self._break) // self.columns)

    def _content_height(self) -> int:
        count = self._count()
        if self._break < 0:
            return -(-count // self.columns) * self._cell.height()
        lines = self._lines_before() + -(-max(0, count - self._break) // self.columns)
        return lines * self._cell.height() + self._band

    # --- what every item view answers ---------------------------------------------------------------------

    def doItemsLayout(self) -> None:
        """There is nothing to lay out but the range of the scroll bar."""
        self.updateGeometries()
        self.viewport().update()

    def updateGeometries(self) -> None:
        bar = self.verticalScrollBar()
        height = self.viewport().height()
        self._beside = 2 * self.frameWidth() + bar.sizeHint().width()
        bar.setSingleStep(max(1, self._cell.height() // _STEPS))
        bar.setPageStep(max(1, height))
        bar.setRange(0, max(0, self._content_height() - height))

    def visualRect(self, index: Index) -> QRect:
        return self.row_rect(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        rows = self.rows_in(QRect(point, QSize(1, 1)))
        return self.model().index(rows[0], 0) if rows else QModelIndex()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, _index: Index) -> bool:
        return False

    def scrollContentsBy(self, _dx: int, dy: int) -> None:
        self.viewport().scroll(0, dy)
        shown = self.rows_in(QRect(0, 0, self.viewport().width(), 1)) if self.verticalOffset() else []
        self._top = shown[0] if shown else 0
        self.point_at(self.viewport().mapFromGlobal(self.cursor().pos()) if self.viewport().underMouse() else None)

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        if not index.isValid():
            return
        area, bar, height = self.visualRect(index), self.verticalScrollBar(), self.viewport().height()
        place, kinds = bar.value(), QAbstractItemView.ScrollHint
        if hint == kinds.PositionAtTop or (hint == kinds.EnsureVisible and area.top() < 0):
            bar.setValue(place + area.top())
        elif hint == kinds.PositionAtBottom or (hint == kinds.EnsureVisible and area.bottom() >= height):
            bar.setValue(place + min(area.top(), area.bottom() + 1 - height))
        elif hint == kinds.PositionAtCenter:
            bar.setValue(place + area.center().y() - height // 2)

    def moveCursor(self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier) -> QModelIndex:
        count, row = self._count(), self.currentIndex().row()
        if not count:
            return QModelIndex()
        if row < 0:
            return self.model().index(0, 0)
        actions = QAbstractItemView.CursorAction
        page = max(1, self.viewport().height() // self._cell.height())
        if action in (actions.MoveLeft, actions.MovePrevious):
            row = max(0, row - 1)
        elif action in (actions.MoveRight, actions.MoveNext):
            row = min(count - 1, row + 1)
        elif action == actions.MoveHome:
            row = 0
        elif action == actions.MoveEnd:
            row = count - 1
        else:
            lines = {actions.MoveUp: -1, actions.MoveDown: 1, actions.MovePageUp: -page}.get(action, page)
            row = self._lines_away(row, lines)
        return self.model().index(row, 0)

    def _lines_away(self, row: int, lines: int) -> int:
        """Return the row so many lines below, in the same column where there is one."""
        columns, count = self.columns, self._count()
        split = self._break if self._break >= 0 else count
        # Numbered as if the line before the band were full.
        gap = -split % columns
        place = row if row < split else row + gap
        last = count - 1 if count <= split else count - 1 + gap
        wanted = place + lines * columns
        if not 0 <= wanted <= last:
            line = last // columns if lines > 0 else 0
            wanted = line * columns + place % columns
            if line == place // columns:
                return row
        wanted = min(wanted, last)
        if split <= wanted < split + gap:
            return split - 1
        return wanted if wanted < split else wanted - gap

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        selection = QItemSelection()
        model = self.model()
        rows = self.rows_in(rect.normalized())
        start = previous = rows[0] if rows else -1
        for row in [*rows[1:], -1] if rows else []:
            if row != previous + 1:
                selection.select(model.index(start, 0), model.index(previous, 0))
                start = row
            previous = row
        self.selectionModel().select(selection, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        shown = self.viewport().rect()
        region = QRegion()
        for row in self.rows_in(shown):
            if selection.contains(self.model().index(row, 0)):
                region += self.row_rect(row)
        return region

    # --- events -------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        model, delegate = self.model(), self.itemDelegate()
        current, focused = self.currentIndex().row(), self.hasFocus()
        chosen = self.selectionModel()
        flags = QStyle.StateFlag
        for row in self.rows_in(event.rect()):
            index = model.index(row, 0)
            option = QStyleOptionViewItem()
            self.initViewItemOption(option)
            option.rect = self.row_rect(row)
            state = option.state & ~(flags.State_Selected | flags.State_MouseOver | flags.State_HasFocus)
            if chosen.isSelected(index):
                state |= flags.State_Selected
            if row == self._hovered:
                state |= flags.State_MouseOver
            if focused and row == current:
                state |= flags.State_HasFocus
            option.state = state
            delegate.paint(painter, option, index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the tile at the top in view when the number of columns changes."""
        QAbstractItemView.resizeEvent(self, event)  # QListView would lay everything out anew
        top = self._top
        self.updateGeometries()
        if event.oldSize().width() != event.size().width() and top:
            self.place_row(top, 0)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.point_at(event.position().toPoint())
        super().mouseMoveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Leave, QEvent.Type.HoverLeave):
            self.point_at(None)
        return super().viewportEvent(event)

    def reset(self) -> None:
        super().reset()
        self._hovered = -1

    def point_at(self, point: QPoint | None) -> None:
        """Show the tile at a place as the one pointed at; None for none."""
        row = self.indexAt(point).row() if point is not None else -1
        if row != self._hovered:
            for one in (self._hovered, row):
                if one >= 0:
                    self.viewport().update(self.row_rect(one))
            self._hovered = row
