"""Backups: a whole gallery in one file, taken while it is in use, and put back after it was checked."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from datetime import datetime
from pathlib import Path

from sqlalchemy import update

from facegui.errors import KnownError
from facegui.gallery import upgrade
from facegui.gallery.connect import connect_file, copy_database, file_of, make_engine
from facegui.gallery.failures import known_failures
from facegui.gallery.lanes import Lanes
from facegui.gallery.schema import State

__all__ = ["Backups", "restore", "verify"]


class Backups(Lanes):
    """Taking a backup of an open gallery."""

    def backup(self, target: str | Path, *, overwrite: bool = False) -> Path:
        """Copy the gallery, as it is at one moment, into a file of its own; others may go on working.

        Parameters
        ----------
        target : str or Path
            The file to make; it appears only when it is complete.
        overwrite : bool
            Replace a file that is there already.

        Returns
        -------
        Path
            The backup, absolute.

        Raises
        ------
        KnownError
            The target exists, is the gallery itself, or cannot be written.
        """
        file = file_of(target)
        if file.exists() and file.samefile(self.file):
            raise KnownError("A backup cannot be the gallery itself.", "", "Choose another file.")
        if file.exists() and not overwrite:
            raise KnownError(f"{file} exists already.", "", "Choose another name, or allow it to be replaced.")
        with self._in_use():
            file.parent.mkdir(parents=True, exist_ok=True)
            copy_database(self.file, file)
        return file


def verify(file: str | Path) -> str:
    """Check that a file is a whole gallery which this version can use; return its schema's revision.

    Raises
    ------
    KnownError
        It is missing, not a gallery, damaged, or made by a newer facegui.
    """
    path = file_of(file)
    if not path.is_file():
        raise KnownError(f"There is no file {path}.", "", "Check the path.")
    with known_failures(str(path)), contextlib.closing(connect_file(path, read_only=True)) as connection:
        version = upgrade.schema_version(connection, str(path))
        upgrade.refuse_newer(connection, str(path), version)
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        loose = connection.execute("PRAGMA foreign_key_check").fetchone()
    if verdict != "ok" or loose is not None:
        raise KnownError(f"{path} is damaged.", "Some of its content cannot be read.", "Choose another backup.")
    return version


def restore(backup: str | Path, where: str | Path) -> Path | None:
    """Put a backup in the place of a gallery; a gallery that is open elsewhere sees the new content at once.

    Parameters
    ----------
    backup : str or Path
    where : str or Path
        The gallery; it need not exist.

    Returns
    -------
    Path or None
        A copy of what was there before, beside it; None when nothing was.

    Raises
    ------
    KnownError
        The backup is no good, or the gallery cannot be written; then nothing has changed.
    """
    source, target = file_of(backup), file_of(where)
    if target.exists() and source.exists() and source.samefile(target):
        raise KnownError("The backup is the gallery itself.", "", "Choose another file.")
    version = verify(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{uuid.uuid4().hex}.restore")
    kept: Path | None = None
    try:
        copy_database(source, draft)
        with known_failures(str(target)):
            _prepare(draft, version)
            if target.exists() and target.stat().st_size:
                kept = _put_aside(target)
            if target.exists():
                with (
                    contextlib.closing(connect_file(draft, read_only=True)) as reader,
                    contextlib.closing(connect_file(target)) as writer,
                ):
                    reader.backup(writer)
            else:
                draft.replace(target)
    except OSError as error:
        raise KnownError(
            f"The gallery {target} could not be restored.",
            f"{error.strerror or error}.",
            "Check the folder's permissions and free space, then try again.",
        ) from error
    finally:
        for leftover in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm"), Path(f"{draft}-journal")):
            leftover.unlink(missing_ok=True)
    return kept


def _prepare(draft: Path, version: str) -> None:
    """Bring a copy to the newest schema, and mark it as another database than the one it came from."""
    engine = make_engine(draft, read_only=False)
    try:
        if version != upgrade.REVISIONS[-1]:
            upgrade.upgrade(engine, draft, version, keep_copy=False)
        with engine.begin() as connection:
            connection.execute(update(State).values(epoch=uuid.uuid4().hex))
    finally:
        engine.dispose()


def _put_aside(target: Path) -> Path:
    """Copy what is there; when it is too damaged for that, move it out of the way."""
    moment = datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    kept = target.with_name(f"{target.stem}-before-restore-{moment}{target.suffix}")
    try:
        with contextlib.closing(connect_file(target, read_only=True)) as connection:
            usable = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise
        usable = False
    if usable:
        copy_database(target, kept)
    else:
        target.replace(kept)
        for part in ("-wal", "-shm"):
            Path(f"{target}{part}").unlink(missing_ok=True)
    return kept
