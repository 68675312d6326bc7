"""Taking a write back: the rows as they were, kept in memory, put back with their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, delete, insert, select, update

from facegui.errors import KnownError
from facegui.gallery.changes import RowImage
from facegui.gallery.schema import Base

__all__ = ["Images", "chunks", "restore"]

CHUNK = 500
"""Ids in one statement; SQLite takes 999 and more."""

Row = Mapping[str, Any]


def chunks(keys: Iterable[int]) -> Iterator[list[int]]:
    """Yield the distinct keys, ascending, in lists that one statement may hold."""
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def _key(table: Table) -> Any:
    return next(iter(table.primary_key.columns))


def _rows(connection: Connection, table: Table, keys: Iterable[int]) -> dict[int, Row]:
    key = _key(table)
    found: dict[int, Row] = {}
    for some in chunks(keys):
        for row in connection.execute(select(table).where(key.in_(some))).mappings():
            found[row[key.name]] = dict(row)
    return found


def _same(left: Row | None, right: Row | None) -> bool:
    if left is None or right is None:
        return left is right
    return all(
        np.array_equal(left[name], right[name]) if isinstance(left[name], np.ndarray) else left[name] == right[name]
        for name in left
    )


class Images:
    """Collects the rows that a write touches, before and after."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._before: dict[str, dict[int, Row | None]] = {}

    def before(self, table: str, keys: Iterable[int]) -> None:
        """Keep rows that are about to change."""
        known = self._before.setdefault(table, {})
        wanted = [key for key in keys if key not in known]
        rows = _rows(self._connection, Base.metadata.tables[table], wanted)
        known.update({key: rows.get(key) for key in wanted})

    def added(self, table: str, keys: Iterable[int]) -> None:
        """Note rows that did not exist."""
        known = self._before.setdefault(table, {})
        for key in keys:
            known.setdefault(key, None)

    def finish(self) -> tuple[RowImage, ...]:
        """Look at the rows again and return those that differ."""
        images: list[RowImage] = []
        for name, known in self._before.items():
            after = _rows(self._connection, Base.metadata.tables[name], known)
            images += [
                RowImage(name, key, before, after.get(key))
                for key, before in known.items()
                if not _same(before, after.get(key))
            ]
        return tuple(images)


def restore(connection: Connection, images: Sequence[RowImage]) -> None:
    """Put rows back as they were before.

    Photos are the index's as much as a person's: when the index has read one again since, the photo stays as it is
    and the faces that come back are samples only, beside the index's own finding.

    Raises
    ------
    KnownError
        A row was changed by something else since.
    """
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    by_table: dict[str, list[RowImage]] = {}
    for image in images:
        by_table.setdefault(image.table, []).append(image)
    photos, read_again = _photos_now(connection, by_table.pop("photo", []))
    for name, some in by_table.items():
        now = _rows(connection, Base.metadata.tables[name], [image.key for image in some])
        if not all(_same(now.get(image.key), image.after) for image in some):
            raise KnownError(
                "This can no longer be undone.",
                "What it changed has been changed again since.",
                "Make the change back by hand.",
            )
    for name in (table.name for table in reversed(Base.metadata.sorted_tables)):
        gone = [image.key for image in by_table.get(name, []) if image.before is None]
        table = Base.metadata.tables[name]
        for keys in chunks(gone):
            connection.execute(delete(table).where(_key(table).in_(keys)))
    for table in Base.metadata.sorted_tables:
        for image in by_table.get(table.name, []):
            if image.before is None:
                continue
            values = dict(image.before)
            if table.name == "face":
                values["indexed"] = values["indexed"] and values["photo_id"] not in read_again
                values["photo_id"] = photos.get(values["photo_id"], values["photo_id"])
            if image.after is None:
                connection.execute(insert(table).values(values))
            else:
                connection.execute(update(table).where(_key(table) == image.key).values(values))


def _photos_now(connection: Connection, images: Sequence[RowImage]) -> tuple[dict[int, int], set[int]]:
    """Put photos back; return which id stands for which now, and the old ids that were indexed anew."""
    table = Base.metadata.tables["photo"]
    stand_in: dict[int, int] = {}
    read_again: set[int] = set()
    for image in images:
        key = table.c.id == image.key
        now = connection.execute(select(table).where(key)).mappings().first()
        untouched = now is not None and _same(dict(now), image.after)
        if image.before is None:
            # A photo that the write brought: out of the index, so that the caller removes it if nothing needs it.
            if untouched:
                connection.execute(update(table).where(key).values(indexed=None))
            continue
        if now is None:
            same_path = table.c.path == image.before["path"]
            now = connection.execute(select(table).where(same_path)).mappings().first()
        if now is None:
            connection.execute(insert(table).values(dict(image.before)))
        elif untouched:
            connection.execute(update(table).where(key).values(dict(image.before)))
        else:
            stand_in[image.key] = now["id"]
            if now["indexed"] is not None:
                read_again.add(image.key)
    return stand_in, read_again
