"""The faces of a ranking as rows of a grid, and how they change without moving what is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.gui.face_records import FaceRecords
from facegui.gui.item_models import FaceRow
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
    least : float
        Smallest similarity shown, -1..1.
    threshold : float or None
        None for a model without a calibration: there are no parts then.
    """

    part: Part = Part.ALL
    least: float = -1.0
    threshold: float | None = None

    def slice_of(self, ranking: Ranking) -> slice:
        """Return the stretch of a ranking that is shown."""
        start, stop = 0, ranking.above(self.least)
        if self.threshold is not None:
            line = ranking.above(self.threshold)
            if self.part is Part.SAME:
                stop = min(stop, line)
            elif self.part is Part.LOOKALIKES:
                start = line
        return slice(start, max(start, stop))


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
