from __future__ import annotations

from dataclasses import replace
from math import cos, radians, sin
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.dense import DenseFinder, DenseLimits
from facegui.faces.dense_quality import with_dense
from facegui.faces.dense_shape import MeanHead, eye_openness, five_points, mouth_openness
from facegui.faces.types import Box, Detection, FacePolicy, Frame, QualityReason
from facegui.sources.files import read_photo
from tests.faces import FakeNetwork, astronaut, group, real_pipeline

HEAD = MeanHead.load(paths.models_dir() / "mean_head.csv")


@pytest.fixture(scope="module")
def pipeline():
    return real_pipeline()


@pytest.fixture(scope="module")
def portrait(pipeline):
    return pipeline.analyse(read_photo(astronaut()), FacePolicy.LARGEST, embed=False)


def look(pipeline, pixels: np.ndarray):
    frame = Frame(np.ascontiguousarray(pixels), "picture")
    return pipeline.analyse(frame, FacePolicy.LARGEST, embed=False).faces[0].dense


def turned_head(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The mean head turned to its own left, then up, then tilted clockwise; z points away from the camera."""
    y, p, r = radians(yaw), radians(pitch), radians(roll)
    left = np.array([[cos(y), 0, -sin(y)], [0, 1, 0], [sin(y), 0, cos(y)]])
    up = np.array([[1, 0, 0], [0, cos(p), sin(p)], [0, -sin(p), cos(p)]])
    clockwise = np.array([[cos(r), -sin(r), 0], [sin(r), cos(r), 0], [0, 0, 1]])
    return (HEAD.shape @ (clockwise @ left @ up).T * 2.5 + [200, 150, 0]).astype(np.float32)


def test_the_points_of_every_face_lie_where_the_detector_sees_eyes_nose_and_mouth(pipeline) -> None:
    photo = pipeline.analyse(read_photo(group()), embed=False)
    for face in photo.faces:
        assert face.dense.points.shape == (468, 3)
        assert face.dense.presence > 0.9
        assert face.dense.disagreement < 0.03
        apart = np.linalg.norm(face.dense.five - face.detection.landmarks, axis=1).mean()
        assert apart < 0.1 * np.linalg.norm(face.dense.points[10] - face.dense.points[152])


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (30, 0, 0), (-30, 0, 20), (0, 25, 0), (0, -25, -40)])
def test_the_pose_of_a_turned_head_has_the_stated_signs(yaw: float, pitch: float, roll: float) -> None:
    assert HEAD.pose(turned_head(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=0.1)


def test_the_side_that_the_nose_points_to_is_told_by_the_yaw(pipeline) -> None:
    faces = pipeline.analyse(read_photo(group()), embed=False).faces
    sideways = [face for face in faces if abs(face.dense.yaw) > 15]
    assert sideways
    for face in sideways:
        nose = face.dense.points[1, 0] - face.dense.points[[33, 263], 0].mean()
        assert np.sign(nose) == np.sign(face.dense.yaw) == np.sign(face.quality.yaw)


def test_a_mirror_image_mirrors_points_and_pose(pipeline, portrait) -> None:
    dense = portrait.faces[0].dense
    mirrored = look(pipeline, portrait.frame.pixels[:, ::-1])
    assert mirrored.yaw == pytest.approx(-dense.yaw, abs=2)
    assert mirrored.roll == pytest.approx(-dense.roll, abs=2)
    assert mirrored.pitch == pytest.approx(dense.pitch, abs=2)
    back = mirrored.points[HEAD.mirror].copy()
    back[:, 0] = portrait.frame.width - 1 - back[:, 0]
    assert np.abs(back[:, :2] - dense.points[:, :2]).mean() < 0.02 * np.ptp(dense.points[:, 1])


def test_turning_the_picture_turns_the_points_with_it(pipeline, portrait) -> None:
    dense = portrait.faces[0].dense
    center = portrait.faces[0].detection.box.center
    matrix = cv2.getRotationMatrix2D(center, -25, 1.0)  # clockwise
    turned = look(pipeline, cv2.warpAffine(portrait.frame.pixels, matrix, (512, 512)))
    assert turned.roll - dense.roll == pytest.approx(25, abs=4)
    assert turned.yaw == pytest.approx(dense.yaw, abs=4)
    expected = dense.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(turned.points[:, :2] - expected).mean() < 0.02 * np.ptp(dense.points[:, 1])


def test_a_larger_picture_gives_the_same_points_enlarged(pipeline, portrait) -> None:
    dense = portrait.faces[0].dense
    large = look(pipeline, cv2.resize(portrait.frame.pixels, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))
    assert np.abs(large.points / 4 - dense.points).mean() < 0.02 * np.ptp(dense.points[:, 1])


def test_where_there_is_no_face_the_presence_is_low(pipeline) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    template = np.array([[80, 90], [120, 90], [100, 113], [84, 136], [117, 136]], np.float32)
    (found,) = pipeline._dense.find(noise, [Detection(Box(60, 60, 80, 100), template, 0.9)])
    assert found.presence < 0.1


def test_lids_and_lips_that_meet_are_shut() -> None:
    points = HEAD.shape.astype(np.float32)
    right, left = eye_openness(points)
    assert right == pytest.approx(left, abs=0.02)
    assert right > 0.15
    shut = points.copy()
    shut[[160, 158]] = shut[[144, 153]]
    shut[13] = shut[14]
    closed, still_open = eye_openness(shut)
    assert closed == 0
    assert still_open == left
    assert mouth_openness(shut) == 0 < mouth_openness(points)


def test_five_points_come_in_the_order_of_the_chain() -> None:
    right_eye, left_eye, nose, right_mouth, left_mouth = five_points(HEAD.shape.astype(np.float32))
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert right_eye[1] < nose[1] < right_mouth[1]


def test_a_look_without_the_mirror_image_is_one_look(portrait) -> None:
    def answer(squares: np.ndarray) -> list[np.ndarray]:
        points = np.broadcast_to(HEAD.shape.astype(np.float32) + 96, (len(squares), 468, 3))
        return [points, np.ones(len(squares), np.float32)]

    network = FakeNetwork(answer)
    finder = DenseFinder(network, DenseLimits(192, 3.8, 0.3, np.zeros((5, 2), np.float32)), HEAD)
    (found,) = finder.find(portrait.frame.pixels, [portrait.faces[0].detection], mirror=False)
    assert found.disagreement is None
    assert sum(shape[0] for shape in network.calls) == 1
    assert finder.find(portrait.frame.pixels, []) == []


@pytest.mark.parametrize("content", ["", "x,y,z,mirror,deviation\n1,2,3,0,1\n", "rubbish\nmore,rubbish"])
def test_a_damaged_mean_head_is_a_known_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mean_head.csv"
    file.write_text(content)
    with pytest.raises(KnownError, match=r"mean_head\.csv cannot be used"):
        MeanHead.load(file)


def covered(pixels: np.ndarray, points: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    """Paint over what lies between some of the 468 points."""
    hidden = pixels.copy()
    cv2.fillConvexPoly(hidden, cv2.convexHull(points[list(numbers), :2].round().astype(np.int32)), (70, 110, 160))
    return hidden


def test_a_hidden_mouth_is_named_and_a_free_face_has_no_fault(pipeline, portrait) -> None:
    face = portrait.faces[0]
    assert face.quality.reasons == ()
    mask = covered(portrait.frame.pixels, face.dense.points, (6, 117, 346, 132, 361, 172, 397, 152, 148, 377))
    hidden = pipeline.analyse(Frame(mask, "mask"), FacePolicy.LARGEST, embed=False).faces[0]
    assert QualityReason.COVERED in hidden.quality.reasons
    assert hidden.quality.score < face.quality.score


def test_the_pose_of_the_quality_is_that_of_the_network_where_it_sees_a_face(pipeline, portrait) -> None:
    face = portrait.faces[0]
    assert face.points is face.dense
    assert (face.quality.yaw, face.quality.pitch, face.quality.roll) == (
        face.dense.yaw,
        face.dense.pitch,
        face.dense.roll,
    )
    plain = replace(face, quality=replace(face.quality, yaw=3.0, pitch=2.0, roll=1.0))
    assert plain.points is None
    unseen = with_dense(plain.quality, replace(face.dense, presence=0.2), face.detection, pipeline._dense_quality)
    assert unseen == replace(plain.quality, reasons=(QualityReason.COVERED,))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"right_eye": 0.1, "left_eye": 0.12}, QualityReason.EYES_CLOSED),
        ({"mouth": 0.7}, QualityReason.MOUTH_OPEN),
        ({"yaw": -32.0}, QualityReason.TURNED),
        ({"presence": 0.99}, QualityReason.COVERED),
    ],
)
def test_what_the_network_sees_becomes_a_reason(pipeline, portrait, change, reason: QualityReason) -> None:
    face = portrait.faces[0]
    told = with_dense(face.quality, replace(face.dense, **change), face.detection, pipeline._dense_quality)
    assert told.reasons == (reason,)
    assert told.score == face.quality.score


def test_a_blink_is_seen_in_a_video_and_the_open_eyes_around_it(pipeline, shared_data: Path) -> None:
    video = cv2.VideoCapture(str(shared_data / "video" / "d0.mp4"))
    closed = []
    for _ in range(78):
        read, bgr = video.read()
        assert read
        frame = Frame(np.ascontiguousarray(bgr[..., ::-1]), "d0")
        face = pipeline.analyse(frame, FacePolicy.LARGEST, embed=False).faces[0]
        closed.append(QualityReason.EYES_CLOSED in face.quality.reasons)
    video.release()
    assert 1 <= sum(closed) <= 4


def test_profiles_are_told_from_faces_that_look_at_the_camera(pipeline, shared_data: Path) -> None:
    people = sorted((shared_data / "cfp-dev" / "images").iterdir())[::12]
    yaws: dict[str, list[float]] = {"frontal": [], "profile": []}
    for person in people:
        for kind, found in yaws.items():
            for name in ("01.jpg", "03.jpg"):
                frame = read_photo(person / kind / name)
                photo = pipeline.analyse(frame, FacePolicy.LARGEST, embed=False)
                found += [abs(face.dense.yaw) for face in photo.faces]
    assert max(yaws["frontal"]) < 17 < 25 < min(yaws["profile"])


def test_people_who_look_at_the_camera_neither_nod_nor_look_up_on_average(pipeline, shared_data: Path) -> None:
    people = sorted((shared_data / "cfp-dev" / "images").iterdir())[::8]
    pitches = []
    for person in people:
        photo = pipeline.analyse(read_photo(person / "frontal" / "02.jpg"), FacePolicy.LARGEST, embed=False)
        pitches += [face.dense.pitch for face in photo.faces]
    assert abs(np.median(pitches)) < 5
