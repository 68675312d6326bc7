"""Arithmetic on decoded pixels: bit depth, transparency, size, orientation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Image

__all__ = ["composite", "float_to_bytes", "rgb", "shrink", "to_bytes", "upright"]

_FULL_RANGE = 1 << 14
_BACKGROUND = 128
"""Middle grey shows through transparency: neither dark nor bright hair or skin drowns in it."""


def to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring whole numbers of more than eight bits to 0..255.

    A picture that uses the upper three quarters of 16 bits is taken as it is. One whose brightest value lies below
    a quarter of that range was stored with fewer bits (10, 12 or 14, as cameras and scanners deliver), and is scaled
    from the number of bits that its brightest value needs.
    """
    if values.dtype == np.uint8:
        return values
    values = np.clip(values, 0, 0xFFFF).astype(np.uint16)
    brightest = int(values.max(initial=0))
    bits = 16 if brightest >= _FULL_RANGE else max(8, brightest.bit_length())
    table: NDArray[np.uint8] = np.minimum(np.arange(1 << 16) * (255 / ((1 << bits) - 1)) + 0.5, 255).astype(np.uint8)
    return np.asarray(table[values], np.uint8)


def float_to_bytes(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Bring floating-point grey to 0..255: 0..1 and 0..255 by their meaning, anything else from its own range."""
    values = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low >= 0 and high <= 255:
        values = values * (255.0 if high <= 1 else 1.0)
    else:
        values = (values - low) * (255.0 / max(high - low, float(np.finfo(np.float32).tiny)))
    return (values + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def rgb(pixels: NDArray[np.uint8]) -> Image:
    """Return grey (H, W) or colour (H, W, 3) as contiguous (H, W, 3)."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    return np.ascontiguousarray(pixels)


def composite(rgba: NDArray[np.uint8]) -> Image:
    """Lay RGBA (H, W, 4) over middle grey."""
    alpha = rgba[:, :, 3:]
    if int(alpha.min(initial=255)) == 255:
        return np.ascontiguousarray(rgba[:, :, :3])
    weight = alpha.astype(np.uint16)
    mixed = rgba[:, :, :3] * weight + _BACKGROUND * (255 - weight)
    return ((mixed + 127) // 255).astype(np.uint8)


def shrink(pixels: Image, long_side: int) -> Image:
    """Reduce a picture whose long side is larger than `long_side`; 0 leaves it.

    Down to a half, two neighbours in each direction cover all pixels, so linear interpolation is an average of
    everything and several times as fast as area averaging, which does the rest.
    """
    height, width = pixels.shape[:2]
    if not long_side or max(height, width) <= long_side:
        return pixels
    import cv2

    share = long_side / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    method = cv2.INTER_LINEAR if share > 0.5 else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def upright(pixels: Image, orientation: int) -> Image:
    """Undo an EXIF orientation, 1..8 (CIPA DC-008, tag 0x0112)."""
    if orientation == 1:
        return np.ascontiguousarray(pixels)
    import cv2

    if orientation in (5, 7):
        pixels = np.asarray(cv2.transpose(pixels), np.uint8)
    if orientation in (6, 8):
        turn = cv2.ROTATE_90_CLOCKWISE if orientation == 6 else cv2.ROTATE_90_COUNTERCLOCKWISE
        return np.asarray(cv2.rotate(pixels, turn), np.uint8)
    if orientation == 5:
        return pixels
    axis = {2: 1, 3: -1, 4: 0, 7: -1}[orientation]
    return np.asarray(cv2.flip(pixels, axis), np.uint8)
