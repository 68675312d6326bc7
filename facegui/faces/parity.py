"""The same faces by a graphics card and by the processor: how long each takes, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facegui.faces.align import CROP_SIZE
from facegui.faces.half import LEAST_COSINE, cosines, probes
from facegui.faces.session import OnnxNetwork

__all__ = ["Beside", "beside_processor"]

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Beside:
    """An embedder on a graphics card beside the processor.

    Attributes
    ----------
    active : str
        What the card's session really runs on.
    precision : str
        Of the card's numbers.
    card, processor : float
        Milliseconds per face, in batches, at best.
    cosine : float
        The least one between the two embeddings of a picture.
    """

    active: str
    precision: str
    card: float
    processor: float
    cosine: float

    @property
    def same(self) -> bool:
        """Whether the embeddings may be taken for one another."""
        return self.cosine >= LEAST_COSINE


def beside_processor(file: Path, provider: str, threads: int) -> Beside:
    """Run an embedder on both; the pictures are made up, so that no photo is needed.

    Parameters
    ----------
    file : Path
    provider : str
        As in the settings.
    threads : int
        For the processor; 0 for one per core.

    Raises
    ------
    KnownError
        The file is missing or damaged.
    """
    pictures = probes((CROP_SIZE, CROP_SIZE, 3))
    card, processor = (OnnxNetwork(file, provider=each, threads=threads) for each in (provider, "cpu"))
    (fast, one), (slow, other) = _timed(card, pictures), _timed(processor, pictures)
    return Beside(card.report.active, card.report.precision, fast, slow, float(cosines(one, other).min()))


def _timed(network: OnnxNetwork, pictures: NDArray[np.uint8]) -> tuple[float, NDArray[np.float32]]:
    """Return milliseconds per picture, and the embeddings; the first round only warms up."""
    shortest = float("inf")
    made: NDArray[np.float32] = network.run({"input": pictures})[0]
    for _ in range(_ROUNDS):
        start = perf_counter()
        network.run({"input": pictures})
        shortest = min(shortest, perf_counter() - start)
    return 1000 * shortest / len(pictures), made
