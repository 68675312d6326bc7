"""How well a grouping agrees with who the people really are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bcubed", "pairwise"]

Ids = NDArray[np.int64]


def _table(groups: Ids, people: Ids) -> tuple[Ids, Ids, Ids]:
    """Return the combinations of group and person, how many faces each has, and the group of each face."""
    alone = groups < 0
    apart = groups.astype(np.int64).copy()
    apart[alone] = apart.max(initial=0) + 1 + np.arange(int(alone.sum()))
    pairs, shared = np.unique(np.stack([apart, people], 1), axis=0, return_counts=True)
    return pairs, shared, apart


def pairwise(groups: Ids, people: Ids) -> tuple[float, float, float]:
    """Return precision, recall and F of the pairs of faces that are together; a negative group is a face by itself."""
    _, shared, apart = _table(groups, people)
    together = _pairs(shared)
    precision = together / max(1, _pairs(np.unique(apart, return_counts=True)[1]))
    recall = together / max(1, _pairs(np.unique(people, return_counts=True)[1]))
    return precision, recall, _f(precision, recall)


def bcubed(groups: Ids, people: Ids) -> tuple[float, float, float]:
    """Return BCubed precision, recall and F (Bagga and Baldwin, 1998): averages over the faces."""
    pairs, shared, apart = _table(groups, people)
    group_ids, group_sizes = np.unique(apart, return_counts=True)
    person_ids, person_sizes = np.unique(people, return_counts=True)
    in_group = group_sizes[np.searchsorted(group_ids, pairs[:, 0])]
    of_person = person_sizes[np.searchsorted(person_ids, pairs[:, 1])]
    precision = float((shared**2 / in_group).sum() / len(groups))
    recall = float((shared**2 / of_person).sum() / len(groups))
    return precision, recall, _f(precision, recall)


def _pairs(sizes: NDArray[np.int64]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _f(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
