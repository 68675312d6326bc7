"""Where a fast network's scores leave a doubt: found on labelled photos, one band for each operating point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.catalog import Part
from facegui.matching.calibration import Calibration
from facegui.matching.second_opinion import Band, Trade, part_of, settle, trade_off

__all__ = ["BandPoint", "OpinionLimits", "band_at", "bands_from", "bands_text", "derive_bands"]

_DIGITS = 3
_STEP = 10.0**-_DIGITS
_FIELDS = ("fmr", "threshold", "low", "high", "asked_genuine", "asked_impostor", "fmr_reached", "fnmr", "fnmr_alone")


@dataclass(frozen=True, slots=True)
class OpinionLimits:
    """How far decisions in two steps may differ from the fused model's; kept in the manifest.

    Attributes
    ----------
    lost : float
        Share of the genuine pairs which the fused model accepts and the fast score may turn away.
    let_in : float
        Impostor pairs which the fused model turns away and the fast score may let in, as a share of the false match
        rate that is aimed at.
    photos : int
        At most so many photos are paired, people by people: memory grows with the square.
    """

    lost: float
    let_in: float
    photos: int


@dataclass(frozen=True, slots=True)
class BandPoint:
    """A band, and what it gave on the photos that it was found on.

    Attributes
    ----------
    fmr : float
        False match rate that the fused model's threshold aims at.
    threshold : float
        Of the fused model.
    low, high : float
        Fast scores from `low` up to, not with, `high` ask the slow network.
    asked_genuine, asked_impostor : float
        Share of the pairs in doubt.
    fmr_reached, fnmr : float
        Of the decisions in two steps.
    fnmr_alone : float
        Of the fused model alone.
    """

    fmr: float
    threshold: float
    low: float
    high: float
    asked_genuine: float
    asked_impostor: float
    fmr_reached: float
    fnmr: float
    fnmr_alone: float

    @property
    def band(self) -> Band:
        """The band alone."""
        return Band(self.low, self.high)


def derive_bands(
    vectors: NDArray[np.float32],
    people: NDArray[np.generic],
    part: Part,
    calibration: Calibration,
    limits: OpinionLimits,
) -> tuple[BandPoint, ...]:
    """Find the band of each operating point of a fused model.

    Parameters
    ----------
    vectors : array of float32, shape (n, d)
        By the fused model, of photos taken under the condition of the calibration; rows with NaN are left out.
    people : array, shape (n,)
        Who is on each.
    part : Part
        The fast network's share of the embeddings.
    calibration : Calibration
        Of the fused model.
    limits : OpinionLimits
    """
    there = np.flatnonzero(np.isfinite(vectors).all(1))
    there = there[np.argsort(people[there], kind="stable")][: limits.photos]
    vectors, names = np.asarray(vectors[there], np.float32), people[there]
    fast = part_of(vectors, part)
    first, second = np.triu_indices(len(there), 1)
    same = names[first] == names[second]
    quick, both = (np.asarray((each @ each.T)[first, second], np.float64) for each in (fast, vectors))
    pairs = quick[same], both[same], quick[~same], both[~same]
    if not len(pairs[0]) or not len(pairs[2]):
        return ()
    points = []
    for point in calibration.operating_points:
        if not point.supported:
            continue
        settled = settle(*pairs, point.threshold, lost=limits.lost, let_in=limits.let_in * point.fmr)
        # Rounded outwards: the text of a manifest may ask a little more, never less.
        low = float(np.floor(settled.low / _STEP) * _STEP)
        high = float(np.ceil(settled.high / _STEP) * _STEP)
        band = Band(round(low, _DIGITS), round(high, _DIGITS))
        trade = trade_off(*pairs, point.threshold, band)
        points.append(_point(point.fmr, point.threshold, trade, float(np.mean(pairs[1] < point.threshold))))
    return tuple(points)


def _point(fmr: float, threshold: float, trade: Trade, alone: float) -> BandPoint:
    shares = (trade.asked_genuine, trade.asked_impostor, trade.fmr, trade.fnmr, alone)
    return BandPoint(fmr, threshold, trade.band.low, trade.band.high, *(float(f"{share:.3g}") for share in shares))


def band_at(points: Sequence[BandPoint], threshold: float) -> Band | None:
    """Return the band for a threshold of the fused model.

    Between two operating points the band reaches from the lower one's beginning to the upper one's end: it asks more
    often than it had to, and neither point's errors are exceeded. None outside: nothing is known there.

    Parameters
    ----------
    points : sequence of BandPoint
    threshold : float
    """
    ordered = sorted(points, key=lambda point: point.threshold)
    for point in ordered:
        if abs(point.threshold - threshold) < _STEP / 2:
            return point.band
    for lower, upper in pairwise(ordered):
        if lower.threshold < threshold < upper.threshold:
            return Band(min(lower.low, upper.low), max(lower.high, upper.high))
    return None


def bands_text(points: Sequence[BandPoint], header: str) -> str:
    """Return the bands as TOML, in a table of this header."""
    rows = (", ".join(f"{name} = {getattr(point, name):.6g}" for name in _FIELDS) for point in points)
    return "\n".join([header, "points = [", *(f"  {{{row}}}," for row in rows), "]"]) + "\n"


def bands_from(table: Mapping[str, Any]) -> tuple[BandPoint, ...]:
    """Return the bands that `bands_text` wrote; none from an empty table.

    Raises
    ------
    ValueError, KeyError, TypeError
        Something is missing or of the wrong kind.
    """
    return tuple(BandPoint(**{name: float(row[name]) for name in _FIELDS}) for row in table.get("points", ()))
