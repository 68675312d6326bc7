from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.faces.align import ARCFACE_TEMPLATE
from facegui.faces.detect import overlap
from facegui.faces.embed import Embedder, cosine
from facegui.faces.landmarks import look_again
from facegui.faces.precision import LEVELS
from facegui.faces.types import Box, Detection, Embedding, FacePolicy, Frame, QualityReason
from facegui.sources.files import read_photo
from tests.faces import GROUP_SIZE, FakeNetwork, astronaut, group, hopper, real_pipeline, unit


@pytest.fixture(scope="module")
def pipeline():
    return real_pipeline("arcface+sface")


@pytest.fixture(scope="module")
def portrait(pipeline):
    return pipeline.analyse(read_photo(astronaut()), FacePolicy.LARGEST)


def test_the_same_person_is_nearer_than_another(pipeline, portrait) -> None:
    pixels = portrait.frame.pixels
    changed = cv2.convertScaleAbs(pixels[::-1][::-1][:, ::-1], alpha=0.8, beta=10)
    small = cv2.resize(changed, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    same = pipeline.analyse(Frame(np.ascontiguousarray(small), "mirror"), FacePolicy.LARGEST)
    other = pipeline.analyse(read_photo(hopper()), FacePolicy.LARGEST)
    genuine = cosine(portrait.faces[0].embedding, same.faces[0].embedding)
    impostor = cosine(portrait.faces[0].embedding, other.faces[0].embedding)
    assert genuine > 0.8
    assert impostor < 0.25


def test_people_of_a_group_are_told_apart(pipeline) -> None:
    photo = pipeline.analyse(read_photo(group()))
    assert len(photo.faces) == GROUP_SIZE
    vectors = np.stack([face.embedding.vector for face in photo.faces])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    similarity = vectors @ vectors.T
    others = similarity[~np.eye(GROUP_SIZE, dtype=bool)]
    assert others.max() < 0.45  # two men, both turned away, come to 0.40
    assert np.median(others) < 0.2


def test_faces_come_largest_first_and_the_policy_chooses(pipeline) -> None:
    frame = read_photo(group())
    everyone = pipeline.analyse(frame, FacePolicy.ALL, embed=False)
    areas = [face.detection.box.area for face in everyone.faces]
    assert areas == sorted(areas, reverse=True)
    largest = pipeline.analyse(frame, FacePolicy.LARGEST, embed=False)
    assert len(largest.faces) == 1
    assert np.allclose(largest.faces[0].detection.landmarks, everyone.faces[0].detection.landmarks, atol=4)
    central = pipeline.analyse(frame, FacePolicy.CENTRAL, embed=False).faces[0].detection.box.center
    middle = np.array([frame.width / 2, frame.height / 2])
    distances = [np.hypot(*(middle - face.detection.box.center)) for face in everyone.faces]
    assert np.hypot(*(middle - central)) < min(distances) + 4
    with pytest.raises(KnownError, match="6 faces"):
        pipeline.analyse(frame, FacePolicy.REFUSE)


def test_refusing_several_faces_accepts_one(pipeline, portrait) -> None:
    assert len(pipeline.analyse(portrait.frame, FacePolicy.REFUSE, embed=False).faces) == 1


def test_the_times_of_the_steps_are_told(portrait) -> None:
    timings = portrait.timings
    assert min(timings.detect, timings.align, timings.embed) > 0
    assert timings.total == timings.decode + timings.detect + timings.align + timings.embed


def test_a_photo_without_a_face_is_an_empty_answer_not_an_error(pipeline) -> None:
    photo = pipeline.analyse(Frame(np.full((200, 300, 3), 127, np.uint8), "grey"))
    assert photo.faces == ()


def test_a_good_portrait_has_good_quality(portrait) -> None:
    quality = portrait.faces[0].quality
    assert quality.score > 0.9
    assert quality.reasons == ()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda p: cv2.GaussianBlur(p, (0, 0), 6), QualityReason.BLURRED),
        (lambda p: (p * 0.12).astype(np.uint8), QualityReason.DARK),
        (lambda p: cv2.convertScaleAbs(p, alpha=2.2, beta=60), QualityReason.OVEREXPOSED),
        (lambda p: cv2.resize(p, (110, 110), interpolation=cv2.INTER_AREA), QualityReason.TOO_SMALL),
        (lambda p: np.ascontiguousarray(p[:, 218:]), QualityReason.PARTLY_OUTSIDE),
    ],
)
def test_what_is_wrong_with_a_face_is_named(pipeline, portrait, spoil, reason: QualityReason) -> None:
    photo = pipeline.analyse(Frame(spoil(portrait.frame.pixels), "spoilt"), FacePolicy.LARGEST, embed=False)
    assert photo.faces, "the face must still be found for this test to mean anything"
    quality = photo.faces[0].quality
    assert reason in quality.reasons
    assert quality.score < portrait.faces[0].quality.score


def test_eye_distance_is_told_in_pixels_of_the_original(pipeline, portrait) -> None:
    half = cv2.resize(portrait.frame.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    frame = Frame(half, "reduced", scale=0.5, original_size=(512, 512))
    reduced = pipeline.analyse(frame, FacePolicy.LARGEST, embed=False).faces[0].quality.eye_distance
    assert reduced == pytest.approx(portrait.faces[0].quality.eye_distance, rel=0.06)


def test_embeddings_of_different_models_are_never_compared() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="different models"):
        cosine(Embedding(unit(rng), "a"), Embedding(unit(rng), "b"))


def test_crops_are_embedded_in_batches_and_keep_their_order() -> None:
    network = FakeNetwork(lambda batch: [batch[:, :2, 0, 0].astype(np.float32)])
    crops = [np.full((112, 112, 3), value, np.uint8) for value in range(70)]
    embeddings = Embedder(network, "fake").embed(crops)
    assert [int(e.vector[0]) for e in embeddings] == list(range(70))
    assert {e.model_id for e in embeddings} == {"fake"}
    assert sum(shape[0] for shape in network.calls) == 70
    assert max(shape[0] for shape in network.calls) < 70
    assert Embedder(network, "fake").embed([]) == []


def second_look(pipeline, image: np.ndarray, faces: list[Detection], *, mirror: bool = True) -> list[Detection]:
    looks = look_again(image, faces, pipeline._dense, pipeline._second_look, mirror=mirror)
    return [seen.detection for seen in looks]


def test_the_second_look_keeps_the_first_points_where_it_fails(pipeline) -> None:
    nowhere = Detection(Box(5, 5, 30, 30), ARCFACE_TEMPLATE / 4 + 5, 0.9)
    blank = np.zeros((400, 400, 3), np.uint8)
    (seen,) = second_look(pipeline, blank, [nowhere])
    assert np.array_equal(seen.landmarks, nowhere.landmarks)
    assert second_look(pipeline, blank, []) == []


@pytest.mark.parametrize("mirror", [True, False])
def test_the_second_look_improves_points_that_are_off(pipeline, portrait, mirror: bool) -> None:
    good = portrait.faces[0].detection
    off = replace(good, landmarks=good.landmarks + np.float32(7))
    (seen,) = second_look(pipeline, portrait.frame.pixels, [off], mirror=mirror)
    assert np.abs(seen.landmarks - good.landmarks).max() < 4
    assert np.abs(seen.landmarks - good.landmarks).mean() < 1.5


def test_the_second_look_marks_what_the_detector_marks(pipeline) -> None:
    image = read_photo(group()).pixels
    first = pipeline.find(image)
    for before, after in zip(first, second_look(pipeline, image, first), strict=True):
        assert np.abs(after.landmarks - before.landmarks).mean() < 0.08 * before.box.width


def test_every_face_of_the_chain_has_its_dense_points(portrait) -> None:
    dense = portrait.faces[0].dense
    assert dense is not None
    assert dense.presence > 0.999


@pytest.mark.parametrize("precision", LEVELS)
def test_at_every_precision_the_same_person_matches_and_another_does_not(precision: str, portrait) -> None:
    chain = real_pipeline("arcface+sface", precision=precision)
    small = cv2.resize(portrait.frame.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    same = chain.analyse(Frame(small, "small"), FacePolicy.LARGEST).faces[0]
    other = chain.analyse(read_photo(hopper()), FacePolicy.LARGEST).faces[0]
    assert cosine(portrait.faces[0].embedding, same.embedding) > 0.9
    assert cosine(portrait.faces[0].embedding, other.embedding) < 0.25
    assert np.linalg.norm(same.embedding.vector) == pytest.approx(1, abs=1e-5)


def test_at_the_best_precision_a_face_and_its_mirror_image_are_embedded_alike() -> None:
    chain = real_pipeline(precision="best")
    crop = chain.analyse(read_photo(astronaut()), FacePolicy.LARGEST, embed=False).faces[0].crop
    one, other = chain.embedder.embed([crop, np.ascontiguousarray(crop[:, ::-1])])
    assert cosine(one, other) == pytest.approx(1, abs=1e-5)


def test_at_the_best_precision_everybody_of_a_group_is_found(pipeline) -> None:
    frame = read_photo(group())
    best = real_pipeline(precision="best").analyse(frame, embed=False).faces
    usual = pipeline.analyse(frame, embed=False).faces
    assert len(best) == GROUP_SIZE
    for face in best:
        nearest = max(usual, key=lambda other: overlap(face.detection.box, other.detection.box))
        assert overlap(face.detection.box, nearest.detection.box) > 0.7
