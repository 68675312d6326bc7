"""What a write changed, and what it takes to change it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Change", "RowImage", "Undo"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RowImage:
    """One row of a table before and after a write; None where there was or is none."""

    table: str
    key: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Undo:
    """The way back from one write, held in memory only.

    It holds what was deleted, so drop it when the deletion is to be final. `epoch` is the database that was written.
    """

    text: str
    rows: tuple[RowImage, ...]
    epoch: str


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a write changed.

    Attributes
    ----------
    people, faces, photos : frozenset of int
        Ids of the rows that were added, changed or removed.
    text : str
        What happened, for the user: "Removed Anna".
    undo : Undo or None
        For `Gallery.undo`; None where the write cannot be undone.
    everything : bool
        True when more changed than can be listed: read everything anew.
    """

    people: frozenset[int] = frozenset()
    faces: frozenset[int] = frozenset()
    photos: frozenset[int] = frozenset()
    text: str = ""
    undo: Undo | None = None
    everything: bool = False
