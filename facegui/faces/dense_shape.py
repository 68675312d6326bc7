"""What 468 points of a face say: how the head is held, whether eyes and mouth are open, and where the five points are.

The numbers of the points are those of MediaPipe's canonical face model.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, sin
from pathlib import Path

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
_UPPER_LIDS = ((160, 158), (387, 385))
_LOWER_LIDS = ((144, 153), (373, 380))
_NOSE_TIP, _MOUTH_CORNERS = 1, (61, 291)
_INNER_LIPS, _INNER_MOUTH_CORNERS = (13, 14), (78, 308)


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

    def pose(self, points: NDArray[np.float32]) -> tuple[float, float, float]:
        """Return yaw, pitch and roll in degrees, with the signs of `facegui.faces.types.Quality`.

        Parameters
        ----------
        points : ndarray of float32, shape (468, 3)
        """
        rotation = rigid_fit(points, self.shape, self.weights).rotation
        across, ahead = rotation[:, 0].tolist(), (-rotation[:, 2]).tolist()
        roll = atan2(across[1], across[0])
        aside = cos(roll) * ahead[0] + sin(roll) * ahead[1]
        down = cos(roll) * ahead[1] - sin(roll) * ahead[0]
        yaw = atan2(aside, -ahead[2])
        pitch = atan2(-down, hypot(aside, ahead[2]))
        return degrees(yaw), degrees(pitch), degrees(roll)


def _distance(points: NDArray[np.float32], one: int, other: int) -> float:
    return float(np.linalg.norm(points[one] - points[other]))


def eye_openness(points: NDArray[np.float32]) -> tuple[float, float]:
    """Return how far the right and the left eye are open.

    The eye aspect ratio (Soukupova and Cech, CVWW 2016), measured in three dimensions so that it holds for turned
    heads: mean distance of the lids over the width of the eye.

    Parameters
    ----------
    points : ndarray of float32, shape (468, 3)
    """
    right, left = (
        (_distance(points, upper[0], lower[0]) + _distance(points, upper[1], lower[1]))
        / max(2 * _distance(points, outer, inner), 1e-6)
        for upper, lower, outer, inner in zip(_UPPER_LIDS, _LOWER_LIDS, OUTER_CORNERS, INNER_CORNERS, strict=True)
    )
    return right, left


def mouth_openness(points: NDArray[np.float32]) -> float:
    """Return how far the mouth is open: distance of the lips' inner edges over the distance of the inner corners.

    Parameters
    ----------
    points : ndarray of float32, shape (468, 3)
    """
    return _distance(points, *_INNER_LIPS) / max(_distance(points, *_INNER_MOUTH_CORNERS), 1e-6)


def five_points(points: NDArray[np.float32]) -> Landmarks:
    """Return the five points that belong to the 468: middles of the eyes, tip of the nose, corners of the mouth.

    The detector marks the eyes and the mouth a little elsewhere: see ``five_shift`` in the manifest before aligning by
    these.

    Parameters
    ----------
    points : ndarray of float32, shape (468, 3)
    """
    eyes = [(points[outer] + points[inner]) / 2 for outer, inner in zip(OUTER_CORNERS, INNER_CORNERS, strict=True)]
    chosen = [*eyes, points[_NOSE_TIP], *(points[corner] for corner in _MOUTH_CORNERS)]
    return np.ascontiguousarray(np.stack(chosen)[:, :2], dtype=np.float32)
