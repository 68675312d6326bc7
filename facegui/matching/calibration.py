"""What a similarity means for one model: how often strangers, and how often the same person, reach it.

A calibration belongs to one model file (its sha256) and one condition, and is never used for another. It
holds the histograms of genuine and impostor scores, so that every threshold, not only the three operating
points, can be explained. `facegui.matching.derivation` makes one, `facegui.matching.tables` writes and reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from facegui.matching.curves import BINS, CENTERS, EDGES, STEP, Floats, crossing, interpolate, survival

__all__ = [
    "Calibration", "Condition", "Densities", "OperatingPoint", "Rate", "pick",
]  # fmt: skip

RULE_OF_THREE = 3.0
"""No event in n independent trials puts the 95 % upper limit of the rate at about 3/n."""


class Condition(StrEnum):
    """Which kind of pairs a calibration holds for."""

    FRONTAL = "frontal"
    """Both faces look towards the camera."""

    PROFILE = "profile"
    """One face looks towards the camera, the other is turned far to the side."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % interval, all 0..1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A false match rate and the threshold that gives it.

    Attributes
    ----------
    fmr : float
        False match rate asked for.
    threshold, threshold_low, threshold_high : float
        Similarity, with its 95 % interval by bootstrap over people.
    fmr_low, fmr_high : float
        95 % interval of the false match rate at `threshold`.
    fnmr : float
        Share of genuine pairs below `threshold`.
    supported : bool
        Whether there were enough independent comparisons to claim `fmr` (rule of three).
    """

    fmr: float
    threshold: float
    threshold_low: float
    threshold_high: float
    fmr_low: float
    fmr_high: float
    fnmr: float
    supported: bool


@dataclass(frozen=True, slots=True, eq=False)
class Densities:
    """Distributions of the scores, for drawing.

    Attributes
    ----------
    similarity : array of float64, shape (BINS,)
        Middles of the bins.
    impostor, genuine : array of float64, shape (BINS,)
        Probability per unit of similarity; each integrates to 1.
    """

    similarity: Floats
    impostor: Floats
    genuine: Floats


def _empty() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The meaning of similarities of one model under one condition.

    Attributes
    ----------
    model_id : str
        sha256 of the model file.
    condition : Condition
    source : str
        Which photos it was derived from, in words.
    people, photos : int
        How many people and photos were behind it.
    failures : int
        Photos left out because no face was found in them.
    genuine_pairs, impostor_pairs : int
        Pairs of photos that were compared.
    identity_pairs : int
        Pairs of different people that were compared: the number of independent impostor comparisons, which is
        far below `impostor_pairs` when each person has many photos.
    operating_points : tuple of OperatingPoint
        Falling false match rates.
    impostor_counts, genuine_counts : tuple of int, BINS long
        Scores per bin of the grid from -1 to 1.
    fmr_low, fmr_high, fnmr_low, fnmr_high : tuple of float, BINS + 1 long
        95 % intervals at the edges of the grid, by bootstrap over people.
    slope, intercept : float
        Probability of being the same person = 1 / (1 + exp(-(slope * similarity + intercept))) when both were
        equally likely beforehand.
    """

    model_id: str
    condition: Condition
    source: str
    people: int
    photos: int
    failures: int
    genuine_pairs: int
    impostor_pairs: int
    identity_pairs: int
    operating_points: tuple[OperatingPoint, ...]
    impostor_counts: tuple[int, ...]
    genuine_counts: tuple[int, ...]
    fmr_low: tuple[float, ...]
    fmr_high: tuple[float, ...]
    fnmr_low: tuple[float, ...]
    fnmr_high: tuple[float, ...]
    slope: float
    intercept: float
    _knots: Floats = field(default_factory=_empty, init=False, repr=False, compare=False)
    _fmr: Floats = field(default_factory=_empty, init=False, repr=False, compare=False)
    _fnmr: Floats = field(default_factory=_empty, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.impostor_counts) != BINS or len(self.genuine_counts) != BINS:
            raise ValueError(f"the histograms must have {BINS} bins")
        if any(len(b) != BINS + 1 for b in (self.fmr_low, self.fmr_high, self.fnmr_low, self.fnmr_high)):
            raise ValueError(f"the intervals must have {BINS + 1} values")
        fmr = survival(np.asarray(self.impostor_counts), self.identity_pairs)
        fnmr = survival(np.asarray(self.genuine_counts)[::-1], self.people)[::-1]
        # The operating points are knots too, so that their thresholds and rates agree exactly with the curve.
        points = {p.threshold: p.fmr for p in self.operating_points if -1 <= p.threshold <= 1}
        known = dict(zip(np.round(EDGES, 6).tolist(), fmr.tolist(), strict=True)) | points
        knots = np.array(sorted(known))
        object.__setattr__(self, "_knots", knots)
        object.__setattr__(self, "_fmr", np.minimum.accumulate([known[knot] for knot in knots.tolist()]))
        object.__setattr__(self, "_fnmr", fnmr)

    @property
    def smallest_claim(self) -> float:
        """Smallest false match rate that the number of independent comparisons supports."""
        return min(1.0, RULE_OF_THREE / max(self.identity_pairs, 1))

    def supports(self, fmr: float) -> bool:
        """Return whether a false match rate can be claimed (rule of three over pairs of people)."""
        return fmr >= self.smallest_claim * (1 - 1e-9)

    def threshold_for(self, fmr: float) -> float:
        """Return the lowest threshold whose false match rate is at most `fmr`.

        Rates too small to be counted come from the extrapolated tail: see `supports`.

        Raises
        ------
        ValueError
            `fmr` is not above 0 and at most 1.
        """
        if not 0 < fmr <= 1:
            raise ValueError(f"a false match rate lies above 0 and at most at 1, not at {fmr}")
        for point in self.operating_points:
            if abs(point.fmr - fmr) <= 1e-9 * fmr:
                return point.threshold
        return crossing(fmr, self._knots, self._fmr)

    def fmr_at(self, similarity: float) -> Rate:
        """Return the share of strangers that score `similarity` or higher; the value is never 0."""
        value = float(interpolate(similarity, self._knots, self._fmr))
        low = float(np.interp(similarity, EDGES, self.fmr_low))
        high = float(np.interp(similarity, EDGES, self.fmr_high))
        return Rate(value, min(low, value), max(high, value, self.smallest_claim))

    def fnmr_at(self, similarity: float) -> Rate:
        """Return the share of genuine pairs that score below `similarity`; the value is never 0."""
        value = float(interpolate(similarity, EDGES, self._fnmr))
        low = float(np.interp(similarity, EDGES, self.fnmr_low))
        high = float(np.interp(similarity, EDGES, self.fnmr_high))
        floor = min(1.0, RULE_OF_THREE / max(self.people, 1))
        return Rate(value, min(low, value), max(high, value, floor))

    def probability(self, similarity: float) -> float:
        """Return the probability of the same person, had both been equally likely beforehand.

        It never comes nearer to 0 or 1 than the smallest claim that the calibration supports.
        """
        logit = np.clip(self.slope * similarity + self.intercept, -500, 500)
        limit = min(self.smallest_claim, 0.5)
        return float(np.clip(1.0 / (1.0 + np.exp(-logit)), limit, 1.0 - limit))

    def densities(self) -> Densities:
        """Return the distributions of impostor and genuine scores."""
        impostor = np.asarray(self.impostor_counts, dtype=np.float64)
        genuine = np.asarray(self.genuine_counts, dtype=np.float64)
        return Densities(CENTERS, impostor / (impostor.sum() * STEP), genuine / (max(genuine.sum(), 1.0) * STEP))


def pick(calibrations: Sequence[Calibration], model_id: str, *, turned: bool = False) -> Calibration | None:
    """Return the calibration of a model for the condition at hand.

    Parameters
    ----------
    calibrations : sequence of Calibration
    model_id : str
        sha256 of the model that made the embeddings.
    turned : bool
        Whether one of the faces is turned far to the side.

    Returns
    -------
    Calibration or None
        None when the model is not calibrated. The frontal one stands in where there is none for turned faces.
    """
    mine = {c.condition: c for c in calibrations if c.model_id == model_id}
    wanted = Condition.PROFILE if turned else Condition.FRONTAL
    return mine.get(wanted) or (mine.get(Condition.FRONTAL) if turned else None)
