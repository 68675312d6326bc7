"""Decisions, their explanation, and how numbers are written."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from facegui.matching import wording
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Outcome, Rule, decide, explain, rule_at, rule_for
from facegui.matching.derivation import derive


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    rng = np.random.default_rng(0)
    center = rng.normal(size=(80, 1, 64))
    center /= np.linalg.norm(center, axis=-1, keepdims=True)
    vectors = center + rng.normal(size=(80, 4, 64)) * 0.9 / 8
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return derive(
        vectors.reshape(-1, 64).astype(np.float32), np.repeat(np.arange(80), 4),
        model_id="ab" * 32, source="simulated", replicates=200,
    )  # fmt: skip


def test_the_threshold_itself_is_a_match_and_the_band_below_it_unsure() -> None:
    rule = Rule(0.39, 0.34)
    assert decide(0.39, rule) is Outcome.MATCH
    assert decide(np.nextafter(0.39, 0), rule) is Outcome.UNSURE
    assert decide(0.34, rule) is Outcome.UNSURE
    assert decide(np.nextafter(0.34, 0), rule) is Outcome.NO_MATCH
    assert decide(-1.0, rule) is Outcome.NO_MATCH
    assert decide(1.0, rule) is Outcome.MATCH


def test_nothing_to_compare_is_unsure_and_never_a_decision() -> None:
    assert decide(float("nan"), Rule(0.39, 0.34)) is Outcome.UNSURE


def test_a_rule_without_a_band_knows_only_two_answers() -> None:
    rule = Rule(0.4, 0.4)
    assert decide(0.4, rule) is Outcome.MATCH
    assert decide(0.399, rule) is Outcome.NO_MATCH
    with pytest.raises(ValueError, match="unsure band"):
        Rule(0.3, 0.4)


def test_the_outcome_reads_as_words() -> None:
    assert [str(outcome) for outcome in Outcome] == ["match", "unsure", "no match"]


def test_the_band_reaches_down_to_ten_times_the_rate(calibration: Calibration) -> None:
    rule = rule_for(calibration, 1e-3)
    assert rule is not None
    assert rule.threshold == calibration.threshold_for(1e-3)
    assert rule.unsure_low == calibration.threshold_for(1e-2)


def test_a_dragged_threshold_keeps_the_meaning_of_the_band(calibration: Calibration) -> None:
    at_default = calibration.threshold_for(1e-3)
    assert rule_at(calibration, at_default) == rule_for(calibration, 1e-3)
    for threshold in np.linspace(-1, 1, 41).tolist():
        rule = rule_at(calibration, threshold)
        assert rule is not None
        assert rule.threshold == threshold
        assert -1 <= rule.unsure_low <= threshold
        rate = calibration.fmr_at(threshold).value
        if rate < 0.05:
            assert calibration.fmr_at(rule.unsure_low).value == pytest.approx(10 * rate, rel=1e-6)


def test_without_a_calibration_nothing_is_claimed() -> None:
    assert rule_for(None, 1e-3) is None
    assert rule_at(None, 0.4) is None
    assert decide(0.99, None) is Outcome.UNSURE
    explanation = explain(0.99, None, None)
    assert "not calibrated" in explanation.meaning
    assert explanation.probability == explanation.rate == explanation.short == explanation.caveat == ""
    assert explain(0.99, Rule(0.4, 0.4), None) == explanation


def test_the_explanation_states_the_rate_with_its_interval(calibration: Calibration) -> None:
    rule = rule_for(calibration, 1e-2)
    assert rule is not None
    explanation = explain(rule.threshold, rule, calibration)
    assert explanation.meaning.startswith(
        f"About 1 in 100 strangers would score {wording.format_similarity(rule.threshold)} or higher (95 % interval "
    )
    assert explanation.meaning.endswith(" in 100).")
    assert explanation.short.startswith("1 in 100 strangers would score this high or higher (")
    assert explanation.caveat == ""


def test_claims_end_where_the_calibration_ends(calibration: Calibration) -> None:
    rule = rule_for(calibration, 1e-4)
    assert rule is not None
    explanation = explain(0.95, rule, calibration)
    # 3,160 pairs of people: 1 in 1,053 can be claimed.
    assert "1 in 1,000" in explanation.caveat
    assert "80 people" in explanation.caveat
    assert explanation.rate.startswith("Fewer than 1 in 1,000 strangers")
    assert "above 99 %" in explanation.probability


def test_the_explanation_never_promises_certainty(calibration: Calibration) -> None:
    rule = rule_for(calibration, 1e-3)
    for similarity in np.linspace(-1, 1, 201).tolist():
        explanation = explain(similarity, rule, calibration)
        text = " ".join([explanation.meaning, explanation.rate, explanation.probability, explanation.short])
        assert "100 %" not in text
        assert " 0 %" not in text
        assert "!" not in text
        assert "nan" not in text
        assert "-" not in text  # a true minus sign is used
    silent = explain(float("nan"), rule, calibration)
    assert silent.rate == silent.probability == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.47, "0.47"), (-0.03, "−0.03"), (-0.001, "0.00"), (0.0, "0.00"), (1.0, "1.00"), (0.456, "0.46"),
        (float("nan"), "–"),
    ],
)  # fmt: skip
def test_similarity_has_two_decimals_and_a_true_minus(value: float, text: str) -> None:
    assert wording.format_similarity(value) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (1e-2, "1 in 100"), (1e-3, "1 in 1,000"), (1e-4, "1 in 10,000"), (0.00137, "1 in 730"), (0.1, "1 in 10"),
        (0.00098, "1 in 1,000"), (0.23, "23 in 100"), (0.999, "nearly all"), (1.0, "nearly all"), (0.0, "none"),
    ],
)  # fmt: skip
def test_rates_read_as_one_in_many(rate: float, text: str) -> None:
    assert wording.format_rate(rate) == text


def test_a_rate_outside_its_range_is_a_bug() -> None:
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="rate"):
            wording.format_rate(wrong)


@pytest.mark.parametrize(
    ("rate", "low", "high", "text"),
    [
        (1e-3, 0.0004, 0.0021, "0.4–2.1 in 1,000"), (1e-4, 0.0, 0.000387, "0–3.9 in 10,000"),
        (0.01, 0.008, 0.012, "0.8–1.2 in 100"), (0.3, 0.25, 0.36, "25–36 in 100"),
    ],
)  # fmt: skip
def test_intervals_have_the_unit_of_their_rate(rate: float, low: float, high: float, text: str) -> None:
    assert wording.format_interval(rate, low, high) == text


def test_a_limit_is_never_rounded_towards_a_stronger_claim() -> None:
    assert wording.format_limit(1 / 2583) == "1 in 2,500"
    assert wording.format_limit(1 / 99) == "1 in 99"
    assert wording.format_limit(0.123) == "13 in 100"


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.9999, "very likely the same person (above 99 %)"), (0.94, "likely the same person (94 %)"),
        (0.75, "rather likely the same person (75 %)"), (0.5, "undecided (50 % for the same person)"),
        (0.2, "rather likely two different people (80 %)"), (0.0, "very likely two different people (above 99 %)"),
    ],
)  # fmt: skip
def test_probabilities_are_words_and_per_cent(probability: float, text: str) -> None:
    assert wording.format_probability(probability) == text


def test_deciding_needs_nothing_heavy() -> None:
    code = (
        "import sys, facegui.matching.decision, facegui.matching.tables;"
        "print([m for m in ('scipy', 'cv2', 'matplotlib', 'onnxruntime', 'PySide6') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
