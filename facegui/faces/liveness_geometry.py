"""Depth from a moving head: the points of a flat picture move as a homography, those of a head do not.

Any two views of a plane are related by one 3 x 3 matrix, whatever the plane does before the camera (Hartley and
Zisserman, Multiple View Geometry, 2004, chapter 13). The nose of a head stands in front of its cheeks: what the best
homography between two views leaves over grows with the turn.

Where the points go is followed in the picture itself (Lucas and Kanade, 1981, as in OpenCV) from one set of the 468
points on. The landmark network cannot be asked for it: it knows faces, and draws depth into a flat photo. A photo
swung by 40 degrees gave its points 70 % of the residual of a head; followed in the picture, 20 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import DenseLandmarks, Image

__all__ = ["DepthCue", "DepthLimits", "homography_residuals", "similarity_residuals"]

Points = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class DepthLimits:
    """Numbers that steer the measurement; they stand in the manifest.

    Attributes
    ----------
    change : float
        How far the face must change its shape in the picture before its depth can be told: what the best similarity
        leaves, root mean square, in heights of the face.
    ratio : float
        What the best homography leaves over what the best similarity leaves: below this, the face is flat.
    height : float
        Height of the face in pixels at which points are followed.
    agreement : float
        Pixels by which a point followed there and back may miss.
    kept : float
        Share of points that must still be followed; then they are chosen anew.
    trimmed : float
        Share of points, the best fitting ones, that count: some always slide over hair or lids.
    seconds : float
        Points are chosen anew after so long.
    """

    change: float
    ratio: float
    height: float
    agreement: float
    kept: float
    trimmed: float
    seconds: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> DepthLimits:
        """Read the limits from the manifest's ``[depth]`` table; KeyError when one is missing."""
        return cls(**{item.name: float(table[item.name]) for item in fields(cls)})


def homography_residuals(one: Points, other: Points) -> NDArray[np.float64]:
    """Return how far each point of `one`, carried by the best homography, misses its counterpart, in its unit.

    Parameters
    ----------
    one, other : ndarray, shape (n, 2)
        n is at least 5.
    """
    (a, _), (b, size) = _normalised(one), _normalised(other)
    flat, zeros = np.hstack([a, np.ones((len(a), 1))]), np.zeros((len(a), 3))
    system = np.vstack([np.hstack([flat, zeros, -b[:, :1] * flat]), np.hstack([zeros, flat, -b[:, 1:] * flat])])
    # The vector that the system shrinks most: the first eigenvector of its square, (9, 9).
    matrix = np.linalg.eigh(system.T @ system)[1][:, 0].reshape(3, 3)
    moved = flat @ matrix.T
    depth = np.where(np.abs(moved[:, 2:]) < 1e-9, 1e-9, moved[:, 2:])
    misses: NDArray[np.float64] = np.linalg.norm(moved[:, :2] / depth - b, axis=1) * size
    return misses


def similarity_residuals(one: Points, other: Points) -> NDArray[np.float64]:
    """Return the same for the best shift, rotation and scaling."""
    a, b = (points.astype(np.float64) - points.mean(0) for points in (one, other))
    first, second = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = (np.conj(first) @ second) / max(float((np.conj(first) @ first).real), 1e-12)
    misses: NDArray[np.float64] = np.abs(second - factor * first)
    return misses


def _normalised(points: Points) -> tuple[NDArray[np.float64], float]:
    """Return the points around 0 with a mean square distance of 2 (Hartley, PAMI 1997), and the factor back."""
    centred = points.astype(np.float64) - points.mean(0)
    size = float(np.sqrt((centred**2).sum(1).mean() / 2)) or 1.0
    return centred / size, size


class DepthCue:
    """Measures depth over the frames of one face; not for several threads at once.

    Parameters
    ----------
    limits : DepthLimits
    rigid : ndarray of bool, shape (468,)
        Points that move with the skull alone.

    Attributes
    ----------
    value : float
        What the best homography leaves over what the best similarity leaves, where the face changed its shape most:
        near 0.2 for a flat picture, 0.6 and more for a head. NaN until it changed enough.
    change : float
        The largest change of shape so far, in heights of the face.
    """

    def __init__(self, limits: DepthLimits, rigid: NDArray[np.bool_]) -> None:
        self._limits = limits
        self._rigid = rigid
        self._grey: NDArray[np.uint8] | None = None
        self._factor = self._height = self._since = 0.0
        self._anchor = self._now = np.zeros((0, 2), np.float32)
        self._followed = np.zeros(0, bool)
        self.value = float("nan")
        self.change = 0.0

    def lost(self) -> None:
        """Say that the face was out of sight: points are chosen anew."""
        self._grey = None

    def add(self, image: Image, dense: DenseLandmarks, seconds: float) -> float:
        """Take the next frame and return the value so far.

        Parameters
        ----------
        image : Image
            RGB uint8, (height, width, 3).
        dense : DenseLandmarks
            Of the face, in pixels of `image`.
        seconds : float
        """
        limits = self._limits
        full = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if self._grey is not None:
            grey = self._smaller(full)
            if grey.shape != self._grey.shape or seconds - self._since > limits.seconds or not self._follow(grey):
                self._grey = None
        if self._grey is None:
            self._choose(full, dense, seconds)
            return self.value
        one, other = self._anchor[self._followed], self._now[self._followed]
        flat, change = (
            self._root(misses) for misses in (homography_residuals(one, other), similarity_residuals(one, other))
        )
        if change >= max(limits.change, self.change):
            self.change, self.value = change, flat / change
        return self.value

    def _root(self, misses: NDArray[np.float64]) -> float:
        best = np.sort(misses)[: max(5, int(self._limits.trimmed * len(misses)))]
        return float(np.sqrt((best**2).mean())) / self._height

    def _smaller(self, grey: Any) -> NDArray[np.uint8]:
        small = cv2.resize(grey, None, fx=self._factor, fy=self._factor, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    def _choose(self, grey: Any, dense: DenseLandmarks, seconds: float) -> None:
        height = max(float(np.ptp(dense.points[:, 1])), 1.0)
        self._factor = self._limits.height / height
        self._height, self._since = self._limits.height, seconds
        self._anchor = (dense.points[self._rigid, :2] * self._factor).astype(np.float32)
        self._now, self._followed = self._anchor.copy(), np.ones(len(self._anchor), bool)
        self._grey = self._smaller(grey)

    def _follow(self, grey: NDArray[np.uint8]) -> bool:
        """Follow the points into the next frame; tell whether enough are left."""
        assert self._grey is not None
        empty: Any = None
        there, good, _ = cv2.calcOpticalFlowPyrLK(self._grey, grey, self._now, empty, winSize=(17, 17), maxLevel=3)
        back, well, _ = cv2.calcOpticalFlowPyrLK(grey, self._grey, there, empty, winSize=(17, 17), maxLevel=3)
        missed = np.linalg.norm(back - self._now, axis=1)
        self._followed &= (good[:, 0] == 1) & (well[:, 0] == 1) & (missed < self._limits.agreement)
        self._now, self._grey = np.asarray(there, np.float32), grey
        return bool(self._followed.mean() >= self._limits.kept)
