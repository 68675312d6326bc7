"""Writing a batch of photos that were read into the index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from facegui.faces.types import Box, Face
from facegui.gallery.facerows import face_values, model_keys_of, overlap
from facegui.gallery.lanes import Write
from facegui.gallery.records import IndexedPhoto
from facegui.gallery.rows import SAME_FACE, delete_faces, set_embedding
from facegui.gallery.schema import Crop, Embedding, Photo
from facegui.gallery.schema import Face as FaceRow
from facegui.gallery.undoing import CHUNK

__all__ = ["Incoming", "write_photos"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A photo that was read, with its crops encoded in the order of its faces."""

    photo: IndexedPhoto
    pictures: list[bytes]


@dataclass(frozen=True, slots=True)
class _Enrolled:
    """An enrolled face of a photo that is read again."""

    face_id: int
    box: Box
    indexed: bool


def write_photos(write: Write, incoming: list[Incoming], moment: datetime) -> None:
    """Insert or replace photos with their faces, crops and vectors.

    Parameters
    ----------
    write : Write
    incoming : list of Incoming
        Each path once.
    moment : datetime
        When they were read; aware.
    """
    models = model_keys_of(write.connection, (face for item in incoming for face in item.photo.faces))
    known, enrolled = _known(write, incoming)
    ids = _photo_rows(write, incoming, known, moment)
    faces: list[dict[str, Any]] = []
    parts: list[tuple[Face, bytes]] = []
    for item in incoming:
        photo_id = ids[item.photo.path]
        again = enrolled.get(photo_id, [])
        found: set[int] = set()
        for face, picture in zip(item.photo.faces, item.pictures, strict=True):
            values = face_values(face, item.photo.scale, moment)
            same = _same(again, values, found)
            if same is None:
                faces.append({**values, "photo_id": photo_id, "person_id": None, "indexed": True})
                parts.append((face, picture))
            else:
                found.add(same.face_id)
                _join_index(write, same, face, models)
        _leave_index(write, [one for one in again if one.indexed and one.face_id not in found])
    _face_rows(write, faces, parts, models)


def _known(write: Write, incoming: list[Incoming]) -> tuple[dict[str, int], dict[int, list[_Enrolled]]]:
    """Find the photos that are known by their path and clear them of the faces that nobody has.

    The enrolled faces of photos whose content is still the same come back by photo; those of other photos are no
    longer to be seen there and leave the index.
    """
    by_path = {item.photo.path: item.photo for item in incoming}
    known: dict[str, int] = {}
    enrolled: dict[int, list[_Enrolled]] = {}
    paths = list(by_path)
    for start in range(0, len(paths), CHUNK):
        rows = write.connection.execute(
            select(Photo.id, Photo.path, Photo.content_hash).where(Photo.path.in_(paths[start : start + CHUNK]))
        ).all()
        known.update({row.path: row.id for row in rows})
        hashes = {row.id: (row.content_hash, by_path[row.path].content_hash) for row in rows}
        faces = write.connection.execute(
            select(
                FaceRow.id,
                FaceRow.photo_id,
                FaceRow.person_id,
                FaceRow.indexed,
                FaceRow.x,
                FaceRow.y,
                FaceRow.width,
                FaceRow.height,
            ).where(FaceRow.photo_id.in_(list(hashes)))
        ).all()
        delete_faces(write, [row.id for row in faces if row.person_id is None])
        for row in faces:
            if row.person_id is None:
                continue
            one = _Enrolled(row.id, Box(row.x, row.y, row.width, row.height), row.indexed)
            before, after = hashes[row.photo_id]
            if before and after and before != after:
                _leave_index(write, [one] if one.indexed else [])
            else:
                enrolled.setdefault(row.photo_id, []).append(one)
    return known, enrolled


def _photo_rows(write: Write, incoming: list[Incoming], known: dict[str, int], moment: datetime) -> dict[str, int]:
    """Insert the new photos and update the known ones; return all ids by path."""
    fresh: list[dict[str, Any]] = []
    stale: list[dict[str, Any]] = []
    for item in incoming:
        photo = item.photo
        values = {
            "path": photo.path,
            "content_hash": photo.content_hash,
            "size": photo.size,
            "mtime_ns": photo.mtime_ns,
            "width": photo.width,
            "height": photo.height,
            "taken": photo.taken,
            "error": photo.error,
            "indexed": moment,
        }
        if photo.path in known:
            stale.append({**values, "known_id": known[photo.path]})
        else:
            fresh.append(values)
    ids = dict(known)
    if stale:
        write.connection.execute(update(Photo.__table__).where(Photo.id == bindparam("known_id")), stale)  # type: ignore[arg-type]
    if fresh:
        made = write.connection.scalars(insert(Photo).returning(Photo.id, sort_by_parameter_order=True), fresh).all()
        ids.update(zip((values["path"] for values in fresh), made, strict=True))
    write.photos.update(ids.values())
    return ids


def _face_rows(
    write: Write, faces: list[dict[str, Any]], parts: list[tuple[Face, bytes]], models: dict[str, int]
) -> None:
    if not faces:
        return
    ids = write.connection.scalars(insert(FaceRow).returning(FaceRow.id, sort_by_parameter_order=True), faces).all()
    crops = [{"face_id": key, "picture": picture} for key, (_, picture) in zip(ids, parts, strict=True)]
    write.connection.execute(insert(Crop), crops)
    vectors = [
        {"face_id": key, "model_id": models[face.embedding.model_id], "vector": face.embedding.vector}
        for key, (face, _) in zip(ids, parts, strict=True)
        if face.embedding is not None
    ]
    if vectors:
        write.connection.execute(insert(Embedding), vectors)
    write.faces.update(ids)
    write.appended = True


def _same(again: list[_Enrolled], values: dict[str, Any], taken: set[int]) -> _Enrolled | None:
    box = Box(values["x"], values["y"], values["width"], values["height"])
    near = [(overlap(box, one.box), one) for one in again if one.face_id not in taken]
    best = max(near, key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] >= SAME_FACE else None


def _join_index(write: Write, known: _Enrolled, face: Face, models: dict[str, int]) -> None:
    """Let an enrolled face that was found again answer for itself in the index."""
    write.faces.add(known.face_id)
    if not known.indexed:
        write.connection.execute(update(FaceRow).where(FaceRow.id == known.face_id).values(indexed=True))
        write.removed = True  # its vector is older than what a matrix in memory would still read
    if face.embedding is not None:
        set_embedding(write, known.face_id, models[face.embedding.model_id], face.embedding.vector)
        write.samples = True


def _leave_index(write: Write, faces: list[_Enrolled]) -> None:
    ids = [one.face_id for one in faces]
    if ids:
        write.faces.update(ids)
        write.connection.execute(update(FaceRow).where(FaceRow.id.in_(ids)).values(indexed=False))
        write.removed = True
