"""Passive cues in single pictures: moire of a screen, the border of a print or screen, glare, and colour.

Each is a plain measure that a person can look at. None proves anything alone: a good print in good light shows none of
them, and a picture frame on the wall has a border. `tests/benchmarks/liveness_errors.py` measures how often each errs.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.align import FACE_AREA
from facegui.faces.types import Box, Image

__all__ = ["ImageCues", "border", "colour", "glare", "image_cues", "moire"]

_PATCH = 128
_RINGS = 24
_AXIS = 3
"""Bins beside the axes of the spectrum: there lie the blocks of JPEG and of video."""
_LOWEST, _HIGHEST = 0.1, 0.48
"""Cycles per pixel between which moire is looked for."""
_WHITE = 250
_SMALL = 360
"""Shorter side of the picture in which lines are searched."""
_RIGHT_ANGLE = np.pi / 2


@dataclass(frozen=True, slots=True)
class ImageCues:
    """The measures of one picture; NaN where one could not be taken.

    Attributes
    ----------
    moire : float
        Height of the sharpest peak in the spectrum of the face over its ring, in decades.
    border : float
        Sides of a rectangle of straight lines around the face, 0..4.
    glare : float
        Area of the largest burnt-out spot on the face, in areas of the face.
    colour : float
        Spread of the colours of the face, 0..1: prints and screens tell fewer colours apart.
    """

    moire: float
    border: float
    glare: float
    colour: float


def image_cues(image: Image, box: Box, crop: Image) -> ImageCues:
    """Measure one picture.

    Parameters
    ----------
    image : Image
        RGB uint8, (height, width, 3).
    box : Box
        The face, in pixels of `image`.
    crop : Image
        The aligned face, (112, 112, 3).
    """
    return ImageCues(moire(image, box), border(image, box), glare(image, box), colour(crop))


def _inner(image: Image, box: Box, share: float) -> Image:
    """Return the part of the picture in the middle of a box."""
    x, y = box.center
    wide, high = box.width * share / 2, box.height * share / 2
    top, bottom = max(0, round(y - high)), min(image.shape[0], round(y + high))
    left, right = max(0, round(x - wide)), min(image.shape[1], round(x + wide))
    return image[top:bottom, left:right]


def moire(image: Image, box: Box) -> float:
    """Return how far the sharpest peak in the spectrum of the face stands out of its ring, in decades.

    The pixels of a screen and those of the camera make stripes: single frequencies, where skin and hair spread over
    all. NaN where the face is smaller than the patch that is looked at.
    """
    part = _inner(image, box, 1.0)
    height, width = part.shape[:2]
    if min(height, width) < _PATCH:
        return float("nan")
    top, left = (height - _PATCH) // 2, (width - _PATCH) // 2
    luma = cv2.cvtColor(part[top : top + _PATCH, left : left + _PATCH], cv2.COLOR_RGB2GRAY).astype(np.float32)
    window = np.hanning(_PATCH).astype(np.float32)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2((luma - luma.mean()) * window[:, None] * window)))
    power = np.log10(spectrum + 1.0)
    frequency = np.fft.fftshift(np.fft.fftfreq(_PATCH))
    radius = np.hypot(frequency[:, None], frequency)
    beside = (np.abs(np.arange(_PATCH) - _PATCH // 2) > _AXIS)[:, None] & (
        np.abs(np.arange(_PATCH) - _PATCH // 2) > _AXIS
    )
    best = 0.0
    for low, high in zip(*_rings(), strict=True):
        ring = power[(radius >= low) & (radius < high) & beside]
        if ring.size:
            best = max(best, float(ring.max() - np.median(ring)))
    return best


def _rings() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    edges = np.linspace(_LOWEST, _HIGHEST, _RINGS + 1)
    return edges[:-1], edges[1:]


def border(image: Image, box: Box) -> float:
    """Return on how many sides of the face a long straight line runs, all of one rectangle: 0 to 4."""
    factor = _SMALL / min(image.shape[:2])
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    face = box.scaled(factor)
    edges = cv2.Canny(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), 60, 150)
    least = 0.8 * face.height
    found = cv2.HoughLinesP(edges, 1, np.pi / 360, 40, minLineLength=least, maxLineGap=0.06 * face.height)
    if found is None:
        return 0.0
    lines = np.asarray(found, np.float64).reshape(-1, 4)
    angles = np.arctan2(lines[:, 3] - lines[:, 1], lines[:, 2] - lines[:, 0])
    middle = np.array(face.center)
    best = 0
    # The sides of a rectangle that is held a little aslant lie at right angles to each other, nearly.
    for angle in np.unique(np.round(angles, 1)):
        off = np.abs((angles - angle + _RIGHT_ANGLE / 2) % _RIGHT_ANGLE - _RIGHT_ANGLE / 2)
        sides = set()
        for line, direction in zip(lines[off < 0.12], angles[off < 0.12], strict=True):
            normal = np.array([-np.sin(direction), np.cos(direction)])
            distance = float((line[:2] + line[2:] - 2 * middle) @ normal / 2)
            reach = abs(distance) / max(face.width, 1.0)
            upright = abs(np.sin(direction)) > np.sqrt(0.5)
            if 0.55 < reach < 2.5:
                sides.add((upright, distance > 0))
        best = max(best, len(sides))
    return float(best)


def glare(image: Image, box: Box) -> float:
    """Return the area of the largest burnt-out spot on the face, in areas of the face."""
    part = _inner(image, box, 1.0)
    if not part.size:
        return float("nan")
    burnt = (part.min(2) >= _WHITE).astype(np.uint8)
    count, _, measures, _ = cv2.connectedComponentsWithStats(burnt)
    return float(measures[1:, cv2.CC_STAT_AREA].max()) / burnt.size if count > 1 else 0.0


def colour(crop: Image) -> float:
    """Return the spread of the colours of the face: standard deviation of both colour differences, 0..1."""
    left, top, right, bottom = FACE_AREA
    face = np.ascontiguousarray(crop[top:bottom, left:right])
    differences = cv2.cvtColor(face, cv2.COLOR_RGB2YCrCb)[:, :, 1:].astype(np.float32) / 255
    return float(np.sqrt(differences.reshape(-1, 2).var(0).sum()))
