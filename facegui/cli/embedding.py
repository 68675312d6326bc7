"""Many photos, one face each, embedded by one or more models."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from facegui.cli.output import reason
from facegui.errors import KnownError
from facegui.faces.embed import Embedder
from facegui.faces.pipeline import FacePipeline
from facegui.faces.types import Face, FacePolicy, Frame, Image, Timings, Vector
from facegui.jobs import Job, Progress

__all__ = ["AllFaces", "Embedded", "Read", "embed_all", "embed_each", "read_ahead"]

_AHEAD = 3
_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A photo that was read, or the reason why it was not."""

    path: Path
    frame: Frame | None
    problem: str
    milliseconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The faces of a list of photos.

    Attributes
    ----------
    vectors : dict of str to list of (Vector or None)
        By the model's sha256, in the order of the photos; None where no face was found.
    unreadable : dict of int to str
        Place in the list and reason, of photos that could not be read or were refused.
    timings : Timings
        Means per photo that was read; `embed` of all models together.
    seconds : float
        Everything together.
    """

    vectors: dict[str, list[Vector | None]]
    unreadable: dict[int, str]
    timings: Timings
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class AllFaces:
    """Faces of many photos, largest first within each.

    Attributes
    ----------
    paths : list of Path
        Photo of each face.
    numbers : list of int
        Number of the face in its photo, from 0.
    faces : list of Face
        With embeddings, in pixels of the upright original, without crops.
    photos : int
        Photos that were read.
    without_face : int
    unreadable : dict of Path to str
    seconds : float
    """

    paths: list[Path]
    numbers: list[int]
    faces: list[Face]
    photos: int
    without_face: int
    unreadable: dict[Path, str]
    seconds: float


def read_ahead(paths: Iterable[Path], read: Callable[[Path], Frame]) -> Generator[Read, None, None]:
    """Read photos in order, a few of them ahead in another thread."""

    def one(path: Path) -> Read:
        start = perf_counter()
        try:
            frame = read(path)
        except KnownError as error:
            return Read(path, None, reason(error, path), 0.0)
        return Read(path, frame, "", (perf_counter() - start) * 1000)

    waiting: deque[Future[Read]] = deque()
    todo = iter(paths)
    with ThreadPoolExecutor(1, thread_name_prefix="decode") as pool:
        try:
            waiting.extend(pool.submit(one, path) for path in islice(todo, _AHEAD))
            while waiting:
                item = waiting.popleft().result()
                waiting.extend(pool.submit(one, path) for path in islice(todo, 1))
                yield item
        finally:
            for future in waiting:
                future.cancel()


def embed_each(
    paths: Sequence[Path],
    read: Callable[[Path], Frame],
    pipeline: FacePipeline,
    embedders: Sequence[Embedder],
    policy: FacePolicy = FacePolicy.LARGEST,
) -> Job[Embedded]:
    """Find one face in each photo and embed it by every model.

    Parameters
    ----------
    paths : sequence of Path
    read : callable
        Turns a path into a frame; raises KnownError.
    pipeline : FacePipeline
        Finds and aligns the faces; its own embedder is not used.
    embedders : sequence of Embedder
    policy : FacePolicy
        Which face counts.

    Yields
    ------
    Progress
        After each photo.
    """
    start = perf_counter()
    vectors: dict[str, list[Vector | None]] = {e.model_id: [None] * len(paths) for e in embedders}
    unreadable: dict[int, str] = {}
    batch: list[tuple[int, Image]] = []
    spent = np.zeros(4)

    def flush() -> None:
        began = perf_counter()
        if batch:
            crops = np.stack([crop for _, crop in batch])
            for embedder in embedders:
                for (place, _), vector in zip(batch, embedder.embed_array(crops), strict=True):
                    vectors[embedder.model_id][place] = vector
            batch.clear()
        spent[3] += (perf_counter() - began) * 1000

    yield Progress(0, len(paths))
    reader = read_ahead(paths, read)
    try:
        for place, item in enumerate(reader):
            try:
                if item.frame is None:
                    raise KnownError(item.problem)
                photo = pipeline.analyse(item.frame, policy, embed=False)
            except KnownError as error:
                unreadable[place] = reason(error, item.path)
            else:
                spent[:3] += item.milliseconds, photo.timings.detect, photo.timings.align
                batch += [(place, face.crop) for face in photo.faces[:1]]
            if len(batch) >= _BATCH:
                flush()
            yield Progress(place + 1, len(paths), item.path.name)
    finally:
        reader.close()
    flush()
    mean = spent / max(1, len(paths) - len(unreadable))
    return Embedded(vectors, unreadable, Timings(*mean.tolist()), perf_counter() - start)


def embed_all(
    paths: Sequence[Path], read: Callable[[Path], Frame], pipeline: FacePipeline, policy: FacePolicy
) -> Job[AllFaces]:
    """Find and embed the faces of photos.

    Parameters
    ----------
    paths : sequence of Path
    read : callable
        Turns a path into a frame; raises KnownError.
    pipeline : FacePipeline
    policy : FacePolicy
        ``ALL``, or which one of each photo.

    Yields
    ------
    Progress
        After each photo.
    """
    start = perf_counter()
    found = AllFaces([], [], [], 0, 0, {}, 0.0)
    waiting: list[Face] = []
    read_count = without_face = 0

    def flush() -> None:
        found.faces.extend(replace(face, crop=face.crop[:0]) for face in pipeline.embed(waiting))
        waiting.clear()

    yield Progress(0, len(paths))
    reader = read_ahead(paths, read)
    try:
        for done, item in enumerate(reader, 1):
            try:
                if item.frame is None:
                    raise KnownError(item.problem)
                photo = pipeline.analyse(item.frame, policy, embed=False)
            except KnownError as error:
                found.unreadable[item.path] = reason(error, item.path)
            else:
                read_count += 1
                without_face += not photo.faces
                for number, face in enumerate(photo.faces):
                    found.paths.append(item.path)
                    found.numbers.append(number)
                    waiting.append(replace(face, detection=face.detection.scaled(1 / item.frame.scale)))
            if len(waiting) >= _BATCH:
                flush()
            yield Progress(done, len(paths), item.path.name)
    finally:
        reader.close()
    flush()
    return replace(found, photos=read_count, without_face=without_face, seconds=perf_counter() - start)
