"""How numbers are written for people: similarities, rates, probabilities, intervals."""

from __future__ import annotations

from math import floor, isfinite, log10

__all__ = [
    "format_interval", "format_limit", "format_percent", "format_probability", "format_rate",
    "format_share", "format_short_meaning", "format_similarity", "format_threshold_meaning",
]  # fmt: skip

MINUS = "\u2212"
EN_DASH = "\u2013"

# The words used from each probability on for "the same person", and in the mirror for "different people".
_WORDS = ((0.99, "very likely"), (0.9, "likely"), (0.7, "rather likely"))
_MOST_CERTAIN = 0.99
_COMMON = 0.1
_HALF = 0.5


def format_similarity(similarity: float, digits: int = 2) -> str:
    """Return a similarity with two decimals and a true minus sign: ``0.47``, ``−0.03``."""
    if not isfinite(similarity):
        return EN_DASH
    text = f"{similarity:.{digits}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return text.replace("-", MINUS)


def _significant(value: float, digits: int = 2) -> float:
    """Return the value rounded to some significant digits."""
    return float(f"{value:.{digits}g}")


def format_rate(rate: float) -> str:
    """Return a rate as ``1 in 1,000``; common ones, above a tenth, as ``23 in 100``.

    Parameters
    ----------
    rate : float
        0..1. The count has two significant digits.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"a rate lies from 0 to 1, not at {rate}")
    if rate == 0:
        return "none"
    if rate > _COMMON:
        hundredths = round(rate * 100)
        return "nearly all" if hundredths >= 100 else f"{hundredths} in 100"
    return f"1 in {int(_significant(1 / rate)):,}"


def format_limit(rate: float) -> str:
    """Return a limit as ``1 in 2,500``, rounded so that it never claims more than the rate given."""
    if rate > _COMMON:
        return f"{min(100, int(-(-rate * 100 // 1)))} in 100"
    count = 1 / rate * (1 + 1e-9)
    unit = 10 ** max(0, floor(log10(count)) - 1)
    return f"1 in {int(count // unit * unit):,}"


def format_interval(rate: float, low: float, high: float) -> str:
    """Return an interval in the unit that suits the rate: ``0.4–2.1 in 1,000``.

    Parameters
    ----------
    rate, low, high : float
        0..1. The unit is the power of ten at which the rate is about 1 to 10.
    """
    unit = _unit(rate)
    return f"{_count(low * unit)}{EN_DASH}{_count(high * unit)} in {unit:,}"


def _unit(rate: float) -> int:
    # The factor lets 0.97 in 1,000 stay in thousands, as its text is "1 in 1,000".
    return 10 ** min(12, max(2, -floor(log10(rate * 1.05)))) if rate > 0 else 100


def _count(value: float) -> str:
    if value >= 10:
        return f"{int(_significant(value)):,}"
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def format_percent(probability: float) -> str:
    """Return a probability in per cent, never beyond ``above 99 %`` or ``below 1 %``."""
    if probability > _MOST_CERTAIN:
        return "above 99 %"
    if probability < 1 - _MOST_CERTAIN:
        return "below 1 %"
    return f"{round(probability * 100)} %"


def format_share(share: float, digits: int = 2) -> str:
    """Return a measured share in per cent with decimals: ``99.31 %``."""
    return f"{share * 100:.{digits}f} %"


def format_probability(probability: float) -> str:
    """Return the probability of the same person in words and per cent: ``likely the same person (94 %)``.

    The per cent are those of what the words say, so an unlikely match reads ``very likely two people``.
    """
    for limit, words in _WORDS:
        if probability >= limit:
            return f"{words} the same person ({format_percent(probability)})"
        if probability <= 1 - limit:
            return f"{words} two different people ({format_percent(1 - probability)})"
    return f"undecided ({format_percent(probability)} for the same person)"


def format_short_meaning(rate: float, low: float, high: float) -> str:
    """Return how often strangers reach a score for a narrow place, with the 95 % interval in brackets."""
    if rate > _HALF:
        return "Most strangers would score this high or higher"
    text, interval = format_rate(rate), format_interval(rate, low, high)
    counted, unit = interval.split(" in ")
    if text.endswith(f" in {unit}"):
        interval = counted
    return f"{text} strangers would score this high or higher ({interval})"


def format_threshold_meaning(similarity: float, rate: float, low: float, high: float) -> str:
    """Return how often strangers reach a similarity, with the 95 % interval, as a sentence."""
    if rate > _HALF:
        return f"Most strangers would score {format_similarity(similarity)} or higher."
    return (
        f"About {format_rate(rate)} strangers would score {format_similarity(similarity)} or higher "
        f"(95 % interval {format_interval(rate, low, high)})."
    )
