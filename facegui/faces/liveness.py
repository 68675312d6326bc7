"""Is it a living person before the camera, or a picture of one: cues and verdict (presentation attack detection).

Every cue is a value with its limit. The verdict follows from the cues by a rule that can be read in one line: an attack
when a strong cue fails, live when the challenge was met and no strong cue failed, undecided otherwise. There is no
hidden total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from facegui.faces.liveness_challenge import ChallengeState, ChallengeView

__all__ = ["Cue", "CueKind", "CueState", "LivenessMode", "LivenessReport", "Verdict", "judge"]


class LivenessMode(StrEnum):
    """What the settings want."""

    OFF = "off"
    OBSERVE = "observe"
    """Cues are measured and shown; the decision does not depend on them."""
    REQUIRE = "require"
    """A match counts only with the verdict live."""


class CueKind(StrEnum):
    """What was measured."""

    CHALLENGE = "challenge"
    DEPTH = "depth"
    MOIRE = "moire"
    BORDER = "border"
    GLARE = "glare"
    COLOUR = "colour"
    FROZEN = "frozen"
    MODEL = "model"


class CueState(StrEnum):
    """What a cue says."""

    LIVE = "live"
    ATTACK = "attack"
    OPEN = "not measured yet"


@dataclass(frozen=True, slots=True)
class Cue:
    """One cue.

    Attributes
    ----------
    kind : CueKind
    state : CueState
    value : float
        What was measured; NaN while it was not.
    limit : float
        Where it changes sides.
    above : bool
        Whether values above the limit speak for a living person.
    strong : bool
        Whether the cue alone may call an attack. Weak ones are shown and never decide.
    text : str
        What it means, one plain sentence.
    """

    kind: CueKind
    state: CueState
    value: float
    limit: float
    above: bool
    strong: bool
    text: str

    @classmethod
    def measured(cls, kind: CueKind, value: float, limit: float, *, above: bool, strong: bool, text: str) -> Cue:
        """Return a cue whose state follows from its value; NaN leaves it open."""
        side = CueState.LIVE if (value >= limit) is above else CueState.ATTACK
        return cls(kind, side if value == value else CueState.OPEN, value, limit, above, strong, text)


class Verdict(StrEnum):
    """What the cues say together."""

    LIVE = "live"
    ATTACK = "not live"
    """A strong cue failed, or the movements were not made as asked."""
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class LivenessReport:
    """All cues, and the verdict with its reason.

    Attributes
    ----------
    verdict : Verdict
    reason : str
        Which cue decided it, in words.
    cues : tuple of Cue
    challenge : ChallengeView or None
        What the person is asked to do; None without a challenge.
    """

    verdict: Verdict
    reason: str
    cues: tuple[Cue, ...]
    challenge: ChallengeView | None = None

    def summary(self) -> str:
        """Return verdict and cues in one line, for the history."""
        parts = [
            f"{cue.kind.value} {cue.value:.3g} (limit {cue.limit:g}, {cue.state.value})"
            for cue in self.cues
            if cue.value == cue.value
        ]
        return f"{self.verdict.value}: {self.reason} " + "; ".join(parts)


def judge(cues: Sequence[Cue], challenge: ChallengeView | None) -> LivenessReport:
    """Return the verdict on some cues.

    Parameters
    ----------
    cues : sequence of Cue
        The passive ones.
    challenge : ChallengeView or None
        Without a challenge nothing is ever called live: a passive cue that saw no fault is no proof.
    """
    failed = [cue for cue in cues if cue.strong and cue.state is CueState.ATTACK]
    if challenge is not None and challenge.state is ChallengeState.FAILED:
        return LivenessReport(Verdict.ATTACK, challenge.reason, tuple(cues), challenge)
    if failed:
        return LivenessReport(Verdict.ATTACK, failed[0].text, tuple(cues), challenge)
    if challenge is None:
        return LivenessReport(Verdict.UNDECIDED, "No movement was asked for.", tuple(cues))
    if challenge.state is not ChallengeState.PASSED:
        return LivenessReport(Verdict.UNDECIDED, "The movements are not done yet.", tuple(cues), challenge)
    depth = next((cue for cue in cues if cue.kind is CueKind.DEPTH), None)
    if depth is not None and depth.state is CueState.OPEN:
        return LivenessReport(
            Verdict.UNDECIDED, "The head has not turned far enough to see depth.", tuple(cues), challenge
        )
    return LivenessReport(
        Verdict.LIVE, "All movements were made as asked, and no cue speaks against it.", tuple(cues), challenge
    )
