"""The folders of the index: where they lie, whether they are watched, and what is away with its disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from facegui.gallery.facerows import now
from facegui.gallery.lanes import Lanes
from facegui.gallery.schema import Folder, Photo
from facegui.gallery.within import in_folders

__all__ = ["FolderRecord", "Folders"]


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder that was read into the index.

    Attributes
    ----------
    path : str
    mount : str or None
        The mount point it lay on when it was last read.
    watched : bool
    read : datetime or None
        When it was last read to the end.
    """

    path: str
    mount: str | None
    watched: bool
    read: datetime | None


class Folders(Lanes):
    """Reading and writing what is known of folders."""

    def folders(self) -> list[FolderRecord]:
        """Return all folders, by path."""
        query = select(Folder.path, Folder.mount, Folder.watched, Folder.read).order_by(Folder.path)
        with self._read() as connection:
            return [FolderRecord(*row) for row in connection.execute(query)]

    def note_folders(self, found: Sequence[tuple[str, str | None]]) -> None:
        """Note that folders were read to the end, each with its mount point; their photos are not away."""
        with self._write() as write:
            for path, mount in found:
                values = {"mount": mount, "read": now()}
                made = write.connection.execute(update(Folder).where(Folder.path == path).values(**values))
                if not made.rowcount:
                    write.connection.execute(insert(Folder).values(path=path, watched=False, **values))
                back = (in_folders([path]), Photo.away.is_not(None))
                write.connection.execute(update(Photo).where(*back).values(away=None))

    def folder_is_away(self, path: str) -> None:
        """Note that the photos of a folder cannot be reached at the moment; all that is known of them is kept."""
        with self._write() as write:
            here = (in_folders([path]), Photo.indexed.is_not(None), Photo.away.is_(None))
            write.connection.execute(update(Photo).where(*here).values(away=now()))

    def away_photos(self) -> frozenset[int]:
        """Return the photos that cannot be reached at the moment."""
        with self._read() as connection:
            return frozenset(connection.scalars(select(Photo.id).where(Photo.away.is_not(None))))

    def watch_folder(self, path: str, *, watched: bool = True) -> None:
        """Say whether changes in a folder are followed while the program runs."""
        with self._write() as write:
            made = write.connection.execute(update(Folder).where(Folder.path == path).values(watched=watched))
            if not made.rowcount:
                write.connection.execute(insert(Folder).values(path=path, mount=None, watched=watched, read=None))

    def forget_folder(self, path: str) -> None:
        """Strike a folder from the list; its photos stay until they are forgotten."""
        with self._write() as write:
            write.connection.execute(delete(Folder).where(Folder.path == path))
