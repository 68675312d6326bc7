"""The index of very many faces: what it finds, growing, forgetting, reopening, and an interrupted write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.lookalikes.vector_index import IndexLimits, VectorIndex

DIMENSION = 64
LIMITS = IndexLimits.from_table(Catalog().tables["index"])


def faces(count: int, seed: int = 0) -> np.ndarray:
    """Unit vectors that fill some directions more than others, as those of a network do."""
    rng = np.random.default_rng(seed)
    weights = np.geomspace(1.0, 0.01, DIMENSION)
    mixing = np.linalg.qr(np.random.default_rng(99).normal(size=(DIMENSION, DIMENSION)))[0]
    centres = rng.normal(size=(max(1, count // 8), DIMENSION))
    made = (
        (centres[rng.integers(0, len(centres), count)] + 0.5 * rng.normal(size=(count, DIMENSION))) * weights @ mixing
    )
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def vectors() -> np.ndarray:
    return faces(6000)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "index"
    vectors = faces(6000)
    ids = np.arange(6000) + 100
    halves = [(vectors[some], ids[some], ids[some] // 3) for some in (slice(0, 3500), slice(3500, None))]
    VectorIndex.build(folder, vectors, halves, LIMITS, {"last": 5})
    return folder


@pytest.fixture
def index(tmp_path: Path, built: Path) -> VectorIndex:
    shutil.copytree(built, tmp_path / "index")
    return VectorIndex.open(tmp_path / "index")


def recall(index: VectorIndex, vectors: np.ndarray, k: int) -> float:
    found = 0
    for query in faces(40, seed=7):
        places, scores = index.search(query, k)
        expected = np.argsort(-(vectors @ query))[:k]
        found += len(np.intersect1d(places, expected))
        np.testing.assert_allclose(scores, vectors[places] @ query, atol=2e-3)
        assert np.all(np.diff(scores) <= 0)
    return found / 40 / k


def test_nearly_all_of_the_nearest_are_found(index: VectorIndex, vectors: np.ndarray) -> None:
    assert recall(index, vectors, 10) >= 0.99
    assert recall(index, vectors, 50) >= 0.98


def test_a_face_is_its_own_nearest(index: VectorIndex, vectors: np.ndarray) -> None:
    places, scores = index.search(vectors[123], 1)
    assert index.face_ids[places].tolist() == [223]
    assert index.photo_ids[places].tolist() == [223 // 3]
    assert scores[0] == pytest.approx(1.0, abs=1e-3)


def test_added_faces_are_found_and_are_there_when_it_is_opened_again(index: VectorIndex, tmp_path: Path) -> None:
    more = faces(300, seed=3)
    index.add(more, np.arange(300) + 90_000, np.zeros(300, np.int64), {"last": 9})
    for one in (index, VectorIndex.open(tmp_path / "index")):
        assert len(one) == 6300
        places, _ = one.search(more[7], 1)
        assert one.face_ids[places].tolist() == [90_007]
        assert one.stamp == {"last": 9}


def test_removed_faces_are_found_no_more(index: VectorIndex, vectors: np.ndarray, tmp_path: Path) -> None:
    index.remove(np.array([223, 224]))
    for one in (index, VectorIndex.open(tmp_path / "index")):
        places, _ = one.search(vectors[123], 20)
        assert not {223, 224} & set(one.face_ids[places].tolist())
        assert len(places) == 20
        assert len(one) == 5998


def stored(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


@pytest.mark.parametrize("gone", [[100], [131, 132, 4000, 6099], list(range(100, 6100, 7))])
def test_nothing_of_removed_faces_stays_in_the_files(
    index: VectorIndex, vectors: np.ndarray, tmp_path: Path, gone: list[int]
) -> None:
    folder = tmp_path / "index"
    kept = index.bytes_per_face()
    rows = np.fromfile(folder / "rows.i16", np.int16).reshape(6000, -1)
    coarse = index._meta["coarse"]
    codes = np.stack([index._coarse.reconstruct(place) for place in range(6000)])
    index.remove(np.array(gone), {"last": 6})
    places = np.array(gone) - 100
    left = stored(folder)
    assert not any(rows[place].tobytes() in left for place in places)
    opened = VectorIndex.open(folder)
    assert (opened.stamp, len(opened), opened.bytes_per_face()) == ({"last": 6}, 6000 - len(gone), kept)
    now = np.stack([opened._coarse.reconstruct(place) for place in range(6000)])
    nothing = now[places[0]]
    np.testing.assert_array_equal(now[places], np.broadcast_to(nothing, (len(places), coarse)))
    others = np.setdiff1d(np.arange(6000), places)
    assert np.mean(np.any(now[others] != codes[others], 1)) < 0.01  # coded from 16 bits, some round the other way
    rest = np.delete(vectors, places, 0)
    for one in (index, opened):
        found, scores = one.search(vectors[places[0]], 10)
        assert not set(gone) & set(one.face_ids[found].tolist())
        np.testing.assert_allclose(scores, np.sort(rest @ vectors[places[0]])[::-1][:10], atol=2e-3)


def test_removing_that_was_interrupted_is_done_again(
    index: VectorIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"

    def killed(*_: object) -> None:
        raise OSError(28, "No space left on device")

    row = np.fromfile(folder / "rows.i16", np.int16).reshape(6000, -1)[5]
    with monkeypatch.context() as stopped:
        stopped.setattr("facegui.lookalikes.vector_index._write", killed)
        with pytest.raises(KnownError, match="could not be written"):
            index.remove(np.array([105]), {"last": 6})
    again = VectorIndex.open(folder)
    assert (len(again), again.stamp) == (6000, {"last": 5})
    again.remove(np.array([105]), {"last": 6})
    assert row.tobytes() not in stored(folder)
    assert len(VectorIndex.open(folder)) == 5999


def test_a_face_that_is_added_again_has_its_new_vector_only(index: VectorIndex, vectors: np.ndarray) -> None:
    index.add(-vectors[:1], np.array([100]), np.array([7]))
    assert len(index) == 6000
    assert 100 not in index.face_ids[index.search(vectors[0], 5)[0]].tolist()
    assert index.face_ids[index.search(-vectors[0], 1)[0]].tolist() == [100]


@pytest.mark.parametrize("share", [0.5, 0.01])
def test_a_filter_leaves_as_many_as_were_asked_for(index: VectorIndex, vectors: np.ndarray, share: float) -> None:
    allowed = np.random.default_rng(1).random(len(vectors)) < share
    places, _ = index.search(vectors[5], 20, allowed)
    assert len(places) == 20
    assert allowed[places].all()
    scores = np.where(allowed, vectors @ vectors[5], -2)
    assert len(np.intersect1d(places, np.argsort(-scores)[:20])) >= 19


def test_an_interrupted_write_changes_nothing(index: VectorIndex, tmp_path: Path, vectors: np.ndarray) -> None:
    folder = tmp_path / "index"
    with (folder / "rows.i16").open("ab") as rows, (folder / "numbers.i64").open("ab") as numbers:
        rows.write(b"half a row")
        numbers.write(b"half")
    again = VectorIndex.open(folder)
    assert len(again) == 6000
    more = faces(10, seed=4)
    again.add(more, np.arange(10) + 70_000, np.zeros(10, np.int64))
    opened = VectorIndex.open(folder)
    assert opened.face_ids[opened.search(more[3], 1)[0]].tolist() == [70_003]
    assert opened.face_ids[opened.search(vectors[9], 1)[0]].tolist() == [109]


@pytest.mark.parametrize("damage", ["missing", "cut", "other format", "no json"])
def test_a_damaged_index_is_named_as_such(index: VectorIndex, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "index"
    meta = folder / "index.json"
    if damage == "missing":
        meta.unlink()
    elif damage == "cut":
        (folder / "rows.i16").write_bytes(b"")
    elif damage == "no json":
        meta.write_text("{")
    else:
        meta.write_text(json.dumps({**json.loads(meta.read_text()), "format": 99}))
    with pytest.raises(KnownError, match="cannot be opened"):
        VectorIndex.open(folder)


def test_a_build_that_fails_leaves_the_older_index(
    index: VectorIndex, tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facegui.lookalikes.vector_index._write", full)
    with pytest.raises(KnownError, match="could not be written"):
        VectorIndex.build(tmp_path / "index", vectors, [(vectors, index.face_ids, index.photo_ids)], LIMITS)
    assert len(VectorIndex.open(tmp_path / "index")) == 6000
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("index")] == ["index"]
