"""Opening: what is no gallery is refused in words, what is old is upgraded, and nothing is lost on the way."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from gallery_samples import MODEL, decision, face, indexed, sample
from sqlalchemy import create_engine

from facegui.errors import KnownError
from facegui.gallery import connect, upgrade
from facegui.gallery.failures import known_failures, translate
from facegui.gallery.schema import Base
from facegui.gallery.store import Gallery

DATABASES = Path(__file__).resolve().parent.parent / "databases"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A gallery with one person, closed."""
    path = tmp_path / "gallery.sqlite"
    with Gallery.open(path) as gallery:
        gallery.enroll("Anna", [sample(1)])
    return path


def sql(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


# --- places and names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "with space", "ümläut 🙂", "100%", "a?b#c&mode=ro", "semi;colon", "'quote'"])
def test_a_gallery_is_made_with_its_folders_at_any_path(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "deeper" / f"{name}.sqlite"
    with Gallery.open(path) as gallery:
        gallery.enroll("Anna", [sample(1)])
        assert gallery.location == str(path)
        url = gallery.url
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name]
    with Gallery.open(url) as gallery:
        assert gallery.file == path
        assert gallery.counts().people == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are not Unicode")
def test_a_path_that_is_not_unicode_works(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.sqlite"))
    with Gallery.open(path) as gallery:
        gallery.enroll("Anna", [sample(1)])
    assert path.exists()


def test_a_url_names_the_same_file(file: Path) -> None:
    with Gallery.open(f"sqlite:///{file}") as gallery:
        assert gallery.file == file
        url = gallery.url
    with Gallery.open(url) as gallery:
        assert gallery.counts().people == 1


@pytest.mark.parametrize("url", ["postgresql://host/db", "sqlite://", "http://x/y"])
def test_another_kind_of_url_is_refused(url: str) -> None:
    with pytest.raises(KnownError, match="cannot be opened"):
        Gallery.open(url)


def test_only_its_owner_may_read_a_new_gallery(file: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no such permission bits")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_empty_file_becomes_a_gallery(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    path.touch()
    with Gallery.open(path) as gallery:
        gallery.enroll("Anna", [sample(1)])
    with Gallery.open(path) as gallery:
        assert gallery.counts().people == 1


def test_opening_needs_no_alembic() -> None:
    import subprocess

    code = (
        "import sys, tempfile, pathlib\n"
        "from facegui.gallery.store import Gallery\n"
        "Gallery.open(pathlib.Path(tempfile.mkdtemp()) / 'g.sqlite').close()\n"
        "print('alembic' in sys.modules, 'PySide6' in sys.modules, 'onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False"]


def test_a_closed_gallery_is_not_used_by_mistake(file: Path) -> None:
    gallery = Gallery.open(file)
    gallery.close()
    gallery.close()
    with pytest.raises(RuntimeError, match="closed"):
        gallery.people()
    with pytest.raises(RuntimeError, match="closed"):
        gallery.enroll("Béla", [sample(2)])


# --- what cannot be opened ----------------------------------------------------------------------------------


def refused(path: Path, *words: str, read_only: bool = False) -> None:
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(KnownError) as caught:
        Gallery.open(path, read_only=read_only)
    message = str(caught.value)
    assert caught.value.do
    for word in (*words, path.name):
        assert word in message
    if path.is_file():
        assert path.read_bytes() == before


def test_a_folder_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder")


@pytest.mark.parametrize("name", [":memory:", "sqlite:///:memory:"])
def test_a_gallery_in_memory_is_refused(name: str) -> None:
    with pytest.raises(KnownError, match="must be a file"):
        Gallery.open(name)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.sqlite"
    path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(5000))
    refused(path, "not a gallery")
    refused(path, "not a gallery", read_only=True)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    sql(path, "CREATE TABLE person (id INTEGER, name TEXT)")
    refused(path, "another program")


def test_a_missing_gallery_cannot_be_opened_for_reading(tmp_path: Path) -> None:
    path = tmp_path / "missing.sqlite"
    refused(path, "There is no gallery", read_only=True)
    assert not path.exists()


def test_a_gallery_of_a_newer_version_is_refused_and_untouched(file: Path) -> None:
    sql(file, "UPDATE alembic_version SET version_num='9999'")
    sql(file, "UPDATE state SET written_by='facegui 99.0'")
    sql(file, "PRAGMA journal_mode=DELETE")
    refused(file, "newer", "facegui 99.0", "Upgrade facegui")
    refused(file, "newer", read_only=True)


def test_a_damaged_gallery_is_named_as_such(file: Path) -> None:
    with Gallery.open(file) as gallery:
        gallery.add_photos([indexed(f"/{i}.jpg", face(i)) for i in range(30)])
    data = bytearray(file.read_bytes())
    data[4096 * 3 :] = b"\x5a" * (len(data) - 4096 * 3)
    file.write_bytes(data)

    def read_all() -> None:
        with Gallery.open(file) as gallery:
            gallery.people()
            gallery.face_matrix(MODEL)

    with pytest.raises(KnownError, match=r"damaged|not a gallery"):
        read_all()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KnownError, match="could not be opened"):
        Gallery.open(tmp_path / "file" / "gallery.sqlite")


# --- reading only, locked, full -----------------------------------------------------------------------------


def test_reading_only_reads_everything_and_writes_nothing(file: Path) -> None:
    with Gallery.open(file, read_only=True) as gallery:
        assert gallery.read_only
        (person,) = gallery.people()
        assert gallery.samples(person.id)[0].crop.shape == (112, 112, 3)
        assert gallery.template_matrix(MODEL).people.size == 1
        with pytest.raises(KnownError, match="reading only"):
            gallery.enroll("Béla", [sample(2)])
        with pytest.raises(KnownError, match="reading only"):
            gallery.record(decision())


def test_a_gallery_on_a_read_only_medium_can_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def no_index_beside_it(address: str, *arguments: object, **options: object) -> sqlite3.Connection:
        if "immutable" not in address:
            raise sqlite3.OperationalError("unable to open database file")
        return real(address, *arguments, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(connect.sqlite3, "connect", no_index_beside_it)
    with Gallery.open(file, read_only=True) as gallery:
        assert gallery.counts().people == 1


def test_a_write_protected_gallery_says_so(file: Path) -> None:
    if sys.platform == "win32" or os.geteuid() == 0:
        pytest.skip("permissions do not bind this user")
    file.chmod(0o400)
    file.parent.chmod(0o500)
    try:
        with pytest.raises(KnownError, match="only be read"), Gallery.open(file) as gallery:
            gallery.enroll("Béla", [sample(2)])
    finally:
        file.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_READONLY, "only be read"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "only be read"),
        (sqlite3.SQLITE_CANTOPEN, "could not be opened"),
        (sqlite3.SQLITE_IOERR_READ, "could not be read or written"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "busy"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
    ],
)
def test_each_failure_of_the_disk_has_its_words(code: int, words: str) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    known = translate(error, "/g.sqlite")
    assert known is not None
    assert words in known.what
    assert known.do


def test_a_bug_is_not_dressed_up_as_the_users_fault(file: Path) -> None:
    def ask_for_nonsense() -> None:
        with known_failures(str(file)), closing(sqlite3.connect(file)) as connection:
            connection.execute("SELECT * FROM nowhere")

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        ask_for_nonsense()


def test_a_gallery_locked_for_too_long_says_so_and_loses_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0.05)
    with Gallery.open(file) as gallery, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(KnownError, match="busy"):
            gallery.enroll("Béla", [sample(2)])
        assert gallery.counts().people == 1  # reading goes on
        other.execute("ROLLBACK")
        gallery.enroll("Béla", [sample(2)])
        assert gallery.counts().people == 2


def test_a_full_disk_says_so_and_keeps_what_was_there(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def small(*arguments: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **options)  # type: ignore[call-overload]
        pages = file.stat().st_size // 4096 + 40
        connection.execute(f"PRAGMA max_page_count={pages}")
        return connection

    monkeypatch.setattr(connect.sqlite3, "connect", small)
    with Gallery.open(file) as gallery:
        with pytest.raises(KnownError, match="full"):
            gallery.add_photos([indexed(f"/{i}.jpg", face(i)) for i in range(100)])
        assert gallery.counts().photos == 0
        assert gallery.people()[0].samples == 1
        gallery.rename(1, "Hanna")
        gallery.delete_person(1)
        assert gallery.counts().people == 0


def test_a_failed_write_leaves_nothing_behind(file: Path) -> None:
    bad = face(3)
    object.__setattr__(bad.detection, "landmarks", np.zeros((4, 2), np.float32))
    with Gallery.open(file) as gallery:
        before = gallery.counts()
        with pytest.raises(ValueError, match="landmarks"):
            gallery.add_photos([indexed("/a.jpg", face(2)), indexed("/b.jpg", bad)])
        assert gallery.counts() == before
        gallery.enroll("Béla", [sample(2)])  # the lane is free again


# --- versions of the schema ---------------------------------------------------------------------------------


def layout(file: Path) -> dict[str, object]:
    """Columns, keys and indexes of every table as SQLite sees them, in whatever order they were made."""
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name"
        names = [name for (name,) in connection.execute(query)]

        def about(pragma: str, name: str) -> list[str]:
            return sorted(repr(row[1:]) for row in connection.execute(f"PRAGMA {pragma}({name})"))

        return {
            name: [about(pragma, name) for pragma in ("table_info", "foreign_key_list", "index_list")] for name in names
        }


def test_the_list_of_revisions_is_that_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == upgrade.REVISIONS


def test_the_migrations_make_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    migrated, made = tmp_path / "migrated.sqlite", tmp_path / "made.sqlite"
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.begin() as connection:
        upgrade.migrate(connection)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
    Gallery.open(made).close()
    assert layout(migrated) == layout(made)


@pytest.mark.parametrize("version", upgrade.REVISIONS)
def test_a_gallery_of_every_version_opens_with_all_that_was_in_it(tmp_path: Path, version: str) -> None:
    path = tmp_path / "gallery.sqlite"
    shutil.copy(DATABASES / f"v{version}.sqlite", path)
    with Gallery.open(path) as gallery:
        assert [(person.name, person.samples) for person in gallery.people()] == [
            ("Anna Example", 2),
            ("Béla Példa", 1),
        ]
        counts = gallery.counts()
        assert (counts.photos, counts.faces, counts.decisions) == (3, 3, 2)
        assert [photo.path for photo in gallery.skipped_photos("/photos")] == ["/photos/caf\udce9.jpg"]
        assert gallery.template_matrix(MODEL).vectors.shape == (3, 32)
        assert gallery.face_matrix(MODEL).vectors.shape == (3, 32)
        assert gallery.decisions()[-1].runner_up_name == "Béla Példa"
        assert all(one.crop.shape == (112, 112, 3) for one in gallery.samples(1))
        gallery.enroll("Cleo", [sample(4)])
    backups = list(tmp_path.glob("*-before-*"))
    assert len(backups) == (version != upgrade.REVISIONS[-1])


NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "next", "{before}", None, None
def upgrade():
    op.add_column("photo", sa.Column("stars", sa.Integer(), nullable=True))
    with op.batch_alter_table("person") as table:  # rebuilt, although faces point at it
        table.alter_column("name", type_=sa.String(300))
    {more}
"""


@pytest.fixture
def newer_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A program one version ahead, whose last migration can be written by the test."""
    scripts = tmp_path / "scripts"
    shutil.copytree(upgrade.SCRIPTS, scripts)
    script = scripts / "versions" / "next.py"
    script.write_text(NEXT.format(before=upgrade.REVISIONS[-1], more=""))
    monkeypatch.setattr(upgrade, "SCRIPTS", scripts)
    monkeypatch.setattr(upgrade, "REVISIONS", (*upgrade.REVISIONS, "next"))
    yield script
    sys.modules.pop("next_py", None)


def test_an_upgrade_keeps_everything_and_leaves_a_backup(file: Path, newer_program: Path) -> None:
    with pytest.raises(KnownError, match="older version"):
        Gallery.open(file, read_only=True)
    with Gallery.open(file) as gallery:
        assert gallery.people()[0].name == "Anna"
        assert len(gallery.samples(1)) == 1
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("next",)
        assert "stars" in [row[1] for row in connection.execute("PRAGMA table_info(photo)")]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    (backup,) = file.parent.glob("gallery-before-next-*.sqlite")
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT name FROM person").fetchall() == [("Anna",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (upgrade.REVISIONS[-2],)
    Gallery.open(file).close()
    assert len(list(file.parent.glob("gallery-before-*"))) == 1


def test_a_failing_upgrade_changes_nothing_and_names_the_backup(file: Path, newer_program: Path) -> None:
    newer_program.write_text(NEXT.format(before=upgrade.REVISIONS[-2], more='op.execute("SELECT nonsense")'))
    before = layout(file)
    with pytest.raises(KnownError, match="could not be upgraded") as caught:
        Gallery.open(file)
    (backup,) = file.parent.glob("gallery-before-next-*.sqlite")
    assert str(backup) in caught.value.do
    assert layout(file) == before
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM person").fetchall() == [("Anna",)]


# --- threads ------------------------------------------------------------------------------------------------


def test_many_threads_write_and_read_at_once(file: Path) -> None:
    failures: list[BaseException] = []
    with Gallery.open(file) as gallery:

        def work(number: int) -> None:
            try:
                for i in range(5):
                    gallery.enroll(f"Person {number}", [sample(100 * number + i)])
                    gallery.add_photos([indexed(f"/{number}/{i}.jpg", face(i))])
                    gallery.template_matrix(MODEL)
                    gallery.face_matrix(MODEL)
                    gallery.people()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        counts = gallery.counts()
        assert (counts.people, counts.samples, counts.faces) == (7, 31, 30)
        assert gallery.face_matrix(MODEL).face_ids.size == 30
        assert gallery.template_matrix(MODEL).face_ids.size == 31


def test_closing_waits_for_calls_under_way(file: Path) -> None:
    gallery = Gallery.open(file)
    inside, go_on = threading.Event(), threading.Event()

    def linger(change: object) -> None:
        with gallery._read() as connection:
            inside.set()
            go_on.wait(10)
            connection.exec_driver_sql("SELECT 1")

    reader = threading.Thread(target=linger, args=(None,))
    reader.start()
    assert inside.wait(10)
    closer = threading.Thread(target=gallery.close)
    closer.start()
    closer.join(0.05)
    assert closer.is_alive()
    go_on.set()
    reader.join(10)
    closer.join(10)
    assert not closer.is_alive()
