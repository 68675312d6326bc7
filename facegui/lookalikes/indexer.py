"""Folders of photos read into the gallery: new and changed files only, cancellable, with results on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from facegui.faces.pipeline import FacePipeline
from facegui.gallery.records import IndexedPhoto, PhotoStamp
from facegui.jobs import Job, Partial, Progress
from facegui.lookalikes.executors import Executor, Serial
from facegui.lookalikes.reading import Decode, ReadPhoto
from facegui.lookalikes.scan import Moves, Skipped, mount_of, scan
from facegui.paths import plain

if TYPE_CHECKING:
    from facegui.gallery.store import Gallery

__all__ = ["IndexBatch", "IndexSummary", "Skipped", "index_folders"]

logger = logging.getLogger(__name__)

_BATCH = 32
"""Photos per transaction at most."""
_SECONDS = 1.0
"""Longest time until photos that were read are stored: results appear in small steps, and a kill loses little."""
_FORGET = 500
"""Photos forgotten between two places to cancel."""


@dataclass(frozen=True, slots=True)
class IndexBatch:
    """What was just stored: numbers of photos and faces, and the ids of the faces."""

    photos: int
    faces: int
    face_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What an indexing run did.

    Attributes
    ----------
    new, changed, unchanged, removed : int
        Photos. Unchanged ones were not read.
    moved : int
        Photos that were only found under another name; they were not searched again.
    faces : int
        Faces found in the photos that were read.
    without_face : int
        Photos that were read and have no face.
    skipped : tuple of Skipped
        Files that could not be read, those of earlier runs included, by path.
    seconds : float
    """

    new: int
    changed: int
    unchanged: int
    removed: int
    faces: int
    without_face: int
    skipped: tuple[Skipped, ...]
    seconds: float
    moved: int = 0

    @property
    def photos(self) -> int:
        """All files found, those skipped included."""
        return self.new + self.changed + self.unchanged + self.moved


class _Run:
    """One run under way: what waits to be stored, and what was counted."""

    def __init__(self, gallery: Gallery, pipeline: FacePipeline) -> None:
        self._gallery = gallery
        self._pipeline = pipeline
        self._waiting: list[IndexedPhoto] = []
        self._moved = 0
        self._stored = perf_counter()
        self.skipped: list[Skipped] = []
        self.moved: list[PhotoStamp] = []
        self.touched: list[PhotoStamp] = []
        self.moved_to: set[str] = set()
        self.faces = self.without_face = 0

    @property
    def due(self) -> bool:
        """Whether it is time to store."""
        return len(self._waiting) >= _BATCH or (self.unfinished and perf_counter() - self._stored >= _SECONDS)

    @property
    def unfinished(self) -> bool:
        """Whether something waits to be stored or to be told."""
        return bool(self._waiting or self._moved)

    def take(self, item: ReadPhoto) -> None:
        """Note one photo that was searched, moved, or cannot be used."""
        if item.was is not None:
            self._gallery.relocate(item.was.photo_id, str(item.path), item.size, item.mtime_ns)
            if item.touched:
                self.touched.append(item.was)
                self._moved += 1
                return
            self.moved.append(item.was)
            self.moved_to.add(str(item.path))
            self._moved += 1
            return
        frame, faces = item.frame, item.faces
        if frame is not None:
            self.faces += len(faces)
            self.without_face += not faces
            width, height = frame.original_size
            self._waiting.append(
                IndexedPhoto(
                    str(item.path), item.size, item.mtime_ns, item.content_hash, width, height,
                    frame.taken, faces, frame.scale,
                )
            )  # fmt: skip
            return
        reason = item.error or ""
        self.skipped.append(Skipped(str(item.path), reason))
        self._waiting.append(IndexedPhoto(str(item.path), item.size, item.mtime_ns, item.content_hash, error=reason))

    def store(self) -> IndexBatch:
        """Store what waits."""
        waiting, self._waiting = self._waiting, []
        moved, self._moved = self._moved, 0
        self._stored = perf_counter()
        if not waiting:
            return IndexBatch(moved, 0, frozenset())
        change = self._gallery.add_photos(waiting)
        return IndexBatch(moved + len(waiting), sum(len(photo.faces) for photo in waiting), change.faces)

    def reembed(self, photo_ids: Sequence[int]) -> IndexBatch:
        """Embed faces that only another model has embedded, from their stored crops."""
        ids = [face.face_id for photo_id in photo_ids for face in self._gallery.photo_faces(photo_id)]
        crops = self._gallery.crops(ids)
        embeddings = self._pipeline.embedder.embed(list(crops.values()))
        vectors = [(face_id, made.vector) for face_id, made in zip(crops, embeddings, strict=True)]
        change = self._gallery.store_embeddings(self._pipeline.embedder.model_id, vectors)
        return IndexBatch(len(photo_ids), len(vectors), change.faces)


def index_folders(
    gallery: Gallery,
    pipeline: FacePipeline,
    folders: Sequence[Path],
    decode: Decode,
    *,
    include_hidden: bool = False,
    retry_skipped: bool = False,
    follow_links: bool = True,
    executor: Executor | None = None,
) -> Job[IndexSummary]:
    """Bring the gallery's index of some folders up to date.

    A photo that only got another name keeps its faces. Photos whose file is gone are forgotten; a folder that cannot
    be looked into at the moment keeps what it had. Cancelling stores what was read so far.

    Parameters
    ----------
    gallery : Gallery
    pipeline : FacePipeline
    folders : sequence of Path
    decode : callable
        Turns bytes and a name into a frame; raises KnownError. Called in other threads.
    include_hidden : bool
    retry_skipped : bool
        Whether files that could not be used are tried again although they did not change.
    follow_links : bool
        Whether symbolic links to files and folders are followed.
    executor : Executor, optional
        Where photos are read; in threads of this process by default.

    Yields
    ------
    Progress or Partial of IndexBatch
        After each photo, and after each batch that was stored.

    Raises
    ------
    KnownError
        A folder does not exist, a model is missing, or the gallery cannot be written.
    """
    start = perf_counter()
    plan = yield from scan(
        gallery,
        folders,
        pipeline.embedder.model_id,
        include_hidden=include_hidden,
        retry_skipped=retry_skipped,
        follow_links=follow_links,
    )
    run = _Run(gallery, pipeline)
    removed = yield from _forget(gallery, plan.gone)
    moves = Moves(plan.perhaps_moved, plan.perhaps_same)
    total = len(plan.todo) + len(plan.stale)
    reader = (executor or Serial(pipeline, decode)).analysed(plan.todo, moves)
    done = 0
    try:
        for done, item in enumerate(reader, 1):
            run.take(item.result())
            yield Progress(done, total, item.source.name)
            if run.due:
                yield Partial(run.store())
        stale = [*plan.stale, *(stamp.photo_id for stamp in (*run.moved, *run.touched) if not stamp.embedded)]
        for photo_ids in _parts(stale, _BATCH):
            yield Partial(run.reembed(photo_ids))
            done = min(total, done + len(photo_ids))
            yield Progress(done, total, "Embedding with the model in use")
    except GeneratorExit:
        reader.close()
        run.store()
        raise
    finally:
        reader.close()
    if run.unfinished:
        yield Partial(run.store())
    removed += yield from _forget(gallery, moves.left)
    gallery.note_folders([(str(plain(folder)), mount_of(folder)) for folder in folders])
    touched = len(run.touched)
    changed = len(plan.changed - run.moved_to) - touched
    return IndexSummary(
        new=len(plan.todo) - len(run.moved) - changed - touched,
        changed=changed,
        unchanged=plan.unchanged + touched,
        removed=removed,
        faces=run.faces,
        without_face=run.without_face,
        skipped=tuple(sorted((*plan.skipped, *run.skipped), key=lambda item: item.path)),
        seconds=perf_counter() - start,
        moved=len(run.moved),
    )


def _parts(ids: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    return (ids[first : first + length] for first in range(0, len(ids), length))


def _forget(gallery: Gallery, photo_ids: Sequence[int]) -> Job[int]:
    """Forget photos whose files are gone; return how many."""
    for some in _parts(photo_ids, _FORGET):
        gallery.forget_photos(some)
        yield Progress(0, 0, "Forgetting photos that are gone")
    return len(photo_ids)
