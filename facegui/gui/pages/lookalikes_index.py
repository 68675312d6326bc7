"""The index of the chosen folders, brought up to date in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from facegui.gui.bridge import Bridge, Task
from facegui.jobs import Job
from facegui.lookalikes.indexer import IndexSummary

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["FolderIndex", "IndexReport"]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a look through the folders found.

    Attributes
    ----------
    summary : IndexSummary or None
        None where nothing was read: no folder is there, or the gallery is open for reading only.
    missing : tuple of Path
        Folders that are not there.
    read_only : bool
    """

    summary: IndexSummary | None
    missing: tuple[Path, ...] = ()
    read_only: bool = False


class FolderIndex(QObject):
    """Brings the index of some folders up to date, with progress and cancel in the status strip.

    Signals
    -------
    grew
        More faces can be ranked.
    progressed
        `progress` is another.
    finished(IndexReport)
    stopped
        The user cancelled; what was read is kept.
    failed(object)
        The exception.
    """

    grew = Signal()
    progressed = Signal()
    finished = Signal(object)
    stopped = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._task: Task | None = None

    @property
    def running(self) -> bool:
        """Whether the folders are being read."""
        return self._task is not None and not self._task.finished

    @property
    def progress(self) -> tuple[int, int]:
        """Photos read, and photos to read; (0, 0) while they are being looked for."""
        return (self._task.progress.done, self._task.progress.total) if self._task is not None else (0, 0)

    def start(self, folders: Sequence[Path], *, retry_skipped: bool = False) -> None:
        """Look through the folders; a look that is under way is given up."""
        self.cancel(quietly=True)
        self._task = self._bridge.start(
            self, self._job(tuple(folders), retry_skipped), on_progress=lambda _event: self.progressed.emit(),
            on_partial=lambda _batch: self.grew.emit(),
            on_done=self._done, on_error=self._failed, on_cancelled=self._cancelled, newest="index",
            title=self.tr("Reading photos"),
        )  # fmt: skip

    def cancel(self, *, quietly: bool = False) -> None:
        """Stop; what was read is kept."""
        task, self._task = self._task, None if quietly else self._task
        if task is not None:
            task.cancel()

    def _job(self, folders: tuple[Path, ...], retry_skipped: bool) -> Job[IndexReport]:
        missing = tuple(folder for folder in folders if not folder.is_dir())
        present = [folder for folder in folders if folder not in missing]
        if self._services.gallery.read_only:
            return IndexReport(None, missing, read_only=True)
        if not present:
            return IndexReport(None, missing)
        summary = yield from self._services.index(present, retry_skipped=retry_skipped)
        return IndexReport(summary, missing)

    def _done(self, report: IndexReport) -> None:
        self._task = None
        self.finished.emit(report)

    def _failed(self, error: Exception) -> None:
        self._task = None
        self.failed.emit(error)

    def _cancelled(self) -> None:
        # A look that was given up for another one says nothing.
        if self._task is not None and self._task.cancelled:
            self._task = None
            self.stopped.emit()
