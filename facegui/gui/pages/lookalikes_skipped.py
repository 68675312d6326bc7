"""The files that could not be used, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from facegui.gui import theme
from facegui.gui.reveal import reveal
from facegui.gui.widgets.parts import button, label
from facegui.gui.widgets.titled_panel import TitledPanel
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


class SkippedPanel(TitledPanel):
    """A table of the files; Enter or a double click shows one in its folder, Esc goes back.

    Signals
    -------
    retryWanted
        The files are to be tried again.
    """

    retryWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._files = _Files(self)
        self.table = QTableView()
        self.table.setModel(self._files)
        self.table.setAccessibleName(self.tr("Files skipped"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(True)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setMinimumSectionSize(theme.size("control"))
        self.table.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.activated.connect(lambda index: reveal(Path(self._files.files[index.row()].path)))
        self.head.addWidget(button(self.tr("Try again"), self.retryWanted.emit, icon="refresh"))
        self.body.addWidget(label(self.tr("All other photos of the folder were read."), "muted"))
        self.body.addWidget(self.table, 1)

    def show_files(self, files: Sequence[Skipped]) -> None:
        """Show these files."""
        self.heading.show_text(
            self.tr("1 file skipped") if len(files) == 1 else self.tr("{0} files skipped").format(f"{len(files):,}")
        )
        self._files.show_files(files)
        if len(files) <= _FITTED:
            self.table.resizeRowsToContents()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
