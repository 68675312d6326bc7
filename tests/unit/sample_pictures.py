"""A picture that comes with scikit-image, in every form that a file can have."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image as PilImage
from skimage.data import astronaut

WIDTH, HEIGHT = 200, 240
PICTURE = np.ascontiguousarray(astronaut()[:HEIGHT, 120 : 120 + WIDTH])
GREY = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)
ORIENTATION, DATE = 0x0112, 0x9003

# What a viewer of each EXIF orientation has to undo: the stored picture, made from the upright one.
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p.transpose(1, 0, 2)[::-1],
    7: lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda p: p.transpose(1, 0, 2)[:, ::-1],
}


def encoded(pixels: np.ndarray | PilImage.Image, form: str, **options: Any) -> bytes:
    image = pixels if isinstance(pixels, PilImage.Image) else PilImage.fromarray(np.ascontiguousarray(pixels))
    out = io.BytesIO()
    if form == "HEIF":
        import pillow_heif

        pillow_heif.from_pillow(image).save(out, quality=90, **options)
    else:
        image.save(out, form, **options)
    return out.getvalue()


def with_exif(orientation: int = 1, date: str = "") -> bytes:
    exif = PilImage.Exif()
    exif[ORIENTATION] = orientation
    if date:
        exif.get_ifd(0x8769)[DATE] = date
    return exif.tobytes()


def likeness(pixels: np.ndarray, reference: np.ndarray) -> float:
    """Correlation of two pictures as 32x32 thumbnails."""
    small = [cv2.resize(p, (32, 32), interpolation=cv2.INTER_AREA).astype(float).ravel() for p in (pixels, reference)]
    return float(np.corrcoef(*small)[0, 1])


def assert_same(pixels: np.ndarray, reference: np.ndarray = PICTURE, tolerance: float = 4.0) -> None:
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.shape == reference.shape
    assert np.abs(pixels.astype(int) - reference).mean() < tolerance


FORMATS = {
    "jpeg": ("JPEG", {"quality": 95}),
    "progressive jpeg": ("JPEG", {"quality": 95, "progressive": True}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 95}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "compressed tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "ppm": ("PPM", {}),
    "tga": ("TGA", {}),
    "jpeg 2000": ("JPEG2000", {}),
    "avif": ("AVIF", {"quality": 90}),
    "heic": ("HEIF", {}),
    "ico": ("ICO", {"sizes": [(WIDTH, HEIGHT)]}),
}
