"""A chip that keeps to one folder: the folders that there are, as a tree with the number of faces in each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from facegui.gui import theme
from facegui.gui.widgets.filter_chips import FilterChip
from facegui.gui.widgets.parts import button, column, row

__all__ = ["FolderChip"]

_PATH_ROLE = Qt.ItemDataRole.UserRole


def _above(folder: str) -> str:
    return folder.rpartition(os.sep)[0] or os.sep


class FolderChip(FilterChip):
    """Only photos in or below a folder."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Folder"), parent)
        self.value = ""
        self._folders: tuple[tuple[str, int], ...] = ()
        self._shown: tuple[tuple[str, int], ...] | None = None
        self._find = QLineEdit()
        self._find.setPlaceholderText(self.tr("Search a folder"))
        self._find.setAccessibleName(self.tr("Search a folder"))
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._sift)
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName(self.tr("Folders and their faces"))
        self.tree.setMinimumSize(theme.size("inspector"), theme.size("inspector") - theme.size("drawing"))
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.itemClicked.connect(lambda item: self._take(item))
        self.tree.itemActivated.connect(lambda item: self._take(item))
        self._all = button(self.tr("All folders"), lambda: self.choose(""), role="link")
        body = QWidget()
        layout = column(self._find, self.tree, gap="unit")
        layout.addLayout(row(self._all, None))
        body.setLayout(layout)
        self.add_widget(body)
        self.popup.aboutToShow.connect(self._fill)
        self._show()

    @property
    def active(self) -> bool:
        return bool(self.value)

    def set_folders(self, folders: Sequence[tuple[str, int]]) -> None:
        """Offer these folders, each with the number of faces that lie in it and not below."""
        self._folders = tuple(folders)

    def choose(self, folder: str) -> None:
        """Keep to a folder, empty for all, and tell."""
        self.value = folder
        self._show()
        self.popup.close()
        self.changed.emit()

    def clear(self) -> None:
        self.value = ""
        self._show()

    def _show(self) -> None:
        self._all.setEnabled(self.active)
        name = Path(self.value).name or self.value
        name = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, theme.size("tile"))
        self.show_filter(self.tr("In {0}").format(name) if self.value else "")
        self.setToolTip(self.value)

    def _take(self, item: QTreeWidgetItem) -> None:
        self.choose(item.data(0, _PATH_ROLE))

    def _fill(self) -> None:
        """Build the tree when it is first wanted; a thousand folders take a moment."""
        if self._shown == self._folders:
            return
        self._shown = self._folders
        self.tree.clear()
        if not self._folders:
            return
        counts = dict(self._folders)
        top = os.path.commonpath(list(counts))
        items: dict[str, QTreeWidgetItem] = {}
        totals: dict[str, int] = {}
        for folder, count in self._folders:
            while True:
                totals[folder] = totals.get(folder, 0) + count
                if folder == top:
                    break
                folder = _above(folder)
        for folder in sorted(totals):
            item = QTreeWidgetItem([Path(folder).name or folder, f"{totals[folder]:,}"])
            item.setData(0, _PATH_ROLE, folder)
            item.setToolTip(0, folder)
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            items[folder] = item
            parent = items.get(_above(folder)) if folder != top else None
            if parent is None:
                self.tree.addTopLevelItem(item)
            else:
                parent.addChild(item)
        self.tree.expandToDepth(0)
        self._sift()

    def _sift(self) -> None:
        """Show the folders with these letters, and those above them."""
        wanted = self._find.text().strip().casefold()

        def sift(item: QTreeWidgetItem | None) -> bool:
            if item is None:
                return False
            mine = wanted in item.text(0).casefold()
            below = [sift(item.child(number)) for number in range(item.childCount())]
            shown = mine or any(below)
            item.setHidden(not shown)
            if wanted and any(below):
                item.setExpanded(True)
            return shown

        for number in range(self.tree.topLevelItemCount()):
            sift(self.tree.topLevelItem(number))
