"""What is stored where; backup, restore, history, erasing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from facegui import paths
from facegui.gallery.records import Counts
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.settings_erase import EraseRow
from facegui.gui.widgets.parts import button, card, column, label, line, row, tool_button

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["StoragePanel", "Stored"]

KILO = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies where: gallery file, its size and content, and sizes of the other places."""

    gallery: Path
    counts: Counts
    read_only: bool
    sizes: dict[str, int]


def size_text(size: int) -> str:
    """Return a number of bytes: 3.2 MB."""
    value, units = float(size), ("B", "kB", "MB", "GB", "TB")
    for unit in units:
        if value < KILO or unit == units[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= KILO
    raise AssertionError


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.name}*")
    total = 0
    for file in files:
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue
    return total


class _Place(QWidget):
    """One place: what it is, its path, how much lies there, a button that shows it."""

    def __init__(self, name: str, what: str, open_folder: Callable[[Path], None]) -> None:
        super().__init__()
        self.path = Path()
        self.where = label("", "small", wrap=True, selectable=True)
        self.amount = label("", "muted")
        self.amount.setFont(theme.font(tabular=True))
        show = tool_button("folder", self.tr("Show the folder of: {0}").format(name), lambda: open_folder(self.path))
        words = column(label(name, "emphasis"), label(what, "muted", wrap=True), self.where, gap="half")
        layout = row(gap="unit")
        layout.addLayout(words, 1)
        layout.addWidget(self.amount)
        layout.addWidget(show)
        self.setLayout(layout)

    def show_path(self, path: Path) -> None:
        """Show where it is."""
        self.path = path
        # A break is allowed after each separator, so that a long path wraps.
        self.where.setText(str(path).replace("/", "/\u200b").replace("\\", "\\\u200b"))
        self.where.setAccessibleName(str(path))


class StoragePanel(QWidget):
    """Places, backup and restore, history, erasing everything.

    Signals
    -------
    changed
        The gallery differs now.
    undo_offered(str, object)
        Words and a callable that takes a change back.
    erased
        Everything was erased: nothing may be taken back any more.
    failed(Exception)
        Something did not work.
    """

    changed = Signal()
    undo_offered = Signal(str, object)
    erased = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge) -> None:
        super().__init__()
        self._services, self._bridge = services, bridge
        self._stored: Stored | None = None
        words = (
            ("gallery", self.tr("Gallery"), self.tr("People, aligned faces, embeddings, folder index, history.")),
            ("cache", self.tr("Cache"), self.tr("Thumbnails of faces, search index: it is made again.")),
            ("settings", self.tr("Settings"), self.tr("What is set on this page.")),
            ("log", self.tr("Log"), self.tr("What the program did and what went wrong. No pictures.")),
        )
        self.places = {key: _Place(name, what, self._open) for key, name, what in words}
        self.places["cache"].show_path(paths.cache_dir())
        self.places["settings"].show_path(paths.config_file())
        self.places["log"].show_path(paths.log_dir())
        intro = label(self.tr("Photos and faces stay on this computer. facegui sends nothing anywhere."), wrap=True)
        self.backup_button = button(self.tr("Back up the gallery…"), self._ask_backup, icon="download")
        self.restore_button = button(self.tr("Restore a backup…"), self._ask_restore, icon="undo")
        self.result = label("", "muted", wrap=True, selectable=True)
        self._history = label("", "", wrap=True)
        self.clear_button = button(self.tr("Clear the history…"), lambda: self._ask_clear(True), icon="trash")
        self._sure = QWidget()
        self._question = label("", "problem", wrap=True)
        self.clear_now = button(self.tr("Delete for good"), self._clear, role="danger")
        self.keep = button(self.tr("Keep"), lambda: self._ask_clear(False))
        sure = row(gap="unit")
        sure.addWidget(self._question, 1)
        sure.addWidget(self.clear_now)
        sure.addWidget(self.keep)
        self._sure.setLayout(sure)
        history = QWidget()
        across = row(gap="unit")
        across.addWidget(self._history, 1)
        across.addWidget(self.clear_button)
        history.setLayout(across)
        actions = QWidget()
        actions.setLayout(row(self.backup_button, self.restore_button, None))
        self.erase = EraseRow(services, bridge)
        self.erase.erased.connect(self._erased)
        self.erase.failed.connect(self._not_erased)
        body = card(intro, margin="unit")
        layout = body.layout()
        assert layout is not None
        edge = 2 * theme.size("unit")
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(edge)
        for item in (
            *self.places.values(),
            line(),
            actions,
            self.result,
            line(),
            history,
            self._sure,
            line(),
            self.erase,
        ):
            layout.addWidget(item)
        self.result.hide()
        self.setLayout(column(body))
        self._ask_clear(False)

    # --- what is there ------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look again at what is stored."""
        places = {name: place.path for name, place in self.places.items() if name != "gallery"}

        def look() -> Stored:
            gallery = self._services.gallery
            sizes = {name: _size(path) for name, path in places.items()} | {"gallery": _size(gallery.file)}
            return Stored(gallery.file, gallery.counts(), gallery.read_only, sizes)

        self._bridge.run(self, look, self._show, self.failed.emit, newest="stored")

    def _show(self, stored: Stored) -> None:
        self._stored = stored
        self.places["gallery"].show_path(stored.gallery)
        for name, size in stored.sizes.items():
            self.places[name].amount.setText(size_text(size))
        number = stored.counts.decisions
        self._history.setText(
            self.tr("The history holds 1 decision.") if number == 1
            else self.tr("The history holds {0} decisions.").format(f"{number:,}")
        )  # fmt: skip
        for item in (self.restore_button, self.clear_button):
            item.setEnabled(not stored.read_only)
        self.clear_button.setEnabled(number > 0 and not stored.read_only)
        self.erase.show_counts(stored.counts, read_only=stored.read_only)

    def _open(self, path: Path) -> None:
        from facegui.gui.reveal import reveal

        self._bridge.run(self, lambda: reveal(path), on_error=self.failed.emit)

    def _say(self, text: str, role: str = "good") -> None:
        self.result.setText(text)
        theme.set_role(self.result, role)
        self.result.setVisible(bool(text))

    # --- backup, restore ----------------------------------------------------------------------------------

    def _ask_backup(self) -> None:
        dialog = QFileDialog(self, self.tr("Back up the gallery"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("sqlite")
        dialog.selectFile(f"facegui-gallery-{date.today():%Y-%m-%d}.sqlite")
        dialog.fileSelected.connect(lambda name: self.back_up(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def back_up(self, target: Path) -> None:
        """Copy the gallery into a file; one that is there already is replaced, as the dialog has asked."""
        self._bridge.run(
            self, lambda: self._services.gallery.backup(target, overwrite=True),
            lambda file: self._say(self.tr("✓ Backed up to {0}").format(file)), self.failed.emit,
            lane="write", title=self.tr("Backing up the gallery"),
        )  # fmt: skip

    def _ask_restore(self) -> None:
        dialog = QFileDialog(self, self.tr("Restore a backup"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Galleries ({0})").format("*.sqlite"), self.tr("All files (*)")])
        dialog.fileSelected.connect(lambda name: self.restore(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def restore(self, backup: Path, *, again: bool = False) -> None:
        """Put a backup in the place of the gallery; what was there is kept, and can be taken back."""

        def work() -> Path | None:
            from facegui.gallery.backup import restore

            gallery = self._services.gallery
            kept = restore(backup, gallery.file)
            gallery.poll()  # thumbnails and search indexes of what was there before go
            return kept

        def done(kept: Path | None) -> None:
            if kept is not None and not again:
                words = self.tr("✓ Restored. What was there before is kept in {0}")
                self._say(words.format(kept))
                self.undo_offered.emit(self.tr("Gallery restored"), lambda: self.restore(kept, again=True))
            else:
                self._say(self.tr("✓ Restored."))
            self.changed.emit()
            self.refresh()

        self._bridge.run(self, work, done, self.failed.emit, lane="write", title=self.tr("Restoring the gallery"))

    # --- history ------------------------------------------------------------------------------------------

    def _ask_clear(self, sure: bool) -> None:
        number = self._stored.counts.decisions if self._stored is not None else 0
        self._question.setText(
            self.tr("Delete 1 decision for good? This cannot be undone.") if number == 1
            else self.tr("Delete {0} decisions for good? This cannot be undone.").format(f"{number:,}")
        )  # fmt: skip
        self._sure.setVisible(sure)
        self.clear_button.setVisible(not sure)
        if sure:
            self.keep.setFocus()

    def _clear(self) -> None:
        def done(_change: object) -> None:
            self._ask_clear(False)
            self.changed.emit()
            self.refresh()

        self._bridge.run(
            self, lambda: self._services.gallery.clear_history(), done, self.failed.emit, lane="write"
        )  # fmt: skip

    def _not_erased(self, error: Exception) -> None:
        self.changed.emit()  # the greater part may be gone all the same
        self.refresh()
        self.failed.emit(error)

    def _erased(self) -> None:
        self._say(self.tr("✓ Everything about people was erased."))
        self.erased.emit()
        self.changed.emit()
        self.refresh()
