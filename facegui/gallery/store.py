"""The gallery: everything that facegui remembers, behind one object."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from sqlalchemy import func, select

from facegui.gallery import schema
from facegui.gallery.backup import Backups
from facegui.gallery.clusters import Clusters
from facegui.gallery.database import open_database
from facegui.gallery.enrolment import Enrolment
from facegui.gallery.erasing import Erasing
from facegui.gallery.folders import Folders
from facegui.gallery.history import History
from facegui.gallery.matrices import Matrices
from facegui.gallery.people import People
from facegui.gallery.photos import Photos
from facegui.gallery.records import Counts
from facegui.gallery.reembedding import Reembedding
from facegui.gallery.regions import Regions
from facegui.gallery.reviewing import Reviewing
from facegui.gallery.streams import Streams
from facegui.gallery.tables import Tables

__all__ = ["Gallery"]


class Gallery(
    People, Enrolment, Photos, Clusters, Reviewing, Reembedding, History, Matrices, Streams, Tables, Folders, Regions,
    Backups, Erasing,
):  # fmt: skip
    """People, samples, folder index and history in one database.

    Methods may be called from any thread: reads run side by side, writes one after the other. A write by another
    process is waited for, and seen by the next read. Database errors that the user can mend are raised as
    `facegui.errors.KnownError` by every method.
    """

    @classmethod
    def open(cls, where: str | Path, *, read_only: bool = False) -> Self:
        """Open a gallery, making it when it is missing and upgrading it (after a backup) when it is old.

        Parameters
        ----------
        where : str or Path
            Path of the file, or ``sqlite:///PATH``.
        read_only : bool
            Refuse every write; the gallery must exist and be up to date.

        Raises
        ------
        KnownError
            The file is no gallery, damaged, made by a newer facegui, or cannot be reached.
        """
        database = open_database(where, read_only=read_only)
        try:
            gallery = cls(database)
            gallery.poll()
        except BaseException:
            database.close()
            raise
        return gallery

    def counts(self) -> Counts:
        """Return how much the gallery holds."""
        with self._read() as connection:

            def number(table: type, *conditions: object) -> int:
                query = select(func.count()).select_from(table)
                for condition in conditions:
                    query = query.where(condition)  # type: ignore[arg-type]
                return int(connection.execute(query).scalar_one())

            return Counts(
                people=number(schema.Person),
                samples=number(schema.Face, schema.Face.person_id.is_not(None)),
                photos=number(schema.Photo, schema.Photo.indexed.is_not(None)),
                faces=number(schema.Face, schema.Face.indexed),
                decisions=number(schema.Decision),
            )
