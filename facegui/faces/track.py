"""Faces that keep their identity from frame to frame.

Boxes are linked by their overlap first, as in SORT (Bewley et al., 2016); the embedding then confirms or refuses the
link, and finds a face again that was hidden for a while. Looking closely at a face (second look, crop, embedding) is
what costs time, so only some faces of a frame are looked at: new ones first, then those not seen closely for longest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.detect import overlap
from facegui.faces.types import Box, Detection, Face, Vector

__all__ = ["Look", "Track", "TrackLimits", "Tracker"]

Look = Callable[[Sequence[Detection]], Sequence[Face]]
"""Looks closely at detections: aligned, assessed and embedded faces in the same order."""


@dataclass(frozen=True, slots=True)
class TrackLimits:
    """Numbers that steer the tracker; they stand in the manifest.

    Attributes
    ----------
    overlap : float
        Least intersection over union of a face and where its track is expected.
    same : float
        A face is taken for one that was lost when their cosine is at least this.
    different : float
        A face that fits a track by its place, but whose cosine to it is below this, is somebody else.
    hidden_seconds : float
        A track that was not seen for so long ends.
    looks : int
        Faces of one frame that are looked at closely, at most.
    memory : float
        Share of the old mean embedding that a new look leaves, 0..1.
    useless : float
        Faces of less quality neither confirm nor refuse anything.
    """

    overlap: float
    same: float
    different: float
    hidden_seconds: float
    looks: int
    memory: float
    useless: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> TrackLimits:
        """Read the limits from the manifest's ``[tracking]`` table; KeyError when one is missing."""
        numbers = {item.name: float(table[item.name]) for item in fields(cls)}
        return cls(**{**numbers, "looks": int(table["looks"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face over time.

    Attributes
    ----------
    id : int
        Counts from 1; never used again.
    detection : Detection
        Where it was seen last, in pixels of that frame.
    first, last : float
        Seconds at which it was seen first and last.
    face : Face or None
        The newest close look; None before the first.
    fresh : bool
        Whether `face` belongs to the newest frame.
    looks : int
        Close looks so far.
    looked : float
        Seconds of the newest close look.
    mean : Vector or None
        Running mean of the embeddings, length 1.
    visible : bool
        Whether it is seen in the newest frame.
    """

    id: int
    detection: Detection
    first: float
    last: float
    face: Face | None = None
    fresh: bool = False
    looks: int = 0
    looked: float = -np.inf
    mean: Vector | None = None
    visible: bool = True
    _shift: tuple[float, float] = (0.0, 0.0)

    @property
    def age(self) -> float:
        """Seconds between the first and the last sight."""
        return self.last - self.first

    def expected(self, seconds: float) -> Box:
        """Return where the face is expected, moving on at its last speed."""
        box, ahead = self.detection.box, seconds - self.last
        return replace(box, x=box.x + self._shift[0] * ahead, y=box.y + self._shift[1] * ahead)

    def moved(self, detection: Detection, seconds: float) -> Track:
        """Return the track with the face seen again."""
        step = max(seconds - self.last, 1e-3)
        before, now = self.detection.box.center, detection.box.center
        shift = (now[0] - before[0]) / step, (now[1] - before[1]) / step
        # Half of the old speed stays, so that one shaky box throws nothing off its way.
        steady = (self._shift[0] + shift[0]) / 2, (self._shift[1] + shift[1]) / 2
        return replace(self, detection=detection, last=seconds, visible=True, fresh=False, _shift=steady)


class Tracker:
    """Links the faces of frames; not for several threads at once.

    Parameters
    ----------
    limits : TrackLimits
    """

    def __init__(self, limits: TrackLimits) -> None:
        self._limits = limits
        self._tracks: list[Track] = []
        self._count = 0
        self.ended: tuple[Track, ...] = ()
        """The tracks that ended with the newest frame."""

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All tracks that have not ended, visible or not, in the order in which they began."""
        return tuple(self._tracks)

    def update(self, detections: Sequence[Detection], seconds: float, look: Look) -> tuple[Track, ...]:
        """Take the faces of the next frame.

        Parameters
        ----------
        detections : sequence of Detection
        seconds : float
            A clock that only grows.
        look : callable
            Looks closely at some of the detections.

        Returns
        -------
        tuple of Track
            The visible ones, largest face first.
        """
        tracks = [replace(track, visible=False, fresh=False) for track in self._tracks]
        place = self._link(tracks, detections, seconds)
        chosen = self._choose(tracks, detections, place)
        faces = dict(zip(chosen, look([detections[n] for n in chosen]), strict=True)) if chosen else {}
        for number in range(len(detections)):
            self._take(tracks, detections[number], faces.get(number), place.get(number), seconds)
        gone = [track for track in tracks if seconds - track.last > self._limits.hidden_seconds]
        self.ended = tuple(gone)
        self._tracks = [track for track in tracks if track not in gone]
        return tuple(sorted((t for t in self._tracks if t.visible), key=lambda t: -t.detection.box.area))

    def _link(self, tracks: Sequence[Track], detections: Sequence[Detection], seconds: float) -> dict[int, int]:
        """Return the place in `tracks` of each detection that lies where a track is expected."""
        if not tracks or not detections:
            return {}
        # Late: it takes time to load.
        from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

        shared = np.array([[overlap(t.expected(seconds), d.box) for d in detections] for t in tracks])
        rows, columns = linear_sum_assignment(-shared)
        return {
            int(column): int(row)
            for row, column in zip(rows, columns, strict=True)
            if shared[row, column] >= self._limits.overlap
        }

    def _choose(self, tracks: Sequence[Track], detections: Sequence[Detection], place: Mapping[int, int]) -> list[int]:
        """Return the detections to look at: the largest, those without a track, then those looked at longest ago."""
        front = max(range(len(detections)), key=lambda number: detections[number].box.area, default=-1)

        def urgency(number: int) -> tuple[bool, float, float]:
            looked = tracks[place[number]].looked if number in place else -np.inf
            return number != front, looked, -detections[number].box.area

        return sorted(range(len(detections)), key=urgency)[: self._limits.looks]

    def _take(
        self, tracks: list[Track], detection: Detection, face: Face | None, place: int | None, seconds: float
    ) -> None:
        """Give one detection to the track at `place`, to one that was lost, or to a new one."""
        vector = face.embedding.vector if face is not None and face.embedding is not None else None
        if face is not None and face.quality.score < self._limits.useless:
            vector = None
        if place is not None and self._refused(tracks[place], vector):
            place = None
        if place is None and vector is not None:
            place = self._again(tracks, vector)
        if place is None:
            if face is None:
                return  # not looked at yet: it is new, and its turn comes in one of the next frames
            self._count += 1
            tracks.append(Track(self._count, detection, seconds, seconds))
            place = len(tracks) - 1
        track = tracks[place].moved(detection, seconds)
        if face is not None:
            track = replace(
                track, face=face, detection=face.detection, fresh=True, looks=track.looks + 1, looked=seconds,
                mean=self._mean(track.mean, vector),
            )  # fmt: skip
        tracks[place] = track

    def _refused(self, track: Track, vector: Vector | None) -> bool:
        if vector is None or track.mean is None or len(vector) != len(track.mean):
            return False
        return float(track.mean @ vector) < self._limits.different

    def _again(self, tracks: Sequence[Track], vector: Vector) -> int | None:
        """Return the place of the lost track that is most like a face; None when none is alike."""
        best, found = self._limits.same, None
        for place, track in enumerate(tracks):
            if track.visible or track.mean is None or len(track.mean) != len(vector):
                continue
            likeness = float(track.mean @ vector)
            if likeness >= best:
                best, found = likeness, place
        return found

    def _mean(self, mean: Vector | None, vector: Vector | None) -> Vector | None:
        if vector is None or mean is None or len(mean) != len(vector):
            return mean if vector is None else vector
        mixed: NDArray[np.float32] = (self._limits.memory * mean + (1 - self._limits.memory) * vector).astype(
            np.float32
        )
        return mixed / np.float32(max(float(np.linalg.norm(mixed)), 1e-6))
