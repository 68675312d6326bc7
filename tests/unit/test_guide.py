from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from facegui.faces.catalog import Catalog
from facegui.faces.guide import Guide, GuideHint, GuideLimits, GuidePose
from facegui.faces.types import Box, Detection, Embedding, Face, Frame, Quality
from facegui.services import Services
from facegui.services.live_enrol import Collector

PIXELS = np.zeros((4, 4, 3), np.uint8)
VECTOR = np.array([1, 0], np.float32)


def face(yaw: float, pitch: float = 0.0, score: float = 0.9, vector: np.ndarray = VECTOR) -> Face:
    quality = Quality(score, (), 60.0, 1.0, 0.5, 0.2, yaw, pitch, 0.0, 1.0)
    detection = Detection(Box(0, 0, 100, 120), np.zeros((5, 2), np.float32), 0.9)
    return Face(detection, PIXELS, quality, embedding=Embedding(vector, "m"))


def frame(seconds: float) -> Frame:
    return Frame(PIXELS, "film", time=seconds)


@pytest.fixture
def guide() -> Guide:
    """A guide that has its frontal picture, of a camera from above: the head is always 10 degrees down."""
    made = Guide(GuideLimits.from_table(Catalog().tables["guide"]))
    assert made.add(face(0, 2), frame(0)).hint is GuideHint.HOLD
    assert made.add(face(0, 2), frame(1)).fresh is GuidePose.FRONTAL
    return made


@pytest.mark.parametrize(("yaw", "pitch"), [(60, 2), (-60, 2), (0, 45), (0, -45)])
def test_a_head_turned_too_far_is_told_and_not_taken(guide: Guide, yaw: float, pitch: float) -> None:
    for seconds in (2, 3):
        view = guide.add(face(yaw, pitch, score=0.1), frame(seconds))
        assert view.hint is GuideHint.TOO_FAR
    assert len(view.taken) == 1


@pytest.mark.parametrize(
    ("yaw", "pitch", "pose"),
    [(25, 2, GuidePose.LEFT), (-25, 2, GuidePose.RIGHT), (0, 17, GuidePose.UP), (3, -15, GuidePose.DOWN)],
)
def test_a_pose_is_taken_when_it_was_held_at_its_best_picture(
    guide: Guide, yaw: float, pitch: float, pose: GuidePose
) -> None:
    assert guide.add(face(yaw, pitch, 0.7), frame(2)).hint is GuideHint.HOLD
    best = face(yaw, pitch, 0.95)
    assert guide.add(best, frame(2.1)).hint is GuideHint.HOLD
    view = guide.add(face(yaw, pitch, 0.8), frame(2.5))
    assert view.fresh is pose
    assert next(taken.face for taken in view.taken if taken.pose is pose) is best


def test_somebody_else_is_refused_and_so_is_a_poor_picture(guide: Guide) -> None:
    assert guide.add(face(20, vector=np.array([0, 1], np.float32)), frame(2)).hint is GuideHint.ANOTHER
    assert guide.add(face(20, score=0.2), frame(3)).hint is GuideHint.POOR
    assert guide.add(None, frame(4)).hint is GuideHint.NO_FACE


def test_somebody_far_behind_is_not_in_the_way() -> None:
    def view(*widths: float) -> SimpleNamespace:
        shown = [
            SimpleNamespace(track=SimpleNamespace(detection=Detection(Box(0, 0, w, w), PIXELS, 0.9))) for w in widths
        ]
        return SimpleNamespace(faces=tuple(shown))

    with Services() as services:
        collector = Collector(services)
    assert not collector.in_the_way(view())  # type: ignore[arg-type]
    assert not collector.in_the_way(view(200))  # type: ignore[arg-type]
    assert not collector.in_the_way(view(200, 60, 40))  # type: ignore[arg-type]
    assert collector.in_the_way(view(200, 150))  # type: ignore[arg-type]
