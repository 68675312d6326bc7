"""The second opinion on the command line: asked for, told, and what a calibration found about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from facegui.cli.output import table
from facegui.errors import KnownError
from facegui.faces.catalog import ModelInfo
from facegui.matching.calibration import Calibration
from facegui.matching.decision import NOT_CALIBRATED, Rule
from facegui.matching.opinion_bands import BandPoint
from facegui.matching.wording import format_rate, format_share, format_similarity

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.describing import Seen
    from facegui.services import Services
    from facegui.services.opinion import Answer, SecondOpinion

__all__ = ["ask", "opening", "opinion_document", "show_bands", "told"]


def opening(services: Services) -> SecondOpinion:
    """Return the second opinion of the model in use, ready to be asked.

    Raises
    ------
    KnownError
        The model has none.
    """
    from facegui.services.opinion import SecondOpinion

    opinion = SecondOpinion(services)
    opinion.warm_up()
    return opinion


def ask(opinion: SecondOpinion, seen: Sequence[Seen], rule: Rule | None, person: int | None) -> Answer:
    """Compare the first face with the second, or with an enrolled person.

    Raises
    ------
    KnownError
        There is no rule, or nothing was measured at its threshold.
    """
    if rule is None:
        raise KnownError("There is no second opinion.", NOT_CALIBRATED, "Calibrate the model: `facegui calibrate`.")
    if person is not None:
        return opinion.compare_person(person, seen[0].face, rule)
    return opinion.compare(seen[0].face, seen[1].face, rule)


def opinion_document(answer: Answer, whole: Calibration | None) -> dict[str, Any]:
    """Return how a decision in two steps came about, as plain values."""
    threshold = answer.whole_rule.threshold
    return {
        "asked": answer.opinion.asked,
        "fast_model": answer.fast_model.id,
        "fast_similarity": None if answer.opinion.fast != answer.opinion.fast else answer.opinion.fast,
        "no_match_below": answer.band.low,
        "match_from": answer.band.high,
        "whole_model": answer.whole_model.id,
        "whole_threshold": threshold,
        "fmr_aimed_at": whole.fmr_at(threshold).value if whole else None,
        "similarity": answer.opinion.similarity,
        "milliseconds": round(answer.milliseconds, 2),
    }


def told(answer: Answer, whole: Calibration | None) -> str:
    """Return in sentences which network decided and why, and how many strangers both together accept."""
    low, high = format_similarity(answer.band.low, 3), format_similarity(answer.band.high, 3)
    fast = answer.fast_model.id
    if not answer.opinion.asked:
        text = f"{fast} alone decided: its scores below {low} and from {high} on leave no doubt."
    else:
        text = (
            f"{fast} alone reached {format_similarity(answer.opinion.fast, 3)}, which leaves a doubt "
            f"({low} to {high}); {answer.whole_model.id} decided."
        )
    if whole is None:
        return text
    rate = format_rate(whole.fmr_at(answer.whole_rule.threshold).value)
    return f"{text} In two steps about {rate} strangers are accepted."


def show_bands(console: Console, model: ModelInfo, points: Sequence[BandPoint]) -> None:
    """Print where the fast network of a model leaves a doubt."""
    if not points:
        return
    rows = [
        (
            format_rate(point.fmr),
            f"{format_similarity(point.low, 3)} to {format_similarity(point.high, 3)}",
            f"{format_share(point.asked_genuine)} / {format_share(point.asked_impostor)}",
            format_share(point.fmr_reached, 3),
            f"{format_share(point.fnmr)} ({format_share(point.fnmr_alone)})",
        )
        for point in points
    ]
    columns = (
        "Strangers accepted", f"{model.parts[0].model} in doubt", "Asked: same / others", "Reached",
        "Missed (whole model)",
    )  # fmt: skip
    console.print(table(*columns, rows=rows, right=(1, 2, 3, 4), title=f"{model.id}, second opinion"))
    console.print()
