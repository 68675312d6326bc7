from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from facegui.faces.types import Box, Detection, Embedding, Face, Quality, QualityReason
from facegui.matching.decision import Rule
from facegui.matching.enrolment import Enrolled, WarningKind, check

RULE = Rule(threshold=0.4, unsure_low=0.3)
DIMENSION = 64


def person(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(DIMENSION)
    return vector / np.linalg.norm(vector)


def vector_of(seed: int, photo: int, spread: float = 0.8) -> np.ndarray:
    """A photo of a person: near the person's direction, with something of its own."""
    own = person(1000 + 100 * seed + photo)
    mixed = person(seed) + spread * own
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


def face(vector: np.ndarray, score: float = 1.0, reasons: tuple[QualityReason, ...] = ()) -> Face:
    quality = Quality(score, reasons, 60, 1, 0.5, 0.2, 0, 0, 0, 1)
    detection = Detection(Box(0, 0, 100, 100), np.zeros((5, 2), np.float32), 0.9)
    return Face(detection, np.zeros((112, 112, 3), np.uint8), quality, Embedding(vector, "model"))


def enrolled(*people: tuple[int, int]) -> Enrolled:
    """People as (seed, samples); the seed is the id too."""
    vectors = [vector_of(seed, photo) for seed, samples in people for photo in range(samples)]
    ids = [seed for seed, samples in people for _ in range(samples)]
    stacked = np.stack(vectors) if vectors else np.zeros((0, DIMENSION), np.float32)
    return Enrolled(stacked, np.array(ids, np.int64), {seed: f"Person {seed}" for seed, _ in people})


def kinds(faces: Sequence[Face], own: int | None, known: Enrolled, rule: Rule | None = RULE) -> list[list[WarningKind]]:
    checks = check(faces, own, known, rule, poor=0.4, near_duplicate=0.95)
    assert [item.face_index for item in checks] == list(range(len(faces)))
    return [[warning.kind for warning in item.warnings] for item in checks]


def test_good_photos_of_one_new_person_have_no_warning() -> None:
    assert kinds([face(vector_of(1, n)) for n in range(4)], None, enrolled((2, 3))) == [[], [], [], []]
    assert kinds([], None, enrolled()) == []


def test_a_likeness_to_somebody_enrolled_names_them_with_the_score() -> None:
    known = enrolled((1, 2), (2, 2))
    (only,) = check([face(vector_of(1, 7))], None, known, RULE, poor=0.4, near_duplicate=0.95)
    (warning,) = only.warnings
    assert (warning.kind, warning.person_id, warning.person_name) == (WarningKind.LOOKS_LIKE_ANOTHER, 1, "Person 1")
    assert warning.similarity == pytest.approx(max(known.vectors[:2] @ vector_of(1, 7)), abs=1e-6)
    assert "Person 1" in warning.text


def test_one_is_not_warned_of_ones_own_samples() -> None:
    assert kinds([face(vector_of(1, 7))], 1, enrolled((1, 2))) == [[]]


def test_only_the_later_one_of_two_equal_samples_repeats_the_other() -> None:
    same = face(vector_of(1, 0))
    assert kinds([same, face(vector_of(1, 1)), same], None, enrolled()) == [[], [], [WarningKind.NEAR_DUPLICATE]]
    assert kinds([same], 1, enrolled((1, 1))) == [[WarningKind.NEAR_DUPLICATE]]


def test_one_stranger_among_the_samples_stands_out() -> None:
    faces = [face(vector_of(1, n)) for n in range(3)] + [face(vector_of(2, 0))]
    assert kinds(faces, None, enrolled()) == [[], [], [], [WarningKind.UNLIKE_OWN]]


def test_photos_of_two_people_are_noticed_although_each_has_its_like() -> None:
    faces = [face(vector_of(seed, n)) for seed in (1, 2) for n in range(3)]
    assert kinds(faces, None, enrolled()) == [[WarningKind.UNLIKE_OWN]] * 6


def test_many_photos_of_a_stranger_are_unlike_the_person_enrolled() -> None:
    faces = [face(vector_of(2, n)) for n in range(4)]
    assert kinds(faces, 1, enrolled((1, 1))) == [[WarningKind.UNLIKE_OWN]] * 4


def test_poor_quality_says_why() -> None:
    poor = face(vector_of(1, 0), 0.2, (QualityReason.BLURRED, QualityReason.DARK))
    (only,) = check([poor], None, enrolled(), RULE, poor=0.4, near_duplicate=0.95)
    assert [warning.text for warning in only.warnings] == ["Poor quality: blurred, dark."]


def test_without_a_calibration_likeness_is_not_judged() -> None:
    faces = [face(vector_of(1, 0)), face(vector_of(2, 0))]
    assert kinds(faces, None, enrolled((1, 2)), None) == [[], []]


def test_a_face_without_an_embedding_is_a_mistake_of_the_caller() -> None:
    bare = Face(face(vector_of(1, 0)).detection, np.zeros((112, 112, 3), np.uint8), face(vector_of(1, 0)).quality)
    with pytest.raises(ValueError, match="embedding"):
        kinds([bare], None, enrolled())
