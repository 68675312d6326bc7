"""Between the chain's arrays and Qt's pictures. Safe in any thread: only QImage, never QPixmap."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from facegui.faces.types import Frame, Image

__all__ = ["frame_from", "to_array", "to_qimage"]


def to_qimage(pixels: Image) -> QImage:
    """Copy an RGB uint8 array (height, width, 3) into a QImage of its own."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, width * 3, QImage.Format.Format_RGB888).copy()


def to_array(image: QImage) -> Image:
    """Copy a QImage into an RGB uint8 array (height, width, 3); transparency lies on white."""
    if image.hasAlphaChannel():
        source = image.convertToFormat(QImage.Format.Format_ARGB32)
        alpha = _rows(source, 4)[:, :, 3:].astype(np.uint16)
        colors = _rows(source, 4)[:, :, 2::-1].astype(np.uint16)
        return np.ascontiguousarray(((colors * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8))
    return np.ascontiguousarray(_rows(image.convertToFormat(QImage.Format.Format_RGB888), 3))


def frame_from(image: QImage, source: str) -> Frame:
    """Make a frame of a pasted or dropped picture."""
    return Frame(to_array(image), source)


def _rows(image: QImage, channels: int) -> Image:
    flat = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : image.width() * channels].reshape(image.height(), image.width(), channels).copy()
