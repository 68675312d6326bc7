"""Joining faces to people: average linkage, what the user said, photos, quality, and the graph it stands on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from facegui.gallery.clusters import Evidence
from facegui.lookalikes.clusters import ClusterLimits, group
from facegui.lookalikes.linkage import Links, join
from facegui.lookalikes.neighbours import similar_pairs
from facegui.matching.agreement import bcubed, pairwise

LIMITS = ClusterLimits(join=0.5, attach=0.4, seed=0.4, neighbours=200)


def people(sizes: list[int], spread: float = 0.5, dimension: int = 64, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), dimension))
    who = np.repeat(np.arange(len(sizes)), sizes)
    made = centres[who] + spread * rng.normal(size=(len(who), dimension))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32), who


def known(count: int, **changes: object) -> Evidence:
    none, nobody = np.empty((0, 2), np.int64), np.full(count, -1, np.int64)
    plain = Evidence(
        np.arange(count), np.arange(count), np.ones(count, np.float32), nobody, nobody, np.zeros(count, bool),
        none, none, none,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def together(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels[labels != -1])}


@pytest.mark.parametrize("threshold", [0.2, 0.35, 0.5, 0.8])
@pytest.mark.parametrize("spread", [0.5, 1.2])
def test_rounds_of_mutual_neighbours_give_the_tree_of_average_linkage(threshold: float, spread: float) -> None:
    vectors, _ = people([1, 2, 5, 9, 3, 1, 7], spread)
    graph = similar_pairs(vectors, threshold, 200)
    labels = join(vectors, graph, Links.none(len(vectors)), threshold)
    distances = np.clip(1.0 - vectors.astype(np.float64) @ vectors.T, 0.0, 2.0)
    np.fill_diagonal(distances, 0.0)
    expected = fcluster(linkage(squareform(distances, checks=False), "average"), 1.0 - threshold, "distance")
    assert together(labels) == together(expected)


def test_the_graph_holds_every_similar_pair_once() -> None:
    vectors, _ = people([6] * 40)
    graph = similar_pairs(vectors, 0.3, 10**6)
    found = set(zip(graph.first.tolist(), graph.second.tolist(), strict=True))
    expected = {tuple(pair) for pair in np.argwhere(np.triu(vectors @ vectors.T >= 0.3, 1)).tolist()}
    assert len(found) == len(graph.first)
    assert found == expected
    fresh = np.arange(len(vectors)) % 7 == 0
    some = similar_pairs(vectors, 0.3, 10**6, fresh)
    assert set(zip(some.first.tolist(), some.second.tolist(), strict=True)) == {
        pair for pair in expected if fresh[pair[0]] or fresh[pair[1]]
    }


def test_copies_of_one_photo_end_in_one_group() -> None:
    vectors = np.repeat(people([1, 1])[0], 9, axis=0)
    labels = join(vectors, similar_pairs(vectors, 0.5, 200), Links.none(len(vectors)), 0.5)
    assert together(labels) == {frozenset(range(9)), frozenset(range(9, 18))}


def test_people_are_told_apart() -> None:
    vectors, who = people([4, 1, 9, 2, 6])
    grouped, owners = group(vectors, known(len(vectors)), LIMITS)
    assert together(grouped.clusters) == {frozenset(np.flatnonzero(who == one).tolist()) for one in (0, 2, 3, 4)}
    assert grouped.clusters[who == 1].tolist() == [-1]
    assert not owners


def test_two_faces_of_one_photo_are_never_one_person() -> None:
    vectors, _ = people([6], 0.1)
    photos = np.array([0, 0, 1, 2, 3, 4])
    grouped, _ = group(vectors, known(6, photo_ids=photos), LIMITS)
    assert grouped.clusters[0] != grouped.clusters[1]
    poor = np.array([0.1, 0.1, 1, 1, 1, 1], np.float32)
    grouped, _ = group(vectors, known(6, photo_ids=photos, quality=poor), LIMITS)
    assert sorted((grouped.clusters[:2] == grouped.clusters[2]).tolist()) == [False, True]


def test_answers_are_law() -> None:
    vectors, who = people([4, 4], 0.3)
    ids = np.arange(8) * 10
    said = known(8, face_ids=ids, same=np.array([[0, 40]]))
    assert len(together(group(vectors, said, LIMITS)[0].clusters)) == 1
    said = known(8, face_ids=ids, different=np.array([[0, 10], [0, 20], [0, 30]]))
    grouped, _ = group(vectors, said, LIMITS)
    assert grouped.clusters[0] == -1
    assert together(grouped.clusters) == {frozenset([1, 2, 3]), frozenset(np.flatnonzero(who == 1).tolist())}


def test_enrolled_people_stay_apart_and_a_refused_person_is_not_suggested_again() -> None:
    vectors, _ = people([6], 0.2)
    enrolled = np.array([7, 8, -1, -1, -1, -1])
    grouped, owners = group(vectors, known(6, person_ids=enrolled), LIMITS)
    assert grouped.clusters[0] != grouped.clusters[1]
    assert owners == {int(grouped.clusters[0]): 7, int(grouped.clusters[1]): 8}
    only = np.array([7, -1, -1, -1, -1, -1])
    said = known(6, person_ids=only, not_person=np.array([[3, 7]]))
    grouped, _ = group(vectors, said, LIMITS)
    assert grouped.clusters[3] != grouped.clusters[0]
    assert grouped.clusters[4] == grouped.clusters[0]


def test_a_sample_given_to_somebody_else_does_not_take_its_old_group_along() -> None:
    vectors, _ = people([6], 0.2)
    enrolled = np.array([7, 7, 8, -1, -1, -1])
    grouped, owners = group(vectors, known(6, person_ids=enrolled, clusters=np.full(6, 4)), LIMITS)
    assert (grouped.clusters[[0, 1, 3, 4, 5]] == 4).all()
    assert grouped.clusters[2] != 4
    assert owners[4] == 7


def test_poor_faces_form_no_group_but_join_one() -> None:
    vectors, who = people([5, 5], 0.3)
    poor = np.where(who == 1, 0.1, 1.0).astype(np.float32)
    poor[0] = 0.1
    grouped, _ = group(vectors, known(10, quality=poor), LIMITS)
    assert together(grouped.clusters) == {frozenset(range(5))}
    assert not grouped.seeds[0]
    assert grouped.seeds[1:5].all()


def test_new_faces_join_what_is_there_and_numbers_stay() -> None:
    vectors, who = people([5, 5, 4], 0.3)
    before = np.where(who == 0, 41, np.where(who == 1, 17, -1))
    before[[4, 9]] = -1
    grouped, _ = group(vectors, known(len(who), clusters=before), LIMITS)
    assert (grouped.clusters[who == 0] == 41).all()
    assert (grouped.clusters[who == 1] == 17).all()
    assert (grouped.clusters[who == 2] == -2).all()


def test_what_the_user_placed_stays_when_all_is_formed_anew() -> None:
    vectors, _ = people([4, 4], 0.3)
    before = np.array([5, 5, 5, 5, 6, 6, 6, 5])
    placed = np.array([True, False, False, False, True, False, False, True])
    grouped, _ = group(vectors, known(8, clusters=before, placed=placed), LIMITS, anew=True)
    assert grouped.clusters[7] == grouped.clusters[0] == 5


def test_without_a_new_face_all_stays_as_it_is() -> None:
    vectors, who = people([5, 5], 0.3)
    grouped, _ = group(vectors, known(10, clusters=who + 3), LIMITS)
    assert grouped.clusters.tolist() == (who + 3).tolist()


def test_no_face_gives_no_group() -> None:
    grouped, owners = group(np.empty((0, 8), np.float32), known(0), LIMITS)
    assert not len(grouped.clusters)
    assert owners == {}


def test_agreement_is_counted_as_defined() -> None:
    groups, who = np.array([1, 1, 1, 2, -1]), np.array([1, 1, 2, 2, 2])
    precision, recall, _ = pairwise(groups, who)
    assert (precision, recall) == pytest.approx((1 / 3, 1 / 4))
    same = (groups[:, None] == groups) & (groups >= 0)[:, None] | np.eye(5, dtype=bool)
    real = who[:, None] == who
    both = (same & real).sum(1)
    precision, recall, f = bcubed(groups, who)
    assert precision == pytest.approx((both / same.sum(1)).mean())
    assert recall == pytest.approx((both / real.sum(1)).mean())
    assert f == pytest.approx(2 * precision * recall / (precision + recall))
