"""Which files of some folders must be read: what is new, changed, moved or gone, told from names, sizes and times."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facegui.errors import KnownError
from facegui.gallery.records import PhotoStamp
from facegui.jobs import Job, Progress
from facegui.paths import plain
from facegui.sources.files import photo_files, shown_name

if TYPE_CHECKING:
    from facegui.gallery.store import Gallery

__all__ = ["Moves", "Plan", "Skipped", "mount_of", "scan"]

_LOOK = 200
"""Files between two places to cancel."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What an indexing run has to do.

    Attributes
    ----------
    todo : tuple of Path
        New and changed files.
    changed : frozenset of str
        Those of them that the index knows.
    unchanged : int
        Files that need not be read.
    stale : tuple of int
        Ids of unchanged photos with a face that the model in use has not embedded.
    gone : tuple of int
        Ids of photos whose file is no longer there.
    perhaps_moved : tuple of PhotoStamp
        Photos whose file is no longer there while a new one has the same size.
    perhaps_same : mapping of str to PhotoStamp
        What is known of files by path whose time or size is another; their content may be what it was.
    skipped : tuple of Skipped
        Unchanged files that could not be read earlier.
    """

    todo: tuple[Path, ...]
    changed: frozenset[str]
    unchanged: int
    stale: tuple[int, ...]
    gone: tuple[int, ...]
    perhaps_moved: tuple[PhotoStamp, ...]
    perhaps_same: Mapping[str, PhotoStamp]
    skipped: tuple[Skipped, ...]


class Moves:
    """Photos that may only have got another name: told by their content, each given out once. Safe in any thread."""

    def __init__(self, stamps: Sequence[PhotoStamp], by_path: Mapping[str, PhotoStamp] | None = None) -> None:
        self._lock = threading.Lock()
        self._by_path = by_path or {}
        self._by_hash: dict[str, list[PhotoStamp]] = {}
        for stamp in stamps:
            if stamp.content_hash and not stamp.error:
                self._by_hash.setdefault(stamp.content_hash, []).append(stamp)
        self._ids = {stamp.photo_id for stamp in stamps}

    def claim(self, content_hash: str) -> PhotoStamp | None:
        """Return a photo that had this content (sha256), or None."""
        with self._lock:
            waiting = self._by_hash.get(content_hash)
            if not waiting:
                return None
            stamp = waiting.pop()
            self._ids.discard(stamp.photo_id)
            return stamp

    def same(self, path: Path, content_hash: str) -> PhotoStamp | None:
        """Return what is known of a file if its content is what it was: only its time is another."""
        stamp = self._by_path.get(str(path))
        return stamp if stamp is not None and stamp.content_hash == content_hash and not stamp.error else None

    @property
    def hashes(self) -> frozenset[str]:
        """Contents that may be those of known photos."""
        with self._lock:
            before = {stamp.content_hash for stamp in self._by_path.values() if stamp.content_hash}
            return frozenset(before | self._by_hash.keys())

    @property
    def left(self) -> list[int]:
        """Ids of the photos that nobody claimed."""
        with self._lock:
            return sorted(self._ids)


def scan(
    gallery: Gallery,
    folders: Sequence[Path],
    model_id: str,
    *,
    include_hidden: bool,
    retry_skipped: bool,
    follow_links: bool = True,
) -> Job[Plan]:
    """Compare folders with what the index knows of them; nothing is read but names, sizes and times.

    Raises
    ------
    KnownError
        A folder does not exist, or its disk is not connected. What was known of it is kept.
    """
    mounts = {record.path: record.mount for record in gallery.folders()}
    for folder in folders:
        mount = mounts.get(str(plain(folder)))
        if not folder.is_dir() or (mount is not None and not os.path.ismount(mount)):
            if not gallery.read_only:
                gallery.folder_is_away(str(plain(folder)))
            raise KnownError(
                f"The folder {shown_name(folder)} cannot be read.",
                f"{folder} is not there, or it is not a folder.",
                "Connect its disk, or choose another folder.",
            )
    yield Progress(0, 0, "Looking for photos")
    roots = [plain(folder) for folder in folders]
    known: dict[str, PhotoStamp] = {}
    for root in roots:
        known.update(gallery.known_photos(str(root), model_id))
    todo: list[Path] = []
    sizes: set[int] = set()
    stale: list[int] = []
    skipped: list[Skipped] = []
    present: set[str] = set()
    for number, path in enumerate(photo_files(roots, include_hidden=include_hidden, follow_links=follow_links), 1):
        if number % _LOOK == 0:
            yield Progress(0, 0, f"Looking for photos: {number:,}")
        name = str(path)
        if name in present:
            continue
        present.add(name)
        size, stamp = _size_if_unread(known.get(name), path, retry_skipped)
        if stamp is None:
            todo.append(path)
            sizes.add(size)
        elif stamp.error:
            skipped.append(Skipped(name, stamp.error))
        elif not stamp.embedded:
            stale.append(stamp.photo_id)
    missing = [stamp for name, stamp in known.items() if name not in present and _is_gone(name)]
    return Plan(
        todo=tuple(todo),
        changed=frozenset(known.keys() & {str(path) for path in todo}),
        unchanged=len(present) - len(todo),
        stale=tuple(stale),
        gone=tuple(stamp.photo_id for stamp in missing if stamp.size not in sizes),
        perhaps_moved=tuple(stamp for stamp in missing if stamp.size in sizes),
        perhaps_same={str(path): known[str(path)] for path in todo if str(path) in known},
        skipped=tuple(skipped),
    )


def mount_of(folder: Path) -> str | None:
    """Return the mount point that a folder lies on, or None for the root of the system, which is always there."""
    place = plain(folder)
    while not os.path.ismount(place):
        if place == place.parent:
            return None
        place = place.parent
    return str(place) if place != place.parent else None


def _size_if_unread(stamp: PhotoStamp | None, path: Path, retry_skipped: bool) -> tuple[int, PhotoStamp | None]:
    """Return the file's size, and what is known of it if it need not be read."""
    try:
        status = path.stat()
    except OSError:
        return 0, None
    same = stamp is not None and (status.st_size, status.st_mtime_ns) == (stamp.size, stamp.mtime_ns)
    wanted = stamp is not None and stamp.error is not None and retry_skipped
    return status.st_size, stamp if same and not wanted else None


def _is_gone(name: str) -> bool:
    """Tell whether a known file that was not found is to be forgotten; what cannot be looked at now is kept."""
    try:
        Path(name).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    # It is there: hidden now, or reached by another way; unless its folder cannot be listed at the moment.
    return os.access(Path(name).parent, os.R_OK)
