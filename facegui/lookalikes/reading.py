"""Files of photos read, searched and embedded, several at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Protocol

from facegui.errors import KnownError
from facegui.faces.pipeline import FacePipeline
from facegui.faces.stages import Done, Stage, staged
from facegui.faces.types import Face, Frame
from facegui.gallery.records import PhotoStamp
from facegui.lookalikes.scan import Moves

__all__ = ["Decode", "ReadPhoto", "Suspects", "analysed"]

_log = logging.getLogger(__name__)

Decode = Callable[[bytes, str], Frame]


class Suspects(Protocol):
    """What may tell that a photo is known already, by its content."""

    def same(self, path: Path, content_hash: str) -> PhotoStamp | None:
        """Return what is known of the file if its content is what it was."""

    def claim(self, content_hash: str) -> PhotoStamp | None:
        """Return a photo that had this content under another name."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadPhoto:
    """A file on its way: its frame, the photo that it was under another name, or the reason why there is neither.

    `touched` says that nothing but the file's time is another. `faces` are those of the frame once it was searched;
    `size` and `mtime_ns` are 0 where the next run shall try again.
    """

    path: Path
    size: int = 0
    mtime_ns: int = 0
    content_hash: str | None = None
    frame: Frame | None = None
    was: PhotoStamp | None = None
    touched: bool = False
    error: str | None = None
    faces: tuple[Face, ...] = ()


def _read(path: Path, decode: Decode, moves: Moves | Suspects) -> ReadPhoto:
    try:
        status = path.stat()
        data = path.read_bytes()
    except OSError as error:
        return ReadPhoto(path, error=f"It cannot be read: {error.strerror or error}.")
    except MemoryError:
        return ReadPhoto(path, error="There is not enough memory for it.")
    item = ReadPhoto(path, status.st_size, status.st_mtime_ns, sha256(data).hexdigest())
    same = moves.same(path, item.content_hash or "")
    if same is not None:
        return replace(item, was=same, touched=True)
    was = moves.claim(item.content_hash or "")
    if was is not None:
        return replace(item, was=was)
    try:
        return replace(item, frame=decode(data, str(path)))
    except KnownError as error:
        return replace(item, error=" ".join(part for part in (error.why, error.do) if part) or error.what)
    except Exception as error:
        return _failed(path, error)


def _failed(path: Path, error: Exception) -> ReadPhoto:
    """Skip a file over which the program stumbled, so that the others still come."""
    _log.exception("%s could not be indexed", path)
    return ReadPhoto(path, error=f"facegui could not handle it ({type(error).__name__}); the log says more.")


def _search(item: ReadPhoto, pipeline: FacePipeline) -> ReadPhoto:
    if item.frame is None:
        return item
    try:
        return replace(item, faces=pipeline.analyse(item.frame, embed=False).faces)
    except KnownError:  # a model is missing: it is not this photo's fault
        raise
    except Exception as error:
        return _failed(item.path, error)


def _embed(items: Sequence[ReadPhoto], pipeline: FacePipeline) -> list[ReadPhoto]:
    embedded = iter(pipeline.embed([face for item in items for face in item.faces]))
    return [replace(item, faces=tuple(islice(embedded, len(item.faces)))) for item in items]


def analysed(
    paths: Sequence[Path], pipeline: FacePipeline, decode: Decode, moves: Moves | Suspects
) -> Generator[Done[Path, ReadPhoto], None, None]:
    """Read, search and embed files side by side; they come in order."""
    if not paths:
        return  # the networks need not be loaded
    workers, chain = pipeline.threads, pipeline.single()
    stages = (
        Stage("read", lambda paths: [_read(path, decode, moves) for path in paths]),
        Stage("search", lambda items: [_search(item, chain) for item in items]),
        Stage("embed", lambda items: _embed(items, chain), chain.embedder.batch),
    )
    yield from staged(paths, stages, workers=workers)
