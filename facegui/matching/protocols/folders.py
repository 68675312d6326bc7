"""Pairs made from photos of people whose names are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facegui.errors import KnownError
from facegui.matching.pairs import FOLDS, Integers, PairSet, make_folds

__all__ = ["pair_people"]

_PAIRS = 3000
"""Pairs of each kind at most, as many as LFW has."""

_LEAST_PEOPLE_OF_A_FOLD = 3


def pair_people(
    paths: Sequence[str], people: Sequence[str], *, name: str = "", pairs: int = _PAIRS, seed: int = 0
) -> PairSet:
    """Make pairs of one person and of two from labelled photos, always the same ones for the same photos.

    The people are dealt out to ten folds, and both photos of a pair come from one fold, so that nobody helps to
    choose the threshold that they are judged by, as in LFW. With fewer than thirty people there are fewer folds, and
    with fewer than six the pairs are dealt out instead.

    Parameters
    ----------
    paths, people : sequence of str
        Photos, each once, and who is on each.
    name : str
        Name of the set.
    pairs : int
        Pairs of each kind, at most; everybody's share of the same pairs is as even as the photos allow.
    seed : int
        Of the drawing.

    Raises
    ------
    KnownError
        There are fewer than two people, or nobody has two photos.
    """
    who = np.unique(np.asarray(people, str), return_inverse=True)[1].astype(np.int64)
    count = int(who.max()) + 1 if len(who) else 0
    rng = np.random.default_rng(seed)
    folds_of_people = np.zeros(count, np.int64)
    number = min(FOLDS, count // _LEAST_PEOPLE_OF_A_FOLD)
    if number > 1:
        folds_of_people[rng.permutation(count)] = np.arange(count) % number
    same = _same_pairs(who, count, pairs, rng)
    if count < 2 or not len(same):
        raise KnownError(
            f"{name or 'The folder'} cannot be evaluated.",
            f"It holds {len(paths):,} photos of {count:,} people, and "
            f"{'nobody has two' if count > 1 else 'two people are needed'}.",
            "Give each person a folder with two photos or more.",
        )
    different = _different_pairs(who, folds_of_people, min(pairs, max(len(same), 1)), rng)
    ends = np.concatenate([same, different])
    truth = np.arange(len(ends)) < len(same)
    folds = folds_of_people[who[ends[:, 0]]] if number > 1 else make_folds(truth)
    used, places = np.unique(ends, return_inverse=True)
    left, right = places.reshape(-1, 2).astype(np.int64).T
    return PairSet(
        tuple(paths[place] for place in used.tolist()), left, right, truth, folds,
        np.unique(who[used], return_inverse=True)[1].astype(np.int64), name,
    )  # fmt: skip


def _same_pairs(who: Integers, count: int, pairs: int, rng: np.random.Generator) -> Integers:
    """Return pairs of photos of one person, in turns over the people until there are enough."""
    every: list[list[tuple[int, int]]] = []
    for person in range(count):
        photos = np.flatnonzero(who == person).tolist()
        # Of a person with many photos each is paired with some others, not all with all: that would be millions.
        some = rng.permutation(photos)[: _enough(pairs, len(photos))].tolist()
        theirs = [(min(a, b), max(a, b)) for k, a in enumerate(some) for b in some[k + 1 :]]
        every.append([theirs[k] for k in rng.permutation(len(theirs)).tolist()])
    made: list[tuple[int, int]] = []
    for turn in range(max((len(theirs) for theirs in every), default=0)):
        made += [theirs[turn] for theirs in every if turn < len(theirs)]
        if len(made) >= pairs:
            break
    return np.array(sorted(made[:pairs]), np.int64).reshape(-1, 2)


def _enough(pairs: int, photos: int) -> int:
    """Return how many photos give so many pairs."""
    return min(photos, int(np.sqrt(2 * pairs)) + 2)


def _different_pairs(who: Integers, folds: Integers, pairs: int, rng: np.random.Generator) -> Integers:
    """Return pairs of photos of two people of one fold, each once."""
    made: set[tuple[int, int]] = set()
    members = [np.flatnonzero(folds[who] == fold) for fold in range(int(folds.max()) + 1)]
    share = np.array([len(m) for m in members]) / max(1, sum(len(m) for m in members))
    for photos, wanted in zip(members, np.ceil(share * pairs).astype(int).tolist(), strict=True):
        mine: set[tuple[int, int]] = set()
        # Few photos may not give so many pairs: the number of draws ends it.
        for _ in range(20):
            if len(mine) >= wanted:
                break
            drawn = rng.choice(photos, (2 * wanted, 2))
            drawn = np.sort(drawn[who[drawn[:, 0]] != who[drawn[:, 1]]], axis=1)
            for pair in drawn.tolist():
                if len(mine) < wanted:
                    mine.add((pair[0], pair[1]))
        made |= mine
    return np.array(sorted(made), np.int64).reshape(-1, 2)
