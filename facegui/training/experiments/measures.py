"""What is measured on embeddings: accuracy, angles as in the ArcFace paper, and how well a cosine tells pairs apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegui.matching import metrics

__all__ = ["Angles", "angles", "degrees", "pair_eer", "units"]

Floats = NDArray[np.float32]
_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class Angles:
    """Mean angles in degrees, as in the paper's table.

    Attributes
    ----------
    centre_to_mean : float
        Between a class's centre W and the mean direction of its embeddings (W-EC).
    between_centres : float
        From each W to the nearest other one, mean (W-Inter).
    within : float
        Between an embedding and the mean direction of its class (Intra).
    between : float
        From each mean direction to the nearest other one, mean (Inter).
    """

    centre_to_mean: float
    between_centres: float
    within: float
    between: float


def units(rows: Floats) -> Floats:
    """Return rows of length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    made: Floats = (rows / np.maximum(length, 1e-12)).astype(np.float32)
    return made


def degrees(cosine: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the angles of cosines in degrees."""
    return np.degrees(np.arccos(np.clip(np.asarray(cosine, np.float64), -1.0, 1.0)))


def angles(features: Floats, labels: NDArray[np.int64], centres: Floats) -> Angles:
    """Measure the angles.

    Parameters
    ----------
    features : array of float32, shape (N, d)
    labels : array of int64, shape (N,)
    centres : array of float32, shape (n, d)
    """
    directions, weights = units(features), units(centres)
    means = units(np.stack([directions[labels == k].mean(axis=0) for k in range(len(centres))]))
    return Angles(
        float(degrees((weights * means).sum(axis=1)).mean()),
        _nearest(weights),
        float(degrees((directions * means[labels]).sum(axis=1)).mean()),
        _nearest(means),
    )


def _nearest(directions: Floats) -> float:
    apart = degrees(directions @ directions.T)
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(axis=1).mean())


def pair_eer(features: Floats, labels: NDArray[np.int64], seed: int = 0) -> float:
    """Return the equal error rate of verifying pairs of embeddings by their cosine, over 40,000 pairs at most.

    Parameters
    ----------
    features : array of float32, shape (N, d)
    labels : array of int64, shape (N,)
    seed : int
        Of the drawing of the pairs.
    """
    rng = np.random.default_rng(seed)
    directions = units(features)
    first, second = rng.integers(0, len(labels), (2, 20 * _PAIRS))
    apart = first != second
    first, second = first[apart], second[apart]
    same = labels[first] == labels[second]
    kept = np.concatenate([np.flatnonzero(same)[:_PAIRS], np.flatnonzero(~same)[:_PAIRS]])
    cosine = np.einsum("ij,ij->i", directions[first[kept]], directions[second[kept]])
    return metrics.eer(*metrics.split(cosine, same[kept]))[0]
