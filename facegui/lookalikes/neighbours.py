"""Which faces are similar enough to be the same person: the edges of the nearest-neighbour graph, exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facegui.lookalikes.linkage import Graph

__all__ = ["principal_axes", "similar_pairs"]

_BLOCK = 1024
"""Rows compared at once with all that follow: some ten megabytes of similarities stay in the cache."""
_LOST = 1e-4
"""Share of the vectors' energy that may be left out of the comparison: an error of about as much in a similarity."""
_SAMPLED = 20_000


def principal_axes(
    vectors: NDArray[np.float32], sampled: int = _SAMPLED
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the axes along which vectors hold most of their energy, and the share that each holds.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
    sampled : int
        So many rows, spread evenly, are looked at.

    Returns
    -------
    axes : ndarray of float32, shape (d, d)
        Orthonormal columns; similarities do not change when vectors are turned onto all of them.
    shares : ndarray of float64, shape (d,)
        Falling, with a sum of 1.
    """
    some = vectors[:: max(1, len(vectors) // sampled)]
    energies, axes = np.linalg.eigh(some.T.astype(np.float64) @ some)
    energies = np.maximum(energies[::-1], 0.0)
    total = energies.sum()
    shares = energies / total if total > 0 else np.full(len(energies), 1 / max(1, len(energies)))
    return np.ascontiguousarray(axes[:, ::-1], np.float32), shares


def similar_pairs(
    vectors: NDArray[np.float32], least: float, neighbours: int, fresh: NDArray[np.bool_] | None = None
) -> Graph:
    """Return the pairs of rows that are at least so similar, each once.

    Where a row has many, the pairs that are among the `neighbours` best of neither end are left out.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Of unit length.
    least : float
    neighbours : int
    fresh : ndarray of bool, shape (n,), optional
        Only pairs with one of these rows.
    """
    count = len(vectors)
    last = count if fresh is None else int(fresh.sum())
    if count < 2 or not last:
        return Graph(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    axes, shares = principal_axes(vectors)
    kept = min(len(shares), int(np.searchsorted(np.cumsum(shares), 1.0 - _LOST)) + 1)
    # Fresh rows first: each is compared with those after it, so the others are compared with fresh ones only.
    order = np.arange(count) if fresh is None else np.argsort(~fresh, kind="stable")
    turned = vectors[order] @ axes[:, :kept]
    firsts, seconds, scores = [], [], []
    for begin in range(0, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        block = turned[begin:end] @ turned[begin:].T
        rows, columns = np.divmod(np.flatnonzero(block.ravel() >= least), block.shape[1])
        ahead = columns > rows
        rows, columns = rows[ahead], columns[ahead]
        firsts.append(order[rows + begin])
        seconds.append(order[columns + begin])
        scores.append(block[rows, columns])
    first, second, similarities = np.concatenate(firsts), np.concatenate(seconds), np.concatenate(scores)
    if len(first) > neighbours * count // 2:
        best = _best_of_either(first, second, similarities, neighbours)
        first, second, similarities = first[best], second[best], similarities[best]
    return Graph(np.minimum(first, second), np.maximum(first, second), similarities)


def _best_of_either(
    first: NDArray[np.int64], second: NDArray[np.int64], scores: NDArray[np.float32], neighbours: int
) -> NDArray[np.bool_]:
    """Tell which pairs are among the best of one of their ends."""
    kept = np.zeros(len(first), bool)
    ends = np.concatenate([first, second])
    order = np.lexsort((-np.concatenate([scores, scores]), ends))
    ends = ends[order]
    starts = np.flatnonzero(np.r_[True, ends[1:] != ends[:-1]])
    place = np.arange(len(ends)) - np.repeat(starts, np.diff(np.r_[starts, len(ends)]))
    kept[order[place < neighbours] % len(first)] = True
    return kept
