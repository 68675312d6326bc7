"""Erasing all that a gallery remembers."""

from __future__ import annotations

import uuid
from pathlib import Path

from sqlalchemy import delete, update

from facegui.errors import KnownError
from facegui.gallery.connect import BUSY_SECONDS
from facegui.gallery.schema import STATE_ID, Base, State
from facegui.gallery.tidying import Tidying

__all__ = ["Erasing"]


class Erasing(Tidying):
    """Emptying the gallery for good."""

    def copies(self) -> list[Path]:
        """Return the copies of the gallery that the program itself made beside it, before it upgraded or restored."""
        file = self.file
        return sorted(other for other in file.parent.glob(f"*{file.suffix}") if _is_copy(file, other))

    def erase_everything(self) -> None:
        """Delete everybody, all faces, photos, folders and answers for good, and the program's own copies of them.

        Whoever has the gallery open sees it empty. Nothing stays in unused parts of the file. Backups that the user
        made elsewhere stay.

        Raises
        ------
        KnownError
            The gallery is opened for reading only, or what is deleted could not be overwritten or a copy not deleted.
        """
        with self._write() as write:
            for table in reversed(Base.metadata.sorted_tables):
                if table is not State.__table__:
                    write.connection.execute(delete(table))
            write.connection.execute(update(State).where(State.id == STATE_ID).values(epoch=uuid.uuid4().hex))
            write.samples = write.removed = write.history = write.deletion = write.everything = True
            write.text = "Everything was erased"
        kept = [copy for copy in self.copies() if not _deleted(copy)]
        if not self._rewrite(BUSY_SECONDS):
            raise KnownError(
                "Everything was erased, but traces of it may be left in the file.",
                "Another program is reading the gallery.",
                "Close other windows on this gallery and erase once more.",
            )
        if kept:
            raise KnownError("A copy of the gallery could not be deleted.", f"{kept[0]}.", "Delete it yourself.")


def _deleted(file: Path) -> bool:
    try:
        file.unlink()
    except OSError:
        return False
    return True


def _is_copy(file: Path, other: Path) -> bool:
    return other != file and other.name.startswith(f"{file.stem}-before-") and other.is_file()
