"""Error rates of face comparison, in the terms of ISO/IEC 19795-1.

A comparison is accepted when its similarity is at or above the threshold. *Genuine* scores compare two photos of
one person, *impostor* scores two photos of different people. A score of NaN means that nothing could be compared
(no face was found: a failure to acquire): it counts as a non-match everywhere here, an error for a genuine pair
and right for an impostor pair. `without_failures` takes such pairs out, for figures without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Accuracy", "Floats", "Folds", "Roc", "accuracy_at", "auc", "best_accuracy", "eer", "fmr", "fnmr",
    "fold_accuracy", "roc", "split", "tar_at_fmr", "threshold_at_fmr", "without_failures",
]  # fmt: skip

Floats: TypeAlias = NDArray[np.float64]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of right decisions at a threshold."""

    value: float
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """Error rates at every threshold that makes a difference.

    Attributes
    ----------
    thresholds : array of float64, shape (n,)
        Falling; the first is infinity, at which nothing is accepted.
    fmr, fnmr : array of float64, shape (n,)
        False match rate (rising from 0) and false non-match rate (falling from 1).
    """

    thresholds: Floats
    fmr: Floats
    fnmr: Floats

    @property
    def tar(self) -> Floats:
        """True accept rate, 1 - FNMR."""
        return 1.0 - self.fnmr


@dataclass(frozen=True, slots=True)
class Folds:
    """Accuracy by cross-validation: each fold is judged at the best threshold of the others.

    Attributes
    ----------
    mean, standard_deviation, standard_error : float
        Over the folds; the deviation has k - 1 in the denominator, the error is divided by the root of k.
    accuracies, thresholds : tuple of float
        One per fold.
    """

    mean: float
    standard_deviation: float
    standard_error: float
    accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]


def split(scores: ArrayLike, same: ArrayLike) -> tuple[Floats, Floats]:
    """Return genuine and impostor scores, both float64."""
    values, mask = np.asarray(scores, dtype=np.float64), np.asarray(same, dtype=bool)
    return values[mask], values[~mask]


def without_failures(scores: ArrayLike) -> Floats:
    """Return the scores that are not NaN."""
    values = np.asarray(scores, dtype=np.float64)
    return values[~np.isnan(values)]


def _sorted(scores: ArrayLike) -> Floats:
    """Return the scores rising, failures first as the lowest of all."""
    values = np.asarray(scores, dtype=np.float64).ravel()
    return np.sort(np.where(np.isnan(values), -np.inf, values))


def _accepted(rising: Floats, thresholds: ArrayLike) -> NDArray[np.int64]:
    limits = np.asarray(thresholds, dtype=np.float64)
    found = len(rising) - np.searchsorted(rising, limits, side="left")
    # A failure is never accepted, not even at the threshold minus infinity.
    return np.minimum(found, len(rising) - np.searchsorted(rising, -np.inf, side="right"))


def _share(count: NDArray[np.int64], total: int) -> Floats:
    return count / total if total else np.full(np.shape(count), np.nan)


def fmr(impostor: ArrayLike, threshold: ArrayLike) -> Floats:
    """Return the false match rate at one or several thresholds; NaN without impostor scores."""
    rising = _sorted(impostor)
    return _share(_accepted(rising, threshold), len(rising))


def fnmr(genuine: ArrayLike, threshold: ArrayLike) -> Floats:
    """Return the false non-match rate at one or several thresholds; NaN without genuine scores."""
    rising = _sorted(genuine)
    return _share(len(rising) - _accepted(rising, threshold), len(rising))


def roc(genuine: ArrayLike, impostor: ArrayLike) -> Roc:
    """Return the error rates at every distinct score; equal scores make one point.

    Raises
    ------
    ValueError
        There are no genuine or no impostor scores.
    """
    mated, other = _both(genuine, impostor)
    every = np.unique(np.concatenate([mated, other]))
    thresholds = np.append(every[np.isfinite(every)], np.inf)[::-1]
    return Roc(
        thresholds,
        _share(_accepted(other, thresholds), len(other)),
        _share(len(mated) - _accepted(mated, thresholds), len(mated)),
    )


def _both(genuine: ArrayLike, impostor: ArrayLike) -> tuple[Floats, Floats]:
    mated, other = _sorted(genuine), _sorted(impostor)
    if not len(mated) or not len(other):
        raise ValueError("both genuine and impostor scores are needed")
    return mated, other


def auc(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """Return the area under the ROC curve: the chance that a genuine pair outscores an impostor pair.

    Ties count one half (Mann-Whitney).
    """
    mated, other = _both(genuine, impostor)
    below = np.searchsorted(other, mated, side="left")
    up_to = np.searchsorted(other, mated, side="right")
    return float((below + up_to).sum() / (2.0 * len(mated) * len(other)))


def eer(genuine: ArrayLike, impostor: ArrayLike) -> tuple[float, float]:
    """Return the equal error rate and its threshold.

    The ROC is a staircase, so the rate lies where its two error rates cross on the straight line between
    neighbouring points.
    """
    curve = roc(genuine, impostor)
    after = int(np.argmax(curve.fmr >= curve.fnmr))
    if curve.fmr[after] < curve.fnmr[after]:  # failures: even accepting all that can be does not cross
        return float((curve.fmr[-1] + curve.fnmr[-1]) / 2), float(curve.thresholds[-1])
    gap_before = curve.fnmr[after - 1] - curve.fmr[after - 1]
    gap_after = curve.fmr[after] - curve.fnmr[after]
    part = gap_before / (gap_before + gap_after)
    rate = curve.fmr[after - 1] + part * (curve.fmr[after] - curve.fmr[after - 1])
    return float(rate), float(curve.thresholds[after])


def threshold_at_fmr(impostor: ArrayLike, rate: float) -> float:
    """Return the lowest threshold at which the false match rate is at most `rate`.

    Parameters
    ----------
    impostor : array of float
    rate : float
        0..1.

    Returns
    -------
    float
        Just above the highest impostor score that must be rejected; minus infinity when none must.
    """
    rising = _sorted(impostor)
    if not len(rising):
        raise ValueError("impostor scores are needed")
    allowed = int(np.floor(rate * len(rising) + _ROUNDING))
    if allowed >= len(rising) or rising[-1 - allowed] == -np.inf:
        return float("-inf")
    return float(np.nextafter(rising[-1 - allowed], np.inf))


def tar_at_fmr(genuine: ArrayLike, impostor: ArrayLike, rate: float) -> float:
    """Return the true accept rate at the lowest threshold whose false match rate is at most `rate`."""
    mated, other = _both(genuine, impostor)
    return 1.0 - float(fnmr(mated, threshold_at_fmr(other, rate)))


def accuracy_at(genuine: ArrayLike, impostor: ArrayLike, threshold: float) -> float:
    """Return the share of right decisions at a threshold."""
    mated, other = _sorted(genuine), _sorted(impostor)
    right = _accepted(mated, threshold) + len(other) - _accepted(other, threshold)
    total = len(mated) + len(other)
    return float(right / total) if total else float("nan")


def best_accuracy(genuine: ArrayLike, impostor: ArrayLike) -> Accuracy:
    """Return the highest share of right decisions that any threshold gives, and that threshold.

    Thresholds are tried half-way between neighbouring scores; among equally good ones the middle one is taken.
    The threshold was chosen on the very scores it is judged by, so this figure flatters: `fold_accuracy` does
    not.
    """
    mated, other = _sorted(genuine), _sorted(impostor)
    every = np.unique(np.concatenate([mated, other]))
    if not len(every):
        raise ValueError("scores are needed")
    every = every[np.isfinite(every)]
    if not len(every):
        return Accuracy(len(other) / (len(mated) + len(other)), 0.0)
    tried = np.concatenate([
        [every[0]], (every[:-1] + every[1:]) / 2, [np.nextafter(every[-1], np.inf)],
    ])  # fmt: skip
    right = _accepted(mated, tried) + len(other) - _accepted(other, tried)
    best = np.flatnonzero(right == right.max())
    chosen = best[len(best) // 2]
    return Accuracy(float(right[chosen] / (len(mated) + len(other))), float(tried[chosen]))


def fold_accuracy(scores: ArrayLike, same: ArrayLike, folds: ArrayLike) -> Folds:
    """Return the accuracy by cross-validation, as the LFW protocol does with ten folds.

    Parameters
    ----------
    scores : array of float, shape (n,)
    same : array of bool, shape (n,)
    folds : array of int, shape (n,)
        Number of the fold of each pair.

    Raises
    ------
    ValueError
        There are fewer than two folds.
    """
    values, mask = np.asarray(scores, dtype=np.float64), np.asarray(same, dtype=bool)
    numbers = np.asarray(folds)
    if len(np.unique(numbers)) < 2:
        raise ValueError("at least two folds are needed")
    accuracies, thresholds = [], []
    for number in np.unique(numbers):
        inside = numbers == number
        best = best_accuracy(*split(values[~inside], mask[~inside]))
        accuracies.append(accuracy_at(*split(values[inside], mask[inside]), best.threshold))
        thresholds.append(best.threshold)
    deviation = float(np.std(accuracies, ddof=1))
    return Folds(
        float(np.mean(accuracies)), deviation, deviation / sqrt(len(accuracies)),
        tuple(accuracies), tuple(thresholds),
    )  # fmt: skip
