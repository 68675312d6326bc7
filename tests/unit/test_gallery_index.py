"""The folder index: photos known by path, faces shared with the enrolled, matrices that keep up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import MODEL, OTHER_MODEL, decision, face, indexed, sample, unit

from facegui.faces.types import Box
from facegui.gallery.columns import escape_path
from facegui.gallery.records import IndexedPhoto, NewSample
from facegui.gallery.store import Gallery


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.sqlite") as opened:
        yield opened


def test_photos_come_back_as_they_were_indexed(gallery: Gallery) -> None:
    taken = datetime(2020, 2, 29, 12, 30)
    one = face(1)
    gallery.add_photos(
        [
            IndexedPhoto("/a/1.jpg", 10, 2**62, "0" * 64, 4000, 3000, taken, (one, face(60)), scale=0.5),
            IndexedPhoto("/a/2.jpg", 11, 5, error="The file is cut off."),
        ]
    )
    known = gallery.known_photos("/a")
    stamp = known["/a/1.jpg"]
    assert (stamp.size, stamp.mtime_ns, stamp.content_hash, stamp.error) == (10, 2**62, "0" * 64, None)
    record = gallery.photos([stamp.photo_id])[stamp.photo_id]
    assert (record.width, record.height, record.taken, record.faces) == (4000, 3000, taken, 2)
    (skipped,) = gallery.skipped_photos("/a")
    assert (skipped.path, skipped.error, skipped.faces) == ("/a/2.jpg", "The file is cut off.", 0)
    stored = gallery.photo_faces(stamp.photo_id)[0]
    assert stored.box == one.detection.box.scaled(2)
    assert stored.quality == one.quality
    assert stored.person_id is None
    crop = gallery.crop(stored.face_id)
    assert crop is not None
    assert crop.shape == (112, 112, 3)
    assert gallery.photos_with_content("0" * 64) == [record]


def test_an_indexed_crop_is_small_and_close_to_the_original(gallery: Gallery) -> None:
    rows, columns = np.mgrid[0:112, 0:112]
    smooth = np.stack([rows * 2, columns * 2, rows + columns], 2).astype(np.uint8)
    one = face(1)
    object.__setattr__(one, "crop", smooth)
    (face_id,) = gallery.add_photos([indexed("/a.jpg", one)]).faces
    crop = gallery.crop(face_id)
    assert crop is not None
    assert np.abs(crop.astype(int) - smooth).max() <= 4


def test_faces_come_in_the_order_asked_for(gallery: Gallery) -> None:
    ids = sorted(gallery.add_photos([indexed(f"/{i}.jpg", face(i)) for i in range(5)]).faces)
    wanted = [ids[3], ids[0], 12345, ids[4]]
    assert [record.face_id for record in gallery.faces(wanted)] == [ids[3], ids[0], ids[4]]


def test_a_folder_holds_what_is_below_it_and_nothing_beside_it(gallery: Gallery) -> None:
    paths = ["/a/b/1.jpg", "/a/b/c/2.jpg", "/a/bc/3.jpg", "/a/b.jpg", "/a/b0/4.jpg", "/A/b/5.jpg", "/a/b/\udc80.jpg"]
    gallery.add_photos([indexed(path, face(i)) for i, path in enumerate(paths)])
    assert set(gallery.known_photos("/a/b")) == {"/a/b/1.jpg", "/a/b/c/2.jpg", "/a/b/\udc80.jpg"}
    assert set(gallery.known_photos("/a/b" + os.sep)) == set(gallery.known_photos("/a/b"))
    assert set(gallery.known_photos("/")) == set(paths)
    assert gallery.face_matrix(MODEL, ["/a/b"]).face_ids.size == 3
    assert gallery.face_matrix(MODEL, ["/a/b", "/A", "/a/b/c"]).face_ids.size == 4
    assert gallery.face_matrix(MODEL, []).face_ids.size == 0


@pytest.mark.parametrize(
    "path",
    [
        os.fsdecode(b"/photos/caf\xe9.jpg"),
        "/photos/\ud800 unpaired.jpg",
        "/photos/\ufdd0dc80.jpg",
        "/photos/100% 'quoted' \"\\ ;--.jpg",
        "/photos/new\nline.jpg",
        "/photos/" + "ü" * 120 + ".jpg",
        "/photos/🙂.jpg",
    ],
)
def test_any_file_name_survives(gallery: Gallery, path: str) -> None:
    gallery.add_photos([indexed(path, face(1))])
    assert list(gallery.known_photos("/photos")) == [path]
    gallery.enroll("Anna", [NewSample(face(1), path)])
    assert gallery.counts().photos == 1
    assert gallery.samples(1)[0].photo_path == path


def test_different_paths_are_stored_differently() -> None:
    paths = ["\udc80", "\ufdd0dc80", "\ufdd0", "\ufdd0fdd0", "dc80", "\ud800"]
    stored = [escape_path(path) for path in paths]
    assert len(set(stored)) == len(paths)
    for text in stored:
        text.encode()


def test_reading_a_photo_again_replaces_its_faces(gallery: Gallery) -> None:
    first = gallery.add_photos([indexed("/1.jpg", face(1), face(50))])
    gallery.face_matrix(MODEL)
    second = gallery.add_photos([indexed("/1.jpg", face(2), stamp=9)])
    assert first.photos == second.photos
    assert gallery.known_photos("/")["/1.jpg"].mtime_ns == 9
    assert gallery.counts().faces == 1
    assert set(gallery.face_matrix(MODEL).face_ids.tolist()) == second.faces - first.faces


def test_a_path_twice_in_one_batch_counts_once(gallery: Gallery) -> None:
    gallery.add_photos([indexed("/1.jpg", face(1)), indexed("/1.jpg", face(2), face(70))])
    assert gallery.counts().faces == 2


def test_enrolling_from_an_indexed_photo_adds_no_second_face(gallery: Gallery) -> None:
    (face_id,) = gallery.add_photos([indexed("/1.jpg", face(1))]).faces
    _, change = gallery.enroll("Anna", [NewSample(face(1), "/1.jpg")])
    assert change.faces == {face_id}
    assert gallery.face_matrix(MODEL).face_ids.tolist() == [face_id]
    assert gallery.template_matrix(MODEL).face_ids.tolist() == [face_id]
    # Enrolled crops are exact, the index's are not.
    np.testing.assert_array_equal(gallery.crop(face_id), face(1).crop)


def test_another_face_of_an_indexed_photo_is_a_sample_of_its_own(gallery: Gallery) -> None:
    gallery.add_photos([indexed("/1.jpg", face(1, box=Box(0, 0, 50, 50)))])
    gallery.enroll("Anna", [NewSample(face(2, box=Box(300, 0, 50, 50)), "/1.jpg")])
    assert gallery.face_matrix(MODEL).face_ids.size == 1
    assert gallery.template_matrix(MODEL).face_ids.size == 1


def test_one_face_enrolled_as_two_people_is_ranked_once(gallery: Gallery) -> None:
    gallery.add_photos([indexed("/1.jpg", face(1))])
    gallery.enroll("Anna", [NewSample(face(1), "/1.jpg")])
    gallery.enroll("Béla", [NewSample(face(1), "/1.jpg")])
    assert gallery.face_matrix(MODEL).face_ids.size == 1
    assert gallery.template_matrix(MODEL).people.size == 2


def test_a_changed_file_is_not_taken_for_the_face_that_was_in_it(gallery: Gallery) -> None:
    gallery.add_photos([indexed("/1.jpg", face(1))])
    gallery.enroll("Anna", [NewSample(face(1), "/1.jpg", content_hash="f" * 64)])
    assert gallery.faces(gallery.face_matrix(MODEL).face_ids.tolist())[0].person_id is None


def test_indexing_a_photo_that_a_sample_came_from_adds_no_second_face(gallery: Gallery) -> None:
    anna, change = gallery.enroll("Anna", [NewSample(face(1), "/1.jpg")])
    assert gallery.face_matrix(MODEL).face_ids.size == 0
    assert gallery.known_photos("/") == {}
    gallery.add_photos([indexed("/1.jpg", face(1), face(60))])
    matrix = gallery.face_matrix(MODEL)
    assert matrix.face_ids.size == 2
    assert change.faces <= set(matrix.face_ids.tolist())
    assert len(gallery.samples(anna)) == 1
    assert gallery.counts().photos == 1


def test_an_enrolled_face_outlives_its_photo(gallery: Gallery) -> None:
    anna, _ = gallery.enroll("Anna", [NewSample(face(1), "/1.jpg")])
    gallery.add_photos([indexed("/1.jpg", face(1)), indexed("/2.jpg", face(2))])
    assert gallery.face_matrix(MODEL).face_ids.size == 2
    # The file was changed: its new face is somebody else's.
    changed = indexed("/1.jpg", face(3))
    object.__setattr__(changed, "content_hash", "e" * 64)
    gallery.add_photos([changed])
    assert len(gallery.samples(anna)) == 1
    assert gallery.face_matrix(MODEL).face_ids.size == 2
    # The folder was forgotten.
    gallery.forget_photos([stamp.photo_id for stamp in gallery.known_photos("/").values()])
    assert gallery.known_photos("/") == {}
    assert gallery.face_matrix(MODEL).face_ids.size == 0
    assert [one.photo_path for one in gallery.samples(anna)] == ["/1.jpg"]
    assert gallery.counts().faces == 0


def test_a_moved_photo_keeps_its_faces(gallery: Gallery) -> None:
    change = gallery.add_photos([indexed("/old/1.jpg", face(1)), indexed("/new/1.jpg", face(2))])
    anna, _ = gallery.enroll("Anna", [NewSample(face(2), "/new/1.jpg")])
    moved = gallery.known_photos("/old")["/old/1.jpg"].photo_id
    assert gallery.face_matrix(MODEL, ["/new"]).face_ids.size == 1
    gallery.relocate(moved, "/new/1.jpg", 77, 88)
    assert gallery.known_photos("/old") == {}
    stamp = gallery.known_photos("/new")["/new/1.jpg"]
    assert (stamp.photo_id, stamp.size, stamp.mtime_ns) == (moved, 77, 88)
    matrix = gallery.face_matrix(MODEL, ["/new"])
    assert matrix.photo_ids.tolist() == [moved]
    assert matrix.face_ids[0] == min(change.faces)
    assert len(gallery.samples(anna)) == 1


def test_a_matrix_is_kept_until_something_changes_and_then_only_grows(gallery: Gallery) -> None:
    gallery.add_photos([indexed(f"/{i}.jpg", face(i)) for i in range(4)])
    first = gallery.face_matrix(MODEL)
    assert gallery.face_matrix(MODEL).vectors.base is first.vectors.base
    np.testing.assert_array_equal(first.vectors, np.stack([unit(i) for i in range(4)]))
    gallery.add_photos([indexed(f"/{i}.jpg", face(i)) for i in range(4, 6)])
    second = gallery.face_matrix(MODEL)
    np.testing.assert_array_equal(second.vectors, np.stack([unit(i) for i in range(6)]))
    assert second.vectors.flags.c_contiguous
    assert first.vectors.shape[0] == 4
    np.testing.assert_array_equal(second.face_ids[:4], first.face_ids)
    gallery.forget_photos([int(first.photo_ids[1])])
    third = gallery.face_matrix(MODEL)
    np.testing.assert_array_equal(third.vectors, np.stack([unit(i) for i in (0, 2, 3, 4, 5)]))
    with pytest.raises(ValueError, match="read-only"):
        third.vectors[0, 0] = 0


def test_another_process_is_noticed_by_the_matrices(gallery: Gallery) -> None:
    gallery.enroll("Anna", [sample(1)])
    gallery.add_photos([indexed("/1.jpg", face(5))])
    assert gallery.template_matrix(MODEL).vectors.shape[0] == gallery.face_matrix(MODEL).vectors.shape[0] == 1
    heard: list[bool] = []
    gallery.subscribe(lambda change: heard.append(change.everything))
    assert not gallery.poll()
    with Gallery.open(gallery.file) as other:
        other.enroll("Béla", [sample(2)])
        other.add_photos([indexed("/2.jpg", face(6))])
    assert gallery.template_matrix(MODEL).vectors.shape[0] == gallery.face_matrix(MODEL).vectors.shape[0] == 2
    assert gallery.poll()
    assert not gallery.poll()
    assert heard == [True]
    with Gallery.open(gallery.file) as other:
        other.record(decision())
    assert gallery.poll()


def test_vectors_of_different_models_never_mix(gallery: Gallery) -> None:
    gallery.add_photos([indexed("/1.jpg", face(1)), indexed("/2.jpg", face(2, model=OTHER_MODEL, vector=unit(2, 48)))])
    gallery.enroll("Anna", [sample(3)])
    assert gallery.face_matrix(MODEL).vectors.shape == (1, 32)
    assert gallery.face_matrix(OTHER_MODEL).vectors.shape == (1, 48)
    assert gallery.template_matrix(OTHER_MODEL).vectors.shape[0] == 0
    assert gallery.face_matrix("0" * 64).vectors.shape == (0, 0)
    assert {path: stamp.embedded for path, stamp in gallery.known_photos("/", MODEL).items()} == {
        "/1.jpg": True,
        "/2.jpg": False,
    }


def test_switching_the_model_embeds_the_stored_crops_and_can_be_broken_off(gallery: Gallery) -> None:
    gallery.add_photos([indexed(f"/{i}.jpg", face(i)) for i in range(3)] + [indexed("/none.jpg")])
    anna, change = gallery.enroll("Anna", [sample(9)])
    assert gallery.pending_count(MODEL) == 0
    assert gallery.pending_count(OTHER_MODEL) == 4
    assert not any(s.embedded for p, s in gallery.known_photos("/", OTHER_MODEL).items() if p != "/none.jpg")
    matrix = gallery.face_matrix(OTHER_MODEL)
    assert matrix.face_ids.size == 0
    pending = gallery.reembed_pending(OTHER_MODEL)
    for _ in range(2):
        face_id, crop = next(pending)
        assert crop.shape == (112, 112, 3)
        gallery.store_embeddings(OTHER_MODEL, [(face_id, unit(face_id, 48))])
    pending.close()
    assert gallery.face_matrix(OTHER_MODEL).face_ids.size == 2
    rest = list(gallery.reembed_pending(OTHER_MODEL))
    assert len(rest) == gallery.pending_count(OTHER_MODEL) == 2
    gallery.store_embeddings(OTHER_MODEL, [(face_id, unit(face_id, 48)) for face_id, _ in rest])
    assert gallery.pending_count(OTHER_MODEL) == 0
    assert all(stamp.embedded for stamp in gallery.known_photos("/", OTHER_MODEL).values())
    templates = gallery.template_matrix(OTHER_MODEL)
    np.testing.assert_array_equal(templates.vectors[0], unit(next(iter(change.faces)), 48))
    assert templates.names == {anna: "Anna"}
    assert gallery.face_matrix(MODEL).face_ids.size == 3


def test_a_vector_for_a_deleted_face_is_left_out(gallery: Gallery) -> None:
    anna, change = gallery.enroll("Anna", [sample(1)])
    gallery.delete_person(anna)
    gallery.store_embeddings(OTHER_MODEL, [(next(iter(change.faces)), unit(1))])
    assert gallery.embeddings(change.faces) == {}


def test_a_corrected_vector_replaces_the_old_one(gallery: Gallery) -> None:
    (face_id,) = gallery.add_photos([indexed("/1.jpg", face(1))]).faces
    gallery.face_matrix(MODEL)
    gallery.store_embeddings(MODEL, [(face_id, unit(77))])
    np.testing.assert_array_equal(gallery.face_matrix(MODEL).vectors[0], unit(77))
