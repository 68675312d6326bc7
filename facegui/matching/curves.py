"""Error rates over the similarity scale: the grid, empirical curves, their tails, interpolation.

A rate falls roughly exponentially with the threshold, so everything here interpolates its logarithm.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "CENTERS", "EDGES", "STEP", "Floats", "bin_index", "crossing", "interpolate", "survival"]

Floats: TypeAlias = NDArray[np.float64]

BINS = 200
"""Number of bins from -1 to 1."""

STEP = 2.0 / BINS
"""Width of a bin."""

EDGES: Floats = np.linspace(-1.0, 1.0, BINS + 1)
"""Edges of the bins, float64, (BINS + 1,)."""

CENTERS: Floats = (EDGES[:-1] + EDGES[1:]) / 2
"""Middles of the bins, float64, (BINS,)."""

EDGES.flags.writeable = False
CENTERS.flags.writeable = False

# Fewer comparisons than this above a threshold say too little about the rate there: the tail takes over.
_LEAST_COUNT = 10
# The slope of the tail is taken from at least this many of the highest scores.
_LEAST_TAIL = 50
_ROUNDING = 1e-9


def bin_index(scores: NDArray[np.floating], bins: int = BINS) -> NDArray[np.int64]:
    """Return the bin of each similarity; bin k holds ``edge[k] <= score < edge[k + 1]``.

    Parameters
    ----------
    scores : array of float
        Similarities; values outside -1..1 go to the first or last bin.
    bins : int
        Number of equal bins from -1 to 1.
    """
    index = np.floor((np.asarray(scores, dtype=np.float64) + 1.0) * (bins / 2) + _ROUNDING).astype(np.int64)
    return np.clip(index, 0, bins - 1)


def survival(counts: NDArray[np.floating] | NDArray[np.integer], independent: float) -> Floats:
    """Return the share of scores at or above each edge, never 0.

    The empirical share is used while at least ten comparisons lie above the edge. Beyond, an exponential tail
    takes over whose slope is the inverse mean excess of the highest scores (the maximum-likelihood fit of an
    exponential distribution to peaks over a threshold), or the empirical share where that is greater. The
    scores of strangers thin out faster than exponentially, so the tail errs towards a larger rate.

    Parameters
    ----------
    counts : array, shape (BINS,)
        Comparisons per bin, weighted or not; the sum is above 0.
    independent : float
        Number of independent comparisons behind the counts; the tail's slope uses the highest ten of them.

    Returns
    -------
    array of float64, shape (BINS + 1,)
        Not increasing, 1 at the first edge.
    """
    counts = np.asarray(counts, dtype=np.float64)
    above = np.append(np.cumsum(counts[::-1])[::-1], 0.0)
    total = above[0]
    if total <= 0:
        raise ValueError("a curve needs at least one score")
    share = above / total
    least = min(_LEAST_COUNT, total)
    last = int(np.flatnonzero(above >= least * (1 - _ROUNDING))[-1])
    wanted = max(_LEAST_TAIL, _LEAST_COUNT * total / max(independent, 1.0))
    start = min(int(np.flatnonzero(above >= min(wanted, total / 2) * (1 - _ROUNDING))[-1]), last)
    excess = float(np.sum(counts[start:] * (CENTERS[start:] - EDGES[start])) / above[start])
    tail = share[last] * np.exp(-(EDGES - EDGES[last]) / max(excess, STEP / 2))
    result: Floats = np.where(np.arange(BINS + 1) <= last, share, np.maximum(share, tail))
    return result


def interpolate(at: Floats | float, knots: Floats, values: Floats) -> Floats:
    """Return values between knots, linear in the logarithm of the values (all above 0)."""
    result: Floats = np.exp(np.interp(at, knots, np.log(values)))
    return result


def crossing(value: float, knots: Floats, values: Floats) -> float:
    """Return the smallest threshold at which a falling curve is at or below `value`.

    Parameters
    ----------
    value : float
        Rate asked for, above 0.
    knots, values : array of float64
        Rising thresholds and rates that never rise, all above 0.

    Returns
    -------
    float
        Between the first and the last knot; the last one when the curve stays above `value`.
    """
    index = int(np.argmax(values <= value)) if values[-1] <= value else -1
    if index < 0:
        return float(knots[-1])
    if index == 0:
        return float(knots[0])
    before, after = np.log(values[index - 1]), np.log(values[index])
    part = (before - np.log(value)) / (before - after)
    return float(knots[index - 1] + part * (knots[index] - knots[index - 1]))
