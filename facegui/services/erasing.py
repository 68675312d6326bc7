"""Erasing everything that facegui remembers of people, in all places at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facegui import paths
from facegui.errors import KnownError

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["erase_everything"]


def erase_everything(services: Services) -> None:
    """Empty the gallery for good with the copies made beside it, the cache of faces and search indexes, and the log.

    Settings and models stay, and so do backups and exports: only their owner knows where they are.

    Raises
    ------
    KnownError
        The gallery is opened for reading only, or something of it could not be erased; the rest is.
    """
    gallery, left = services.gallery, list[Path]()
    try:
        gallery.erase_everything()  # the pictures and the search index of this gallery go with it
    finally:
        if not gallery.read_only:
            left = [file for file in sorted(paths.log_dir().iterdir()) if file.is_file() and not _emptied(file)]
    if left:
        raise KnownError(
            "Everything but the log was erased.", f"{left[0]} cannot be written.", "Delete this file yourself."
        )


def _emptied(file: Path) -> bool:
    """Empty a file that the program may have open."""
    try:
        file.open("wb").close()
    except OSError:
        return False
    return True
