"""Connections to the SQLite file of a gallery.

SQLite runs in WAL mode, so that reading never waits for writing, with foreign keys checked and deleted content
overwritten (``secure_delete``). A transaction that writes takes the write lock when it begins: two processes
wait for each other instead of failing.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from facegui.errors import KnownError
from facegui.gallery.failures import known_failures

__all__ = [
    "APPLICATION_ID",
    "BUSY_SECONDS",
    "WRITES",
    "Database",
    "connect_file",
    "copy_database",
    "file_of",
    "make_engine",
]

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
        The URL names another kind of database, or SQLite's name for one in memory.
    """
    if isinstance(where, str) and "://" in where:
        parts = urlsplit(where)
        if parts.scheme != "sqlite" or parts.netloc or len(parts.path) < 2:
            raise KnownError(
                f"The gallery {parts.scheme}:// cannot be opened.",
                "This version of facegui keeps galleries in SQLite files.",
                "Give the path of a file, or sqlite:///PATH.",
            )
        where = unquote(parts.path[1:], errors="surrogateescape")
    if str(where) == ":memory:":
        raise KnownError(
            "A gallery cannot live in memory.", "Several connections share it, so it must be a file.",
            "Give the path of a file.",
        )  # fmt: skip
    return Path(os.path.abspath(Path(where).expanduser()))  # noqa: PTH100 (resolve would follow links)


def connect_file(file: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open an existing SQLite file without a transaction of its own.

    A read-only file in a folder that cannot be written has no place for the WAL's index; when nothing waits in a
    WAL either, SQLite may treat the file as unchanging.
    """

    def attempt(query: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{file.as_uri()}?{query}", BUSY_SECONDS, uri=True, isolation_level=None, check_same_thread=False
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


def make_engine(file: Path, *, read_only: bool) -> Engine:
    """Return an engine on an existing SQLite file; see `connect_file`."""
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


def copy_database(source: Path, target: Path) -> None:
    """Copy a live SQLite database into one new file with SQLite's backup interface.

    The copy is complete at the moment it appears under its name; it needs no WAL beside it.

    Raises
    ------
    KnownError
        The target cannot be written.
    """
    draft = target.with_name(target.name + ".part")
    try:
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        with (
            contextlib.closing(connect_file(source, read_only=True)) as reader,
            contextlib.closing(connect_file(draft)) as writer,
        ):
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode=DELETE")
        draft.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise KnownError(
            f"The backup {target} could not be written.",
            f"{error}.",
            "Check the folder's permissions and free space, then try again.",
        ) from error
    finally:
        draft.unlink(missing_ok=True)
