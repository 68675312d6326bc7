"""The files that could not be used, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from facegui.gui.reveal import reveal
from facegui.gui.widgets.parts import button, column, label, row, tool_button
from facegui.lookalikes.scan import Skipped
from facegui.sources.files import shown_name

__all__ = ["SkippedPanel"]

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_FITTED = 300
"""More rows than this keep their height, because measuring each takes time."""


class _Files(QAbstractTableModel):
    """File and reason, one row each."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.files: tuple[Skipped, ...] = ()

    def show_files(self, files: Sequence[Skipped]) -> None:
        self.beginResetModel()
        self.files = tuple(files)
        self.endResetModel()

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.files)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("File"), self.tr("Why it was skipped"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        file = self.files[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return shown_name(file.path) if index.column() == 0 else file.reason
        if role == Qt.ItemDataRole.ToolTipRole:
            return file.path if index.column() == 0 else file.reason
        return None


class SkippedPanel(QWidget):
    """A table of the files; Enter or a double click shows one in its folder, Esc goes back.

    Signals
    -------
    left
        The user wants to go back.
    retryWanted
        The files are to be tried again.
    """

    left = Signal()
    retryWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heading = label("", "heading")
        self._files = _Files(self)
        self.table = QTableView()
        self.table.setModel(self._files)
        self.table.setAccessibleName(self.tr("Files skipped"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(True)
        self.table.verticalHeader().hide()
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.activated.connect(lambda index: reveal(Path(self._files.files[index.row()].path)))
        layout = column(gap="unit")
        layout.addLayout(
            row(
                tool_button("chevron-left", self.tr("Back (Esc)"), self.left.emit), self._heading, None,
                button(self.tr("Try again"), self.retryWanted.emit, icon="refresh"),
            )
        )  # fmt: skip
        layout.addWidget(label(self.tr("All other photos of the folder were read."), "muted"))
        layout.addWidget(self.table, 1)
        self.setLayout(layout)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.left)

    def show_files(self, files: Sequence[Skipped]) -> None:
        """Show these files."""
        self._heading.setText(
            self.tr("1 file skipped") if len(files) == 1 else self.tr("{0} files skipped").format(f"{len(files):,}")
        )
        self._files.show_files(files)
        if len(files) <= _FITTED:
            self.table.resizeRowsToContents()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
