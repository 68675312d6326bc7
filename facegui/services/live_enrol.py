"""Enrolment from a camera: pictures of several poses, chosen for their quality and diversity, and a self-check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facegui.faces.guide import Guide, GuideLimits, GuideView
from facegui.faces.types import Face, Frame, Vector
from facegui.services.live import LiveSession, follow, table_of
from facegui.services.live_values import LiveView
from facegui.services.values import EnrolSample
from facegui.sources.camera import CameraFeed, FeedStatus

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["Collector", "SelfCheck", "collect", "diverse", "self_check"]

_POOL = 40


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """How well samples fit together.

    Attributes
    ----------
    lowest, mean : float
        Cosines between the samples; NaN with fewer than two.
    nearest : str
        The enrolled person, other than this one, that is most like them; empty when nobody else is there.
    nearest_similarity : float
        That likeness; NaN when nobody else is there.
    """

    lowest: float
    mean: float
    nearest: str
    nearest_similarity: float


class Collector:
    """Guides a person through the poses, and keeps other good pictures for where a pose is lacking.

    Parameters
    ----------
    services : Services
    """

    def __init__(self, services: Services) -> None:
        limits = GuideLimits.from_table(table_of(services, "guide"))
        self.guide = Guide(limits)
        self._limits = limits
        self._near_duplicate = float(table_of(services, "enrolment")["near_duplicate"])
        self._pool: list[EnrolSample] = []

    def add(self, face: Face | None, frame: Frame) -> GuideView:
        """Take the newest face of the person in front, or None."""
        view = self.guide.add(face, frame)
        if face is not None and face.embedding is not None and face.quality.score >= self._limits.quality:
            self._pool.append(EnrolSample(face, frame))
            if len(self._pool) > _POOL:
                # Every second one goes, so that the pool always spans the whole time.
                del self._pool[1::2]
        return view

    def in_the_way(self, view: LiveView) -> bool:
        """Tell whether somebody else is as near to the camera as the person in front."""
        widths = [shown.track.detection.box.width for shown in view.faces]
        return any(width >= self._limits.another * widths[0] for width in widths[1:])

    def samples(self, count: int) -> tuple[EnrolSample, ...]:
        """Return up to `count` samples: those of the poses, then the pictures that differ most from them."""
        chosen = [EnrolSample(taken.face, taken.frame) for taken in self.guide.taken][:count]
        if not chosen and self._pool:
            chosen = [max(self._pool, key=lambda sample: sample.face.quality.score)]
        return diverse(chosen, self._pool, count, self._limits.same, self._near_duplicate)


def diverse(
    chosen: Sequence[EnrolSample], pool: Sequence[EnrolSample], count: int, same: float, near_duplicate: float
) -> tuple[EnrolSample, ...]:
    """Add to samples those of a pool that tell most that is new.

    Parameters
    ----------
    chosen : sequence of EnrolSample
        At least one, unless the pool is empty.
    pool : sequence of EnrolSample
    count : int
        Samples wanted in all.
    same : float
        Least cosine to the first sample: a stranger who walks by is not taken.
    near_duplicate : float
        A picture as near as this to one that is there adds nothing.
    """
    result = list(chosen)
    while result and len(result) < count:
        vectors = np.stack([_vector(sample) for sample in result])
        best, found = 0.0, None
        for sample in pool:
            scores = vectors @ _vector(sample)
            if scores[0] < same or scores.max() >= near_duplicate:
                continue
            worth = float(1 - scores.max()) * sample.face.quality.score
            if worth > best:
                best, found = worth, sample
        if found is None:
            break
        result.append(found)
    return tuple(result)


def _vector(sample: EnrolSample) -> Vector:
    if sample.face.embedding is None:
        raise ValueError("the face has no embedding")
    return sample.face.embedding.vector


def collect(
    services: Services, feed: CameraFeed, collector: Collector, seconds: float
) -> Iterator[GuideView | FeedStatus]:
    """Feed a collector from a camera until all poses are there, the time is over, or the source ends.

    Yields
    ------
    GuideView or FeedStatus
    """
    session = LiveSession(services)
    for news in follow(feed, session, seconds):
        if not isinstance(news, LiveView):
            yield news
            continue
        front = news.front
        if front is None or front.track.fresh:
            view = collector.add(front.track.face if front is not None else None, news.frame)
            yield view
            if view.wanted is None:
                return
        if news.seconds >= seconds:
            return


def self_check(services: Services, name: str, faces: Sequence[Face]) -> SelfCheck:
    """Tell how well samples match each other and how near the nearest other person is."""
    vectors = np.stack([face.embedding.vector for face in faces if face.embedding is not None])
    scores = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    nan = float("nan")
    lowest, mean = (float(scores.min()), float(scores.mean())) if scores.size else (nan, nan)
    best, who = nan, ""
    for face in faces:
        for candidate in services.identify(face, 2):
            other = candidate.name.casefold() != name.strip().casefold()
            if other and not candidate.similarity <= best:
                best, who = candidate.similarity, candidate.name
    return SelfCheck(lowest, mean, who, best)
