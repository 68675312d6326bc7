"""Calibration: curves, tails, derivation, support, file form."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.matching.calibration import Calibration, Condition, pick
from facegui.matching.curves import BINS, CENTERS, EDGES, STEP, bin_index, crossing, survival
from facegui.matching.derivation import derive, derive_from_scores
from facegui.matching.tables import from_table, to_table, toml_text

MODEL = "ab" * 32


def people_vectors(
    people: int = 60, photos: int = 8, noise: float = 0.75, dimension: int = 48, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    center = rng.normal(size=(people, 1, dimension))
    center /= np.linalg.norm(center, axis=-1, keepdims=True)
    vectors = center + rng.normal(size=(people, photos, dimension)) * noise / np.sqrt(dimension)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors.reshape(-1, dimension).astype(np.float32), np.repeat(np.arange(people), photos)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    vectors, names = people_vectors()
    return derive(vectors, names, model_id=MODEL, source='simulated "people", é', replicates=200)


def all_pairs(vectors: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    left, right = np.triu_indices(len(names), 1)
    scores = np.sum(vectors[left] * vectors[right], axis=1)
    same = names[left] == names[right]
    return scores[same], scores[~same]


def test_bins_hold_their_lower_edge() -> None:
    np.testing.assert_array_equal(bin_index(EDGES[:-1]), np.arange(BINS))
    assert bin_index(np.array([0.39])) == bin_index(np.array([0.399]))
    assert bin_index(np.array([-1.0000001, 1.0, 1.0000001])).tolist() == [0, BINS - 1, BINS - 1]


def test_counts_are_all_pairs(calibration: Calibration) -> None:
    assert calibration.people == 60
    assert calibration.photos == 480
    assert calibration.genuine_pairs == 60 * 28
    assert calibration.impostor_pairs == 60 * 59 // 2 * 64
    assert calibration.identity_pairs == 60 * 59 // 2
    assert sum(calibration.genuine_counts) == calibration.genuine_pairs
    assert sum(calibration.impostor_counts) == calibration.impostor_pairs


def test_thresholds_keep_their_rates_on_the_pairs_they_come_from(calibration: Calibration) -> None:
    vectors, names = people_vectors()
    genuine, impostor = all_pairs(vectors, names)
    for point in calibration.operating_points:
        measured = np.mean(impostor >= point.threshold)
        assert measured <= point.fmr
        assert measured >= 0.85 * point.fmr
        assert point.fnmr == pytest.approx(np.mean(genuine < point.threshold), abs=2e-3)
        assert point.threshold_low <= point.threshold <= point.threshold_high
        assert point.fmr_low <= point.fmr <= point.fmr_high


def test_an_operating_point_says_the_same_as_the_curve(calibration: Calibration) -> None:
    for point in calibration.operating_points:
        assert calibration.threshold_for(point.fmr) == point.threshold
        assert calibration.fmr_at(point.threshold).value == pytest.approx(point.fmr)


def test_curves_are_monotone_and_never_zero(calibration: Calibration) -> None:
    scale = np.linspace(-1, 1, 1501)
    fmr = np.array([calibration.fmr_at(s).value for s in scale])
    fnmr = np.array([calibration.fnmr_at(s).value for s in scale])
    probability = np.array([calibration.probability(s) for s in scale])
    assert np.all(np.diff(fmr) <= 1e-15)
    assert np.all(np.diff(fnmr) >= -1e-15)
    assert np.all(np.diff(probability) >= 0)
    assert fmr[0] == 1
    assert np.all(fmr > 0)
    assert np.all(fnmr > 0)
    assert probability[0] > 0
    assert probability[-1] < 1
    for s in scale[::50]:
        for rate in (calibration.fmr_at(s), calibration.fnmr_at(s)):
            assert 0 <= rate.low <= rate.value <= rate.high <= 1


def test_thresholds_rise_as_the_rate_falls_and_the_two_curves_are_inverse(calibration: Calibration) -> None:
    rates = np.geomspace(0.5, 1e-4, 60)
    thresholds = [calibration.threshold_for(rate) for rate in rates]
    assert np.all(np.diff(thresholds) > 0)
    for rate, threshold in zip(rates, thresholds, strict=True):
        assert calibration.fmr_at(threshold).value == pytest.approx(rate, rel=1e-6)
    assert calibration.threshold_for(1.0) == pytest.approx(-1.0)
    for wrong in (0.0, -1e-3, 1.5, float("nan")):
        with pytest.raises(ValueError, match="false match rate"):
            calibration.threshold_for(wrong)


def test_a_rate_is_claimed_only_with_enough_pairs_of_people(calibration: Calibration) -> None:
    assert calibration.smallest_claim == pytest.approx(3 / 1770)
    assert [p.supported for p in calibration.operating_points] == [True, False, False]
    assert calibration.supports(0.0017)
    assert not calibration.supports(0.0016)
    # Where nothing was seen, the upper limit stays at what the rule of three allows.
    assert calibration.fmr_at(0.99).high == pytest.approx(calibration.smallest_claim)


def test_the_tail_continues_where_counts_run_out() -> None:
    counts = np.zeros(BINS)
    counts[BINS // 2 : BINS // 2 + 50] = np.round(1e6 * np.exp(-np.arange(50) / 3))
    curve = survival(counts, 1000)
    assert np.all(np.diff(curve) <= 0)
    assert np.all(curve > 0)
    beyond = curve[BINS // 2 + 60]
    assert beyond == pytest.approx(np.exp(-60 / 3), rel=0.5)
    with pytest.raises(ValueError, match="at least one score"):
        survival(np.zeros(BINS), 10)


def test_the_tail_never_claims_less_than_was_seen() -> None:
    counts = np.zeros(BINS)
    counts[:110] = 1000
    counts[180] = 3  # three strangers who look alike, far from all others
    curve = survival(counts, 1000)
    assert curve[180] >= 3 / counts.sum()


def test_crossing_finds_the_smallest_threshold() -> None:
    knots, values = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 0.1, 0.1, 0.01])
    assert crossing(0.1, knots, values) == pytest.approx(1.0)
    assert crossing(0.05, knots, values) == pytest.approx(2 + np.log(2) / np.log(10))
    assert crossing(2.0, knots, values) == 0.0
    assert crossing(0.001, knots, values) == 3.0


def test_probability_agrees_with_bayes_where_the_scores_are_normal() -> None:
    # Two normal distributions of equal spread have a logistic posterior with known slope and intercept.
    rng = np.random.default_rng(2)
    n, spread, same, other = 300, 0.12, 0.5, 0.1
    matrix = rng.normal(other, spread, (2 * n, 2 * n))
    names = np.repeat(np.arange(n), 2)
    pair = np.arange(0, 2 * n, 2)
    # The few genuine pairs lie at the quantiles of their distribution, so that chance plays no part.
    matrix[pair, pair + 1] = same + spread * np.sqrt(2) * np.array([_erfinv(q) for q in (2 * np.arange(n) + 1) / n - 1])
    matrix = np.triu(matrix, 1)
    matrix = np.clip(matrix + matrix.T + np.eye(2 * n), -1, 1)
    found = derive_from_scores(matrix, names, model_id=MODEL, source="normal", replicates=20)
    slope = (same - other) / spread**2
    assert found.slope == pytest.approx(slope, rel=0.12)
    assert -found.intercept / found.slope == pytest.approx((same + other) / 2, abs=0.02)
    assert found.probability(0.3) == pytest.approx(0.5, abs=0.1)


def _erfinv(value: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf((value + 1) / 2) / np.sqrt(2)


def test_separated_classes_give_a_finite_curve_that_is_never_certain() -> None:
    vectors, names = people_vectors(people=10, photos=4, noise=0.05)
    found = derive(vectors, names, model_id=MODEL, source="easy", replicates=20)
    assert np.isfinite(found.slope)
    assert found.probability(1.0) <= 1 - found.smallest_claim
    assert found.probability(-1.0) >= found.smallest_claim


def test_densities_integrate_to_one(calibration: Calibration) -> None:
    densities = calibration.densities()
    np.testing.assert_array_equal(densities.similarity, CENTERS)
    assert densities.impostor.sum() * STEP == pytest.approx(1)
    assert densities.genuine.sum() * STEP == pytest.approx(1)


def test_frontal_and_profile_pairs_are_kept_apart() -> None:
    vectors, names = people_vectors(people=12, photos=5)
    turned = np.tile([False, False, False, True, True], 12)
    frontal = derive(vectors, names, model_id=MODEL, source="", is_profile=turned, replicates=20)
    profile = derive(
        vectors, names, model_id=MODEL, source="", is_profile=turned, replicates=20, condition=Condition.PROFILE
    )
    assert frontal.genuine_pairs == 12 * 3
    assert frontal.impostor_pairs == 12 * 11 // 2 * 9
    assert frontal.photos == 36
    assert profile.genuine_pairs == 12 * 6
    assert profile.impostor_pairs == 12 * 11 * 6
    assert profile.identity_pairs == frontal.identity_pairs == 66
    left, right = np.flatnonzero(~turned), np.flatnonzero(turned)
    scores = vectors[left] @ vectors[right].T
    different = names[left][:, None] != names[right]
    expected = np.bincount(bin_index(scores[different]), minlength=BINS)
    np.testing.assert_array_equal(profile.impostor_counts, expected)


def test_a_photo_without_a_face_is_counted_and_not_compared() -> None:
    vectors, names = people_vectors(people=6, photos=4)
    vectors[5] = np.nan
    found = derive(vectors, names, model_id=MODEL, source="", replicates=20)
    assert found.failures == 1
    assert found.photos == 23
    assert found.genuine_pairs == 5 * 6 + 3
    scores = vectors @ vectors.T
    assert derive_from_scores(scores, names, model_id=MODEL, source="", replicates=20) == found


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, names = people_vectors(people=9, photos=5)
    # Given scores: a product of matrices may be summed in another order for blocks of another shape.
    scores = vectors @ vectors.T
    whole = derive_from_scores(scores, names, model_id=MODEL, source="", replicates=20)
    monkeypatch.setattr("facegui.matching.derivation._BLOCK", 50)
    assert derive_from_scores(scores, names, model_id=MODEL, source="", replicates=20) == whole


def test_the_order_of_the_photos_does_not_matter() -> None:
    vectors, names = people_vectors(people=9, photos=5)
    order = np.random.default_rng(0).permutation(len(names))
    one = derive(vectors, names, model_id=MODEL, source="", replicates=20)
    other = derive(vectors[order], names[order], model_id=MODEL, source="", replicates=20)
    assert one.impostor_counts == other.impostor_counts
    assert one.fmr_high == other.fmr_high


def test_intervals_cover_the_true_rate_where_some_people_are_more_alike() -> None:
    # Scores of strangers: two people's effects, one pair's own effect, and noise per photo: N(0, 0.1) in all.
    rng = np.random.default_rng(11)
    people, photos, spread = 40, 2, 0.1
    names = np.repeat(np.arange(people), photos)
    threshold, truth = 0.2326348, 0.01
    covered = 0
    trials = 50
    for trial in range(trials):
        effect = rng.normal(0, 0.5, people)
        pair = rng.normal(0, 0.5, (people, people))
        pair = (np.triu(pair, 1) + np.triu(pair, 1).T)[names][:, names]
        noise = rng.normal(0, 0.5, (len(names), len(names)))
        noise = np.triu(noise, 1) + np.triu(noise, 1).T
        scores = spread * (effect[names][:, None] + effect[names] + pair + noise)
        scores = np.where(names[:, None] == names, 0.8, np.clip(scores, -1, 1))
        found = derive_from_scores(scores, names, model_id=MODEL, source="", replicates=200, seed=trial)
        rate = found.fmr_at(threshold)
        covered += rate.low <= truth <= rate.high
    assert covered >= 0.88 * trials


def test_two_people_are_enough_and_support_no_claim() -> None:
    vectors, names = people_vectors(people=2, photos=2)
    found = derive(vectors, names, model_id=MODEL, source="", replicates=10)
    assert (found.genuine_pairs, found.impostor_pairs, found.identity_pairs) == (2, 4, 1)
    assert not any(point.supported for point in found.operating_points)
    assert found.fmr_at(0.0).high == 1


def test_too_few_people_are_refused_with_what_to_do() -> None:
    vectors, names = people_vectors(people=1)
    with pytest.raises(KnownError, match="two people"):
        derive(vectors, names, model_id=MODEL, source="")
    vectors, names = people_vectors(people=4, photos=1)
    with pytest.raises(KnownError, match="two photos each"):
        derive(vectors, names, model_id=MODEL, source="")


def test_vectors_must_be_of_unit_length_and_labels_complete() -> None:
    vectors, names = people_vectors(people=4)
    with pytest.raises(ValueError, match="unit length"):
        derive(vectors * 2, names, model_id=MODEL, source="")
    with pytest.raises(ValueError, match="identity"):
        derive(vectors, names[1:], model_id=MODEL, source="")


def test_a_calibration_survives_toml_and_json(calibration: Calibration) -> None:
    text = toml_text(calibration, "[[model.calibration]]")
    assert from_table(tomllib.loads(text)["model"]["calibration"][0]) == calibration
    assert from_table(json.loads(json.dumps(to_table(calibration)))) == calibration
    assert len(text) < 20_000


@pytest.mark.parametrize(
    "damage",
    [
        {"step": 0.02}, {"condition": "upside down"}, {"slope": "steep"}, {"people": None},
        {"impostor_counts": {"first": 190, "values": [1] * 20}}, {"operating_points": [{"fmr": 0.1}]},
    ],
)  # fmt: skip
def test_a_damaged_calibration_is_a_known_error(calibration: Calibration, damage: dict[str, object]) -> None:
    with pytest.raises(KnownError, match="calibration") as caught:
        from_table(to_table(calibration) | damage)
    assert caught.value.do


def test_the_calibration_of_another_model_is_never_used(calibration: Calibration) -> None:
    assert pick([calibration], MODEL) is calibration
    assert pick([calibration], "cd" * 32) is None
    assert pick([calibration], MODEL, turned=True) is calibration
    vectors, names = people_vectors(people=6, photos=4)
    turned = np.tile([False, False, True, True], 6)
    profile = derive(
        vectors, names, model_id=MODEL, source="", is_profile=turned, condition=Condition.PROFILE, replicates=10
    )
    assert pick([calibration, profile], MODEL, turned=True) is profile
    assert pick([calibration, profile], MODEL) is calibration
    assert pick([profile], MODEL) is None
