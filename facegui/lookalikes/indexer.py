"""A folder of photos read into the gallery: new and changed files only, cancellable, with results on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import perf_counter

from facegui.errors import KnownError
from facegui.faces.pipeline import FacePipeline
from facegui.faces.types import Face, Frame
from facegui.gallery.records import IndexedPhoto, PhotoStamp
from facegui.gallery.store import Gallery
from facegui.jobs import Job, Partial, Progress
from facegui.sources.files import photo_files

__all__ = ["IndexBatch", "IndexSummary", "Skipped", "index_folders"]

_AHEAD = 4
"""Photos decoded ahead of the networks; more would only cost memory."""
_BATCH = 16
"""Photos per transaction: results appear in small steps and a kill loses little."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexBatch:
    """What was just added: numbers of photos and faces, and the ids of the faces."""

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
    faces : int
        Faces found in the photos that were read.
    without_face : int
        Photos that were read and have no face.
    skipped : tuple of Skipped
        Files that could not be read, those of earlier runs included.
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


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A file on its way: the frame, or the reason why there is none."""

    path: Path
    size: int
    mtime_ns: int
    content_hash: str | None
    frame: Frame | None
    error: str | None


def _unchanged(stamp: PhotoStamp | None, path: Path) -> bool:
    if stamp is None or not (stamp.embedded or stamp.error):
        return False
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (stamp.size, stamp.mtime_ns)


def _read(path: Path, decode: Callable[[bytes, str], Frame]) -> _Read:
    size = mtime = 0
    digest = None
    try:
        status = path.stat()
        size, mtime = status.st_size, status.st_mtime_ns
        data = path.read_bytes()
        digest = sha256(data).hexdigest()
        return _Read(path, size, mtime, digest, decode(data, str(path)), None)
    except KnownError as error:
        return _Read(path, size, mtime, digest, None, str(error))
    except OSError as error:
        return _Read(path, size, mtime, digest, None, f"It cannot be read: {error.strerror or error}.")


def _read_ahead(paths: Sequence[Path], decode: Callable[[bytes, str], Frame]) -> Generator[_Read, None, None]:
    """Read files in order, a few of them ahead in another thread."""
    waiting: deque[Future[_Read]] = deque()
    todo = iter(paths)
    with ThreadPoolExecutor(1, thread_name_prefix="decode") as pool:
        try:
            waiting.extend(pool.submit(_read, path, decode) for path in islice(todo, _AHEAD))
            while waiting:
                item = waiting.popleft().result()
                waiting.extend(pool.submit(_read, path, decode) for path in islice(todo, 1))
                yield item
        finally:
            for future in waiting:
                future.cancel()


def _entry(item: _Read, faces: Sequence[Face]) -> IndexedPhoto:
    width, height = item.frame.original_size if item.frame else (0, 0)
    return IndexedPhoto(
        path=str(item.path),
        size=item.size,
        mtime_ns=item.mtime_ns,
        content_hash=item.content_hash,
        width=width,
        height=height,
        taken=item.frame.taken if item.frame else None,
        faces=tuple(faces),
        scale=item.frame.scale if item.frame else 1.0,
        error=item.error,
    )


def index_folders(
    gallery: Gallery,
    pipeline: FacePipeline,
    folders: Sequence[Path],
    decode: Callable[[bytes, str], Frame],
    *,
    include_hidden: bool = False,
) -> Job[IndexSummary]:
    """Bring the gallery's index of some folders up to date.

    Parameters
    ----------
    gallery : Gallery
    pipeline : FacePipeline
    folders : sequence of Path
    decode : callable
        Turns bytes and a name into a frame; raises KnownError.
    include_hidden : bool

    Yields
    ------
    Progress or Partial of IndexBatch
        After each photo, and after each batch that was stored.

    Raises
    ------
    KnownError
        A folder does not exist, or the gallery cannot be written.
    """
    start = perf_counter()
    for folder in folders:
        if not folder.is_dir():
            raise KnownError(
                f"The folder {folder} cannot be read.",
                "It is not there, or it is not a folder.",
                "Choose another folder.",
            )
    yield Progress(0, 0, "Looking for photos")
    model_id = pipeline.embedder.model_id
    known: dict[str, PhotoStamp] = {}
    for folder in folders:
        known.update(gallery.known_photos(str(folder.absolute()), model_id))
    files = list(dict.fromkeys(photo_files([f.absolute() for f in folders], include_hidden=include_hidden)))
    todo = [path for path in files if not _unchanged(known.get(str(path)), path)]
    present = {str(path) for path in files}
    gone = [stamp.photo_id for path, stamp in known.items() if path not in present]
    if gone:
        gallery.forget_photos(gone)
    reading = {str(path) for path in todo}
    skipped = [
        Skipped(path, stamp.error)
        for path, stamp in known.items()
        if stamp.error and path in present and path not in reading
    ]
    changed = sum(str(path) in known for path in todo)
    faces_found = without_face = 0
    batch: list[_Read] = []
    found: list[list[Face]] = []

    def store() -> IndexBatch:
        nonlocal batch, found
        items, faces_of, batch, found = batch, found, [], []
        flat = pipeline.embed([face for faces in faces_of for face in faces])
        position = 0
        entries = []
        for item, faces in zip(items, faces_of, strict=True):
            entries.append(_entry(item, flat[position : position + len(faces)]))
            position += len(faces)
        change = gallery.add_photos(entries)
        return IndexBatch(len(entries), len(flat), change.faces)

    reader = _read_ahead(todo, decode)
    try:
        for done, item in enumerate(reader, 1):
            faces: list[Face] = []
            if item.frame is not None:
                faces = list(pipeline.analyse(item.frame, embed=False).faces)
                without_face += not faces
            else:
                skipped.append(Skipped(str(item.path), item.error or ""))
            batch.append(replace(item, frame=_without_pixels(item.frame)))
            found.append(faces)
            faces_found += len(faces)
            yield Progress(done, len(todo), item.path.name)
            if len(batch) >= _BATCH:
                yield Partial(store())
    finally:
        reader.close()
        if batch:
            store()
    return IndexSummary(
        new=len(todo) - changed,
        changed=changed,
        unchanged=len(files) - len(todo),
        removed=len(gone),
        faces=faces_found,
        without_face=without_face,
        skipped=tuple(skipped),
        seconds=perf_counter() - start,
    )


def _without_pixels(frame: Frame | None) -> Frame | None:
    """Return the frame's description alone, so that a waiting batch does not hold its pictures."""
    if frame is None:
        return None
    return replace(frame, pixels=frame.pixels[:0], original_size=frame.original_size)
