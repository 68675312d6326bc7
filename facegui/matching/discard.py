"""Error versus discard: whether a quality number finds the photos that fail (ISO/IEC 29794-1, EDC).

The photos of lowest quality are left out, the threshold stays, and the rates are taken again. Where the quality means
something, the false non-match rate falls with the first photos that go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.matching import metrics
from facegui.matching.intervals import clopper_pearson
from facegui.matching.metrics import Floats
from facegui.matching.pairs import PairSet
from facegui.matching.report import Measured

__all__ = ["SHARES", "DiscardCurve", "DiscardPoint", "discard_curve"]

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Shares of the photos that are left out for the table."""

_AREA_TO = 0.2
_STEPS = 100
_INTERVAL = (2.5, 97.5)  # per cent


@dataclass(frozen=True, slots=True)
class DiscardPoint:
    """The rates when a share of the photos is left out.

    Attributes
    ----------
    share : float
        Share of the photos left out, lowest quality first.
    quality : float or None
        Lowest quality that stays; None for the photos without a face.
    photos, genuine_pairs : int
        What stays.
    fnmr : Measured
    fmr : float
        At the same threshold.
    at_random : float
        The false non-match rate when photos are left out whatever their quality: that of all pairs.
    """

    share: float
    quality: float | None
    photos: int
    genuine_pairs: int
    fnmr: Measured
    fmr: float
    at_random: float


@dataclass(frozen=True, slots=True, eq=False)
class DiscardCurve:
    """Error versus discard.

    Attributes
    ----------
    fmr : float
        The false match rate of all pairs that the threshold is for.
    threshold : float
    points : tuple of DiscardPoint
    shares, fnmr : array of float64
        The curve in small steps.
    area : float
        Mean false non-match rate over the first fifth of the photos, in shares of the rate at the start: 1 for a
        quality that says nothing, near 0 for one that finds the failures first.
    """

    fmr: float
    threshold: float
    points: tuple[DiscardPoint, ...]
    shares: Floats
    fnmr: Floats
    area: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "fmr": self.fmr,
            "threshold": self.threshold,
            "points": [asdict(point) for point in self.points],
            "curve": {"share": self.shares.tolist(), "fnmr": self.fnmr.tolist()},
            "area": self.area,
        }


def _order(quality: Floats) -> NDArray[np.int64]:
    """Return the rank of each photo by quality, worst first; photos without a face (NaN) are the very first."""
    ranks = np.empty(len(quality), np.int64)
    ranks[np.argsort(np.nan_to_num(quality, nan=-np.inf), kind="stable")] = np.arange(len(quality))
    return ranks


def discard_curve(
    pairs: PairSet,
    scores: Floats,
    quality: Sequence[float | None],
    *,
    fmr: float = 1e-3,
    shares: Sequence[float] = SHARES,
    replicates: int = 1000,
    seed: int = 0,
) -> DiscardCurve:
    """Leave out the photos of lowest quality, more and more of them.

    Parameters
    ----------
    pairs : PairSet
    scores : array of float64, shape (n,)
        Similarity of each pair; NaN, which is a non-match, where a photo has no face.
    quality : sequence of (float or None)
        Of each photo; None where it has no face. Those go first.
    fmr : float
        The threshold is the lowest one that keeps the false match rate of all pairs at or below this.
    shares : sequence of float
        0..1.
    replicates, seed : int
        Of the bootstrap over people.
    """
    known = np.array([np.nan if value is None else value for value in quality], np.float64)
    ranks = _order(known)
    worse = np.minimum(ranks[pairs.left], ranks[pairs.right])
    threshold = metrics.threshold_at_fmr(scores[~pairs.same], fmr)
    accepted = scores >= threshold  # False for NaN
    missed = float(np.mean(~accepted[pairs.same]))

    def point(share: float) -> DiscardPoint:
        gone = round(share * len(ranks))
        kept = worse >= gone
        stays = known[ranks == gone] if gone < len(ranks) else np.empty(0)
        return DiscardPoint(
            share, float(stays[0]) if stays.size and not np.isnan(stays[0]) else None, len(ranks) - gone,
            int(np.sum(kept & pairs.same)), _fnmr(pairs, accepted, kept, replicates, seed),
            float(np.mean(accepted[kept & ~pairs.same])) if np.any(kept & ~pairs.same) else 0.0, missed,
        )  # fmt: skip

    fine = np.linspace(0.0, max(shares), _STEPS + 1)
    rates = np.array([_rate(~accepted[pairs.same & (worse >= round(share * len(ranks)))]) for share in fine.tolist()])
    first = fine <= _AREA_TO + 1e-9
    area = float(np.nanmean(rates[first])) / missed if missed else 1.0
    return DiscardCurve(fmr, threshold, tuple(point(share) for share in shares), fine, rates, area)


def _rate(wrong: NDArray[np.bool_]) -> float:
    return float(np.mean(wrong)) if len(wrong) else float("nan")


def _fnmr(pairs: PairSet, accepted: NDArray[np.bool_], kept: NDArray[np.bool_], replicates: int, seed: int) -> Measured:
    """Return the share of genuine pairs that are not accepted, with its bootstrap interval over people."""
    genuine = kept & pairs.same
    if not genuine.any():
        return Measured(float("nan"), 0.0, 1.0)
    who = np.unique(pairs.people[pairs.left[genuine]], return_inverse=True)[1]
    wrong = np.bincount(who, ~accepted[genuine])
    count = np.bincount(who)
    drawn = np.random.default_rng(seed).integers(0, len(count), (replicates, len(count)))
    low, high = np.percentile(wrong[drawn].sum(1) / count[drawn].sum(1), _INTERVAL)
    value = float(wrong.sum() / count.sum())
    if not low < high:
        exact = clopper_pearson(round(value * len(count)), len(count))
        low, high = exact.low, exact.high
    return Measured(value, min(value, float(low)), max(value, float(high)))
