"""Leaving faces out of a ranking: by what is known of them, at once, without looking at a picture again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facegui.gallery.streams import FaceTable
from facegui.lookalikes.ranking import Ranking

__all__ = ["Filters", "filtered"]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a ranking is to leave out; the defaults leave nothing out.

    Attributes
    ----------
    least, most : float
        Similarities. With `most` at the match threshold the doubles are left: those who look alike and are not
        the same person.
    since, until : datetime or None
        When the photo was taken; with either, photos without a date are left out.
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
    most: float = 1.0
    since: datetime | None = None
    until: datetime | None = None
    face_size: float = 0.0
    quality: float = 0.0
    one_per: Literal["", "photo", "person"] = ""
    hidden_people: frozenset[int] = frozenset()
    hidden_clusters: frozenset[int] = frozenset()


def filtered(ranking: Ranking, table: FaceTable, filters: Filters, photos: NDArray[np.int64] | None = None) -> Ranking:
    """Return a ranking without what the filters leave out.

    Parameters
    ----------
    ranking : Ranking
    table : FaceTable
        Faces that it lacks are left out.
    filters : Filters
    photos : ndarray of int64, optional
        Only faces in these photos, ascending; see `Gallery.photos_within`.
    """
    if not len(ranking) or not len(table.face_ids):
        return Ranking(ranking.face_ids[:0], ranking.photo_ids[:0], ranking.similarities[:0], ranking.searched)
    rows = np.minimum(np.searchsorted(table.face_ids, ranking.face_ids), len(table.face_ids) - 1)
    keep = table.face_ids[rows] == ranking.face_ids
    keep &= (ranking.similarities >= filters.least) & (ranking.similarities <= filters.most)
    keep &= (table.quality[rows] >= filters.quality) & (table.size[rows] >= filters.face_size)
    # NaT is neither before nor after anything.
    if filters.since is not None:
        keep &= table.taken[rows] >= np.datetime64(filters.since)
    if filters.until is not None:
        keep &= table.taken[rows] <= np.datetime64(filters.until)
    if photos is not None:
        keep &= np.isin(ranking.photo_ids, photos)
    for column, hidden in ((table.person_ids, filters.hidden_people), (table.clusters, filters.hidden_clusters)):
        if hidden:
            keep &= ~np.isin(column[rows], list(hidden))
    order = np.flatnonzero(keep)
    if filters.one_per == "photo":
        order = _first_of(ranking.photo_ids[order], order)
    elif filters.one_per == "person":
        people, clusters = table.person_ids[rows[order]], table.clusters[rows[order]]
        faces = ranking.face_ids[order]
        # People, groups and single faces as numbers of their own: by kind, then by id.
        kind = np.where(people >= 0, 0, np.where(clusters >= 0, 1, 2))
        number = np.where(people >= 0, people, np.where(clusters >= 0, clusters, faces))
        order = _first_of(number * 3 + kind, order)
    return Ranking(ranking.face_ids[order], ranking.photo_ids[order], ranking.similarities[order], ranking.searched)


def _first_of(keys: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first = np.unique(keys, return_index=True)
    return order[np.sort(first)]
