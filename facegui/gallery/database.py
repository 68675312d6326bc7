"""Opening a gallery's database: made when missing, upgraded when old, refused when it cannot be used."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from sqlalchemy import insert

from facegui import __version__
from facegui.errors import KnownError
from facegui.gallery import upgrade
from facegui.gallery.connect import APPLICATION_ID, Database, connect_file, file_of, make_engine
from facegui.gallery.failures import known_failures
from facegui.gallery.schema import STATE_ID, Base, State

__all__ = ["open_database"]


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
    return Database(make_engine(file, read_only=read_only), file, read_only)


def _bring_up_to_date(file: Path, *, read_only: bool) -> None:
    location = str(file)
    with contextlib.closing(connect_file(file, read_only=read_only)) as connection:
        version = upgrade.schema_version(connection, location)
        upgrade.refuse_newer(connection, location, version)
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
    engine = make_engine(file, read_only=False)
    try:
        upgrade.upgrade(engine, file, version)
    finally:
        engine.dispose()


def _make(file: Path) -> None:
    """Make a new gallery beside its place and put it there whole, so that two processes may try at once."""
    draft = file.with_name(f"{file.name}.{uuid.uuid4().hex}.new")
    try:
        draft.touch(mode=0o600, exist_ok=False)
        with contextlib.closing(connect_file(draft)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        engine = make_engine(draft, read_only=False)
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
        "history": 0,
        "deletions": 0,
        "written_by": f"facegui {__version__}",
    }
