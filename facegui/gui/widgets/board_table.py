"""The table of a similarity board: each face and, beside it, those that look most like it."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from facegui.gui import theme
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.decision_badge import draw_badge, outcome_role, outcome_word
from facegui.lookalikes.board import Board
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_similarity

__all__ = ["BoardTable"]

_CELL_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1
Index = QModelIndex | QPersistentModelIndex


class _Model(QAbstractTableModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.board: Board | None = None
        self.rule: Rule | None = None

    def show(self, board: Board | None, rule: Rule | None) -> None:
        self.beginResetModel()
        self.board, self.rule = board, rule
        self.endResetModel()

    def pair(self, index: Index) -> tuple[int, int]:
        """Return the rows of the board that a cell is about; twice the same in the first column."""
        if self.board is None:
            return -1, -1
        row, column = index.row(), index.column()
        return row, row if column == 0 else self.board.nearest[row][column - 1].row

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self.board is None else len(self.board.items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self.board is None else 1 + len(self.board.nearest[0])

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        if section < 2:
            return self.tr("Most similar") if section else self.tr("Face")
        return self.tr("{0}.").format(section)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.board is None or not index.isValid():
            return None
        row, other = self.pair(index)
        item = self.board.items[other]
        similarity = float(self.board.similarities[row, other]) if index.column() else None
        if role == _CELL_ROLE:
            return item, similarity
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.path or item.name
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            if similarity is None:
                return item.name
            outcome = outcome_word(decide(similarity, self.rule)) if self.rule is not None else ""
            return ", ".join(part for part in (item.name, format_similarity(similarity), outcome) if part)
        return None


class _Cell(QStyledItemDelegate):
    def __init__(self, thumbnails: Thumbnails, model: _Model, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails, self._model = thumbnails, model

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(2 * theme.size("tile"), theme.size("drawing") + 2 * theme.size("unit"))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        found = index.data(_CELL_ROLE)
        if found is None:
            return
        item, similarity = found
        unit, side = theme.size("unit"), theme.size("drawing")
        area = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, theme.color("accent_soft"))
        face = QRectF(area.left() + unit, area.top() + unit, side, side)
        path = QPainterPath()
        path.addRoundedRect(face, theme.size("radius"), theme.size("radius"))
        painter.fillPath(path, theme.color("sunken"))
        picture = self._thumbnails.get(item.face_id)
        if picture is not None:
            painter.setClipPath(path)
            painter.drawPixmap(face, picture, QRectF(picture.rect()))
            painter.setClipping(False)
        left = round(face.right()) + unit
        width = area.right() - left - unit
        line = theme.line_height("emphasis")
        lines: list[tuple[str, str, str, bool]] = []
        if similarity is not None:
            outcome = decide(similarity, self._model.rule) if self._model.rule is not None else None
            role = outcome_role(outcome) if outcome is not None else "text"
            lines.append((format_similarity(similarity), "emphasis", role, True))
        lines.append((item.name, "body", "text", similarity is None))
        if item.person and item.person != item.name:
            lines.append((item.person, "small", "muted", False))
        top = round(face.center().y() - line * len(lines) / 2)
        for number, (words, kind, role, bold) in enumerate(lines):
            painter.setFont(theme.font(kind, bold=bold, tabular=True))
            painter.setPen(theme.color(role))
            place = QRect(left, top + number * line, width, line)
            shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, width)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
            if number == 0 and similarity is not None and self._model.rule is not None:
                beside = left + painter.fontMetrics().horizontalAdvance(shown) + unit
                badge = theme.size("small_icon")
                square = QRectF(beside, place.center().y() - badge / 2 + 1, badge, badge)
                draw_badge(painter, square, decide(similarity, self._model.rule))
        painter.restore()


class BoardTable(QTableView):
    """Rows of faces.

    Signals
    -------
    pairChosen(int, int)
        Rows of the board: a face and one that looks like it.
    """

    pairChosen = Signal(int, int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Model(self)
        self.setModel(self._model)
        self.setItemDelegate(_Cell(thumbnails, self._model, self))
        self.setShowGrid(False)
        self.setAccessibleName(self.tr("Each face and those that look most like it"))
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.size("drawing") + 2 * theme.size("unit"))
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        thumbnails.loaded.connect(self.viewport().update)

    def show_board(self, board: Board | None, rule: Rule | None) -> None:
        """Show a board."""
        self._model.show(board, rule)
        header = self.horizontalHeader()
        few = self._model.columnCount() <= 4
        header.setMinimumSectionSize(theme.size("tile") + 2 * theme.size("unit"))
        header.setDefaultSectionSize(theme.size("tile") + theme.size("drawing"))
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch if few else QHeaderView.ResizeMode.Interactive)

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        row, other = self._model.pair(current) if current.isValid() else (-1, -1)
        if row >= 0:
            self.pairChosen.emit(row, other)
