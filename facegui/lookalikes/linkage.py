"""Faces joined to people: average linkage on the nearest-neighbour graph, under constraints.

Clusters that are each other's nearest are joined, all such pairs of a round at once, until no pair is similar
enough. For average linkage this gives the tree that joining one pair after the other would give (Murtagh, 1983),
in a few dozen rounds of array work. The average similarity of two clusters is the product of their sums over the
product of their sizes, so it is exact and needs no pairwise table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph", "Links", "join"]

Ids = NDArray[np.int64]
Scores = NDArray[np.float32]

_CHUNK = 65536
"""Pairs whose similarity is computed at once: bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Similar pairs of faces, by row: `first` < `second`.

    Attributes
    ----------
    first, second : ndarray of int64, shape (e,)
    similarities : ndarray of float32, shape (e,)
    """

    first: Ids
    second: Ids
    similarities: Scores


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """What is known beforehand of pairs of rows, each (p, 2) int64.

    Attributes
    ----------
    same : ndarray
        Always joined.
    different : ndarray
        Never joined, unless `same` pairs join them already.
    owner : ndarray of int64, shape (n,)
        The person whose sample a row is, or -1: rows of one person are joined, rows of two never.
    """

    same: Ids
    different: Ids
    owner: Ids

    @classmethod
    def none(cls, count: int) -> Links:
        """Return that nothing is known of `count` rows."""
        empty = np.empty((0, 2), np.int64)
        return cls(empty, empty, np.full(count, -1, np.int64))


def join(vectors: NDArray[np.float32], graph: Graph, links: Links, threshold: float, start: Ids | None = None) -> Ids:
    """Join rows to clusters.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Of unit length.
    graph : Graph
        Candidate pairs: those at least as similar as could lead to a join.
    links : Links
    threshold : float
        Clusters whose average similarity is below stay apart.
    start : ndarray of int64, shape (n,), optional
        Clusters to begin with: rows with one number >= 0 are together; -1 is a row by itself.

    Returns
    -------
    ndarray of int64, shape (n,)
        Cluster of each row, from 0 without gaps.
    """
    labels = _begin(len(vectors), links, start)
    state = _State(vectors, labels, links, threshold)
    first, second, scores = state.contract(graph.first, graph.second, graph.similarities)
    while len(first):
        pairs = _mutual_best(first, second, scores, len(state.sizes))
        renamed, changed = state.merge(pairs)
        first, second = renamed[first], renamed[second]
        stale = changed[first] | changed[second]
        first, second, scores = state.contract(first, second, scores, stale)
    return state.labels


def _begin(count: int, links: Links, start: Ids | None) -> Ids:
    """Return the clusters that answers, enrolled people and earlier runs demand."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]  # late: slow to load
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    chains = [links.same]
    for known in (links.owner, start):
        if known is not None:
            rows = np.flatnonzero(known >= 0)
            rows = rows[np.argsort(known[rows], kind="stable")]
            together = known[rows[1:]] == known[rows[:-1]]
            chains.append(np.stack([rows[:-1][together], rows[1:][together]], 1))
    pairs = np.concatenate(chains)
    links_ = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (count, count))
    labels: Ids = connected_components(links_, directed=False)[1].astype(np.int64)
    return labels


def _mutual_best(first: Ids, second: Ids, scores: Scores, count: int) -> Ids:
    """Return pairs of clusters that are each other's most similar, (p, 2), each cluster once at most."""
    best = np.full(count, -np.inf, np.float32)
    np.maximum.at(best, first, scores)
    np.maximum.at(best, second, scores)
    mutual = np.flatnonzero((scores == best[first]) & (scores == best[second]))
    pairs = np.stack([first[mutual], second[mutual]], 1)
    if np.bincount(pairs.ravel(), minlength=count).max(initial=0) <= 1:
        return pairs
    taken: set[int] = set()
    kept = []
    for one, other in pairs.tolist():  # equal scores, of copies of a photo for example: first come, first served
        if one not in taken and other not in taken:
            taken |= {one, other}
            kept.append((one, other))
    return np.array(kept, np.int64)


class _State:
    """The clusters of one moment: sums, sizes, owners and pairs that must stay apart."""

    def __init__(self, vectors: NDArray[np.float32], labels: Ids, links: Links, threshold: float) -> None:
        from scipy.sparse import coo_array  # late: slow to load

        count = int(labels.max()) + 1 if len(labels) else 0
        self.labels = labels
        self.threshold = threshold
        rows = np.arange(len(labels))
        membership = coo_array((np.ones(len(rows), np.float32), (labels, rows)), (count, len(rows)))
        self.sums = np.asarray(membership.tocsr() @ vectors, np.float32)
        self.sizes = np.bincount(labels, minlength=count)
        self.owner = np.full(count, -1, np.int64)
        owned = links.owner >= 0
        self.owner[labels[owned]] = links.owner[owned]
        self.apart = self._keys(labels[links.different[:, 0]], labels[links.different[:, 1]])

    def _keys(self, first: Ids, second: Ids) -> Ids:
        count = len(self.sizes)
        keys = np.minimum(first, second) * count + np.maximum(first, second)
        return np.unique(keys[first != second])

    def contract(
        self, first: Ids, second: Ids, scores: Scores, stale: NDArray[np.bool_] | None = None
    ) -> tuple[Ids, Ids, Scores]:
        """Return pairs of clusters, each once, allowed and similar enough, with their average similarity.

        `stale` says whose score must be computed anew; None for pairs of rows, where single rows keep theirs.
        """
        if stale is None:
            first, second = self.labels[first], self.labels[second]
            stale = (self.sizes[first] > 1) | (self.sizes[second] > 1)
        low, high = np.minimum(first, second), np.maximum(first, second)
        keys, place = np.unique(low * len(self.sizes) + high, return_index=True)
        low, high = low[place], high[place]
        owners = self.owner[low], self.owner[high]
        allowed = (low != high) & ~((owners[0] >= 0) & (owners[1] >= 0) & (owners[0] != owners[1]))
        if len(self.apart):
            spot = np.minimum(np.searchsorted(self.apart, keys), len(self.apart) - 1)
            allowed &= self.apart[spot] != keys
        place, low, high = place[allowed], low[allowed], high[allowed]
        found, again = scores[place].copy(), np.flatnonzero(stale[place])
        for begin in range(0, len(again), _CHUNK):
            some = again[begin : begin + _CHUNK]
            found[some] = np.einsum("ij,ij->i", self.sums[low[some]], self.sums[high[some]]) / (
                self.sizes[low[some]] * self.sizes[high[some]]
            )
        # Of two clusters' average, one part at least reaches what the whole reaches: a pair below is not needed again.
        enough = found >= self.threshold
        return low[enough], high[enough], found[enough]

    def merge(self, pairs: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        """Join pairs of clusters; return the new number of each old cluster, and which new ones are joined ones."""
        keep, drop = pairs[:, 0], pairs[:, 1]
        before = len(self.sizes)
        low, high = self.apart // before, self.apart % before
        self.sums[keep] += self.sums[drop]
        self.sizes[keep] += self.sizes[drop]
        self.owner[keep] = np.maximum(self.owner[keep], self.owner[drop])
        stays = np.ones(before, bool)
        stays[drop] = False
        renamed = np.cumsum(stays) - 1
        renamed[drop] = renamed[keep]
        changed = np.zeros(before - len(pairs), bool)
        changed[renamed[keep]] = True
        self.sums, self.sizes, self.owner = self.sums[stays], self.sizes[stays], self.owner[stays]
        self.labels = renamed[self.labels]
        self.apart = self._keys(renamed[low], renamed[high])
        return renamed, changed
