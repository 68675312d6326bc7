"""What the Verify page asks the services, and when a live answer is worth keeping. No Qt in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from facegui.faces.types import Face, FacePolicy, Photo, Timings
from facegui.matching.decision import Outcome

if TYPE_CHECKING:
    from facegui.services import Candidate, Comparison, Services
    from facegui.services.live_values import LiveTrack, LiveView

__all__ = ["Answer", "Question", "Recorded", "Settling", "ask", "default_face", "together"]

SETTLED_SECONDS: Final = 1.5
LOST_SECONDS: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One face against a face, against a person, or (neither given) against everybody enrolled.

    Attributes
    ----------
    probe : Face
    claim : Face or None
    person_id : int or None
    timings : Timings
        Of everything that was analysed for it.
    probe_source, claim_source : str
        Where the faces come from, for the history.
    """

    probe: Face
    claim: Face | None = None
    person_id: int | None = None
    timings: Timings = Timings()  # noqa: RUF009 - frozen
    probe_source: str = ""
    claim_source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A comparison, or who looks most like the face; `nearest` is None where nobody is enrolled.

    `live` and `view` say how a live answer came about: the frames behind it, and the session's view of the last one.
    """

    question: Question
    comparison: Comparison | None = None
    nearest: Candidate | None = None
    live: LiveTrack | None = None
    view: LiveView | None = None


def ask(services: Services, question: Question) -> Answer:
    """Answer a question. Faces that are embedded already need no network."""
    if question.claim is not None:
        return Answer(question, services.compare(question.claim, question.probe, question.timings))
    if question.person_id is not None:
        return Answer(question, services.compare_person(question.person_id, question.probe, question.timings))
    return Answer(question, nearest=next(iter(services.identify(question.probe, 1)), None))


def together(first: Timings, second: Timings) -> Timings:
    """Add the times of two photos."""
    return Timings(
        first.decode + second.decode, first.detect + second.detect, first.align + second.align,
        first.embed + second.embed,
    )  # fmt: skip


def default_face(photo: Photo, policy: str) -> int:
    """Return which face of a photo counts at first; -1 where the user is to choose."""
    if not photo.faces:
        return -1
    if policy == FacePolicy.REFUSE and len(photo.faces) > 1:
        return -1
    if policy == FacePolicy.CENTRAL:
        middle = np.array([photo.frame.width / 2, photo.frame.height / 2])
        distances = [float(np.hypot(*(middle - face.detection.box.center))) for face in photo.faces]
        return int(np.argmin(distances))
    return 0


class Settling:
    """Decides which live outcomes go into the history: those that held for a while and are news.

    A face that is gone for a moment changes nothing; gone for longer, the next outcome is news again.
    """

    def __init__(self) -> None:
        self._candidate: Outcome | None = None
        self._since = 0.0
        self._seen = 0.0
        self._told: Outcome | None = None

    def reset(self) -> None:
        """Begin anew: another claim, another source."""
        self._candidate = self._told = None

    def add(self, outcome: Outcome | None, seconds: float) -> bool:
        """Take the outcome of a frame, None without a face; tell whether it is to be kept now.

        Parameters
        ----------
        outcome : Outcome or None
        seconds : float
            A clock that only grows.
        """
        if outcome is None:
            if self.lost(seconds):
                self.reset()
            return False
        self._seen = seconds
        if outcome is not self._candidate:
            self._candidate, self._since = outcome, seconds
            return False
        if outcome is self._told or seconds - self._since < SETTLED_SECONDS:
            return False
        self._told = outcome
        return True

    def lost(self, seconds: float) -> bool:
        """Tell whether no face was seen for a while."""
        return seconds - self._seen >= LOST_SECONDS


class Recorded:
    """Remembers the last comparison of photos that was written down, so that none is written twice."""

    def __init__(self) -> None:
        self._last: tuple[Face, Face | int | None, float] | None = None

    def is_new(self, question: Question, similarity: float) -> bool:
        """Tell whether this comparison is another one than the last; swapped sides are the same one."""
        claim = question.claim if question.claim is not None else question.person_id
        if self._last is not None:
            probe, other, score = self._last
            same = probe is question.probe and (other is claim or (isinstance(claim, int) and other == claim))
            swapped = probe is claim and other is question.probe
            if (same or swapped) and score == similarity:
                return False
        self._last = (question.probe, claim, similarity)
        return True
