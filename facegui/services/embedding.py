"""Many photos, one face each, embedded by one or more models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from facegui.errors import KnownError, reason
from facegui.faces.align import CROP_SIZE
from facegui.faces.embed import Embedder
from facegui.faces.pipeline import FacePipeline
from facegui.faces.stages import Stage, analyse_photos, read_photos, search_photos, staged
from facegui.faces.types import Embedding, Face, FacePolicy, Frame, Image, Photo, Timings, Vector
from facegui.jobs import Job, Progress

__all__ = ["AllFaces", "Embedded", "embed_all", "embed_crops", "embed_each"]

# A slice of a crop would keep the whole one in memory.
_NO_CROP: Image = np.empty((0, CROP_SIZE, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The faces of a list of photos.

    Attributes
    ----------
    vectors : dict of str to list of (Vector or None)
        By the model's sha256, in the order of the photos; None where no face was found.
    unreadable : dict of int to str
        Place in the list and reason, of photos that could not be read or were refused.
    qualities : list of (float or None)
        Quality of the face, in the order of the photos; None where none was found or looked for.
    timings : Timings
        Means per photo that was read; `embed` of all models together.
    seconds : float
        Everything together.
    """

    vectors: dict[str, list[Vector | None]]
    unreadable: dict[int, str]
    qualities: list[float | None]
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
    qualities: list[float | None] = [None] * len(paths)
    spent = np.zeros(4)
    workers, chain = pipeline.threads, pipeline.single()
    makers = [embedder.single() for embedder in embedders]

    def embed(photos: Sequence[Photo]) -> list[tuple[Photo, Sequence[Embedding]]]:
        began = perf_counter()
        crops = [photo.faces[0].crop for photo in photos if photo.faces]
        rows = iter(list(zip(*(maker.embed(crops) for maker in makers), strict=True)))
        each = (perf_counter() - began) * 1000 / max(1, len(crops))
        return [
            (replace(photo, timings=replace(photo.timings, embed=each)), next(rows)) if photo.faces else (photo, ())
            for photo in photos
        ]

    stages = (
        Stage("decode", lambda some: read_photos(read, some)),
        Stage("detect", lambda photos: search_photos(chain, photos, policy)),
        Stage("embed", embed, max(maker.batch for maker in makers)),
    )
    yield Progress(0, len(paths))
    flow = staged(paths, stages, workers=workers)
    try:
        for place, done in enumerate(flow):
            try:
                photo, found = done.result()
            except KnownError as error:
                unreadable[place] = reason(error, done.source)
            else:
                spent += astuple(photo.timings)
                for embedding in found:
                    vectors[embedding.model_id][place] = embedding.vector
                if photo.faces:
                    qualities[place] = photo.faces[0].quality.score
            yield Progress(place + 1, len(paths), done.source.name)
    finally:
        flow.close()
    mean = spent / max(1, len(paths) - len(unreadable))
    return Embedded(vectors, unreadable, qualities, Timings(*mean.tolist()), perf_counter() - start)


def embed_crops(paths: Sequence[Path], read: Callable[[Path], Frame], embedders: Sequence[Embedder]) -> Job[Embedded]:
    """Embed aligned crops by every model; no face is looked for.

    Parameters
    ----------
    paths : sequence of Path
    read : callable
        Turns a path into a frame; raises KnownError. A square picture of another size is scaled to that of a crop.
    embedders : sequence of Embedder

    Yields
    ------
    Progress
        After each batch.
    """
    start = perf_counter()
    vectors: dict[str, list[Vector | None]] = {e.model_id: [None] * len(paths) for e in embedders}
    unreadable: dict[int, str] = {}
    decode = embed = 0.0
    step = max((embedder.batch for embedder in embedders), default=1)
    for first in range(0, len(paths), step):
        yield Progress(first, len(paths), paths[first].name)
        crops: dict[int, Image] = {}
        began = perf_counter()
        for place, path in enumerate(paths[first : first + step], first):
            try:
                crops[place] = _crop(read(path))
            except KnownError as error:
                unreadable[place] = reason(error, path)
        decode += perf_counter() - began
        began = perf_counter()
        for embedder in embedders if crops else ():
            for place, embedding in zip(crops, embedder.embed(list(crops.values())), strict=True):
                vectors[embedder.model_id][place] = embedding.vector
        embed += perf_counter() - began
    yield Progress(len(paths), len(paths))
    each = 1000 / max(1, len(paths) - len(unreadable))
    timings = Timings(decode * each, 0.0, 0.0, embed * each)
    return Embedded(vectors, unreadable, [None] * len(paths), timings, perf_counter() - start)


def _crop(frame: Frame) -> Image:
    if frame.width != frame.height:
        raise KnownError(
            f"{frame.source} is no aligned crop.",
            f"It is {frame.width} by {frame.height} pixels, and a crop is square.",
            "Say --detect to have its face looked for.",
        )
    if frame.width == CROP_SIZE:
        return frame.pixels
    resized = cv2.resize(frame.pixels, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


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
    read_count = without_face = 0
    yield Progress(0, len(paths))
    flow = analyse_photos(pipeline, paths, read, policy)
    try:
        for count, done in enumerate(flow, 1):
            try:
                photo = done.result()
            except KnownError as error:
                found.unreadable[done.source] = reason(error, done.source)
            else:
                read_count += 1
                without_face += not photo.faces
                for number, face in enumerate(photo.faces):
                    found.paths.append(done.source)
                    found.numbers.append(number)
                    scaled = face.detection.scaled(1 / photo.frame.scale)
                    found.faces.append(replace(face, detection=scaled, crop=_NO_CROP))
            yield Progress(count, len(paths), done.source.name)
    finally:
        flow.close()
    return replace(found, photos=read_count, without_face=without_face, seconds=perf_counter() - start)
