"""The value that every pair list becomes: which photos to compare, and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["FOLDS", "PairSet", "assemble", "make_folds", "runs"]

FOLDS = 10
"""Number of folds of the usual protocols."""

Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PairSet:
    """Pairs of photos with the truth about them.

    Attributes
    ----------
    paths : tuple of str
        Each photo once, as the list names it; relative ones start from the root folder.
    left, right : array of int64, shape (n,)
        Places in `paths`.
    same : array of bool, shape (n,)
        Whether a pair shows one person.
    folds : array of int64, shape (n,)
        Fold of each pair, from 0.
    people : array of int64, shape (len(paths),)
        Who is on each photo, numbered from 0. Where the list does not say, photos that it links as the same
        person share a number, and every other photo has its own.
    name : str
        Name of the list.
    people_named : bool
        Whether the list says who is on the photos. Where it does not, one person may be counted as several.
    """

    paths: tuple[str, ...]
    left: Integers
    right: Integers
    same: NDArray[np.bool_]
    folds: Integers
    people: Integers
    name: str = ""
    people_named: bool = True

    def __len__(self) -> int:
        return len(self.same)

    @property
    def pair_people(self) -> Integers:
        """People of each pair, int64, (n, 2)."""
        return np.column_stack([self.people[self.left], self.people[self.right]])

    @property
    def identity_pairs(self) -> int:
        """Number of different pairs of people among the impostor pairs: the independent ones."""
        who = np.sort(self.pair_people[~self.same], axis=1)
        return len(np.unique(who, axis=0))

    def with_root(self, root: Path) -> tuple[Path, ...]:
        """Return where the photos lie; absolute paths stay as they are."""
        return tuple(root / path for path in self.paths)


def make_folds(same: NDArray[np.bool_], count: int = FOLDS) -> Integers:
    """Deal the pairs out to folds in turn, so that each has its share of same and different pairs.

    The result depends on the order of the pairs alone.
    """
    folds = np.zeros(len(same), np.int64)
    for kind in (True, False):
        where = np.flatnonzero(same == kind)
        folds[where] = np.arange(len(where)) % count
    return folds


def runs(same: NDArray[np.bool_], count: int = FOLDS) -> Integers:
    """Give each fold a run of neighbouring same pairs and one of neighbouring different pairs.

    Makers of protocols list their folds one after the other, or all same pairs before all different ones, each kind in
    the order of the folds: both come out as they are meant. Neighbours share people, who so stay in one fold.
    """
    folds = np.zeros(len(same), np.int64)
    for kind in (True, False):
        for number, part in enumerate(np.array_split(np.flatnonzero(same == kind), count)):
            folds[part] = number
    return folds


def _linked(count: int, left: Integers, right: Integers, same: NDArray[np.bool_]) -> Integers:
    """Number the people: photos joined by same pairs, directly or over others, are one."""
    parent = list(range(count))

    def find(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for a, b in zip(left[same].tolist(), right[same].tolist(), strict=True):
        parent[find(a)] = find(b)
    return np.unique([find(item) for item in range(count)], return_inverse=True)[1].astype(np.int64)


def assemble(
    rows: list[tuple[str, str, bool]],
    folds: list[int] | None,
    name: str,
    owners: dict[str, str] | None = None,
) -> PairSet:
    """Make the value from (path, path, same) rows; `owners` names the person of each path where known."""
    places: dict[str, int] = {}
    ends = [[places.setdefault(path, len(places)) for path in row[:2]] for row in rows]
    left, right = np.array(ends, np.int64).T
    same = np.array([s for _, _, s in rows], bool)
    if owners is None:
        people = _linked(len(places), left, right, same)
    else:
        people = np.unique([owners[path] for path in places], return_inverse=True)[1].astype(np.int64)
    numbers = make_folds(same) if folds is None else np.unique(folds, return_inverse=True)[1].astype(np.int64)
    return PairSet(tuple(places), left, right, same, numbers, people, name, owners is not None)
