"""The frame of the window: it navigates between the pages and does nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings, QSize
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QPlainTextEdit, QStackedWidget, QTextEdit, QWidget

from facegui import paths
from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.loading import Loading
from facegui.gui.pages.page import Page
from facegui.gui.pages.table import PAGES
from facegui.gui.retention import Retention
from facegui.gui.watching import FolderWatch
from facegui.gui.widgets.drop_overlay import DropOverlay, Dropped, dropped_from
from facegui.gui.widgets.error_card import ErrorCard
from facegui.gui.widgets.parts import button, column, label, row, tool_button
from facegui.gui.widgets.rail import Rail
from facegui.gui.widgets.shortcuts_overlay import ShortcutsOverlay
from facegui.gui.widgets.status_strip import StatusStrip

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["MainWindow", "window_state"]

logger = logging.getLogger(__name__)


def window_state() -> QSettings:
    """Open the file of the window's state: geometry, page, inspector."""
    return QSettings(str(paths.config_file().with_name("window.ini")), QSettings.Format.IniFormat)


class MainWindow(QMainWindow):
    """Rail, title row, page, inspector, status strip. Pages are made when they are first shown."""

    def __init__(self, services: Services, bridge: Bridge) -> None:
        super().__init__()
        self.services = services
        self.bridge = bridge
        self._state = window_state()
        self._pages: dict[str, Page] = {}
        self._current: Page | None = None
        self._fold_wanted: bool | None = None
        self.setWindowTitle("facegui")
        self.setMinimumSize(QSize(theme.size("minimum_width"), theme.size("minimum_height")))
        self.setAcceptDrops(True)
        self._build()
        self._bind_keys()
        bridge.failed.connect(self._task_failed)
        self._restore()
        self.loading.load()
        self.watch.sync()
        self.retention.look()

    def _build(self) -> None:
        words = {
            "verify": self.tr("Verify"), "enroll": self.tr("Enroll"), "lookalikes": self.tr("Lookalikes"),
            "people": self.tr("People"), "insights": self.tr("Insights"), "settings": self.tr("Settings"),
        }  # fmt: skip
        self.rail = Rail(
            [(page.name, page.icon, words[page.name], f"Ctrl+{n}") for n, page in enumerate(PAGES, start=1)]
        )
        self.rail.chosen.connect(self.show_page)
        self._title = label("", "title")
        self._primary = button("", self._trigger_primary, role="primary")
        self._help = tool_button("help", self.tr("Keys (?)"), self.show_keys)
        self._fold = tool_button("panel", self.tr("Show or hide the details (Ctrl+I)"), self.toggle_inspector)
        self.errors = ErrorCard()
        self._stack = QStackedWidget()
        self._inspectors = QStackedWidget()
        self._inspectors.setFixedWidth(theme.size("inspector"))
        self.strip = StatusStrip(self.bridge)
        self.loading = Loading(self.services, self.bridge, self.strip, self)
        self.loading.changed.connect(self._refresh_pages)
        self.loading.failed.connect(self.show_error)
        self.watch = FolderWatch(self.services, self.bridge, self)
        self.watch.changed.connect(self._gallery_changed)
        self.watch.failed.connect(self.show_error)
        self.retention = Retention(self.services, self.bridge, self)
        self.retention.erased.connect(self._gallery_changed)
        middle = column(gap="unit")
        middle.setContentsMargins(*(2 * theme.size("unit"),) * 3, theme.size("unit"))
        middle.addLayout(row(self._title, None, self._primary, self._help, self._fold))
        middle.addWidget(self.errors)
        middle.addWidget(self._stack, 1)
        across = row(self.rail, gap="")
        across.addLayout(middle, 1)
        across.addWidget(self._inspectors)
        root = QWidget()
        root.setObjectName("root")
        down = column(gap="")
        down.addLayout(across, 1)
        down.addWidget(self.strip)
        root.setLayout(down)
        self.setCentralWidget(root)
        self._drop = DropOverlay(
            [
                ("verify", "verify", self.tr("Verify")),
                ("enroll", "enroll", self.tr("Enroll")),
                ("lookalikes", "lookalikes", self.tr("Find lookalikes")),
            ],
            root,
        )
        self._drop.chosen.connect(self._take)
        self._keys = ShortcutsOverlay(root)

    def _bind_keys(self) -> None:
        def bind(keys: QKeySequence | QKeySequence.StandardKey | str, act: Callable[[], object]) -> None:
            QShortcut(QKeySequence(keys), self).activated.connect(act)

        for number, page in enumerate(PAGES, start=1):
            bind(f"Ctrl+{number}", lambda name=page.name: self.show_page(name))  # type: ignore[misc]
        bind(QKeySequence.StandardKey.Open, lambda: self.page.choose_files())
        bind(QKeySequence.StandardKey.Paste, self._paste)
        bind("Ctrl+I", self.toggle_inspector)
        bind("?", self.show_keys)
        bind(QKeySequence.StandardKey.Undo, lambda: (self.strip if self.strip.can_undo else self.page).undo())
        bind(QKeySequence.StandardKey.Quit, self.close)

    @property
    def page(self) -> Page:
        """The page that is shown."""
        if self._current is None:
            raise RuntimeError("no page is shown yet")
        return self._current

    def show_page(self, name: str, value: object = None) -> None:
        """Show a page and hand it `value` if that is not None."""
        if name not in self._pages:
            self._make(name)
        page = self._pages[name]
        if page is not self._current:
            if self._current is not None:
                self._current.deactivate()
            self._current = page
            self._stack.setCurrentWidget(page)
            self._title.setText(page.title)
            self.rail.select(name)
            self._show_primary()
            self._fold_inspector()
            page.activate()
        if value is not None:
            page.receive(value)

    def _make(self, name: str) -> None:
        entry = next(entry for entry in PAGES if entry.name == name)
        page = entry.load()(self.services, self.bridge)
        page.navigate.connect(self.show_page)
        page.undo_offered.connect(self.strip.offer_undo)
        page.undo_ended.connect(self._forget_undo)
        page.gallery_changed.connect(self._gallery_changed)
        page.settings_changed.connect(self._settings_changed)
        self._pages[name] = page
        self._stack.addWidget(page)
        if page.inspector is not None:
            self._inspectors.addWidget(page.inspector)
        if page.primary_action is not None:
            page.primary_action.changed.connect(self._show_primary)

    def _show_primary(self) -> None:
        action = self._current.primary_action if self._current is not None else None
        self._primary.setVisible(action is not None and action.isVisible())
        if action is not None:
            self._primary.setText(action.text())
            self._primary.setEnabled(action.isEnabled())
            self._primary.setToolTip(action.toolTip())

    def _trigger_primary(self) -> None:
        if self.page.primary_action is not None:
            self.page.primary_action.trigger()

    def toggle_inspector(self) -> None:
        """Fold the inspector away, or bring it back."""
        self._fold_wanted = not self._inspectors.isHidden()
        self._fold_inspector()

    def _fold_inspector(self) -> None:
        inspector = self._current.inspector if self._current is not None else None
        narrow = self.width() < theme.size("fold_width")
        folded = narrow if self._fold_wanted is None else self._fold_wanted
        if inspector is not None:
            self._inspectors.setCurrentWidget(inspector)
        self._fold.setVisible(inspector is not None)
        self._inspectors.setVisible(inspector is not None and not folded)

    def resizeEvent(self, event: QResizeEvent) -> None:
        before, now = event.oldSize().width(), event.size().width()
        if (before < theme.size("fold_width")) != (now < theme.size("fold_width")):
            self._fold_wanted = None
        self._fold_inspector()
        super().resizeEvent(event)

    def show_keys(self) -> None:
        """Show all keys."""
        pages = "1–6"
        keys = [
            (f"Ctrl+{pages}", self.tr("Go to a page")), ("Ctrl+O", self.tr("Open photos")),
            ("Ctrl+V", self.tr("Paste a photo")), ("Ctrl+Z", self.tr("Undo the last change")),
            ("Ctrl+I", self.tr("Show or hide the details")), ("Space", self.tr("Take the camera's picture")),
            ("Enter", self.tr("Confirm")), ("Esc", self.tr("Cancel")),
            ("← ↑ → ↓", self.tr("Move in grids and along the scale")),
        ]  # fmt: skip
        self._keys.show_keys(keys + self.page.shortcuts())

    def _paste(self) -> None:
        focus = QApplication.focusWidget()
        if isinstance(focus, QLineEdit | QTextEdit | QPlainTextEdit):
            focus.paste()
            return
        dropped = dropped_from(QGuiApplication.clipboard().mimeData())
        if dropped is not None:
            self._hand_over(self.page, dropped)

    def _take(self, name: str, dropped: Dropped) -> None:
        self.show_page(name)
        self._hand_over(self.page, dropped)

    def _hand_over(self, page: Page, dropped: Dropped) -> None:
        if dropped.paths:
            page.open_files(dropped.paths)
        elif dropped.image is not None:
            page.paste(dropped.image)

    def offer(self, files: Sequence[Path]) -> None:
        """Ask what to do with files that another program handed over."""
        self._drop.ask(Dropped(tuple(files)))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self._drop.hover(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._drop.hover(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop.hover(False)
        dropped = dropped_from(event.mimeData())
        if dropped is not None:
            event.acceptProposedAction()
            self._drop.ask(dropped)

    def _refresh_pages(self, but: object = None) -> None:
        for page in self._pages.values():
            if page is not but:
                page.refresh()

    def _forget_undo(self) -> None:
        self.strip.withdraw_undo()
        for page in self._pages.values():
            page.forget_undo()

    def _gallery_changed(self) -> None:
        self.loading.count()
        self._refresh_pages(self.sender())

    def _settings_changed(self) -> None:
        theme.manager().apply(self.services.settings.theme)
        self.loading.load()
        self.watch.sync()
        self.retention.look()
        self._refresh_pages(self.sender())

    def _task_failed(self, owner: object, error: Exception) -> None:
        if isinstance(owner, Page):
            owner.show_error(error)
        else:
            self.show_error(error)

    def show_error(self, error: BaseException) -> None:
        """Show an error above the page, whatever page that is."""
        if not isinstance(error, KnownError):
            logger.error("An error reached the window", exc_info=error)
        self.errors.show_error(error)

    def _restore(self) -> None:
        geometry = self._state.value("geometry")
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            self.resize(theme.size("window_width"), theme.size("window_height"))
        wanted = str(self._state.value("page", PAGES[0].name))
        self.show_page(wanted if wanted in {page.name for page in PAGES} else PAGES[0].name)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._state.setValue("geometry", self.saveGeometry())
        self._state.setValue("page", self.page.name)
        self._state.sync()
        self.page.deactivate()
        self.watch.stop()
        super().closeEvent(event)
