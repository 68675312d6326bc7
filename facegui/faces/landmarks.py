"""The second look: five points again, on each face enlarged to the size at which the detector is most precise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.detect import DetectorLimits, YuNet, overlap
from facegui.faces.types import Box, Detection, Image, Landmarks

__all__ = ["RefineLimits", "refine"]


@dataclass(frozen=True, slots=True)
class RefineLimits:
    """How the second look is taken; measured, and kept in the manifest beside the detector.

    Attributes
    ----------
    context : float
        Side of the square that is cut out, in larger sides of the face box.
    size : int
        Side of the square after resizing, in pixels.
    mirror : bool
        Whether the mirror image is looked at too and the points are averaged.
    score : float
        Least confidence in the second look; below it the first points stay.
    iou : float
        Least overlap with the first box; below it the first points stay.
    upright : float
        Confidence that upright faces seen from the front reach and turned ones do not. A face below it is looked at
        turned by quarter turns too, and taken so when it reaches it then.
    turned_margin : float
        By how much the turned look must be the more confident one.
    turned_width : float
        Smaller faces, in pixels, are not worth turned looks.
    """

    context: float
    size: int
    mirror: bool
    score: float
    iou: float
    upright: float
    turned_margin: float
    turned_width: float


_MIRRORED = [1, 0, 2, 4, 3]
_AT_ONCE = 16
"""Faces that are looked at together: each takes 1.3 MB enlarged, and a photo of a crowd may show hundreds."""
# One, two and three to the left.
_QUARTER_TURNS = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)


def _cut(image: Image, detection: Detection, limits: RefineLimits) -> tuple[Image, NDArray[np.float64]]:
    """Return the square around the face, resized, and the matrix from its pixels to those of `image`."""
    side = limits.context * max(detection.box.width, detection.box.height)
    x, y = detection.box.center
    factor = side / limits.size
    back = np.array([[factor, 0.0, x - side / 2], [0.0, factor, y - side / 2]])
    # Averaging first keeps the warp from skipping pixels.
    if factor > 1.0:
        left, top = max(0, int(x - side / 2)), max(0, int(y - side / 2))
        right = min(image.shape[1], int(np.ceil(x + side / 2)))
        bottom = min(image.shape[0], int(np.ceil(y + side / 2)))
        part = image[top:bottom, left:right]
        width, height = max(1, round(part.shape[1] / factor)), max(1, round(part.shape[0] / factor))
        small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        square = np.zeros((limits.size, limits.size, 3), dtype=np.uint8)
        ox = round((left - (x - side / 2)) / factor)
        oy = round((top - (y - side / 2)) / factor)
        ox, oy = min(max(ox, 0), limits.size - 1), min(max(oy, 0), limits.size - 1)
        width, height = min(width, limits.size - ox), min(height, limits.size - oy)
        square[oy : oy + height, ox : ox + width] = small[:height, :width]
        sx, sy = part.shape[1] / max(small.shape[1], 1), part.shape[0] / max(small.shape[0], 1)
        back = np.array([[sx, 0.0, left - ox * sx], [0.0, sy, top - oy * sy]])
        return square, back
    warped = cv2.warpAffine(
        image,
        back,
        (limits.size, limits.size),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return np.asarray(warped, dtype=np.uint8), back


def refine(
    image: Image,
    detections: Sequence[Detection],
    detector: YuNet,
    limits: RefineLimits,
) -> list[Detection]:
    """Return the detections with points from a second look; boxes and scores stay.

    A face that looks doubtful is looked at on its side and upside down too: the detector finds a turned face, but
    puts the points where those of an upright one would be.

    Parameters
    ----------
    image : Image
        RGB uint8, (height, width, 3).
    detections : sequence of Detection
        In pixels of `image`.
    detector : YuNet
    limits : RefineLimits

    Returns
    -------
    list of Detection
        In the order given. Where the second look fails, the first points stay.
    """
    return [
        face
        for start in range(0, len(detections), _AT_ONCE)
        for face in _refined(image, detections[start : start + _AT_ONCE], detector, limits)
    ]


def _refined(image: Image, detections: Sequence[Detection], detector: YuNet, limits: RefineLimits) -> list[Detection]:
    cuts = [_cut(image, detection, limits) for detection in detections]
    squares = [square for square, _ in cuts]
    boxes = [_in_square(detection.box, back) for detection, (_, back) in zip(detections, cuts, strict=True)]
    looks = _look(squares, boxes, detector, limits)
    for index, first in enumerate(looks):
        if first.score < limits.upright and detections[index].box.width >= limits.turned_width:
            looks[index] = _turned_look(squares[index], boxes[index], first, detector, limits)
    return [
        detection if look.points is None else replace(detection, landmarks=_in_image(look.points, back))
        for detection, look, (_, back) in zip(detections, looks, cuts, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Points in pixels of the square, and the confidence; no points where nothing was found."""

    points: Landmarks | None
    score: float


def _look(squares: Sequence[Image], boxes: Sequence[Box], detector: YuNet, limits: RefineLimits) -> list[_Look]:
    """Look at squares of one size, and at their mirror images if the limits say so."""
    batch = np.empty((len(squares) * (2 if limits.mirror else 1), limits.size, limits.size, 3), dtype=np.uint8)
    for index, square in enumerate(squares):
        batch[index] = square
        if limits.mirror:
            cv2.flip(square, 1, batch[len(squares) + index])
    found = detector.detect_batch(batch, DetectorLimits(limits.score, limits.iou))
    looks = []
    for index, box in enumerate(boxes):
        direct = _nearest(found[index], box, limits.iou)
        points = [] if direct is None else [direct.landmarks]
        if limits.mirror:
            mirrored_box = Box(limits.size - box.right, box.y, box.width, box.height)
            mirrored = _nearest(found[len(boxes) + index], mirrored_box, limits.iou)
            if mirrored is not None:
                back = mirrored.landmarks[_MIRRORED].copy()
                back[:, 0] = limits.size - 1 - back[:, 0]
                points.append(back)
        mean = np.asarray(np.mean(points, axis=0), np.float32) if points else None
        looks.append(_Look(mean, direct.score if direct is not None else 0.0))
    return looks


def _turned_look(square: Image, box: Box, first: _Look, detector: YuNet, limits: RefineLimits) -> _Look:
    """Return the look at the face turned by the quarter turns at which it is plainly upright, else the first."""
    last = limits.size - 1
    boxes = [
        Box(box.y, limits.size - box.right, box.height, box.width),
        Box(limits.size - box.right, limits.size - box.bottom, box.width, box.height),
        Box(limits.size - box.bottom, box.x, box.height, box.width),
    ]
    turned = [np.asarray(cv2.rotate(square, code), np.uint8) for code in _QUARTER_TURNS]
    glances = _look(turned, boxes, detector, replace(limits, mirror=False))
    best = max(range(3), key=lambda i: glances[i].score)
    if glances[best].score < max(limits.upright, first.score + limits.turned_margin):
        return first
    (look,) = _look([turned[best]], [boxes[best]], detector, limits)
    if look.points is None:
        return first
    x, y = look.points[:, 0], look.points[:, 1]
    back = ((last - y, x), (last - x, last - y), (y, last - x))[best]
    return _Look(np.stack(back, 1), look.score)


def _in_square(box: Box, back: NDArray[np.float64]) -> Box:
    sx, sy, left, top = back[0, 0], back[1, 1], back[0, 2], back[1, 2]
    return Box((box.x - left) / sx, (box.y - top) / sy, box.width / sx, box.height / sy)


def _in_image(points: Landmarks, back: NDArray[np.float64]) -> Landmarks:
    scale = np.array([back[0, 0], back[1, 1]])
    return np.asarray(points * scale + [back[0, 2], back[1, 2]], dtype=np.float32)


def _nearest(found: Sequence[Detection], box: Box, least: float) -> Detection | None:
    """Return the detection that overlaps `box` most, if it does so by `least` or more."""
    best = max(found, key=lambda d: overlap(d.box, box), default=None)
    if best is None or overlap(best.box, box) < least:
        return None
    return best
