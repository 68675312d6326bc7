"""Leaving no trace of what was deleted.

``secure_delete`` overwrites deleted rows where they lie. When SQLite rearranges its pages it may however leave a copy
of a row behind in unused space, which nothing overwrites later (seen in about one of 300 deleted names). Only
rewriting the file removes those copies. A small gallery is rewritten at once, a large one when `compact` is called.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3

from sqlalchemy import select, update

from facegui.gallery.connect import BUSY_SECONDS, connect_file
from facegui.gallery.failures import known_failures
from facegui.gallery.lanes import Lanes
from facegui.gallery.schema import STATE_ID, State

__all__ = ["Tidying"]

_log = logging.getLogger(__name__)

_REWRITTEN_AT_ONCE = 64 * 2**20
"""Bytes up to which a gallery is rewritten after every deletion; 0.4 s were measured for as much."""


class Tidying(Lanes):
    """Removing what deletions may have left in the file."""

    def needs_compacting(self) -> bool:
        """Return whether something was deleted since the file was last rewritten."""
        with self._read() as connection:
            return connection.scalars(select(State.deletions).where(State.id == STATE_ID)).one() > 0

    def compact(self) -> None:
        """Rewrite the file, so that nothing deleted is left in it and its space is returned to the disk.

        Reading goes on meanwhile, writing waits. It needs as much free space as the file is large.

        Raises
        ------
        KnownError
            The gallery is opened for reading only, in use by another program, or the disk is full.
        """
        self._require_writable()
        self._rewrite(BUSY_SECONDS)

    def _tidy(self) -> None:
        """Do after a deletion what can be done at once; whatever fails is left for `compact`."""
        try:
            if self.file.stat().st_size <= _REWRITTEN_AT_ONCE:
                self._rewrite(0)
            else:
                with self._in_use(), contextlib.closing(connect_file(self.file)) as connection:
                    connection.execute("PRAGMA busy_timeout=0")
                    _empty_log(connection)
        except Exception as error:
            _log.info("the gallery was not tidied now: %s", error)

    def _rewrite(self, wait: float) -> bool:
        """Rewrite the file; return whether nothing of before is left, which may be read by somebody still."""
        with self._in_use(), self._write_lane, known_failures(self.location):
            with self._database.reading() as reader:
                before = reader.scalars(select(State.deletions).where(State.id == STATE_ID)).one()
            with contextlib.closing(connect_file(self.file)) as connection:
                connection.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
                if self.file.stat().st_size > _REWRITTEN_AT_ONCE:  # too much for the memory
                    connection.execute("PRAGMA temp_store=FILE")
                connection.execute("VACUUM")
                emptied = _empty_log(connection)
            with self._database.writing() as writer:
                # Deletions by another process in the meantime still count.
                writer.execute(update(State).where(State.id == STATE_ID).values(deletions=State.deletions - before))
        return emptied


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Bring the write-ahead log into the file and cut it to nothing; return whether no reader needs it any more."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        _log.info("the write-ahead log is still in use")
    return not busy
