"""Bringing a database to the newest schema, with a backup before.

Alembic is imported only when there is something to do: it costs start-up time. The scripts lie in
``migrations/versions``; `REVISIONS` repeats their ids in order, so that a file of a newer facegui is recognised
without Alembic.
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, event, text, update

from facegui import __version__
from facegui.errors import KnownError
from facegui.gallery.schema import State

__all__ = ["REVISIONS", "copy_database", "stamp", "upgrade"]

REVISIONS: tuple[str, ...] = ("0001",)
"""Ids of the migrations, oldest first."""

SCRIPTS = Path(__file__).resolve().parent / "migrations"


def stamp(connection: Connection, revision: str) -> None:
    """Write `revision` into a database whose tables were just made."""
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing on an open connection, inside its transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def upgrade(engine: Engine, file: Path, version: str) -> Path:
    """Bring a gallery to the newest schema, all or nothing; return the backup made before.

    Parameters
    ----------
    engine : Engine
        Of that gallery, with no connection in use.
    file : Path
    version : str
        The revision that it has now.

    Raises
    ------
    KnownError
        The backup could not be written or a migration failed; the gallery is unchanged.
    """
    moment = datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    backup = file.with_name(f"{file.stem}-before-{REVISIONS[-1]}-{moment}{file.suffix}")
    copy_database(file, backup)

    # Rebuilding a table drops the old one, which must not take the rows that point at it along.
    def without_keys(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys=OFF")

    event.listen(engine, "connect", without_keys)
    engine.dispose()
    try:
        with engine.connect() as connection:
            connection = connection.execution_options(facegui_writes=True)
            with connection.begin():
                (now,) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").one()
                if now == version:  # nobody else was faster
                    migrate(connection)
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise KnownError("A row points at one that is missing.")
                    connection.execute(update(State).values(written_by=f"facegui {__version__}"))
    except Exception as error:
        raise KnownError(
            f"The gallery {file} could not be upgraded.",
            f"{error} Nothing in it was changed.",
            f"Report this; a copy made before is at {backup}.",
        ) from error
    finally:
        event.remove(engine, "connect", without_keys)
    return backup


def copy_database(source: Path, target: Path) -> None:
    """Copy a live SQLite database into one new file with SQLite's backup interface.

    The copy is complete at the moment it appears under its name; it needs no WAL beside it.

    Raises
    ------
    KnownError
        The target cannot be written.
    """
    from facegui.gallery.database import connect_file

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
