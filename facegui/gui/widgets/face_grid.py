"""A grid of faces that stays fast with a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QLineF,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from facegui.gui import theme
from facegui.gui.item_models import ROW_ROLE, FaceListModel, FaceRow, Rows
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.tile_view import TileView
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
        unit, half = theme.size("unit"), theme.size("half")
        return QSize(self._side + 2 * unit, self._side + 2 * unit + half + lines)

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


class FaceGrid(TileView):
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
        self._words: tuple[str, ...] = ()
        self.setModel(self._rows)
        tile = _Tile(thumbnails, side, self)
        self.setItemDelegate(tile)
        self.set_cell(
            tile.sizeHint(QStyleOptionViewItem(), QModelIndex()), QSize(theme.size("half"), theme.size("unit"))
        )
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if multiple else mode.SingleSelection)
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

    def replace_rows(
        self, rows: Rows | Sequence[FaceRow], moved_to: int = -1, anchor: tuple[int, int] | None = None
    ) -> None:
        """Show other rows and keep the place.

        Parameters
        ----------
        moved_to : int
            Where the current row lies now; -1 if it is gone or unknown: there is no current row then.
        anchor : tuple of int or None
            A row and where it lies now: its tile stays at its height. By default, the current row.
        """
        current = self.currentIndex().row()
        before, after = anchor or (current, moved_to)
        place = self.verticalScrollBar().value()
        top = self.row_rect(before).top() if before >= 0 else 0
        chosen = bool(self.selectedIndexes())
        with QSignalBlocker(self):
            self._rows.set_rows(rows)
            self._count_above()
            if moved_to >= 0:
                flags = QItemSelectionModel.SelectionFlag
                self.selectionModel().setCurrentIndex(
                    self._rows.index(moved_to), flags.ClearAndSelect if chosen else flags.NoUpdate
                )
        self.updateGeometries()
        if before >= 0 and after >= 0:
            self.place_row(after, top)
        else:
            self.verticalScrollBar().setValue(place)
        self.viewport().update()
        if current >= 0 > moved_to:
            self.currentMoved.emit(-1)

    def set_threshold(self, threshold: float | None) -> None:
        """Draw a line between the rows at or above a similarity and those below; rows fall in similarity."""
        self._threshold = threshold
        self._count_above()

    def set_band_words(self, *words: str) -> None:
        """Say on the line what lies above it and what below."""
        self._words = words
        self.setAccessibleDescription(", ".join(words))
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
        shown = self._threshold is not None and self._rows.rowCount() > 0
        self.set_break(low if shown else -1, theme.size("control") + theme.size("unit") if shown else 0)

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
        band = self.band_rect()
        if not band.intersects(event.rect()):
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, unit, edge = band.center().y(), theme.size("unit"), theme.size("half")
        painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
        painter.drawLine(QLineF(edge, middle, band.width() - unit, middle))
        painter.setFont(theme.font("small", bold=True))
        left = band.left() + 2 * unit
        for words in self._words:
            width = painter.fontMetrics().horizontalAdvance(words) + 2 * unit
            pill = QRectF(left, middle - theme.size("badge") / 2, width, theme.size("badge"))
            painter.setPen(QPen(theme.color("accent"), theme.size("hairline")))
            painter.setBrush(theme.color("accent_soft"))
            painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
            painter.setPen(theme.color("text"))
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, words)
            left += width + unit
