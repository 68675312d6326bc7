"""From a similarity to a decision: match, unsure or no match, and what that means.

Nothing here runs a network, so a threshold that is being dragged re-decides at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from facegui.faces.types import Outcome
from facegui.matching import wording
from facegui.matching.calibration import Calibration

__all__ = ["Explanation", "Outcome", "Rule", "decide", "explain", "rule_at", "rule_for"]

UNSURE_FACTOR = 10.0
"""The unsure band reaches down to the threshold of this many times the false match rate."""

_LARGEST_FMR = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Where on the scale -1..1 the decision changes.

    Attributes
    ----------
    threshold : float
        A similarity at or above it is a match.
    unsure_low : float
        From here up to the threshold the answer is unsure; never above the threshold.
    """

    threshold: float
    unsure_low: float

    def __post_init__(self) -> None:
        if not self.unsure_low <= self.threshold:
            raise ValueError("the unsure band must end at or below the threshold")


def rule_for(calibration: Calibration | None, target_fmr: float) -> Rule | None:
    """Return the rule that accepts about `target_fmr` of all strangers.

    Parameters
    ----------
    calibration : Calibration or None
    target_fmr : float
        False match rate, above 0 and at most 1.

    Returns
    -------
    Rule or None
        None without a calibration: no threshold has a known meaning then.
    """
    if calibration is None:
        return None
    threshold = calibration.threshold_for(target_fmr)
    return Rule(threshold, _band(calibration, threshold, target_fmr))


def rule_at(calibration: Calibration | None, threshold: float) -> Rule | None:
    """Return the rule for a threshold that the user chose; the unsure band keeps its meaning.

    Returns
    -------
    Rule or None
        None without a calibration, as for `rule_for`.
    """
    if calibration is None:
        return None
    return Rule(threshold, _band(calibration, threshold, calibration.fmr_at(threshold).value))


def _band(calibration: Calibration, threshold: float, fmr: float) -> float:
    return min(threshold, calibration.threshold_for(min(_LARGEST_FMR, UNSURE_FACTOR * fmr)))


def decide(similarity: float, rule: Rule | None) -> Outcome:
    """Return the decision on a similarity.

    Parameters
    ----------
    similarity : float
        Cosine, -1..1. NaN (nothing to compare) is unsure.
    rule : Rule or None
        Without a rule, because the model is not calibrated, everything is unsure.
    """
    if rule is None or similarity != similarity:
        return Outcome.UNSURE
    if similarity >= rule.threshold:
        return Outcome.MATCH
    return Outcome.UNSURE if similarity >= rule.unsure_low else Outcome.NO_MATCH


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision in words. Without a calibration only `meaning` says something; the rest is empty.

    Attributes
    ----------
    meaning : str
        How often strangers reach the threshold, with the interval.
    short : str
        The same for a narrow place: ``1 in 1,000 strangers would … (0.4–2.1)``.
    rate : str
        How often strangers reach this very similarity, never less than the calibration supports.
    probability : str
        Probability of the same person, in words and per cent.
    caveat : str
        What limits the claim: too few people behind it; empty when nothing does.
    """

    meaning: str
    short: str = ""
    rate: str = ""
    probability: str = ""
    caveat: str = ""


NOT_CALIBRATED = "This model is not calibrated, so nobody knows how often strangers score this high."


def explain(similarity: float, rule: Rule | None, calibration: Calibration | None) -> Explanation:
    """Return what a similarity and a threshold mean, in words that claim no more than the calibration holds.

    Parameters
    ----------
    similarity : float
        Cosine, -1..1.
    rule : Rule or None
    calibration : Calibration or None
        None for a model that is not calibrated.
    """
    if calibration is None or rule is None:
        return Explanation(NOT_CALIBRATED)
    at_threshold = calibration.fmr_at(rule.threshold)
    meaning = wording.format_threshold_meaning(rule.threshold, at_threshold.value, at_threshold.low, at_threshold.high)
    caveat = ""
    if not calibration.supports(at_threshold.value):
        caveat = (
            f"Extrapolated: the calibration compared {calibration.people:,} people, enough to claim "
            f"{wording.format_limit(calibration.smallest_claim)} but nothing rarer."
        )
    return Explanation(
        meaning=meaning,
        short=wording.format_short_meaning(at_threshold.value, at_threshold.low, at_threshold.high),
        rate=_rate_text(similarity, calibration),
        probability=_probability_text(similarity, calibration),
        caveat=caveat,
    )


def _rate_text(similarity: float, calibration: Calibration) -> str:
    if similarity != similarity:
        return ""
    rate = calibration.fmr_at(similarity)
    if calibration.supports(rate.value):
        return wording.format_threshold_meaning(similarity, rate.value, rate.low, rate.high)
    limit = wording.format_limit(rate.high)
    return (
        f"Fewer than {limit} strangers would score {wording.format_similarity(similarity)} or higher; "
        "the calibration cannot tell how many fewer."
    )


def _probability_text(similarity: float, calibration: Calibration) -> str:
    if similarity != similarity:
        return ""
    words = wording.format_probability(calibration.probability(similarity))
    return f"{words[0].upper()}{words[1:]}, if both were equally likely beforehand."
