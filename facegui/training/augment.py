"""What happens to a picture before the network sees it: mirrored, other colours, blurred, coarse, partly covered."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Image

__all__ = ["NONE", "Augmentation", "augmented", "normalised"]

_HALF = 127.5
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often each change is made, 0 to 1.

    Attributes
    ----------
    flip : float
        Mirrored.
    colour : float
        Brightness and contrast by up to a quarter, saturation by up to a half; every fifth of them grey.
    blur : float
        Gaussian, standard deviation 0.4 to 2 pixels.
    low_resolution : float
        Reduced to between a sixth and a half of its size and enlarged again.
    occlusion : float
        A rectangle of 2 to 20 % of the picture is filled with one random colour.
    """

    flip: float = 0.5
    colour: float = 0.0
    blur: float = 0.0
    low_resolution: float = 0.0
    occlusion: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "colour", "blur", "low_resolution", "occlusion"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share from 0 to 1, not {getattr(self, name)}")


NONE = Augmentation(flip=0.0)


def augmented(picture: Image, how: Augmentation, rng: np.random.Generator) -> Image:
    """Return a changed copy of a picture, RGB, uint8.

    The same generator gives the same changes, so a run that is taken up again sees the same pictures.
    """
    chances = rng.random(5)
    if chances[0] < how.flip:
        picture = np.ascontiguousarray(picture[:, ::-1])
    if chances[1] < how.colour:
        picture = _recoloured(picture, rng)
    if chances[2] < how.low_resolution:
        picture = _coarse(picture, rng)
    if chances[3] < how.blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 2.0))), np.uint8)
    if chances[4] < how.occlusion:
        picture = _covered(picture, rng)
    return picture


def _recoloured(picture: Image, rng: np.random.Generator) -> Image:
    values = picture.astype(np.float32)
    grey = values @ np.array(_GREY, np.float32)
    saturation = 0.0 if rng.random() < 0.2 else rng.uniform(0.5, 1.5)
    contrast, brightness = rng.uniform(0.75, 1.25, 2)
    values = grey[..., None] + (values - grey[..., None]) * saturation
    values = ((values - grey.mean()) * contrast + grey.mean()) * brightness
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _coarse(picture: Image, rng: np.random.Generator) -> Image:
    height, width = picture.shape[:2]
    factor = rng.uniform(1 / 6, 1 / 2)
    small = (max(1, round(width * factor)), max(1, round(height * factor)))
    reduced = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _covered(picture: Image, rng: np.random.Generator) -> Image:
    height, width = picture.shape[:2]
    area, ratio = rng.uniform(0.02, 0.2) * height * width, rng.uniform(0.5, 2.0)
    high, wide = (int(np.clip(round(side), 1, limit)) for side, limit in (
        (np.sqrt(area * ratio), height), (np.sqrt(area / ratio), width)
    ))  # fmt: skip
    top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    result = picture.copy()
    result[top : top + high, left : left + wide] = rng.integers(0, 256, 3)
    return result


def normalised(picture: Image) -> NDArray[np.float32]:
    """Return a picture as networks take it: (3, height, width), −1 to 1."""
    return np.ascontiguousarray(((picture.astype(np.float32) - _HALF) / _HALF).transpose(2, 0, 1))
