"""The chain: frame -> detections -> aligned crops -> quality -> embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import cv2
import numpy as np

from facegui.errors import KnownError
from facegui.faces.align import ARCFACE_TEMPLATE, CROP_SIZE, align, mirrored
from facegui.faces.dense import DenseFinder
from facegui.faces.dense_quality import DenseQualityLimits, with_dense
from facegui.faces.dense_shape import MeanHead
from facegui.faces.detect import DetectorLimits, YuNet, consensus, merge
from facegui.faces.embed import Embedder
from facegui.faces.landmarks import Look, LookLimits, look_again
from facegui.faces.precision import Precision
from facegui.faces.quality import QualityLimits, QualityOdds, assess
from facegui.faces.types import Box, Detection, Face, FacePolicy, Frame, Image, Landmarks, Photo, Timings

__all__ = ["FacePipeline", "SearchPlan", "select"]


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """At which sizes pictures are searched; measured, and kept in the manifest beside the detector.

    Attributes
    ----------
    quick : int
        Long side of the first search, which finds all but small and frame-filling faces.
    enough : float
        A face at least this share of the long side wide makes the quick search enough when one face is wanted.
    coarse_width : float
        Narrower faces, in pixels as searched, count only in the finest search: what looks like one in a coarser search
        and is not found there is none.
    enlarge : float
        A picture is enlarged by no more than this.
    rescue_score : float
        Confidence that counts when nothing was found otherwise.
    rescue_border : float
        Border added around a picture that a face may fill, in long sides.
    """

    quick: int
    enough: float
    coarse_width: float
    enlarge: float
    rescue_score: float
    rescue_border: float


def select(faces: Sequence[Detection], frame: Frame, policy: FacePolicy) -> list[Detection]:
    """Choose the faces that count.

    Parameters
    ----------
    faces : sequence of Detection
    frame : Frame
    policy : FacePolicy

    Returns
    -------
    list of Detection
        Largest first for ``ALL``; otherwise at most one.

    Raises
    ------
    KnownError
        The policy is ``REFUSE`` and there are several faces.
    """
    largest_first = sorted(faces, key=lambda face: -face.box.area)
    if policy is FacePolicy.ALL or not largest_first:
        return largest_first
    if policy is FacePolicy.REFUSE and len(largest_first) > 1:
        raise KnownError(
            f"There are {len(largest_first)} faces in {frame.source}.",
            "The settings refuse photos with several faces.",
            "Choose a photo with one face, or say in the settings which face counts.",
        )
    if policy is FacePolicy.CENTRAL:
        middle = np.array([frame.width / 2, frame.height / 2])
        return [min(largest_first, key=lambda face: float(np.hypot(*(middle - face.box.center))))]
    return largest_first[:1]


class FacePipeline:
    """All steps from a frame to embeddings.

    Parameters
    ----------
    detector : YuNet
    embedder : Embedder
    detection : DetectorLimits
    plan : SearchPlan
    second_look : LookLimits
    quality : QualityLimits
    odds : QualityOdds
    dense : DenseFinder
        The landmark network, for precise points.
    dense_quality : DenseQualityLimits
        Where what it says becomes a reason.
    precision : Precision
    """

    def __init__(
        self,
        detector: YuNet,
        embedder: Embedder,
        *,
        detection: DetectorLimits,
        plan: SearchPlan,
        second_look: LookLimits,
        quality: QualityLimits,
        odds: QualityOdds,
        dense: DenseFinder,
        dense_quality: DenseQualityLimits,
        precision: Precision,
    ) -> None:
        self.detector = detector
        self.embedder = embedder
        self._detection = detection
        self._plan = plan
        self._second_look = second_look
        self._quality = quality
        self._odds = odds
        self._dense = dense
        self._dense_quality = dense_quality
        self._precision = precision

    @property
    def threads(self) -> int:
        """Threads that the networks may use.

        Raises
        ------
        KnownError
            A model is missing or damaged.
        """
        return self.embedder.threads

    def single(self) -> FacePipeline:
        """Return the chain for callers that run side by side, as many as there are threads.

        Raises
        ------
        KnownError
            A model is missing or damaged.
        """
        return FacePipeline(
            self.detector.single(),
            self.embedder.single(),
            detection=self._detection,
            plan=self._plan,
            second_look=self._second_look,
            quality=self._quality,
            odds=self._odds,
            dense=self._dense.single(),
            dense_quality=self._dense_quality,
            precision=self._precision,
        )

    def warm_up(self) -> None:
        """Load the networks and run each once, so that the first real face does not wait.

        Raises
        ------
        KnownError
            A model is missing or damaged.
        """
        blank = np.zeros((64, 64, 3), np.uint8)
        self.detector.detect(blank, blank.shape[0], DetectorLimits(1.0, 1.0))
        anywhere = Detection(Box(0, 0, CROP_SIZE, CROP_SIZE), ARCFACE_TEMPLATE, 1.0)
        self._dense.find(blank, [anywhere], mirror=False)
        self.embedder.embed([align(blank, ARCFACE_TEMPLATE)])

    def analyse(self, frame: Frame, policy: FacePolicy = FacePolicy.ALL, *, embed: bool = True) -> Photo:
        """Run the whole chain on one frame.

        Parameters
        ----------
        frame : Frame
        policy : FacePolicy
        embed : bool
            Whether faces are embedded.

        Returns
        -------
        Photo
            No faces when none was found. Faces are largest first.

        Raises
        ------
        KnownError
            There are several faces and the policy refuses that; a model file is missing or damaged.
        """
        begun = perf_counter()
        found = self._looks(frame.pixels, select(self.find(frame.pixels, policy), frame, policy))
        seen = perf_counter()
        faces = [self._face(frame, look) for look in found]
        aligned = perf_counter()
        if embed:
            faces = self.embed(faces)
        spent = (seen - begun, aligned - seen, perf_counter() - aligned if embed else 0.0)
        return Photo(frame, tuple(faces), Timings(0.0, *(seconds * 1000 for seconds in spent)))

    @property
    def mean_head(self) -> MeanHead:
        """The mean head of the landmark network."""
        return self._dense.head

    def add_dense(self, frame: Frame, faces: Sequence[Face], *, mirror: bool) -> list[Face]:
        """Return faces of this chain with the landmark network's points looked at anew; see `DenseFinder.find`."""
        points = self._dense.find(frame.pixels, [face.detection for face in faces], mirror=mirror)
        return [replace(face, dense=found) for face, found in zip(faces, points, strict=True)]

    def search(self, image: Image, sizes: Sequence[int]) -> list[Detection]:
        """Find faces with the long side at the given sizes only: for video, where the next frame is another chance."""
        found = self.detector.detect(image, sizes[0], self._detection)
        return self._finer(image, found, sizes[0], sizes[1:])

    def look(self, frame: Frame, detections: Sequence[Detection]) -> list[Face]:
        """Look closely at faces that were found: precise points, crop, quality and embedding."""
        return self.embed([self._face(frame, look) for look in self._looks(frame.pixels, detections)])

    def embed(self, faces: Sequence[Face]) -> list[Face]:
        """Return the faces with embeddings."""
        vectors = self.embedder.embed([face.crop for face in faces])
        return [
            Face(face.detection, face.crop, face.quality, vector, face.dense)
            for face, vector in zip(faces, vectors, strict=True)
        ]

    def _looks(self, image: Image, detections: Sequence[Detection]) -> list[Look]:
        return look_again(image, detections, self._dense, self._second_look, mirror=self._precision.mirror_points)

    def _face(self, frame: Frame, look: Look) -> Face:
        crop = align(frame.pixels, look.detection.landmarks)
        # The detector's own points tell the pose and the size; the network's would not disagree with themselves.
        judged = look.first
        quality = assess(frame.pixels, frame.scale, judged, crop, self._quality, self._odds)
        quality = with_dense(quality, look.dense, judged, self._dense_quality)
        return Face(look.detection, crop, quality, dense=look.dense)

    def find(self, image: Image, policy: FacePolicy = FacePolicy.ALL) -> list[Detection]:
        """Find faces at several sizes, and try harder when none is found.

        Parameters
        ----------
        image : Image
            RGB uint8, (height, width, 3).
        policy : FacePolicy
            When one face is wanted and a large one is found at once, small ones are not searched.

        Returns
        -------
        list of Detection
            In pixels of `image`, with the points of the first look.
        """
        plan = self._plan
        long_side = max(image.shape[:2])
        limits = self._detection
        found = self.detector.detect(image, plan.quick, limits)
        wanted_one = policy in (FacePolicy.LARGEST, FacePolicy.CENTRAL)
        if wanted_one and any(face.box.width >= plan.enough * long_side for face in found):
            return found
        most = max(plan.quick, round(long_side * plan.enlarge))
        sizes = sorted({min(size, most) for size in self._precision.sizes})
        if self._precision.consensus:
            return self._views(image, sizes) or self._rescue(image)
        finer = [size for size in sizes if size > plan.quick]
        return self._finer(image, found, plan.quick, finer) or self._rescue(image)

    def _views(self, image: Image, sizes: Sequence[int]) -> list[Detection]:
        """Search the picture and its mirror image at several sizes and let all of them have their say."""
        precision = self._precision
        turned = mirrored(image[None])[0]
        limits = replace(self._detection, score=self._plan.rescue_score / 2)
        views = []
        for size in sizes:
            views.append(self.detector.detect(image, size, limits))
            views.append([face.mirrored(image.shape[1]) for face in self.detector.detect(turned, size, limits)])
        found = consensus(views, self._detection.iou, precision.view_overlap, precision.view_share)
        return [face for face in found if face.score >= self._detection.score]

    def _finer(self, image: Image, found: list[Detection], coarser: int, sizes: Sequence[int]) -> list[Detection]:
        """Add what finer searches find to what a coarser one found, less its small faces."""
        for size in sizes:
            least = self._plan.coarse_width * max(image.shape[:2]) / coarser
            found = [face for face in found if min(face.box.width, face.box.height) >= least]
            found += self.detector.detect(image, size, self._detection)
            coarser = size
        return merge(found, self._detection.iou)

    def _rescue(self, image: Image) -> list[Detection]:
        """Try a border (frame-filling faces), more light, less confidence, and the picture turned."""
        plan = self._plan
        limits = replace(self._detection, score=min(plan.rescue_score, self._detection.score))
        border = round(plan.rescue_border * max(image.shape[:2]))
        wide = np.asarray(
            cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_CONSTANT), dtype=np.uint8
        )
        found = [
            Detection(
                replace(face.box, x=face.box.x - border, y=face.box.y - border),
                face.landmarks - np.float32(border),
                face.score,
            )
            for face in self.detector.search(wide, (plan.quick, 2 * plan.quick), limits)
        ]
        found = found or self.detector.search(_equalised(image), (plan.quick, 2 * plan.quick), limits)
        for quarter_turns in (1, 3, 2):
            if found:
                break
            turned = np.ascontiguousarray(np.rot90(image, quarter_turns))
            found = [
                _turned_back(face, turned.shape, quarter_turns)
                for face in self.detector.search(turned, (plan.quick, 2 * plan.quick), self._detection)
            ]
        return found


def _equalised(image: Image) -> Image:
    """Return the picture with its local contrast evened out (CLAHE on the lightness)."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), dtype=np.uint8)


def _turned_back(face: Detection, shape: tuple[int, ...], quarter_turns: int) -> Detection:
    """Carry a face found in ``rot90(image, quarter_turns)`` of `shape` back to the picture before turning."""

    def back(points: Landmarks) -> Landmarks:
        x, y = points[:, 0], points[:, 1]
        height, width = shape[:2]
        if quarter_turns == 1:
            return np.stack([height - 1 - y, x], 1)
        if quarter_turns == 3:
            return np.stack([y, width - 1 - x], 1)
        return np.stack([width - 1 - x, height - 1 - y], 1)

    box = face.box
    corners = back(np.array([[box.x, box.y], [box.right, box.bottom]], dtype=np.float32))
    low, high = corners.min(0), corners.max(0)
    turned_box = type(box)(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return Detection(turned_box, np.ascontiguousarray(back(face.landmarks)), face.score)
