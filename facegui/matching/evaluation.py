"""Evaluate a model on a list of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.faces.types import Vector
from facegui.matching import metrics
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Outcome, Rule, decide, rule_for
from facegui.matching.intervals import Interval, bootstrap_by_person, clopper_pearson, supported
from facegui.matching.metrics import Floats
from facegui.matching.pairs import PairSet
from facegui.matching.report import AtThreshold, Figures, Measured, Miss, Report, TarAtFmr

__all__ = ["FMRS", "evaluate_pairs", "pair_scores"]

FMRS = (1e-1, 1e-2, 1e-3, 1e-4)
"""False match rates at which the true accept rate is reported."""

_WORST = 20
_BLOCK = 100_000  # pairs compared at once


def evaluate_pairs(
    pairs: PairSet,
    embeddings: Mapping[int, Vector | None] | Sequence[Vector | None],
    *,
    model_id: str,
    calibration: Calibration | None = None,
    target_fmr: float = 1e-3,
    replicates: int = 500,
    seed: int = 0,
) -> Report:
    """Evaluate a model on a list of pairs.

    Parameters
    ----------
    pairs : PairSet
    embeddings : mapping or sequence
        Unit vector of each photo by its place in ``pairs.paths``; None or absent where no face was found.
    model_id : str
        sha256 of the model that made them.
    calibration : Calibration or None
        Of that model; its operating points and the target are judged on these pairs.
    target_fmr : float
        The false match rate whose threshold tells the misses.
    replicates, seed : int
        Of the bootstrap over people.

    Raises
    ------
    KnownError
        The list lacks genuine or impostor pairs.
    ValueError
        The calibration is of another model.
    """
    if calibration is not None and calibration.model_id != model_id:
        raise ValueError("the calibration belongs to another model")
    if pairs.same.all() or not pairs.same.any():
        raise KnownError(
            f"{pairs.name or 'The list'} cannot be evaluated.",
            "It has only pairs of one kind.",
            "Add pairs of the same person and pairs of different people.",
        )
    scores, missing = pair_scores(pairs, embeddings)
    failed = np.isnan(scores)
    rules = _rules(calibration, target_fmr)
    figures = _figures(pairs, scores, np.ones(len(pairs), bool), replicates, seed)
    kept = ~failed
    without = None
    if failed.any() and pairs.same[kept].any() and not pairs.same[kept].all():
        without = _figures(pairs, scores, kept, replicates, seed)
    target = rule_for(calibration, target_fmr)
    limit = target.threshold if target else figures.best.threshold
    false_matches = _misses(pairs, scores, ~pairs.same & (scores >= limit), descending=True)
    false_non_matches = _misses(pairs, scores, pairs.same & ~(scores >= limit), descending=False)
    return Report(
        name=pairs.name, model_id=model_id, photos=len(pairs.paths), people=len(np.unique(pairs.people)),
        people_named=pairs.people_named, pairs=len(pairs), identity_pairs=pairs.identity_pairs,
        photos_without_face=missing,
        failed_pairs=int(failed.sum()), figures=figures, figures_without_failures=without,
        at_thresholds=_at_thresholds(pairs, scores, rules, calibration, replicates, seed),
        miss_threshold=limit,
        false_matches=false_matches[:_WORST], false_non_matches=false_non_matches[:_WORST],
        false_match_count=len(false_matches), false_non_match_count=len(false_non_matches),
        genuine=scores[pairs.same], impostor=scores[~pairs.same],
    )  # fmt: skip


def pair_scores(
    pairs: PairSet, embeddings: Mapping[int, Vector | None] | Sequence[Vector | None]
) -> tuple[Floats, tuple[str, ...]]:
    """Return the similarity of each pair (NaN for a failure) and the photos without a face."""
    get = embeddings.get if isinstance(embeddings, Mapping) else embeddings.__getitem__
    found = [get(place) for place in range(len(pairs.paths))]
    size = next((len(vector) for vector in found if vector is not None), 1)
    nothing = np.full(size, np.nan, np.float32)
    matrix = np.stack([nothing if vector is None else vector for vector in found])
    scores = np.concatenate([
        np.einsum(
            "ij,ij->i", matrix[pairs.left[start : start + _BLOCK]], matrix[pairs.right[start : start + _BLOCK]]
        )
        for start in range(0, len(pairs), _BLOCK)
    ])  # fmt: skip
    missing = tuple(path for path, vector in zip(pairs.paths, found, strict=True) if vector is None)
    return scores.astype(np.float64), missing


def _rules(calibration: Calibration | None, target_fmr: float) -> dict[float, Rule]:
    """Return the rules to be judged by their target: the operating points and the user's own."""
    if calibration is None:
        return {}
    targets = {point.fmr for point in calibration.operating_points} | {target_fmr}
    rules = {fmr: rule_for(calibration, fmr) for fmr in sorted(targets, reverse=True)}
    return {fmr: rule for fmr, rule in rules.items() if rule is not None}


def _hull(value: float, interval: Interval, independent: int) -> Measured:
    """Join a bootstrap interval with its value; where no replicate differed, the exact interval stands in."""
    if not interval.low < interval.high:
        interval = clopper_pearson(round(value * independent), independent)
    return Measured(value, min(value, interval.low), max(value, interval.high))


def _units(pairs: PairSet, used: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the number of independent genuine (people) and impostor (pairs of people) comparisons."""
    who = np.sort(pairs.pair_people, axis=1)
    genuine = who[used & pairs.same]
    return len(np.unique(genuine[:, 0])), len(np.unique(who[used & ~pairs.same], axis=0))


def _figures(pairs: PairSet, scores: Floats, used: NDArray[np.bool_], replicates: int, seed: int) -> Figures:
    same, values, folds = pairs.same[used], scores[used], pairs.folds[used]
    genuine, impostor = metrics.split(values, same)
    people, identity_pairs = _units(pairs, used)

    def statistic(mated: Floats, other: Floats) -> list[float]:
        mated, other = np.sort(mated), np.sort(other)
        accepted = [metrics.tar_at_fmr(mated, other, fmr) for fmr in FMRS]
        return [metrics.best_accuracy(mated, other).value, metrics.eer(mated, other)[0], *accepted]

    intervals = bootstrap_by_person(statistic, values, same, pairs.pair_people[used], replicates=replicates, seed=seed)
    best = metrics.best_accuracy(genuine, impostor)
    rate, threshold = metrics.eer(genuine, impostor)
    both = people + identity_pairs
    best_range = _hull(best.value, intervals[0], both)
    enough = all(len(np.unique(same[folds != n])) == 2 for n in np.unique(folds)) and len(np.unique(folds)) > 1
    return Figures(
        genuine_pairs=len(genuine),
        impostor_pairs=len(impostor),
        identity_pairs=identity_pairs,
        best=best,
        best_interval=Interval(best_range.low, best_range.high),
        folds=metrics.fold_accuracy(values, same, folds) if enough else None,
        auc=metrics.auc(genuine, impostor),
        eer=_hull(rate, intervals[1], both),
        eer_threshold=threshold,
        tar=tuple(
            TarAtFmr(
                fmr,
                metrics.threshold_at_fmr(impostor, fmr),
                _hull(metrics.tar_at_fmr(genuine, impostor, fmr), interval, people),
                supported(fmr, identity_pairs),
            )
            for fmr, interval in zip(FMRS, intervals[2:], strict=True)
        ),
    )


def _at_thresholds(
    pairs: PairSet,
    scores: Floats,
    rules: Mapping[float, Rule],
    calibration: Calibration | None,
    replicates: int,
    seed: int,
) -> tuple[AtThreshold, ...]:
    if calibration is None:
        return ()
    people, identity_pairs = _units(pairs, np.ones(len(pairs), bool))
    limits = [rule.threshold for rule in rules.values()]

    def statistic(mated: Floats, other: Floats) -> list[float]:
        mated, other = np.sort(mated), np.sort(other)
        right = [metrics.accuracy_at(mated, other, limit) for limit in limits]
        return [*right, *metrics.fmr(other, limits).tolist(), *metrics.fnmr(mated, limits).tolist()]

    values = statistic(*metrics.split(scores, pairs.same))
    intervals = bootstrap_by_person(statistic, scores, pairs.same, pairs.pair_people, replicates=replicates, seed=seed)
    n, units = len(limits), (people + identity_pairs, identity_pairs, people)
    measured = [_hull(values[k], intervals[k], units[k // n]) for k in range(3 * n)]
    return tuple(
        AtThreshold(
            target_fmr=fmr,
            threshold=rule.threshold,
            unsure_low=rule.unsure_low,
            accuracy=measured[k],
            fmr=measured[n + k],
            fnmr=measured[2 * n + k],
            genuine_unsure=_unsure(scores[pairs.same], rule),
            impostor_unsure=_unsure(scores[~pairs.same], rule),
            supported=calibration.supports(fmr),
        )
        for k, (fmr, rule) in enumerate(rules.items())
    )


def _unsure(scores: Floats, rule: Rule) -> int:
    known = metrics.without_failures(scores)
    return sum(decide(score, rule) is Outcome.UNSURE for score in known.tolist())


def _misses(pairs: PairSet, scores: Floats, wrong: NDArray[np.bool_], *, descending: bool) -> tuple[Miss, ...]:
    """Return the wrong decisions, worst first; failures lead the list of the false non-matches."""
    where = np.flatnonzero(wrong)
    order = where[np.argsort(-scores[where] if descending else np.nan_to_num(scores[where], nan=-2.0))]
    return tuple(
        Miss(
            pairs.paths[pairs.left[k]],
            pairs.paths[pairs.right[k]],
            None if np.isnan(scores[k]) else float(scores[k]),
            bool(pairs.same[k]),
        )
        for k in order.tolist()
    )
