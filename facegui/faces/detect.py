"""Face detection with YuNet: boxes and five points.

YuNet (Wu, Peng, Yu: YuNet, a tiny millisecond-level face detector, 2023) predicts on grids of 8, 16 and 32 pixels.
It finds faces best when they are neither tiny nor frame-filling, so a picture is searched at several sizes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.faces.session import Network
from facegui.faces.types import Box, Detection, Image

__all__ = ["DetectorLimits", "YuNet", "consensus", "merge", "overlap"]

_STRIDES = (8, 16, 32)
_LARGE = 3_000_000
"""Bytes of a picture of which only one at a time is searched: each takes some 70 MB meanwhile."""
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


def consensus(views: Sequence[Sequence[Detection]], iou: float, same: float, share: float) -> list[Detection]:
    """Let several looks at one picture decide together which faces are there and where.

    Parameters
    ----------
    views : sequence of sequence of Detection
        What each look found, in pixels of the same picture, doubtful faces included.
    iou : float
        Of two faces that overlap more than this only the one that was seen more plainly stays.
    same : float
        Detections of two looks that overlap this much or more are the same face.
    share : float
        Share of the looks, the most confident ones, that counts for the confidence of a face, 0..1; a look that did not
        see it counts as 0.

    Returns
    -------
    list of Detection
        Box and points are the means over the looks that saw the face, weighted by their confidence (Solovyev et al.,
        Weighted boxes fusion, Image and Vision Computing 2021); the score is the mean of the best looks.
    """
    corners = [_corners(view) for view in views]
    counted = max(1, round(share * len(views)))
    waiting = sorted(
        ((face.score, look, place) for look, view in enumerate(views) for place, face in enumerate(view)), reverse=True
    )
    gone = [np.zeros(len(view), dtype=np.bool_) for view in views]
    found = []
    for _, look, place in waiting:
        if gone[look][place]:
            continue
        seed = corners[look][place]
        seen = []
        for other, view in enumerate(views):
            if not len(view):
                continue
            shared = np.where(gone[other], 0.0, _overlaps(seed, corners[other]))
            nearest = int(shared.argmax())
            if shared[nearest] >= same:
                seen.append(view[nearest])
            gone[other] |= shared > iou
        scores = sorted((face.score for face in seen), reverse=True)
        found.append(_mean(seen, sum(scores[:counted]) / counted))
    return sorted(found, key=lambda face: -face.score)


def _corners(faces: Sequence[Detection]) -> NDArray[np.float64]:
    """Return left, top, right and bottom of the boxes, (n, 4)."""
    return np.array([(f.box.x, f.box.y, f.box.right, f.box.bottom) for f in faces], dtype=np.float64).reshape(-1, 4)


def _overlaps(one: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersections over union of a box with others, given by their corners."""
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    shared = np.maximum(sides, 0).prod(1)
    areas = (others[:, 2:] - others[:, :2]).prod(1)
    return np.asarray(shared / np.maximum((one[2:] - one[:2]).prod() + areas - shared, 1e-9))


def _mean(faces: Sequence[Detection], score: float) -> Detection:
    """Return the mean of detections of one face, weighted by their confidence."""
    weights = np.array([face.score for face in faces])
    weights /= weights.sum()
    left, top, right, bottom = (weights @ _corners(faces)).tolist()
    points = np.einsum("n,npc->pc", weights, np.stack([face.landmarks for face in faces]))
    return Detection(Box(left, top, right - left, bottom - top), points.astype(np.float32), score)


@lru_cache(maxsize=64)
def _grid(rows: int, columns: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return column and row (n, 2) and stride (n, 1) of all cells of a picture with so many rows and columns."""
    cells, strides = [], []
    for stride in _STRIDES:
        down, across = np.divmod(np.arange((rows // stride) * (columns // stride)), columns // stride)
        cells.append(np.stack([across, down], 1))
        strides.append(np.full((len(down), 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], iou: float) -> list[int]:
    """Return the places of the boxes (left, top, width, height) that stay, most confident first."""
    waiting = np.argsort(-scores, kind="stable")
    sizes = boxes[:, 2:].astype(np.float64)
    areas = sizes[:, 0] * sizes[:, 1]
    low = boxes[:, :2].astype(np.float64)
    high = low + sizes
    kept: list[int] = []
    while waiting.size:
        best, waiting = int(waiting[0]), waiting[1:]
        kept.append(best)
        if waiting.size:
            sides = np.maximum(np.minimum(high[waiting], high[best]) - np.maximum(low[waiting], low[best]), 0)
            shared = sides[:, 0] * sides[:, 1]
            waiting = waiting[shared <= iou * (areas[waiting] + areas[best] - shared)]
    return kept


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Faces of one picture, most confident first: boxes (n, 4), points (n, 5, 2) and scores (n,)."""

    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    scores: NDArray[np.float32]

    def enlarged(self, across: float, down: float) -> _Found:
        """Return the faces in a picture that much larger."""
        scale = np.array([across, down, across, down], dtype=np.float32)
        half = np.float32(0.5)  # pixels are counted from their centres
        return _Found(self.boxes * scale, (self.points + half) * scale[:2] - half, self.scores)

    def detections(self) -> list[Detection]:
        return [
            Detection(Box(*box), points, score)
            for box, points, score in zip(self.boxes.tolist(), self.points, self.scores.tolist(), strict=True)
        ]


def _decoded(outputs: Sequence[NDArray[np.float32]], rows: int, columns: int, limits: DetectorLimits) -> _Found:
    """Return the faces in the network's outputs for one picture."""
    score, place = outputs[0][:, 0], outputs[1]
    keep = np.flatnonzero(score >= limits.score)
    cells, strides = _grid(rows, columns)
    cell, stride, near, score = cells[keep], strides[keep], place[keep], score[keep]
    boxes = np.empty((len(keep), 4), np.float32)
    boxes[:, 2:] = size = np.exp(near[:, 2:4]) * stride
    boxes[:, :2] = (cell + near[:, :2]) * stride - size / 2
    kept = _suppress(boxes, score, limits.iou)
    points = (near[kept, 4:].reshape(-1, 5, 2) + cell[kept, None]) * stride[kept, None]
    return _Found(boxes[kept], points, score[kept])


class YuNet:
    """The detector.

    Parameters
    ----------
    network : Network
        Takes ``input``: see the manifest.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._large = threading.Lock()

    def single(self) -> YuNet:
        """Return the detector for callers that run side by side."""
        return YuNet(self._network.single())

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
        padded = np.empty((1, -(-small_height // _GRID) * _GRID, -(-small_width // _GRID) * _GRID, 3), dtype=np.uint8)
        padded[0, small_height:] = 0
        padded[0, :small_height, small_width:] = 0
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        # A picture of that very size is copied.
        cv2.resize(image, (small_width, small_height), dst=padded[0, :small_height, :small_width], interpolation=method)
        with self._large if padded.size > _LARGE else nullcontext():
            (found,) = self._raw(padded, limits)
        return found.enlarged(width / small_width, height / small_height).detections()

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
        return [found.detections() for found in self._raw(batch, limits)]

    def _raw(self, batch: NDArray[np.uint8], limits: DetectorLimits) -> list[_Found]:
        step, (height, width) = self._network.batch, batch.shape[1:3]
        found: list[_Found] = []
        for start in range(0, len(batch), step):
            outputs = self._network.run({"input": batch[start : start + step]})
            found += [_decoded(single, height, width, limits) for single in zip(*outputs, strict=True)]
        return found

    def search(self, image: Image, sizes: Sequence[int], limits: DetectorLimits) -> list[Detection]:
        """Search at several sizes and merge what was found."""
        found = [face for size in sizes for face in self.detect(image, size, limits)]
        return merge(found, limits.iou) if len(sizes) > 1 else found
