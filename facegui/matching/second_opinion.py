"""A fast network decides the clear cases, and a slower one is asked where the fast score leaves a doubt.

A fused embedding is ``[a * fast, b * slow]`` with both parts of length 1 and ``a**2 + b**2 = 1``. So its cosine is
``a**2 * cos_fast + b**2 * cos_slow``: a template made with the fused model answers a probe that only the fast network
has embedded, and the slow part can be added later without running the fast one again. Nothing is enrolled anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegui.faces.catalog import Part
from facegui.matching.decision import Outcome, Rule, decide
from facegui.matching.metrics import Floats

__all__ = ["Band", "Opinion", "Trade", "fused", "judge", "part_of", "settle", "trade_off", "weights_of"]

_SHORTEST = 1e-6


def part_of(vectors: NDArray[np.float32], part: Part) -> NDArray[np.float32]:
    """Return one network's share of fused embeddings, at length 1: the very embeddings of that network's own model.

    Parameters
    ----------
    vectors : array of float32, shape (d,) or (n, d)
    part : Part

    Raises
    ------
    ValueError
        The part lies outside the embeddings, or is empty in one of them.
    """
    if not 0 <= part.start < part.stop <= vectors.shape[-1]:
        raise ValueError(f"{part.start}..{part.stop} is no part of {vectors.shape[-1]} numbers")
    share = vectors[..., part.start : part.stop]
    lengths = np.linalg.norm(share, axis=-1, keepdims=True)
    if (lengths < _SHORTEST).any():
        raise ValueError("an embedding has nothing in this part")
    return np.asarray(share / lengths, np.float32)


def weights_of(template: NDArray[np.float32], parts: Iterable[Part]) -> tuple[float, ...]:
    """Return the lengths of a fused embedding's parts: the factors with which the model joins them."""
    return tuple(float(np.linalg.norm(template[part.start : part.stop])) for part in parts)


def fused(shares: Iterable[NDArray[np.float32]], weights: Iterable[float]) -> NDArray[np.float32]:
    """Join the embeddings of single networks, each of length 1, into the one that the fused model would give."""
    joined = np.concatenate([share * np.float32(w) for share, w in zip(shares, weights, strict=True)], axis=-1)
    return np.asarray(joined / np.linalg.norm(joined, axis=-1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class Band:
    """Between which fast scores the slow network is asked.

    Attributes
    ----------
    low : float
        A fast score below it is no match.
    high : float
        A fast score at or above it is a match; never below `low`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError("the band must not end below its beginning")

    def doubtful(self, fast: Floats) -> NDArray[np.bool_]:
        """Return which scores leave a doubt."""
        return (fast >= self.low) & (fast < self.high)


@dataclass(frozen=True, slots=True)
class Opinion:
    """A decision, and what it rests on.

    Attributes
    ----------
    outcome : Outcome
    similarity : float or None
        By the fused model; None where the fast score was clear, which is on another scale.
    fast : float
    """

    outcome: Outcome
    similarity: float | None
    fast: float

    @property
    def asked(self) -> bool:
        """Whether the slow network was asked."""
        return self.similarity is not None


def judge(fast: float, ask: Callable[[], float], band: Band, rule: Rule) -> Opinion:
    """Decide by the fast score, or ask for the fused one.

    Parameters
    ----------
    fast : float
        Cosine of the fast network, -1..1. NaN (nothing to compare) asks.
    ask : callable
        Returns the cosine of the fused model; called only in doubt.
    band : Band
    rule : Rule
        Of the fused model.
    """
    if fast < band.low:
        return Opinion(Outcome.NO_MATCH, None, fast)
    if fast >= band.high:
        return Opinion(Outcome.MATCH, None, fast)
    similarity = ask()
    return Opinion(decide(similarity, rule), similarity, fast)


def settle(
    fast_genuine: Floats,
    fused_genuine: Floats,
    fast_impostor: Floats,
    fused_impostor: Floats,
    threshold: float,
    *,
    lost: float,
    let_in: float,
) -> Band:
    """Choose the narrowest band that changes few of the fused model's decisions.

    Parameters
    ----------
    fast_genuine, fused_genuine, fast_impostor, fused_impostor : array of float64
        Scores of the same pairs by the fast and by the fused model.
    threshold : float
        Of the fused model.
    lost : float
        Share of the genuine pairs which the fused model accepts and the fast score may turn away.
    let_in : float
        Share of the impostor pairs which the fused model turns away and the fast score may let in.
    """
    kept = np.sort(fast_genuine[fused_genuine >= threshold])
    turned_away = np.sort(fast_impostor[fused_impostor < threshold])[::-1]
    spare = min(int(lost * len(fast_genuine)), len(kept) - 1)
    low = float(kept[spare]) if len(kept) else 1.0
    spare = min(int(let_in * len(fast_impostor)), len(turned_away) - 1)
    high = float(np.nextafter(turned_away[spare], np.inf)) if len(turned_away) else -1.0
    return Band(min(low, high), high)


@dataclass(frozen=True, slots=True)
class Trade:
    """What a band costs and what it does to the errors.

    Attributes
    ----------
    band : Band
    fmr, fnmr : float
        Of the decisions in two steps.
    asked_genuine, asked_impostor : float
        Share of the pairs in doubt.
    changed : float
        Share of all pairs that the fused model alone would decide otherwise.
    """

    band: Band
    fmr: float
    fnmr: float
    asked_genuine: float
    asked_impostor: float
    changed: float

    def cost(self, fast: float, slow: float, genuine_share: float = 0.5) -> float:
        """Return the mean time of a decision.

        Parameters
        ----------
        fast, slow : float
            Time of each network; the slow one adds its own part only.
        genuine_share : float
            How many of the probes are the person they are compared with, 0..1.
        """
        asked = genuine_share * self.asked_genuine + (1 - genuine_share) * self.asked_impostor
        return fast + asked * slow


def trade_off(
    fast_genuine: Floats,
    fused_genuine: Floats,
    fast_impostor: Floats,
    fused_impostor: Floats,
    threshold: float,
    band: Band,
) -> Trade:
    """Return what decisions in two steps give on pairs; parameters as for `settle`."""
    shares = []
    for fast, both in ((fast_genuine, fused_genuine), (fast_impostor, fused_impostor)):
        asked = band.doubtful(fast)
        accepted = (fast >= band.high) | (asked & (both >= threshold))
        shares.append((asked.mean(), accepted.mean(), (accepted != (both >= threshold)).sum()))
    (asked_genuine, accepted_genuine, changed), (asked_impostor, accepted_impostor, more) = shares
    pairs = len(fast_genuine) + len(fast_impostor)
    return Trade(
        band, float(accepted_impostor), 1 - float(accepted_genuine), float(asked_genuine), float(asked_impostor),
        float(changed + more) / pairs,
    )  # fmt: skip
