"""What the services answer with."""

from __future__ import annotations

from dataclasses import dataclass

from facegui.faces.catalog import ModelInfo
from facegui.faces.session import ProviderReport
from facegui.faces.types import Face, Frame, Timings
from facegui.matching.calibration import Calibration

__all__ = ["Candidate", "Comparison", "EnrolSample"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An enrolled person and how similar the probe is to them.

    Attributes
    ----------
    person_id : int
    name : str
    similarity : float
        Cosine between the probe and the quality-weighted mean of the person's samples, lowered by as much as the
        samples disagree (`facegui.gallery.search.best_per_person`), so that a threshold calibrated on pairs of
        photos keeps its false match rate, -1..1.
    nearest_face_id : int
        The sample nearest to the probe.
    samples : int
    """

    person_id: int
    name: str
    similarity: float
    nearest_face_id: int
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All that a comparison found; moving the threshold needs nothing more.

    Attributes
    ----------
    similarity : float
        Cosine, -1..1.
    left : Face or None
        The other face, or None when a person was compared with.
    right : Face
        The probe.
    person_id, person_name : int, str or None
        The person compared with.
    best_sample_face_id : int or None
        That person's most similar sample.
    next_best : Candidate or None
        The most similar other person.
    margin : float or None
        Similarity above that person's.
    timings : Timings
        Of both photos together.
    model : ModelInfo
    provider : ProviderReport
    calibration : Calibration or None
    """

    similarity: float
    left: Face | None
    right: Face
    person_id: int | None
    person_name: str | None
    best_sample_face_id: int | None
    next_best: Candidate | None
    margin: float | None
    timings: Timings
    model: ModelInfo
    provider: ProviderReport
    calibration: Calibration | None


@dataclass(frozen=True, slots=True, eq=False)
class EnrolSample:
    """A face chosen as a sample and the frame that it was found in."""

    face: Face
    frame: Frame
