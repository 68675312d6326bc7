"""What was deleted is gone from the file, not merely out of sight."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import decision, face, indexed, sample, unit

from facegui.errors import KnownError
from facegui.gallery import erasing, tidying
from facegui.gallery.backup import restore
from facegui.gallery.facerows import encode_crop
from facegui.gallery.records import Counts, NewSample
from facegui.gallery.store import Gallery

NAME = "Xenophilia Quux"


def everything(file: Path) -> bytes:
    """All bytes in the database and in whatever SQLite keeps beside it."""
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(file.name + "*")))


def traces(file: Path, seeds: list[int]) -> list[str]:
    """What can be found of a person in the files."""
    data = everything(file)
    found = [text for text in (NAME, NAME.casefold(), "Quux", "/secret/") if text.encode() in data]
    for seed in seeds:
        for kind, lossless in (("png", True), ("jpg", False)):  # their first kilobyte is the same in all
            picture = encode_crop(face(seed).crop, lossless=lossless)
            if any(picture[at : at + 64] in data for at in range(1000, len(picture) - 64, 1500)):
                found.append(f"{kind} {seed}")
        vector = unit(seed).tobytes()
        found += [f"vector {seed}" for at in range(0, len(vector) - 16, 16) if vector[at : at + 16] in data][:1]
    return found


@pytest.mark.parametrize("others", [0, 40])
@pytest.mark.parametrize("still_open", [True, False])
def test_no_byte_of_a_deleted_person_is_left(tmp_path: Path, others: int, still_open: bool) -> None:
    file = tmp_path / "gallery" / "gallery.sqlite"
    seeds = [9001, 9002, 9003]
    with Gallery.open(file) as gallery:
        for i in range(others):
            gallery.enroll(f"Person {i}", [sample(i)])
        gallery.add_photos([indexed("/secret/index.jpg", face(9003))])
        person, _ = gallery.enroll(
            NAME,
            [*(sample(seed, f"/secret/{seed}.jpg") for seed in seeds[:2]), NewSample(face(9003), "/secret/index.jpg")],
        )
        gallery.record(decision(person_id=person, probe="/secret/probe.jpg"))
        for i in range(others):
            gallery.enroll(f"Later {i}", [sample(500 + i)])
        assert traces(file, seeds)
        gallery.delete_person(person)
        if still_open:
            assert traces(file, seeds) == []
    assert traces(file, seeds) == []


def test_rows_that_sqlite_moved_about_are_gone_too(tmp_path: Path) -> None:
    # Long keys in random order make SQLite split and join its pages, which can leave copies in unused space.
    file = tmp_path / "gallery" / "gallery.sqlite"
    rng = np.random.default_rng(2)
    gone: set[str] = set()
    with Gallery.open(file) as gallery:
        for _ in range(40):
            names = [f"/p/{rng.integers(10**9):09d}{'x' * int(rng.integers(0, 180))}" for _ in range(12)]
            gallery.add_photos([indexed(name) for name in names])
            known = sorted(gallery.known_photos("/p"))
            doomed = [known[at] for at in rng.choice(len(known), 6, replace=False)]
            gone.update(doomed)
            stamps = gallery.known_photos("/p")
            gallery.forget_photos([stamps[path].photo_id for path in doomed])
        assert not gallery.needs_compacting()
        data = everything(file)
    assert [path for path in gone if path[:12].encode() in data] == []


def test_a_large_gallery_is_rewritten_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "_REWRITTEN_AT_ONCE", 0)
    file = tmp_path / "gallery" / "gallery.sqlite"
    with Gallery.open(file) as gallery:
        gallery.add_photos([indexed(f"/{i}.jpg", face(i)) for i in range(20)])
        person, _ = gallery.enroll(NAME, [sample(9001, "/secret/1.jpg")])
        assert not gallery.needs_compacting()
        gallery.delete_person(person)
        assert gallery.needs_compacting()
        before = file.stat().st_size
        gallery.compact()
        assert not gallery.needs_compacting()
        assert file.stat().st_size < before
        assert gallery.counts().faces == 20
        assert traces(file, [9001]) == []


def test_a_deletion_succeeds_while_another_program_writes(tmp_path: Path) -> None:
    file = tmp_path / "gallery" / "gallery.sqlite"
    with Gallery.open(file) as gallery, closing(sqlite3.connect(file, isolation_level=None)) as other:
        person, _ = gallery.enroll(NAME, [sample(9001, "/secret/1.jpg")])
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM person").fetchone()  # a reader keeps the past alive
        gallery.delete_person(person)
        assert gallery.people() == []
        other.execute("ROLLBACK")
        gallery.compact()
        assert traces(file, [9001]) == []


def test_a_forgotten_index_and_a_cleared_history_are_gone(tmp_path: Path) -> None:
    file = tmp_path / "gallery" / "gallery.sqlite"
    with Gallery.open(file) as gallery:
        gallery.add_photos([indexed(f"/secret/{i}.jpg", face(9000 + i)) for i in range(50)])
        gallery.record(decision(probe="/secret/probe.jpg"))
        gallery.forget_photos([stamp.photo_id for stamp in gallery.known_photos("/secret").values()])
        gallery.clear_history()
        assert traces(file, [9001, 9049]) == []


def test_an_undone_deletion_leaves_no_second_copy_when_deleted_again(tmp_path: Path) -> None:
    file = tmp_path / "gallery" / "gallery.sqlite"
    with Gallery.open(file) as gallery:
        person, _ = gallery.enroll(NAME, [sample(9001, "/secret/1.jpg")])
        undo = gallery.delete_person(person).undo
        assert undo is not None
        gallery.undo(undo)
        assert len(gallery.samples(person)) == 1
        gallery.delete_person(person)
        assert traces(file, [9001]) == []


def test_nothing_is_left_of_a_gallery_that_was_erased(tmp_path: Path) -> None:
    file = tmp_path / "gallery" / "gallery.sqlite"
    seeds = [9001, 9002]
    with Gallery.open(file) as gallery, Gallery.open(file) as other:
        person, _ = gallery.enroll(NAME, [sample(9001, "/secret/9001.jpg")])
        gallery.add_photos([indexed("/secret/index.jpg", face(9002))])
        gallery.record(decision(person_id=person, probe="/secret/probe.jpg"))
        removed = gallery.delete_person(gallery.enroll("Somebody else", [sample(7)])[0])
        copy = restore(gallery.backup(tmp_path / "backup.sqlite"), file)
        assert gallery.copies() == [copy]
        assert {gallery.poll(), other.poll()} == {True}
        assert traces(file, seeds)
        heard = []
        other.subscribe(heard.append)
        gallery.subscribe(heard.append)
        gallery.erase_everything()
        assert traces(file, seeds) == []
        assert not gallery.copies()
        assert other.poll()
        assert [change.everything for change in heard] == [True, True]
        for one in (gallery, other):
            assert one.counts() == Counts(0, 0, 0, 0, 0)
            assert not one.needs_compacting()
        with pytest.raises(KnownError, match="no longer be undone"):
            gallery.undo(removed.undo)
        assert other.enroll("Anna", [sample(3)])[0]
        assert gallery.poll()
        assert [one.name for one in gallery.people()] == ["Anna"]
    assert traces(file, seeds) == []
    assert (tmp_path / "backup.sqlite").is_file()


def test_traces_that_somebody_is_reading_are_not_called_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BUSY_SECONDS", 0.1)
    file = tmp_path / "gallery.sqlite"
    with Gallery.open(file) as gallery:
        gallery.enroll(NAME, [sample(9001)])
        restore(gallery.backup(tmp_path / "backup" / "mine.sqlite"), file)
        with closing(sqlite3.connect(file)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM person").fetchone()
            with pytest.raises(KnownError, match="traces of it may be left"):
                gallery.erase_everything()
            assert traces(file, [9001])
            assert gallery.copies() == []
        gallery.erase_everything()
        assert traces(file, [9001]) == []
