"""How well a face can be compared, and why not better.

The score is a chance with a meaning: how often this face would be found to match a good frontal photo of the same
person, at the threshold for 1 stranger in 1,000. The detector's confidence alone tells it: size, sharpness, light and
pose of the face, all of which it has seen, added nothing (see ``[quality_odds]`` in the manifest). What is simple
to measure and to mend is named as a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import dist, exp, hypot, log
from operator import itemgetter
from typing import Any

import cv2
import numpy as np

from facegui.faces.align import FACE_AREA, inside_share
from facegui.faces.pose import head_pose
from facegui.faces.types import Detection, Image, Quality, QualityReason

__all__ = ["QualityLimits", "QualityOdds", "assess", "crop_measures"]

_WHITE = 250


@dataclass(frozen=True, slots=True)
class QualityOdds:
    """How the odds of being matched follow from the detector's confidence; fitted, and kept in the manifest.

    Attributes
    ----------
    intercept, slope : float
        The logarithm of the odds is intercept + slope * the logarithm of the odds of the confidence.
    low, high : float
        Confidences beyond count as these.
    """

    intercept: float
    slope: float
    low: float
    high: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> QualityOdds:
        """Read the numbers from the manifest's ``[quality_odds]`` table; KeyError when one is missing."""
        return cls(**{item.name: float(table[item.name]) for item in fields(cls)})

    def chance(self, confidence: float) -> float:
        """Return the chance of being matched, 0..1, for a face found with this confidence."""
        sure = min(max(confidence, self.low), self.high)
        return 1 / (1 + exp(-self.intercept - self.slope * log(sure / (1 - sure))))


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Where each measure starts to be named as a reason, and where it is worth nothing.

    Attributes
    ----------
    small_face, useless_face : float
        Width of the face box in pixels of the original.
    eyes_near, eyes_useless : float
        Distance of the eyes in pixels of the original.
    blurred, useless_blur : float
        Sharpness, see `crop_measures`.
    dark, useless_dark : float
        Mean luma of the face, 0..1.
    bright, useless_bright : float
        Share of burnt-out pixels of the face, 0..1.
    turned, useless_turn : float
        Angle of the head away from the camera in degrees.
    inside, useless_inside : float
        Share of the face, brows to chin, inside the picture, 0..1.
    unclear : float
        Below this score a face is called unclear where no other reason is found.
    poor : float
        Below this score a sample is called poor.
    """

    small_face: float
    useless_face: float
    eyes_near: float
    eyes_useless: float
    blurred: float
    useless_blur: float
    dark: float
    useless_dark: float
    bright: float
    useless_bright: float
    turned: float
    useless_turn: float
    inside: float
    useless_inside: float
    unclear: float
    poor: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> QualityLimits:
        """Read the limits from the manifest's ``[quality]`` table; KeyError when one is missing."""
        return cls(**{item.name: float(table[item.name]) for item in fields(cls)})


def crop_measures(crop: Image) -> tuple[float, float, float, float]:
    """Measure an aligned crop.

    Parameters
    ----------
    crop : Image
        RGB uint8, (112, 112, 3).

    Returns
    -------
    sharpness : float
        Strength of the finest details relative to the contrast of the face: standard deviation of the
        Laplacian over that of the luma (Pech-Pacheco et al., ICPR 2000, made independent of the contrast).
    brightness : float
        Mean luma (Rec. ITU-R BT.601), 0..1.
    contrast : float
        Standard deviation of the luma, 0..0.5.
    burnt : float
        Share of pixels at the white end, 0..1.
    """
    left, top, right, bottom = FACE_AREA
    face = crop[top:bottom, left:right]
    luma = cv2.cvtColor(face.astype(np.float32), cv2.COLOR_RGB2GRAY)
    brightness, contrast = (float(value.item()) for value in cv2.meanStdDev(luma))
    _, details = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_32F))
    burnt = np.count_nonzero(luma >= _WHITE) / luma.size
    return float(details.item()) / max(contrast, 1.0), brightness / 255, contrast / 255, burnt


def _worth(value: float, fair: float, useless: float) -> float:
    """Return 1 at `fair` and beyond, falling to 0 at `useless`; either end may be the larger."""
    return min(1.0, max(0.0, (value - useless) / (fair - useless)))


def assess(
    image: Image, scale: float, detection: Detection, crop: Image, limits: QualityLimits, odds: QualityOdds
) -> Quality:
    """Assess one face.

    Parameters
    ----------
    image : Image
        The picture that the face lies in.
    scale : float
        Pixels of `image` per pixel of the original (`Frame.scale`).
    detection : Detection
        In pixels of `image`.
    crop : Image
        The aligned face.
    limits : QualityLimits
    odds : QualityOdds

    Returns
    -------
    Quality
        Reasons come worst first.
    """
    points = detection.landmarks
    eye_distance = dist(points[0].tolist(), points[1].tolist()) / scale
    width = detection.box.width / scale
    yaw, pitch, roll = head_pose(points)
    turn = hypot(yaw, pitch)
    inside = inside_share(image.shape, points)
    sharpness, brightness, contrast, burnt = crop_measures(crop)
    worth = (
        (_worth(width, limits.small_face, limits.useless_face), QualityReason.TOO_SMALL),
        (_worth(eye_distance, limits.eyes_near, limits.eyes_useless), QualityReason.EYES_TOO_NEAR),
        (_worth(sharpness, limits.blurred, limits.useless_blur), QualityReason.BLURRED),
        (_worth(brightness, limits.dark, limits.useless_dark), QualityReason.DARK),
        (_worth(burnt, limits.bright, limits.useless_bright), QualityReason.OVEREXPOSED),
        (_worth(turn, limits.turned, limits.useless_turn), QualityReason.TURNED),
        (_worth(inside, limits.inside, limits.useless_inside), QualityReason.PARTLY_OUTSIDE),
    )
    reasons = tuple(reason for _, reason in sorted((w for w in worth if w[0] < 1.0), key=itemgetter(0)))
    score = odds.chance(detection.score)
    if not reasons and score < limits.unclear:
        reasons = (QualityReason.UNCLEAR,)
    return Quality(score, reasons, eye_distance, sharpness, brightness, contrast, yaw, pitch, roll, inside)
