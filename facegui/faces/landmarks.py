"""The second look: five points again, on each face enlarged to the size at which the detector is most precise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.detect import DetectorLimits, YuNet, overlap
from facegui.faces.types import Box, Detection, Image

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
    """

    context: float
    size: int
    mirror: bool
    score: float
    iou: float


_MIRRORED = [1, 0, 2, 4, 3]


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
    if not detections:
        return []
    cuts = [_cut(image, detection, limits) for detection in detections]
    squares = np.stack([square for square, _ in cuts])
    if limits.mirror:
        squares = np.concatenate([squares, squares[:, :, ::-1]])
    search = DetectorLimits(score=limits.score)
    found = detector.detect_batch(np.ascontiguousarray(squares), search)
    result: list[Detection] = []
    for index, (detection, (_, back)) in enumerate(zip(detections, cuts, strict=True)):
        sx, sy, left, top = back[0, 0], back[1, 1], back[0, 2], back[1, 2]
        own = Box(
            (detection.box.x - left) / sx,
            (detection.box.y - top) / sy,
            detection.box.width / sx,
            detection.box.height / sy,
        )
        looks = []
        direct = _nearest(found[index], own, limits.iou)
        if direct is not None:
            looks.append(direct.landmarks)
        if limits.mirror:
            mirrored_box = Box(limits.size - own.right, own.y, own.width, own.height)
            mirrored = _nearest(found[len(cuts) + index], mirrored_box, limits.iou)
            if mirrored is not None:
                points = mirrored.landmarks[_MIRRORED].copy()
                points[:, 0] = limits.size - 1 - points[:, 0]
                looks.append(points)
        if not looks:
            result.append(detection)
            continue
        points = np.mean(looks, axis=0)
        refined = (points * [sx, sy] + [left, top]).astype(np.float32)
        result.append(Detection(detection.box, refined, detection.score))
    return result


def _nearest(found: Sequence[Detection], box: Box, least: float) -> Detection | None:
    """Return the detection that overlaps `box` most, if it does so by `least` or more."""
    best = max(found, key=lambda d: overlap(d.box, box), default=None)
    if best is None or overlap(best.box, box) < least:
        return None
    return best
