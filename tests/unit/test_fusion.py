"""The decision over time: accept, reject, more frames, or unsure with the reason."""

from __future__ import annotations

import pytest

from facegui.faces.catalog import Catalog
from facegui.faces.types import Outcome, QualityReason
from facegui.matching.decision import rule_for
from facegui.matching.fusion import Evidence, Fused, FusionLimits, Moment, effective, fuse
from facegui.services.chain import calibrations_of

CALIBRATION = calibrations_of(Catalog().model("arcface+sface"))["frontal"]
RULE = rule_for(CALIBRATION, 1e-3)
LIMITS = FusionLimits(0.8, 0.3, 5, 0.5, 10.0, 8.0, 0.2)
assert RULE is not None
BETWEEN = (RULE.threshold + RULE.unsure_low) / 2


def look(similarity: float, frames: int = 12, weight: float = 1.0, *reasons: QualityReason) -> list[Moment]:
    return [Moment(n / 10, similarity, weight, reasons) for n in range(frames)]


def decided(moments: list[Moment], now: float | None = None) -> Fused:
    return fuse(moments, RULE, CALIBRATION, LIMITS, now=now)


def test_frames_of_one_track_are_never_worth_as_much_as_they_are_many() -> None:
    assert effective([0.0], [0.5], LIMITS) == pytest.approx(1.0)
    few, many = (effective([n / 10 for n in range(count)], [1.0] * count, LIMITS) for count in (5, 500))
    assert 1 < few < many < 1 / LIMITS.alike


def test_frames_far_apart_with_nothing_in_common_count_in_full() -> None:
    free = FusionLimits(0.0, 0.3, 5, 0.5, 10.0, 8.0, 0.2)
    assert effective([10.0 * n for n in range(7)], [1.0] * 7, free) == pytest.approx(7)


def test_the_same_person_is_accepted_and_a_stranger_rejected() -> None:
    yes, no = decided(look(0.7)), decided(look(0.05))
    assert (yes.state, yes.outcome) == (Evidence.ACCEPT, Outcome.MATCH)
    assert (no.state, no.outcome) == (Evidence.REJECT, Outcome.NO_MATCH)
    assert no.evidence < no.reject < yes.accept < yes.evidence


def test_one_lucky_frame_decides_nothing() -> None:
    moments = look(0.05, 11)
    moments[4] = Moment(0.4, 0.6, 1.0)
    assert decided(moments[4:5]).state is Evidence.MORE
    assert decided(moments).outcome is Outcome.NO_MATCH


def test_a_score_between_asks_for_more_frames_and_then_says_why_it_is_unsure() -> None:
    soon, late = decided(look(BETWEEN)), decided(look(BETWEEN, 90))
    assert soon.state is Evidence.MORE
    assert late.state is Evidence.TIMED_OUT
    assert late.outcome is Outcome.UNSURE
    assert "between" in late.reason


@pytest.mark.parametrize(
    ("reason", "word"),
    [(QualityReason.DARK, "dark"), (QualityReason.TURNED, "turned away"), (QualityReason.BLURRED, "blurred")],
)
def test_a_time_out_names_what_was_wrong_with_the_pictures(reason: QualityReason, word: str) -> None:
    answer = decided(look(0.7, 90, 0.1, reason))
    assert answer.state is Evidence.TIMED_OUT
    assert answer.frames == 0
    assert word in answer.reason


def test_a_time_out_without_a_face_says_so() -> None:
    assert decided([], now=0.0).state is Evidence.MORE
    answer = decided([Moment(0.0, float("nan"), 0.0)], now=9.0)
    assert answer.state is Evidence.TIMED_OUT
    assert answer.reason == "no face was seen"


def test_poor_frames_count_less() -> None:
    moments = look(0.7, 6) + [Moment(0.6 + n / 10, 0.0, 0.3) for n in range(6)]
    assert decided(moments).similarity == pytest.approx(0.7 / 1.3)


def test_frames_outside_the_window_do_not_count() -> None:
    moments = look(0.7, 10) + [Moment(20 + n / 10, 0.05, 1.0) for n in range(10)]
    answer = decided(moments)
    assert answer.frames == 10
    assert answer.similarity == pytest.approx(0.05)


def test_without_a_calibration_nothing_is_decided() -> None:
    answer = fuse(look(0.9), None, None, LIMITS)
    assert answer.state is Evidence.MORE
    assert answer.reason == "the model is not calibrated"


@pytest.mark.parametrize("reason", QualityReason)
def test_every_fault_of_a_picture_can_be_said(reason: QualityReason) -> None:
    told = decided(look(0.3, 12, 0.0, reason)).reason
    assert told
    assert told != "the pictures are too poor"
