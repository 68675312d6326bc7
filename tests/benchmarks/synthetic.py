"""Made-up embeddings with the statistics of real ones: no face is behind them."""

from __future__ import annotations

import numpy as np

PHOTOS_PER_PERSON = 10


def _root(covariance: np.ndarray) -> np.ndarray:
    values, axes = np.linalg.eigh(covariance)
    return (axes * np.sqrt(np.maximum(values, 0))).astype(np.float32)


def faces_like(vectors: np.ndarray, people: np.ndarray, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Draw faces whose mean and whose spread within and between people are those of `vectors`.

    A person has 1, 2, ... photos, 10 on average (geometric). The spread between people is taken half from the means
    of the people and half from the shape of the whole, because few people span few directions.

    Returns
    -------
    vectors : ndarray of float32, (count, d), unit length, in random order
    people : ndarray of int64, (count,)
    """
    rng = np.random.default_rng(seed)
    known = np.unique(people)
    means = np.stack([vectors[people == one].mean(0) for one in known])
    rest = np.concatenate([vectors[people == one] - mean for one, mean in zip(known, means, strict=True)])
    within = rest.T @ rest / max(1, len(vectors) - len(known))
    between = np.cov(means.T) - within / (len(vectors) / len(known))
    whole = np.cov(vectors.T)
    between = 0.5 * between + 0.5 * whole * np.trace(between) / np.trace(whole)
    centre, spread, noise = vectors.mean(0).astype(np.float32), _root(between), _root(within)
    made = np.empty((count, vectors.shape[1]), np.float32)
    who = np.empty(count, np.int64)
    done = person = 0
    while done < count:
        sizes = rng.geometric(1 / PHOTOS_PER_PERSON, 10_000)
        owner = np.repeat(np.arange(len(sizes)), sizes)[: count - done]
        several = rng.standard_normal((len(sizes), len(centre)), dtype=np.float32) @ spread.T + centre
        some = several[owner] + rng.standard_normal((len(owner), len(centre)), dtype=np.float32) @ noise.T
        made[done : done + len(owner)] = some / np.linalg.norm(some, axis=1, keepdims=True)
        who[done : done + len(owner)] = owner + person
        done += len(owner)
        person += len(sizes)
    order = rng.permutation(count)
    return made[order], who[order]
