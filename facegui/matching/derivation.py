"""Derive a calibration from embeddings (or similarities) of known people.

All pairs are made: every two photos of one person are a genuine pair, every two photos of different people
an impostor pair. Pairs that share a person are not independent, so the intervals come from a bootstrap over
people: each replicate draws as many people as there are, with replacement, and a pair of people counts as
often as the product of the two draws. Small rates are skewed, and the plain percentiles would lie too low, so
they are corrected (BCa, Efron 1987) with a jackknife over people. The pairs are streamed person by person and
never held all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.matching.calibration import Calibration, Condition, OperatingPoint
from facegui.matching.curves import BINS, CENTERS, EDGES, Floats, bin_index, crossing

__all__ = ["FMRS", "derive", "derive_from_scores"]

FMRS = (1e-2, 1e-3, 1e-4)
"""False match rates of the operating points."""

_FINE = 10  # the operating points are found on a grid this many times finer
_FINE_BINS = BINS * _FINE
_LEAST_COUNT = 10
_BLOCK = 4_000_000  # similarities held at once
_INTERVAL = (0.025, 0.975)
_NOT_UNIT = 1e-3
_TINY = 1e-12

Block = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.floating]]
"""Similarities of some photos (rows) to some photos (columns)."""


def derive(
    vectors: NDArray[np.floating],
    identities: Sequence[str] | Sequence[int] | NDArray[np.generic],
    *,
    model_id: str,
    source: str,
    condition: Condition = Condition.FRONTAL,
    is_profile: NDArray[np.bool_] | None = None,
    fmrs: Sequence[float] = FMRS,
    replicates: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Derive the calibration of one model under one condition.

    Parameters
    ----------
    vectors : array of float, shape (n, d)
        Unit vectors; a row with NaN stands for a photo without a face and is counted, not compared.
    identities : sequence, length n
        Who is on each photo.
    model_id, source : str
        sha256 of the model file; which photos these are, in words.
    condition : Condition
        ``FRONTAL`` pairs photos that are not profiles; ``PROFILE`` pairs one that is with one that is not.
    is_profile : array of bool, shape (n,), optional
        Which photos show a face turned far to the side; none by default.
    fmrs : sequence of float
        False match rates of the operating points, falling.
    replicates, seed : int
        Replicates of the bootstrap and seed of its generator.

    Raises
    ------
    KnownError
        There are no genuine or no impostor pairs.
    ValueError
        The shapes differ or a vector is not of unit length.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1)
    missing = ~np.isfinite(lengths)
    if np.any(np.abs(lengths[~missing] - 1.0) > _NOT_UNIT):
        raise ValueError("the embeddings must be of unit length")

    def block(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.floating]:
        return vectors[rows] @ vectors[columns].T

    return _derive(block, missing, identities, is_profile, condition, model_id, source, fmrs, replicates, seed)


def derive_from_scores(
    scores: NDArray[np.floating],
    identities: Sequence[str] | Sequence[int] | NDArray[np.generic],
    *,
    model_id: str,
    source: str,
    condition: Condition = Condition.FRONTAL,
    is_profile: NDArray[np.bool_] | None = None,
    fmrs: Sequence[float] = FMRS,
    replicates: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Derive a calibration from the symmetric matrix (n, n) of similarities; see `derive`.

    A photo whose similarity to itself is NaN stands for a photo without a face.
    """
    missing = ~np.isfinite(np.diagonal(scores))

    def block(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.floating]:
        return scores[np.ix_(rows, columns)]

    return _derive(block, missing, identities, is_profile, condition, model_id, source, fmrs, replicates, seed)


@dataclass(slots=True)
class _Sums:
    """Histograms that grow while the pairs stream by."""

    impostor: Floats  # (fine bins,)
    genuine: Floats
    impostor_replicates: Floats  # (replicates, BINS)
    genuine_replicates: Floats
    impostor_people: Floats  # (people, BINS): the pairs that each person is part of
    genuine_people: Floats
    identity_pairs: int = 0


def _coarse(index: NDArray[np.int64]) -> NDArray[np.int64]:
    return index // _FINE


def _stream(
    block: Block,
    people: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    condition: Condition,
    draws: Floats,
) -> _Sums:
    """Compare everybody with everybody; `people` holds the frontal and the profile photos of each."""
    sums = _Sums(
        np.zeros(_FINE_BINS), np.zeros(_FINE_BINS),
        np.zeros((len(draws), BINS)), np.zeros((len(draws), BINS)),
        np.zeros((len(people), BINS)), np.zeros((len(people), BINS)),
    )  # fmt: skip
    frontal = np.concatenate([f for f, _ in people])
    frontal_owner = np.repeat(np.arange(len(people)), [len(f) for f, _ in people])
    profile = np.concatenate([p for _, p in people])
    profile_owner = np.repeat(np.arange(len(people)), [len(p) for _, p in people])

    for person, (own_frontal, own_profile) in enumerate(people):
        later = frontal_owner > person
        later_profile = profile_owner > person
        if condition is Condition.FRONTAL:
            jobs = [(own_frontal, frontal[later], frontal_owner[later])]
            upper = np.triu_indices(len(own_frontal), 1)
            genuine = block(own_frontal, own_frontal)[upper]
        else:
            jobs = [
                (own_frontal, profile[later_profile], profile_owner[later_profile]),
                (own_profile, frontal[later], frontal_owner[later]),
            ]
            genuine = block(own_frontal, own_profile).ravel()
        if genuine.size:
            index = bin_index(genuine, _FINE_BINS)
            sums.genuine += np.bincount(index, minlength=_FINE_BINS)
            histogram = np.bincount(_coarse(index), minlength=BINS)
            sums.genuine_people[person] = histogram
            sums.genuine_replicates += draws[:, person, None] * histogram
        others = len(people) - person - 1
        pairs = np.zeros((others, BINS))
        for rows, columns, owners in jobs:
            step = max(1, _BLOCK // max(len(columns), 1))
            for start in range(0, len(rows) if len(columns) else 0, step):
                scores = block(rows[start : start + step], columns)
                index = bin_index(scores, _FINE_BINS)
                sums.impostor += np.bincount(index.ravel(), minlength=_FINE_BINS)
                flat = _coarse(index) + (owners - person - 1) * BINS
                pairs += np.bincount(flat.ravel(), minlength=others * BINS).reshape(others, BINS)
        sums.impostor_people[person] += pairs.sum(axis=0)
        sums.impostor_people[person + 1 :] += pairs
        sums.identity_pairs += int(np.count_nonzero(pairs.any(axis=1)))
        sums.impostor_replicates += draws[:, person, None] * (draws[:, person + 1 :] @ pairs)
    return sums


def _derive(
    block: Block,
    missing: NDArray[np.bool_],
    identities: Sequence[str] | Sequence[int] | NDArray[np.generic],
    is_profile: NDArray[np.bool_] | None,
    condition: Condition,
    model_id: str,
    source: str,
    fmrs: Sequence[float],
    replicates: int,
    seed: int,
) -> Calibration:
    names, labels = np.unique(np.asarray(identities), return_inverse=True)
    turned = np.zeros(len(labels), bool) if is_profile is None else np.asarray(is_profile, bool)
    if not len(labels) == len(missing) == len(turned):
        raise ValueError("each photo needs a vector, an identity and a condition")
    relevant = ~turned if condition is Condition.FRONTAL else np.ones(len(labels), bool)
    used = relevant & ~missing
    people = []
    for label in range(len(names)):
        mine = used & (labels == label)
        frontal, profile = np.flatnonzero(mine & ~turned), np.flatnonzero(mine & turned)
        if len(frontal) + len(profile):
            people.append((frontal, profile))
    n = len(people)
    if n < 2:
        raise _too_few(n)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n, np.full(n, 1.0 / n), size=replicates).astype(np.float64)
    sums = _stream(block, people, condition, draws)
    if not sums.impostor.sum() or not sums.genuine.sum():
        raise _too_few(n)
    return _assemble(
        sums, people=n, photos=int(used.sum()), failures=int(np.count_nonzero(relevant & missing)),
        condition=condition, model_id=model_id, source=source, fmrs=fmrs,
    )  # fmt: skip


def _too_few(people: int) -> KnownError:
    return KnownError(
        "The calibration was not made.",
        f"There are no pairs to compare: faces of {people} people were found.",
        "Give at least two people with two photos each.",
    )


def _rounded(values: Floats) -> tuple[float, ...]:
    """Return the values with three significant digits, as they are stored."""
    return tuple(float(f"{v:.3g}") for v in values)


def _shares(histograms: Floats) -> Floats:
    """Return the share at or above each edge, (rows, BINS + 1), leaving out empty rows."""
    above = np.cumsum(histograms[:, ::-1], axis=1)[:, ::-1]
    above = above[above[:, 0] > 0]
    result: Floats = np.hstack([above, np.zeros((len(above), 1))]) / above[:, :1]
    return result


def _intervals(replicates: Floats, people: Floats, total: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the limits of the share at or above each edge: bias-corrected, accelerated percentiles.

    Parameters
    ----------
    replicates : array, shape (replicates, BINS)
        Histograms of the replicates.
    people : array, shape (people, BINS)
        Histogram of the pairs that go when a person is left out.
    total : array, shape (BINS,)
    """
    estimate = _shares(total[None])[0]
    shares = np.sort(np.vstack([_shares(replicates), estimate]), axis=0)
    left_out = _shares(total - people)
    if not len(left_out):  # two people: without one of them there is no pair
        left_out = estimate[None]
    pull = left_out.mean(axis=0) - left_out
    spread = np.sum(pull**2, axis=0)
    skew = np.divide(np.sum(pull**3, axis=0), 6 * spread**1.5, out=np.zeros_like(spread), where=spread > 0)
    below = (np.mean(shares < estimate, axis=0) + np.mean(shares <= estimate, axis=0)) / 2
    normal = NormalDist()
    limits = np.empty((2, BINS + 1))
    for edge in range(BINS + 1):
        bias = normal.inv_cdf(float(np.clip(below[edge], 0.5 / len(shares), 1 - 0.5 / len(shares))))
        for row, part in enumerate(_INTERVAL):
            wanted = bias + normal.inv_cdf(part)
            damping = 1 - skew[edge] * wanted
            corrected = normal.cdf(bias + wanted / damping) if damping > 0 else 1.0
            limits[row, edge] = np.quantile(shares[:, edge], corrected)
    low, high = np.minimum(limits[0], estimate), np.maximum(limits[1], estimate)
    # The correction varies from edge to edge; the limits of a falling curve fall too.
    return _rounded(np.minimum.accumulate(low)), _rounded(np.maximum.accumulate(high[::-1])[::-1])


def _assemble(
    sums: _Sums,
    *,
    people: int,
    photos: int,
    failures: int,
    condition: Condition,
    model_id: str,
    source: str,
    fmrs: Sequence[float],
) -> Calibration:
    impostor = sums.impostor.reshape(BINS, _FINE).sum(axis=1)
    genuine = sums.genuine.reshape(BINS, _FINE).sum(axis=1)
    slope, intercept = _logistic(impostor, genuine)
    fmr_low, fmr_high = _intervals(sums.impostor_replicates, sums.impostor_people, impostor)
    # The share below an edge is the share above it with the scale turned round.
    turned = sums.genuine_replicates[:, ::-1], sums.genuine_people[:, ::-1], genuine[::-1]
    fnmr_low, fnmr_high = (limit[::-1] for limit in _intervals(*turned))
    bare = Calibration(
        model_id=model_id, condition=condition, source=source,
        people=people, photos=photos, failures=failures,
        genuine_pairs=int(sums.genuine.sum()), impostor_pairs=int(sums.impostor.sum()),
        identity_pairs=sums.identity_pairs, operating_points=(),
        impostor_counts=tuple(int(c) for c in impostor), genuine_counts=tuple(int(c) for c in genuine),
        fmr_low=fmr_low, fmr_high=fmr_high, fnmr_low=fnmr_low, fnmr_high=fnmr_high,
        slope=float(f"{slope:.5g}"), intercept=float(f"{intercept:.5g}"),
    )  # fmt: skip
    values = {name: getattr(bare, name) for name in bare.__dataclass_fields__ if not name.startswith("_")}
    points = (_operating_point(fmr, bare, sums) for fmr in sorted(fmrs, reverse=True))
    values["operating_points"] = tuple(points)
    return Calibration(**values)


def _operating_point(fmr: float, calibration: Calibration, sums: _Sums) -> OperatingPoint:
    """Find the lowest threshold of the fine grid whose false match rate is at most `fmr`."""
    above = np.cumsum(sums.impostor[::-1])[::-1]
    # Where nearly nothing was counted above the threshold, the extrapolated tail decides.
    if fmr * above[0] >= _LEAST_COUNT and above[-1] <= fmr * above[0]:
        index = int(np.argmax(above <= fmr * above[0]))
    else:
        index = int(np.ceil((calibration.threshold_for(fmr) + 1.0) * (_FINE_BINS / 2) - 1e-6))
    threshold = round(-1.0 + index * 2.0 / _FINE_BINS, 6)
    low, high = (crossing(fmr, EDGES, np.maximum(c, _TINY)) for c in (calibration.fmr_low, calibration.fmr_high))
    rate = calibration.fmr_at(threshold)
    below = float(np.sum(sums.genuine[:index]) / np.sum(sums.genuine))
    return OperatingPoint(
        fmr=fmr,
        threshold=threshold,
        threshold_low=round(min(low, threshold), 3),
        threshold_high=round(max(high, threshold), 3),
        fmr_low=float(f"{min(rate.low, fmr):.3g}"),
        fmr_high=float(f"{max(rate.high, fmr):.3g}"),
        fnmr=float(f"{below:.3g}"),
        supported=calibration.supports(fmr),
    )


def _logistic(impostor: Floats, genuine: Floats) -> tuple[float, float]:
    """Fit 1 / (1 + exp(-(slope * s + intercept))) to two histograms, both classes weighing the same.

    Newton's method on the cross-entropy, with the targets of Platt (1999) instead of 0 and 1, which keep the
    slope finite when the classes do not overlap.
    """
    weights = np.concatenate([impostor / impostor.sum(), genuine / genuine.sum()])
    targets = np.concatenate([
        np.full(BINS, 1.0 / (impostor.sum() + 2.0)),
        np.full(BINS, (genuine.sum() + 1.0) / (genuine.sum() + 2.0)),
    ])  # fmt: skip
    design = np.column_stack([np.tile(CENTERS, 2), np.ones(2 * BINS)])
    center = (impostor @ CENTERS / impostor.sum() + genuine @ CENTERS / genuine.sum()) / 2
    solution = np.array([10.0, -10.0 * center])

    def loss(parameters: Floats) -> float:
        z = design @ parameters
        return float(np.sum(weights * (np.logaddexp(0.0, z) - targets * z)))

    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ solution, -500, 500)))
        gradient = design.T @ (weights * (p - targets))
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while loss(solution - size * step) > loss(solution) and size > 1e-6:
            size /= 2
        solution = solution - size * step
        if np.max(np.abs(size * step)) < 1e-9 * max(1.0, float(np.max(np.abs(solution)))):
            break
    return float(solution[0]), float(solution[1])
