"""What an evaluation found: accuracy and error rates, each with its interval and its limits.

`facegui.matching.evaluation` makes a report, `facegui.matching.plots` draws it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any

import numpy as np

from facegui.matching import metrics
from facegui.matching.intervals import Interval
from facegui.matching.metrics import Accuracy, Floats, Folds, Roc
from facegui.matching.wording import format_rate, format_share, format_similarity

__all__ = ["AtThreshold", "Figures", "Measured", "Miss", "Report", "Row", "TarAtFmr", "thinned"]

_ROC_POINTS = 400


@dataclass(frozen=True, slots=True)
class Measured:
    """A rate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TarAtFmr:
    """True accept rate at a false match rate.

    Attributes
    ----------
    fmr, threshold : float
        The rate asked for and the lowest threshold of these pairs that keeps it.
    tar : Measured
    supported : bool
        Whether the list has enough independent impostor pairs to claim this rate (rule of three).
    """

    fmr: float
    threshold: float
    tar: Measured
    supported: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What a list of pairs says about a model.

    Attributes
    ----------
    genuine_pairs, impostor_pairs, identity_pairs : int
        Pairs of photos of each kind, and the independent ones among the impostor pairs: pairs of people.
    best : Accuracy
        At the best threshold for these very pairs: flattering.
    best_interval : Interval
    folds : Folds or None
        Accuracy by cross-validation; None where there are too few pairs.
    auc : float
    eer : Measured
    eer_threshold : float
    tar : tuple of TarAtFmr
    """

    genuine_pairs: int
    impostor_pairs: int
    identity_pairs: int
    best: Accuracy
    best_interval: Interval
    folds: Folds | None
    auc: float
    eer: Measured
    eer_threshold: float
    tar: tuple[TarAtFmr, ...]


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What the calibrated threshold does on these pairs; photos without a face are non-matches.

    Attributes
    ----------
    target_fmr, threshold, unsure_low : float
    accuracy, fmr, fnmr : Measured
        "Unsure" counts as not accepted.
    genuine_unsure, impostor_unsure : int
        Pairs whose score falls into the unsure band.
    supported : bool
        Whether the calibration supports the target.
    """

    target_fmr: float
    threshold: float
    unsure_low: float
    accuracy: Measured
    fmr: Measured
    fnmr: Measured
    genuine_unsure: int
    impostor_unsure: int
    supported: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table that a person reads: name, figure, and what limits it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Miss:
    """A wrong decision; the score is None when no face was found in one of the photos."""

    path1: str
    path2: str
    score: float | None
    same: bool


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The evaluation of one model on one list.

    Attributes
    ----------
    name, model_id : str
    photos, people, pairs, identity_pairs : int
        People as far as the list tells; `identity_pairs` are the independent impostor comparisons.
    people_named : bool
        Whether the list says who is on the photos. Where it does not, photos that it links as one person count as a
        person: there may be fewer, and the intervals, drawn over people, are then too narrow.
    photos_without_face : tuple of str
    failed_pairs : int
        Pairs with such a photo.
    figures : Figures
        With failures counted as non-matches.
    figures_without_failures : Figures or None
        With failed pairs left out; None when there are none, or nothing would be left.
    at_thresholds : tuple of AtThreshold
        Empty for a model that is not calibrated.
    miss_threshold : float
        The threshold by which misses are told: of the calibration for its default target, or else the best one.
    false_matches, false_non_matches : tuple of Miss
        Worst first.
    false_match_count, false_non_match_count : int
        How many there are; the lists hold the worst.
    genuine, impostor : array of float64
        Scores; NaN for failures.
    """

    name: str
    model_id: str
    photos: int
    people: int
    people_named: bool
    pairs: int
    identity_pairs: int
    photos_without_face: tuple[str, ...]
    failed_pairs: int
    figures: Figures
    figures_without_failures: Figures | None
    at_thresholds: tuple[AtThreshold, ...]
    miss_threshold: float
    false_matches: tuple[Miss, ...]
    false_non_matches: tuple[Miss, ...]
    false_match_count: int
    false_non_match_count: int
    genuine: Floats
    impostor: Floats

    def roc(self) -> Roc:
        """Return the ROC with failures counted as non-matches."""
        return metrics.roc(self.genuine, self.impostor)

    def rows(self) -> list[Row]:
        """Return the figures as lines of a table, intervals and limits beside them."""
        return _rows_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the scores as plain values for JSON; the ROC is thinned to some hundred points."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("genuine", "impostor")}
        for name in ("figures", "figures_without_failures"):
            plain[name] = asdict(plain[name]) if plain[name] else None
        for name in ("at_thresholds", "false_matches", "false_non_matches"):
            plain[name] = [asdict(item) for item in plain[name]]
        curve = thinned(self.roc())
        plain["roc"] = {
            "threshold": curve.thresholds.tolist(), "fmr": curve.fmr.tolist(), "tar": curve.tar.tolist(),
        }  # fmt: skip
        result: dict[str, Any] = _plain(plain)
        return result


def _rows_of(report: Report) -> list[Row]:
    figures = report.figures
    at_most = "" if report.people_named else "at most "
    rows = [
        Row("Pairs", f"{report.pairs:,}", f"{figures.genuine_pairs:,} same, {figures.impostor_pairs:,} different"),
        Row("Photos", f"{report.photos:,}", f"{at_most}{report.identity_pairs:,} pairs of people compared"),
        Row("People", f"{at_most}{report.people:,}", _of_people(report)),
    ]
    if report.photos_without_face:
        share = format_share(len(report.photos_without_face) / report.photos)
        note = f"{share}; their {report.failed_pairs:,} pairs count as non-matches"
        rows.append(Row("Photos without a face", f"{len(report.photos_without_face):,}", note))
    rows += _figure_rows(figures)
    if report.figures_without_failures:
        left_out = f"without the {report.failed_pairs:,} failed pairs"
        kept = _figure_rows(report.figures_without_failures)
        rows += [Row(row.label, row.value, "; ".join(filter(None, (left_out, row.note)))) for row in kept]
    for at in report.at_thresholds:
        limits = f"FMR {_ranged(at.fmr)}, FNMR {_ranged(at.fnmr)}"
        doubt = "" if at.supported else "; the calibration cannot support this rate"
        name = f"Accuracy at {format_similarity(at.threshold, 3)} ({format_rate(at.target_fmr)})"
        rows.append(Row(name, _ranged(at.accuracy), limits + doubt))
    return rows


def _of_people(report: Report) -> str:
    if report.people_named:
        return ""
    return "the list does not name them: photos that it links count as one person; the ranges may be too narrow"


def _figure_rows(figures: Figures) -> list[Row]:
    best = Measured(figures.best.value, figures.best_interval.low, figures.best_interval.high)
    rows = [
        Row("Best accuracy", _ranged(best), f"at {format_similarity(figures.best.threshold, 3)}, chosen on these pairs")
    ]
    if figures.folds:
        text = f"{format_share(figures.folds.mean)} ± {format_share(figures.folds.standard_error)}"
        rows.append(Row(f"{len(figures.folds.accuracies)}-fold accuracy", text, "mean and standard error"))
    rows.append(Row("EER", _ranged(figures.eer), f"at {format_similarity(figures.eer_threshold, 3)}"))
    rows.append(Row("AUC", f"{figures.auc:.5f}"))
    for tar in figures.tar:
        doubt = "" if tar.supported else f"not supported by {figures.identity_pairs:,} pairs of people"
        rows.append(Row(f"TAR at FMR {tar.fmr:.0e}".replace("e-0", "e-"), _ranged(tar.tar), doubt))
    return rows


def _ranged(measured: Measured) -> str:
    low, high = format_share(measured.low), format_share(measured.high)
    return f"{format_share(measured.value)} ({low.removesuffix(' %')}–{high})"


def _plain(value: Any) -> Any:
    """Return the value with lists for tuples and None for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value


def thinned(curve: Roc, points: int = _ROC_POINTS) -> Roc:
    """Return the corners of a ROC, at most about `points` of them, denser at small rates."""
    corner = np.ones(len(curve.fmr), bool)
    flat = (np.diff(curve.fmr)[:-1] == 0) & (np.diff(curve.fmr)[1:] == 0)
    steep = (np.diff(curve.fnmr)[:-1] == 0) & (np.diff(curve.fnmr)[1:] == 0)
    corner[1:-1] = ~(flat | steep)
    where = np.flatnonzero(corner)
    if len(where) > points:
        where = where[np.unique(np.geomspace(1, len(where), points).astype(int) - 1)]
    return Roc(curve.thresholds[where], curve.fmr[where], curve.fnmr[where])
