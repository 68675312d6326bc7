"""The values that go into a gallery and come out of it.

This module imports no database, so that a view may import it at no cost. Boxes and landmarks of stored faces
are in pixels of the upright original. Moments are aware and in UTC; `taken` is naive, as EXIF has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Box, Face, Frame, Image, Landmarks, Outcome, Quality
from facegui.gallery.changes import Change, Undo

__all__ = [
    "Change",
    "Counts",
    "DecisionKind",
    "DecisionRecord",
    "FaceMatrix",
    "FaceRecord",
    "IndexedPhoto",
    "NewDecision",
    "NewSample",
    "Outcome",
    "PersonRecord",
    "PhotoRecord",
    "PhotoStamp",
    "SampleRecord",
    "TemplateMatrix",
    "Undo",
]

Ids = NDArray[np.int64]


class DecisionKind(StrEnum):
    """Which question was asked."""

    VERIFY_PAIR = "verify-pair"
    VERIFY_PERSON = "verify-person"
    IDENTIFY = "identify"


# --- into the gallery ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class NewSample:
    """A face to be enrolled, and where it was seen.

    Attributes
    ----------
    face : Face
        With its embedding; in pixels of the analysed frame.
    source : str
        Path of the photo or video, or name of the camera.
    scale : float
        Pixels of the analysed frame per pixel of the original (`Frame.scale`).
    original_size : tuple of int
        Width and height of the upright original; (0, 0) when unknown.
    content_hash : str or None
        sha256 of the file, hexadecimal.
    taken : datetime or None
        From EXIF, naive.
    size, mtime_ns : int
        Of the file; 0 when unknown.
    """

    face: Face
    source: str
    scale: float = 1.0
    original_size: tuple[int, int] = (0, 0)
    content_hash: str | None = None
    taken: datetime | None = None
    size: int = 0
    mtime_ns: int = 0

    @classmethod
    def of(
        cls, face: Face, frame: Frame, *, content_hash: str | None = None, size: int = 0, mtime_ns: int = 0
    ) -> NewSample:
        """Make a sample of a face that was found in `frame`."""
        return cls(face, frame.source, frame.scale, frame.original_size, content_hash, frame.taken, size, mtime_ns)


@dataclass(frozen=True, slots=True, eq=False)
class IndexedPhoto:
    """A file that the folder index has read, with the faces found or the reason why it was skipped.

    Attributes are those of `NewSample`; `faces` may be empty, and `error` is text for the user or None.
    """

    path: str
    size: int
    mtime_ns: int
    content_hash: str | None = None
    width: int = 0
    height: int = 0
    taken: datetime | None = None
    faces: tuple[Face, ...] = ()
    scale: float = 1.0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """An answer for the history.

    Attributes
    ----------
    kind : DecisionKind
    outcome : Outcome
    probe : str
        Path of the photo, or name of the camera.
    reference : str or None
        Path of the other photo (`VERIFY_PAIR`).
    person_id : int or None
        The person compared with, or the best candidate (`IDENTIFY`).
    runner_up_id : int or None
        The next best person.
    similarity, threshold : float
        Cosines, -1..1.
    target_fmr : float
        False match rate that the threshold stands for, 0..1.
    margin : float or None
        Similarity above the runner-up's.
    model_id, provider : str
        sha256 of the model and the execution provider that really ran it.
    liveness : str or None
        What the liveness check said, in words.
    evidence : bytes or None
        The card of a live decision with its crops (`facegui.services.evidence`); a record read from the gallery
        comes without it, `Gallery.evidence_of` reads it.
    time : datetime or None
        Aware; None means now.
    """

    kind: DecisionKind
    outcome: Outcome
    probe: str
    similarity: float
    threshold: float
    target_fmr: float
    model_id: str
    provider: str
    reference: str | None = None
    person_id: int | None = None
    runner_up_id: int | None = None
    margin: float | None = None
    liveness: str | None = None
    evidence: bytes | None = None
    time: datetime | None = None


# --- out of the gallery -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord(NewDecision):
    """A stored answer; the names are those that the people have now. `has_evidence` tells whether a card is kept."""

    id: int
    person_name: str | None
    runner_up_name: str | None
    has_evidence: bool = False


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """Somebody enrolled. `cover_face_id` is their sample of best quality, None when they have no sample."""

    id: int
    name: str
    samples: int
    cover_face_id: int | None
    created: datetime
    last_seen: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class SampleRecord:
    """One enrolled sample with its aligned crop, RGB uint8 (112, 112, 3)."""

    face_id: int
    person_id: int
    photo_path: str
    quality: Quality
    crop: Image
    box: Box
    landmarks: Landmarks
    added: datetime


@dataclass(frozen=True, slots=True, eq=False)
class FaceRecord:
    """A face of the index or a sample; `person_id` is None while nobody claims it."""

    face_id: int
    photo_id: int
    path: str
    person_id: int | None
    box: Box
    landmarks: Landmarks
    score: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """A photo of the index, or one that a sample came from."""

    id: int
    path: str
    size: int
    mtime_ns: int
    content_hash: str | None
    width: int
    height: int
    taken: datetime | None
    faces: int
    error: str | None


@dataclass(frozen=True, slots=True)
class PhotoStamp:
    """What the index knows of a file, to tell whether it must be read again.

    `embedded` is False when one of its faces has no vector of the model asked about.
    """

    photo_id: int
    size: int
    mtime_ns: int
    content_hash: str | None
    error: str | None
    embedded: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a gallery holds; `photos` and `faces` are those of the folder index."""

    people: int
    samples: int
    photos: int
    faces: int
    decisions: int


@dataclass(frozen=True, slots=True, eq=False)
class TemplateMatrix:
    """The enrolled samples' vectors of one model, ordered by person and then by face.

    Attributes
    ----------
    model_id : str
    vectors : ndarray
        float32, (n, d), C-contiguous, rows of unit length.
    face_ids, person_ids : ndarray
        int64, (n,).
    quality : ndarray
        float32, (n,), 0..1.
    people : ndarray
        int64, (p,): each person once, ascending.
    starts : ndarray
        int64, (p,): the row at which each person begins.
    means : ndarray
        float32, (p, d): unit vectors along the quality-weighted mean of each person's samples.
    agreement : ndarray
        float32, (p,), 0..1: length of that mean before it was made a unit vector; 1 when all samples are the same.
    names : mapping
        Person id to name.
    """

    model_id: str
    vectors: NDArray[np.float32]
    face_ids: Ids
    person_ids: Ids
    quality: NDArray[np.float32]
    people: Ids
    starts: Ids
    means: NDArray[np.float32]
    agreement: NDArray[np.float32]
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class FaceMatrix:
    """The vectors of one model of the faces in the index.

    Attributes
    ----------
    model_id : str
    vectors : ndarray
        float32, (n, d), C-contiguous, rows of unit length, in the order in which they were added.
    face_ids, photo_ids : ndarray
        int64, (n,).
    """

    model_id: str
    vectors: NDArray[np.float32]
    face_ids: Ids
    photo_ids: Ids
