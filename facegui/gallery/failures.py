"""Database errors in words that a user can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from facegui.errors import KnownError

__all__ = ["known_failures", "translate"]

# SQLite's primary result codes (https://www.sqlite.org/rescode.html); extended ones keep these in the low byte.
_PRIMARY = 0xFF


def translate(error: BaseException, location: str) -> KnownError | None:
    """Return the `KnownError` that explains a database error, or None when the error is a bug.

    Parameters
    ----------
    error : BaseException
        From ``sqlite3`` or SQLAlchemy.
    location : str
        The gallery, as the user knows it.
    """
    origin = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(origin, sqlite3.Error):
        if isinstance(error, OperationalError):  # another database, which cannot be reached
            return KnownError(
                f"The gallery {location} did not answer.",
                str(origin).strip(),
                "Check that its server runs and can be reached, then try again.",
            )
        return None
    code = getattr(origin, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & _PRIMARY
    if primary == sqlite3.SQLITE_FULL:
        return KnownError(
            "The gallery could not be written.",
            f"The disk that holds {location} is full. Everything saved before is still there.",
            "Free some space, then try again.",
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return KnownError(
            "The gallery is busy.",
            f"Another program has been writing to {location} for a long time.",
            "Wait until it is done or close it, then try again.",
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return KnownError(
            f"The gallery {location} can only be read.",
            "The file or its folder is write-protected.",
            "Change its permissions, or choose a gallery elsewhere.",
        )
    if primary == sqlite3.SQLITE_CANTOPEN:
        return KnownError(
            f"The gallery {location} could not be opened.",
            "The file or its folder is missing or may not be used.",
            "Check the path and its permissions.",
        )
    if primary == sqlite3.SQLITE_NOTADB:
        return KnownError(
            f"{location} is not a gallery.",
            "The file is not a facegui database, or it is damaged at its beginning.",
            "Choose another file, or restore a backup with: facegui restore",
        )
    if primary == sqlite3.SQLITE_CORRUPT:
        return KnownError(
            f"The gallery {location} is damaged.",
            "Parts of the file cannot be read.",
            "Restore a backup with: facegui restore",
        )
    if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_TOOBIG):
        return KnownError(
            f"The gallery {location} could not be read or written.",
            f"The disk reported an error ({origin}).",
            "Check that the drive is connected and healthy, then try again.",
        )
    return None


@contextmanager
def known_failures(location: str) -> Iterator[None]:
    """Turn database errors that the user can mend into `KnownError`; let bugs through."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        known = translate(error, location)
        if known is None:
            raise
        raise known from error
