"""What the Lookalikes page asks: an order of faces with what they are filtered by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from facegui.faces.types import Face
from facegui.lookalikes.filters import Sieve
from facegui.paths import plain
from facegui.services.searching import all_at_once, fused_probe, make_ready, ranked

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["NEAR", "Question", "browse", "prepare"]

NEAR: Final = 5000
"""The most similar faces, of very many."""

Question = Face | int | tuple[Face, ...]
"""A face, the id of an enrolled person, or several faces of one person that make one probe."""


def browse(
    services: Services, question: Question, folders: Sequence[Path] | None = None, *, near: bool = False
) -> Sieve:
    """Order the indexed faces by their similarity to a probe, ready to be filtered.

    Parameters
    ----------
    services : Services
    question : Question
    folders : sequence of Path, optional
        Only photos in or below these.
    near : bool
        Only the most similar, where there are very many: while more are added every moment, all of them would be put
        in order again and again.

    Raises
    ------
    KnownError
        The person asked for has no sample made with the model in use.
    """
    top = NEAR if near and not all_at_once(services) else None
    if isinstance(question, tuple):
        where = [str(plain(folder)) for folder in folders] if folders is not None else None
        ranking = ranked(services, fused_probe(services, question), folders=where, top=top)
    else:
        ranking = services.lookalikes(question, folders, top=top)
    return Sieve(ranking, services.gallery.face_table())


def prepare(services: Services, folders: Sequence[Path] | None = None) -> None:
    """Read what `browse` needs of the gallery, so that the first question is answered like all others."""
    make_ready(services, [str(plain(folder)) for folder in folders] if folders is not None else None)
    services.gallery.face_table()
