"""Guided enrolment: which poses of a person are there, which one to ask for next, and what is in the way.

Poses may come in any order; each is taken at its best quality while it lasts. Angles count from the person's own
frontal picture, since a camera on a screen's edge sees every head from above or below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from facegui.faces.types import Face, Frame, QualityReason

__all__ = ["Guide", "GuideHint", "GuideLimits", "GuidePose", "GuideView", "Taken"]


class GuidePose(StrEnum):
    """Where the person looks; left and right are their own."""

    FRONTAL = "frontal"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class GuideHint(StrEnum):
    """What is in the way of the next picture."""

    NONE = ""
    NO_FACE = "no face"
    ANOTHER = "another face"
    TOO_FAR = "turned too far"
    POOR = "poor quality"
    HOLD = "hold still"


@dataclass(frozen=True, slots=True)
class GuideLimits:
    """Numbers that steer the guide; they stand in the manifest.

    Attributes
    ----------
    frontal : float
        A head turned less than this, in degrees, looks at the camera.
    turn, turn_most : float
        Degrees to the side that count as turned, and beyond which a face is turned too far.
    nod, nod_most : float
        The same for up and down.
    quality : float
        Least quality of a sample, 0..1.
    hold : float
        Seconds during which a pose is held and its best picture is taken.
    same : float
        Least cosine to the frontal picture; below it the face is somebody else's.
    another : float
        A second face is in the way when it is at least so wide, in widths of the largest one.
    """

    frontal: float
    turn: float
    turn_most: float
    nod: float
    nod_most: float
    quality: float
    hold: float
    same: float
    another: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> GuideLimits:
        """Read the limits from the manifest's ``[guide]`` table; KeyError when one is missing."""
        return cls(**{item.name: float(table[item.name]) for item in fields(cls)})


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A picture that was taken."""

    pose: GuidePose
    face: Face
    frame: Frame


@dataclass(frozen=True, slots=True, eq=False)
class GuideView:
    """How far the enrolment is.

    Attributes
    ----------
    taken : tuple of Taken
        In the order of `GuidePose`.
    wanted : GuidePose or None
        The pose to ask for; None when all are there.
    hint : GuideHint
    reasons : tuple of QualityReason
        What is wrong with the newest face when the hint says poor quality.
    yaw, pitch : float
        How far the head is turned from the frontal picture, in degrees, for the ring.
    fresh : GuidePose or None
        The pose that was taken with this very frame.
    """

    taken: tuple[Taken, ...]
    wanted: GuidePose | None
    hint: GuideHint
    reasons: tuple[QualityReason, ...] = ()
    yaw: float = 0.0
    pitch: float = 0.0
    fresh: GuidePose | None = None

    @property
    def share(self) -> float:
        """Share of the poses that are there, 0..1."""
        return len(self.taken) / len(GuidePose)


class Guide:
    """Collects one picture for each pose; not for several threads at once.

    Parameters
    ----------
    limits : GuideLimits
    """

    def __init__(self, limits: GuideLimits) -> None:
        self._limits = limits
        self._taken: dict[GuidePose, Taken] = {}
        self._best: dict[GuidePose, tuple[float, Taken]] = {}

    @property
    def taken(self) -> tuple[Taken, ...]:
        """The pictures so far, in the order of `GuidePose`."""
        return tuple(self._taken[pose] for pose in GuidePose if pose in self._taken)

    def retake(self, pose: GuidePose) -> None:
        """Let one picture go; without the frontal one all angles lose their meaning, so then all go."""
        for gone in list(GuidePose) if pose is GuidePose.FRONTAL else [pose]:
            self._taken.pop(gone, None)
            self._best.pop(gone, None)

    def add(self, face: Face | None, frame: Frame) -> GuideView:
        """Take the newest face, embedded; `frame.time` is the clock.

        Parameters
        ----------
        face : Face or None
            None where none was seen.
        frame : Frame
        """
        if face is None or face.embedding is None:
            self._best.clear()
            return self._view(GuideHint.NO_FACE)
        yaw, pitch = self._turned(face)
        front = self._taken.get(GuidePose.FRONTAL)
        if front is not None and self._likeness(front.face, face) < self._limits.same:
            return self._view(GuideHint.ANOTHER, yaw=yaw, pitch=pitch)
        if abs(yaw) > self._limits.turn_most or abs(pitch) > self._limits.nod_most:
            self._best.clear()
            return self._view(GuideHint.TOO_FAR, yaw=yaw, pitch=pitch)
        if face.quality.score < self._limits.quality:
            return self._view(GuideHint.POOR, face.quality.reasons, yaw, pitch)
        pose = self._pose(yaw, pitch)
        for other in [known for known in self._best if known is not pose]:
            del self._best[other]
        if pose is None or pose in self._taken:
            return self._view(GuideHint.NONE, yaw=yaw, pitch=pitch)
        began, best = self._best.get(pose, (frame.time, Taken(pose, face, frame)))
        if face.quality.score > best.face.quality.score:
            best = Taken(pose, face, frame)
        if frame.time - began < self._limits.hold:
            self._best[pose] = began, best
            return self._view(GuideHint.HOLD, yaw=yaw, pitch=pitch)
        self._taken[pose] = best
        self._best.pop(pose, None)
        return self._view(GuideHint.NONE, yaw=yaw, pitch=pitch, fresh=pose)

    def _view(
        self,
        hint: GuideHint,
        reasons: tuple[QualityReason, ...] = (),
        yaw: float = 0.0,
        pitch: float = 0.0,
        fresh: GuidePose | None = None,
    ) -> GuideView:
        wanted = next((pose for pose in GuidePose if pose not in self._taken), None)
        return GuideView(self.taken, wanted, hint, reasons, yaw, pitch, fresh)

    def _turned(self, face: Face) -> tuple[float, float]:
        front = self._taken.get(GuidePose.FRONTAL)
        if front is None:
            return face.quality.yaw, face.quality.pitch
        return face.quality.yaw - front.face.quality.yaw, face.quality.pitch - front.face.quality.pitch

    def _pose(self, yaw: float, pitch: float) -> GuidePose | None:
        limits = self._limits
        if max(abs(yaw), abs(pitch)) < limits.frontal:
            return GuidePose.FRONTAL
        if GuidePose.FRONTAL not in self._taken:
            return None
        # The larger of the two movements, each in its own unit, says what was meant.
        if abs(yaw) / limits.turn >= abs(pitch) / limits.nod:
            if abs(yaw) >= limits.turn:
                return GuidePose.LEFT if yaw > 0 else GuidePose.RIGHT
        elif abs(pitch) >= limits.nod:
            return GuidePose.UP if pitch > 0 else GuidePose.DOWN
        return None

    @staticmethod
    def _likeness(one: Face, other: Face) -> float:
        if one.embedding is None or other.embedding is None or one.embedding.model_id != other.embedding.model_id:
            return -1.0
        return float(one.embedding.vector @ other.embedding.vector)
