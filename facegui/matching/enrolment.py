"""What to warn of before a sample is enrolled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Face
from facegui.matching.decision import Rule
from facegui.matching.wording import format_similarity

__all__ = ["Enrolled", "SampleCheck", "SampleWarning", "WarningKind", "check"]


class WarningKind(StrEnum):
    """What may be wrong with a sample."""

    POOR_QUALITY = "poor quality"
    NEAR_DUPLICATE = "near duplicate"
    LOOKS_LIKE_ANOTHER = "looks like another"
    UNLIKE_OWN = "unlike own samples"


@dataclass(frozen=True, slots=True)
class SampleWarning:
    """One thing to know before saving.

    Attributes
    ----------
    kind : WarningKind
    text : str
        One line for the user.
    similarity : float or None
        The score behind it.
    person_id : int or None
        Whom the sample looks like.
    person_name : str or None
    """

    kind: WarningKind
    text: str
    similarity: float | None = None
    person_id: int | None = None
    person_name: str | None = None


@dataclass(frozen=True, slots=True)
class SampleCheck:
    """The warnings for one face, worst first; empty when it is good."""

    face_index: int
    warnings: tuple[SampleWarning, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Enrolled:
    """The samples that are in the gallery already.

    Attributes
    ----------
    vectors : ndarray
        float32, (n, d), rows of unit length.
    person_ids : ndarray
        int64, (n,).
    names : mapping
        Person id to name.
    """

    vectors: NDArray[np.float32]
    person_ids: NDArray[np.int64]
    names: Mapping[int, str]


def check(
    faces: Sequence[Face],
    own_id: int | None,
    enrolled: Enrolled,
    rule: Rule | None,
    *,
    poor: float,
    near_duplicate: float,
) -> tuple[SampleCheck, ...]:
    """Check the samples chosen for one person against each other and against the gallery.

    A sample is unlike the person when its middle similarity to their enrolled samples, or while there are none to
    the other chosen ones, lies below the unsure band.

    Parameters
    ----------
    faces : sequence of Face
        With embeddings of one model.
    own_id : int or None
        The person they are for, when enrolled already.
    enrolled : Enrolled
        Embeddings of the same model.
    rule : Rule or None
        None when the model is not calibrated: likeness is then not judged.
    poor : float
        Quality below this is poor.
    near_duplicate : float
        Similarity from which a sample adds nothing to another one.
    """
    chosen = np.stack([_vector(face) for face in faces]) if faces else np.zeros((0, 1), np.float32)
    checks = []
    for index, face in enumerate(faces):
        warnings: list[SampleWarning] = []
        others = np.flatnonzero(enrolled.person_ids != own_id) if own_id is not None else slice(None)
        own = np.flatnonzero(enrolled.person_ids == own_id) if own_id is not None else np.zeros(0, np.int64)
        if rule is not None and len(enrolled.vectors):
            warnings += _like_another(chosen[index], enrolled, others, rule)
        own_scores = enrolled.vectors[own] @ chosen[index] if len(own) else np.zeros(0, np.float32)
        earlier_scores = chosen[:index] @ chosen[index]
        same = max((float(s.max()) for s in (own_scores, earlier_scores) if s.size), default=-1.0)
        # The middle one of the scores, so that photos of two people are noticed although each has its like.
        alike = own_scores if own_scores.size else np.delete(chosen @ chosen[index], index)
        typical = float(np.median(alike)) if alike.size else 1.0
        if same >= near_duplicate:
            text = f"Nearly the same as another sample ({format_similarity(same)}). It adds nothing."
            warnings.append(SampleWarning(WarningKind.NEAR_DUPLICATE, text, same))
        if rule is not None and typical < rule.unsure_low:
            text = f"Unlike the other samples ({format_similarity(typical)}). Is it the same person?"
            warnings.append(SampleWarning(WarningKind.UNLIKE_OWN, text, typical))
        if face.quality.score < poor:
            reasons = ", ".join(reason.value for reason in face.quality.reasons)
            text = f"Poor quality: {reasons}." if reasons else "Poor quality."
            warnings.append(SampleWarning(WarningKind.POOR_QUALITY, text))
        checks.append(SampleCheck(index, tuple(warnings)))
    return tuple(checks)


def _vector(face: Face) -> NDArray[np.float32]:
    if face.embedding is None:
        raise ValueError("the face has no embedding")
    return face.embedding.vector


def _like_another(
    vector: NDArray[np.float32], enrolled: Enrolled, others: NDArray[np.int64] | slice, rule: Rule
) -> list[SampleWarning]:
    scores = enrolled.vectors[others] @ vector
    if not scores.size:
        return []
    best = int(scores.argmax())
    score = float(scores[best])
    if score < rule.unsure_low:
        return []
    person = int(enrolled.person_ids[others][best])
    name = enrolled.names.get(person, "")
    text = f"Looks like {name} ({format_similarity(score)}), who is enrolled already."
    return [SampleWarning(WarningKind.LOOKS_LIKE_ANOTHER, text, score, person, name)]
