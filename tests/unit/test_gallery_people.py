"""Enrolling, renaming, merging, moving, removing, and taking all of it back."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gallery_samples import MODEL, OTHER_MODEL, decision, face, indexed, sample, unit

from facegui.errors import KnownError
from facegui.faces.types import Box, QualityReason
from facegui.gallery.records import Change, Counts, NewSample, Outcome
from facegui.gallery.store import Gallery


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.sqlite") as opened:
        yield opened


def content(gallery: Gallery) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the counters."""
    with closing(sqlite3.connect(gallery.file)) as connection:
        tables = ["person", "photo", "face", "crop", "embedding", "decision", "model"]
        return {t: connection.execute(f"SELECT * FROM {t} ORDER BY 1").fetchall() for t in tables}


def test_a_new_gallery_is_empty(gallery: Gallery) -> None:
    assert gallery.counts() == Counts(0, 0, 0, 0, 0)
    assert gallery.people() == []
    assert gallery.template_matrix(MODEL).vectors.shape[0] == 0


def test_an_enrolled_sample_comes_back_as_it_was(gallery: Gallery) -> None:
    new = sample(7, quality=0.3)
    person_id, change = gallery.enroll("Anna", [new])
    (stored,) = gallery.samples(person_id)
    np.testing.assert_array_equal(stored.crop, new.face.crop)
    np.testing.assert_array_equal(stored.landmarks, new.face.detection.landmarks)
    assert stored.box == new.face.detection.box
    assert stored.quality == new.face.quality
    assert stored.quality.reasons == (QualityReason.BLURRED,)
    assert stored.photo_path == "/photos/7.jpg"
    assert change.people == {person_id}
    assert change.faces == {stored.face_id}
    np.testing.assert_array_equal(gallery.embeddings([stored.face_id])[MODEL][stored.face_id], unit(7))


def test_box_and_landmarks_are_kept_in_pixels_of_the_original(gallery: Gallery) -> None:
    one = face(1, box=Box(10, 20, 30, 40))
    person_id, _ = gallery.enroll("Anna", [NewSample(one, "/p.jpg", scale=0.5)])
    (stored,) = gallery.samples(person_id)
    assert stored.box == Box(20, 40, 60, 80)
    np.testing.assert_allclose(stored.landmarks, one.detection.landmarks * 2)


def test_people_are_listed_by_name_with_their_best_sample_as_cover(gallery: Gallery) -> None:
    gallery.enroll("zoe", [sample(1)])
    anna, change = gallery.enroll("Anna", [sample(2, quality=0.4), sample(3, quality=0.9)])
    gallery.enroll("bela", [sample(4)])
    people = gallery.people()
    assert [person.name for person in people] == ["Anna", "bela", "zoe"]
    assert people[0].samples == 2
    assert people[0].cover_face_id == max(change.faces)
    assert gallery.person(anna) == people[0]
    assert gallery.person(999) is None


@pytest.mark.parametrize("again", ["anna müller", "  ANNA  MÜLLER ", unicodedata.normalize("NFD", "Anna Müller")])
def test_a_name_is_one_person_whatever_its_case_spaces_and_encoding(gallery: Gallery, again: str) -> None:
    first, _ = gallery.enroll("Anna Müller", [sample(1)])
    second, _ = gallery.enroll(again, [sample(2)])
    assert first == second
    found = gallery.person_named(again)
    assert found is not None
    assert (found.name, found.samples) == ("Anna Müller", 2)


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "\x00", "x" * 201])
def test_an_unusable_name_is_refused(gallery: Gallery, name: str) -> None:
    with pytest.raises(KnownError):
        gallery.enroll(name, [sample(1)])
    assert gallery.counts().people == 0


def test_a_person_cannot_take_another_ones_name(gallery: Gallery) -> None:
    gallery.enroll("Anna", [sample(1)])
    bela, _ = gallery.enroll("Béla", [sample(2)])
    with pytest.raises(KnownError, match="Anna is enrolled already"):
        gallery.rename(bela, "ANNA")
    gallery.rename(bela, "BÉLA")  # one's own in another case
    assert [person.name for person in gallery.people()] == ["Anna", "BÉLA"]


def test_enrolling_needs_embeddings(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="embeddings"):
        gallery.enroll("Anna", [sample(1, model=None)])
    with pytest.raises(ValueError, match="embeddings"):
        gallery.enroll("Anna", [])
    with pytest.raises(ValueError, match="length 1"):
        gallery.enroll("Anna", [sample(1, vector=np.ones(32, np.float32))])
    gallery.enroll("Anna", [sample(1)])
    with pytest.raises(ValueError, match="32 numbers"):
        gallery.enroll("Anna", [sample(2, vector=unit(2, 33))])
    assert gallery.counts().samples == 1


def test_samples_of_a_camera_share_one_source(gallery: Gallery) -> None:
    person_id, _ = gallery.enroll("Anna", [sample(1, "HD Webcam"), sample(2, "HD Webcam")])
    assert [one.photo_path for one in gallery.samples(person_id)] == ["HD Webcam"] * 2
    assert gallery.counts().samples == 2


def test_merging_moves_samples_and_decisions(gallery: Gallery) -> None:
    anna, _ = gallery.enroll("Anna", [sample(1)])
    ann, _ = gallery.enroll("Ann", [sample(2), sample(3)])
    gallery.record(decision(person_id=ann, runner_up_id=anna, margin=0.1))
    gallery.merge(anna, ann)
    assert [(person.name, person.samples) for person in gallery.people()] == [("Anna", 3)]
    (kept,) = gallery.decisions()
    assert (kept.person_id, kept.runner_up_id, kept.margin) == (anna, None, None)
    assert gallery.people()[0].last_seen == kept.time
    assert gallery.template_matrix(MODEL).people.tolist() == [anna]


def test_moving_a_sample_changes_both_people(gallery: Gallery) -> None:
    anna, change = gallery.enroll("Anna", [sample(1), sample(2)])
    bela, _ = gallery.enroll("Béla", [sample(3)])
    moved = gallery.move_sample(min(change.faces), bela)
    assert moved.people == {anna, bela}
    assert [person.samples for person in gallery.people()] == [1, 2]
    with pytest.raises(KnownError, match="no longer"):
        gallery.move_sample(999, bela)
    with pytest.raises(KnownError, match="no longer"):
        gallery.move_sample(min(change.faces), 999)


def test_removing_a_sample_deletes_it_with_its_crop_and_vectors(gallery: Gallery) -> None:
    anna, change = gallery.enroll("Anna", [sample(1), sample(2)])
    first, second = sorted(change.faces)
    gallery.store_embeddings(OTHER_MODEL, [(first, unit(1, 16))])
    gallery.remove_samples([first])
    assert [one.face_id for one in gallery.samples(anna)] == [second]
    assert gallery.crop(first) is None
    assert gallery.embeddings([first]) == {}
    assert [row[1] for row in content(gallery)["photo"]] == ["/photos/2.jpg"]


def test_removing_a_sample_leaves_the_index_its_face(gallery: Gallery) -> None:
    gallery.add_photos([indexed("/photos/1.jpg", face(1))])
    anna, change = gallery.enroll("Anna", [NewSample(face(1), "/photos/1.jpg")])
    gallery.remove_samples(change.faces)
    assert gallery.samples(anna) == []
    assert gallery.counts().faces == 1


def test_deleting_a_person_deletes_everything_of_theirs_and_nothing_else(gallery: Gallery) -> None:
    bela, _ = gallery.enroll("Béla", [sample(9)])
    before = content(gallery)
    gallery.record(decision(person_id=bela, probe="/photos/9b.jpg"))
    others = len(gallery.decisions())
    anna, _ = gallery.enroll("Anna", [sample(1), sample(2)])
    gallery.record(decision(person_id=anna))
    gallery.record(decision(probe="/photos/1.jpg", reference="/elsewhere.jpg"))
    gallery.record(decision(person_id=bela, runner_up_id=anna, outcome=Outcome.UNSURE, margin=0.2))
    change = gallery.delete_person(anna)
    assert anna in change.people
    after = content(gallery)
    for table in ("photo", "face", "crop", "embedding", "model"):
        assert after[table] == before[table]
    left = gallery.decisions()
    assert len(left) == others + 1
    assert {(one.person_id, one.runner_up_id) for one in left} == {(bela, None)}
    with pytest.raises(KnownError, match="no longer"):
        gallery.delete_person(anna)


def test_a_photo_shared_with_somebody_else_stays_when_one_is_deleted(gallery: Gallery) -> None:
    anna, _ = gallery.enroll("Anna", [sample(1, "/both.jpg", box=Box(0, 0, 50, 50))])
    bela, _ = gallery.enroll("Béla", [sample(2, "/both.jpg", box=Box(200, 0, 50, 50))])
    gallery.delete_person(anna)
    assert [one.photo_path for one in gallery.samples(bela)] == ["/both.jpg"]


def test_after_a_deletion_an_indexed_photo_counts_as_unread(gallery: Gallery) -> None:
    gallery.add_photos([indexed("/photos/1.jpg", face(1)), indexed("/photos/2.jpg", face(2))])
    anna, _ = gallery.enroll("Anna", [NewSample(face(1), "/photos/1.jpg")])
    assert gallery.counts().faces == 2
    change = gallery.delete_person(anna)
    assert list(gallery.known_photos("/photos")) == ["/photos/2.jpg"]
    assert change.undo is not None
    gallery.undo(change.undo)
    assert list(gallery.known_photos("/photos")) == ["/photos/1.jpg", "/photos/2.jpg"]


Act = Callable[[Gallery, dict[str, int]], Change]
ACTS: dict[str, Act] = {
    "enroll somebody new": lambda g, ids: g.enroll("Cleo", [sample(20), sample(21)])[1],
    "enroll another sample": lambda g, ids: g.enroll("Anna", [sample(22)])[1],
    "enroll from the index": lambda g, ids: g.enroll("Cleo", [NewSample(face(30), "/index/30.jpg")])[1],
    "enroll a stored face": lambda g, ids: g.enroll_faces("Cleo", [ids["nobody"]])[1],
    "rename": lambda g, ids: g.rename(ids["anna"], "Hanna"),
    "merge": lambda g, ids: g.merge(ids["anna"], ids["bela"]),
    "move": lambda g, ids: g.move_sample(ids["sample"], ids["bela"]),
    "remove a sample": lambda g, ids: g.remove_samples([ids["sample"]]),
    "remove a sample of the index": lambda g, ids: g.remove_samples([ids["both"]]),
    "delete": lambda g, ids: g.delete_person(ids["anna"]),
    "delete another": lambda g, ids: g.delete_person(ids["bela"]),
}


def populated(gallery: Gallery) -> dict[str, int]:
    gallery.add_photos([indexed("/index/30.jpg", face(30), face(75)), indexed("/index/31.jpg", face(31))])
    anna, change = gallery.enroll("Anna", [sample(1), sample(2), NewSample(face(31), "/index/31.jpg")])
    bela, _ = gallery.enroll("Béla", [sample(3)])
    gallery.record(decision(person_id=anna, runner_up_id=bela, margin=0.2))
    gallery.record(decision(person_id=bela, probe="/photos/1.jpg", outcome=Outcome.NO_MATCH))
    faces = {record.path: record.face_id for record in gallery.faces(sorted(change.faces))}
    nobody = gallery.photo_faces(next(iter(gallery.known_photos("/index").values())).photo_id)[0].face_id
    return {
        "anna": anna,
        "bela": bela,
        "sample": faces["/photos/1.jpg"],
        "both": faces["/index/31.jpg"],
        "nobody": nobody,
    }


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_undo_restores_identical_rows_and_can_be_undone(gallery: Gallery, act: Act) -> None:
    ids = populated(gallery)
    before, matrix = content(gallery), gallery.face_matrix(MODEL)
    templates = gallery.template_matrix(MODEL)
    change = act(gallery, ids)
    after = content(gallery)
    assert after != before
    assert change.undo is not None
    back = gallery.undo(change.undo)
    assert content(gallery) == before
    assert back.people == change.people
    np.testing.assert_array_equal(gallery.face_matrix(MODEL).face_ids, matrix.face_ids)
    np.testing.assert_array_equal(gallery.template_matrix(MODEL).vectors, templates.vectors)
    assert back.undo is not None
    gallery.undo(back.undo)
    assert content(gallery) == after


def test_an_undo_is_refused_when_the_name_was_given_away(gallery: Gallery) -> None:
    anna, _ = gallery.enroll("Anna", [sample(1)])
    change = gallery.delete_person(anna)
    gallery.enroll("anna", [sample(2)])
    before = content(gallery)
    assert change.undo is not None
    with pytest.raises(KnownError, match="no longer be undone"):
        gallery.undo(change.undo)
    assert content(gallery) == before


def test_an_undo_is_refused_when_the_same_thing_changed_again(gallery: Gallery) -> None:
    anna, _ = gallery.enroll("Anna", [sample(1)])
    change = gallery.rename(anna, "Hanna")
    gallery.rename(anna, "Johanna")
    assert change.undo is not None
    with pytest.raises(KnownError, match="no longer be undone"):
        gallery.undo(change.undo)
    assert gallery.people()[0].name == "Johanna"


@pytest.mark.parametrize("reads", [1, 2])
def test_an_undo_finds_its_way_when_the_index_has_read_the_photo_again(gallery: Gallery, reads: int) -> None:
    gallery.add_photos([indexed("/photos/1.jpg", face(1))])
    anna, _ = gallery.enroll("Anna", [NewSample(face(1), "/photos/1.jpg")])
    change = gallery.delete_person(anna)
    for _ in range(reads):
        gallery.add_photos([indexed("/photos/1.jpg", face(1))])
    assert change.undo is not None
    gallery.undo(change.undo)
    assert [one.photo_path for one in gallery.samples(anna)] == ["/photos/1.jpg"]
    # The index's own finding answers for the photo, once.
    assert gallery.face_matrix(MODEL).face_ids.size == 1
    gallery.add_photos([indexed("/photos/1.jpg", face(1))])
    assert gallery.face_matrix(MODEL).face_ids.size == 1
    assert gallery.counts() == Counts(people=1, samples=1, photos=1, faces=1, decisions=0)


def test_subscribers_hear_of_every_change_until_they_leave(gallery: Gallery) -> None:
    heard: list[str] = []
    leave = gallery.subscribe(lambda change: heard.append(change.text))
    anna, _ = gallery.enroll("Anna", [sample(1)])
    gallery.rename(anna, "Hanna")
    gallery.delete_person(anna)
    leave()
    leave()
    gallery.enroll("Béla", [sample(2)])
    assert heard == ["Enrolled Anna", "Renamed Anna to Hanna", "Removed Hanna"]


def test_a_failing_subscriber_does_not_fail_the_write(gallery: Gallery, caplog: pytest.LogCaptureFixture) -> None:
    def fail(change: Change) -> None:
        raise ZeroDivisionError

    gallery.subscribe(fail)
    gallery.enroll("Anna", [sample(1)])
    assert gallery.counts().people == 1
    assert "a listener failed" in caplog.text


def test_the_history_is_newest_first_and_knows_names_by_id(gallery: Gallery) -> None:
    anna, _ = gallery.enroll("Anna", [sample(1)])
    bela, _ = gallery.enroll("Béla", [sample(2)])
    first = gallery.record(decision(person_id=anna, runner_up_id=bela, margin=0.25, liveness="live"))
    second = gallery.record(decision(person_id=bela, outcome=Outcome.NO_MATCH))
    third = gallery.record(decision(reference="/b.jpg", person_id=999))
    gallery.rename(anna, "Hanna")
    assert [one.id for one in gallery.decisions()] == [third, second, first]
    assert [one.id for one in gallery.decisions(limit=1)] == [third]
    assert [one.id for one in gallery.decisions(person_id=bela)] == [second, first]
    kept = gallery.decisions()[-1]
    assert (kept.person_name, kept.runner_up_name, kept.margin, kept.liveness) == ("Hanna", "Béla", 0.25, "live")
    assert gallery.decisions()[0].person_id is None
    people = {person.name: person.last_seen for person in gallery.people()}
    assert people == {"Hanna": kept.time, "Béla": None}


def test_clearing_the_history_leaves_no_decision(gallery: Gallery) -> None:
    anna, _ = gallery.enroll("Anna", [sample(1)])
    gallery.record(decision(person_id=anna))
    change = gallery.clear_history()
    assert gallery.decisions() == []
    assert gallery.people()[0].last_seen is None
    assert change.undo is None
