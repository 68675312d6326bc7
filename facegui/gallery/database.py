"""Opening a gallery's database: made when missing, upgraded when old, refused when it cannot be used.

SQLite runs in WAL mode, so that reading never waits for writing, with foreign keys checked and deleted content
overwritten (``secure_delete``). A transaction that writes takes the write lock when it begins: two processes
wait for each other instead of failing.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, Engine, create_engine, event, insert
from sqlalchemy.pool import QueuePool

from facegui import __version__
from facegui.errors import KnownError
from facegui.gallery import upgrade
from facegui.gallery.failures import known_failures
from facegui.gallery.schema import STATE_ID, Base, State

__all__ = ["APPLICATION_ID", "Database", "connect_file", "open_database", "schema_version"]

APPLICATION_ID = 0x66674731
"""Marks an SQLite file as a facegui gallery ("fgG1" in the header's application id)."""

BUSY_SECONDS = 30.0
"""How long a write waits for another process."""

WRITES = "facegui_writes"

# One connection per thread that works at the same time; more wait their turn.
_POOL_SIZE = 8
_POOL_OVERFLOW = 24


@dataclass(frozen=True, slots=True)
class Database:
    """An open database.

    Attributes
    ----------
    engine : Engine
    file : Path
        The SQLite file, absolute.
    read_only : bool
    """

    engine: Engine
    file: Path
    read_only: bool

    @property
    def location(self) -> str:
        """The gallery as the user knows it."""
        return str(self.file)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database."""
        with known_failures(self.location), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection that holds the write lock; commits at the end, or nothing at all."""
        with known_failures(self.location), self.engine.connect() as connection:
            connection = connection.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def file_of(where: str | Path) -> Path:
    """Return the absolute path of the SQLite file that a path or ``sqlite:///`` URL names.

    Raises
    ------
    KnownError
        The URL names another kind of database.
    """
    if isinstance(where, str) and "://" in where:
        parts = urlsplit(where)
        if parts.scheme != "sqlite" or parts.netloc or len(parts.path) < 2:
            raise KnownError(
                f"The gallery {parts.scheme}:// cannot be opened.",
                "This version of facegui keeps galleries in SQLite files.",
                "Give the path of a file, or sqlite:///PATH.",
            )
        where = unquote(parts.path[1:])
    return Path(os.path.abspath(Path(where).expanduser()))  # noqa: PTH100 (resolve would follow links)


def connect_file(file: Path, *, read_only: bool = False, timeout: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open an existing SQLite file without a transaction of its own.

    A read-only file in a folder that cannot be written has no place for the WAL's index; when nothing waits in a
    WAL either, SQLite may treat the file as unchanging.
    """

    def attempt(query: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{file.as_uri()}?{query}", timeout, uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA temp_store=MEMORY")  # nothing of the content in temporary files
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    if not read_only:
        return attempt("mode=rw")
    try:
        return attempt("mode=ro")
    except sqlite3.OperationalError:
        wal = file.with_name(file.name + "-wal")
        if not file.exists() or (wal.exists() and wal.stat().st_size):
            raise
        return attempt("mode=ro&immutable=1")


def schema_version(connection: sqlite3.Connection, location: str) -> str:
    """Return the schema's revision.

    Raises
    ------
    KnownError
        The file is a database of another program.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise KnownError(
            f"{location} is not a gallery.",
            "It is a database of another program.",
            "Choose another file; facegui makes a new gallery where no file is yet.",
        )
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def open_database(where: str | Path, *, read_only: bool = False) -> Database:
    """Open a gallery's database.

    Parameters
    ----------
    where : str or Path
        Path or ``sqlite:///`` URL; the file is made when it is missing, with its folders.
    read_only : bool
        Neither make, upgrade nor change anything.

    Raises
    ------
    KnownError
        Not a gallery, damaged, locked, written by a newer facegui, or not to be reached.
    """
    file = file_of(where)
    location = str(file)
    if file.is_dir():
        raise KnownError(f"{location} is a folder.", "A gallery is a file.", "Give the path of a file in that folder.")
    try:
        empty = not file.exists() or file.stat().st_size == 0
        if empty and read_only:
            raise KnownError(
                f"There is no gallery at {location}.", "", "Check the path, or enroll somebody to make one."
            )
        if empty:
            file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KnownError(
            f"The gallery {location} could not be opened.",
            f"{error.strerror or error}.",
            "Check the path and its permissions.",
        ) from error
    with known_failures(location):
        if empty:
            _make(file)
        _bring_up_to_date(file, read_only=read_only)
    return Database(_engine(file, read_only=read_only), file, read_only)


def _bring_up_to_date(file: Path, *, read_only: bool) -> None:
    location = str(file)
    with contextlib.closing(connect_file(file, read_only=read_only)) as connection:
        version = schema_version(connection, location)
        if version not in upgrade.REVISIONS:
            raise _newer(connection, location)
        # A file that was copied out of a backup, say, is in another mode.
        if not read_only and connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode=WAL")
    if version == upgrade.REVISIONS[-1]:
        return
    if read_only:
        raise KnownError(
            f"The gallery {location} is of an older version.",
            "It is opened for reading only and so cannot be upgraded.",
            "Open it once for writing.",
        )
    engine = _engine(file, read_only=False)
    try:
        upgrade.upgrade(engine, file, version)
    finally:
        engine.dispose()


def _newer(connection: sqlite3.Connection, location: str) -> KnownError:
    writer = ""
    with contextlib.suppress(sqlite3.Error):
        row = connection.execute("SELECT written_by FROM state").fetchone()
        writer = f" ({row[0]})" if row else ""
    return KnownError(
        f"The gallery {location} cannot be opened by this version of facegui ({__version__}).",
        f"It was made by a newer one{writer}. Nothing in it was changed.",
        "Upgrade facegui, or open a backup that the older version made.",
    )


def _make(file: Path) -> None:
    """Make a new gallery beside its place and put it there whole, so that two processes may try at once."""
    draft = file.with_name(f"{file.name}.{uuid.uuid4().hex}.new")
    try:
        draft.touch(mode=0o600, exist_ok=False)
        with contextlib.closing(connect_file(draft)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        engine = _engine(draft, read_only=False)
        try:
            with engine.begin() as tables:
                Base.metadata.create_all(tables)
                upgrade.stamp(tables, upgrade.REVISIONS[-1])
                tables.execute(insert(State).values(**fresh_state()))
        finally:
            engine.dispose()
        if file.exists() and file.stat().st_size == 0:
            draft.replace(file)
            return
        with contextlib.suppress(FileExistsError):
            try:
                os.link(draft, file)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                if not file.exists():
                    draft.rename(file)
    except OSError as error:
        raise KnownError(
            f"The gallery {file} could not be made.",
            f"{error.strerror or error}.",
            "Check the folder's permissions and free space, or choose another place.",
        ) from error
    finally:
        for leftover in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm"), Path(f"{draft}-journal")):
            leftover.unlink(missing_ok=True)


def fresh_state() -> dict[str, object]:
    """Return the values of the row that counts changes, for a database that nobody knows yet."""
    return {
        "id": STATE_ID,
        "epoch": uuid.uuid4().hex,
        "people": 0,
        "appended": 0,
        "removed": 0,
        "written_by": f"facegui {__version__}",
    }


def _engine(file: Path, *, read_only: bool) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: connect_file(file, read_only=read_only),
        poolclass=QueuePool,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
    )

    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "begin", begin)
    return engine
