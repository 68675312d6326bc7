"""The model in use, measured on a list of pairs: for `facegui evaluate` and for the reports of the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facegui.errors import KnownError
from facegui.faces.types import Frame
from facegui.jobs import Job
from facegui.matching.evaluation import evaluate_pairs
from facegui.matching.protocols import Opened
from facegui.matching.report import Report
from facegui.services.embedding import Embedded, embed_crops, embed_each

if TYPE_CHECKING:
    from facegui.faces.catalog import ModelInfo
    from facegui.services.core import Services

__all__ = ["Evaluated", "evaluate"]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """What was measured.

    Attributes
    ----------
    report : Report
    opened : Opened
        The list.
    model : ModelInfo
    aligned : bool
        Whether the photos were taken for aligned crops, in which no face is looked for.
    found : Embedded
        Vectors, qualities, times.
    unreadable : dict of str to str
        Photo, as the list has it, and reason.
    """

    report: Report
    opened: Opened
    model: ModelInfo
    aligned: bool
    found: Embedded
    unreadable: dict[str, str]


def evaluate(services: Services, opened: Opened, aligned: bool | None = None) -> Job[Evaluated]:
    """Return the job that measures the model in use.

    Parameters
    ----------
    services : Services
    opened : Opened
    aligned : bool or None
        Whether the photos are aligned crops; None for what the protocol has.

    Yields
    ------
    Progress
        After each photo.

    Raises
    ------
    KnownError
        No photo could be read, or the list has pairs of one kind only.
    """
    crops = opened.aligned if aligned is None else aligned
    pipeline, paths, model = services.pipeline, opened.files, services.model
    read: Callable[[Path], Frame] = services.read
    if opened.pictures is not None:
        pictures = dict(zip(paths, opened.pictures, strict=True))
        read = lambda path: services.read_bytes(pictures[path], path.name)  # noqa: E731
    models = [pipeline.embedder]
    found = yield from embed_crops(paths, read, models) if crops else embed_each(paths, read, pipeline, models)
    if found.unreadable and len(found.unreadable) == len(paths):
        raise KnownError(
            "None of the photos could be read.",
            next(iter(found.unreadable.values())),
            "Check the paths, or say with --root where they start.",
        )
    report = evaluate_pairs(
        opened.pairs, found.vectors[model.sha256], model_id=model.sha256, calibration=services.calibration,
        target_fmr=services.settings.target_fmr,
    )  # fmt: skip
    unreadable = {opened.pairs.paths[place]: why for place, why in found.unreadable.items()}
    return Evaluated(report, opened, model, crops, found, unreadable)
