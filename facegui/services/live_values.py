"""What a live session answers with: frozen values, for the window and the command line alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from facegui.faces.liveness import LivenessReport, Verdict
from facegui.faces.track import Track
from facegui.faces.types import Face, Frame, Outcome
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Rule
from facegui.matching.fusion import Fused, FusionLimits, Moment, fuse
from facegui.services.values import Candidate

__all__ = ["LiveEvent", "LiveEventKind", "LiveTrack", "LiveView"]


class LiveEventKind(StrEnum):
    """What happened to a face in front of the camera."""

    APPEARED = "appeared"
    DECIDED = "decided"
    LEFT = "left"
    LIVENESS = "liveness"
    """There is a verdict on the person in front."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveTrack:
    """A face in front of the camera and what is known of it.

    Attributes
    ----------
    track : Track
        Where it is, its newest crop and quality, its age.
    candidate : Candidate or None
        The claimed person, or the most similar one where nobody is claimed; its similarity is that of the fused frames.
        None while nobody can be compared with.
    next_best : Candidate or None
        The most similar other person.
    fused : Fused
        The decision over the frames so far. A decision that was made holds until the frames say the opposite.
    moments : tuple of Moment
        The frames behind it, oldest first: scores over time.
    outcome : Outcome
        What is shown: that of `fused`, or the decision that holds.
    decided : bool
        Whether there was a decision or a time-out yet.
    """

    track: Track
    candidate: Candidate | None
    next_best: Candidate | None
    fused: Fused
    moments: tuple[Moment, ...]
    outcome: Outcome
    decided: bool

    @property
    def similarity(self) -> float | None:
        """Similarity of the newest frame in which the face was looked at; None before."""
        return self.moments[-1].similarity if self.moments else None

    @property
    def margin(self) -> float | None:
        """How far the candidate lies above the next best; None without two people."""
        if self.candidate is None or self.next_best is None:
            return None
        return self.candidate.similarity - self.next_best.similarity


@dataclass(frozen=True, slots=True, eq=False)
class LiveEvent:
    """Something that happened in this frame; `liveness` stands with a verdict, and with a decision that wanted one."""

    kind: LiveEventKind
    seconds: float
    face: LiveTrack
    liveness: LivenessReport | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """All that is known after a frame.

    Attributes
    ----------
    frame : Frame
    seconds : float
        The frame's time.
    faces : tuple of LiveTrack
        Visible faces, largest first: the first one is the person in front.
    events : tuple of LiveEvent
    rule : Rule or None
    calibration : Calibration or None
    model_id : str
        sha256 of the embedder.
    milliseconds : float
        What this frame took.
    liveness : LivenessReport or None
        Of the person in front; None when the settings want none.
    reference : Face or None
        The face that every other one is compared with, when that is the question.
    limits : FusionLimits or None
        What the decisions were made with.
    """

    frame: Frame
    seconds: float
    faces: tuple[LiveTrack, ...]
    events: tuple[LiveEvent, ...]
    rule: Rule | None
    calibration: Calibration | None
    model_id: str
    milliseconds: float
    liveness: LivenessReport | None = None
    reference: Face | None = None
    limits: FusionLimits | None = None

    @property
    def front(self) -> LiveTrack | None:
        """The person in front of the camera: the largest face."""
        return self.faces[0] if self.faces else None

    def outcome(self, face: LiveTrack, rule: Rule | None) -> Outcome:
        """Return the decision on a face at another threshold, without a new frame.

        At the session's own rule a decision that was made holds. A match waits for a proof of life where one is asked
        for.
        """
        if rule == self.rule or self.limits is None:
            return face.outcome
        outcome = fuse(face.moments, rule, self.calibration, self.limits, now=self.seconds).outcome
        report = self.liveness
        waits = report is not None and report.challenge is not None and report.verdict is not Verdict.LIVE
        return Outcome.UNSURE if waits and outcome is Outcome.MATCH else outcome
