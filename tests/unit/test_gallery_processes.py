"""Several processes on one gallery, and processes that die in the middle."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from gallery_samples import MODEL, sample

from facegui.gallery.store import Gallery

HERE = Path(__file__).resolve().parent
WRITERS = 3
ROUNDS = 8

# Each child waits for a line, so that all begin at once, and says what it has committed.
BEGIN = """
import sys
sys.path.insert(0, sys.argv[1])
from gallery_samples import decision, face, indexed, sample
from facegui.gallery.store import Gallery
file, number, rounds = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
"""

WRITE = (
    BEGIN
    + """
with Gallery.open(file) as gallery:
    for i in range(rounds):
        gallery.enroll("Everybody", [sample(1000 * number + i)])
        mine, _ = gallery.enroll(f"Person {number}", [sample(1000 * number + 500 + i)])
        gallery.add_photos([indexed(f"/{number}/{i}/{k}.jpg", face(k)) for k in range(3)])
        gallery.record(decision(person_id=mine))
"""
)

ENDLESS = (
    BEGIN
    + """
import itertools
with Gallery.open(file) as gallery:
    for i in itertools.count():
        gallery.add_photos([indexed(f"/{i}/{k}.jpg", face(k), face(k + 50)) for k in range(20)])
        print(i, flush=True)
"""
)


def child(code: str, file: Path, number: int = 0, rounds: int = ROUNDS) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", code, str(HERE), str(file), str(number), str(rounds)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def whole(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_processes_that_make_and_fill_one_gallery_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "gallery.sqlite"
    writers = [child(WRITE, file, number) for number in range(1, WRITERS + 1)]
    for writer in writers:
        assert told(writer) == "ready"
    for writer in writers:
        begin(writer)
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    with Gallery.open(file) as gallery:
        samples = {person.name: person.samples for person in gallery.people()}
        expected = {f"Person {number}": ROUNDS for number in range(1, WRITERS + 1)}
        assert samples == {"Everybody": WRITERS * ROUNDS, **expected}
        counts = gallery.counts()
        assert (counts.photos, counts.faces, counts.decisions) == (
            WRITERS * ROUNDS * 3,
            WRITERS * ROUNDS * 3,
            WRITERS * ROUNDS,
        )
        assert gallery.face_matrix(MODEL).vectors.shape[0] == WRITERS * ROUNDS * 3
    whole(file)
    assert [entry.name for entry in tmp_path.iterdir() if entry.name != "home"] == [file.name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("batches", [1, 4, 7])
def test_a_process_killed_while_writing_loses_only_what_it_had_not_committed(tmp_path: Path, batches: int) -> None:
    file = tmp_path / "gallery.sqlite"
    with Gallery.open(file) as gallery:
        gallery.enroll("Anna", [sample(1)])
        writer = child(ENDLESS, file)
        assert told(writer) == "ready"
        begin(writer)
        for _ in range(batches):
            last = int(told(writer))
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=60)
        committed = int(rest.split()[-1]) if rest.split() else last
        # The gallery that was open all along goes on, and so does a new one.
        for found in (gallery, Gallery.open(file)):
            with found:
                counts = found.counts()
                assert counts.people == 1
                # A batch may be committed and the process killed before it could say so.
                assert counts.photos in ((committed + 1) * 20, (committed + 2) * 20)
                assert counts.faces == counts.photos * 2
                assert found.face_matrix(MODEL).face_ids.size == counts.faces
                found.rename(1, "Hanna")
    whole(file)
