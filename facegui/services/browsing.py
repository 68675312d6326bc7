"""What the Lookalikes page asks: an order of faces with what they are filtered by, and one probe of several photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facegui.faces.types import Face, Vector
from facegui.lookalikes.filters import Sieve
from facegui.services.searching import fused_probe, ranked

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["Agreement", "Question", "agreement", "browse"]

Question = Face | int | tuple[Face, ...]
"""A face, the id of an enrolled person, or several faces of one person that make one probe."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well several faces that are to be one person's agree.

    Attributes
    ----------
    least : float
        The smallest similarity of two of them, -1..1.
    odd : tuple of int
        Places of those that the others do not resemble: the similarity to the others' fused probe is below the
        threshold. Empty without a calibration.
    """

    least: float
    odd: tuple[int, ...]


def browse(services: Services, question: Question, folders: Sequence[Path] | None = None) -> Sieve:
    """Order the indexed faces by their similarity to a probe, ready to be filtered.

    Raises
    ------
    KnownError
        The person asked for has no sample made with the model in use.
    """
    if isinstance(question, tuple):
        where = [str(folder.absolute()) for folder in folders] if folders is not None else None
        ranking = ranked(services, fused_probe(services, question), folders=where)
    else:
        ranking = services.lookalikes(question, folders)
    return Sieve(ranking, services.gallery.face_table())


def agreement(services: Services, faces: Sequence[Face]) -> Agreement:
    """Tell whether faces that are to make one probe look like one person.

    Parameters
    ----------
    services : Services
    faces : sequence of Face
        Two at least.
    """
    vectors = [fused_probe(services, [face]) for face in faces]
    matrix = np.stack(vectors)
    pairs = (matrix @ matrix.T)[np.triu_indices(len(faces), 1)]
    rule = services.rule()
    odd = []
    for place, vector in enumerate(vectors):
        others = fused_probe(services, [face for other, face in enumerate(faces) if other != place])
        if rule is not None and float(_unit(others) @ vector) < rule.threshold:
            odd.append(place)
    # Of two that disagree neither is the odd one; of all that disagree, none is.
    return Agreement(float(np.clip(pairs.min(), -1.0, 1.0)), tuple(odd) if len(odd) <= len(faces) / 2 else ())


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    unit: Vector = vector / length if length > 0 else vector
    return unit
