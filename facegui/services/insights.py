"""What stands behind the numbers of this gallery: scores within and between its people, and a map of its samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from facegui.jobs import Job, Progress
from facegui.lookalikes.neighbour_map import FEWEST, neighbour_map
from facegui.matching.error_curves import ErrorCurves, of_scores

if TYPE_CHECKING:
    from facegui.gallery.records import TemplateMatrix
    from facegui.services.core import Services

__all__ = ["MOST_MAPPED", "MOST_SCORED", "GalleryScores", "SampleMap", "gallery_scores", "map_samples"]

MOST_SCORED = 4_000
"""Samples compared all with all; of more, as many are drawn at random."""

MOST_MAPPED = 2_000
"""Samples on a map."""

MapKind = Literal["pca", "tsne"]
_BLOCK = 500
_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class GalleryScores:
    """Similarities of the enrolled samples.

    Attributes
    ----------
    curves : ErrorCurves or None
        None where there are not two people, or nobody with two samples.
    samples, people : int
        Compared.
    all_samples : int
        Enrolled with the model in use.
    """

    curves: ErrorCurves | None
    samples: int
    people: int
    all_samples: int


@dataclass(frozen=True, slots=True, eq=False)
class SampleMap:
    """Samples on a plane.

    Attributes
    ----------
    kind : {"pca", "tsne"}
        How it was made; few samples are always placed by PCA.
    places : array of float32, shape (n, 2)
        0..1, upwards.
    face_ids, person_ids : array of int64, shape (n,)
    names : dict of int to str
        By person.
    variance : float
        Share of the variance that the plane shows; NaN for t-SNE.
    all_samples : int
        Enrolled with the model in use.
    """

    kind: MapKind
    places: NDArray[np.float32]
    face_ids: NDArray[np.int64]
    person_ids: NDArray[np.int64]
    names: dict[int, str]
    variance: float
    all_samples: int


def _drawn(matrix: TemplateMatrix, most: int) -> NDArray[np.int64]:
    """Return the rows of at most so many samples, in their order, the same ones every time."""
    count = len(matrix.vectors)
    if count <= most:
        return np.arange(count)
    chosen: NDArray[np.int64] = np.sort(np.random.default_rng(_SEED).permutation(count)[:most])
    return chosen


def gallery_scores(services: Services) -> Job[GalleryScores]:
    """Return the job that compares the samples of the model in use, all with all.

    Yields
    ------
    Progress
        After each block of samples.
    """
    matrix = services.gallery.template_matrix(services.model.sha256)
    rows = _drawn(matrix, MOST_SCORED)
    vectors, owners = matrix.vectors[rows], matrix.person_ids[rows]
    genuine: list[NDArray[np.float32]] = []
    impostor: list[NDArray[np.float32]] = []
    for start in range(0, len(rows), _BLOCK):
        yield Progress(start, len(rows))
        block = slice(start, start + _BLOCK)
        scores = vectors[block] @ vectors.T
        later = np.arange(len(rows))[None, :] > np.arange(len(rows))[block, None]  # each pair once
        same = owners[block, None] == owners[None, :]
        genuine.append(scores[later & same])
        impostor.append(scores[later & ~same])
    people, counts = np.unique(owners, return_counts=True)
    several = int((counts > 1).sum())
    pairs_of_people = len(people) * (len(people) - 1) // 2
    curves = None
    if several and pairs_of_people:
        curves = of_scores(np.concatenate(genuine), np.concatenate(impostor), several, pairs_of_people)
    return GalleryScores(curves, len(rows), len(people), len(matrix.vectors))


def map_samples(services: Services, kind: MapKind) -> Job[SampleMap | None]:
    """Return the job that lays the samples of the model in use out on a plane; None where there are fewer than three.

    Yields
    ------
    Progress
        Before the layout, and during that of t-SNE, which can be ended at any time.
    """
    matrix = services.gallery.template_matrix(services.model.sha256)
    rows = _drawn(matrix, MOST_MAPPED)
    if len(rows) < 3:
        return None
    yield Progress(0, 0)
    vectors = matrix.vectors[rows]
    made: MapKind = kind if len(rows) >= FEWEST else "pca"
    if made == "tsne":
        places, variance = (yield from neighbour_map(vectors)), float("nan")
    else:
        left, lengths, _ = np.linalg.svd(vectors.astype(np.float64) - vectors.mean(0), full_matrices=False)
        places = (left[:, :2] * lengths[:2]).astype(np.float32)
        variance = float((lengths[:2] ** 2).sum() / max((lengths**2).sum(), 1e-12))
    low, high = places.min(0), places.max(0)
    # One scale for both sides: distances mean the same in every direction.
    middle, span = (low + high) / 2, max(float((high - low).max()), 1e-9)
    placed = ((places - middle) / span + 0.5).astype(np.float32)
    return SampleMap(
        made, placed, matrix.face_ids[rows], matrix.person_ids[rows], dict(matrix.names), variance, len(matrix.vectors)
    )
