"""How sure a measured rate is: intervals for shares, and for statistics of pairs that share people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facegui.matching.metrics import Floats

__all__ = ["Interval", "bootstrap_by_person", "clopper_pearson", "rule_of_three", "supported", "wilson"]

_CONFIDENCE = 0.95
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


def wilson(events: int, trials: int, confidence: float = _CONFIDENCE) -> Interval:
    """Return the score interval of Wilson (1927) for a share of independent trials; 0..1 without trials."""
    if not trials:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = events / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    low = 0.0 if events == 0 else max(0.0, middle - half)
    return Interval(low, 1.0 if events == trials else min(1.0, middle + half))


def clopper_pearson(events: int, trials: int, confidence: float = _CONFIDENCE) -> Interval:
    """Return the exact interval of Clopper and Pearson (1934), which is never too narrow."""
    from scipy.special import betaincinv  # type: ignore[import-untyped]  # late: it takes time to load

    if not trials:
        return Interval(0.0, 1.0)
    tail = (1 - confidence) / 2
    low = float(betaincinv(events, trials - events + 1, tail)) if events else 0.0
    high = float(betaincinv(events + 1, trials - events, 1 - tail)) if events < trials else 1.0
    return Interval(low, high)


def rule_of_three(trials: int) -> float:
    """Return the rate that is excluded at 95 % when no event was seen in so many independent trials."""
    return min(1.0, 3.0 / trials) if trials else 1.0


def supported(rate: float, trials: int) -> bool:
    """Return whether so many independent comparisons allow a claim about the rate (rule of three)."""
    return rate >= rule_of_three(trials) * (1 - _ROUNDING)


def bootstrap_by_person(
    statistic: Callable[[Floats, Floats], Sequence[float]],
    scores: ArrayLike,
    same: ArrayLike,
    people: NDArray[np.integer],
    *,
    replicates: int = 1000,
    seed: int = 0,
    confidence: float = _CONFIDENCE,
) -> tuple[Interval, ...]:
    """Return percentile intervals of statistics of pairs that share people.

    Each replicate draws as many people as there are, with replacement. A genuine pair counts as often as its
    person was drawn, an impostor pair as often as the product of its two people's draws.

    Parameters
    ----------
    statistic : callable
        Takes genuine and impostor scores, returns some numbers; called only with both at hand.
    scores, same : array, shape (n,)
    people : array of int, shape (n, 2)
        Numbers from 0 of the people of each pair.
    replicates, seed : int
        Replicates and seed of the generator.
    confidence : float

    Returns
    -------
    tuple of Interval
        One per number; NaN limits where no replicate had both kinds of pairs.
    """
    values, mask = np.asarray(scores, dtype=np.float64), np.asarray(same, dtype=bool)
    count = int(people.max()) + 1 if people.size else 0
    if not count:
        raise ValueError("pairs are needed")
    rng = np.random.default_rng(seed)
    results = []
    for _ in range(replicates):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        weight = np.where(mask, drawn[people[:, 0]], drawn[people[:, 0]] * drawn[people[:, 1]])
        genuine = np.repeat(values[mask], weight[mask])
        impostor = np.repeat(values[~mask], weight[~mask])
        if len(genuine) and len(impostor):
            results.append(tuple(statistic(genuine, impostor)))
    if not results:
        width = len(statistic(values[mask], values[~mask]))
        return (Interval(float("nan"), float("nan")),) * width
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(np.asarray(results), (tail, 100 - tail), axis=0)
    return tuple(Interval(float(a), float(b)) for a, b in zip(low, high, strict=True))
