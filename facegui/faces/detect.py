"""Face detection with YuNet: boxes and five points.

YuNet (Wu, Peng, Yu: YuNet, a tiny millisecond-level face detector, 2023) predicts on grids of 8, 16 and 32 pixels.
It finds faces best when they are neither tiny nor frame-filling, so a picture is searched at several sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.session import Network
from facegui.faces.types import Box, Detection, Image

__all__ = ["DetectorLimits", "YuNet", "merge", "overlap"]

_STRIDES = (8, 16, 32)
_GRID = 32


@dataclass(frozen=True, slots=True)
class DetectorLimits:
    """Numbers that steer the search; they stand in the manifest beside the detector.

    Attributes
    ----------
    score : float
        Least confidence, 0..1.
    iou : float
        Two boxes that overlap more than this are one face.
    """

    score: float = 0.6
    iou: float = 0.3


def overlap(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes, 0..1."""
    width = min(a.right, b.right) - max(a.x, b.x)
    height = min(a.bottom, b.bottom) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a.area + b.area - shared)


def merge(detections: Iterable[Detection], iou: float) -> list[Detection]:
    """Keep the most confident of the detections that overlap (greedy non-maximum suppression).

    A box that lies almost wholly inside a kept one is the same face too: at different search sizes one face
    may be seen with and without its hair.
    """
    kept: list[Detection] = []
    for candidate in sorted(detections, key=lambda d: -d.score):
        if all(overlap(candidate.box, other.box) <= iou for other in kept):
            kept.append(candidate)
    return kept


class YuNet:
    """The detector.

    Parameters
    ----------
    network : Network
        Takes ``input``: see the manifest.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def detect(self, image: Image, long_side: int, limits: DetectorLimits) -> list[Detection]:
        """Find faces with the picture resized so that its longer side has `long_side` pixels.

        Parameters
        ----------
        image : Image
            RGB uint8, (height, width, 3).
        long_side : int
            Search size in pixels; faces of about 1/20 to 3/5 of it are found best.
        limits : DetectorLimits

        Returns
        -------
        list of Detection
            In pixels of `image`, most confident first.
        """
        height, width = image.shape[:2]
        factor = long_side / max(height, width)
        small_width, small_height = max(1, round(width * factor)), max(1, round(height * factor))
        if (small_width, small_height) != (width, height):
            method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            image = np.asarray(cv2.resize(image, (small_width, small_height), interpolation=method), np.uint8)
        padded = np.zeros((1, -(-small_height // _GRID) * _GRID, -(-small_width // _GRID) * _GRID, 3), dtype=np.uint8)
        padded[0, :small_height, :small_width] = image
        scale = np.array([width / small_width, height / small_height], dtype=np.float32)
        return [
            Detection(
                Box(
                    float(found.box.x * scale[0]),
                    float(found.box.y * scale[1]),
                    float(found.box.width * scale[0]),
                    float(found.box.height * scale[1]),
                ),
                (found.landmarks + np.float32(0.5)) * scale - np.float32(0.5),
                found.score,
            )
            for found in self.detect_batch(padded, limits)[0]
        ]

    def detect_batch(self, batch: NDArray[np.uint8], limits: DetectorLimits) -> list[list[Detection]]:
        """Find faces in pictures of one size, as they are.

        Parameters
        ----------
        batch : ndarray of uint8, shape (n, height, width, 3)
            RGB; height and width are multiples of 32.
        limits : DetectorLimits

        Returns
        -------
        list of list of Detection
            For each picture, in its pixels, most confident first.
        """
        outputs = self._network.run({"input": batch})
        return [
            self._decode([output[index] for output in outputs], batch.shape[2], limits) for index in range(len(batch))
        ]

    @staticmethod
    def _decode(outputs: Sequence[NDArray[np.float32]], columns: int, limits: DetectorLimits) -> list[Detection]:
        boxes: list[NDArray[np.float32]] = []
        points: list[NDArray[np.float32]] = []
        scores: list[NDArray[np.float32]] = []
        for level, stride in enumerate(_STRIDES):
            cls, obj, box, key = (outputs[kind * len(_STRIDES) + level] for kind in range(4))
            score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
            keep = np.flatnonzero(score >= limits.score)
            if not keep.size:
                continue
            across = columns // stride
            cell = np.stack([keep % across, keep // across], 1).astype(np.float32)
            center = (cell + box[keep, :2]) * stride
            size = np.exp(box[keep, 2:]) * stride
            boxes.append(np.hstack([center - size / 2, size]))
            points.append((key[keep].reshape(-1, 5, 2) + cell[:, None]) * np.float32(stride))
            scores.append(score[keep])
        if not boxes:
            return []
        all_boxes, all_points, all_scores = map(np.concatenate, (boxes, points, scores))
        kept = cv2.dnn.NMSBoxes(all_boxes.tolist(), all_scores.tolist(), 0.0, limits.iou)
        order = sorted(np.asarray(kept, dtype=int).ravel(), key=lambda i: -all_scores[i])
        return [
            Detection(Box(*map(float, all_boxes[i])), all_points[i].astype(np.float32), float(all_scores[i]))
            for i in order
        ]

    def search(self, image: Image, sizes: Sequence[int], limits: DetectorLimits) -> list[Detection]:
        """Search at several sizes and merge what was found."""
        found = [face for size in sizes for face in self.detect(image, size, limits)]
        return merge(found, limits.iou) if len(sizes) > 1 else found
