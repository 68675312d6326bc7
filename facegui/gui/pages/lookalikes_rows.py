"""The faces of a ranking as rows of a grid, and how they change without moving what is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.gui.face_records import FaceRecords
from facegui.gui.item_models import FaceRow
from facegui.lookalikes.filters import Filters, Sieve
from facegui.lookalikes.ranking import Ranking
from facegui.sources.files import shown_name

__all__ = ["HitRows", "Part", "View", "held_back"]


class Part(StrEnum):
    """Which side of the threshold is shown."""

    ALL = "all"
    SAME = "same"
    LOOKALIKES = "lookalikes"


@dataclass(frozen=True, slots=True)
class View:
    """What of a ranking is shown.

    Attributes
    ----------
    part : Part
    threshold : float or None
        None for a model without a calibration: there are no parts then.
    filters : Filters
    person_id : int or None
        The probe, if that is somebody enrolled.
    """

    part: Part = Part.ALL
    threshold: float | None = None
    filters: Filters = field(default_factory=Filters)
    person_id: int | None = None

    def of(self, sieve: Sieve, part: Part | None = None) -> Ranking:
        """Return the faces shown, or those of another part.

        The lookalikes are those below the threshold and not known to be the probe's own person.
        """
        part, line, filters = part or self.part, self.threshold, self.filters
        if line is not None and part is Part.SAME:
            filters = replace(filters, least=max(filters.least, line))
        elif line is not None and part is Part.LOOKALIKES:
            people, groups = sieve.same_person(line)
            if self.person_id is not None:
                people, groups = frozenset({self.person_id}), sieve.group_of(self.person_id)
            filters = replace(filters, below=line, hidden_people=people, hidden_clusters=groups)
        return sieve.passing(filters)


class HitRows:
    """Rows made when they are asked for; names come once their records were read."""

    def __init__(self, face_ids: NDArray[np.int64], similarities: NDArray[np.float32], records: FaceRecords) -> None:
        self.face_ids = face_ids
        self.similarities = similarities
        self._records = records

    def __len__(self) -> int:
        return len(self.face_ids)

    def __getitem__(self, index: int) -> FaceRow:
        face_id = int(self.face_ids[index])
        record = self._records.get(face_id)
        path = record.path if record is not None else ""
        return FaceRow(
            face_id,
            shown_name(path) if path else "",
            float(self.similarities[index]),
            tip=str(Path(path)) if path else "",
            person_id=record.person_id if record is not None else None,
        )

    def find(self, face_id: int) -> int:
        """Return the row of a face; -1 when it is not shown."""
        found = np.flatnonzero(self.face_ids == face_id)
        return int(found[0]) if found.size else -1


def held_back(
    shown: HitRows, last: int, face_ids: NDArray[np.int64], similarities: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Tell which faces of a newer order must wait so that the rows up to `last` stay where they are.

    Parameters
    ----------
    shown : HitRows
        The order shown now.
    last : int
        The last row in view.
    face_ids, similarities : ndarray, shape (n,)
        The newer order, falling.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for faces that are more similar than the last one in view and are not among those before it.
    """
    seen = shown.face_ids[: last + 1]
    above = similarities > shown.similarities[last]
    wait: NDArray[np.bool_] = above & ~np.isin(face_ids, seen)
    return wait
