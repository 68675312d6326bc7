"""Faces that an added model is tried on, and its calibration with them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.cli.calibrating import derive_all
from facegui.cli.labelled import labelled_photos
from facegui.cli.samples import SAMPLES, sample_file
from facegui.errors import KnownError, reason
from facegui.faces.catalog import ModelInfo
from facegui.faces.embed import Embedder
from facegui.faces.packs import TryFaces, disguised, labelled
from facegui.faces.session import OnnxNetwork
from facegui.faces.types import FacePolicy, Image
from facegui.jobs import Job, Progress
from facegui.matching.calibration import Calibration
from facegui.matching.protocols import read_pairs
from facegui.services import Services

__all__ = ["PairPhotos", "calibrate_with", "calibrates", "collect", "sample_faces"]

_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class PairPhotos:
    """Faces of people whose names are known, from a folder or a list.

    Attributes
    ----------
    faces : TryFaces
        One per photo on which a face was found.
    places : tuple of int
        Photo of each face.
    people : tuple of str
        Who is on each photo.
    turned : tuple of bool
        Whether a photo shows a face turned far to the side.
    paths : tuple of Path
        Every photo.
    unreadable : dict of int to str
        Photos that could not be read, and why.
    by_name : bool
        Whether every person has one name. A list of pairs does not say so, and cannot calibrate.
    name : str
    """

    faces: TryFaces
    places: tuple[int, ...]
    people: tuple[str, ...]
    turned: tuple[bool, ...]
    paths: tuple[Path, ...]
    unreadable: dict[int, str]
    by_name: bool
    name: str


def collect(services: Services, source: Path) -> Job[PairPhotos]:
    """Find the faces of labelled photos.

    Parameters
    ----------
    services : Services
    source : Path
        A folder with one folder per person, a list ``path,person``, or a list of pairs ``path1,path2,same``.

    Yields
    ------
    Progress
        After each photo.

    Raises
    ------
    KnownError
        The source cannot be read, or fewer than two people have a face on their photos.
    """
    paths, people, turned, by_name, name = _listed(source)
    crops: list[Image] = []
    places: list[int] = []
    unreadable: dict[int, str] = {}
    yield Progress(0, len(paths))
    for place, path in enumerate(paths):
        try:
            found = services.analyse(path, policy=FacePolicy.LARGEST, embed=False).faces
        except KnownError as error:
            unreadable[place] = reason(error, path)
        else:
            crops += [face.crop for face in found[:1]]
            places += [place] * len(found[:1])
        yield Progress(place + 1, len(paths), path.name)
    who = [people[place] for place in places]
    if len(set(who)) < 2 or len(set(who)) == len(who):
        raise KnownError(
            f"{source} cannot be used to try the model.",
            f"{len(who)} faces of {len(set(who))} people were found; there must be two people, and two of one of them.",
            "Give more photos of the same people.",
        )
    return PairPhotos(labelled(crops, who), tuple(places), people, turned, paths, unreadable, by_name, name)


def calibrates(source: Path) -> bool:
    """Tell whether a source names everybody. A list of pairs does not: people of different pairs may be the same."""
    return not (source.is_file() and _lists_pairs(source))


def _listed(source: Path) -> tuple[tuple[Path, ...], tuple[str, ...], tuple[bool, ...], bool, str]:
    if not calibrates(source):
        pairs = read_pairs(source)
        people = tuple(str(number) for number in pairs.people.tolist())
        return pairs.with_root(source.parent), people, (False,) * len(people), False, pairs.name or source.stem
    photos = labelled_photos(source)
    return photos.paths, photos.people, photos.profiles, True, photos.name


def _lists_pairs(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            header = lines.readline().lower()
    except OSError:
        return False
    return "path1" in header or header.strip().replace("\t", "").replace(" ", "").isdigit()


def sample_faces(services: Services) -> Job[TryFaces]:
    """Find the faces of the photos that come with installed packages; none where these are missing."""
    crops: list[Image] = []
    for done, name in enumerate(SAMPLES):
        yield Progress(done, len(SAMPLES), name)
        with contextlib.suppress(KnownError):
            crops += [face.crop for face in services.analyse(sample_file(name), embed=False).faces]
    return disguised(crops)


def calibrate_with(model: ModelInfo, photos: PairPhotos, provider: str, threads: int) -> Job[tuple[Calibration, ...]]:
    """Derive the calibrations of a model from faces that were found already.

    Yields
    ------
    Progress
        After each batch.

    Raises
    ------
    KnownError
        There are too few people.
    """
    embedder = Embedder(OnnxNetwork(model.file, provider=provider, threads=threads), model.sha256)
    vectors: NDArray[np.float32] = np.full((len(photos.people), model.dimension), np.nan, np.float32)
    crops = photos.faces.crops
    for start in range(0, len(crops), _BATCH):
        yield Progress(start, len(crops))
        vectors[list(photos.places[start : start + _BATCH])] = embedder.embed_array(crops[start : start + _BATCH])
    readable = np.array([place not in photos.unreadable for place in range(len(photos.people))])
    yield Progress(len(crops), len(crops), "deriving")
    people, turned = np.asarray(photos.people), np.asarray(photos.turned, bool)
    return derive_all(model, vectors[readable], people[readable], turned[readable], photos.name)
