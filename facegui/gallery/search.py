"""Exact search: one matrix product, then the best of it.

Vectors have unit length, so an inner product is the cosine similarity, -1..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Vector
from facegui.gallery.records import FaceMatrix, TemplateMatrix

__all__ = ["Combine", "PersonScores", "best_per_person", "similarities", "top"]

Combine = Literal["mean", "max"]
"""How a person's samples become one score: cosine to their quality-weighted mean, or the nearest sample's."""


@dataclass(frozen=True, slots=True, eq=False)
class PersonScores:
    """Everybody's similarity to one probe, best first; equal ones by person id.

    Attributes
    ----------
    person_ids : ndarray
        int64, (p,).
    scores : ndarray
        float32, (p,), cosines.
    face_ids : ndarray
        int64, (p,): each person's sample nearest to the probe.
    """

    person_ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    face_ids: NDArray[np.int64]

    def margin(self, person_id: int) -> float | None:
        """Return how far a person's score lies above the best other person's; None without another."""
        own = self.person_ids == person_id
        if not own.any() or own.all():
            return None
        return float(self.scores[own][0] - self.scores[~own].max())


def similarities(matrix: FaceMatrix | TemplateMatrix | NDArray[np.float32], query: Vector) -> NDArray[np.float32]:
    """Return the cosine of `query`, (d,), to each row of a matrix, (n, d), as float32 (n,).

    Raises
    ------
    ValueError
        The lengths differ: vectors of different models are never compared.
    """
    vectors = matrix if isinstance(matrix, np.ndarray) else matrix.vectors
    if vectors.shape[0] == 0:
        return np.zeros(0, np.float32)
    if query.shape != (vectors.shape[1],):
        raise ValueError(f"a query of shape {query.shape} does not fit vectors of length {vectors.shape[1]}")
    scores: NDArray[np.float32] = vectors @ query.astype(np.float32, copy=False)
    return scores


def top(
    matrix: FaceMatrix | TemplateMatrix | NDArray[np.float32], query: Vector, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the `k` rows nearest to `query`, best first; equal scores keep the order of the rows.

    Parameters
    ----------
    matrix : FaceMatrix, TemplateMatrix or ndarray
        (n, d) float32 rows of unit length.
    query : Vector
        (d,), unit length.
    k : int
        At least 1; fewer come back when the matrix has fewer rows.

    Returns
    -------
    rows : ndarray
        int64, (min(k, n),).
    scores : ndarray
        float32, their cosines.
    """
    if k < 1:
        raise ValueError("k must be at least 1")
    scores = similarities(matrix, query)
    rows = best_rows(scores, k)
    return rows, scores[rows]


def best_rows(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the places of the `k` largest scores, largest first, ties in their own order."""
    n = scores.size
    if k < n:
        # All that lie above the k-th score, then as many equal to it as are missing, first come first.
        edge = scores[np.argpartition(scores, n - k)[n - k]]
        above = np.flatnonzero(scores > edge)
        level = np.flatnonzero(scores == edge)[: k - above.size]
        chosen = np.sort(np.concatenate([above, level]))
    else:
        chosen = np.arange(n)
    order = np.argsort(-scores[chosen], kind="stable")
    return chosen[order].astype(np.int64, copy=False)


def best_per_person(
    templates: TemplateMatrix, query: Vector, combine: Combine = "mean", *, shrink: float = 0.0
) -> PersonScores:
    """Return each enrolled person's similarity to `query`, best first.

    Parameters
    ----------
    templates : TemplateMatrix
    query : Vector
        (d,), unit length, of the same model.
    combine : {"mean", "max"}
        Cosine to the normalised quality-weighted mean of the samples, or to the nearest of them.
    shrink : float
        For ``"mean"``: the cosine is multiplied by the agreement of the samples to this power. The mean of samples
        that differ lies nearer to everybody, strangers included; shrinking by the right power keeps the false match
        rate of a threshold that was calibrated on single photos. 0 leaves the cosine as it is.
    """
    if templates.people.size == 0:
        none = np.zeros(0, np.int64)
        return PersonScores(none, np.zeros(0, np.float32), none)
    each = similarities(templates, query)
    nearest = np.maximum.reduceat(each, templates.starts)
    # The first row of each person that reaches that person's best.
    owner = np.searchsorted(templates.people, templates.person_ids)
    reaching = np.flatnonzero(each == nearest[owner])
    _, first = np.unique(owner[reaching], return_index=True)
    faces = templates.face_ids[reaching[first]]
    if combine == "max":
        scores = nearest
    else:
        scores = similarities(templates.means, query) * templates.agreement ** np.float32(shrink)
    order = np.argsort(-scores, kind="stable")
    return PersonScores(templates.people[order], scores[order], faces[order])
