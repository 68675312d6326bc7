"""Alignment: a face turned, scaled and moved so that its five points lie where the embedder expects them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, hypot, log2

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Image, Landmarks

__all__ = [
    "ARCFACE_TEMPLATE", "CROP_SIZE", "FACE_AREA", "align", "as_complex", "inside_share", "mirrored", "similarity",
    "similarity_transform", "transform_matrix", "warp",
]  # fmt: skip

CROP_SIZE = 112
"""Width and height of an aligned face in pixels."""

ARCFACE_TEMPLATE: Landmarks = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)
"""Where the five points belong in the 112x112 crop (Deng et al., ArcFace, CVPR 2019, reference code)."""

FACE_AREA = (20, 24, 92, 104)
"""Left, top, right and bottom of the face itself in the crop: brows to chin, hair and background left out."""

# Reduced further than this, a cubic warp skips pixels; the picture is then averaged down first.
_LARGEST_REDUCTION = 2.0


def as_complex(points: NDArray[np.floating]) -> list[complex]:
    """Return points (n, 2) as complex numbers x + iy: of a handful, Python does sums faster than NumPy begins one."""
    return [complex(x, y) for x, y in points.tolist()]


def similarity(points: Sequence[complex], template: Sequence[complex]) -> tuple[complex, complex]:
    """Return the factor and the shift of the similarity transform that carries `points` to `template` best.

    Parameters
    ----------
    points, template : sequence of complex
        Corresponding points x + iy.

    Returns
    -------
    factor, shift : complex
        ``factor * point + shift`` is nearest to the template in the least squares. A factor turns and scales, and never
        mirrors (Umeyama, PAMI 1991, without reflection; in the plane it has this closed form).
    """
    middle, target = sum(points) / len(points), sum(template) / len(template)
    apart = [point - middle for point in points]
    spread = sum(p.real * p.real + p.imag * p.imag for p in apart)
    if spread <= 0:
        raise ValueError("all points are the same")
    factor = sum(p.conjugate() * (q - target) for p, q in zip(apart, template, strict=True)) / spread
    return factor, target - factor * middle


def transform_matrix(factor: complex, shift: complex) -> NDArray[np.float64]:
    """Return a similarity transform as a matrix (2, 3) for column vectors (x, y, 1)."""
    a, b = factor.real, factor.imag
    return np.array([[a, -b, shift.real], [b, a, shift.imag]])


_TEMPLATE = as_complex(ARCFACE_TEMPLATE)


def similarity_transform(points: Landmarks, template: Landmarks = ARCFACE_TEMPLATE) -> NDArray[np.float64]:
    """Return the rotation, scaling and shift that carries `points` to `template` best in the least squares.

    Parameters
    ----------
    points, template : Landmarks
        (n, 2) corresponding points.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        Matrix for column vectors (x, y, 1). Never a mirror image.
    """
    return transform_matrix(*similarity(as_complex(points), as_complex(template)))


def crop_points(landmarks: Landmarks) -> Landmarks:
    """Return where the five points of a face lie in its aligned crop.

    Parameters
    ----------
    landmarks : Landmarks
        (5, 2) in pixels of any picture.

    Returns
    -------
    Landmarks
        (5, 2) in pixels of the 112x112 crop.
    """
    matrix = similarity_transform(landmarks)
    points: Landmarks = (landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return points


def align(image: Image, landmarks: Landmarks, size: int = CROP_SIZE) -> Image:
    """Return the aligned face.

    Parameters
    ----------
    image : Image
        RGB uint8, (height, width, 3).
    landmarks : Landmarks
        (5, 2) in pixels of `image`.
    size : int
        Width and height of the result.

    Returns
    -------
    Image
        RGB uint8, (size, size, 3); what lies outside the picture is black, as in the embedders' training.
    """
    matrix = similarity_transform(landmarks, ARCFACE_TEMPLATE * np.float32(size / CROP_SIZE))
    return warp(image, matrix, size)


def warp(
    image: Image, matrix: NDArray[np.float64], size: int, *, cubic: bool = True, into: Image | None = None
) -> Image:
    """Return what a similarity transform makes of a picture.

    Parameters
    ----------
    image : Image
        RGB uint8, (height, width, 3).
    matrix : ndarray of float64, shape (2, 3)
        From the picture to the result, for column vectors (x, y, 1).
    size : int
        Width and height of the result.
    cubic : bool
        Whether pixels are interpolated by cubic curves, which keeps more detail than straight lines and takes longer.
    into : Image, optional
        Where the result is written.

    Returns
    -------
    Image
        RGB uint8, (size, size, 3); what lies outside the picture is black.
    """
    reduction = 1.0 / hypot(matrix[0, 0], matrix[1, 0])
    if reduction > _LARGEST_REDUCTION:
        image, matrix = _reduced(image, matrix, size, 2 ** int(log2(reduction)))
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    warped = cv2.warpAffine(image, matrix, (size, size), dst=into, flags=method, borderMode=cv2.BORDER_CONSTANT)
    return np.ascontiguousarray(warped, dtype=np.uint8)


def mirrored(images: NDArray[np.uint8], into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Return pictures (n, height, width, 3) with left and right exchanged, contiguous; or write them into an array.

    OpenCV does it more than twenty times as fast as a copy of NumPy's reversed view.
    """
    result = np.empty_like(images) if into is None else into
    for image, turned in zip(images, result, strict=True):
        cv2.flip(image, 1, turned)
    return result


def _corners(factor: complex, shift: complex, area: tuple[int, int, int, int]) -> list[complex]:
    """Return the corners of an area of the crop (left, top, right, bottom) in pixels of the picture."""
    left, top, right, bottom = area
    return [(complex(x, y) - shift) / factor for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]


def _reduced(image: Image, matrix: NDArray[np.float64], size: int, times: int) -> tuple[Image, NDArray[np.float64]]:
    """Average blocks of `times` by `times` pixels around the face; return the result with the matrix that fits it.

    Whole blocks are averaged many times as fast as parts of pixels.
    """
    (a, _, right_shift), (b, _, down_shift) = matrix.tolist()
    factor, shift = complex(a, b), complex(right_shift, down_shift)
    corners = _corners(factor, shift, (0, 0, size, size))
    margin = 2 * times
    across, down = [corner.real for corner in corners], [corner.imag for corner in corners]
    left, top = max(0, floor(min(across) - margin)), max(0, floor(min(down) - margin))
    right, bottom = ceil(max(across) + margin), ceil(max(down) + margin)
    columns, rows = (min(right, image.shape[1]) - left) // times, (min(bottom, image.shape[0]) - top) // times
    if columns < 1 or rows < 1:
        return image, matrix
    part = image[top : top + rows * times, left : left + columns * times]
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    # Pixel centres: x_image = (x_small + 0.5) * times - 0.5 + left
    middle = 0.5 * times - 0.5
    moved = factor * complex(middle + left, middle + top) + shift
    return np.asarray(small, dtype=np.uint8), transform_matrix(factor * times, moved)


def inside_share(shape: tuple[int, ...], landmarks: Landmarks) -> float:
    """Return which share of the face, brows to chin, lies inside a picture of `shape` (height, width, ...), 0..1."""
    factor, shift = similarity(as_complex(landmarks), _TEMPLATE)
    height, width = shape[:2]
    area = _corners(factor, shift, FACE_AREA)
    if all(0 <= corner.real <= width and 0 <= corner.imag <= height for corner in area):
        return 1.0
    corners = np.array([(corner.real, corner.imag) for corner in area], dtype=np.float32)
    picture = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    inside, _ = cv2.intersectConvexConvex(corners, picture)
    return float(np.clip(inside / max(cv2.contourArea(corners), 1e-6), 0.0, 1.0))
