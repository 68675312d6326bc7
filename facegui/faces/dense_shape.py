"""What 468 points of a face say: how the head is held, whether eyes and mouth are open, and where the five points are.

The numbers of the points are those of MediaPipe's canonical face model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import atan2, cos, degrees, dist, hypot, sin
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.faces.types import Landmarks

__all__ = [
    "INNER_CORNERS", "OUTER_CORNERS", "POINTS", "MeanHead", "Placement", "eye_openness", "five_points",
    "mouth_openness", "rigid_fit",
]  # fmt: skip

POINTS = 468

# Of the right and the left eye: the right one lies left in an unmirrored picture.
OUTER_CORNERS = (33, 263)
INNER_CORNERS = (133, 362)
# Of each eye: upper and lower lid at two places, outer and inner corner.
_EYES = [160, 144, 158, 153, 33, 133, 387, 373, 385, 380, 263, 362]
# Inner edges of the upper and the lower lip, inner corners of the mouth.
_MOUTH = [13, 14, 78, 308]
_NOSE_TIP, _MOUTH_CORNERS = 1, (61, 291)
_FIVE = [*OUTER_CORNERS, _NOSE_TIP, *_MOUTH_CORNERS]
_FIVE_OTHERS = [*INNER_CORNERS, _NOSE_TIP, *_MOUTH_CORNERS]


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """How one shape lies over another: ``placed = scale * rotation @ shape + shift``.

    Attributes
    ----------
    rotation : ndarray of float64, shape (3, 3)
    scale : float
    shift : ndarray of float64, shape (3,)
    """

    rotation: NDArray[np.float64]
    scale: float
    shift: NDArray[np.float64]

    def undo(self, placed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carry points (n, 3) back to where the shape lies."""
        return (placed - self.shift) @ self.rotation / self.scale


def rigid_fit(points: NDArray[np.floating], shape: NDArray[np.float64], weights: NDArray[np.float64]) -> Placement:
    """Return the rotation, scaling and shift that carries a shape to points best in the least squares.

    Parameters
    ----------
    points, shape : ndarray, shape (n, 3)
    weights : ndarray, shape (n,)

    Returns
    -------
    Placement
        Never a mirror image (Umeyama, PAMI 1991).
    """
    share = (weights / weights.sum())[:, None]
    target = points.astype(np.float64)
    target_mean, shape_mean = (share * target).sum(0), (share * shape).sum(0)
    centred = shape - shape_mean
    left, strengths, right = np.linalg.svd(((target - target_mean) * share).T @ centred)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float((strengths * signs).sum() / (share * centred * centred).sum())
    return Placement(rotation, scale, target_mean - scale * rotation @ shape_mean)


@dataclass(frozen=True, slots=True, eq=False)
class MeanHead:
    """The mean of many faces; `models/mean_head.py` derives it and tells how.

    Attributes
    ----------
    shape : ndarray of float64, shape (468, 3)
        Millimetres; x to the right of the picture, y down, z away from the camera.
    mirror : ndarray of int64, shape (468,)
        Number of each point's counterpart on the other side.
    weights : ndarray of float64, shape (468,)
        How much a point counts in a fit: 1 / variance.
    """

    shape: NDArray[np.float64]
    mirror: NDArray[np.int64]
    weights: NDArray[np.float64]
    _levers: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # What a fit needs of the shape: each point's distance from the weighted middle, times its weight.
        share = (self.weights / self.weights.sum())[:, None]
        object.__setattr__(self, "_levers", share * (self.shape - (share * self.shape).sum(0)))

    @classmethod
    def load(cls, file: Path) -> MeanHead:
        """Read the file.

        Raises
        ------
        KnownError
            It is missing or damaged.
        """
        try:
            lines = file.read_text("utf-8").splitlines()[1:]
            table = np.array([[float(number) for number in line.split(",")] for line in lines])
            if table.shape != (POINTS, 5):
                raise ValueError(f"{table.shape} numbers instead of ({POINTS}, 5)")
        except (OSError, ValueError) as error:
            raise KnownError(
                f"The file {file.name} cannot be used.", f"{file}: {error}.", "Install facegui again."
            ) from error
        return cls(table[:, :3], table[:, 3].astype(np.int64), 1.0 / table[:, 4] ** 2)

    def poses(self, points: NDArray[np.float64]) -> list[tuple[float, float, float]]:
        """Return yaw, pitch and roll in degrees of heads, with the signs of `facegui.faces.types.Quality`.

        Parameters
        ----------
        points : ndarray of float64, shape (n, 468, 3)
        """
        # The rotation alone of `rigid_fit`: the weighted middle of the points falls out of the product.
        return [_angles(_rotation(moments)) for moments in points.transpose(0, 2, 1) @ self._levers]

    def pose(self, points: NDArray[np.float32]) -> tuple[float, float, float]:
        """Return the pose of one head, (468, 3); see `poses`."""
        return self.poses(points[None].astype(np.float64))[0]


def _rotation(moments: NDArray[np.float64]) -> list[list[float]]:
    """Return the rotation nearest to a matrix (3, 3), the least of which counts least; never a mirror image."""
    _, left, right = cv2.SVDecomp(moments)
    rotation = left @ right
    if cv2.determinant(rotation) < 0:
        left[:, 2] *= -1
        rotation = left @ right
    found: list[list[float]] = rotation.tolist()
    return found


def _angles(rotation: list[list[float]]) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of a rotation of the mean head."""
    (across, _, back_x), (along, _, back_y), (_, _, back_z) = rotation
    roll = atan2(along, across)
    aside = -cos(roll) * back_x - sin(roll) * back_y
    down = sin(roll) * back_x - cos(roll) * back_y
    return degrees(atan2(aside, back_z)), degrees(atan2(-down, hypot(aside, back_z))), degrees(roll)


def eye_openness(points: NDArray[np.float32]) -> tuple[float, float]:
    """Return how far the right and the left eye are open.

    The eye aspect ratio (Soukupova and Cech, CVWW 2016), measured in three dimensions so that it holds for turned
    heads: mean distance of the lids over the width of the eye.

    Parameters
    ----------
    points : ndarray of float32, shape (468, 3)
    """
    at = points[_EYES].tolist()
    right, left = (
        (dist(upper, lower) + dist(other_upper, other_lower)) / max(2 * dist(outer, inner), 1e-6)
        for upper, lower, other_upper, other_lower, outer, inner in (at[:6], at[6:])
    )
    return right, left


def mouth_openness(points: NDArray[np.float32]) -> float:
    """Return how far the mouth is open: distance of the lips' inner edges over the distance of the inner corners.

    Parameters
    ----------
    points : ndarray of float32, shape (468, 3)
    """
    upper, lower, right, left = points[_MOUTH].tolist()
    return dist(upper, lower) / max(dist(right, left), 1e-6)


def five_points(points: NDArray[np.float32]) -> Landmarks:
    """Return the five points that belong to the 468: middles of the eyes, tip of the nose, corners of the mouth.

    The detector marks the eyes and the mouth a little elsewhere: see ``five_shift`` in the manifest before aligning by
    these.

    Parameters
    ----------
    points : ndarray of float32, shape (..., 468, 3)

    Returns
    -------
    Landmarks
        (..., 5, 2)
    """
    # The nose and the corners of the mouth are single points: their mean with themselves.
    return (points[..., _FIVE, :2] + points[..., _FIVE_OTHERS, :2]) / np.float32(2)
