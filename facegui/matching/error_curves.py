"""Scores and error rates over every threshold, with intervals: what the window draws as histogram, ROC and DET.

A calibration, the enrolled people and an evaluation are drawn by the same plots, so all three become `ErrorCurves`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegui.matching import metrics
from facegui.matching.calibration import Calibration, Rate
from facegui.matching.curves import CENTERS, EDGES, STEP, Floats, bin_index
from facegui.matching.intervals import clopper_pearson, rule_of_three

__all__ = ["Band", "ErrorCurves", "of_calibration", "of_scores"]


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A rate at each threshold with its 95 % interval.

    Attributes
    ----------
    value, low, high : array of float64, shape (n,)
    """

    value: Floats
    low: Floats
    high: Floats

    def at(self, thresholds: Floats, similarity: float) -> Rate:
        """Return the rate at a similarity between two thresholds."""
        found = (float(np.interp(similarity, thresholds, part)) for part in (self.value, self.low, self.high))
        return Rate(*found)


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurves:
    """Distributions of genuine and impostor scores and both error rates.

    Attributes
    ----------
    similarity, genuine, impostor : array of float64, shape (BINS,)
        Middles of the bins and probability per unit of similarity.
    thresholds : array of float64, shape (BINS + 1,) or a little more
        Rising.
    fmr, fnmr : Band
        At the thresholds.
    genuine_pairs, impostor_pairs : int
        Pairs of photos behind them.
    people, identity_pairs : int
        The independent ones among these: people, and pairs of people.
    """

    similarity: Floats
    genuine: Floats
    impostor: Floats
    thresholds: Floats
    fmr: Band
    fnmr: Band
    genuine_pairs: int
    impostor_pairs: int
    people: int
    identity_pairs: int

    @property
    def smallest_claim(self) -> float:
        """Smallest false match rate that so many pairs of people support (rule of three)."""
        return rule_of_three(self.identity_pairs)

    def eer(self) -> tuple[Rate, float]:
        """Return the equal error rate with its interval, and the threshold where both rates meet."""
        gap = self.fmr.value - self.fnmr.value
        after = int(np.argmax(gap <= 0)) or len(gap) - 1
        before = after - 1
        part = gap[before] / max(gap[before] - gap[after], 1e-12)
        threshold = float(self.thresholds[before] + part * (self.thresholds[after] - self.thresholds[before]))
        one, other = self.fmr.at(self.thresholds, threshold), self.fnmr.at(self.thresholds, threshold)
        value = (one.value + other.value) / 2
        return Rate(value, min(one.low, other.low), max(one.high, other.high)), threshold


def of_calibration(calibration: Calibration) -> ErrorCurves:
    """Return the curves of a calibration; beyond what was counted they are its extrapolated tails."""
    densities = calibration.densities()
    rates = [[rate(edge) for edge in EDGES.tolist()] for rate in (calibration.fmr_at, calibration.fnmr_at)]
    fmr, fnmr = (
        Band(*(np.array([getattr(rate, part) for rate in side]) for part in ("value", "low", "high"))) for side in rates
    )
    return ErrorCurves(
        densities.similarity, densities.genuine, densities.impostor, EDGES, fmr, fnmr, calibration.genuine_pairs,
        calibration.impostor_pairs, calibration.people, calibration.identity_pairs,
    )  # fmt: skip


def of_scores(
    genuine: NDArray[np.floating],
    impostor: NDArray[np.floating],
    people: int,
    identity_pairs: int,
    exactly_at: Sequence[float] = (),
) -> ErrorCurves:
    """Return the curves of scores.

    Parameters
    ----------
    genuine, impostor : array of float
        NaN for a pair that could not be compared: a non-match.
    people, identity_pairs : int
        How many people the genuine pairs are of, and pairs of people the impostor ones. The intervals are exact ones
        for so many independent comparisons: many photos of few people make no more.
    exactly_at : sequence of float
        Thresholds at which the rates shall not be interpolated.
    """
    thresholds = np.union1d(EDGES, exactly_at)
    fmr, fnmr = metrics.fmr(impostor, thresholds), metrics.fnmr(genuine, thresholds)
    return ErrorCurves(
        CENTERS, _density(genuine), _density(impostor), thresholds, _band(fmr, identity_pairs), _band(fnmr, people),
        len(genuine), len(impostor), people, identity_pairs,
    )  # fmt: skip


def _density(scores: NDArray[np.floating]) -> Floats:
    counted = metrics.without_failures(scores)
    counts = np.bincount(bin_index(counted), minlength=len(CENTERS)).astype(np.float64)
    return counts / (max(len(counted), 1) * STEP)


def _band(rates: Floats, independent: int) -> Band:
    events = np.round(rates * independent).astype(int)
    known = {count: clopper_pearson(count, independent) for count in set(events.tolist())}
    low, high = (np.array([getattr(known[count], part) for count in events.tolist()]) for part in ("low", "high"))
    return Band(rates, np.minimum(low, rates), np.maximum(high, rates))
