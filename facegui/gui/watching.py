"""Photos that appear in indexed folders while the window is open are read in the background, if the user wishes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from facegui.errors import KnownError
from facegui.gallery.changes import Change
from facegui.gui import theme
from facegui.gui.bridge import Bridge, Task

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["FolderWatch"]

logger = logging.getLogger(__name__)


class FolderWatch(QObject):
    """Watches while the setting says so; all threads end with the bridge.

    Signals
    -------
    changed
        New photos were read.
    failed(object)
        The folders cannot be watched, or not be read: the exception.
    """

    changed = Signal()
    failed = Signal(object)
    _gallery_changed = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._roots: tuple[Path, ...] = ()
        self._task: Task | None = None
        self._waiting: set[Path] = set()
        self._reading: Task | None = None
        self._unsubscribe: Callable[[], None] | None = None
        # Folders are added and disks come back: both are rare, and looking is cheap.
        self._look = QTimer(self, interval=theme.time("rest"), singleShot=True)
        self._look.timeout.connect(self.sync)
        self._gallery_changed.connect(self._look.start)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that are watched."""
        return self._roots if self._task is not None else ()

    def sync(self) -> None:
        """Watch what is indexed now, or nothing, as the setting says."""
        if self._services.settings.watch_folders:
            self._bridge.run(self, self._find, self._watch, self._lost, newest="folders")
        else:
            self.stop()

    def stop(self) -> None:
        """Watch nothing."""
        task, self._task, self._roots = self._task, None, ()
        if task is not None:
            task.cancel()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _find(self) -> tuple[Path, ...]:
        if self._services.gallery.read_only:
            return ()
        # watchdog is loaded only where it is wanted: the window is to be up at once.
        from facegui.services.watching import indexed_roots

        return indexed_roots(self._services)

    def _watch(self, roots: tuple[Path, ...]) -> None:
        if self._unsubscribe is None:
            self._unsubscribe = self._services.gallery.subscribe(self._told)
        if roots == self._roots and self._task is not None:
            return
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._roots = roots
        if roots:
            from facegui.services.watching import watch_changes

            # What happened while nobody watched is looked for once, when the watch has begun.
            self._task = self._bridge.start(
                self, watch_changes(roots, all_at_first=True), on_partial=self._due, on_error=self._lost, lane="watch"
            )

    def _told(self, _change: Change) -> None:
        """The gallery changed, in whatever thread."""
        self._gallery_changed.emit()

    def _due(self, folders: list[Path]) -> None:
        self._waiting.update(folders)
        self._read()

    def _read(self) -> None:
        """Read the folders that changed, unless some are being read."""
        if self._reading is not None or not self._waiting:
            return
        folders, self._waiting = sorted(self._waiting), set()
        self._reading = self._bridge.start(
            self, self._services.index(folders), on_done=lambda _summary: self._done(), on_error=self._not_read,
            on_cancelled=self._cancelled, title=self.tr("Reading new photos"),
        )  # fmt: skip

    def _done(self) -> None:
        self._reading = None
        self.changed.emit()
        self._read()

    def _cancelled(self) -> None:
        self._reading = None

    def _not_read(self, error: Exception) -> None:
        self._reading = None
        self._tell(error)

    def _lost(self, error: Exception) -> None:
        self._task, self._roots = None, ()
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not isinstance(error, KnownError):
            logger.error("Watching folders failed", exc_info=error)
        self.failed.emit(error)
