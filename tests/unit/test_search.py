"""Exact search: the best rows, stable ties, people scored from several samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import MODEL, sample, unit

from facegui.gallery.records import TemplateMatrix
from facegui.gallery.search import best_per_person, best_rows, similarities, top
from facegui.gallery.store import Gallery


def vectors(count: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("k", [1, 2, 7, 99, 100, 500])
def test_top_is_what_sorting_everything_gives(k: int) -> None:
    rows = vectors(100)
    query = unit(3, 16)
    found, scores = top(rows, query, k)
    expected = np.argsort(-(rows @ query), kind="stable")[:k]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(scores, (rows @ query)[expected])
    assert found.dtype == np.int64
    assert scores.dtype == np.float32


@pytest.mark.parametrize("k", [1, 3, 4, 6, 9, 10])
def test_equal_scores_keep_the_order_of_the_rows(k: int) -> None:
    scores = np.array([0.5, 0.9, 0.5, 0.5, 0.9, 0.1, 0.5, 0.9, 0.5, 0.1], np.float32)
    expected = [1, 4, 7, 0, 2, 3, 6, 8, 5, 9][:k]
    assert best_rows(scores, k).tolist() == expected


def test_nothing_is_found_in_nothing() -> None:
    found, scores = top(np.zeros((0, 0), np.float32), unit(1), 5)
    assert found.size == scores.size == 0


def test_vectors_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        similarities(vectors(3, 16), unit(1, 8))
    with pytest.raises(ValueError, match="at least 1"):
        top(vectors(3, 16), unit(1, 16), 0)


def templates(tmp_path: Path, people: dict[str, Sequence[tuple[np.ndarray, float]]]) -> TemplateMatrix:
    with Gallery.open(tmp_path / "gallery.sqlite") as gallery:
        number = 0
        for name, samples in people.items():
            for vector, quality in samples:
                number += 1
                gallery.enroll(name, [sample(number, vector=vector, quality=quality)])
        return gallery.template_matrix(MODEL)


def test_the_mean_weighs_samples_by_quality_and_max_takes_the_nearest(tmp_path: Path) -> None:
    a, b = np.eye(4, dtype=np.float32)[:2]
    matrix = templates(tmp_path, {"Anna": [(a, 0.9), (b, 0.3)], "Béla": [(-a, 0.5)]})
    mean = best_per_person(matrix, a, "mean")
    expected = 0.9 / np.hypot(0.9, 0.3)
    np.testing.assert_allclose(mean.scores, [expected, -1.0], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(matrix.means, axis=1), 1.0, rtol=1e-6)
    nearest = best_per_person(matrix, a, "max")
    np.testing.assert_allclose(nearest.scores, [1.0, -1.0], rtol=1e-6)
    assert [matrix.names[person] for person in nearest.person_ids.tolist()] == ["Anna", "Béla"]
    assert nearest.face_ids[0] == mean.face_ids[0] == matrix.face_ids[0]
    assert nearest.margin(int(nearest.person_ids[0])) == pytest.approx(2.0)
    assert nearest.margin(int(nearest.person_ids[1])) == pytest.approx(-2.0)
    assert nearest.margin(999) is None


def test_samples_without_quality_or_that_cancel_out_still_have_a_template(tmp_path: Path) -> None:
    a, b = np.eye(4, dtype=np.float32)[:2]
    matrix = templates(tmp_path, {"Anna": [(a, 0.0), (b, 0.0)], "Béla": [(a, 0.5), (-a, 0.5)]})
    scores = best_per_person(matrix, a, "mean")
    np.testing.assert_allclose(scores.scores, [1.0, np.sqrt(0.5)], rtol=1e-6)
    assert scores.person_ids.tolist() == [2, 1]


def test_the_only_person_has_no_margin(tmp_path: Path) -> None:
    matrix = templates(tmp_path, {"Anna": [(unit(1), 0.5)]})
    scores = best_per_person(matrix, unit(1))
    assert scores.margin(1) is None


def test_many_people_are_scored_as_one_by_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    people = {
        f"Person {i}": [(unit(100 * i + j), float(rng.uniform(0.1, 1))) for j in range(int(rng.integers(1, 5)))]
        for i in range(20)
    }
    matrix = templates(tmp_path, people)
    query = unit(12345)
    for combine in ("mean", "max"):
        scores = best_per_person(matrix, query, combine)  # type: ignore[arg-type]
        assert np.all(np.diff(scores.scores) <= 0)
        for person, score, face_id in zip(scores.person_ids, scores.scores, scores.face_ids, strict=True):
            samples = people[matrix.names[int(person)]]
            each = np.array([vector @ query for vector, _ in samples])
            mean = np.sum([vector * quality for vector, quality in samples], axis=0)
            expected = each.max() if combine == "max" else mean @ query / np.linalg.norm(mean)
            assert score == pytest.approx(expected, abs=1e-6)
            row = int(np.flatnonzero(matrix.face_ids == face_id)[0])
            assert matrix.vectors[row] @ query == pytest.approx(each.max(), abs=1e-6)


def test_nobody_is_found_among_nobody(tmp_path: Path) -> None:
    scores = best_per_person(templates(tmp_path, {}), unit(1))
    assert scores.person_ids.size == 0


def test_samples_that_disagree_lower_the_score_of_their_person(tmp_path: Path) -> None:
    a, b = unit(1), unit(2)
    matrix = templates(tmp_path, {"One": [(a, 0.8)], "Two": [(a, 0.8), (b, 0.8)]})
    plain = best_per_person(matrix, a)
    shrunk = best_per_person(matrix, a, shrink=0.4)
    position = {matrix.names[person]: row for row, person in enumerate(matrix.people.tolist())}
    agreement = matrix.agreement[position["Two"]]
    assert matrix.agreement[position["One"]] == pytest.approx(1.0)
    assert agreement < 1.0
    one, two = (int(matrix.people[position[name]]) for name in ("One", "Two"))
    assert shrunk.scores[shrunk.person_ids == one] == pytest.approx(plain.scores[plain.person_ids == one])
    assert shrunk.scores[shrunk.person_ids == two] == pytest.approx(
        plain.scores[plain.person_ids == two] * agreement**0.4, rel=1e-5
    )
