"""The folder index: what is read and what is not, cancelling, awkward files, moved files, another model."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gallery_samples import face, unit

from facegui.errors import KnownError
from facegui.faces.types import Embedding, Face, FacePolicy, Frame, Photo
from facegui.gallery.store import Gallery
from facegui.jobs import Partial, Progress, run
from facegui.lookalikes import indexer
from facegui.lookalikes.indexer import IndexBatch, IndexSummary, index_folders
from facegui.services import Services

MODEL = hashlib.sha256(b"first").hexdigest()
OTHER = hashlib.sha256(b"second").hexdigest()


class FakePipeline:
    """Finds as many faces as a frame is high, each with a vector of its own."""

    threads = 1

    def __init__(self, model_id: str = MODEL) -> None:
        self.embedder = SimpleNamespace(model_id=model_id, embed=self._embed_crops, batch=2)
        self.analysed: list[str] = []
        self.problem: Exception | None = None

    def single(self) -> FakePipeline:
        return self

    def analyse(self, frame: Frame, policy: FacePolicy = FacePolicy.ALL, *, embed: bool = True) -> Photo:
        assert not embed
        self.analysed.append(Path(frame.source).name)
        if self.problem is not None:
            raise self.problem
        return Photo(frame, tuple(face(int(frame.pixels[0, 0, 0]) + 100 * n, model=None) for n in range(frame.height)))

    def embed(self, faces: list[Face]) -> list[Face]:
        made = self._embed_crops([one.crop for one in faces])
        return [replace(one, embedding=vector) for one, vector in zip(faces, made, strict=True)]

    def _embed_crops(self, crops: list[Any]) -> list[Embedding]:
        return [Embedding(unit(int(crop[:4, :4].astype(int).sum())), self.embedder.model_id) for crop in crops]


class Decoder:
    """Counts what is decoded; a file's first letter is its number of faces, and ``x`` cannot be used."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.problem: Exception | None = None

    def __call__(self, data: bytes, name: str) -> Frame:
        self.names.append(Path(name).name)
        if self.problem is not None:
            raise self.problem
        if data.startswith(b"x"):
            raise KnownError(f"{name} cannot be used.", "It holds nothing of use.", "Take another.")
        height = int(data[:1])
        pixels = np.full((max(height, 1), 4, 3), sum(data) % 97, np.uint8)
        return Frame(pixels if height else pixels[:0], name, original_size=(4, max(height, 1)))


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.sqlite") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    for name, content in (("a.jpg", b"1a"), ("b.jpg", b"2b"), ("below/c.png", b"0c"), ("broken.jpg", b"x")):
        (folder / name).write_bytes(content)
    (folder / "notes.txt").write_bytes(b"1 not a photo")
    return folder


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture
def index(gallery: Gallery, folder: Path, pipeline: FakePipeline, decoder: Decoder) -> Callable[..., IndexSummary]:
    def make(*folders: Path, **options: Any) -> IndexSummary:
        decoder.names.clear()
        return run(index_folders(gallery, pipeline, folders or (folder,), decoder, **options))  # type: ignore[arg-type]

    return make


def paths(gallery: Gallery, folder: Path) -> set[str]:
    return {str(Path(path).relative_to(folder)) for path in gallery.known_photos(str(folder))}


def touch(path: Path, content: bytes) -> None:
    """Write a file with a time that is surely another than before."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_bytes(content)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_a_folder_is_read_with_what_lies_below_it(index, gallery: Gallery, folder: Path) -> None:
    summary = index()
    assert (summary.new, summary.changed, summary.unchanged, summary.removed) == (4, 0, 0, 0)
    assert (summary.faces, summary.without_face, summary.photos) == (3, 1, 4)
    assert [(Path(item.path).name, item.reason) for item in summary.skipped] == [
        ("broken.jpg", "It holds nothing of use. Take another.")
    ]
    assert paths(gallery, folder) == {"a.jpg", "b.jpg", "below/c.png", "broken.jpg"}
    assert len(gallery.face_matrix(MODEL, [str(folder)]).face_ids) == 3


def test_a_second_visit_reads_nothing_and_still_names_what_was_skipped(index, decoder: Decoder) -> None:
    first = index()
    second = index()
    assert decoder.names == []
    assert (second.new, second.changed, second.unchanged, second.faces) == (0, 0, 4, 0)
    assert second.skipped == first.skipped


def test_a_roundabout_name_of_a_folder_is_the_same_folder(index, gallery: Gallery, folder: Path) -> None:
    index()
    again = index(folder / "below" / "..")
    assert (again.new, again.unchanged) == (0, 4)
    assert paths(gallery, folder) == {"a.jpg", "b.jpg", "below/c.png", "broken.jpg"}


def test_only_new_and_changed_files_are_read(index, gallery: Gallery, folder: Path, decoder: Decoder) -> None:
    index()
    touch(folder / "a.jpg", b"3a")
    touch(folder / "new.jpg", b"1n")
    summary = index()
    assert sorted(decoder.names) == ["a.jpg", "new.jpg"]
    assert (summary.new, summary.changed, summary.unchanged) == (1, 1, 3)
    assert len(gallery.face_matrix(MODEL).face_ids) == 3 + 2 + 1


def test_what_was_skipped_is_tried_again_on_wish_or_when_it_changed(index, folder: Path, decoder: Decoder) -> None:
    index()
    assert index(retry_skipped=True).changed == 1
    assert decoder.names == ["broken.jpg"]
    touch(folder / "broken.jpg", b"1")
    assert index().skipped == ()
    assert decoder.names == ["broken.jpg"]


def test_a_file_of_which_only_the_time_changed_is_not_searched_again(
    index, gallery: Gallery, folder: Path, decoder: Decoder
) -> None:
    index()
    known = gallery.known_photos(str(folder))[str(folder / "b.jpg")]
    before = [record.face_id for record in gallery.photo_faces(known.photo_id)]
    touch(folder / "b.jpg", b"2b")
    summary = index()
    assert decoder.names == []
    assert (summary.unchanged, summary.changed, summary.moved, summary.new) == (4, 0, 0, 0)
    photo = gallery.known_photos(str(folder))[str(folder / "b.jpg")]
    assert [record.face_id for record in gallery.photo_faces(photo.photo_id)] == before
    assert index().seconds >= 0
    assert photo.mtime_ns == (folder / "b.jpg").stat().st_mtime_ns


def test_links_are_followed_by_choice(index, gallery: Gallery, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "d.jpg").write_bytes(b"1d")
    (folder / "linked").symlink_to(outside)
    (folder / "e.jpg").symlink_to(folder / "a.jpg")
    (folder / "circle").symlink_to(folder)
    index(follow_links=False)
    assert "e.jpg" not in paths(gallery, folder)
    assert len(paths(gallery, folder)) == 4
    index()
    assert {"e.jpg", "linked/d.jpg"} <= paths(gallery, folder)


def test_a_disk_that_is_not_mounted_keeps_its_results(
    index, gallery: Gallery, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = {str(folder)}
    monkeypatch.setattr(os.path, "ismount", lambda place: str(place) in {*mounted, "/"})
    index()
    before = paths(gallery, folder)
    shutil.move(folder, folder.with_name("in the drawer"))
    folder.mkdir()  # an empty mount point, as it is left behind
    mounted.clear()
    with pytest.raises(KnownError, match="cannot be read"):
        index()
    assert paths(gallery, folder) == before
    assert len(gallery.away_photos()) == 4
    folder.rmdir()
    shutil.move(folder.with_name("in the drawer"), folder)
    mounted.add(str(folder))
    assert index().unchanged == 4
    assert not gallery.away_photos()


def test_a_run_that_is_killed_at_any_moment_loses_and_doubles_nothing(index, gallery: Gallery, folder: Path) -> None:
    for number in range(300):
        (folder / f"{number:03d}.jpg").write_bytes(f"{number % 3} {number:03d}".encode())
    script = Path(__file__).with_name("killed_index.py")
    for seconds in (0.15, 0.5):
        command = [sys.executable, str(script), str(gallery.file), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begins\n"
            time.sleep(seconds)
            child.kill()
    killed_after = len(gallery.known_photos(str(folder)))
    index()
    known = gallery.known_photos(str(folder))
    assert len(known) == 304
    assert 0 < killed_after <= 304
    for path, stamp in known.items():
        content = Path(path).read_bytes()
        expected = 0 if content.startswith(b"x") else int(content[:1])
        assert len(gallery.photo_faces(stamp.photo_id)) == expected, path
    counts = gallery.counts()
    assert counts.photos == 304
    assert len(gallery.face_matrix(MODEL).face_ids) == counts.faces


def test_a_removed_file_disappears(index, gallery: Gallery, folder: Path) -> None:
    index()
    (folder / "b.jpg").unlink()
    summary = index()
    assert summary.removed == 1
    assert "b.jpg" not in paths(gallery, folder)
    assert len(gallery.face_matrix(MODEL).face_ids) == 1


def test_a_renamed_file_keeps_its_faces_and_is_not_searched_again(
    index, gallery: Gallery, folder: Path, decoder: Decoder
) -> None:
    index()
    before = set(gallery.face_matrix(MODEL).face_ids.tolist())
    (folder / "b.jpg").rename(folder / "below" / "other name.jpg")
    summary = index()
    assert (summary.moved, summary.new, summary.removed) == (1, 0, 0)
    assert decoder.names == []
    assert set(gallery.face_matrix(MODEL).face_ids.tolist()) == before
    assert paths(gallery, folder) == {"a.jpg", "below/other name.jpg", "below/c.png", "broken.jpg"}


def test_two_copies_of_a_file_that_is_gone_are_one_move_and_one_new_photo(
    index, gallery: Gallery, folder: Path, decoder: Decoder
) -> None:
    index()
    content = (folder / "a.jpg").read_bytes()
    (folder / "a.jpg").unlink()
    touch(folder / "copy 1.jpg", content)
    touch(folder / "copy 2.jpg", content)
    summary = index()
    assert (summary.moved, summary.new, summary.removed) == (1, 1, 0)
    assert len(decoder.names) == 1
    assert len(gallery.face_matrix(MODEL).face_ids) == 4


def test_a_renamed_folder_is_followed_whole(index, gallery: Gallery, folder: Path, decoder: Decoder) -> None:
    index()
    (folder / "below").rename(folder / "elsewhere")
    summary = index()
    assert (summary.moved, decoder.names) == (1, [])
    assert "elsewhere/c.png" in paths(gallery, folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not hold this user back")
def test_a_folder_that_cannot_be_looked_into_keeps_what_it_had(index, gallery: Gallery, folder: Path) -> None:
    index()
    (folder / "below").chmod(0)
    try:
        assert index().removed == 0
        assert "below/c.png" in paths(gallery, folder)
    finally:
        (folder / "below").chmod(0o700)


def test_a_file_that_vanishes_while_it_is_read_is_skipped_and_tried_again(
    index, gallery: Gallery, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "a.jpg":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    summary = index()
    assert {Path(item.path).name for item in summary.skipped} == {"a.jpg", "broken.jpg"}
    assert "Permission denied" in summary.skipped[0].reason
    monkeypatch.undo()
    assert [Path(item.path).name for item in index().skipped] == ["broken.jpg"]
    assert len(gallery.face_matrix(MODEL).face_ids) == 3


@pytest.mark.parametrize("where", ["decoder", "pipeline"])
def test_a_mistake_in_the_program_skips_the_photo_and_not_the_run(
    index, decoder: Decoder, pipeline: FakePipeline, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    (decoder if where == "decoder" else pipeline).problem = IndexError("a mistake")
    summary = index()
    assert len(summary.skipped) == 4
    assert sum("IndexError" in item.reason for item in summary.skipped) == (4 if where == "decoder" else 3)
    assert "a mistake" in caplog.text
    (decoder if where == "decoder" else pipeline).problem = None
    assert len(index().skipped) == 1


def test_a_missing_model_stops_the_run(index, pipeline: FakePipeline) -> None:
    pipeline.problem = KnownError("The model is missing.")
    with pytest.raises(KnownError, match="model is missing"):
        index()


def test_a_folder_that_is_not_there_is_told_before_anything_is_forgotten(index, gallery: Gallery, folder: Path) -> None:
    index()
    with pytest.raises(KnownError, match="is not there"):
        index(folder, folder / "nowhere")
    assert len(paths(gallery, folder)) == 4


def test_progress_counts_the_files_to_read_and_batches_tell_their_faces(
    gallery: Gallery, folder: Path, pipeline: FakePipeline, decoder: Decoder
) -> None:
    events: list[Any] = []
    run(index_folders(gallery, pipeline, [folder], decoder), events.append)  # type: ignore[arg-type]
    progress = [event for event in events if isinstance(event, Progress) and event.total]
    assert [(event.done, event.total) for event in progress] == [(n, 4) for n in range(1, 5)]
    batches = [event.value for event in events if isinstance(event, Partial)]
    assert all(isinstance(batch, IndexBatch) for batch in batches)
    assert sum(batch.photos for batch in batches) == 4
    told = frozenset[int]().union(*(batch.face_ids for batch in batches))
    assert told == set(gallery.face_matrix(MODEL).face_ids.tolist())


def test_cancelling_keeps_what_was_read_and_the_next_run_completes_it(
    gallery: Gallery, tmp_path: Path, pipeline: FakePipeline, decoder: Decoder
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02d}.jpg").write_bytes(b"1%d" % number)
    job = index_folders(gallery, pipeline, [folder], decoder)  # type: ignore[arg-type]
    for event in job:
        if isinstance(event, Progress) and event.done == 7:
            break
    job.close()
    assert len(gallery.known_photos(str(folder))) == 7
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("photos")]
    decoder.names.clear()
    summary = run(index_folders(gallery, pipeline, [folder], decoder))  # type: ignore[arg-type]
    assert len(decoder.names) == 33
    assert (summary.new, summary.unchanged) == (33, 7)
    assert len(gallery.face_matrix(MODEL).face_ids) == 40


def test_photos_wait_no_longer_than_a_moment_to_be_stored(
    gallery: Gallery, folder: Path, pipeline: FakePipeline, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "_SECONDS", 0.0)
    kinds = [type(event) for event in index_folders(gallery, pipeline, [folder], decoder)]  # type: ignore[arg-type]
    assert kinds.count(Partial) == 4


def test_another_model_embeds_the_stored_crops_and_reads_no_file(
    index, gallery: Gallery, folder: Path, decoder: Decoder
) -> None:
    index()
    decoder.names.clear()
    other = FakePipeline(OTHER)
    summary = run(index_folders(gallery, other, [folder], decoder))  # type: ignore[arg-type]
    assert (decoder.names, other.analysed, summary.unchanged) == ([], [], 4)
    assert len(gallery.face_matrix(OTHER, [str(folder)]).face_ids) == 3
    assert len(gallery.face_matrix(MODEL, [str(folder)]).face_ids) == 3


def test_folders_that_overlap_are_read_once(index, folder: Path, decoder: Decoder) -> None:
    summary = index(folder, folder / "below", folder)
    assert summary.photos == 4
    assert sorted(decoder.names) == ["a.jpg", "b.jpg", "broken.jpg", "c.png"]


def test_hidden_files_are_left_out_unless_wanted(index, gallery: Gallery, folder: Path) -> None:
    (folder / ".hidden.jpg").write_bytes(b"1h")
    assert index().new == 4
    assert index(include_hidden=True).new == 1
    assert index().removed == 1
    assert ".hidden.jpg" not in paths(gallery, folder)


def test_every_awkward_file_comes_out_as_expected(shared_data: Path, tmp_path: Path) -> None:
    """No file stops the run, and those that cannot be used are named with a reason."""
    folder = shared_data / "awkward"
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["file"]: row["expect"] for row in csv.DictReader(file)}
    with Services(gallery=tmp_path / "gallery.sqlite") as services:
        summary = run(services.index([folder]))
        skipped = {Path(item.path).name: item.reason for item in summary.skipped}
        refused = {name for name, expect in expected.items() if expect == "error" and (folder / name).exists()}
        listed = {path.name for path in folder.iterdir() if path.suffix.lower() not in (".csv", "")}
        assert set(skipped) >= refused & listed
        assert all(expected.get(name) != "1 face" for name in skipped)
        assert all(len(reason) > 10 for reason in skipped.values())
        known = services.gallery.known_photos(str(folder))
        assert len(known) == summary.photos
        again = run(services.index([folder]))
        assert (again.unchanged, again.new, again.skipped) == (summary.photos, 0, summary.skipped)
