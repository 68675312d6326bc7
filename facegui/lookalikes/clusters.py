"""Who is who in a collection: all faces put together to people, quickly, with what the user said as law."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facegui.gallery.clusters import Evidence, Grouped
from facegui.lookalikes.linkage import Ids, Links, join
from facegui.lookalikes.neighbours import similar_pairs

__all__ = ["ClusterLimits", "group"]

_ALONE = -1
_CHOICES = 3
"""Groups that are considered for a poor face: its best one may be closed to it."""
_CHUNK = 2048


@dataclass(frozen=True, slots=True)
class ClusterLimits:
    """The numbers that steer the grouping.

    Attributes
    ----------
    join : float
        Average similarity from which two groups are one person.
    attach : float
        Average similarity from which a poor face belongs to a group.
    seed : float
        Quality from which a face takes part in forming groups.
    neighbours : int
        Pairs looked at per face at most.
    """

    join: float
    attach: float
    seed: float
    neighbours: int


def group(
    vectors: NDArray[np.float32], evidence: Evidence, limits: ClusterLimits, *, anew: bool = False
) -> tuple[Grouped, dict[int, int]]:
    """Put faces together to people.

    Two faces of one photo are never one person, answers are kept, enrolled people stay apart, and faces that are
    together already stay so.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Of unit length, a row per face of `evidence`.
    evidence : Evidence
    limits : ClusterLimits
    anew : bool
        Begin from what the user said alone, not from the groups of the last run.

    Returns
    -------
    grouped : Grouped
        Group numbers of before where there are such, new ones from -2 downwards, -1 for a face by itself.
    owners : dict of int to int
        The enrolled people that groups belong to.
    """
    count = len(vectors)
    start = evidence.clusters.copy()
    if anew:
        start[~evidence.placed] = _ALONE
    start[_astray(start, evidence.person_ids)] = _ALONE
    held = evidence.placed | (evidence.person_ids >= 0)
    seed = (evidence.quality >= limits.seed) | held
    rows = np.flatnonzero(seed)
    links = _links(evidence)
    part = Links(np.empty((0, 2), np.int64), _inside(links.different, rows, count), links.owner[rows])
    begin = start[rows]
    fresh = begin == _ALONE
    graph = similar_pairs(vectors[rows], limits.join, limits.neighbours, None if fresh.all() else fresh)
    found = join(vectors[rows], graph, part, limits.join, begin)
    same = _inside(links.same, rows, count)
    if len(same):
        # Whole groups are one person then, which their faces could not have told.
        found = join(vectors[rows], graph, replace(part, same=same), limits.join, found)
    labels = np.full(count, _ALONE, np.int64)
    labels[rows] = found
    _attach(vectors, labels, seed, links, evidence, limits)
    return _numbered(vectors, labels, seed, start, held, evidence)


def _astray(start: Ids, owners: Ids) -> Ids:
    """Return the rows of somebody's faces in groups where most of the faces that are somebody's are another's."""
    rows = np.flatnonzero((start >= 0) & (owners >= 0))
    pairs, counts = np.unique(np.stack([start[rows], owners[rows]], 1), axis=0, return_counts=True)
    order = np.lexsort((pairs[:, 1], -counts, pairs[:, 0]))
    groups, first = np.unique(pairs[order, 0], return_index=True)
    most = pairs[order[first], 1]
    astray: Ids = rows[owners[rows] != most[np.searchsorted(groups, start[rows])]] if len(rows) else rows
    return astray


def _links(evidence: Evidence) -> Links:
    """Return what is known of pairs, by row."""
    ids = evidence.face_ids
    same, different = _rows_of(ids, evidence.same), _rows_of(ids, evidence.different)
    pairs = [different, _one_photo(evidence.photo_ids)]
    owned = np.flatnonzero(evidence.person_ids >= 0)
    people, first = np.unique(evidence.person_ids[owned], return_index=True)
    if len(evidence.not_person) and len(people):
        spot = np.minimum(np.searchsorted(people, evidence.not_person[:, 1]), len(people) - 1)
        known = people[spot] == evidence.not_person[:, 1]
        stand_in = ids[owned[first[spot]]]
        pairs.append(_rows_of(ids, np.stack([evidence.not_person[known, 0], stand_in[known]], 1)))
    return Links(same, np.concatenate(pairs), evidence.person_ids)


def _rows_of(ids: Ids, pairs: Ids) -> Ids:
    """Return pairs of face ids as pairs of rows, without those that are not there."""
    if not len(pairs) or not len(ids):
        return np.empty((0, 2), np.int64)
    spot = np.minimum(np.searchsorted(ids, pairs), len(ids) - 1)
    found: Ids = spot[(ids[spot] == pairs).all(1)].astype(np.int64)
    return found


def _one_photo(photo_ids: Ids) -> Ids:
    """Return all pairs of rows that are in one photo."""
    order = np.argsort(photo_ids, kind="stable")
    edges = np.flatnonzero(np.r_[True, np.diff(photo_ids[order]) != 0, True]) if len(order) else np.zeros(1, np.int64)
    pairs = [np.empty((0, 2), np.int64)]
    for begin, end in pairwise(edges.tolist()):
        if end - begin > 1:
            low, high = np.triu_indices(end - begin, 1)
            pairs.append(np.stack([order[begin + low], order[begin + high]], 1))
    return np.concatenate(pairs)


def _inside(pairs: Ids, rows: Ids, count: int) -> Ids:
    """Return the pairs within `rows`, numbered by their place there."""
    place = np.full(count, _ALONE, np.int64)
    place[rows] = np.arange(len(rows))
    inside: Ids = place[pairs]
    return inside[(inside >= 0).all(1)]


def _attach(
    vectors: NDArray[np.float32], labels: Ids, seed: NDArray[np.bool_], links: Links, evidence: Evidence,
    limits: ClusterLimits,
) -> None:  # fmt: skip
    """Give each poor face to the most similar group that is open to it."""
    poor = np.flatnonzero(~seed)
    if not len(poor) or not seed.any():
        return
    sums, sizes = _sums(vectors[seed], labels[seed])
    wanted: list[tuple[float, int, int]] = []
    for begin in range(0, len(poor), _CHUNK):
        some = poor[begin : begin + _CHUNK]
        scores = (vectors[some] @ sums.T) / sizes
        best = np.argsort(-scores, axis=1)[:, :_CHOICES]
        for row, choices, values in zip(some.tolist(), best.tolist(), np.take_along_axis(scores, best, 1), strict=True):
            wanted += [(-float(v), row, c) for c, v in zip(choices, values, strict=True) if v >= limits.attach]
    photos = evidence.photo_ids
    taken = set(zip(labels[seed].tolist(), photos[seed].tolist(), strict=True))
    apart: dict[int, set[int]] = {}
    for one, other in links.different.tolist():
        apart.setdefault(one, set()).add(other)
        apart.setdefault(other, set()).add(one)
    for _, row, label in sorted(wanted):
        if labels[row] != _ALONE or (label, int(photos[row])) in taken:
            continue
        if any(labels[other] == label for other in apart.get(row, ())):
            continue
        labels[row] = label
        taken.add((label, int(photos[row])))


def _sums(vectors: NDArray[np.float32], labels: Ids) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    order = np.argsort(labels, kind="stable")
    present, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    sums = np.zeros((int(present[-1]) + 1, vectors.shape[1]), np.float32)
    sums[present] = np.add.reduceat(vectors[order], starts, axis=0)
    counts = np.ones(len(sums), np.int64)
    counts[present] = sizes
    return sums, counts


def _numbered(
    vectors: NDArray[np.float32], labels: Ids, seed: NDArray[np.bool_], start: Ids, held: NDArray[np.bool_],
    evidence: Evidence,
) -> tuple[Grouped, dict[int, int]]:  # fmt: skip
    """Give groups the numbers that most of their faces had before, and tell how typical each face is of its group."""
    inside = np.flatnonzero(labels >= 0)
    numbers = np.full(len(labels), _ALONE, np.int64)
    similarities = np.zeros(len(labels), np.float32)
    owners: dict[int, int] = {}
    if len(inside):
        sums, sizes = _sums(vectors[inside], labels[inside])
        own = np.einsum("ij,ij->i", vectors[inside], sums[labels[inside]])
        others = np.maximum(sizes[labels[inside]] - 1, 1)
        similarities[inside] = np.where(sizes[labels[inside]] > 1, (own - 1.0) / others, 1.0)
        number = _kept_numbers(labels, start, held)
        person = np.full(len(sums), _ALONE, np.int64)
        owned = inside[evidence.person_ids[inside] >= 0]
        person[labels[owned]] = evidence.person_ids[owned]
        real = (sizes > 1) | (person >= 0) | (number >= 0)
        number[(number < 0) & real] = -2 - np.arange(int(((number < 0) & real).sum()))
        number[~real] = _ALONE
        numbers[inside] = number[labels[inside]]
        owners = {int(n): int(p) for n, p in zip(number, person, strict=True) if p >= 0 and n != _ALONE}
    return Grouped(evidence.face_ids, numbers, np.clip(similarities, -1.0, 1.0), seed & (labels >= 0)), owners


def _kept_numbers(labels: Ids, start: Ids, held: NDArray[np.bool_]) -> Ids:
    """Return for each label the number that it had: one the user knows before others, then the most frequent."""
    number = np.full(int(labels.max()) + 1, _ALONE, np.int64)
    had = np.flatnonzero((labels >= 0) & (start >= 0))
    pairs, votes = np.unique(np.stack([labels[had], start[had]], 1), axis=0, return_counts=True)
    known = np.isin(pairs[:, 1], start[held & (start >= 0)])
    taken: set[int] = set()
    for place in np.lexsort((pairs[:, 1], -votes, ~known)).tolist():
        label, old = pairs[place].tolist()
        if number[label] == _ALONE and old not in taken:
            number[label] = old
            taken.add(old)
    return number
