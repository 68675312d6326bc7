"""The landmark network: 468 points in three dimensions on faces that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import radians, sin
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facegui.faces.align import ARCFACE_TEMPLATE, as_complex, mirrored, similarity, transform_matrix, warp
from facegui.faces.dense_shape import POINTS, MeanHead, eye_openness, five_points, mouth_openness
from facegui.faces.pose import head_pose
from facegui.faces.session import Network
from facegui.faces.types import DenseLandmarks, Detection, Image, Landmarks

__all__ = ["DenseFinder", "DenseLimits"]

# A face and its mirror image take as long together as one after the other, less one call.
_PAIR = 2

Place: TypeAlias = tuple[complex, complex]
"""Factor and shift of the similarity transform from a picture to the square of a face, see `align.similarity`."""

_TEMPLATE = as_complex(ARCFACE_TEMPLATE)

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
        self._shift = as_complex(limits.five_shift)
        self._template = as_complex(ARCFACE_TEMPLATE + limits.five_shift)

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
        places = [self._place(face) for face in faces]
        if not mirror:
            points, presence = self._run(self._squares(image, places))
            return self._told(_in_image(points, places), presence, [None] * len(faces))
        both, sure = self._run(self._with_mirrored(self._squares(image, places, room=2)))
        points, other = both[: len(faces)], both[len(faces) :, self.head.mirror]
        self._turn_back(other)
        presence = (sure[: len(faces)] + sure[len(faces) :]) / np.float32(2)
        disagreements = _disagreements(points, other)
        return self._told(_in_image((points + other) / np.float32(2), places), presence, disagreements)

    def aligning(self, dense: DenseLandmarks) -> Landmarks:
        """Return the five points as the detector would mark them, to align the face by: (5, 2), pixels of the frame."""
        five = as_complex(dense.five)
        factor, _ = similarity(five, self._template)
        moved = [point - shift / factor for point, shift in zip(five, self._shift, strict=True)]
        return np.array([(point.real, point.imag) for point in moved], dtype=np.float32)

    def pair(self, image: Image, face: Detection) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the points in the square itself, and those of its mirror image turned back, numbered as they came.

        Returns
        -------
        tuple of ndarray of float32, shape (468, 3)
            In pixels of the square counted from its edge.
        """
        points, _ = self._run(self._with_mirrored(self._squares(image, [self._place(face)], room=2)))
        self._turn_back(points[1:])
        return points[0], points[1]

    def _run(self, squares: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        network = self._network.single() if self._alone else self._network
        step = max(network.batch, _PAIR)
        points = np.empty((len(squares), POINTS, 3), np.float32)
        presence = np.empty(len(squares), np.float32)
        for start in range(0, len(squares), step):
            some = slice(start, start + step)
            points[some], presence[some] = network.run({"input": squares[some]})
        return points, presence

    def _turn_back(self, points: NDArray[np.float32]) -> None:
        """Carry points (n, 468, 3) of mirror images to the squares themselves, in place."""
        np.subtract(self._limits.size, points[..., 0], out=points[..., 0])

    def _squares(self, image: Image, places: Sequence[Place], room: int = 1) -> NDArray[np.uint8]:
        """Cut the faces out: (n, size, size, 3), with room behind them for `room` times as many."""
        size = self._limits.size
        squares = np.empty((room * len(places), size, size, 3), np.uint8)
        for square, place in zip(squares, places, strict=False):
            warp(image, transform_matrix(*place), size, cubic=False, into=square)
        return squares

    @staticmethod
    def _with_mirrored(squares: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put the mirror images of the first half of the squares into the second half."""
        half = len(squares) // 2
        mirrored(squares[:half], into=squares[half:])
        return squares

    def _place(self, face: Detection) -> Place:
        """Return the similarity transform from the picture to the square: upright, the face in the middle."""
        points = as_complex(face.landmarks)
        eyes, mouth = (points[0] + points[1]) / 2, (points[3] + points[4]) / 2
        # A turned head brings the eyes nearer to each other, a lowered one the eyes to the mouth.
        unit = max(abs(points[1] - points[0]), abs(mouth - eyes) / _FACE_HEIGHT, 1.0)
        turn, _ = similarity(points, _TEMPLATE)
        upright = turn / abs(turn)
        yaw, _, _ = head_pose(face.landmarks)
        middle = (eyes + mouth) / 2 - upright.conjugate() * (unit * self._limits.behind * sin(radians(yaw)))
        factor = upright * (self._limits.size / (unit * self._limits.context))
        centre = (self._limits.size - 1) / 2
        return factor, complex(centre, centre) - factor * middle

    def _told(
        self, points: NDArray[np.float64], presence: NDArray[np.float32], disagreements: Sequence[float | None]
    ) -> list[DenseLandmarks]:
        kept = points.astype(np.float32)
        return [
            DenseLandmarks(one, five, sure, apart, *pose, *eye_openness(one), mouth_openness(one))
            for one, five, sure, apart, pose in zip(
                kept, five_points(kept), presence.tolist(), disagreements, self.head.poses(points), strict=True
            )
        ]


def _disagreements(one: NDArray[np.float32], two: NDArray[np.float32]) -> list[float]:
    """Return the mean distances of two sets of points (n, 468, 3) in the plane, in heights of the faces."""
    across, down = one[..., 0] - two[..., 0], one[..., 1] - two[..., 1]
    apart = np.sqrt(across * across + down * down).mean(1)
    rows = one[..., 1]
    found: list[float] = (apart / np.maximum(rows.max(1) - rows.min(1), 1)).tolist()
    return found


def _in_image(points: NDArray[np.float32], places: Sequence[Place]) -> NDArray[np.float64]:
    """Carry points (n, 468, 3) from the edges of their squares to the pixel centres of the picture."""
    back = np.empty((len(places), 3, 3))
    shifts = np.empty((len(places), 1, 3))
    for matrix, offset, (factor, shift) in zip(back, shifts, places, strict=True):
        inverse = 1 / factor
        a, b, moved = inverse.real, inverse.imag, -(shift + complex(0.5, 0.5)) * inverse
        matrix[:] = ((a, b, 0), (-b, a, 0), (0, 0, abs(inverse)))
        offset[:] = (moved.real, moved.imag, 0)
    return points.astype(np.float64) @ back + shifts
