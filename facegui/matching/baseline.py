"""Figures of an evaluation kept for later, to see whether anything has become worse since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facegui.errors import KnownError
from facegui.matching.pairs import PairSet
from facegui.matching.report import Report

__all__ = ["Baseline", "Change", "changes", "load", "of_report", "save"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one evaluation gave.

    Attributes
    ----------
    name : str
        Of the list of pairs.
    pairs_sha256 : str
        Of the list's contents: photos, pairs, truth and folds.
    model, model_id : str
        Id and sha256.
    figures : dict of str to float
        Shares, 0..1, of which more is better.
    """

    name: str
    pairs_sha256: str
    model: str
    model_id: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and now.

    Attributes
    ----------
    figure : str
    before : float
    now : float or None
        None where this evaluation does not give it.
    fell : bool
        By more than is allowed, or missing now.
    """

    figure: str
    before: float
    now: float | None
    fell: bool


def _contents(pairs: PairSet) -> str:
    digest = hashlib.sha256("\n".join(pairs.paths).encode("utf-8", "surrogateescape"))
    for column in (pairs.left, pairs.right, pairs.same, pairs.folds):
        digest.update(b"\0" + column.astype("<i8").tobytes())
    return digest.hexdigest()


def of_report(report: Report, pairs: PairSet, model: str) -> Baseline:
    """Return the figures of an evaluation that are worth keeping.

    Rates that the list is too short to support are left out: they jump by chance.
    """
    figures = report.figures
    kept = {
        "photos with a face": 1 - len(report.photos_without_face) / report.photos,
        "best accuracy": figures.best.value,
        "AUC": figures.auc,
        "1 - EER": 1 - figures.eer.value,
    }
    if figures.folds is not None:
        kept[f"{len(figures.folds.accuracies)}-fold accuracy"] = figures.folds.mean
    kept |= {f"TAR at FMR {tar.fmr:g}": tar.tar.value for tar in figures.tar if tar.supported}
    kept |= {f"accuracy at FMR {at.target_fmr:g}": at.accuracy.value for at in report.at_thresholds if at.supported}
    return Baseline(report.name, _contents(pairs), model, report.model_id, kept)


def changes(before: Baseline, now: Baseline, allowed: float) -> list[Change]:
    """Return every figure of a baseline beside what it is now.

    Parameters
    ----------
    before, now : Baseline
    allowed : float
        A share by which a figure may be lower without having fallen.

    Raises
    ------
    KnownError
        The baseline was made with other pairs.
    """
    if before.pairs_sha256 != now.pairs_sha256:
        raise KnownError(
            "The baseline cannot be compared.",
            f"It was made with other pairs ({before.name or 'a list without a name'}).",
            "Name the list that it was made with, or make a new one with --save-baseline.",
        )
    made = []
    for figure, value in before.figures.items():
        current = now.figures.get(figure)
        made.append(Change(figure, value, current, current is None or current < value - allowed))
    return made


def save(baseline: Baseline, file: Path) -> None:
    """Write a baseline as JSON.

    Raises
    ------
    KnownError
        The file cannot be written.
    """
    try:
        file.write_text(json.dumps({"format": FORMAT, **asdict(baseline)}, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise KnownError(
            f"{file} cannot be written.", f"{error.strerror or error}.", "Check the folder and its free space."
        ) from error


def load(file: Path) -> Baseline:
    """Read a baseline.

    Raises
    ------
    KnownError
        The file cannot be read or is no baseline.
    """
    make = "Make one with `facegui evaluate PAIRS --save-baseline FILE`."
    try:
        content: Any = json.loads(file.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        figures = {str(name): float(value) for name, value in content["figures"].items()}
        name, pairs, model, model_id = (str(content[key]) for key in ("name", "pairs_sha256", "model", "model_id"))
        return Baseline(name, pairs, model, model_id, figures)
    except OSError as error:
        raise KnownError(f"{file} cannot be read.", f"{error.strerror or error}.", make) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KnownError(f"{file} is no baseline.", f"Its contents are not as expected ({error}).", make) from error
