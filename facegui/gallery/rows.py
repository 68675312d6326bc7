"""Rows of people, photos and faces, as the writes of a gallery need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from sqlalchemy import Connection, delete, insert, or_, select, update

from facegui.errors import KnownError
from facegui.faces.types import Box, Vector
from facegui.gallery.facerows import now, overlap
from facegui.gallery.lanes import Write
from facegui.gallery.naming import follow_owner
from facegui.gallery.people import name_key
from facegui.gallery.records import NewSample
from facegui.gallery.schema import Answer, Decision, Embedding, Face, Person, Photo
from facegui.gallery.undoing import chunks

__all__ = [
    "SAME_FACE",
    "decisions_with",
    "delete_faces",
    "drop_orphan_photos",
    "give",
    "indexed_face",
    "insert_row",
    "person_for",
    "photo_for",
    "set_embedding",
]

Numbered: TypeAlias = type[Person] | type[Photo] | type[Face] | type[Embedding]

SAME_FACE = 0.5
"""Overlap (intersection over union) from which two boxes in one photo are one face, as PASCAL VOC counts."""


def insert_row(write: Write, table: Numbered, values: Mapping[str, object]) -> int:
    """Insert one row and return its id."""
    key = int(write.connection.scalars(insert(table).values(**values).returning(table.id)).one())
    write.added(table.__tablename__, [key])
    return key


def person_for(write: Write, name: str) -> int:
    """Return the person of that name, made when there is none."""
    key = name_key(name)
    found = write.connection.execute(select(Person.id).where(Person.name_key == key)).scalar()
    if found is not None:
        write.people.add(found)
        return found
    return insert_row(write, Person, {"name": name, "name_key": key, "created": now(), "last_seen": None})


def photo_for(write: Write, sample: NewSample) -> int:
    """Return the photo or camera that a sample came from, made when it is unknown."""
    found = write.connection.execute(select(Photo.id).where(Photo.path == sample.source)).scalar()
    if found is not None:
        return found
    width, height = sample.original_size
    values = {
        "path": sample.source,
        "content_hash": sample.content_hash,
        "size": sample.size,
        "mtime_ns": sample.mtime_ns,
        "width": width,
        "height": height,
        "taken": sample.taken,
        "error": None,
        "indexed": None,
    }
    return insert_row(write, Photo, values)


def indexed_face(write: Write, photo_id: int, sample: NewSample) -> int | None:
    """Return the face of the index that this sample is, unless somebody has it already."""
    rows = write.connection.execute(
        select(Face.id, Face.x, Face.y, Face.width, Face.height, Photo.content_hash)
        .join(Photo, Photo.id == Face.photo_id)
        .where(Face.photo_id == photo_id, Face.indexed, Face.person_id.is_(None))
    ).all()
    box = sample.face.detection.box.scaled(1.0 / sample.scale)
    best: tuple[float, int] | None = None
    for row in rows:
        if sample.content_hash and row.content_hash and sample.content_hash != row.content_hash:
            continue  # the file was changed after the index had read it
        share = overlap(box, Box(row.x, row.y, row.width, row.height))
        if share >= SAME_FACE and (best is None or share > best[0]):
            best = share, row.id
    return best[1] if best else None


def set_embedding(write: Write, face_id: int, model: int, vector: Vector) -> None:
    """Give a face its vector of one model, in the place of an older one."""
    this = (Embedding.face_id == face_id, Embedding.model_id == model)
    row = write.connection.execute(select(Embedding.id, Embedding.vector).where(*this)).first()
    if row is not None:
        if np.array_equal(row.vector, vector):
            return
        write.changing("embedding", [row.id])
        # A changed vector has a new id, so that whoever has read up to some id misses nothing.
        write.connection.execute(delete(Embedding).where(Embedding.id == row.id))
        write.removed = True
    insert_row(write, Embedding, {"face_id": face_id, "model_id": model, "vector": vector})
    write.appended = True


def give(write: Write, face_ids: Sequence[int], person_id: int) -> None:
    """Give faces to a person.

    Raises
    ------
    KnownError
        A face is no longer there.
    """
    found = {
        row.id: row.person_id
        for some in chunks(face_ids)
        for row in write.connection.execute(select(Face.id, Face.person_id).where(Face.id.in_(some)))
    }
    if len(found) != len(set(face_ids)):
        raise KnownError(
            "This face is no longer in the gallery.",
            "It was removed in the meantime.",
            "Look at the samples again.",
        )
    write.people |= {person_id, *(old for old in found.values() if old is not None)}
    write.changing("face", found)
    for some in chunks(found):
        write.connection.execute(update(Face).where(Face.id.in_(some)).values(person_id=person_id))
    follow_owner(write, list(found), person_id)
    write.samples = True


def delete_faces(write: Write, face_ids: Sequence[int]) -> list[str]:
    """Delete faces with crops, vectors and the photos that nothing needs any more; return those photos' paths."""
    connection = write.connection
    photos: set[int] = set()
    for some in chunks(face_ids):
        rows = connection.execute(select(Face.photo_id, Face.indexed).where(Face.id.in_(some))).all()
        photos |= {row.photo_id for row in rows}
        write.removed |= any(row.indexed for row in rows)
        vectors = connection.scalars(select(Embedding.id).where(Embedding.face_id.in_(some))).all()
        write.changing("face", some)
        write.changing("crop", some)
        write.changing("embedding", vectors)
        write.changing("cluster_face", some)
        write.changing("answer", answers_about(connection, some))
        connection.execute(delete(Face).where(Face.id.in_(some)))
        write.deletion = True
    return drop_orphan_photos(write, photos)


def answers_about(connection: Connection, face_ids: Sequence[int]) -> Sequence[int]:
    """Return the answers that are about one of these faces."""
    about = or_(Answer.face_id.in_(face_ids), Answer.other_face_id.in_(face_ids))
    return connection.scalars(select(Answer.id).where(about)).all()


def drop_orphan_photos(write: Write, photo_ids: Iterable[int]) -> list[str]:
    """Delete those of the photos that are in no index and have no face; return their paths."""
    paths: list[str] = []
    for some in chunks(photo_ids):
        rows = write.connection.execute(
            select(Photo.id, Photo.path)
            .where(Photo.id.in_(some), Photo.indexed.is_(None))
            .where(~select(Face.id).where(Face.photo_id == Photo.id).exists())
        ).all()
        write.changing("photo", [row.id for row in rows])
        write.connection.execute(delete(Photo).where(Photo.id.in_([row.id for row in rows])))
        paths += [row.path for row in rows]
    return paths


def decisions_with(write: Write, paths: Sequence[str]) -> list[int]:
    """Return the decisions that compared one of these photos."""
    found: list[int] = []
    for path in paths:
        used = or_(Decision.probe == path, Decision.reference == path)
        found += write.connection.scalars(select(Decision.id).where(used))
    return found
