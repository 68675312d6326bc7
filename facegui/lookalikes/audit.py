"""What may be wrong among the enrolled people: samples in the wrong place, odd or doubled ones, people too alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facegui.gallery.records import TemplateMatrix

__all__ = ["AuditLimits", "Finding", "Kind", "Mend", "audit"]

_BLOCK = 1024


class Kind(StrEnum):
    """What is the matter."""

    MISPLACED = "nearer to another person"
    OUTLIER = "unlike the others"
    DUPLICATE = "nearly the same twice"
    WEAK = "one weak sample"
    CONFUSED = "two people hard to tell apart"


class Mend(StrEnum):
    """What can be done about it at once."""

    MOVE = "move the sample"
    REMOVE = "remove the sample"
    ADD = "add samples"
    MERGE = "merge, if they are one person"


@dataclass(frozen=True, slots=True)
class AuditLimits:
    """The numbers that decide what is told.

    Attributes
    ----------
    match, no_match : float
        Similarities from which two faces are one person, and below which they are not.
    near_duplicate : float
        Similarity from which a sample adds nothing to another.
    poor : float
        Quality below which a sample is weak.
    """

    match: float
    no_match: float
    near_duplicate: float
    poor: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    Attributes
    ----------
    kind : Kind
    person_id : int
        Whose samples it is about.
    other_id : int or None
        The other person (`MISPLACED`, `CONFUSED`).
    face_ids : tuple of int
        The samples to show; the first is the one in question.
    similarity : float
        To the other person, to the person's own other samples, or to the other sample; the quality for `WEAK`.
    own : float or None
        For `MISPLACED`: similarity to the person's own other samples.
    mend : Mend
    """

    kind: Kind
    person_id: int
    other_id: int | None
    face_ids: tuple[int, ...]
    similarity: float
    own: float | None
    mend: Mend


def audit(
    matrix: TemplateMatrix,
    limits: AuditLimits,
    apart: frozenset[tuple[int, int]] = frozenset(),
    sure: frozenset[tuple[int, int]] = frozenset(),
) -> tuple[Finding, ...]:
    """Look through all enrolled samples; the gravest comes first.

    A sample is compared with the mean of its person's other samples and with the means of all other people.

    Parameters
    ----------
    matrix : TemplateMatrix
    limits : AuditLimits
    apart : frozenset of tuple of int
        People, the smaller id first, of whom the user said that they are two: not told again.
    sure : frozenset of tuple of int
        Samples and their people of which the user said that they are right: neither misplaced nor odd.
    """
    if not len(matrix.people):
        return ()
    owner = np.searchsorted(matrix.people, matrix.person_ids)
    sizes = np.bincount(owner, minlength=len(matrix.people))
    sums = np.add.reduceat(matrix.vectors, matrix.starts, axis=0)
    right = {
        face
        for face, person in zip(matrix.face_ids.tolist(), matrix.person_ids.tolist(), strict=True)
        if (face, person) in sure
    }
    misplaced = [one for one in _misplaced(matrix, owner, sizes, sums) if one.face_ids[0] not in right]
    told = right | {one.face_ids[0] for one in misplaced}
    found = [*misplaced, *_outliers(matrix, owner, sizes, sums, limits, told)]
    found += _confused(matrix, sizes, sums, limits, apart)
    found += _weak(matrix, owner, sizes, limits)
    found += _duplicates(matrix, sizes, limits)
    return tuple(found)


def _own(
    matrix: TemplateMatrix, owner: NDArray[np.intp], sizes: NDArray[np.intp], sums: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the average similarity of each sample to its person's others; NaN where there is none."""
    total = np.einsum("ij,ij->i", matrix.vectors, sums[owner]) - 1.0
    others = sizes[owner] - 1
    return np.where(others > 0, total / np.maximum(others, 1), np.nan).astype(np.float32)


def _misplaced(
    matrix: TemplateMatrix, owner: NDArray[np.intp], sizes: NDArray[np.intp], sums: NDArray[np.float32]
) -> list[Finding]:
    own = _own(matrix, owner, sizes, sums)
    found: list[tuple[float, Finding]] = []
    for begin in range(0, len(owner), _BLOCK):
        rows = np.arange(begin, min(begin + _BLOCK, len(owner)))
        scores = (matrix.vectors[rows] @ sums.T) / sizes
        scores[np.arange(len(rows)), owner[rows]] = -np.inf
        best = scores.argmax(1)
        values = scores[np.arange(len(rows)), best]
        for place in np.flatnonzero(values > own[rows]).tolist():  # never for a person's only sample: NaN
            row, other = int(rows[place]), int(best[place])
            nearest = _nearest(matrix, row, other)
            finding = Finding(
                Kind.MISPLACED, int(matrix.person_ids[row]), int(matrix.people[other]),
                (int(matrix.face_ids[row]), nearest), float(values[place]), float(own[row]), Mend.MOVE,
            )  # fmt: skip
            found.append((float(own[row] - values[place]), finding))
    return [finding for _, finding in sorted(found, key=lambda item: item[0])]


def _nearest(matrix: TemplateMatrix, row: int, person: int) -> int:
    start = int(matrix.starts[person])
    stop = int(matrix.starts[person + 1]) if person + 1 < len(matrix.starts) else len(matrix.vectors)
    return int(matrix.face_ids[start + int((matrix.vectors[start:stop] @ matrix.vectors[row]).argmax())])


def _outliers(
    matrix: TemplateMatrix, owner: NDArray[np.intp], sizes: NDArray[np.intp], sums: NDArray[np.float32],
    limits: AuditLimits, told: set[int],
) -> list[Finding]:  # fmt: skip
    own = _own(matrix, owner, sizes, sums)
    rows = np.flatnonzero((own < limits.no_match) & (sizes[owner] > 2))
    return [
        Finding(
            Kind.OUTLIER, int(matrix.person_ids[row]), None, (int(matrix.face_ids[row]),), float(own[row]), None,
            Mend.REMOVE,
        )
        for row in rows[np.argsort(own[rows], kind="stable")].tolist()
        if int(matrix.face_ids[row]) not in told
    ]  # fmt: skip


def _confused(
    matrix: TemplateMatrix, sizes: NDArray[np.intp], sums: NDArray[np.float32], limits: AuditLimits,
    apart: frozenset[tuple[int, int]],
) -> list[Finding]:  # fmt: skip
    averages = sums / sizes[:, None]
    found: list[Finding] = []
    for begin in range(0, len(sums), _BLOCK):
        scores = averages[begin : begin + _BLOCK] @ averages.T
        for place, other in np.argwhere(scores >= limits.match).tolist():
            one = begin + place
            people = int(matrix.people[one]), int(matrix.people[other])
            if one >= other or people in apart:
                continue
            first = int(matrix.face_ids[matrix.starts[one]])
            second = _nearest(matrix, int(matrix.starts[one]), other)
            similarity = float(scores[place, other])
            found.append(Finding(Kind.CONFUSED, *people, (first, second), similarity, None, Mend.MERGE))
    return sorted(found, key=lambda finding: -finding.similarity)


def _weak(
    matrix: TemplateMatrix, owner: NDArray[np.intp], sizes: NDArray[np.intp], limits: AuditLimits
) -> list[Finding]:
    rows = np.flatnonzero((sizes[owner] == 1) & (matrix.quality < limits.poor))
    return [
        Finding(
            Kind.WEAK, int(matrix.person_ids[row]), None, (int(matrix.face_ids[row]),), float(matrix.quality[row]),
            None, Mend.ADD,
        )
        for row in rows[np.argsort(matrix.quality[rows], kind="stable")].tolist()
    ]  # fmt: skip


def _duplicates(matrix: TemplateMatrix, sizes: NDArray[np.intp], limits: AuditLimits) -> list[Finding]:
    """Find samples that add nothing; of two, the one of lesser quality is in question."""
    found: list[Finding] = []
    for person, start, size in zip(matrix.people.tolist(), matrix.starts.tolist(), sizes.tolist(), strict=True):
        if size < 2:
            continue
        vectors = matrix.vectors[start : start + size]
        for one, other in np.argwhere(np.triu(vectors @ vectors.T >= limits.near_duplicate, 1)).tolist():
            rows = sorted((start + one, start + other), key=lambda row: (float(matrix.quality[row]), -row))
            ids = tuple(int(matrix.face_ids[row]) for row in rows)
            similarity = min(1.0, float(vectors[one] @ vectors[other]))
            found.append(Finding(Kind.DUPLICATE, person, None, ids, similarity, None, Mend.REMOVE))
    return sorted(found, key=lambda finding: -finding.similarity)
