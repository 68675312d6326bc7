"""The folder index: which files were read, and the faces in them.

A face that is enrolled belongs to its person: reading its photo again, or forgetting the photo, never removes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, select, update

from facegui.gallery.facerows import FACE_COLUMNS, encode_crop, now, record_of
from facegui.gallery.indexing import Incoming, write_photos
from facegui.gallery.lanes import Write
from facegui.gallery.records import Change, FaceRecord, IndexedPhoto, PhotoRecord, PhotoStamp
from facegui.gallery.rows import delete_faces, drop_orphan_photos
from facegui.gallery.schema import Embedding, Face, Model, Photo
from facegui.gallery.tidying import Tidying
from facegui.gallery.undoing import chunks
from facegui.gallery.within import in_folders

__all__ = ["Photos"]


class Photos(Tidying):
    """Reading and writing the folder index."""

    def known_photos(self, folder: str, model_id: str | None = None) -> dict[str, PhotoStamp]:
        """Return what the index knows of the files in and below a folder, by path.

        Parameters
        ----------
        folder : str
            As it begins the paths that were given to `add_photos`.
        model_id : str or None
            The model whose vectors `PhotoStamp.embedded` is about; None makes it True everywhere.
        """
        here = (Photo.indexed.is_not(None), in_folders([folder]))
        query = select(Photo.path, Photo.id, Photo.size, Photo.mtime_ns, Photo.content_hash, Photo.error).where(*here)
        with self._read() as connection:
            lacking: set[int] = set()
            if model_id is not None:
                model = select(Model.id).where(Model.sha256 == model_id).scalar_subquery()
                lacking.update(
                    connection.scalars(
                        select(Face.photo_id)
                        .distinct()
                        .join(Photo, Photo.id == Face.photo_id)
                        .outerjoin(Embedding, and_(Embedding.face_id == Face.id, Embedding.model_id == model))
                        .where(*here, Face.indexed, Embedding.id.is_(None))
                    )
                )
            return {
                path: PhotoStamp(photo_id, size, mtime_ns, content_hash, error, photo_id not in lacking)
                for path, photo_id, size, mtime_ns, content_hash, error in connection.execute(query)
            }

    def add_photos(self, batch: Sequence[IndexedPhoto]) -> Change:
        """Put photos that were read into the index, all of them or, on an error, none.

        A photo that is known by its path is replaced: faces that nobody has are dropped for the new ones; an enrolled
        face that is found again in the unchanged file is the same face and joins the index.
        """
        latest = {photo.path: photo for photo in batch}
        # Encoding takes longer than writing, so it is done before others have to wait.
        incoming = [
            Incoming(photo, [encode_crop(face.crop, lossless=False) for face in photo.faces])
            for photo in latest.values()
        ]
        with self._write() as write:
            write_photos(write, incoming, now())
            write.text = f"Indexed {len(incoming)} photos" if len(incoming) != 1 else "Indexed a photo"
        return write.change

    def forget_photos(self, photo_ids: Iterable[int]) -> Change:
        """Take photos out of the index with their faces, except those that are enrolled."""
        with self._write() as write:
            for some in chunks(photo_ids):
                write.photos.update(some)
                _forget(write, some)
            write.removed = write.deletion = True
            write.text = f"Forgot {len(write.photos)} photos" if len(write.photos) != 1 else "Forgot a photo"
        self._tidy()
        return write.change

    def relocate(self, photo_id: int, path: str, size: int, mtime_ns: int) -> Change:
        """Say that a photo lies at another path now, with the content it had.

        What the index knew of a file at that path is forgotten; enrolled faces from there stay enrolled.
        """
        with self._write() as write:
            connection = write.connection
            write.photos.add(photo_id)
            before = connection.scalars(select(Photo.path).where(Photo.id == photo_id)).first()
            other = connection.scalars(select(Photo.id).where(Photo.path == path, Photo.id != photo_id)).first()
            if other is not None:
                write.photos.add(other)
                _forget(write, [other])
                stay = connection.scalars(select(Face.id).where(Face.photo_id == other)).all()
                write.faces.update(stay)
                connection.execute(update(Face).where(Face.photo_id == other).values(photo_id=photo_id))
                connection.execute(delete(Photo).where(Photo.id == other))
            connection.execute(
                update(Photo).where(Photo.id == photo_id).values(path=path, size=size, mtime_ns=mtime_ns)
            )
            write.removed = write.samples = before != path
            write.text = "Followed a moved photo"
        return write.change

    def faces(self, face_ids: Sequence[int]) -> list[FaceRecord]:
        """Return faces in the order asked for; ids without a face are left out."""
        found: dict[int, FaceRecord] = {}
        query = select(*FACE_COLUMNS).join(Photo, Photo.id == Face.photo_id)
        with self._read() as connection:
            for some in chunks(face_ids):
                for row in connection.execute(query.where(Face.id.in_(some))):
                    found[row.id] = record_of(row)
        return [found[face_id] for face_id in face_ids if face_id in found]

    def photo_faces(self, photo_id: int) -> list[FaceRecord]:
        """Return the faces of a photo, largest first."""
        query = (
            select(*FACE_COLUMNS)
            .join(Photo, Photo.id == Face.photo_id)
            .where(Face.photo_id == photo_id)
            .order_by((Face.width * Face.height).desc(), Face.id)
        )
        with self._read() as connection:
            return [record_of(row) for row in connection.execute(query)]

    def photos(self, photo_ids: Iterable[int]) -> dict[int, PhotoRecord]:
        """Return photos by id; ids without a photo are left out."""
        return {photo.id: photo for some in chunks(photo_ids) for photo in self._photos(Photo.id.in_(some))}

    def skipped_photos(self, folder: str) -> list[PhotoRecord]:
        """Return the files in and below a folder that could not be read, with the reasons, by path."""
        return self._photos(Photo.indexed.is_not(None), Photo.error.is_not(None), in_folders([folder]))

    def photos_with_content(self, content_hash: str) -> list[PhotoRecord]:
        """Return the indexed photos whose content has this sha256, by path."""
        return self._photos(Photo.indexed.is_not(None), Photo.content_hash == content_hash)

    def _photos(self, *conditions: Any) -> list[PhotoRecord]:
        faces = select(func.count(Face.id)).where(Face.photo_id == Photo.id).scalar_subquery()
        query = (
            select(
                Photo.id,
                Photo.path,
                Photo.size,
                Photo.mtime_ns,
                Photo.content_hash,
                Photo.width,
                Photo.height,
                Photo.taken,
                faces.label("faces"),
                Photo.error,
            )
            .where(*conditions)
            .order_by(Photo.path)
        )
        with self._read() as connection:
            return [PhotoRecord(*row) for row in connection.execute(query)]


def _forget(write: Write, photo_ids: Collection[int]) -> None:
    """Take a chunk of photos out of the index."""
    connection = write.connection
    nobodys = select(Face.id).where(Face.photo_id.in_(photo_ids), Face.person_id.is_(None))
    delete_faces(write, connection.scalars(nobodys).all())
    enrolled = connection.scalars(select(Face.id).where(Face.photo_id.in_(photo_ids))).all()
    write.faces.update(enrolled)
    connection.execute(update(Face).where(Face.photo_id.in_(photo_ids)).values(indexed=False))
    connection.execute(update(Photo).where(Photo.id.in_(photo_ids)).values(indexed=None))
    drop_orphan_photos(write, photo_ids)
