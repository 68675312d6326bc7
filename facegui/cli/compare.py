"""Verbs that ask whether and who: verify, identify."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.describing import Seen
    from facegui.faces.types import FacePolicy
    from facegui.matching.calibration import Calibration
    from facegui.services import Candidate, Comparison, Services
    from facegui.services.opinion import Answer

PANEL = "Ask"


class Policy(StrEnum):
    """Which face of a photo counts; the names are those of `FacePolicy`."""

    LARGEST = "largest"
    CENTRAL = "central"
    REFUSE = "refuse"


PolicyOption = Annotated[
    Policy | None,
    typer.Option(
        "--policy",
        metavar="largest|central|refuse",
        help="Which face counts when a photo has several. Default: as the settings say.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", metavar="SIMILARITY", min=-1, max=1, help="Similarity from which it is a match."),
]
FmrOption = Annotated[
    float | None,
    typer.Option("--fmr", metavar="RATE", help="Share of strangers to accept, such as 1e-3, instead of a threshold."),
]


def face_policy(policy: Policy | None) -> FacePolicy | None:
    """Return the policy as the chain knows it."""
    from facegui.faces.types import FacePolicy

    return FacePolicy(policy.value) if policy else None


@verb(app, "verify", PANEL)
def verify(
    run: Run,
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO [PHOTO]", help="Two photos, or one with --person.")],
    person: Annotated[
        str | None, typer.Option("--person", metavar="NAME", help="Compare with this enrolled person.")
    ] = None,
    threshold: ThresholdOption = None,
    fmr: FmrOption = None,
    policy: PolicyOption = None,
    second_opinion: Annotated[
        bool,
        typer.Option(
            "--second-opinion", help="Let the faster of the model's two networks decide what is clear, to save time."
        ),
    ] = False,
) -> int:
    """Tell whether two photos show the same person, or a photo an enrolled person.

    Exit status 0: match, 1: no match, 3: unsure. A decision on a person goes into the gallery's history.
    """
    wanted = 1 if person is not None else 2
    if len(photos) != wanted:
        raise KnownError(
            f"{len(photos)} photos were given.",
            "With --person one photo is compared; without it, two are.",
            "Name two photos, or one photo and --person NAME.",
        )
    check_rate(fmr)
    from facegui.cli.describing import STATUS, chosen_rule, look, person_named
    from facegui.cli.opinion import ask, opening, opinion_document
    from facegui.matching.decision import decide

    with run.services(existing=person is not None) as services:
        services.warm_up()
        run.show_provider(services)
        rule = chosen_rule(services.calibration, threshold, fmr, services.settings.target_fmr)
        opinion = opening(services) if second_opinion else None
        seen = [
            look(services, str(path.absolute()) if person else str(path), face_policy(policy), embed=not second_opinion)
            for path in photos
        ]
        known = None
        if person is not None:
            known = person_named(services, person)
            run.reembed(services)
        answer = None
        if opinion is not None:
            answer = ask(opinion, seen, rule, known.id if known else None)
            comparison, rule, outcome = answer.comparison, answer.rule, answer.opinion.outcome
        else:
            one = seen[0].face
            comparison = services.compare_person(known.id, one) if known else services.compare(one, seen[1].face)
            outcome = decide(comparison.similarity, rule)
        whole = services.calibration
        if person is not None:
            services.record(comparison, outcome, rule, seen[0].path)
    document = _comparison_document(comparison, seen, rule, outcome)
    if answer is not None:
        document["second_opinion"] = opinion_document(answer, whole)
        document["milliseconds"]["embed"] = round(answer.milliseconds, 2)
    run.output.answer(document, _Shown(comparison, seen, rule, outcome, answer, whole))
    return STATUS[outcome]


def check_rate(fmr: float | None) -> None:
    """Refuse a false match rate that is none.

    Raises
    ------
    KnownError
        It is not above 0 and at most 1.
    """
    if fmr is not None and not 0 < fmr <= 1:
        raise KnownError(
            f"--fmr cannot be {fmr:g}.", "A rate lies above 0 and at most at 1.", "Give 1e-3, for example."
        )


def _comparison_document(comparison: Comparison, seen: list[Seen], rule: Any, outcome: Any) -> dict[str, Any]:
    from facegui.cli.describing import meaning_document, seen_document, times

    document: dict[str, Any] = {
        "similarity": comparison.similarity,
        "decision": outcome.value,
        **meaning_document(comparison.similarity, rule, comparison.calibration),
        "model": comparison.model.id,
        "provider": comparison.provider.active,
        "faces": [seen_document(item) for item in seen],
        "milliseconds": times(*(item.timings for item in seen)),
    }
    if comparison.person_id is not None:
        document["person"] = {"id": comparison.person_id, "name": comparison.person_name}
        document["next_best"] = asdict(comparison.next_best) if comparison.next_best else None
        document["margin"] = comparison.margin
    return document


class _Shown:
    """Prints a comparison."""

    def __init__(
        self,
        comparison: Comparison,
        seen: list[Seen],
        rule: Any,
        outcome: Any,
        answer: Answer | None,
        whole: Calibration | None,
    ) -> None:
        self.comparison, self.seen, self.rule, self.outcome = comparison, seen, rule, outcome
        self.answer, self.whole = answer, whole

    def __call__(self, console: Console) -> None:
        from rich.text import Text

        from facegui.cli.describing import face_table, mark, sentences, similarity_text, steps, times
        from facegui.matching.wording import format_similarity

        comparison, rule = self.comparison, self.rule
        other = comparison.person_name if comparison.person_id is not None else shown(Path(self.seen[1].path).name)
        line = Text.assemble(mark(self.outcome), "  ", (similarity_text(comparison.similarity, rule), "bold"))
        line.append(f"   {shown(Path(self.seen[0].path).name)} and {other}")
        console.print(line)
        if rule is not None and (self.answer is None or self.answer.opinion.asked):
            below = f", unsure from {format_similarity(rule.unsure_low)}" if rule.unsure_low < rule.threshold else ""
            console.print(f"Match from {similarity_text(rule.threshold)}{below}.")
        if self.answer is not None:
            from facegui.cli.opinion import told

            console.print(told(self.answer, self.whole))
        console.print()
        for sentence in sentences(comparison.similarity, rule, comparison.calibration):
            console.print(sentence)
        if comparison.person_id is not None:
            console.print(_next_best(comparison))
        console.print()
        console.print(face_table(self.seen))
        milliseconds = times(*(item.timings for item in self.seen))
        if self.answer is not None:
            milliseconds["embed"] = self.answer.milliseconds
        console.print(f"{comparison.model.id} on {comparison.provider.active}, {steps(milliseconds)}", style="dim")


def _next_best(comparison: Comparison) -> str:
    from facegui.matching.wording import format_similarity

    if comparison.next_best is None or comparison.margin is None:
        return "Nobody else is enrolled to compare with."
    other = comparison.next_best
    difference = format_similarity(abs(comparison.margin))
    relation = f"{difference} less" if comparison.margin >= 0 else f"{difference} more"
    return f"The most similar other person, {other.name}, reaches {format_similarity(other.similarity)}: {relation}."


@verb(app, "identify", PANEL)
def identify(
    run: Run,
    photo: Annotated[Path, typer.Argument(metavar="PHOTO")],
    top: Annotated[int, typer.Option("--top", min=1, metavar="K", help="So many candidates.")] = 5,
    threshold: ThresholdOption = None,
    fmr: FmrOption = None,
    policy: PolicyOption = None,
) -> int:
    """Tell whose face it is, among everybody enrolled.

    Exit status 0: the best candidate matches, 3: unsure, 1: nobody matches.
    """
    check_rate(fmr)
    from facegui.cli.describing import STATUS, chosen_rule, look, meaning_document, seen_document, times
    from facegui.matching.decision import decide

    with run.services(existing=True) as services:
        services.warm_up()
        run.show_provider(services)
        _require_people(run, services)
        seen = look(services, str(photo), face_policy(policy))
        candidates = services.identify(seen.face, max(2, top))
        rule = chosen_rule(services.calibration, threshold, fmr, services.settings.target_fmr)
        calibration, provider, model = services.calibration, services.provider, services.model
    best = candidates[0]
    outcome = decide(best.similarity, rule)
    document = {
        "decision": outcome.value,
        "similarity": best.similarity,
        **meaning_document(best.similarity, rule, calibration),
        "margin": best.similarity - candidates[1].similarity if len(candidates) > 1 else None,
        "candidates": [
            asdict(candidate) | {"decision": decide(candidate.similarity, rule).value} for candidate in candidates[:top]
        ],
        "model": model.id,
        "provider": provider.active if provider else None,
        "faces": [seen_document(seen)],
        "milliseconds": times(seen.timings),
    }

    def show(console: Console) -> None:
        from facegui.cli.describing import mark, sentences, similarity_text

        who = {"match": f": {best.name}", "unsure": f": perhaps {best.name}", "no match": ": nobody enrolled"}
        console.print(mark(outcome).append(who[outcome.value]).append(f"   {shown(photo.name)}", "default"))
        console.print()
        rows = [_candidate_row(candidate, rule) for candidate in candidates[:top]]
        console.print(table("Person", "Similarity", "", "Samples", rows=rows, right=(1, 3)))
        console.print()
        for sentence in sentences(best.similarity, rule, calibration):
            console.print(sentence)
        if seen.faces_in_photo > 1:
            console.print(f"The photo has {seen.faces_in_photo} faces; one was compared (see --policy).")
        line = f"{model.id} on {provider.active if provider else ''}, match from "
        console.print(line + (similarity_text(rule.threshold) if rule else "nowhere"), style="dim")

    run.output.answer(document, show)
    return STATUS[outcome]


def _candidate_row(candidate: Candidate, rule: Any) -> tuple[Any, ...]:
    from facegui.cli.describing import mark, similarity_text
    from facegui.matching.decision import decide

    similarity = similarity_text(candidate.similarity, rule)
    return candidate.name, similarity, mark(decide(candidate.similarity, rule)), str(candidate.samples)


def _require_people(run: Run, services: Services) -> None:
    if not services.gallery.counts().people:
        raise KnownError(
            "There is nobody to compare with.",
            "Nobody is enrolled in this gallery.",
            "Enroll somebody with `facegui enroll NAME PHOTO`.",
        )
    run.reembed(services)
