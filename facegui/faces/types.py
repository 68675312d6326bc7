"""The values that travel along the chain from a picture to an embedding.

All arrays are treated as read-only once they are inside one of these values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Box",
    "DenseLandmarks",
    "Detection",
    "Embedding",
    "Face",
    "FacePolicy",
    "Frame",
    "Image",
    "Landmarks",
    "Outcome",
    "Photo",
    "Quality",
    "QualityReason",
    "Timings",
    "Vector",
]

Image: TypeAlias = NDArray[np.uint8]
"""Contiguous RGB picture, uint8, shape (height, width, 3)."""

Landmarks: TypeAlias = NDArray[np.float32]
"""Five points (x, y), float32, shape (5, 2): right eye, left eye, nose tip, right and left corner of the
mouth. Right and left are the person's own, so the right eye lies left in an unmirrored picture."""

# The place of each of the five points in a mirror image.
_OTHER_SIDE = [1, 0, 2, 4, 3]

Vector: TypeAlias = NDArray[np.float32]
"""Embedding of unit length, float32, shape (d,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An upright picture from a file or a camera.

    Attributes
    ----------
    pixels : Image
        RGB, uint8, (height, width, 3), contiguous.
    source : str
        Path of the file or name of the camera.
    scale : float
        Pixels here per pixel of the original (1.0, or less where a large JPEG was decoded smaller).
    original_size : tuple of int
        Width and height of the original, upright, in pixels.
    taken : datetime or None
        When the photo was taken, from EXIF, without a time zone.
    time : float
        Seconds since the start of the video or camera; 0 for a photo.
    """

    pixels: Image
    source: str
    scale: float = 1.0
    original_size: tuple[int, int] = (0, 0)
    taken: datetime | None = None
    time: float = 0.0

    def __post_init__(self) -> None:
        if self.original_size == (0, 0):
            object.__setattr__(self, "original_size", (self.width, self.height))

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels: left, top, width, height. It may reach outside the picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """First x beyond the right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """First y beyond the lower edge."""
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        """Middle (x, y)."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    def scaled(self, factor: float) -> Box:
        """Return the box with all coordinates multiplied by `factor`."""
        return Box(self.x * factor, self.y * factor, self.width * factor, self.height * factor)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that the detector found, in pixels of its frame.

    Attributes
    ----------
    box : Box
    landmarks : Landmarks
        Five points, (5, 2) float32.
    score : float
        The detector's confidence, 0..1.
    """

    box: Box
    landmarks: Landmarks
    score: float

    def scaled(self, factor: float) -> Detection:
        """Return the same face in a picture `factor` times as large."""
        return Detection(self.box.scaled(factor), self.landmarks * np.float32(factor), self.score)

    def mirrored(self, width: int) -> Detection:
        """Return the same face in the mirror image of a picture so many pixels wide."""
        box = Box(width - self.box.right, self.box.y, self.box.width, self.box.height)
        points = self.landmarks[_OTHER_SIDE].copy()
        points[:, 0] = width - 1 - points[:, 0]
        return Detection(box, points, self.score)


@dataclass(frozen=True, slots=True, eq=False)
class DenseLandmarks:
    """What the landmark network says about a face.

    Attributes
    ----------
    points : ndarray of float32, shape (468, 3)
        x and y in pixels of the frame, z in the same unit, smaller towards the camera; numbered as in MediaPipe's
        canonical face model.
    five : Landmarks
        The five points that belong to them, (5, 2).
    presence : float
        Probability that there is a face, 0..1.
    disagreement : float or None
        Mean distance between the points of the picture and those of its mirror image, in heights of the face; None
        where the mirror image was not looked at.
    yaw, pitch, roll : float
        Head pose in degrees, signs as in `Quality`. The network draws heads that are turned away less turned than they
        are: a full profile comes to about 47 degrees.
    right_eye, left_eye : float
        How far the person's own right and left eye are open: height over width.
    mouth : float
        How far the mouth is open: height over width of the gap between the lips.
    """

    points: NDArray[np.float32]
    five: Landmarks
    presence: float
    disagreement: float | None
    yaw: float
    pitch: float
    roll: float
    right_eye: float
    left_eye: float
    mouth: float


class QualityReason(StrEnum):
    """Why a face may be hard to compare."""

    TOO_SMALL = "too small"
    EYES_TOO_NEAR = "eyes too near"
    BLURRED = "blurred"
    DARK = "dark"
    OVEREXPOSED = "over-exposed"
    TURNED = "turned"
    PARTLY_OUTSIDE = "partly outside"
    UNCLEAR = "unclear"
    COVERED = "covered"
    EYES_CLOSED = "eyes closed"
    MOUTH_OPEN = "mouth open"


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be compared.

    Attributes
    ----------
    score : float
        0 (useless) .. 1 (good): the chance that the face is found to match a good photo of the same person, see
        `facegui.faces.quality`.
    reasons : tuple of QualityReason
        What is wrong, worst first; empty when nothing is. The last three need the landmark network.
    eye_distance : float
        Distance of the eyes in pixels of the original.
    sharpness, brightness, contrast : float
        Measured on the aligned crop; see `facegui.faces.quality`.
    yaw, pitch, roll : float
        Head pose in degrees, from the landmark network where it was asked and sees a face, from the five points
        otherwise. Positive yaw: the person's head turned to their own left; positive pitch: looking up; positive
        roll: head tilted clockwise as seen in the picture.
    inside : float
        Share of the face, brows to chin, that lies inside the picture, 0..1.
    """

    score: float
    reasons: tuple[QualityReason, ...]
    eye_distance: float
    sharpness: float
    brightness: float
    contrast: float
    yaw: float
    pitch: float
    roll: float
    inside: float


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A unit vector and the model that made it; vectors of different models are never compared.

    Attributes
    ----------
    vector : Vector
        float32, (d,), length 1.
    model_id : str
        sha256 of the model file, hexadecimal.
    """

    vector: Vector
    model_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face on its way through the chain.

    Attributes
    ----------
    detection : Detection
        In pixels of the frame that was analysed.
    crop : Image
        Aligned face, RGB uint8, (112, 112, 3).
    quality : Quality
    embedding : Embedding or None
        None until it is embedded.
    dense : DenseLandmarks or None
        None where they were not wanted.
    """

    detection: Detection
    crop: Image
    quality: Quality
    embedding: Embedding | None = None
    dense: DenseLandmarks | None = None

    @property
    def points(self) -> DenseLandmarks | None:
        """What the landmark network says, where it sees a face: the pose is then its own, see `with_dense`."""
        return self.dense if self.dense is not None and self.dense.yaw == self.quality.yaw else None


class Outcome(StrEnum):
    """What a comparison says."""

    MATCH = "match"
    UNSURE = "unsure"
    NO_MATCH = "no match"


class FacePolicy(StrEnum):
    """Which face of a photo counts when there are several."""

    LARGEST = "largest"
    CENTRAL = "central"
    ALL = "all"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that each step took."""

    decode: float = 0.0
    detect: float = 0.0
    align: float = 0.0
    embed: float = 0.0

    @property
    def total(self) -> float:
        """Sum of the steps in milliseconds."""
        return self.decode + self.detect + self.align + self.embed


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """What the chain found in one frame: faces ordered largest first."""

    frame: Frame
    faces: tuple[Face, ...]
    timings: Timings = field(default_factory=Timings)
