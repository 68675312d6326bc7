"""Alignment: a face turned, scaled and moved so that its five points lie where the embedder expects them."""

from __future__ import annotations

from math import log2

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Image, Landmarks

__all__ = [
    "ARCFACE_TEMPLATE", "CROP_SIZE", "FACE_AREA", "align", "inside_share", "mirrored", "similarity_transform", "warp",
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


def similarity_transform(points: Landmarks, template: Landmarks = ARCFACE_TEMPLATE) -> NDArray[np.float64]:
    """Return the rotation, scaling and shift that carries `points` to `template` best in the least squares.

    Parameters
    ----------
    points, template : Landmarks
        (n, 2) corresponding points.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        Matrix for column vectors (x, y, 1). Never a mirror image (Umeyama, PAMI 1991, without reflection).
    """
    source = points.astype(np.float64)
    target = template.astype(np.float64)
    source_mean, target_mean = source.mean(0), target.mean(0)
    p, q = source - source_mean, target - target_mean
    spread = float((p * p).sum())
    if spread <= 0:
        raise ValueError("all points are the same")
    # In the plane the best similarity has a closed form: (a, b) = scale * (cos, sin).
    a = float((p * q).sum()) / spread
    b = float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()) / spread
    linear = np.array([[a, -b], [b, a]])
    return np.hstack([linear, (target_mean - linear @ source_mean)[:, None]])


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


def warp(image: Image, matrix: NDArray[np.float64], size: int, *, cubic: bool = True) -> Image:
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

    Returns
    -------
    Image
        RGB uint8, (size, size, 3); what lies outside the picture is black.
    """
    reduction = 1.0 / float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if reduction > _LARGEST_REDUCTION:
        image, matrix = _reduced(image, matrix, size, 2 ** int(log2(reduction)))
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    warped = cv2.warpAffine(image, matrix, (size, size), flags=method, borderMode=cv2.BORDER_CONSTANT)
    return np.ascontiguousarray(warped, dtype=np.uint8)


def mirrored(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures (n, height, width, 3) with left and right exchanged, contiguous.

    OpenCV does it more than twenty times as fast as a copy of NumPy's reversed view.
    """
    result = np.empty_like(images)
    for image, turned in zip(images, result, strict=True):
        cv2.flip(image, 1, turned)
    return result


def _corners(matrix: NDArray[np.float64], area: tuple[int, int, int, int]) -> NDArray[np.float64]:
    """Return the corners of an area of the crop (left, top, right, bottom) in pixels of the picture, (4, 2)."""
    inverse = cv2.invertAffineTransform(matrix)
    left, top, right, bottom = area
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)
    return np.asarray(corners @ inverse[:, :2].T + inverse[:, 2])


def _reduced(image: Image, matrix: NDArray[np.float64], size: int, factor: int) -> tuple[Image, NDArray[np.float64]]:
    """Average blocks of `factor` by `factor` pixels around the face; return the result with the matrix that fits it.

    Whole blocks are averaged many times as fast as parts of pixels.
    """
    corners = _corners(matrix, (0, 0, size, size))
    margin = 2 * factor
    left, top = (max(0, int(edge)) for edge in np.floor(corners.min(0) - margin))
    right, bottom = (int(edge) for edge in np.ceil(corners.max(0) + margin))
    columns, rows = (min(right, image.shape[1]) - left) // factor, (min(bottom, image.shape[0]) - top) // factor
    if columns < 1 or rows < 1:
        return image, matrix
    part = image[top : top + rows * factor, left : left + columns * factor]
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    # Pixel centres: x_image = (x_small + 0.5) * factor - 0.5 + left
    middle = 0.5 * factor - 0.5
    back = np.array([[factor, 0, middle + left], [0, factor, middle + top], [0, 0, 1]])
    return np.asarray(small, dtype=np.uint8), matrix @ back


def inside_share(shape: tuple[int, ...], landmarks: Landmarks) -> float:
    """Return which share of the face, brows to chin, lies inside a picture of `shape` (height, width, ...), 0..1."""
    corners = _corners(similarity_transform(landmarks), FACE_AREA).astype(np.float32)
    height, width = shape[:2]
    picture = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    area, _ = cv2.intersectConvexConvex(corners, picture)
    return float(np.clip(area / max(cv2.contourArea(corners), 1e-6), 0.0, 1.0))
