"""Whether a camera's picture can be used at all: black, over-exposed, or frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Image

__all__ = ["PictureFault", "PictureLimits", "PictureWatch"]

# Rec. ITU-R BT.601 luma.
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_EVERY = 8
_WHITE = 250


class PictureFault(StrEnum):
    """What is wrong with a picture."""

    BLACK = "black"
    OVEREXPOSED = "over-exposed"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """Where a picture stops being of use; the numbers stand in the manifest.

    Attributes
    ----------
    black_luma : float
        Nearly all of the picture is darker than this, 0..1.
    black_share : float
        What "nearly all" means, 0..1.
    bright_share : float
        So much of the picture is burnt out, 0..1.
    frozen_seconds : float
        The picture did not change at all for so long.
    """

    black_luma: float
    black_share: float
    bright_share: float
    frozen_seconds: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> PictureLimits:
        """Read the limits from the manifest's ``[picture]`` table; KeyError when one is missing."""
        return cls(**{item.name: float(table[item.name]) for item in fields(cls)})

    def words(self, fault: PictureFault | None) -> str:
        """Return what is wrong and what to do, for a person; empty when nothing is."""
        return {
            PictureFault.BLACK: "The picture is black. Open the camera's cover, or switch on a light.",
            PictureFault.OVEREXPOSED: "The picture is too bright to see a face. Turn away from the light.",
            PictureFault.FROZEN: "The picture does not move any more. Reconnect the camera, or close other programs "
            "that use it.",
        }[fault] if fault else ""  # fmt: skip


class PictureWatch:
    """Looks at a coarse sample of each picture of one source.

    Parameters
    ----------
    limits : PictureLimits
    """

    def __init__(self, limits: PictureLimits) -> None:
        self._limits = limits
        self._sample: NDArray[np.uint8] | None = None
        self._since = 0.0

    def add(self, pixels: Image, seconds: float) -> PictureFault | None:
        """Look at the next picture.

        Parameters
        ----------
        pixels : Image
            RGB uint8, (height, width, 3).
        seconds : float
            When it arrived; a clock that only grows.

        Returns
        -------
        PictureFault or None
            A frozen picture is named only when it is neither black nor over-exposed.
        """
        sample = pixels[::_EVERY, ::_EVERY]
        # A sensor's noise changes each picture: one that is equal to the last bit was not taken anew.
        if self._sample is None or sample.shape != self._sample.shape or not np.array_equal(sample, self._sample):
            self._sample, self._since = sample.copy(), seconds
        luma = sample.astype(np.float32) @ _LUMA
        limits = self._limits
        if np.count_nonzero(luma < limits.black_luma * 255) >= limits.black_share * luma.size:
            return PictureFault.BLACK
        if np.count_nonzero(luma >= _WHITE) >= limits.bright_share * luma.size:
            return PictureFault.OVEREXPOSED
        return PictureFault.FROZEN if seconds - self._since >= limits.frozen_seconds else None
