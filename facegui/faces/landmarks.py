"""The second look: five points from the landmark network, on each face that the detector found.

The detector marks five points well on faces of some sizes; the landmark network, which is given each face upright and
at its size, marks them better and faster than a second search by the detector does (table in CONTRIBUTING).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from facegui.faces.dense import DenseFinder
from facegui.faces.types import DenseLandmarks, Detection, Image, Landmarks

__all__ = ["Look", "LookLimits", "look_again"]

# Quarter turns about the middle, as matrices for column vectors (x, y) with y down: to the right, half, to the left.
_TURNS = np.array([[[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class LookLimits:
    """When the second look counts; measured, and kept in the manifest.

    Attributes
    ----------
    least : float
        Presence (`DenseLandmarks.presence`) below which the first points stay.
    sure : float
        Presence that upright faces seen from the front reach. A face below it is looked at turned by quarter turns too,
        and taken so when that look reaches it: the detector finds a turned face, but puts the points where those of an
        upright one would be.
    turned_width : float
        Smaller faces, in pixels, are not worth turned looks.
    """

    least: float
    sure: float
    turned_width: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> LookLimits:
        """Read the limits from the manifest's ``[second_look]`` table; KeyError when one is missing."""
        return cls(**{item.name: float(table[item.name]) for item in fields(cls)})


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A face looked at twice.

    Attributes
    ----------
    detection : Detection
        With the points of the second look, or with the first ones where it failed.
    first : Detection
        With the detector's own points; those of the second look where the face lies on its side or upside down, which
        the detector does not see.
    dense : DenseLandmarks
    """

    detection: Detection
    first: Detection
    dense: DenseLandmarks


def look_again(
    image: Image, detections: Sequence[Detection], finder: DenseFinder, limits: LookLimits, *, mirror: bool
) -> list[Look]:
    """Look at faces again, for precise points.

    Parameters
    ----------
    image : Image
        RGB uint8, (height, width, 3).
    detections : sequence of Detection
        In pixels of `image`.
    finder : DenseFinder
    limits : LookLimits
    mirror : bool
        Whether the mirror image is looked at too and the points are averaged.

    Returns
    -------
    list of Look
        In the order given; boxes and scores stay.

    Raises
    ------
    KnownError
        The network is missing or damaged.
    """
    looks = finder.find(image, detections, mirror=mirror)
    told = []
    for detection, look in zip(detections, looks, strict=True):
        seen = look
        if look.presence < limits.sure and detection.box.width >= limits.turned_width:
            seen = _turned(image, detection, look, finder, limits, mirror)
        points = finder.aligning(seen) if seen.presence >= limits.least else detection.landmarks
        moved = Detection(detection.box, points, detection.score)
        told.append(Look(moved, detection if seen is look else moved, seen))
    return told


def _turned(
    image: Image, detection: Detection, upright: DenseLandmarks, finder: DenseFinder, limits: LookLimits, mirror: bool
) -> DenseLandmarks:
    """Return the look at the face turned by the quarter turns at which it is plainly there, else the upright one."""
    middle = np.array(detection.box.center, dtype=np.float32)
    offsets: Landmarks = detection.landmarks - middle
    turned = [replace(detection, landmarks=offsets @ turn.T + middle) for turn in _TURNS]
    glances = finder.find(image, turned, mirror=False)
    best = max(glances, key=lambda glance: glance.presence)
    if best.presence < limits.sure or best.presence <= upright.presence:
        return upright
    # Its points say better than the first ones where the face lies.
    look = finder.find(image, [replace(detection, landmarks=finder.aligning(best))], mirror=mirror)[0]
    return look if look.presence >= limits.sure else best
