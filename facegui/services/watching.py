"""Following changes in indexed folders while the program runs."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from facegui.errors import KnownError
from facegui.jobs import Partial, Progress
from facegui.lookalikes.indexer import IndexSummary
from facegui.paths import plain
from facegui.sources.files import SUFFIXES

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["indexed_roots", "watch_changes", "watch_folders"]

_log = logging.getLogger(__name__)

_REST = 1.0
"""Seconds without a change before a folder is read: files that are being copied are left alone until then."""
_PATIENCE = 20.0
"""Seconds after which it is read although changes go on."""
_TICK = 0.25
_OPENING = frozenset({"opened", "closed_no_write"})
"""Events that only tell of reading."""


class _Changes(FileSystemEventHandler):
    """Remembers in which of the folders something happened, and when."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._dirty: dict[Path, tuple[float, float]] = {}

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note an event that may concern a photo."""
        if event.event_type in _OPENING or (event.is_directory and event.event_type == "modified"):
            return  # a folder is modified by whatever is written into it, which has an event of its own
        places = [Path(str(name)) for name in (event.src_path, event.dest_path) if name]
        if not event.is_directory and not any(place.suffix.lower() in SUFFIXES for place in places):
            return
        now = monotonic()
        with self._lock:
            for folder in self._folders:
                if any(place == folder or folder in place.parents for place in places):
                    first, _ = self._dirty.get(folder, (now, now))
                    self._dirty[folder] = first, now

    def due(self) -> list[Path]:
        """Return the folders that are to be read now."""
        now = monotonic()
        with self._lock:
            due = [f for f, (first, last) in self._dirty.items() if now - last >= _REST or now - first >= _PATIENCE]
            for folder in due:
                del self._dirty[folder]
            return due


def watch_changes(
    folders: Sequence[Path], *, all_at_first: bool = False
) -> Generator[Progress | Partial[list[Path]], None, None]:
    """Return the job that tells which folders changed, until it is closed.

    Parameters
    ----------
    folders : sequence of Path
    all_at_first : bool
        Whether all of them are told once when the watch has begun, so that nothing falls between a reading and it.

    Yields
    ------
    Progress or Partial of list of Path
        Several times a second, so that it can be ended; the folders once they have come to rest.

    Raises
    ------
    KnownError
        A folder is not there, or the system watches no more folders.
    """
    roots = [plain(folder) for folder in folders]
    changes = _Changes(roots)
    observer = Observer()
    try:
        for root in roots:
            observer.schedule(changes, str(root), recursive=True)
        observer.start()
    except OSError as error:
        with contextlib.suppress(RuntimeError):
            observer.stop()
        raise KnownError(
            "The folders cannot be watched.",
            f"{error.strerror or error}.",
            "Check that they are there. On Linux, fs.inotify.max_user_watches may have to be raised.",
        ) from error
    wake = threading.Event()
    try:
        if all_at_first:
            yield Partial(list(roots))
        while True:
            if due := changes.due():
                yield Partial(due)
            yield Progress(0, 0, "Watching")
            wake.wait(_TICK)
    finally:
        observer.stop()
        observer.join()


def watch_folders(
    services: Services, folders: Sequence[Path]
) -> Generator[Progress | Partial[IndexSummary], None, None]:
    """Return the job that keeps the index of some folders up to date until it is closed.

    Yields
    ------
    Progress or Partial of IndexSummary
        Several times a second, so that it can be ended; the summary after each folder that was read.

    Raises
    ------
    KnownError
        A folder is not there, or the system watches no more folders.
    """
    with contextlib.closing(watch_changes(folders)) as changes:
        for event in changes:
            if isinstance(event, Progress):
                yield event
                continue
            for folder in event.value:
                try:
                    summary = yield from services.index([folder])
                except KnownError as error:  # its disk was taken away, for example
                    _log.warning("%s", error)
                else:
                    yield Partial(summary)


def indexed_roots(services: Services) -> tuple[Path, ...]:
    """Return the indexed folders that are there, without those that lie in another one."""
    folders = sorted({Path(record.path) for record in services.gallery.folders()})
    present = [folder for folder in folders if folder.is_dir()]
    return tuple(folder for folder in present if not any(other in folder.parents for other in present))
