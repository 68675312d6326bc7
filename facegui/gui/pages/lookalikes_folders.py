"""The folders that are searched: a chip for each, and the folders used before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QWidget

from facegui.gui import theme
from facegui.gui.reveal import open_file
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import button

__all__ = ["FolderBar"]

_RECENT: Final = 8
_CHIPS: Final = 3
"""More folders than this share the last chip."""
_CHOSEN_KEY: Final = "lookalikes/folders"
_RECENT_KEY: Final = "lookalikes/recent"


def _stored(key: str) -> list[Path]:
    from facegui.gui.main_window import window_state

    value = window_state().value(key)
    names = value if isinstance(value, list) else [value]
    return [Path(name) for name in names if isinstance(name, str) and name]


def _store(key: str, folders: Sequence[Path]) -> None:
    from facegui.gui.main_window import window_state

    state = window_state()
    state.setValue(key, [str(folder) for folder in folders])
    state.sync()


class FolderBar(QWidget):
    """A chip for each folder, and a button to add one; remembered from one start to the next.

    Signals
    -------
    changed
        `folders` are others now.
    readWanted
        The user wants the folders to be looked through again.
    """

    changed = Signal()
    readWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folders: tuple[Path, ...] = tuple(_stored(_CHOSEN_KEY))
        self._missing: frozenset[Path] = frozenset()
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.size("unit"))
        self._chips: list[Chip] = []
        self._add = button(self.tr("Add a folder"), role="chip", icon="plus")
        self._menu = QMenu(self._add)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._add.setMenu(self._menu)
        self._layout.addWidget(self._add)
        self._show()

    def set_folders(self, folders: Sequence[Path]) -> None:
        """Search these folders."""
        chosen = tuple(dict.fromkeys(folders))
        if chosen == self.folders:
            return
        recent = dict.fromkeys((*(folder for folder in chosen if folder not in self.folders), *_stored(_RECENT_KEY)))
        self.folders = chosen
        _store(_CHOSEN_KEY, chosen)
        _store(_RECENT_KEY, list(recent)[:_RECENT])
        self._missing = frozenset()
        self._show()
        self.changed.emit()

    def add(self, folders: Sequence[Path]) -> None:
        """Search these folders, too."""
        self.set_folders((*self.folders, *folders))

    def set_missing(self, folders: Sequence[Path]) -> None:
        """Mark the folders that are not there."""
        self._missing = frozenset(folders)
        self._show()

    def ask(self) -> None:
        """Show the dialog that chooses a folder."""
        dialog = QFileDialog(self, self.tr("Choose a folder of photos"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.filesSelected.connect(lambda names: self.add([Path(name) for name in names]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show(self) -> None:
        for chip in self._chips:
            self._layout.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = []
        shown = self.folders if len(self.folders) <= _CHIPS else self.folders[: _CHIPS - 1]
        for folder in shown:
            missing = folder in self._missing
            chip = Chip(self._short(folder), "warning" if missing else "folder")
            chip.setToolTip(self.tr("{0} is not there").format(folder) if missing else str(folder))
            chip.setAccessibleName(self.tr("Folder {0}").format(folder))
            menu = QMenu(chip)
            self._fill_folder_menu(menu, folder)
            self._place(chip, menu)
        rest = self.folders[len(shown) :]
        if rest:
            lost = bool(self._missing.intersection(rest))
            chip = Chip(self.tr("{0} more").format(len(rest)), "warning" if lost else "folder")
            chip.setToolTip("\n".join(str(folder) for folder in rest))
            menu = QMenu(chip)
            for folder in rest:
                self._fill_folder_menu(menu.addMenu(str(folder)), folder)
            self._place(chip, menu)
        self._add.setText("" if self.folders else self.tr("Add a folder"))
        self._add.setAccessibleName(self.tr("Add a folder"))
        self._add.setToolTip(self.tr("Add a folder") if self.folders else "")

    def _short(self, folder: Path) -> str:
        widest = theme.size("tile")
        name = folder.name or str(folder)
        return self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, widest)

    def _place(self, chip: Chip, menu: QMenu) -> None:
        chip.setMenu(menu)
        self._layout.insertWidget(len(self._chips), chip)
        self._chips.append(chip)

    def _fill_folder_menu(self, menu: QMenu, folder: Path) -> None:
        for icon, words, act in (
            ("refresh", self.tr("Look for new photos"), self.readWanted.emit),
            ("folder", self.tr("Open the folder"), partial(open_file, folder)),
            ("close", self.tr("Do not search this folder"), partial(self._drop, folder)),
        ):
            action = QAction(words, menu)
            theme.set_icon(action, icon)
            action.triggered.connect(lambda _checked=False, act=act: act())
            menu.addAction(action)

    def _drop(self, folder: Path) -> None:
        self.set_folders([other for other in self.folders if other != folder])

    def _fill_menu(self) -> None:
        self._menu.clear()
        choose = QAction(self.tr("Choose a folder…"), self._menu)
        theme.set_icon(choose, "open")
        choose.triggered.connect(lambda _checked=False: self.ask())
        self._menu.addAction(choose)
        recent = [folder for folder in _stored(_RECENT_KEY) if folder not in self.folders]
        if recent:
            self._menu.addSeparator()
        for folder in recent:
            action = QAction(str(folder), self._menu)
            theme.set_icon(action, "history")
            action.triggered.connect(lambda _checked=False, chosen=folder: self.add([chosen]))
            self._menu.addAction(action)
