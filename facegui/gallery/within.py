"""Photos below a folder, as a range of paths that an index of the database answers."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Text, and_, false, or_, type_coerce

from facegui.gallery.columns import escape_path
from facegui.gallery.schema import Photo

__all__ = ["in_folders"]


def in_folders(folders: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a photo lies in or below one of the folders."""
    path = type_coerce(Photo.path, Text)
    conditions = []
    for folder in folders:
        first = escape_path(folder.rstrip(os.sep) + os.sep)
        # The first text after all that begin with the folder: its last character, the separator, plus one.
        after = first[:-1] + chr(ord(os.sep) + 1)
        conditions.append(and_(path >= first, path < after))
    return or_(false(), *conditions)
