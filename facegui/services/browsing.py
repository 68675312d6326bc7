"""What the Lookalikes page asks: an order of faces with what they are filtered by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facegui.faces.types import Face
from facegui.lookalikes.filters import Sieve
from facegui.paths import plain
from facegui.services.searching import fused_probe, make_ready, ranked

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["Question", "browse", "prepare"]

Question = Face | int | tuple[Face, ...]
"""A face, the id of an enrolled person, or several faces of one person that make one probe."""


def browse(services: Services, question: Question, folders: Sequence[Path] | None = None) -> Sieve:
    """Order the indexed faces by their similarity to a probe, ready to be filtered.

    Raises
    ------
    KnownError
        The person asked for has no sample made with the model in use.
    """
    if isinstance(question, tuple):
        where = [str(plain(folder)) for folder in folders] if folders is not None else None
        ranking = ranked(services, fused_probe(services, question), folders=where)
    else:
        ranking = services.lookalikes(question, folders)
    return Sieve(ranking, services.gallery.face_table())


def prepare(services: Services, folders: Sequence[Path] | None = None) -> None:
    """Read what `browse` needs of the gallery, so that the first question is answered like all others."""
    make_ready(services, [str(plain(folder)) for folder in folders] if folders is not None else None)
    services.gallery.face_table()
