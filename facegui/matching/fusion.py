"""One decision from many frames: accept, reject, or more frames needed.

Each frame gives a similarity s with a calibrated log-likelihood ratio of the same person against two people. The
frames of one track are alike: they share the person, the light and the pose, so their ratios must not be added as if
each were news. With the share `alike` of the variance that all frames of a track have in common, and the rest fading
with time, n frames tell as much as

    n_eff = (sum w)^2 / sum_ij w_i w_j r_ij,     r_ij = alike + (1 - alike) exp(-|t_i - t_j| / memory)

independent ones (variance of a weighted mean of correlated values), which stays below 1 / alike however long one
looks. The evidence is the sum of the ratios times n_eff / n. Its boundaries are the ratios at the threshold and at
the lower end of the unsure band, so a stranger's chance over the whole look is held against the same stated rate as
that of a single photo; `tests/benchmarks/live_decisions.py` measures both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import numpy as np

from facegui.faces.types import Outcome, Quality, QualityReason
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Rule

__all__ = ["Evidence", "Fused", "FusionLimits", "Moment", "effective", "fuse"]


@dataclass(frozen=True, slots=True)
class FusionLimits:
    """Numbers that steer the decision over time; they stand in the manifest, with how they were measured.

    Attributes
    ----------
    alike : float
        Share of the variance of scores that the frames of one track have in common, 0..1.
    memory : float
        Seconds after which the rest has faded to 1/e.
    least_frames : int
        No decision on fewer frames.
    least_seconds : float
        No decision on a shorter look.
    window : float
        Older frames, in seconds, no longer count.
    timeout : float
        After so many seconds without a decision the answer is unsure.
    useless : float
        Frames of less quality do not count.
    """

    alike: float
    memory: float
    least_frames: int
    least_seconds: float
    window: float
    timeout: float
    useless: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> FusionLimits:
        """Read the limits from the manifest's ``[fusion]`` table; KeyError when one is missing."""
        numbers = {item.name: float(table[item.name]) for item in fields(cls)}
        return cls(**{**numbers, "least_frames": int(table["least_frames"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame of a track.

    Attributes
    ----------
    seconds : float
        A clock that only grows.
    similarity : float
        Cosine to the claimed person, -1..1; NaN where no face was compared.
    weight : float
        Quality of the face, 0..1.
    reasons : tuple of QualityReason
        Why it is not better.
    """

    seconds: float
    similarity: float
    weight: float
    reasons: tuple[QualityReason, ...] = ()

    @classmethod
    def of(cls, seconds: float, similarity: float, quality: Quality) -> Moment:
        """Return the moment of a face."""
        return cls(seconds, similarity, quality.score, quality.reasons)


class Evidence(StrEnum):
    """What the frames so far allow."""

    ACCEPT = "accept"
    REJECT = "reject"
    MORE = "more frames needed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Fused:
    """The decision over the frames so far.

    Attributes
    ----------
    state : Evidence
    outcome : Outcome
        Match, no match, or unsure while more frames are needed and after the time-out.
    similarity : float
        Mean over the counted frames, weighted by quality; NaN when none counts.
    frames : int
        Frames that count.
    effective : float
        How many independent ones they are worth.
    seconds : float
        Length of the look.
    evidence : float
        Log-likelihood ratio, discounted; NaN without a calibration or a frame.
    accept, reject : float
        Its boundaries; NaN without a calibration.
    reason : str
        Why it is undecided: a few plain words, empty when it is decided.
    """

    state: Evidence
    outcome: Outcome
    similarity: float
    frames: int
    effective: float
    seconds: float
    evidence: float
    accept: float
    reject: float
    reason: str = ""


def effective(seconds: Sequence[float], weights: Sequence[float], limits: FusionLimits) -> float:
    """Return how many independent frames the frames of one track are worth; 0 for none.

    Parameters
    ----------
    seconds, weights : sequence of float
        Of each frame.
    limits : FusionLimits
    """
    times, share = np.asarray(seconds, np.float64), np.asarray(weights, np.float64)
    if not share.sum():
        return 0.0
    apart = np.abs(times[:, None] - times[None])
    alike = limits.alike + (1 - limits.alike) * np.exp(-apart / limits.memory)
    return float(share.sum() ** 2 / (share @ alike @ share))


def fuse(
    moments: Sequence[Moment],
    rule: Rule | None,
    calibration: Calibration | None,
    limits: FusionLimits,
    *,
    now: float | None = None,
) -> Fused:
    """Decide on a track.

    Parameters
    ----------
    moments : sequence of Moment
        Oldest first; those that are older than the window are left out.
    rule : Rule or None
    calibration : Calibration or None
        Of the model that made the similarities. Without one nothing is decided.
    limits : FusionLimits
    now : float, optional
        Seconds at which the question is asked; the newest moment otherwise.
    """
    now = now if now is not None else moments[-1].seconds if moments else 0.0
    recent = [m for m in moments if now - m.seconds <= limits.window]
    counted = [m for m in recent if m.weight >= limits.useless and m.similarity == m.similarity]
    began = moments[0].seconds if moments else now
    weights = [m.weight for m in counted]
    worth = effective([m.seconds for m in counted], weights, limits)
    similarity = float(np.average([m.similarity for m in counted], weights=weights)) if worth else float("nan")
    evidence = accept = reject = float("nan")
    state = Evidence.MORE
    if calibration is not None and rule is not None:
        accept, reject = (_ratio(calibration, value) for value in (rule.threshold, rule.unsure_low))
        if worth:
            evidence = worth * _ratio(calibration, similarity)
        span = counted[-1].seconds - counted[0].seconds if counted else 0.0
        if len(counted) >= limits.least_frames and span >= limits.least_seconds:
            state = _state(evidence, accept, reject)
    if state is Evidence.MORE and now - began >= limits.timeout:
        state = Evidence.TIMED_OUT
    outcome = {Evidence.ACCEPT: Outcome.MATCH, Evidence.REJECT: Outcome.NO_MATCH}.get(state, Outcome.UNSURE)
    reason = "" if outcome is not Outcome.UNSURE else _reason(recent, counted, limits, rule, calibration)
    return Fused(
        state, outcome, similarity, len(counted), worth, now - began, evidence, accept, reject, reason
    )  # fmt: skip


def _ratio(calibration: Calibration, similarity: float) -> float:
    """Return the logarithm of how many times likelier the same person gives this similarity than two people."""
    return calibration.slope * similarity + calibration.intercept


def _state(evidence: float, accept: float, reject: float) -> Evidence:
    if evidence >= accept:
        return Evidence.ACCEPT
    return Evidence.REJECT if evidence < reject else Evidence.MORE


_WORDS = {
    QualityReason.TOO_SMALL: "the face is too small; come closer",
    QualityReason.EYES_TOO_NEAR: "the face is too small; come closer",
    QualityReason.BLURRED: "the picture is blurred; hold still",
    QualityReason.DARK: "it is too dark; turn to the light",
    QualityReason.OVEREXPOSED: "it is too bright; turn away from the light",
    QualityReason.TURNED: "the face is turned away; look at the camera",
    QualityReason.PARTLY_OUTSIDE: "the face is partly outside the picture",
    QualityReason.UNCLEAR: "the face is hard to make out",
    QualityReason.COVERED: "the face is partly covered",
    QualityReason.EYES_CLOSED: "the eyes are closed",
    QualityReason.MOUTH_OPEN: "the mouth is open",
}


def _reason(
    recent: Sequence[Moment],
    counted: Sequence[Moment],
    limits: FusionLimits,
    rule: Rule | None,
    calibration: Calibration | None,
) -> str:
    """Say why there is no decision: what was wrong with most frames, or that the score lies between."""
    if rule is None or calibration is None:
        return "the model is not calibrated"
    if not any(m.similarity == m.similarity for m in recent):
        return "no face was seen"
    named = [m.reasons[0] for m in recent if m.reasons]
    if 2 * len(named) >= len(recent) or not counted:
        worst = max(set(named), key=named.count) if named else None
        return _WORDS[worst] if worst is not None else "the pictures are too poor"
    if len(counted) < limits.least_frames or counted[-1].seconds - counted[0].seconds < limits.least_seconds:
        return "more frames are needed"
    return "the score lies between match and no match"
