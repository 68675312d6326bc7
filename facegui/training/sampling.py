"""Which pictures make up a batch, on each rank and in each step, as a function of the step alone.

A run that is taken up again asks for the steps that are left and gets the same pictures as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from facegui.errors import KnownError

__all__ = ["Batches"]


class Batches(Sampler):
    """Batches of places in a list of pictures.

    Each item is a list of (place, step): the step seeds the changes of the picture.

    Parameters
    ----------
    labels : array of int64, shape (n,)
    batch : int
        Pictures a rank.
    steps : int
        The step to end before.
    start : int
        The first step.
    seed, rank, ranks : int
    balanced : int
        0: every picture once a round, in random order. k: k pictures each of random people, so that people with few
        pictures are seen as often as those with many.

    Raises
    ------
    KnownError
        There are too few pictures or people.
    """

    def __init__(
        self,
        labels: NDArray[np.int64],
        batch: int,
        steps: int,
        *,
        start: int = 0,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        balanced: int = 0,
    ) -> None:
        self.labels, self.batch, self.steps, self.start = labels, batch, steps, start
        self.seed, self.rank, self.ranks, self.balanced = seed, rank, ranks, balanced
        self.per_round = self.steps_of(len(labels), batch, ranks)
        if self.per_round < 1:
            raise KnownError(
                f"A batch of {batch * ranks} pictures cannot be filled.",
                f"There are {len(labels)} pictures.",
                "Make the batch smaller, or give more pictures.",
            )
        if balanced and batch % balanced:
            raise KnownError(
                f"A batch of {batch} cannot hold {balanced} pictures of each person.",
                f"{batch} is no multiple of {balanced}.",
                "Change batch or balanced in [data].",
            )
        self._order: tuple[int, NDArray[np.int64]] | None = None
        if balanced:
            by_label = np.argsort(labels, kind="stable")
            self._people = np.split(by_label, np.flatnonzero(np.diff(labels[by_label])) + 1)

    @staticmethod
    def steps_of(pictures: int, batch: int, ranks: int) -> int:
        """Return how many steps a round over all pictures takes; what does not fill a step is left out."""
        return pictures // (batch * ranks)

    def __len__(self) -> int:
        return max(0, self.steps - self.start)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self.start, self.steps):
            places = self._drawn(step) if self.balanced else self._dealt(step)
            yield [(int(place), step) for place in places]

    def _dealt(self, step: int) -> NDArray[np.int64]:
        number, within = divmod(step, self.per_round)
        if self._order is None or self._order[0] != number:
            order = np.random.default_rng((self.seed, number)).permutation(len(self.labels))
            self._order = number, order.astype(np.int64)
        start = (within * self.ranks + self.rank) * self.batch
        return self._order[1][start : start + self.batch]

    def _drawn(self, step: int) -> NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, step, self.rank))
        wanted = self.batch // self.balanced
        people = rng.choice(len(self._people), wanted, replace=wanted > len(self._people))
        chosen = []
        for person in people.tolist():
            own = self._people[person]
            chosen.append(rng.choice(own, self.balanced, replace=len(own) < self.balanced))
        return np.concatenate(chosen)
