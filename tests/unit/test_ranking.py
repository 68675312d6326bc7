"""The order of the faces, held against a plain sort of all cosines."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import MODEL, face, indexed, sample, unit

from facegui.gallery.records import FaceMatrix
from facegui.gallery.store import Gallery
from facegui.lookalikes.ranking import rank

COUNT, DIMENSION = 500, 64


def made(count: int = COUNT, photos: int = 180, seed: int = 3) -> FaceMatrix:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return FaceMatrix(MODEL, vectors, np.arange(1000, 1000 + count), rng.integers(0, photos, count))


@pytest.fixture(scope="module")
def matrix() -> FaceMatrix:
    return made()


@pytest.fixture(scope="module")
def query() -> np.ndarray:
    return unit(99, DIMENSION)


def brute(matrix: FaceMatrix, query: np.ndarray) -> list[tuple[float, int, int]]:
    """Similarity, face and photo of every face in double precision, best first."""
    scores = [float(np.dot(row.astype(np.float64), query.astype(np.float64))) for row in matrix.vectors]
    rows = zip(scores, matrix.face_ids.tolist(), matrix.photo_ids.tolist(), strict=True)
    return sorted(rows, key=lambda row: -row[0])


def test_the_order_is_that_of_all_cosines(matrix: FaceMatrix, query: np.ndarray) -> None:
    ranking = rank(matrix, query)
    expected = brute(matrix, query)
    assert ranking.face_ids.tolist() == [face_id for _, face_id, _ in expected]
    assert ranking.photo_ids.tolist() == [photo for _, _, photo in expected]
    assert np.allclose(ranking.similarities, [score for score, _, _ in expected], atol=1e-6)
    assert (len(ranking), ranking.searched) == (COUNT, COUNT)


def test_one_face_of_each_photo_is_the_most_similar_one(matrix: FaceMatrix, query: np.ndarray) -> None:
    best: dict[int, tuple[float, int]] = {}
    for score, face_id, photo in brute(matrix, query):
        best.setdefault(photo, (score, face_id))
    ranking = rank(matrix, query, one_per_photo=True)
    assert ranking.face_ids.tolist() == [face_id for _, face_id in sorted(best.values(), key=lambda one: -one[0])]
    assert len(set(ranking.photo_ids.tolist())) == len(ranking)
    assert ranking.searched == COUNT


def test_the_first_few_are_those_of_the_whole_order(matrix: FaceMatrix, query: np.ndarray) -> None:
    whole = rank(matrix, query, one_per_photo=True)
    few = rank(matrix, query, one_per_photo=True, top=7)
    assert few.face_ids.tolist() == whole.face_ids[:7].tolist()
    assert len(rank(matrix, query, top=10 * COUNT)) == COUNT


def test_faces_can_be_left_out(matrix: FaceMatrix, query: np.ndarray) -> None:
    first, second = rank(matrix, query, top=2).face_ids.tolist()
    assert rank(matrix, query, top=1, without=[first]).face_ids.tolist() == [second]


def test_counting_above_a_similarity_agrees_with_looking_at_each(matrix: FaceMatrix, query: np.ndarray) -> None:
    ranking = rank(matrix, query)
    for limit in (-1.0, -0.2, 0.0, 0.1, float(ranking.similarities[10]), 0.9, 1.0):
        assert ranking.above(limit) == int((ranking.similarities >= np.float32(limit)).sum())


def test_equal_faces_keep_the_order_in_which_they_were_added(query: np.ndarray) -> None:
    matrix = FaceMatrix(MODEL, np.repeat(query[None], 5, 0), np.array([4, 2, 9, 1, 7]), np.arange(5))
    ranking = rank(matrix, query)
    assert ranking.face_ids.tolist() == [4, 2, 9, 1, 7]
    assert ranking.similarities.max() <= 1.0


def test_nothing_indexed_gives_an_empty_order(query: np.ndarray) -> None:
    ranking = rank(FaceMatrix(MODEL, np.empty((0, 0), np.float32), np.empty(0, np.int64), np.empty(0, np.int64)), query)
    assert (len(ranking), ranking.above(0.0), ranking.searched) == (0, 0, 0)


def test_a_hundred_thousand_faces_are_ordered_at_once() -> None:
    matrix, query = made(100_000, 60_000), unit(5, DIMENSION)
    start = time.perf_counter()
    rank(matrix, query, one_per_photo=True)
    assert time.perf_counter() - start < 2, "measured 0.05 s on an idle machine"


def test_hits_carry_paths_boxes_and_people(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "gallery.sqlite") as gallery:
        gallery.add_photos([indexed(f"/photos/{n}.jpg", face(n), face(n + 50)) for n in range(1, 5)])
        person, _ = gallery.enroll("Ada", [replace(sample(2, "/photos/2.jpg"), content_hash=None)])
        matrix = gallery.face_matrix(MODEL)
        ranking = rank(matrix, unit(2))
        hits = ranking.hits(gallery, 0, 3)
        assert [hit.rank for hit in hits] == [0, 1, 2]
        assert (hits[0].path, hits[0].person_id) == ("/photos/2.jpg", person)
        assert hits[0].similarity == pytest.approx(1.0, abs=1e-5)
        assert hits[0].box.width == 80
        gallery.forget_photos([hits[1].photo_id])
        assert hits[1].face_id not in {hit.face_id for hit in ranking.hits(gallery)}
        assert len(ranking.hits(gallery, 5, 500)) <= len(ranking) - 5
