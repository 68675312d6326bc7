"""The main job on sample faces: enroll, verify, identify, rank lookalikes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facegui.cli.samples import SampleFolder, make_folder
from facegui.faces.session import ProviderReport
from facegui.faces.types import Outcome
from facegui.jobs import Job, Progress
from facegui.lookalikes.ranking import Hit
from facegui.matching.decision import Rule, decide
from facegui.services import EnrolSample, Services

__all__ = ["CAPTION", "Answer", "Demonstration", "demonstrate"]

ASTRONAUT: Final = "Eileen Collins"
ADMIRAL: Final = "Grace Hopper"
CAPTION: Final = (
    "The installed packages hold one photo of each person, so what matches here are changed copies of one photo "
    "(smaller, darker, mirrored, compressed). That shows that the program works, not how well two different photos "
    "of a person match. The strangers are real ones."
)
_RANKED = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came out.

    Attributes
    ----------
    question : str
    outcome : Outcome
    similarity : float
    words : str
        Who it is, where that was asked.
    expected : Outcome
        What a person who knows the photos would say.
    """

    question: str
    outcome: Outcome
    similarity: float
    words: str
    expected: Outcome


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Everything that the demonstration found."""

    folder: SampleFolder
    enrolled: tuple[str, ...]
    answers: tuple[Answer, ...]
    probe: Path
    searched: int
    hits: tuple[Hit, ...]
    rule: Rule | None
    model: str
    provider: ProviderReport


def demonstrate(services: Services, folder: Path) -> Job[Demonstration]:
    """Do the main job end to end on sample photos.

    Parameters
    ----------
    services : Services
        With a gallery that may be filled.
    folder : Path
        Where the photos go.

    Raises
    ------
    KnownError
        A sample is missing, or something cannot be written.
    """
    provider = services.warm_up()
    made = yield from make_folder(services, folder)
    enrolled = yield from _enroll(services, made)
    yield Progress(0, 0, "comparing")
    answers = tuple(_answers(services, made))
    probe = made.people[0]
    yield from services.index([made.photos])
    _, face = services.probe(probe)
    ranking = services.lookalikes(face, [made.photos], one_per_photo=True)
    # The probe itself and its own copies would only say what is known already.
    hits = [hit for hit in ranking.hits(services.gallery) if Path(hit.path) != probe][:_RANKED]
    return Demonstration(
        made, enrolled, answers, probe, ranking.searched, tuple(hits), services.rule(), services.model.id, provider
    )


def _enroll(services: Services, made: SampleFolder) -> Job[tuple[str, ...]]:
    """Enroll the two portraits and the left half of the group; the others stay strangers."""
    wanted = {
        ASTRONAUT: [made.file("astronaut"), made.file("astronaut-rough")],
        ADMIRAL: [made.file("admiral"), made.file("admiral-rough")],
    }
    for number, file in enumerate(made.people[: len(made.people) // 2], 1):
        wanted[f"Person {number}"] = [file]
    for done, (name, files) in enumerate(wanted.items()):
        yield Progress(done, len(wanted), name)
        seen = [services.probe(file) for file in files]
        services.enroll(name, [EnrolSample(face, photo.frame) for photo, face in seen])
    return tuple(wanted)


def _answers(services: Services, made: SampleFolder) -> list[Answer]:
    rule = services.rule()

    def pair(left: str, right: str, expected: Outcome) -> Answer:
        (_, one), (_, other) = services.probe(made.file(left)), services.probe(made.file(right))
        similarity = services.compare(one, other).similarity
        return Answer(f"{left}.jpg and {right}.jpg: one person?", decide(similarity, rule), similarity, "", expected)

    def person(name: str, probe: str, expected: Outcome) -> Answer:
        known = services.gallery.person_named(name)
        assert known is not None
        similarity = services.compare_person(known.id, services.probe(made.file(probe))[1]).similarity
        return Answer(f"{probe}.jpg: is this {name}?", decide(similarity, rule), similarity, "", expected)

    def who(probe: str, expected: Outcome) -> Answer:
        best = services.identify(services.probe(made.file(probe))[1], 1)[0]
        outcome = decide(best.similarity, rule)
        words = {Outcome.MATCH: best.name, Outcome.UNSURE: f"perhaps {best.name}"}.get(outcome, "nobody enrolled")
        return Answer(f"{probe}.jpg: who is this?", outcome, best.similarity, words, expected)

    answers = [
        pair("astronaut", "astronaut-mirrored", Outcome.MATCH),
        pair("astronaut", "admiral", Outcome.NO_MATCH),
        person(ADMIRAL, "admiral-dark", Outcome.MATCH),
        person(ADMIRAL, "astronaut-half", Outcome.NO_MATCH),
    ]
    known = len(made.people) // 2
    if known:
        answers.append(who(f"person-{known}-mirrored", Outcome.MATCH))
        answers.append(who(f"person-{known + 1}", Outcome.NO_MATCH))
    return answers
