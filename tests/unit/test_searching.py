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
from facegui.faces.types import Embedding
from facegui.gallery.streams import FaceTable
from facegui.lookalikes.filters import Filters, filtered
from facegui.lookalikes.ranking import Ranking
from facegui.services import Services
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


def test_the_index_is_taken_up_by_the_next_start(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nearest(services, 7)[0] == 8
    where = services.gallery.file
    services.close()
    monkeypatch.setattr("facegui.lookalikes.vector_index.VectorIndex.make", None)
    with Services(gallery=where) as again:
        again.catalog.tables["index"]["exact_up_to"] = 100
        assert nearest(again, 7)[0] == 8


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
)
RANKING = Ranking(
    np.array([3, 1, 2, 6, 5, 4]), np.array([2, 1, 1, 5, 4, 3]),
    np.array([0.9, 0.8, 0.6, 0.5, 0.4, 0.1], np.float32), 6,
)  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [3, 1, 2, 6, 5, 4]),
        (Filters(least=0.45, most=0.85), [1, 2, 6]),
        (Filters(since=datetime(2021, 1, 1), until=datetime(2022, 6, 1)), [3, 4]),
        (Filters(face_size=50), [3, 1, 6, 5]),
        (Filters(quality=0.65), [3, 1, 4]),
        (Filters(one_per="photo"), [3, 1, 6, 5, 4]),
        (Filters(one_per="person"), [3, 2, 6, 5]),
        (Filters(hidden_people=frozenset({7})), [2, 6, 5, 4]),
        (Filters(hidden_clusters=frozenset({3})), [3, 1, 2, 6]),
    ],
)
def test_filters_leave_out_what_they_say(filters: Filters, expected: list[int]) -> None:
    assert filtered(RANKING, TABLE, filters).face_ids.tolist() == expected


def test_photos_outside_and_unknown_faces_are_left_out() -> None:
    assert filtered(RANKING, TABLE, Filters(), np.array([1, 5])).face_ids.tolist() == [1, 2, 6]
    other = replace(RANKING, face_ids=RANKING.face_ids + 4)
    assert filtered(other, TABLE, Filters()).face_ids.tolist() == [5, 6]
