"""What the faces of the index are filtered by, as arrays that are kept until the database says that they changed."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Text, select, type_coerce

from facegui.gallery.columns import escape_path, unescape_path
from facegui.gallery.connect import Database
from facegui.gallery.lanes import Lanes, Stamp, read_stamp
from facegui.gallery.records import Change
from facegui.gallery.schema import ClusterFace, Face, Photo

__all__ = ["FaceTable", "Tables"]

Ids = NDArray[np.int64]

_FETCH = 2048
"""Rows turned into arrays at once: more would keep other threads of Python waiting."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTable:
    """What faces of the index are filtered by, one row per face, by ascending id.

    Attributes
    ----------
    face_ids, photo_ids : ndarray of int64, shape (n,)
    quality : ndarray of float32, shape (n,)
        0..1.
    size : ndarray of float32, shape (n,)
        The shorter side of the box, in pixels of the original.
    taken : ndarray of datetime64[s], shape (n,)
        When the photo was taken; NaT where that is unknown.
    person_ids, clusters : ndarray of int64, shape (n,)
        Enrolled person and group, -1 for none.
    folders : ndarray of int32, shape (n,)
        Where the photo lies, as a place in `folder_names`.
    folder_names : tuple of str
        Absolute paths, in the order in which they were met.
    """

    face_ids: Ids
    photo_ids: Ids
    quality: NDArray[np.float32]
    size: NDArray[np.float32]
    taken: NDArray[np.datetime64]
    person_ids: Ids
    clusters: Ids
    folders: NDArray[np.int32]
    folder_names: tuple[str, ...]


_NOTHING = FaceTable(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32),
    np.empty(0, "datetime64[s]"), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32), (),
)  # fmt: skip


class Tables(Lanes):
    """The table of faces."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._table_lock = threading.Lock()
        self._table = _NOTHING
        self._table_stamp: Stamp | None = None
        self._groups_stale = True
        self.subscribe(self._note_groups)

    def face_table(self) -> FaceTable:
        """Return what the faces of the index are filtered by; what was merely added since the last time is read alone.

        Groups that another program changed are seen once it changes people or the index as well.
        """
        with self._table_lock, self._read() as connection:
            stamp, kept = read_stamp(connection), self._table_stamp
            # Equal epoch and count of removals: what was read before is still right.
            if kept is None or (kept[0], kept[3]) != (stamp[0], stamp[3]):
                self._table = _NOTHING
                kept = None
            if kept is None or kept[2] != stamp[2]:
                self._table = _with_added(connection, self._table)
            # Faces that were merely added are in no group yet.
            if self._groups_stale or kept is None or kept[1] != stamp[1]:
                self._groups_stale = False
                self._table = _with_groups(connection, self._table)
            self._table_stamp = stamp
            return self._table

    def _note_groups(self, change: Change) -> None:
        """Look at the groups anew after a change that was not merely the indexing of photos."""
        if change.everything or not change.photos:
            self._groups_stale = True


def _with_added(connection: Connection, table: FaceTable) -> FaceTable:
    last = int(table.face_ids[-1]) if len(table.face_ids) else 0
    # Dates and paths come as they are stored: converting each of a hundred thousand took half of the time.
    taken_text, path_text = type_coerce(Photo.taken, Text), type_coerce(Photo.path, Text)
    query = (
        select(Face.id, Face.photo_id, Face.quality, Face.width, Face.height, taken_text, path_text)
        .join(Photo, Photo.id == Face.photo_id)
        .where(Face.indexed, Face.id > last)
        .order_by(Face.id)
    )
    numbers = {escape_path(name): number for number, name in enumerate(table.folder_names)}
    parts = [table]
    for rows in connection.execution_options(yield_per=_FETCH).execute(query).partitions():
        ids, photos, quality, width, height, taken, paths = zip(*rows, strict=True)
        places = [numbers.setdefault(path.rpartition(os.sep)[0] or os.sep, len(numbers)) for path in paths]
        unknown = np.full(len(rows), -1, np.int64)
        size = np.minimum(np.array(width, np.float32), np.array(height, np.float32))
        parts.append(
            FaceTable(
                np.array(ids, np.int64), np.array(photos, np.int64), np.array(quality, np.float32), size,
                np.array(taken, "datetime64[s]"), unknown, unknown, np.array(places, np.int32), (),
            )
        )  # fmt: skip
    return FaceTable(
        np.concatenate([part.face_ids for part in parts]),
        np.concatenate([part.photo_ids for part in parts]),
        np.concatenate([part.quality for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.taken for part in parts]),
        np.concatenate([part.person_ids for part in parts]),
        np.concatenate([part.clusters for part in parts]),
        np.concatenate([part.folders for part in parts]),
        tuple(unescape_path(name) for name in numbers),
    )


def _with_groups(connection: Connection, table: FaceTable) -> FaceTable:
    people = select(Face.id, Face.person_id).where(Face.indexed, Face.person_id.is_not(None))
    clusters = select(ClusterFace.face_id, ClusterFace.cluster_id)
    columns = []
    for query in (people, clusters):
        column = np.full(len(table.face_ids), -1, np.int64)
        for rows in connection.execution_options(yield_per=_FETCH).execute(query).partitions():
            ids, values = (np.array(part, np.int64) for part in zip(*rows, strict=True))
            places = np.searchsorted(table.face_ids, ids)
            there = places < len(column)
            there[there] &= table.face_ids[places[there]] == ids[there]
            column[places[there]] = values[there]
        columns.append(column)
    return replace(table, person_ids=columns[0], clusters=columns[1])
