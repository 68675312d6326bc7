"""The landmark network: 468 points in three dimensions on faces that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan2, cos, dist, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.align import ARCFACE_TEMPLATE, mirrored, similarity_transform, warp
from facegui.faces.dense_shape import MeanHead, eye_openness, five_points, mouth_openness
from facegui.faces.pose import head_pose
from facegui.faces.session import Network
from facegui.faces.types import DenseLandmarks, Detection, Image, Landmarks

__all__ = ["DenseFinder", "DenseLimits"]

# Middle of the eyes to middle of the mouth, in eye distances.
_FACE_HEIGHT = float(
    (ARCFACE_TEMPLATE[3:, 1].mean() - ARCFACE_TEMPLATE[:2, 1].mean())
    / (ARCFACE_TEMPLATE[1, 0] - ARCFACE_TEMPLATE[0, 0])
)


@dataclass(frozen=True, slots=True)
class DenseLimits:
    """How faces are cut out for the landmark network; measured, and kept in the manifest.

    Attributes
    ----------
    size : int
        Side of the square that the network takes, in pixels.
    context : float
        Side of the square that is cut out, in eye distances of a face seen from the front.
    behind : float
        By how much the middle of the square moves from the face's middle towards the back of a turned head, in eye
        distances at a right angle.
    five_shift : Landmarks
        Where the five points of the network lie in an aligned crop, less where the detector's lie, (5, 2) pixels: the
        embedders were trained on crops aligned by points like the detector's.
    """

    size: int
    context: float
    behind: float
    five_shift: Landmarks

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> DenseLimits:
        """Read the limits from the manifest's ``[dense]`` table; KeyError when one is missing."""
        shift = np.array(table["five_shift"], dtype=np.float32)
        if shift.shape != ARCFACE_TEMPLATE.shape:
            raise ValueError("five_shift with five points")
        return cls(int(table["size"]), float(table["context"]), float(table["behind"]), shift)


class DenseFinder:
    """Finds 468 points on faces whose five points are known.

    Parameters
    ----------
    network : Network
        Takes ``input``, uint8 RGB (n, size, size, 3); gives points, float32 (n, 468, 3), in pixels of the square
        counted from its edge, and the probability of a face, (n,).
    limits : DenseLimits
    head : MeanHead
    alone : bool
        Whether each caller has one thread, because several run side by side.
    """

    def __init__(self, network: Network, limits: DenseLimits, head: MeanHead, *, alone: bool = False) -> None:
        self._network = network
        self._limits = limits
        self.head = head
        self._alone = alone

    def single(self) -> DenseFinder:
        """Return the finder for callers that run side by side; the network is still loaded at its first use."""
        return DenseFinder(self._network, self._limits, self.head, alone=True)

    def find(self, image: Image, faces: Sequence[Detection], *, mirror: bool = True) -> list[DenseLandmarks]:
        """Find the points of each face.

        Parameters
        ----------
        image : Image
            RGB uint8, (height, width, 3).
        faces : sequence of Detection
            In pixels of `image`.
        mirror : bool
            Whether the mirror image is looked at too: the points are averaged, and how far the two disagree is told. It
            doubles the time.

        Returns
        -------
        list of DenseLandmarks
            One for each face, in pixels of `image`.

        Raises
        ------
        KnownError
            The network is missing or damaged.
        """
        if not faces:
            return []
        matrices = [self._matrix(face) for face in faces]
        squares = np.stack([warp(image, matrix, self._limits.size, cubic=False) for matrix in matrices])
        points, presence = self._run(squares)
        disagreements: list[float | None] = [None] * len(faces)
        if mirror:
            other, other_presence = self._run(mirrored(squares))
            other = self._turned_back(other)[:, self.head.mirror]
            disagreements = [self._disagreement(one, two) for one, two in zip(points, other, strict=True)]
            points = np.mean([points, other], 0, np.float32)
            presence = np.mean([presence, other_presence], 0, np.float32)
        return [
            self._told(_in_image(one, matrix), float(sure), disagreement)
            for one, matrix, sure, disagreement in zip(points, matrices, presence, disagreements, strict=True)
        ]

    def aligning(self, dense: DenseLandmarks) -> Landmarks:
        """Return the five points as the detector would mark them, to align the face by: (5, 2), pixels of the frame."""
        shift = self._limits.five_shift
        linear = similarity_transform(dense.five, ARCFACE_TEMPLATE + shift)[:, :2]
        return np.ascontiguousarray(dense.five - shift @ np.linalg.inv(linear).T, dtype=np.float32)

    def pair(self, image: Image, face: Detection) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the points in the square itself, and those of its mirror image turned back, numbered as they came.

        Returns
        -------
        tuple of ndarray of float32, shape (468, 3)
            In pixels of the square counted from its edge.
        """
        square = warp(image, self._matrix(face), self._limits.size, cubic=False)
        points, _ = self._run(np.concatenate([square[None], mirrored(square[None])]))
        return points[0], self._turned_back(points[1:])[0]

    def _run(self, squares: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        network = self._network.single() if self._alone else self._network
        parts = [
            network.run({"input": squares[start : start + network.batch]})
            for start in range(0, len(squares), network.batch)
        ]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _turned_back(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Carry points (n, 468, 3) of mirror images to the squares themselves."""
        back = points.copy()
        back[..., 0] = self._limits.size - back[..., 0]
        return back

    def _matrix(self, face: Detection) -> NDArray[np.float64]:
        """Return the matrix from the picture to the square: upright, the face in the middle."""
        points = face.landmarks.astype(np.float64)
        eyes, mouth = points[:2].mean(0), points[3:].mean(0)
        # A turned head brings the eyes nearer to each other, a lowered one the eyes to the mouth.
        unit = max(dist(points[0], points[1]), dist(eyes, mouth) / _FACE_HEIGHT, 1.0)
        tilt = similarity_transform(face.landmarks)
        roll = -atan2(tilt[1, 0], tilt[0, 0])
        yaw, _, _ = head_pose(face.landmarks)
        across = np.array([cos(roll), sin(roll)])
        middle = (eyes + mouth) / 2 - across * (unit * self._limits.behind * sin(np.radians(yaw)))
        factor = self._limits.size / (unit * self._limits.context)
        linear = factor * np.array([[cos(roll), sin(roll)], [-sin(roll), cos(roll)]])
        centre = (self._limits.size - 1) / 2
        return np.hstack([linear, (centre - linear @ middle)[:, None]])

    def _disagreement(self, one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
        """Return the mean distance of two sets of points in the plane, in heights of the face."""
        height = max(float(np.ptp(one[:, 1])), 1.0)
        return float(np.linalg.norm(one[:, :2] - two[:, :2], axis=1).mean()) / height

    def _told(self, points: NDArray[np.float32], presence: float, disagreement: float | None) -> DenseLandmarks:
        yaw, pitch, roll = self.head.pose(points)
        right_eye, left_eye = eye_openness(points)
        return DenseLandmarks(
            points, five_points(points), presence, disagreement, yaw, pitch, roll, right_eye, left_eye,
            mouth_openness(points),
        )  # fmt: skip


def _in_image(points: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Carry points (468, 3) from the square, counted from its edge, to the picture, counted from pixel centres."""
    inverse = np.linalg.inv(matrix[:, :2])
    factor = float(np.sqrt(np.linalg.det(inverse)))
    plane = (points[:, :2] - 0.5 - matrix[:, 2]) @ inverse.T
    return np.ascontiguousarray(np.hstack([plane, points[:, 2:] * factor]), dtype=np.float32)
