"""Error rates: against hand-computed cases, brute force and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facegui.matching import metrics
from facegui.matching.intervals import (
    bootstrap_by_person,
    clopper_pearson,
    rule_of_three,
    supported,
    wilson,
)

GENUINE = np.array([0.9, 0.8, 0.6, 0.4])
IMPOSTOR = np.array([0.5, 0.4, 0.2, 0.1, 0.0])


def random_scores(seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    genuine, impostor = rng.normal(0.5, 0.2, 83), rng.normal(0.1, 0.2, 131)
    if ties:
        genuine, impostor = np.round(genuine, 1), np.round(impostor, 1)
    return genuine, impostor


def test_rates_at_a_threshold_count_scores_at_it_as_accepted() -> None:
    assert metrics.fmr(IMPOSTOR, 0.4) == pytest.approx(2 / 5)
    assert metrics.fmr(IMPOSTOR, 0.41) == pytest.approx(1 / 5)
    assert metrics.fnmr(GENUINE, 0.4) == 0
    assert metrics.fnmr(GENUINE, 0.6) == pytest.approx(1 / 4)
    np.testing.assert_allclose(metrics.fmr(IMPOSTOR, [-1, 0.15, 1]), [1, 0.6, 0])


def test_a_failure_is_a_non_match_everywhere_and_can_be_left_out() -> None:
    genuine, impostor = np.append(GENUINE, np.nan), np.append(IMPOSTOR, np.nan)
    assert metrics.fnmr(genuine, -np.inf) == pytest.approx(1 / 5)
    assert metrics.fmr(impostor, -np.inf) == pytest.approx(5 / 6)
    assert metrics.accuracy_at(genuine, impostor, 0.45) == pytest.approx((3 + 4 + 1) / 11)
    assert metrics.accuracy_at(
        metrics.without_failures(genuine), metrics.without_failures(impostor), 0.45
    ) == pytest.approx(7 / 9)
    assert metrics.tar_at_fmr(genuine, impostor, 1.0) == pytest.approx(4 / 5)


def test_when_every_pair_failed_the_figures_say_so() -> None:
    nothing = np.full(3, np.nan)
    assert metrics.best_accuracy(nothing, nothing).value == 0.5
    assert metrics.eer(nothing, nothing)[0] == 0.5
    assert metrics.tar_at_fmr(nothing, nothing, 0.1) == 0


def test_empty_scores_give_nan_or_a_clear_error() -> None:
    assert math.isnan(metrics.fmr([], 0.5))
    assert math.isnan(metrics.fnmr([], 0.5))
    assert math.isnan(metrics.accuracy_at([], [], 0.5))
    for function in (metrics.roc, metrics.auc, metrics.eer):
        with pytest.raises(ValueError, match="needed"):
            function(GENUINE, [])
    with pytest.raises(ValueError, match="needed"):
        metrics.threshold_at_fmr([], 0.1)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_curve_and_its_area_agree_with_brute_force(seed: int, ties: bool) -> None:
    genuine, impostor = random_scores(seed, ties)
    curve = metrics.roc(genuine, impostor)
    assert curve.fmr[0] == 0
    assert curve.fnmr[0] == 1
    assert curve.fmr[-1] == 1
    assert curve.fnmr[-1] == 0
    assert np.all(np.diff(curve.thresholds) < 0)
    assert np.all(np.diff(curve.fmr) >= 0)
    assert np.all(np.diff(curve.fnmr) <= 0)
    for k in range(0, len(curve.thresholds), 7):
        assert curve.fmr[k] == np.mean(impostor >= curve.thresholds[k])
        assert curve.fnmr[k] == np.mean(genuine < curve.thresholds[k])
    wins = (genuine[:, None] > impostor).mean() + 0.5 * (genuine[:, None] == impostor).mean()
    assert metrics.auc(genuine, impostor) == pytest.approx(wins)
    assert metrics.auc(genuine, impostor) == pytest.approx(np.trapezoid(curve.tar, curve.fmr))


def test_the_equal_error_rate_lies_where_the_curves_cross() -> None:
    # At 0.5: FMR 1/5, FNMR 1/4; at 0.4: FMR 2/5, FNMR 0; the crossing lies on the line between.
    rate, threshold = metrics.eer(GENUINE, IMPOSTOR)
    part = (1 / 4 - 1 / 5) / ((1 / 4 - 1 / 5) + (2 / 5 - 0))
    assert rate == pytest.approx(1 / 5 + part * 1 / 5)
    assert rate == pytest.approx(1 / 4 - part * 1 / 4)
    assert threshold == 0.4
    assert metrics.eer([0.8, 0.9], [0.1, 0.2])[0] == 0
    assert metrics.eer([0.1, 0.2], [0.8, 0.9])[0] == 1


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("rate", [0.0, 0.003, 0.01, 0.1, 0.5, 0.999, 1.0])
def test_the_threshold_keeps_the_rate_and_is_the_lowest_that_does(rate: float, ties: bool) -> None:
    genuine, impostor = random_scores(3, ties)
    threshold = metrics.threshold_at_fmr(impostor, rate)
    assert metrics.fmr(impostor, threshold) <= rate
    if np.isfinite(threshold):
        assert metrics.fmr(impostor, np.nextafter(threshold, -np.inf)) > rate
    assert metrics.tar_at_fmr(genuine, impostor, rate) == pytest.approx(np.mean(genuine >= threshold))


def test_tar_never_falls_when_more_strangers_may_pass() -> None:
    genuine, impostor = random_scores(4, False)
    tars = [metrics.tar_at_fmr(genuine, impostor, rate) for rate in np.linspace(0, 1, 50)]
    assert np.all(np.diff(tars) >= 0)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_best_accuracy_is_what_trying_every_threshold_gives(seed: int, ties: bool) -> None:
    genuine, impostor = random_scores(seed, ties)
    tried = np.concatenate([genuine, impostor, [np.inf]])
    right = [((genuine >= t).sum() + (impostor < t).sum()) / (len(genuine) + len(impostor)) for t in tried]
    best = metrics.best_accuracy(genuine, impostor)
    assert best.value == pytest.approx(max(right))
    assert metrics.accuracy_at(genuine, impostor, best.threshold) == pytest.approx(best.value)


def test_best_threshold_lies_between_the_classes_not_on_a_score() -> None:
    assert metrics.best_accuracy([0.8, 0.9], [0.1, 0.2]).threshold == pytest.approx(0.5)


def test_fold_accuracy_takes_each_threshold_from_the_other_folds() -> None:
    scores = np.array([0.9, 0.1, 0.8, 0.15, 0.3, 0.05])
    same = np.array([1, 0, 1, 0, 1, 0], bool)
    result = metrics.fold_accuracy(scores, same, [0, 0, 1, 1, 2, 2])
    # Folds 0 and 1 are judged near 0.2, fold 2 half-way between 0.15 and 0.8, where its genuine 0.3 fails.
    assert result.accuracies == (1.0, 1.0, 0.5)
    assert result.thresholds[2] == pytest.approx(0.475)
    assert result.mean == pytest.approx(2.5 / 3)
    assert result.standard_deviation == pytest.approx(np.std([1, 1, 0.5], ddof=1))
    assert result.standard_error == pytest.approx(result.standard_deviation / math.sqrt(3))
    with pytest.raises(ValueError, match="two folds"):
        metrics.fold_accuracy(scores, same, np.zeros(6, int))


def test_intervals_agree_with_published_values() -> None:
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20.
    assert wilson(81, 263).low == pytest.approx(0.2553, abs=1e-4)
    assert wilson(81, 263).high == pytest.approx(0.3662, abs=1e-4)
    assert wilson(15, 148).low == pytest.approx(0.0624, abs=1e-4)
    assert wilson(0, 20).low == 0
    assert wilson(0, 20).high == pytest.approx(0.1611, abs=1e-4)
    assert clopper_pearson(81, 263).low == pytest.approx(0.2527, abs=1e-4)
    assert clopper_pearson(81, 263).high == pytest.approx(0.3676, abs=1e-4)
    assert clopper_pearson(0, 20).high == pytest.approx(0.1684, abs=1e-4)
    assert clopper_pearson(20, 20).high == 1
    for interval in (wilson, clopper_pearson):
        assert interval(0, 0) == interval(0, 0).__class__(0.0, 1.0)


def test_rule_of_three_decides_what_can_be_claimed() -> None:
    assert rule_of_three(3000) == pytest.approx(1e-3)
    assert supported(1e-3, 3000)
    assert not supported(1e-3, 2999)
    assert rule_of_three(0) == 1


def shared_people_scores(rng: np.random.Generator, people: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of people; a score is the sum of two people's effects and some noise: N(0, 1) in all."""
    effect = rng.normal(0, 0.5, people)
    left, right = np.triu_indices(people, 1)
    impostor = effect[left] + effect[right] + rng.normal(0, math.sqrt(0.5), len(left))
    who = np.concatenate([np.column_stack([left, right]), np.column_stack([np.arange(people)] * 2)])
    scores = np.concatenate([impostor, np.full(people, 9.0)])
    same = np.concatenate([np.zeros(len(left), bool), np.ones(people, bool)])
    return scores, same, who


def test_bootstrap_over_people_covers_the_true_rate_where_pairs_share_people() -> None:
    truth, threshold = 0.05, 1.6448536
    rng = np.random.default_rng(5)
    covered = naive = 0
    trials = 60
    for trial in range(trials):
        scores, same, who = shared_people_scores(rng, 60)
        (interval,) = bootstrap_by_person(
            lambda _, impostor: [float(metrics.fmr(impostor, threshold))],
            scores, same, who, replicates=200, seed=trial,
        )  # fmt: skip
        covered += interval.low <= truth <= interval.high
        events = int(np.sum(scores[~same] >= threshold))
        naive += wilson(events, int(np.sum(~same))).low <= truth <= wilson(events, int(np.sum(~same))).high
    assert covered >= 0.88 * trials
    assert naive < covered


def test_bootstrap_is_the_same_for_the_same_seed_and_survives_one_kind_of_pairs() -> None:
    scores, same, who = shared_people_scores(np.random.default_rng(1), 12)

    def statistic(genuine: np.ndarray, impostor: np.ndarray) -> list[float]:
        return [metrics.auc(genuine, impostor), float(impostor.mean())]

    first = bootstrap_by_person(statistic, scores, same, who, replicates=30, seed=4)
    assert first == bootstrap_by_person(statistic, scores, same, who, replicates=30, seed=4)
    assert len(first) == 2
    assert first[1].low < first[1].high
    one = bootstrap_by_person(lambda _g, i: [len(i)], scores[same], same[same], who[same], replicates=5, seed=0)
    assert math.isnan(one[0].low)
