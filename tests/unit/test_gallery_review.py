"""Groups and the user's decisions on them in the gallery: stored, remembered, undone after a restart, erased."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import MODEL, face, indexed, sample

from facegui.errors import KnownError
from facegui.gallery.clusters import Grouped
from facegui.gallery.store import Gallery


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gallery.sqlite"


@pytest.fixture
def gallery(file: Path) -> Iterator[Gallery]:
    with Gallery.open(file) as opened:
        opened.add_photos([indexed(f"/photos/{n}.jpg", face(n)) for n in range(1, 7)])
        yield opened


def store(gallery: Gallery, *numbers: int, owners: dict[int, int] | None = None) -> None:
    count = len(numbers)
    grouped = Grouped(np.arange(1, count + 1), np.array(numbers), np.full(count, 0.5, np.float32), np.ones(count, bool))
    gallery.store_clusters(MODEL, grouped, owners or {})


def groups(gallery: Gallery) -> list[list[int]]:
    return [sorted(gallery.cluster_faces(record.id)) for record in gallery.clusters()]


def test_groups_are_stored_and_keep_their_numbers(gallery: Gallery) -> None:
    store(gallery, -2, -2, -2, -3, -3, -1)
    assert groups(gallery) == [[1, 2, 3], [4, 5]]
    first, second = gallery.clusters()
    assert (first.faces, first.photos, first.person) == (3, 3, None)
    store(gallery, first.id, first.id, first.id, first.id, second.id, second.id)
    assert groups(gallery) == [[1, 2, 3, 4], [5, 6]]
    assert [record.id for record in gallery.clusters()] == [first.id, second.id]
    assert gallery.evidence().clusters.tolist() == [first.id] * 4 + [second.id] * 2


def test_a_confirmed_group_is_a_person_with_their_best_samples(gallery: Gallery) -> None:
    store(gallery, -2, -2, -2, -3, -3, -1)
    person_id, change = gallery.confirm(gallery.clusters()[0].id, "Anna", samples=[2])
    assert change.people == {person_id}
    assert [record.face_id for record in gallery.samples(person_id)] == [2]
    record = gallery.clusters()[0]
    assert (record.person, record.faces) == ("Anna", 3)
    known = gallery.evidence()
    assert known.person_ids.tolist() == [person_id] * 3 + [-1] * 3
    assert known.placed.tolist() == [True] * 3 + [False] * 3


def test_a_refused_face_leaves_and_is_remembered(gallery: Gallery) -> None:
    store(gallery, -2, -2, -2, -3, -3, -1)
    cluster = gallery.clusters()[0].id
    person_id, _ = gallery.confirm(cluster, "Anna", samples=[1], faces=[1, 2])
    gallery.reject_faces([3])
    assert groups(gallery)[0] in ([1, 2], [4, 5])
    known = gallery.evidence()
    assert known.not_person.tolist() == [[3, person_id]]
    assert len(known.different) == 1
    store(gallery, cluster, cluster, cluster, -3, -3, -1)  # a run that knew nothing of it
    gallery.reject_faces([3])
    assert len(gallery.evidence().not_person) == 1


def test_what_the_user_placed_is_not_moved_by_a_run(gallery: Gallery) -> None:
    store(gallery, -2, -2, -3, -3, -1, -1)
    one, other = (record.id for record in gallery.clusters())
    gallery.move_faces([1], other)
    store(gallery, one, one, other, other, -1, -1)
    assert sorted(gallery.cluster_faces(other)) == [1, 3, 4]


def test_joining_and_keeping_apart_are_remembered(gallery: Gallery) -> None:
    store(gallery, -2, -2, -3, -3, -4, -4)
    one, two, three = (record.id for record in gallery.clusters())
    gallery.join_clusters(one, [two])
    gallery.keep_apart(one, three)
    assert groups(gallery) == [[1, 2, 3, 4], [5, 6]]
    known = gallery.evidence()
    assert len(known.same) == 1
    assert len(known.different) == 1
    gallery.answer(("face", int(known.different[0, 1])), ("face", int(known.different[0, 0])), same=True)
    assert not len(gallery.evidence().different)


def test_every_step_is_undone_after_a_restart(file: Path, gallery: Gallery) -> None:
    store(gallery, -2, -2, -2, -3, -3, -1)
    before = groups(gallery)
    one, other = (record.id for record in gallery.clusters())
    gallery.confirm(one, "Anna", samples=[1, 2])
    gallery.reject_faces([3])
    gallery.split([5])
    gallery.hide_clusters([other])
    gallery.postpone_clusters([one])
    gallery.join_clusters(one, [other])
    steps = len(gallery.review_steps())
    assert steps == 6
    gallery.close()
    with Gallery.open(file) as again:
        undone = [again.undo_review() for _ in range(steps)]
        assert all(change is not None for change in undone)
        assert again.undo_review() is None
        assert groups(again) == before
        assert again.people() == []
        known = again.evidence()
        assert not known.placed.any()
        assert not len(known.not_person)
        assert not len(known.different)


def test_hidden_groups_are_listed_apart(gallery: Gallery) -> None:
    store(gallery, -2, -2, -3, -3, -1, -1)
    gallery.hide_clusters([gallery.clusters()[0].id])
    assert len(gallery.clusters()) == len(gallery.clusters(hidden=True)) == 1
    gallery.hide_clusters([gallery.clusters(hidden=True)[0].id], hidden=False)
    assert len(gallery.clusters()) == 2


def test_a_step_whose_rows_were_changed_since_is_refused_in_words(gallery: Gallery) -> None:
    store(gallery, -2, -2, -3, -3, -1, -1)
    other = gallery.clusters()[1].id
    gallery.move_faces([1], other)
    store(gallery, -1, -1, -1, -1, -1, -1)
    gallery.forget_photos([1])
    with pytest.raises(KnownError, match="no longer be undone"):
        gallery.undo_review()
    assert gallery.review_steps() == []


def test_forgotten_photos_leave_their_groups(gallery: Gallery) -> None:
    store(gallery, -2, -2, -2, -3, -3, -1)
    gallery.forget_photos([1])
    assert sorted(groups(gallery)) == [[2, 3], [4, 5]]


def test_merged_people_keep_groups_and_answers(gallery: Gallery) -> None:
    store(gallery, -2, -2, -3, -3, -1, -1)
    one, other = (record.id for record in gallery.clusters())
    anna, _ = gallery.confirm(one, "Anna", samples=[1])
    bela, _ = gallery.confirm(other, "Béla", samples=[3])
    gallery.answer(("face", 5), ("person", bela), same=False)
    gallery.answer(("person", anna), ("person", bela), same=False)
    change = gallery.merge(anna, bela)
    assert {record.person for record in gallery.clusters()} == {"Anna"}
    assert gallery.evidence().not_person.tolist() == [[5, anna]]
    assert change.undo is not None
    gallery.undo(change.undo)
    assert {record.person for record in gallery.clusters()} == {"Anna", "Béla"}
    assert gallery.evidence().not_person.tolist() == [[5, bela]]


def test_erasing_a_person_erases_their_name_from_steps_and_groups(gallery: Gallery, file: Path) -> None:
    store(gallery, -2, -2, -3, -3, -1, -1)
    person_id, _ = gallery.confirm(gallery.clusters()[0].id, "Annabella", samples=[1])
    gallery.delete_person(person_id)
    assert gallery.review_steps() == []
    assert all(record.person is None for record in gallery.clusters())
    gallery.compact()
    gallery.close()
    assert b"Annabella" not in file.read_bytes()


def test_a_person_who_is_deleted_and_brought_back_has_their_group(gallery: Gallery) -> None:
    store(gallery, -2, -2, -3, -3, -1, -1)
    person_id, _ = gallery.confirm(gallery.clusters()[0].id, "Anna", samples=[1])
    change = gallery.delete_person(person_id)
    assert change.undo is not None
    gallery.undo(change.undo)
    assert gallery.clusters()[0].person == "Anna"


def test_a_sample_that_changes_hands_leaves_the_group_of_whom_it_was(gallery: Gallery) -> None:
    store(gallery, -2, -2, -2, -3, -3, -1)
    one, other = (record.id for record in gallery.clusters())
    anna, _ = gallery.confirm(one, "Anna", samples=[1, 2])
    bela, _ = gallery.confirm(other, "Béla", samples=[4])
    change = gallery.move_sample(1, bela)
    assert groups(gallery) == [[1, 4, 5], [2, 3]]
    assert change.undo is not None
    gallery.undo(change.undo)
    assert groups(gallery) == [[1, 2, 3], [4, 5]]
    gallery.enroll_faces("Cleo", [2])
    assert groups(gallery) == [[1, 3], [4, 5]], "who has no group yet gets none of another's"
    assert {record.person for record in gallery.clusters()} == {"Anna", "Béla"}
    assert anna != bela


def test_enrolled_samples_outside_the_index_count_too(gallery: Gallery) -> None:
    person_id, _ = gallery.enroll("Béla", [sample(30)])
    assert gallery.evidence().person_ids.tolist() == [-1] * 6 + [person_id]
