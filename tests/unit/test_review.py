"""The review without a window: which questions are asked, what is told before an answer, what later runs may change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gallery_samples import MODEL, face, indexed, sample, unit

from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.gallery.clusters import Grouped
from facegui.gallery.store import Gallery
from facegui.matching.decision import Rule
from facegui.matching.enrolment import WarningKind
from facegui.services.people import may_be_one
from facegui.services.review import check_faces, confirm_group, likenesses, name_faces, open_questions

THRESHOLDS = {0.02: 0.25, 0.01: 0.3}
"""The thresholds of a made-up calibration for the shares of strangers from which is asked."""


def near(person: int, other: int, similarity: float, spread: int, noise: float = 0.05) -> np.ndarray:
    """Return a vector of a person that has about this similarity to another one's."""
    base, away, own = unit(other), unit(person), unit(1000 + spread)
    away = away - (away @ base) * base
    mixed = similarity * base + np.sqrt(1 - similarity**2) * away / np.linalg.norm(away)
    mixed = mixed + noise * own
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.sqlite") as opened:
        yield opened


@pytest.fixture
def services(gallery: Gallery) -> Any:
    """What the review asks of the services, with thresholds that the vectors here are made for."""
    return SimpleNamespace(
        gallery=gallery, model=SimpleNamespace(sha256=MODEL, id="m", title="M"), catalog=Catalog(),
        calibration=SimpleNamespace(threshold_for=THRESHOLDS.__getitem__), rule=lambda: Rule(0.45, 0.35),
    )  # fmt: skip


def add(gallery: Gallery, *vectors: np.ndarray, quality: float = 0.8) -> list[int]:
    """Index a photo for each vector; return the faces."""
    before = set(gallery.evidence().face_ids.tolist())
    gallery.add_photos([
        indexed(f"/photos/{len(before) + n}.jpg", face(n, vector=vector, quality=quality))
        for n, vector in enumerate(vectors)
    ])  # fmt: skip
    return [row for row in gallery.evidence().face_ids.tolist() if row not in before]


def store(gallery: Gallery, groups: dict[int, list[int]], owners: dict[int, int] | None = None) -> list[int]:
    """Store groups as a run does; return their ids in this order."""
    faces = [face for some in groups.values() for face in some]
    numbers = [number for number, some in groups.items() for _ in some]
    count = len(faces)
    grouped = Grouped(np.array(faces), np.array(numbers), np.full(count, 0.5, np.float32), np.ones(count, bool))
    gallery.store_clusters(MODEL, grouped, owners or {})
    where = dict(zip(gallery.evidence().face_ids.tolist(), gallery.evidence().clusters.tolist(), strict=True))
    return [where[some[0]] for some in groups.values()]


def test_pairs_that_are_alike_but_not_enough_are_asked_about_until_answered(services: Any, gallery: Gallery) -> None:
    one = add(gallery, *(near(1, 9, 0, n) for n in range(3)))
    like = add(gallery, *(near(2, 1, 0.29, 10 + n) for n in range(3)))
    unlike = add(gallery, *(near(3, 1, 0.1, 20 + n) for n in range(3)))
    first, second, _third = store(gallery, {-2: one, -3: like, -4: unlike})
    (question,) = may_be_one(services)
    assert {question.one, question.other} == {first, second}
    assert question.similarity == pytest.approx(0.29, abs=0.03)
    gallery.keep_apart(first, second)
    assert may_be_one(services) == []
    gallery.undo_review()
    gallery.confirm(first, "Anna", samples=one[:1])
    assert len(may_be_one(services)) == 1, "somebody known may be an unknown group, too"
    gallery.reject_faces(like[:1])
    person = gallery.people()[0].id
    gallery.answer(("face", like[1]), ("person", person), same=False)
    assert may_be_one(services) == [], "the user said that a face of the group is not Anna"


def test_two_large_groups_have_to_be_more_alike(services: Any, gallery: Gallery) -> None:
    one = add(gallery, *(near(1, 9, 0, n) for n in range(6)))
    like = add(gallery, *(near(2, 1, 0.285, 10 + n) for n in range(6)))
    store(gallery, {-2: one, -3: like})
    assert may_be_one(services) == []
    store(gallery, {-4: like[:2]})
    assert len(may_be_one(services)) >= 1


def test_groups_that_are_in_one_photo_are_never_asked_about(services: Any, gallery: Gallery) -> None:
    gallery.add_photos([
        indexed("/photos/both.jpg", face(1, vector=near(1, 9, 0, 1)), face(2, vector=near(2, 1, 0.3, 2)))
    ])  # fmt: skip
    together = gallery.evidence().face_ids.tolist()
    one, like = add(gallery, near(1, 9, 0, 3), near(2, 1, 0.3, 4))
    store(gallery, {-2: [together[0], one], -3: [together[1], like]})
    assert may_be_one(services) == []


def test_a_confirmed_group_gets_good_samples_and_no_more_than_it_needs(services: Any, gallery: Gallery) -> None:
    good = add(gallery, *(near(1, 9, 0, n, 0.5) for n in range(7)))
    poor = add(gallery, near(1, 9, 0, 50, 0.5), quality=0.05)
    (cluster,) = store(gallery, {-2: good + poor})
    confirm_group(services, cluster, "Anna")
    (anna,) = gallery.people()
    assert anna.samples == 5
    assert poor[0] not in {sample.face_id for sample in gallery.samples(anna.id)}
    (more,) = store(gallery, {-3: add(gallery, near(1, 9, 0, 60, 0.5), near(1, 9, 0, 61, 0.5))})
    confirm_group(services, more, "anna")
    assert gallery.people()[0].samples == 5


def test_doubts_are_told_before(services: Any, gallery: Gallery) -> None:
    gallery.enroll("Grace", [sample(30, vector=near(1, 9, 0, 1, 0.5))])
    gallery.enroll("Zoë", [sample(31, vector=near(8, 1, -0.2, 99))])
    faces = add(gallery, near(1, 9, 0, 2, 0.5), near(1, 9, 0, 3, 0.5))
    store(gallery, {-2: faces})
    assert [like.name for like in likenesses(services, faces)] == ["Grace"]
    assert not check_faces(services, "Grace", faces).doubts
    kinds = {doubt.kind for doubt in check_faces(services, "Zoë", faces).doubts}
    assert kinds == {WarningKind.LOOKS_LIKE_ANOTHER, WarningKind.UNLIKE_OWN}
    weak = add(gallery, near(5, 9, 0, 4, 0.5), quality=0.05)
    assert check_faces(services, "New", weak).weak
    assert check_faces(services, "New", weak).samples == tuple(weak), (
        "somebody with weak samples only is told, not lost"
    )
    gallery.answer(("face", faces[0]), ("person", gallery.people()[0].id), same=False)
    assert likenesses(services, faces) == (), "whom the user refused is not proposed again"


def test_questions_are_those_nobody_answered(services: Any, gallery: Gallery) -> None:
    one = add(gallery, *(near(1, 9, 0, n, 0.5) for n in range(4)))
    other = add(gallery, *(near(2, 9, 0, n, 0.5) for n in range(3)))
    third = add(gallery, *(near(3, 9, 0, n, 0.5) for n in range(2)))
    first, second, stranger = store(gallery, {-2: one[:3], -3: other, -4: third})
    known = open_questions(services)
    assert [group.id for group in known.unknown] == [first, second, stranger]
    confirm_group(services, first, "Anna")
    gallery.hide_clusters([stranger])
    gallery.postpone_clusters([second])
    store(gallery, {first: one[3:]})
    known = open_questions(services)
    assert [group.id for group in known.unknown] == [second]
    assert [group.person for group in known.known] == ["Anna"]
    assert known.unconfirmed == {first: (one[3],)}
    assert [group.id for group in known.hidden] == [stranger]
    gallery.confirm_faces(one[3:])
    assert not open_questions(services).known


def test_a_single_face_is_somebody_else(services: Any, gallery: Gallery) -> None:
    one = add(gallery, *(near(1, 9, 0, n, 0.5) for n in range(4)))
    (cluster,) = store(gallery, {-2: one})
    name_faces(services, one[3:], "Béla")
    (bela,) = gallery.people()
    (theirs,) = gallery.clusters_of(bela.id)
    assert gallery.cluster_faces(theirs) == one[3:]
    assert bela.samples == 1
    assert len(gallery.evidence().different) == 1, "and not those it was with"
    gallery.confirm(cluster, "Anna", samples=one[:1])
    name_faces(services, one[2:3], "Béla")
    assert sorted(gallery.cluster_faces(theirs)) == one[2:]
    assert len(gallery.evidence().not_person) == 1
    gallery.undo_review()
    assert sorted(gallery.cluster_faces(cluster)) == one[:3]


def test_a_group_joined_to_somebody_known_is_theirs_for_good(gallery: Gallery) -> None:
    faces = add(gallery, *(unit(n) for n in range(6)))
    known, unknown, third = store(gallery, {-2: faces[:2], -3: faces[2:4], -4: faces[4:]})
    anna, _ = gallery.confirm(known, "Anna", samples=faces[:1])
    gallery.join_clusters(unknown, [known])
    assert gallery.clusters_of(anna) == [known], "the group that has a name stays"
    assert gallery.unconfirmed() == {}
    gallery.confirm(third, "Béla", samples=faces[4:5])
    with pytest.raises(KnownError, match="two enrolled people"):
        gallery.join_clusters(known, [third])


def test_what_later_runs_did_with_faces_nobody_placed_does_not_stand_in_the_way_of_undo(gallery: Gallery) -> None:
    faces = add(gallery, *(unit(n) for n in range(6)))
    one, other = store(gallery, {-2: faces[:2], -3: faces[2:5]})
    gallery.reject_faces(faces[1:2])
    # A run puts the face elsewhere, and takes apart the group that it came from.
    store(gallery, {other: faces[1:5], -1: faces[:1]})
    assert gallery.cluster(one) is None
    assert gallery.undo_review() is not None
    assert gallery.cluster_faces(one) == faces[1:2]
    assert not len(gallery.evidence().different)


def test_somebody_who_was_enrolled_elsewhere_since_stays_when_their_naming_is_undone(gallery: Gallery) -> None:
    faces = add(gallery, *(unit(n) for n in range(3)))
    (cluster,) = store(gallery, {-2: faces})
    gallery.confirm(cluster, "Anna", samples=faces[:1])
    gallery.enroll("Anna", [sample(40)])
    with pytest.raises(KnownError, match="no longer be undone"):
        gallery.undo_review()
    assert gallery.people()[0].samples == 2
    assert gallery.undo_review() is None, "the step is forgotten, not in the way"
