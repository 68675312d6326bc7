"""Leaving faces out of a ranking: by what is known of them, at once, without looking at a picture again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from facegui.gallery.tables import FaceTable
from facegui.lookalikes.ranking import Ranking

__all__ = ["Filters", "OnePer", "Sieve"]

OnePer = Literal["", "photo", "person"]
_Item = TypeVar("_Item", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a ranking is to leave out; the defaults leave nothing out.

    Attributes
    ----------
    least, below : float
        Similarities: at least, and less than. With `below` at the match threshold the doubles are left: those who
        look alike and are not the same person.
    folder : str
        Only photos in or below it; empty for all.
    since, until : datetime or None
        When the photo was taken, both included; with either, photos without a date are left out.
    face_size : float
        The shorter side of the face's box in pixels, at least.
    quality : float
        At least, 0..1.
    one_per : {"", "photo", "person"}
        Only the most similar face of each. Faces that nobody is known to be count one by one.
    hidden_people, hidden_clusters : frozenset of int
        People and groups that are not to be shown, such as the probe itself.
    """

    least: float = -1.0
    below: float = np.inf
    folder: str = ""
    since: datetime | None = None
    until: datetime | None = None
    face_size: float = 0.0
    quality: float = 0.0
    one_per: OnePer = ""
    hidden_people: frozenset[int] = frozenset()
    hidden_clusters: frozenset[int] = frozenset()


class Sieve:
    """A ranking with what is known of its faces in the same order: made once, it answers each filter at once.

    Parameters
    ----------
    ranking : Ranking
    table : FaceTable
        Faces that it lacks are never shown by a filter that asks for what is not known of them.

    Attributes
    ----------
    ranking : Ranking
    folders : tuple of (str, int)
        Where its photos lie, and how many of its faces lie there.
    years : tuple of int
        In which its photos were taken, rising.
    dated : int
        Faces whose photo has a date.
    """

    def __init__(self, ranking: Ranking, table: FaceTable) -> None:
        self.ranking = ranking
        rows = np.minimum(np.searchsorted(table.face_ids, ranking.face_ids), max(0, len(table.face_ids) - 1))
        known = table.face_ids[rows] == ranking.face_ids if len(table.face_ids) else np.zeros(len(ranking), np.bool_)

        def column(values: NDArray[_Item], otherwise: object) -> NDArray[_Item]:
            found = np.full(len(ranking), otherwise, values.dtype)
            found[known] = values[rows[known]]
            return found

        self._quality = column(table.quality, 0.0)
        self._size = column(table.size, 0.0)
        self._taken = column(table.taken, np.datetime64("NaT"))
        self._people = column(table.person_ids, -1)
        self._clusters = column(table.clusters, -1)
        self._places = column(table.folders, -1)
        self._names = table.folder_names
        # Numbers without gaps, so that the first of each is found without sorting.
        self._photos = np.unique(ranking.photo_ids, return_inverse=True)[1]
        kind = np.where(self._people >= 0, 0, np.where(self._clusters >= 0, 1, 2))
        number = np.where(
            self._people >= 0, self._people, np.where(self._clusters >= 0, self._clusters, ranking.face_ids)
        )
        self._somebody = np.unique(number * 3 + kind, return_inverse=True)[1]
        counts = np.bincount(self._places[self._places >= 0], minlength=len(self._names))
        self.folders = tuple(
            (name, int(count)) for name, count in zip(self._names, counts.tolist(), strict=True) if count
        )
        dates = self._taken[~np.isnat(self._taken)]
        self.dated = len(dates)
        self.years = tuple((np.unique(dates.astype("datetime64[Y]")).astype(int) + 1970).tolist())

    def passing(self, filters: Filters) -> Ranking:
        """Return the ranking without what the filters leave out."""
        ranking = self.ranking
        keep = np.ones(len(ranking), np.bool_)
        # The ranking falls, so both limits of the similarity are places in it.
        keep[ranking.above(filters.least) :] = False
        if filters.below <= 1.0:
            keep[: ranking.above(filters.below)] = False
        if filters.folder:
            keep &= self._below(filters.folder)[self._places]
        if filters.quality > 0:
            keep &= self._quality >= filters.quality
        if filters.face_size > 0:
            keep &= self._size >= filters.face_size
        # NaT is neither before nor after anything.
        if filters.since is not None:
            keep &= self._taken >= np.datetime64(filters.since)
        if filters.until is not None:
            keep &= self._taken <= np.datetime64(filters.until)
        for column, hidden in ((self._people, filters.hidden_people), (self._clusters, filters.hidden_clusters)):
            for one in hidden:
                keep &= column != one
        order = np.flatnonzero(keep)
        if filters.one_per:
            order = _first_of(self._photos if filters.one_per == "photo" else self._somebody, order)
        return Ranking(ranking.face_ids[order], ranking.photo_ids[order], ranking.similarities[order], ranking.searched)

    def same_person(self, threshold: float) -> tuple[frozenset[int], frozenset[int]]:
        """Return person and group of the most similar face, if it reaches the threshold: the probe's own.

        A profile of the same person may well lie below the threshold; what is known of them tells it apart from a
        lookalike.
        """
        if not self.ranking.above(threshold):
            return frozenset(), frozenset()
        person, cluster = int(self._people[0]), int(self._clusters[0])
        return frozenset({person} - {-1}), frozenset({cluster} - {-1})

    def group_of(self, person_id: int) -> frozenset[int]:
        """Return the groups that faces of an enrolled person are in."""
        return frozenset(np.unique(self._clusters[self._people == person_id]).tolist()) - {-1}

    def undated(self, filters: Filters) -> int:
        """Return how many faces a range of dates leaves out because their photos have none."""
        return len(self.ranking) - self.dated if filters.since is not None or filters.until is not None else 0

    def _below(self, folder: str) -> NDArray[np.bool_]:
        inside = folder.rstrip(os.sep) + os.sep
        # One more at the end: the place -1 of faces whose folder is not known.
        return np.array([(name + os.sep).startswith(inside) for name in self._names] + [False], np.bool_)


def _first_of(numbers: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return those of `order` that are the first with their number."""
    mine = numbers[order]
    first = np.empty(int(numbers.max(initial=-1)) + 1, np.intp)
    # Of several writes to one place the last one stays, so the first of the order is written last.
    first[mine[::-1]] = order[::-1]
    kept: NDArray[np.intp] = order[first[mine] == order]
    return kept
