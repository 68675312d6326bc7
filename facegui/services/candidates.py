"""Enrolled people in the order of their similarity to a face."""

from __future__ import annotations

import numpy as np

from facegui.faces.types import Vector
from facegui.gallery.records import TemplateMatrix
from facegui.gallery.search import best_per_person
from facegui.services.values import Candidate

__all__ = ["candidates_of"]


def candidates_of(matrix: TemplateMatrix, probe: Vector, shrink: float) -> tuple[Candidate, ...]:
    """Return everybody enrolled, the most similar first.

    Parameters
    ----------
    matrix : TemplateMatrix
    probe : Vector
        (d,), unit length, of the same model.
    shrink : float
        See `facegui.gallery.search.best_per_person`.
    """
    if not len(matrix.vectors):
        return ()
    scores = best_per_person(matrix, probe, shrink=shrink)
    counts = dict(zip(*np.unique(matrix.person_ids, return_counts=True), strict=True))
    rows = zip(scores.person_ids.tolist(), scores.scores.tolist(), scores.face_ids.tolist(), strict=True)
    return tuple(
        Candidate(person, matrix.names[person], float(np.clip(score, -1.0, 1.0)), face, int(counts[person]))
        for person, score, face in rows
    )
