"""Rankings of very many faces by the index on disk, kept up with the gallery; probes of several photos; filters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import face, indexed, unit

from facegui import paths
from facegui.faces.types import Embedding, Frame, Photo
from facegui.gallery.backup import restore
from facegui.gallery.store import Gallery
from facegui.gallery.tables import FaceTable
from facegui.lookalikes.filters import Filters, Sieve
from facegui.lookalikes.ranking import Ranking
from facegui.services import Services
from facegui.services.browsing import browse
from facegui.services.fusing import Member, fuse
from facegui.services.people import group_faces
from facegui.services.searching import fused_probe, ranked


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A gallery of three hundred faces that is told to count as very large."""
    with Services(gallery=tmp_path / "gallery.sqlite") as made:
        made.catalog.tables["index"]["exact_up_to"] = 100
        add(made, range(300))
        yield made


def vector(seed: int, model: str) -> Embedding:
    return Embedding(unit(seed, 320), model)


def add(services: Services, seeds: range) -> None:
    model = services.model.sha256
    one = face(1, model=None)
    services.gallery.add_photos(
        [indexed(f"/{'a' if n % 2 else 'b'}/{n}.jpg", replace(one, embedding=vector(n, model))) for n in seeds]
    )


def nearest(services: Services, seed: int) -> list[int]:
    return ranked(services, unit(seed, 320), top=5).face_ids.tolist()


def test_the_index_on_disk_follows_the_gallery(services: Services) -> None:
    assert nearest(services, 7)[0] == 8
    assert len(list(paths.cache_dir().glob("index-*"))) == 1
    add(services, range(300, 310))
    assert nearest(services, 305)[0] == 306
    photo = services.gallery.faces([306])[0].photo_id
    services.gallery.forget_photos([photo])
    assert 306 not in nearest(services, 305)
    assert ranked(services, unit(1, 320)).searched == 309


def remains(services: Services, seeds: range) -> set[int]:
    """Those of the generated faces whose numbers can be read in the search index on disk."""
    found = set()
    for folder in paths.cache_dir().glob("index-*"):
        axes = np.fromfile(folder / "axes.f32", np.float32).reshape(320, -1)
        rows = np.fromfile(folder / "rows.i16", np.int16).reshape(-1, axes.shape[1]).astype(np.float32)
        lengths = np.maximum(np.linalg.norm(rows, axis=1), 1.0)
        for seed in seeds:
            found |= {seed} if ((rows @ (unit(seed, 320) @ axes)) / lengths > 0.99).any() else set()
    return found


def test_faces_that_are_erased_leave_the_index_at_once(services: Services) -> None:
    nearest(services, 7)
    assert remains(services, range(10)) == set(range(10))
    services.gallery.forget_photos([services.gallery.faces([6])[0].photo_id])
    person, _ = services.gallery.enroll_faces("Anna", [4, 9])
    change = services.gallery.delete_person(person)
    assert remains(services, range(10)) == set(range(10)) - {3, 5, 8}
    assert change.undo is not None
    services.gallery.undo(change.undo)
    assert nearest(services, 3)[0] == 4


def test_what_was_erased_while_no_index_was_open_goes_at_the_next_start(services: Services) -> None:
    nearest(services, 7)
    where, model = services.gallery.file, services.model.sha256
    services.close()
    with Gallery.open(where) as alone:  # as a program that was killed before it came to its index
        alone.forget_photos([alone.faces([6])[0].photo_id])
        before = alone.stamp()
    assert 5 in remains(services, range(10))
    with Services(gallery=where) as again:
        assert again.gallery.stamp() == before
        assert remains(again, range(10)) == set(range(10)) - {5}
        again.catalog.tables["index"]["exact_up_to"] = 100
        assert nearest(again, 7)[0] == 8
        assert ranked(again, unit(1, 320)).searched == 299
        assert again.model.sha256 == model


def test_the_index_of_a_gallery_that_was_replaced_or_deleted_goes(services: Services, tmp_path: Path) -> None:
    backup = services.gallery.backup(tmp_path / "backup.sqlite")
    nearest(services, 7)
    half_made = paths.cache_dir() / "index-abc-def.xyz" / "new"
    half_made.mkdir(parents=True)
    restore(backup, services.gallery.file)
    services.gallery.poll()
    assert not list(paths.cache_dir().glob("index-*"))
    nearest(services, 7)
    with Services(gallery=tmp_path / "other.sqlite") as other:
        assert other.gallery.counts().faces == 0
        assert len(list(paths.cache_dir().glob("index-*"))) == 1
        where = services.gallery.file
        services.close()
        where.unlink()
    with Services(gallery=tmp_path / "other.sqlite") as other:
        assert other.gallery.counts().faces == 0
        assert not list(paths.cache_dir().glob("index-*"))


def test_the_index_is_taken_up_by_the_next_start(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nearest(services, 7)[0] == 8
    where = services.gallery.file
    services.close()
    monkeypatch.setattr("facegui.lookalikes.vector_index.VectorIndex.make", None)
    with Services(gallery=where) as again:
        again.catalog.tables["index"]["exact_up_to"] = 100
        assert nearest(again, 7)[0] == 8


def test_two_programs_that_bring_one_index_up_to_date_find_the_same(services: Services) -> None:
    with Services(gallery=services.gallery.file) as other:
        other.catalog.tables["index"]["exact_up_to"] = 100
        assert nearest(services, 7) == nearest(other, 7)
        for seed in range(300, 330, 3):  # by turns each adds what the other does not know of
            add(services, range(seed, seed + 3))
            first, second = (services, other) if seed % 2 else (other, services)
            assert nearest(first, seed)[0] == seed + 1
            assert nearest(second, seed)[0] == seed + 1
        gone = [record.photo_id for record in other.gallery.faces(range(1, 100))]
        other.gallery.forget_photos(gone)  # so many that the index is built anew
        for one in (services, services, other):
            assert 50 not in nearest(one, 49)
        add(other, range(400, 405))
        for one in (services, other):
            order = ranked(one, unit(402, 320)).face_ids.tolist()
            assert sorted(order) == [*range(100, 331), *range(331, 336)]
            assert order[0] == 333
            assert all(nearest(one, seed)[0] == seed + 1 for seed in range(100, 330, 10))
        assert len(list(paths.cache_dir().glob("index-*"))) == 1


def test_a_damaged_index_is_built_anew(services: Services) -> None:
    nearest(services, 7)
    where = services.gallery.file
    (next(paths.cache_dir().glob("index-*")) / "rows.i16").write_bytes(b"")
    services.close()
    with Services(gallery=where) as again:
        again.catalog.tables["index"]["exact_up_to"] = 100
        assert nearest(again, 7)[0] == 8


def test_a_vector_that_changes_is_found_by_its_new_value(services: Services) -> None:
    assert nearest(services, 7)[0] == 8
    services.gallery.enroll_faces("Anna", [8])
    services.gallery.store_embeddings(services.model.sha256, [(8, unit(9999, 320))])
    assert nearest(services, 9999)[0] == 8
    assert 8 not in nearest(services, 7)


def test_only_photos_of_a_folder_are_ranked(services: Services) -> None:
    photos = services.gallery.photos_within(["/a"])
    assert len(photos) == 150
    found = ranked(services, unit(7, 320), folders=["/a"], top=20)
    assert found.searched == 150
    assert set(found.photo_ids.tolist()) <= set(photos.tolist())
    services.catalog.tables["index"]["exact_up_to"] = sys.maxsize
    exact = ranked(services, unit(7, 320), folders=["/a"], top=20)
    np.testing.assert_array_equal(exact.face_ids, found.face_ids)


def test_among_very_many_all_are_put_in_order_and_filtered(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = replace(face(7), embedding=vector(7, services.model.sha256))
    sieve = browse(services, probe)
    assert (len(sieve.ranking), sieve.ranking.searched) == (300, 300)
    assert dict(sieve.folders) == {"/a": 150, "/b": 150}
    assert len(sieve.passing(Filters(folder="/b"))) == 150
    services.catalog.tables["index"]["exact_up_to"] = sys.maxsize
    exact = browse(services, probe)
    np.testing.assert_allclose(exact.ranking.similarities, sieve.ranking.similarities, atol=1e-3)
    assert exact.ranking.above(0.05) == pytest.approx(sieve.ranking.above(0.05), abs=2)
    services.catalog.tables["index"]["exact_up_to"] = 100
    monkeypatch.setattr("facegui.services.browsing.NEAR", 50)
    near = browse(services, probe, near=True)
    assert (len(near.ranking), near.ranking.searched) == (50, 300)
    assert near.ranking.face_ids[0] == 8


def test_a_fused_probe_lies_between_its_photos(services: Services) -> None:
    model = services.model.sha256
    faces = [replace(face(n), embedding=vector(n, model)) for n in (1, 2)]
    fused = fused_probe(services, faces)
    assert 0.5 < np.linalg.norm(fused) < 1.0
    assert fused @ unit(1, 320) == pytest.approx(fused @ unit(2, 320), abs=1e-5)
    assert fused_probe(services, faces[:1]) == pytest.approx(unit(1, 320), abs=1e-6)


TABLE = FaceTable(
    np.arange(1, 7),
    np.array([1, 1, 2, 3, 4, 5]),
    np.array([0.9, 0.2, 0.8, 0.7, 0.6, 0.5], np.float32),
    np.array([100, 30, 80, 20, 90, 60], np.float32),
    np.array(["2020-01-01", None, "2021-06-01", "2022-01-01", None, "2023-01-01"], "datetime64[s]"),
    np.array([7, -1, 7, -1, -1, -1]),
    np.array([-1, 7, -1, 3, 3, -1]),
    np.array([0, 0, 1, 2, 2, 3], np.int32),
    ("/a", "/a/b", "/ab", "/c"),
)
RANKING = Ranking(
    np.array([3, 1, 2, 6, 5, 4]), np.array([2, 1, 1, 5, 4, 3]),
    np.array([0.9, 0.8, 0.6, 0.5, 0.4, 0.1], np.float32), 6,
)  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [3, 1, 2, 6, 5, 4]),
        (Filters(least=0.45, below=0.8), [2, 6]),
        (Filters(since=datetime(2021, 1, 1), until=datetime(2022, 6, 1)), [3, 4]),
        (Filters(face_size=50), [3, 1, 6, 5]),
        (Filters(quality=0.65), [3, 1, 4]),
        (Filters(one_per="photo"), [3, 1, 6, 5, 4]),
        (Filters(one_per="person"), [3, 2, 6, 5]),
        (Filters(hidden_people=frozenset({7})), [2, 6, 5, 4]),
        (Filters(hidden_clusters=frozenset({3})), [3, 1, 2, 6]),
        (Filters(folder="/a"), [3, 1, 2]),
        (Filters(folder="/a/", quality=0.5), [3, 1]),
    ],
)
def test_filters_leave_out_what_they_say(filters: Filters, expected: list[int]) -> None:
    assert Sieve(RANKING, TABLE).passing(filters).face_ids.tolist() == expected


def test_faces_that_the_table_lacks_are_shown_until_something_is_asked_that_is_not_known_of_them() -> None:
    sieve = Sieve(replace(RANKING, face_ids=RANKING.face_ids + 4), TABLE)
    assert sieve.passing(Filters()).face_ids.tolist() == [7, 5, 6, 10, 9, 8]
    assert sieve.passing(Filters(quality=0.1)).face_ids.tolist() == [5, 6]
    assert sieve.passing(Filters(folder="/")).face_ids.tolist() == [5, 6]


def test_the_probes_own_person_is_known_from_the_best_face_above_the_threshold() -> None:
    sieve = Sieve(RANKING, TABLE)
    assert sieve.same_person(0.85) == (frozenset({7}), frozenset())
    assert sieve.same_person(0.95) == (frozenset(), frozenset())


def test_a_sieve_tells_the_folders_and_years_that_there_are() -> None:
    sieve = Sieve(RANKING, TABLE)
    assert dict(sieve.folders) == {"/a": 2, "/a/b": 1, "/ab": 2, "/c": 1}
    assert (sieve.years, sieve.dated) == ((2020, 2021, 2022, 2023), 4)


def test_the_table_of_faces_follows_the_gallery(services: Services) -> None:
    gallery = services.gallery
    table = gallery.face_table()
    assert len(table.face_ids) == 300
    assert gallery.face_table() is table, "nothing changed, nothing is read"
    add(services, range(300, 310))
    grown = gallery.face_table()
    assert np.array_equal(grown.face_ids, np.arange(1, 311))
    assert [grown.folder_names[n] for n in grown.folders[[0, 1, 309]]] == ["/b", "/a", "/a"]
    gallery.enroll_faces("Anna", [8])
    assert gallery.face_table().person_ids[7] > 0
    gallery.forget_photos([int(grown.photo_ids[0])])
    assert np.array_equal(gallery.face_table().face_ids, np.arange(2, 311))


def test_the_table_of_faces_sees_groups_that_were_made_or_changed(services: Services) -> None:
    gallery = services.gallery
    assert set(gallery.face_table().clusters.tolist()) == {-1}
    add(services, range(300, 303))
    vectors = [(n, unit(5000, 320)) for n in (301, 302, 303)]
    gallery.store_embeddings(services.model.sha256, vectors)
    for _ in group_faces(services):
        pass
    clusters = gallery.face_table().clusters
    assert clusters[300] == clusters[301] == clusters[302] != -1
    gallery.reject_faces([303])
    assert gallery.face_table().clusters[302] == -1


def test_photos_that_disagree_are_told_apart(services: Services) -> None:
    model = services.model.sha256
    frame = Frame(np.zeros((8, 8, 3), np.uint8), "x.jpg")

    def member(seed: int, towards: int | None = None) -> Member:
        mixed = unit(seed, 320) if towards is None else unit(towards, 320) + 0.3 * unit(seed, 320)
        embedding = Embedding((mixed / np.linalg.norm(mixed)).astype(np.float32), model)
        return Member(Photo(frame, (replace(face(seed), embedding=embedding),)), 0)

    alike = [member(n, towards=1) for n in (11, 12, 13)]
    assert [one.odd for one in fuse(services, alike).members] == [False] * 3
    assert fuse(services, alike).least > 0.8
    stranger = member(99)
    found = fuse(services, [*alike, stranger])
    assert [one.face is stranger.face for one in found.members if one.odd] == [True]
    assert found.least < 0.3
    assert not any(one.odd for one in fuse(services, [alike[0], stranger]).members), "which of two, nobody can say"
    assert fuse(services, alike[:1]).least == 1.0
