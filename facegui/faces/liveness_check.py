"""All liveness cues of one face over time, put together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.liveness import Cue, CueKind, LivenessReport, judge
from facegui.faces.liveness_challenge import Challenge, Signs
from facegui.faces.liveness_geometry import DepthCue, DepthLimits
from facegui.faces.liveness_image import ImageCues, image_cues
from facegui.faces.types import Face, Frame

__all__ = ["CueLimits", "LivenessCheck", "PassiveModel", "rigid_points"]

PassiveModel = Callable[[Frame, Face], float]
"""Returns the probability of a living face, 0..1; NaN where the face is too near the edge."""

_NOSE_BASE = 2
_EVERY = 8


def rigid_points(shape: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of the 468 points move with the skull alone: those above the base of the nose."""
    rigid: NDArray[np.bool_] = shape[:, 1] < shape[_NOSE_BASE, 1]
    return rigid


@dataclass(frozen=True, slots=True)
class CueLimits:
    """Limits of the passive cues; they stand in the manifest, with how often they err.

    Attributes
    ----------
    moire, border, glare, colour : float
        See `facegui.faces.liveness_image`.
    frozen : float
        Seconds without any change of the picture.
    model : float
        Least probability of a passive model whose own entry names none.
    every : int
        Single pictures are measured in every so many-th frame.
    kept : int
        The middle one of so many measurements counts.
    """

    moire: float
    border: float
    glare: float
    colour: float
    frozen: float
    model: float
    every: int
    kept: int

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> CueLimits:
        """Read the limits from the manifest's ``[liveness]`` table; KeyError when one is missing."""
        numbers: dict[str, Any] = {item.name: float(table[item.name]) for item in fields(cls)}
        return cls(**{**numbers, "every": int(table["every"]), "kept": int(table["kept"])})


class LivenessCheck:
    """Watches one face; not for several threads at once.

    Parameters
    ----------
    limits : CueLimits
    depth : DepthLimits
    rigid : ndarray of bool, shape (468,)
    challenge : Challenge or None
        Without one nothing is ever called live.
    model : callable, optional
        A passive model, where one is installed.
    model_limit : float, optional
        The limit of its manifest entry.
    """

    def __init__(
        self,
        limits: CueLimits,
        depth: DepthLimits,
        rigid: NDArray[np.bool_],
        challenge: Challenge | None,
        model: PassiveModel | None = None,
        model_limit: float | None = None,
    ) -> None:
        self._limits, self._depth_limits = limits, depth
        self._depth = DepthCue(depth, rigid)
        self._challenge = challenge
        self._model = model
        self._model_limit = limits.model if model_limit is None else model_limit
        self._pictures: deque[ImageCues] = deque(maxlen=limits.kept)
        self._scores: deque[float] = deque(maxlen=limits.kept)
        self._frames = 0
        self._sample: NDArray[np.uint8] | None = None
        self._since = self._still = 0.0

    def lost(self, seconds: float) -> LivenessReport:
        """Say that the face is not seen in this frame."""
        self._depth.lost()
        return judge(self._cues(), self._challenge.lost(seconds) if self._challenge is not None else None)

    def add(self, frame: Frame, face: Face) -> LivenessReport:
        """Take the next frame.

        Parameters
        ----------
        frame : Frame
            Its `time` is the clock.
        face : Face
            With dense landmarks.

        Raises
        ------
        ValueError
            The face has no dense landmarks.
        """
        if face.dense is None:
            raise ValueError("the face has no dense landmarks")
        self._watch(frame)
        self._depth.add(frame.pixels, face.dense, frame.time)
        if self._frames % self._limits.every == 0:
            self._pictures.append(image_cues(frame.pixels, face.detection.box, face.crop))
            if self._model is not None:
                self._scores.append(self._model(frame, face))
        self._frames += 1
        view = self._challenge.add(Signs.of(face.dense, frame.time)) if self._challenge is not None else None
        return judge(self._cues(), view)

    def _watch(self, frame: Frame) -> None:
        """Note for how long the picture has not changed at all."""
        sample = frame.pixels[::_EVERY, ::_EVERY]
        if self._sample is None or sample.shape != self._sample.shape or not np.array_equal(sample, self._sample):
            self._sample, self._since = sample.copy(), frame.time
        self._still = max(self._still, frame.time - self._since)

    def _cues(self) -> tuple[Cue, ...]:
        limits = self._limits

        def middle(name: str) -> float:
            values = [getattr(picture, name) for picture in self._pictures]
            good = [value for value in values if value == value]
            return float(np.median(good)) if good else float("nan")

        cues = [
            Cue.measured(
                CueKind.DEPTH, self._depth.value, self._depth_limits.ratio, above=True, strong=True,
                text="The face moves like a flat picture."
                if self._depth.value < self._depth_limits.ratio
                else "The face has depth.",
            ),
            Cue.measured(
                CueKind.FROZEN, self._still if self._frames else float("nan"), limits.frozen, above=False, strong=True,
                text="The picture stood still to the last bit, which no camera's does."
                if self._still > limits.frozen
                else "The picture is alive.",
            ),
            Cue.measured(
                CueKind.MOIRE, middle("moire"), limits.moire, above=False, strong=False,
                text="Stripes as of a screen's grid.",
            ),
            Cue.measured(
                CueKind.BORDER, middle("border"), limits.border, above=False, strong=False,
                text="Sides of a rectangle around the face, as of a print or a screen.",
            ),
            Cue.measured(
                CueKind.GLARE, middle("glare"), limits.glare, above=False, strong=False,
                text="A burnt-out spot on the face, as of a lamp on a smooth surface.",
            ),
            Cue.measured(
                CueKind.COLOUR, middle("colour"), limits.colour, above=True, strong=False,
                text="Few colours in the face, as on a print.",
            ),
        ]  # fmt: skip
        if self._model is not None:
            good = [score for score in self._scores if score == score]
            value = float(np.mean(good)) if good else float("nan")
            cues.append(
                Cue.measured(
                    CueKind.MODEL,
                    value,
                    self._model_limit,
                    above=True,
                    strong=True,
                    text="What the installed liveness model says.",
                )
            )
        return tuple(cues)
