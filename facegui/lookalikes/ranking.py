"""Faces of the index ordered by their likeness to one face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Box, Vector
from facegui.gallery.records import FaceMatrix

if TYPE_CHECKING:
    from facegui.gallery.store import Gallery

__all__ = ["Hit", "Ranking", "rank"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One face of a ranking.

    Attributes
    ----------
    rank : int
        0 for the most similar.
    face_id, photo_id : int
    path : str
    similarity : float
        Cosine, -1..1.
    box : Box
        In pixels of the upright original.
    person_id : int or None
        The enrolled person whose sample this is.
    """

    rank: int
    face_id: int
    photo_id: int
    path: str
    similarity: float
    box: Box
    person_id: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Faces ordered by falling similarity. It holds arrays, so that 100,000 faces are cheap.

    Attributes
    ----------
    face_ids, photo_ids : ndarray of int64, shape (n,)
    similarities : ndarray of float32, shape (n,)
        Falling.
    searched : int
        How many faces were compared.
    """

    face_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]
    similarities: NDArray[np.float32]
    searched: int

    def __len__(self) -> int:
        return len(self.face_ids)

    def above(self, similarity: float) -> int:
        """Return how many faces reach `similarity`."""
        return int(np.searchsorted(-self.similarities, -np.float32(similarity), side="right"))

    def first(self, count: int) -> Ranking:
        """Return the first `count` faces alone."""
        return Ranking(self.face_ids[:count], self.photo_ids[:count], self.similarities[:count], self.searched)

    def hits(self, gallery: Gallery, start: int = 0, stop: int | None = None) -> list[Hit]:
        """Return a stretch of the ranking with paths and boxes; faces deleted meanwhile are left out."""
        stop = len(self) if stop is None else min(stop, len(self))
        ids = self.face_ids[start:stop].tolist()
        records = {record.face_id: record for record in gallery.faces(ids)}
        return [
            Hit(
                start + offset,
                face_id,
                records[face_id].photo_id,
                records[face_id].path,
                float(self.similarities[start + offset]),
                records[face_id].box,
                records[face_id].person_id,
            )
            for offset, face_id in enumerate(ids)
            if face_id in records
        ]


def rank(
    matrix: FaceMatrix,
    query: Vector,
    *,
    top: int | None = None,
    one_per_photo: bool = False,
    without: Sequence[int] = (),
) -> Ranking:
    """Order all faces by their similarity to `query` (exact, one matrix product).

    Parameters
    ----------
    matrix : FaceMatrix
    query : Vector
        (d,), unit length, of the same model.
    top : int, optional
        Keep only so many.
    one_per_photo : bool
        Keep only the most similar face of each photo.
    without : sequence of int
        Face ids to leave out, for example the probe itself.
    """
    scores = matrix.vectors @ query if len(matrix.vectors) else np.zeros(0, np.float32)
    order = np.argsort(-scores, kind="stable")
    if len(without):
        order = order[~np.isin(matrix.face_ids[order], np.asarray(without))]
    if one_per_photo:
        _, first = np.unique(matrix.photo_ids[order], return_index=True)
        order = order[np.sort(first)]
    if top is not None:
        order = order[:top]
    similarities = np.clip(scores[order], -1.0, 1.0).astype(np.float32)
    return Ranking(matrix.face_ids[order], matrix.photo_ids[order], similarities, len(scores))
