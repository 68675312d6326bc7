"""The faces of the index as streams, for what does not hold all vectors in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import LargeBinary, func, select, type_coerce

from facegui.gallery.lanes import Lanes, Stamp, read_stamp
from facegui.gallery.schema import Embedding, Face, Model, Photo
from facegui.gallery.undoing import chunks
from facegui.gallery.within import in_folders

__all__ = ["Streams", "VectorBatch"]

Ids = NDArray[np.int64]

_BATCH = 16384
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True, slots=True, eq=False)
class VectorBatch:
    """Some faces with their vectors, by ascending id of the vector.

    Attributes
    ----------
    last : int
        Id of the last vector.
    vectors : ndarray of float32, shape (n, d)
    face_ids, photo_ids : ndarray of int64, shape (n,)
    """

    last: int
    vectors: NDArray[np.float32]
    face_ids: Ids
    photo_ids: Ids


class Streams(Lanes):
    """Reading many faces."""

    def stamp(self) -> Stamp:
        """Return what the database says of its own changes: equal stamps, nothing changed."""
        with self._read() as connection:
            return read_stamp(connection)

    def embedded_faces(self, model_id: str) -> int:
        """Return how many faces of the index have a vector of this model."""
        with self._read() as connection:
            return int(connection.scalars(_of(select(func.count(Embedding.id)), model_id)).one())

    def embedded_ids(self, model_id: str) -> Ids:
        """Return the ids of these faces, ascending."""
        with self._read() as connection:
            return np.sort(np.fromiter(connection.scalars(_of(select(Embedding.face_id), model_id)), np.int64))

    def existing(self, face_ids: Sequence[int]) -> set[int]:
        """Return those of the ids that are faces in the gallery, indexed or enrolled."""
        with self._read() as connection:
            return {
                face_id
                for some in chunks(face_ids)
                for face_id in connection.scalars(select(Face.id).where(Face.id.in_(some)))
            }

    def face_vectors(
        self, model_id: str, *, after: int = 0, every: int = 1, only: Sequence[int] | None = None
    ) -> Iterator[VectorBatch]:
        """Yield the faces of the index with their vectors.

        Parameters
        ----------
        model_id : str
            sha256 of the model.
        after : int
            Only vectors with a higher id: those added since.
        every : int
            Only every so many of them, as a sample.
        only : sequence of int, optional
            Only these faces.
        """
        columns = Embedding.id, Embedding.face_id, Face.photo_id, type_coerce(Embedding.vector, LargeBinary)
        query = _of(select(*columns), model_id).order_by(Embedding.id).limit(_BATCH)
        if every > 1:
            query = query.where(Embedding.id % every == 0)
        parts: list[Sequence[int] | None] = [None] if only is None else list(chunks(only))
        for part in parts:
            last = after
            while True:
                # A read for each batch: no reader may keep the write-ahead log from being emptied for long.
                asked = query.where(Embedding.id > last)
                with self._read() as connection:
                    rows = connection.execute(asked if part is None else asked.where(Embedding.face_id.in_(part))).all()
                if not rows:
                    break
                ids, faces, photos, raw = zip(*rows, strict=True)
                last = int(ids[-1])
                flat = np.frombuffer(b"".join(raw), _FLOAT).astype(np.float32, copy=False)
                yield VectorBatch(
                    last, flat.reshape(len(rows), -1), np.array(faces, np.int64), np.array(photos, np.int64)
                )

    def photos_within(self, folders: Sequence[str]) -> Ids:
        """Return the ids of the indexed photos in and below folders, ascending."""
        query = select(Photo.id).where(Photo.indexed.is_not(None), in_folders(folders))
        with self._read() as connection:
            return np.sort(np.fromiter(connection.scalars(query), np.int64))


def _of(query: Any, model_id: str) -> Any:
    """Return a query of embeddings for those of a model that belong to faces of the index."""
    return (
        query.join(Face, Face.id == Embedding.face_id)
        .join(Model, Model.id == Embedding.model_id)
        .where(Model.sha256 == model_id, Face.indexed)
    )
