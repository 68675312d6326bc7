"""Two programs review one gallery at once: they answer the same questions, and nothing is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import MODEL, face, indexed

from facegui.errors import KnownError
from facegui.gallery.clusters import Grouped
from facegui.gallery.store import Gallery

HERE = Path(__file__).resolve().parent
GROUPS, FACES = 12, 4

# Both go through the same groups. Of each group they refuse the same face, name the rest (every third time each by
# another name), and every fourth time take the last step back. What the other did first is told by a KnownError.
REVIEW = """
import sys
from facegui.errors import KnownError
from facegui.gallery.store import Gallery
file, mine = sys.argv[1], sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
refused = 0
with Gallery.open(file) as gallery:
    def tried(act):
        global refused
        try:
            act()
        except KnownError:
            refused += 1
    for n, key in enumerate(map(int, sys.argv[3:])):
        first = 4 * n + 1
        tried(lambda: gallery.reject_faces([first]))
        name = f"Person {n}" if n % 3 else f"{mine} {n}"
        tried(lambda: gallery.confirm(key, name, samples=[first + 1]))
        tried(lambda: gallery.confirm_faces([first + 2]))
        if n % 4 == 3:
            tried(gallery.undo_review)
print(refused, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gallery.sqlite"


def grouped(file: Path) -> list[int]:
    """Make a gallery with twelve groups of four faces each."""
    count = GROUPS * FACES
    numbers = np.repeat(-np.arange(2, GROUPS + 2), FACES)
    with Gallery.open(file) as gallery:
        gallery.add_photos([indexed(f"/photos/{n:03d}.jpg", face(n)) for n in range(1, count + 1)])
        made = Grouped(np.arange(1, count + 1), numbers, np.full(count, 0.5, np.float32), np.ones(count, bool))
        gallery.store_clusters(MODEL, made, {})
        return sorted(record.id for record in gallery.clusters())


def test_the_same_questions_answered_by_two_programs_at_once(file: Path) -> None:
    keys = grouped(file)
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", REVIEW, str(file), mine, *map(str, keys)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for mine in ("Ada", "Bea")
    ]  # fmt: skip
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline().strip() == "ready"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    for program in programs:
        program.communicate(timeout=120)
        assert program.returncode == 0
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with Gallery.open(file) as gallery:
        assert gallery.counts().faces == GROUPS * FACES
        known = gallery.evidence()
        names = [person.name for person in gallery.people()]
        for number in range(GROUPS):
            faces = slice(number * FACES, (number + 1) * FACES)
            rest = known.clusters[faces][1:]
            assert len(set(rest.tolist())) == 1, "the faces of a group stay together"
            owners = set(known.person_ids[faces][1:].tolist()) - {-1}
            assert len(owners) <= 1, "a group is one person's"
            called = [name for name in names if name.endswith(f" {number}")]
            if number % 4 != 3:  # nothing was taken back
                assert len(called) == 1, "of two names the first holds, and the other leaves nothing behind"
                assert known.clusters[faces][0] != rest[0], "the refused face is out"
        pairs = [tuple(sorted(pair)) for pair in known.different.tolist()]
        assert len(pairs) == len(set(pairs)), "an answer is remembered once"


def test_whoever_comes_second_is_told_who_it_is_already(file: Path) -> None:
    key = grouped(file)[0]
    with Gallery.open(file) as here, Gallery.open(file) as there:
        ada, _ = here.confirm(key, "Ada", samples=[1, 2])
        with pytest.raises(KnownError, match="These faces are Ada already"):
            there.confirm(key, "Bea", samples=[1])
        assert [person.name for person in there.people()] == ["Ada"]
        assert there.confirm(key, "ada", samples=[1, 2])[0] == ada, "the same answer twice is one answer"
        assert [person.samples for person in there.people()] == [2]
        here.reject_faces([3])
        there.reject_faces([3])
        assert len(there.evidence().not_person) == 1
        assert there.poll() is False or there.cluster(key) is not None
