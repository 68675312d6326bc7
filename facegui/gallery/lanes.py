"""The ways into the database: many readers at once, one writer at a time, and word of every change.

A write happens in `Lanes._write`. It collects what it changes, counts it in the `State` row for other processes,
keeps what is needed to take it back, and tells the subscribers once it is committed.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from sqlalchemy import Connection, select, update

from facegui.errors import KnownError
from facegui.gallery import undoing
from facegui.gallery.changes import RowImage
from facegui.gallery.connect import Database
from facegui.gallery.records import Change, Undo
from facegui.gallery.schema import STATE_ID, State

__all__ = ["Lanes", "Stamp", "Write", "read_stamp"]

_log = logging.getLogger(__name__)

Stamp = tuple[str, int, int, int, int]
"""Epoch, people, appended, removed, history: what `State` says at one moment."""

Listener = Callable[[Change], None]


def read_stamp(connection: Connection) -> Stamp:
    """Return what the database says of its own changes, in this connection's moment."""
    row = connection.execute(
        select(State.epoch, State.people, State.appended, State.removed, State.history).where(State.id == STATE_ID)
    ).one()
    return row.epoch, row.people, row.appended, row.removed, row.history


class Write:
    """One write under way.

    Attributes
    ----------
    connection : Connection
        Holds the write lock.
    people, faces, photos : set of int
        Ids that change; rows given to `changing` and `added` are included by themselves.
    samples, appended, removed, history : bool
        Whether enrolled samples changed, faces were added to the index, it changed in another way, or the history did.
    deletion : bool
        Whether something is deleted that should leave no trace in the file.
    everything : bool
        Whether more changes than can be listed.
    text : str
        What happens, for the user.
    change : Change
        The result, once the write is committed.
    """

    def __init__(self, connection: Connection, *, undoable: bool) -> None:
        self.connection = connection
        self.people: set[int] = set()
        self.faces: set[int] = set()
        self.photos: set[int] = set()
        self.samples = False
        self.appended = False
        self.removed = False
        self.history = False
        self.deletion = False
        self.everything = False
        self.text = ""
        self.change = Change()
        self._images = undoing.Images(connection) if undoable else None

    def changing(self, table: str, keys: Iterable[int]) -> None:
        """Say, before it happens, that rows will be changed or deleted."""
        wanted = list(keys)
        self._touch(table, wanted)
        if self._images is not None:
            self._images.before(table, wanted)

    def added(self, table: str, keys: Iterable[int]) -> None:
        """Say that rows are new."""
        wanted = list(keys)
        self._touch(table, wanted)
        if self._images is not None:
            self._images.added(table, wanted)

    def touched(self, table: str, keys: Iterable[int]) -> None:
        """Say which rows change, where nothing is kept to take it back."""
        self._touch(table, keys)

    def images(self) -> tuple[RowImage, ...]:
        """Return the rows that have changed so far, before and after."""
        return self._images.finish() if self._images is not None else ()

    def _touch(self, table: str, keys: Iterable[int]) -> None:
        ids = {"person": self.people, "face": self.faces, "crop": self.faces, "photo": self.photos}.get(table)
        if ids is not None:
            ids.update(keys)
        self.history |= table == "decision"

    def finish(self) -> None:
        """Count the change and make the `Change`; the commit follows."""
        if self.samples or self.appended or self.removed or self.history or self.deletion:
            self.connection.execute(
                update(State)
                .where(State.id == STATE_ID)
                .values(
                    people=State.people + int(self.samples),
                    appended=State.appended + int(self.appended),
                    removed=State.removed + int(self.removed),
                    history=State.history + int(self.history),
                    deletions=State.deletions + int(self.deletion),
                )
            )
        rows = self._images.finish() if self._images is not None else ()
        owners = (side["person_id"] for row in rows if row.table == "face" for side in (row.before, row.after) if side)
        self.people.update(owner for owner in owners if owner is not None)
        undo = Undo(self.text, rows, read_stamp(self.connection)[0]) if rows else None
        people, faces, photos = frozenset(self.people), frozenset(self.faces), frozenset(self.photos)
        self.change = Change(people, faces, photos, self.text, undo, self.everything)


class Lanes:
    """Common ground of the parts of a `Gallery`; safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write_lane = threading.Lock()
        self._listeners: list[Listener] = []
        self._idle = threading.Condition()
        self._busy = 0
        self._closed = False
        self._seen: Stamp | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def location(self) -> str:
        """Where the gallery is, for display."""
        return self._database.location

    @property
    def url(self) -> str:
        """The gallery as a URL."""
        return f"sqlite:///{quote(str(self.file), errors='surrogateescape')}"

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self._database.file

    @property
    def read_only(self) -> bool:
        """Whether every write is refused."""
        return self._database.read_only

    def close(self) -> None:
        """Close the database after the calls under way have ended; may be called again."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._busy == 0)
        self._database.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every `Change`, in the thread that made it; return a function that ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    def poll(self) -> bool:
        """Look whether another process changed the gallery since the last look, and tell the subscribers if so.

        Cheap enough for a timer. Changes made through this object are announced at once and not again.
        """
        with self._read() as connection:
            stamp = read_stamp(connection)
        with self._idle:
            before, self._seen = self._seen, stamp
        if before is None or before == stamp:
            return False
        self._announce(Change(text="The gallery was changed by another program.", everything=True))
        return True

    def _require_writable(self) -> None:
        if self.read_only:
            raise KnownError(
                "The gallery was opened for reading only.",
                f"Nothing can be changed in {self.location}.",
                "Open it without the read-only choice.",
            )

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._idle:
            if self._closed:
                raise RuntimeError("the gallery is closed")
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    @contextlib.contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._in_use(), self._database.reading() as connection:
            yield connection

    @contextlib.contextmanager
    def _write(self, *, undoable: bool = False) -> Iterator[Write]:
        self._require_writable()
        with self._in_use(), self._write_lane:
            with self._database.writing() as connection:
                before = read_stamp(connection)
                write = Write(connection, undoable=undoable)
                yield write
                write.finish()
                after = read_stamp(connection)
            with self._idle:
                if self._seen is None or self._seen == before:
                    self._seen = after
        self._announce(write.change)

    def _announce(self, change: Change) -> None:
        for listener in list(self._listeners):
            try:
                listener(change)
            except Exception:  # a listener's bug must not make a finished write look like a failed one
                _log.exception("a listener failed on a change of the gallery")
