"""Calibrations of several models from one pass over the photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegui.cli.labelled import Labelled
from facegui.errors import KnownError
from facegui.faces.catalog import ModelInfo
from facegui.faces.types import Vector
from facegui.jobs import Job, Progress
from facegui.matching.calibration import Calibration, Condition
from facegui.matching.derivation import derive
from facegui.matching.opinion_bands import BandPoint, OpinionLimits, derive_bands
from facegui.services import Services
from facegui.services.embedding import embed_each

__all__ = ["Calibrated", "calibrate_models", "derive_all"]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Calibrations by model, one per condition, bands of doubt, and the photos that could not be read.

    Attributes
    ----------
    calibrations : tuple of (ModelInfo, tuple of Calibration)
    bands : mapping of str to tuple of BandPoint
        Of a second opinion, by the id of the fused model.
    unreadable : mapping of str to str
        Reason by path.
    seconds : float
    """

    calibrations: tuple[tuple[ModelInfo, tuple[Calibration, ...]], ...]
    bands: dict[str, tuple[BandPoint, ...]]
    unreadable: dict[str, str]
    seconds: float


def calibrate_models(services: Services, models: Sequence[ModelInfo], photos: Labelled, source: str) -> Job[Calibrated]:
    """Embed labelled photos by several models and derive what their similarities mean.

    Parameters
    ----------
    services : Services
        Its model in use changes.
    models : sequence of ModelInfo
    photos : Labelled
    source : str
        What the photos are, in words.

    Raises
    ------
    KnownError
        No photo could be read, or there are too few people.
    """
    embedders = []
    for model in models:
        services.use_model(model.id)
        embedders.append(services.pipeline.embedder)
    found = yield from embed_each(photos.paths, services.read, services.pipeline, embedders)
    if len(found.unreadable) == len(photos.paths):
        raise KnownError(
            "None of the photos could be read.",
            next(iter(found.unreadable.values())),
            "Check the paths, or say with --root where they start.",
        )
    turned = np.asarray(photos.profiles, bool)
    readable = np.array([place not in found.unreadable for place in range(len(photos.paths))])
    people = np.asarray(photos.people)[readable]
    limits = OpinionLimits(**services.catalog.tables["second_opinion"])
    result, bands = [], {}
    for number, model in enumerate(models):
        yield Progress(number, len(models), f"deriving {model.id}")
        vectors = _matrix(found.vectors[model.sha256])[readable]
        made = derive_all(model, vectors, people, turned[readable], source)
        result.append((model, made))
        if model.weights:
            frontal = ~turned[readable]
            bands[model.id] = derive_bands(vectors[frontal], people[frontal], model.parts[0], made[0], limits)
    unreadable = {str(photos.paths[place]): reason for place, reason in found.unreadable.items()}
    return Calibrated(tuple(result), bands, unreadable, found.seconds)


def derive_all(
    model: ModelInfo, vectors: NDArray[np.float32], people: NDArray[np.str_], turned: NDArray[np.bool_], source: str
) -> tuple[Calibration, ...]:
    """Derive the calibrations of one model, one per condition that the photos allow.

    Parameters
    ----------
    model : ModelInfo
    vectors : array of float32, shape (n, d)
        One row per photo, NaN where no face was found.
    people : array of str, shape (n,)
        Who is on each.
    turned : array of bool, shape (n,)
        Whether it shows a face turned far to the side.
    source : str
        What the photos are, in words.

    Raises
    ------
    KnownError
        There are too few people.
    """
    conditions = (Condition.FRONTAL, Condition.PROFILE) if turned.any() else (Condition.FRONTAL,)
    return tuple(
        derive(vectors, people, model_id=model.sha256, source=source, condition=condition, is_profile=turned)
        for condition in conditions
    )


def _matrix(vectors: Sequence[Vector | None]) -> NDArray[np.float32]:
    """Return the vectors as rows, NaN where no face was found."""
    size = next((len(vector) for vector in vectors if vector is not None), 1)
    nothing = np.full(size, np.nan, np.float32)
    return np.stack([nothing if vector is None else vector for vector in vectors])
