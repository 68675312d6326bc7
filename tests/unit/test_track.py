"""Faces keep their identity over frames: by their place, by their embedding, and across a moment out of sight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from facegui.faces.track import Tracker, TrackLimits
from facegui.faces.types import Box, Detection, Embedding, Face, Quality

LIMITS = TrackLimits(0.2, 0.45, 0.15, 2.0, 8, 0.8, 0.2)
AXES = np.eye(8, dtype=np.float32)


class Scene:
    """Faces whose embedding follows from their number, which stands in the score."""

    def __init__(self, quality: float = 1.0) -> None:
        self.looked: list[int] = []
        self.quality = quality

    def look(self, detections: Sequence[Detection]) -> list[Face]:
        self.looked.append(len(detections))
        measures = Quality(self.quality, (), 40, 0.5, 0.5, 0.3, 0, 0, 0, 1)
        crop = np.zeros((112, 112, 3), np.uint8)
        return [Face(d, crop, measures, Embedding(AXES[round(d.score * 10)], "model")) for d in detections]


def face(person: int, x: float, y: float = 100, side: float = 100) -> Detection:
    return Detection(Box(x, y, side, side), np.zeros((5, 2), np.float32), person / 10)


def ids(tracker: Tracker, scene: Scene, seconds: float, *faces: Detection) -> list[int]:
    """The ids of the faces, in their order."""
    tracks = tracker.update(faces, seconds, scene.look)
    found = {round(t.detection.score * 10): t.id for t in tracks}
    return [found.get(round(f.score * 10), 0) for f in faces]


def test_faces_that_move_keep_their_ids() -> None:
    tracker, scene = Tracker(LIMITS), Scene()
    seen = [ids(tracker, scene, n / 10, face(1, 100 + 30 * n), face(2, 700 - 30 * n)) for n in range(8)]
    assert seen == [[1, 2]] * 8


def test_two_people_who_change_places_at_once_keep_their_ids() -> None:
    tracker, scene = Tracker(LIMITS), Scene()
    before = ids(tracker, scene, 0.0, face(1, 100), face(2, 400))
    after = ids(tracker, scene, 0.1, face(2, 100), face(1, 400))
    assert after == before[::-1]


def test_a_stranger_in_the_same_place_is_somebody_new() -> None:
    tracker, scene = Tracker(LIMITS), Scene()
    assert ids(tracker, scene, 0.0, face(1, 100)) == [1]
    assert ids(tracker, scene, 0.1, face(3, 100)) == [2]


@pytest.mark.parametrize(("away", "expected"), [(1.0, 1), (3.0, 2)])
def test_a_face_is_known_again_after_a_moment_out_of_sight_but_not_later(away: float, expected: int) -> None:
    tracker, scene = Tracker(LIMITS), Scene()
    ids(tracker, scene, 0.0, face(1, 100))
    ids(tracker, scene, away / 2)
    ids(tracker, scene, away - 0.1)
    assert ids(tracker, scene, away, face(1, 600)) == [expected]


def test_a_track_that_ended_is_told_once() -> None:
    tracker, scene = Tracker(LIMITS), Scene()
    ids(tracker, scene, 0.0, face(1, 100))
    ids(tracker, scene, 3.0)
    assert [track.id for track in tracker.ended] == [1]
    ids(tracker, scene, 3.1)
    assert not tracker.ended


def test_a_useless_picture_neither_confirms_nor_refuses() -> None:
    tracker, scene = Tracker(LIMITS), Scene()
    ids(tracker, scene, 0.0, face(1, 100))
    scene.quality = 0.1
    assert ids(tracker, scene, 0.1, face(4, 105)) == [1]


def test_no_frame_costs_more_looks_than_allowed_and_every_face_gets_its_turn() -> None:
    limits = TrackLimits(0.2, 0.45, 0.15, 2.0, 2, 0.8, 0.2)
    tracker, scene = Tracker(limits), Scene()
    faces = [face(n, 200 * n) for n in range(1, 6)]
    for number in range(12):
        tracks = tracker.update(faces, number / 10, scene.look)
    assert max(scene.looked) == 2
    assert len(tracks) == 5
    assert min(track.looks for track in tracks) >= 3
    assert sum(track.fresh for track in tracks) == 2
