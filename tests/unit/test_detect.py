from __future__ import annotations

import cv2
import numpy as np
import pytest

from facegui.faces.detect import DetectorLimits, consensus, merge, overlap
from facegui.faces.types import Box, Detection, FacePolicy, Frame
from facegui.sources.files import read_photo
from tests.faces import GROUP_SIZE, astronaut, group, real_pipeline

LIMITS = DetectorLimits(0.6, 0.3)


@pytest.fixture(scope="module")
def pipeline():
    return real_pipeline()


def face(x: float, y: float, side: float, score: float) -> Detection:
    return Detection(Box(x, y, side, side), np.zeros((5, 2), np.float32), score)


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(0, 0, 10, 10)) == 1.0
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 10, 10)) == 0.0


def test_merging_keeps_the_most_confident_of_one_face() -> None:
    kept = merge([face(0, 0, 10, 0.7), face(1, 1, 10, 0.9), face(50, 50, 10, 0.65)], 0.3)
    assert [d.score for d in kept] == [0.9, 0.65]


def test_a_consensus_averages_boxes_and_points_of_one_face() -> None:
    views = [[face(0, 0, 10, 0.8)], [face(2, 0, 10, 0.8)], [face(1, 0, 10, 0.8), face(50, 50, 10, 0.9)]]
    found = consensus(views, iou=0.3, same=0.4, share=1.0)
    assert [round(d.score, 6) for d in found] == [0.8, 0.3]  # one look of three counts a third
    assert found[0].box.x == pytest.approx(1)
    assert consensus([[], []], 0.3, 0.4, 0.5) == []


def test_a_consensus_counts_the_best_looks_only() -> None:
    views = [[face(0, 0, 10, 0.9)], [face(0, 0, 10, 0.7)], []]
    assert consensus(views, 0.3, 0.4, 0.67)[0].score == pytest.approx(0.8)


def test_two_faces_side_by_side_stay_two_in_a_consensus() -> None:
    views = [[face(0, 0, 10, 0.9), face(8, 0, 10, 0.8)]] * 2
    assert [d.box.x for d in consensus(views, 0.3, 0.4, 1.0)] == [0, 8]


def test_a_detection_mirrored_twice_is_itself() -> None:
    points = np.array([[2, 3], [8, 3], [5, 5], [3, 8], [7, 8]], np.float32)
    one = Detection(Box(1, 2, 8, 9), points, 0.7)
    mirrored = one.mirrored(20)
    assert mirrored.box == Box(11, 2, 8, 9)
    assert mirrored.landmarks[0, 0] < mirrored.landmarks[1, 0]
    again = mirrored.mirrored(20)
    assert again.box == one.box
    assert np.array_equal(again.landmarks, one.landmarks)


def test_every_face_of_the_group_is_found_with_its_points_in_place(pipeline) -> None:
    photo = pipeline.analyse(read_photo(group()), embed=False)
    found = [face.detection for face in photo.faces]
    assert len(found) == GROUP_SIZE
    for detection in found:
        box, (right_eye, left_eye, nose, right_mouth, left_mouth) = detection.box, detection.landmarks
        assert right_eye[0] - 0.05 * box.width < nose[0] < left_eye[0] + 0.05 * box.width
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
        slack = 0.05 * box.width
        assert (detection.landmarks >= [box.x - slack, box.y - slack]).all()
        assert (detection.landmarks <= [box.right + slack, box.bottom + slack]).all()


@pytest.mark.parametrize("size", [256, 320, 513, 640])
def test_the_size_of_the_search_does_not_move_the_points(pipeline, size: int) -> None:
    image = read_photo(astronaut()).pixels
    reference = pipeline.detector.detect(image, 448, LIMITS)[0]
    found = pipeline.detector.detect(image, size, LIMITS)[0]
    eyes = np.hypot(*(reference.landmarks[1] - reference.landmarks[0]))
    assert np.abs(found.landmarks - reference.landmarks).max() < 0.2 * eyes


def test_a_batch_gives_what_single_pictures_give(pipeline) -> None:
    image = cv2.resize(read_photo(astronaut()).pixels, (320, 320), interpolation=cv2.INTER_AREA)
    batch = np.stack([image, np.zeros_like(image), image[:, ::-1]])
    together = pipeline.detector.detect_batch(batch, LIMITS)
    assert [len(found) for found in together] == [1, 0, 1]
    alone = pipeline.detector.detect_batch(batch[2:], LIMITS)[0][0]
    assert np.allclose(alone.landmarks, together[2][0].landmarks, atol=0.01)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_face_on_its_side_is_found_where_it_is(pipeline, quarter_turns: int) -> None:
    image = read_photo(astronaut()).pixels
    upright = pipeline.analyse(Frame(image, "upright"), FacePolicy.LARGEST, embed=False).faces[0].detection
    frame = Frame(np.ascontiguousarray(np.rot90(image, quarter_turns)), "turned")
    turned = pipeline.analyse(frame, FacePolicy.LARGEST, embed=False).faces[0].detection
    side = image.shape[0] - 1
    x, y = upright.landmarks.T
    expected = {1: (y, side - x), 2: (side - x, side - y), 3: (side - y, x)}[quarter_turns]
    assert np.abs(turned.landmarks - np.stack(expected, 1)).max() < 3


def test_a_face_that_fills_the_picture_is_found(pipeline) -> None:
    image = read_photo(astronaut()).pixels
    box = pipeline.find(image)[0].box
    x, y, w, h = (round(v) for v in (box.x, box.y, box.width, box.height))
    close_up = cv2.resize(image[y : y + h, x : x + w], (900, round(900 * h / w)), interpolation=cv2.INTER_CUBIC)
    found = pipeline.find(close_up, FacePolicy.LARGEST)
    assert len(found) == 1
    assert found[0].box.width > 600


@pytest.mark.parametrize("shape", [(1, 1), (4000, 1), (3, 500), (64, 64)])
def test_pictures_without_a_face_give_none(pipeline, shape: tuple[int, int]) -> None:
    assert pipeline.find(np.full((*shape, 3), 255, np.uint8)) == []
