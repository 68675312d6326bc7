"""Vectors of another model, made from the stored crops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import ColumnElement, delete, func, insert, select

from facegui.faces.types import Embedding as Vectored
from facegui.faces.types import Image, Vector
from facegui.gallery.facerows import check_embedding, decode_crop, model_keys
from facegui.gallery.lanes import Lanes
from facegui.gallery.records import Change
from facegui.gallery.schema import Crop, Embedding, Face, Model
from facegui.gallery.undoing import chunks

__all__ = ["Reembedding"]

_READ_AT_ONCE = 256


def _lacking(model_id: str) -> ColumnElement[bool]:
    return ~(
        select(Embedding.id)
        .join(Model, Model.id == Embedding.model_id)
        .where(Embedding.face_id == Crop.face_id, Model.sha256 == model_id)
        .exists()
    )


class Reembedding(Lanes):
    """What a switch of the model needs."""

    def pending_count(self, model_id: str) -> int:
        """Return how many faces have no vector of this model yet."""
        with self._read() as connection:
            return connection.scalars(select(func.count()).select_from(Crop).where(_lacking(model_id))).one()

    def reembed_pending(self, model_id: str) -> Iterator[tuple[int, Image]]:
        """Yield id and aligned crop, RGB uint8 (112, 112, 3), of each face without a vector of this model.

        The database is not held between two steps, so vectors may be stored while this runs; a run that was broken
        off is taken up by starting again.
        """
        last = 0
        while True:
            with self._read() as connection:
                rows = connection.execute(
                    select(Crop.face_id, Crop.picture)
                    .where(Crop.face_id > last, _lacking(model_id))
                    .order_by(Crop.face_id)
                    .limit(_READ_AT_ONCE)
                ).all()
            if not rows:
                return
            for row in rows:
                yield row.face_id, decode_crop(row.picture)
            last = rows[-1].face_id

    def store_embeddings(self, model_id: str, vectors: Sequence[tuple[int, Vector]]) -> Change:
        """Keep vectors of one model; faces that were deleted in the meantime are left out.

        Raises
        ------
        ValueError
            A vector is not of unit length or not as long as the model's others.
        """
        for _, vector in vectors:
            check_embedding(Vectored(vector, model_id))
        lengths = {vector.size for _, vector in vectors}
        if len(lengths) > 1:
            raise ValueError("vectors of one model have one length")
        wanted = dict(vectors)
        if not wanted:
            return Change()
        with self._write() as write:
            write.text = f"Embedded {len(wanted)} faces" if len(wanted) != 1 else "Embedded a face"
            connection = write.connection
            model = model_keys(connection, {model_id: lengths.pop()})[model_id]
            for some in chunks(wanted):
                here = set(connection.scalars(select(Face.id).where(Face.id.in_(some))))
                write.faces |= here
                old = {
                    row.face_id: row
                    for row in connection.execute(
                        select(Embedding.id, Embedding.face_id, Embedding.vector).where(
                            Embedding.face_id.in_(some), Embedding.model_id == model
                        )
                    )
                }
                # A changed vector has a new id, so that whoever has read up to some id misses nothing.
                changed = {face_id for face_id, row in old.items() if not np.array_equal(row.vector, wanted[face_id])}
                if changed:
                    stale = [old[face_id].id for face_id in changed]
                    connection.execute(delete(Embedding).where(Embedding.id.in_(stale)))
                    write.removed = True
                fresh = [
                    {"face_id": face_id, "model_id": model, "vector": wanted[face_id]}
                    for face_id in some
                    if face_id in here and (face_id not in old or face_id in changed)
                ]
                if fresh:
                    connection.execute(insert(Embedding), fresh)
                    write.appended = True
            write.samples = True
        return write.change
