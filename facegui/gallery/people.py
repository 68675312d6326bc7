"""The people of a gallery: who is enrolled, with which samples."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.orm import aliased

from facegui.errors import KnownError
from facegui.faces.types import Image, Vector
from facegui.gallery.facerows import FACE_COLUMNS, box_of, decode_crop, quality_of
from facegui.gallery.lanes import Lanes
from facegui.gallery.records import PersonRecord, SampleRecord
from facegui.gallery.schema import Crop, Embedding, Face, Model, Person, Photo
from facegui.gallery.undoing import chunks

__all__ = ["People", "clean_name", "name_key"]

_LONGEST_NAME = 200


def clean_name(name: str) -> str:
    """Return a name as it is stored: composed Unicode, single spaces, none at the ends.

    Raises
    ------
    KnownError
        It is empty or too long.
    """
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    cleaned = "".join(c for c in cleaned if unicodedata.category(c) not in ("Cc", "Cs"))
    if not cleaned:
        raise KnownError("The name is empty.", "", "Type a name.")
    if len(cleaned) > _LONGEST_NAME:
        raise KnownError(
            "The name is too long.", f"A name has at most {_LONGEST_NAME} characters.", "Type a shorter one."
        )
    return cleaned


def name_key(name: str) -> str:
    """Return what two names must differ in: case and the way accents are encoded do not count."""
    return unicodedata.normalize("NFC", clean_name(name).casefold())


class People(Lanes):
    """Reading people and samples."""

    def people(self) -> list[PersonRecord]:
        """Return everybody enrolled, by name."""
        with self._read() as connection:
            found = _people(connection)
        return sorted(found, key=lambda person: (person.name.casefold(), person.id))

    def person(self, person_id: int) -> PersonRecord | None:
        """Return one person, or None when there is none of that id."""
        with self._read() as connection:
            return next(iter(_people(connection, Person.id == person_id)), None)

    def person_named(self, name: str) -> PersonRecord | None:
        """Return the person of that name, whatever its case, or None."""
        with self._read() as connection:
            return next(iter(_people(connection, Person.name_key == name_key(name))), None)

    def samples(self, person_id: int) -> list[SampleRecord]:
        """Return a person's samples with their crops, oldest first."""
        query = (
            select(*FACE_COLUMNS, Crop.picture)
            .join(Photo, Photo.id == Face.photo_id)
            .join(Crop, Crop.face_id == Face.id)
            .where(Face.person_id == person_id)
            .order_by(Face.id)
        )
        with self._read() as connection:
            rows = connection.execute(query).all()
        return [
            SampleRecord(
                face_id=row.id,
                person_id=person_id,
                photo_path=row.path,
                quality=quality_of(row),
                crop=decode_crop(row.picture),
                box=box_of(row),
                landmarks=row.landmarks,
                added=row.created,
            )
            for row in rows
        ]

    def crop(self, face_id: int) -> Image | None:
        """Return the aligned crop of a face, RGB uint8 (112, 112, 3), or None when there is no such face."""
        return self.crops([face_id]).get(face_id)

    def crops(self, face_ids: Iterable[int]) -> dict[int, Image]:
        """Return the aligned crops of several faces by their id; ids without a face are left out."""
        pictures: dict[int, bytes] = {}
        with self._read() as connection:
            for some in chunks(face_ids):
                rows = connection.execute(select(Crop.face_id, Crop.picture).where(Crop.face_id.in_(some)))
                pictures.update((row.face_id, row.picture) for row in rows)
        return {face_id: decode_crop(picture) for face_id, picture in pictures.items()}

    def embeddings(self, face_ids: Iterable[int]) -> dict[str, dict[int, Vector]]:
        """Return the stored vectors of faces, by model id and face id."""
        found: dict[str, dict[int, Vector]] = {}
        query = select(Model.sha256, Embedding.face_id, Embedding.vector).join(Model, Model.id == Embedding.model_id)
        with self._read() as connection:
            for some in chunks(face_ids):
                rows = connection.execute(query.where(Embedding.face_id.in_(some)).order_by(Embedding.face_id))
                for model_id, face_id, vector in rows:
                    found.setdefault(model_id, {})[face_id] = vector
        return found


def _people(connection: Connection, *conditions: object) -> list[PersonRecord]:
    best = aliased(Face)
    cover = (
        select(best.id)
        .where(best.person_id == Person.id)
        .order_by(best.quality.desc(), best.id)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            Person.id,
            Person.name,
            func.count(Face.id).label("samples"),
            cover.label("cover"),
            Person.created,
            Person.last_seen,
        )
        .outerjoin(Face, Face.person_id == Person.id)
        .group_by(Person.id)
    )
    for condition in conditions:
        query = query.where(condition)  # type: ignore[arg-type]
    return [
        PersonRecord(row.id, row.name, row.samples, row.cover, row.created, row.last_seen)
        for row in connection.execute(query)
    ]


def require_person(connection: Connection, person_id: int) -> Row[int, str, str]:
    """Return id, name and name key of a person.

    Raises
    ------
    KnownError
        There is nobody of that id.
    """
    row = connection.execute(select(Person.id, Person.name, Person.name_key).where(Person.id == person_id)).first()
    if row is None:
        raise KnownError(
            "This person is no longer in the gallery.",
            "They were removed or merged in the meantime.",
            "Look at the list of people again.",
        )
    return row


def names_of(connection: Connection, person_ids: Sequence[int]) -> dict[int, str]:
    """Return the names of people by id."""
    names: dict[int, str] = {}
    for some in chunks(person_ids):
        names.update(connection.execute(select(Person.id, Person.name).where(Person.id.in_(some))).all())
    return names
