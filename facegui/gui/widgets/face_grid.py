"""A grid of faces that stays fast with a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QItemSelection,
    QLineF,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from facegui.gui import theme
from facegui.gui.item_models import ROW_ROLE, FaceListModel, FaceRow, Rows
from facegui.gui.thumbnails import Thumbnails
from facegui.matching.wording import format_similarity

__all__ = ["FaceGrid"]

_ABOVE: Final = 1


class _Tile(QStyledItemDelegate):
    """Paints one tile: crop, score, title."""

    def __init__(self, thumbnails: Thumbnails, side: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._side = side

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        lines = theme.line_height("body") + theme.line_height("small")
        return QSize(self._side + 2 * theme.size("unit"), self._side + 3 * theme.size("unit") + lines)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: FaceRow = index.data(ROW_ROLE)
        unit, radius = theme.size("unit"), theme.size("radius")
        state = option.state
        area = QRectF(option.rect).adjusted(2, 2, -2, -2)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft" if chosen else "hover"))
            painter.drawRoundedRect(area, radius, radius)
        if focused or chosen:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), theme.size("focus") if focused else theme.size("hairline")))
            painter.drawRoundedRect(area, radius, radius)
        face = QRectF(area.left() + unit - 2, area.top() + unit - 2, self._side, self._side)
        path = QPainterPath()
        path.addRoundedRect(face, radius, radius)
        picture = self._thumbnails.get(row.key)
        painter.fillPath(path, theme.color("sunken"))
        if picture is not None:
            painter.setClipPath(path)
            painter.drawPixmap(face, picture, QRectF(picture.rect()))
            painter.setClipping(False)
        painter.setPen(theme.color("text"))
        painter.setFont(theme.font("body", bold=row.similarity is not None, tabular=True))
        lines = QRect(round(face.left()), round(face.bottom()) + unit // 2, self._side, theme.line_height("body"))
        first = format_similarity(row.similarity) if row.similarity is not None else row.title
        second = row.title if row.similarity is not None else row.detail
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        elide = Qt.TextElideMode.ElideMiddle
        painter.drawText(lines, flags, painter.fontMetrics().elidedText(first, elide, self._side))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("muted"))
        lines.translate(0, lines.height())
        painter.drawText(lines, flags, painter.fontMetrics().elidedText(second, elide, self._side))
        painter.restore()


class FaceGrid(QListView):
    """Faces in rows. Arrows move, Enter or a double click opens, the menu key opens the menu.

    Signals
    -------
    currentMoved(int)
        Another row is the current one; -1 for none.
    opened(int)
        Double click or Enter.
    menuRequested(int, QPoint)
        Right click or menu key, with the place on the screen.
    selectionMoved(list)
        Numbers of the selected rows.
    """

    currentMoved = Signal(int)
    opened = Signal(int)
    menuRequested = Signal(int, QPoint)
    selectionMoved = Signal(list)

    def __init__(
        self, thumbnails: Thumbnails, parent: QWidget | None = None, *, side: int = 0, name: str = "",
        multiple: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        side = side or theme.size("crop")
        self._rows = FaceListModel(self)
        self._threshold: float | None = None
        self._above = 0
        self.setModel(self._rows)
        tile = _Tile(thumbnails, side, self)
        self.setItemDelegate(tile)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.SinglePass)
        self.setGridSize(
            tile.sizeHint(QStyleOptionViewItem(), QModelIndex()) + QSize(theme.size("half"), theme.size("unit"))
        )
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if multiple else mode.SingleSelection)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(name or self.tr("Faces"))
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))
        self.customContextMenuRequested.connect(self._ask_menu)
        thumbnails.loaded.connect(self.viewport().update)

    def set_rows(self, rows: Rows | Sequence[FaceRow]) -> None:
        """Show other rows from the top."""
        self._rows.set_rows(rows)
        self._count_above()
        self.scrollToTop()
        self.currentMoved.emit(-1)

    def replace_rows(self, rows: Rows | Sequence[FaceRow], moved_to: int = -1) -> None:
        """Show other rows and keep the place; `moved_to` is where the current row lies now, -1 if unknown."""
        bar = self.verticalScrollBar()
        place, current = bar.value(), self.currentIndex()
        top = self.visualRect(current).top() if current.isValid() else 0
        self._rows.set_rows(rows)
        self._count_above()
        self.doItemsLayout()
        bar.setValue(place)
        if moved_to >= 0:
            index = self._rows.index(moved_to)
            self.setCurrentIndex(index)
            bar.setValue(bar.value() + self.visualRect(index).top() - top)

    def set_threshold(self, threshold: float | None) -> None:
        """Draw a line between the rows at or above a similarity and those below; rows fall in similarity."""
        self._threshold = threshold
        self._count_above()
        self.viewport().update()

    @property
    def above(self) -> int:
        """How many rows lie at or above the threshold."""
        return self._above

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._rows.rowCount()

    @property
    def current_row(self) -> FaceRow | None:
        """The current row."""
        return self._rows.row(self.currentIndex().row()) if self.currentIndex().isValid() else None

    def row(self, index: int) -> FaceRow | None:
        """Return a row by its number."""
        return self._rows.row(index)

    def selected_rows(self) -> list[int]:
        """Return the numbers of the selected rows, rising."""
        return sorted(index.row() for index in self.selectedIndexes())

    def select_row(self, index: int) -> None:
        """Make a row the current one and show it."""
        self.setCurrentIndex(self._rows.index(index))

    def _count_above(self) -> None:
        """Search by halves: 17 looks for 100,000 rows."""
        low, high = 0, self._rows.rowCount()
        if self._threshold is None:
            high = 0
        while low < high:
            middle = (low + high) // 2
            row = self._rows.row(middle)
            if row is not None and row.similarity is not None and row.similarity >= (self._threshold or 0.0):
                low = middle + _ABOVE
            else:
                high = middle
        self._above = low

    def _ask_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if not index.isValid():
            index = self.currentIndex()
        if index.isValid():
            self.menuRequested.emit(index.row(), self.viewport().mapToGlobal(place))

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().currentChanged(current, previous)
        self.currentMoved.emit(current.row())

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self.selectionMoved.emit(self.selected_rows())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        count = self._rows.rowCount()
        if self._threshold is None or not 0 < self._above < count:
            return
        last = QRectF(self.visualRect(self._rows.index(self._above - 1)))
        first = QRectF(self.visualRect(self._rows.index(self._above)))
        gap = theme.size("half")
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
        width = self.viewport().width()
        low = last.bottom() + gap
        if first.top() > last.top():
            painter.drawLine(QLineF(0, low, width, low))
            return
        # The threshold falls inside a row: the line steps up between its last match and the next face.
        x, high = (last.right() + first.left()) / 2, first.top() - gap
        path = QPainterPath()
        path.moveTo(0, low)
        path.lineTo(x, low)
        path.lineTo(x, high)
        path.lineTo(width, high)
        painter.drawPath(path)
