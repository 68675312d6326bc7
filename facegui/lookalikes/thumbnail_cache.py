"""Small pictures of faces on disk, in one folder that stays below a limit: what was used longest ago goes first.

Each gallery has a folder of its own below, which names the gallery's file; each face is one JPEG file in it, so that
a face that is erased is gone with its file. Several processes may use the folder at once, and all of it may be deleted
at any moment: everything in it can be made again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facegui import paths
from facegui.faces.types import Image

__all__ = ["Held", "ThumbnailCache", "held"]

_FOLDER, _OWNER, _SUFFIX = "thumbnails", "gallery.json", ".jpg"
_JPEG_QUALITY = 85
_BLOCK = 4096
"""What a file takes on the disk is a multiple of this, on the usual file systems."""
_LEFT = 0.9
"""Share of the limit that is left when room is made, so that it is not made at each picture."""
_LOOK_AGAIN = 500
"""Pictures written until the folder is measured anew: other processes write, too."""
_FRESH_SECONDS = 3600
"""A file used less long ago than this is not marked again."""


@dataclass(frozen=True, slots=True)
class Held:
    """How many pictures lie in the cache, and the room they take on the disk in bytes."""

    pictures: int
    size: int


def held() -> Held:
    """Measure the whole cache."""
    sizes = [_room(entry) for entry in _pictures(paths.cache_dir() / _FOLDER)]
    return Held(len(sizes), sum(sizes))


class ThumbnailCache:
    """The pictures of one gallery. Safe in several threads; whatever goes wrong on the disk is a picture not there.

    Parameters
    ----------
    gallery : Path
        The gallery's file.
    epoch : str
        Which database that is now; pictures of another one that lay in this place are deleted.
    limit : callable
        Returns how many bytes all galleries' pictures together may take.
    """

    def __init__(self, gallery: Path, epoch: str, limit: Callable[[], int]) -> None:
        self._all = paths.cache_dir() / _FOLDER
        self._folder = self._all / epoch[:16]
        self._gallery = str(gallery)
        self.epoch = epoch
        self._limit = limit
        self._lock = threading.Lock()
        self._written = _LOOK_AGAIN
        self._size = 0
        self._leave_others()

    def get(self, face_id: int) -> Image | None:
        """Return a face's picture, RGB uint8 (h, w, 3), or None; a damaged one is deleted."""
        file = self._file(face_id)
        try:
            data = file.read_bytes()
            if time.time() - file.stat().st_mtime > _FRESH_SECONDS:
                os.utime(file)
        except OSError:
            return None
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if bgr is None:
            self.drop([face_id])
            return None
        return np.ascontiguousarray(bgr[:, :, ::-1]).astype(np.uint8, copy=False)

    def put(self, face_id: int, picture: Image) -> None:
        """Keep a face's picture, RGB uint8 (h, w, 3), if there may be any."""
        limit = self._limit()
        if limit <= 0:
            return
        done, data = cv2.imencode(
            ".jpg", np.ascontiguousarray(picture[:, :, ::-1]), (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
        )
        file = self._file(face_id)
        if not done:
            return
        with contextlib.suppress(OSError):
            self._make(file.parent)
            handle, draft = tempfile.mkstemp(dir=self._folder, prefix="new-")  # readable by this user alone
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(data.tobytes())
                Path(draft).replace(file)
            except OSError:
                Path(draft).unlink(missing_ok=True)
                raise
        with self._lock:
            self._written += 1
            self._size += -(-len(data) // _BLOCK) * _BLOCK
            if self._written >= _LOOK_AGAIN or self._size > limit:
                self._written, self._size = 0, self._make_room(limit)

    def drop(self, face_ids: Iterable[int]) -> None:
        """Delete the pictures of these faces."""
        for face_id in face_ids:
            with contextlib.suppress(OSError):
                self._file(face_id).unlink(missing_ok=True)

    def face_ids(self) -> list[int]:
        """Return the faces of this gallery that have a picture."""
        return [int(Path(entry.name).stem) for entry in _pictures(self._folder)]

    def tidied(self, counts: Sequence[int]) -> bool:
        """Tell whether `note_tidied` was given these counts of changes last."""
        try:
            return bool(json.loads((self._folder / _OWNER).read_text("utf-8"))["counts"] == list(counts))
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def note_tidied(self, counts: Sequence[int]) -> None:
        """Note that no picture of an erased face is left at these counts of changes."""
        if self._folder.is_dir():
            with contextlib.suppress(OSError):
                self._own({"counts": list(counts)})

    def clear(self) -> None:
        """Delete all pictures of all galleries."""
        shutil.rmtree(self._all, ignore_errors=True)

    def _file(self, face_id: int) -> Path:
        # Some hundred files a folder: fast on every file system.
        return self._folder / f"{face_id // 500:06d}" / f"{face_id}{_SUFFIX}"

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._all.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            if not (self._folder / _OWNER).exists():
                self._own({})

    def _own(self, more: dict[str, object]) -> None:
        (self._folder / _OWNER).write_text(json.dumps({"gallery": self._gallery, **more}), "utf-8")

    def _leave_others(self) -> None:
        """Delete the pictures of databases that lay in this gallery's place, or whose file is gone."""
        with contextlib.suppress(OSError):
            for folder in list(self._all.iterdir()):
                if folder == self._folder or not folder.is_dir():
                    continue
                try:
                    gallery = json.loads((folder / _OWNER).read_text("utf-8"))["gallery"]
                    stale = gallery == self._gallery or not Path(gallery).exists()
                except (OSError, ValueError, KeyError, TypeError):
                    stale = True
                if stale:
                    shutil.rmtree(folder, ignore_errors=True)

    def _make_room(self, limit: int) -> int:
        """Delete what was used longest ago where the cache is too large; return its size."""
        found = []
        for entry in _pictures(self._all):
            with contextlib.suppress(OSError):
                status = entry.stat()
                found.append((status.st_mtime, -(-status.st_size // _BLOCK) * _BLOCK, entry.path))
        size = sum(room for _, room, _ in found)
        if size <= limit:
            return size
        for _, room, path in sorted(found):
            if size <= limit * _LEFT:
                break
            with contextlib.suppress(OSError):
                Path(path).unlink(missing_ok=True)
            size -= room
        return size


def _pictures(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files of pictures below a folder; what cannot be looked into is left out."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _pictures(Path(entry.path))
        elif entry.name.endswith(_SUFFIX) and entry.name[: -len(_SUFFIX)].isdigit():
            yield entry


def _room(entry: os.DirEntry[str]) -> int:
    try:
        return -(-entry.stat().st_size // _BLOCK) * _BLOCK
    except OSError:
        return 0
