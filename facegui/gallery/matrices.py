"""Vectors as matrices, kept in memory until the database says that they have changed.

Every process that writes counts its changes in the `State` row. A matrix remembers the counts it was read at, so a
write by another process is noticed at the next search, and faces that were merely added are read alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, LargeBinary, Select, func, select, type_coerce

from facegui.gallery.connect import Database
from facegui.gallery.lanes import Lanes, Stamp, read_stamp
from facegui.gallery.records import FaceMatrix, Ids, TemplateMatrix
from facegui.gallery.schema import Embedding, Face, Model, Person, Photo
from facegui.gallery.within import in_folders

__all__ = ["Matrices", "template_means"]

_FLOAT = np.dtype("<f4")
_KEPT = 4
"""Matrices of as many different folder choices stay in memory."""

_Item = TypeVar("_Item", bound=np.generic)

_FETCH = 4096
_GROWTH = 1.5


@dataclass(slots=True)
class _Growing:
    """Rows in a buffer with room to grow; what was handed out stays valid when more is added."""

    stamp: Stamp
    last: int
    size: int
    vectors: NDArray[np.float32]
    face_ids: Ids
    photo_ids: Ids

    def append(self, vectors: NDArray[np.float32], face_ids: Ids, photo_ids: Ids) -> None:
        needed = self.size + face_ids.size
        if needed > self.face_ids.size:
            room = max(needed, int(self.face_ids.size * _GROWTH))
            self.vectors = _enlarged(self.vectors, self.size, room)
            self.face_ids = _enlarged(self.face_ids, self.size, room)
            self.photo_ids = _enlarged(self.photo_ids, self.size, room)
        self.vectors[self.size : needed] = vectors
        self.face_ids[self.size : needed] = face_ids
        self.photo_ids[self.size : needed] = photo_ids
        self.size = needed

    def matrix(self, model_id: str) -> FaceMatrix:
        views = self.vectors[: self.size], self.face_ids[: self.size], self.photo_ids[: self.size]
        for view in views:
            view.flags.writeable = False
        return FaceMatrix(model_id, *views)


class Matrices(Lanes):
    """Templates and index as matrices."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._cache_lock = threading.Lock()
        self._templates: dict[str, tuple[Stamp, TemplateMatrix]] = {}
        self._faces: OrderedDict[tuple[str, tuple[str, ...] | None], _Growing] = OrderedDict()

    def template_matrix(self, model_id: str) -> TemplateMatrix:
        """Return the vectors of all enrolled samples that this model has embedded.

        Parameters
        ----------
        model_id : str
            sha256 of the model.
        """
        with self._cache_lock, self._read() as connection:
            stamp = read_stamp(connection)
            kept = self._templates.get(model_id)
            if kept is not None and kept[0][:2] == stamp[:2]:
                return kept[1]
            matrix = _templates(connection, model_id)
            self._templates[model_id] = stamp, matrix
            return matrix

    def face_matrix(self, model_id: str, folders: Sequence[str] | None = None) -> FaceMatrix:
        """Return the vectors of the faces in the folder index, in the order in which they were added.

        Parameters
        ----------
        model_id : str
            sha256 of the model.
        folders : sequence of str or None
            Only photos in or below these; None means all.
        """
        key = model_id, None if folders is None else tuple(sorted(set(folders)))
        with self._cache_lock, self._read() as connection:
            stamp = read_stamp(connection)
            kept = self._faces.get(key)
            # Equal epoch and count of removals: what was read before is still right.
            if kept is not None and (kept.stamp[0], kept.stamp[3]) == (stamp[0], stamp[3]):
                if kept.stamp[2] != stamp[2]:
                    _read_faces(connection, kept, model_id, key[1])
            else:
                dimension = _dimension(connection, model_id)
                kept = _Growing(
                    stamp,
                    0,
                    0,
                    np.empty((0, dimension), np.float32),
                    np.empty(0, np.int64),
                    np.empty(0, np.int64),
                )
                _read_faces(connection, kept, model_id, key[1])
            kept.stamp = stamp
            self._faces[key] = kept
            self._faces.move_to_end(key)
            while len(self._faces) > _KEPT:
                self._faces.popitem(last=False)
            return kept.matrix(model_id)


def _enlarged(array: NDArray[_Item], used: int, room: int) -> NDArray[_Item]:
    larger = np.empty((room, *array.shape[1:]), array.dtype)
    larger[:used] = array[:used]
    return larger


def _dimension(connection: Connection, model_id: str) -> int:
    found = connection.execute(select(Model.dimension).where(Model.sha256 == model_id)).scalar()
    return int(found or 0)


def _count(connection: Connection, model_id: str) -> int:
    query = select(func.count(Embedding.id)).join(Model, Model.id == Embedding.model_id)
    return int(connection.scalars(query.where(Model.sha256 == model_id)).one())


def _vectors(raw: list[bytes], dimension: int) -> NDArray[np.float32]:
    flat = np.frombuffer(b"".join(raw), _FLOAT)
    return flat.astype(np.float32, copy=False).reshape(len(raw), dimension)


def _read_faces(connection: Connection, kept: _Growing, model_id: str, folders: tuple[str, ...] | None) -> None:
    """Add the faces whose vectors came after the last one read; ids grow in the order of the commits."""
    query: Select[int, int, int, bytes] = (
        select(
            Embedding.id,
            Embedding.face_id,
            Face.photo_id,
            type_coerce(Embedding.vector, LargeBinary),
        )
        .join(Face, Face.id == Embedding.face_id)
        .join(Model, Model.id == Embedding.model_id)
        .where(Model.sha256 == model_id, Face.indexed, Embedding.id > kept.last)
        .order_by(Embedding.id)
    )
    if folders is not None:
        query = query.join(Photo, Photo.id == Face.photo_id).where(in_folders(folders))
    dimension = _dimension(connection, model_id)
    if kept.size == 0:
        # Too much where folders are given, but memory that is never written to is never taken.
        room = _count(connection, model_id)
        kept.vectors = np.empty((room, dimension), np.float32)
        kept.face_ids, kept.photo_ids = np.empty(room, np.int64), np.empty(room, np.int64)
    for rows in connection.execution_options(yield_per=_FETCH).execute(query).partitions():
        ids, faces, photos, raw = zip(*rows, strict=True)
        kept.append(_vectors(list(raw), dimension), np.array(faces, np.int64), np.array(photos, np.int64))
        kept.last = int(ids[-1])


def _templates(connection: Connection, model_id: str) -> TemplateMatrix:
    rows = connection.execute(
        select(
            Face.id,
            Face.person_id,
            Face.quality,
            type_coerce(Embedding.vector, LargeBinary).label("vector"),
        )
        .join(Embedding, Embedding.face_id == Face.id)
        .join(Model, Model.id == Embedding.model_id)
        .where(Model.sha256 == model_id, Face.person_id.is_not(None))
        .order_by(Face.person_id, Face.id)
    ).all()
    names = dict(connection.execute(select(Person.id, Person.name)).all())
    dimension = _dimension(connection, model_id)
    vectors = _vectors([row.vector for row in rows], dimension)
    person_ids = np.array([row.person_id for row in rows], np.int64)
    quality = np.array([row.quality for row in rows], np.float32)
    people, starts = np.unique(person_ids, return_index=True)
    means, agreement = template_means(vectors, quality, starts)
    matrix = TemplateMatrix(
        model_id=model_id,
        vectors=vectors,
        face_ids=np.array([row.id for row in rows], np.int64),
        person_ids=person_ids,
        quality=quality,
        people=people,
        starts=starts.astype(np.int64, copy=False),
        means=means,
        agreement=agreement,
        names={person: names[person] for person in people.tolist()},
    )
    for array in (matrix.vectors, matrix.face_ids, matrix.person_ids, matrix.quality, means, agreement):
        array.flags.writeable = False
    return matrix


def template_means(
    vectors: NDArray[np.float32], quality: NDArray[np.float32], starts: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return unit vectors along the quality-weighted means of groups of rows, and the lengths of those means.

    The groups begin at `starts`. The length tells how well a group agrees: 1 when all its rows are the same.
    """
    if starts.size == 0:
        return np.zeros((0, vectors.shape[1]), np.float32), np.zeros(0, np.float32)
    sizes = np.diff(np.append(starts, len(quality)))
    # Where no sample of a person has any quality, all count the same.
    total = np.repeat(np.add.reduceat(quality, starts), sizes)
    weights = np.where(total > 0, quality, 1.0).astype(np.float32)
    sums = np.add.reduceat(vectors * weights[:, None], starts, axis=0)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    # Samples that cancel out have no mean: the first one stands for them.
    agree = length > np.finfo(np.float32).eps
    means = np.where(agree, sums / np.maximum(length, np.finfo(np.float32).tiny), vectors[starts])
    agreement = np.where(agree[:, 0], length[:, 0] / np.add.reduceat(weights, starts), 0.0)
    return np.ascontiguousarray(means, np.float32), np.minimum(agreement, 1.0).astype(np.float32)
