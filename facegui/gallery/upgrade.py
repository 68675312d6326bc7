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
from facegui.gallery.connect import APPLICATION_ID, WRITES, copy_database
from facegui.gallery.failures import translate
from facegui.gallery.schema import State

__all__ = ["REVISIONS", "refuse_newer", "schema_version", "stamp", "upgrade"]

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003")
"""Ids of the migrations, oldest first."""

SCRIPTS = Path(__file__).resolve().parent / "migrations"


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


def refuse_newer(connection: sqlite3.Connection, location: str, version: str) -> None:
    """Refuse a schema that this version does not know.

    Raises
    ------
    KnownError
    """
    if version in REVISIONS:
        return
    writer = ""
    with contextlib.suppress(sqlite3.Error):
        row = connection.execute("SELECT written_by FROM state").fetchone()
        writer = f" ({row[0]})" if row else ""
    raise KnownError(
        f"The gallery {location} cannot be opened by this version of facegui ({__version__}).",
        f"It was made by a newer one{writer}. Nothing in it was changed.",
        "Upgrade facegui, or open a backup that the older version made.",
    )


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


def upgrade(engine: Engine, file: Path, version: str, *, keep_copy: bool = True) -> Path | None:
    """Bring a gallery to the newest schema, all or nothing; return the backup made before.

    Parameters
    ----------
    engine : Engine
        Of that gallery, with no connection in use.
    file : Path
    version : str
        The revision that it has now.
    keep_copy : bool
        Whether to make that backup.

    Raises
    ------
    KnownError
        The backup could not be written or a migration failed; the gallery is unchanged.
    """
    backup: Path | None = None
    if keep_copy:
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
            connection = connection.execution_options(**{WRITES: True})
            with connection.begin():
                (now,) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").one()
                if now == version:  # nobody else was faster
                    migrate(connection)
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise KnownError("A row points at one that is missing.")
                    connection.execute(update(State).values(written_by=f"facegui {__version__}"))
    except Exception as error:
        known = translate(error, str(file))
        if known is not None:
            raise known from error
        raise KnownError(
            f"The gallery {file} could not be upgraded.",
            f"{error} Nothing in it was changed.",
            f"Please report this. A copy made before is at {backup}." if backup else "Please report this.",
        ) from error
    finally:
        event.remove(engine, "connect", without_keys)
    return backup
