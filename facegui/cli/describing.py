"""Faces, comparisons and decisions as plain values and as lines for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from facegui.cli.output import MARKS, plain, shown, table
from facegui.errors import KnownError
from facegui.faces.dense_shape import POINTS
from facegui.faces.types import Face, FacePolicy, Frame, Outcome, Timings
from facegui.matching.calibration import Calibration
from facegui.matching.decision import NOT_CALIBRATED, Rule, explain, rule_at, rule_for
from facegui.matching.wording import format_similarity

if TYPE_CHECKING:
    from facegui.gallery.records import PersonRecord
    from facegui.services import Services

__all__ = [
    "STATUS", "Seen", "chosen_rule", "face_document", "face_table", "look", "mark", "meaning_document", "person_named",
    "sentences", "steps", "times",
]  # fmt: skip

STATUS = {Outcome.MATCH: 0, Outcome.NO_MATCH: 1, Outcome.UNSURE: 3}
"""Exit status of each decision."""

_CLOSE = 0.005
_DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The face of a photo that counts, and what was seen beside it."""

    path: str
    face: Face
    frame: Frame
    faces_in_photo: int
    timings: Timings


def look(services: Services, path: str, policy: FacePolicy | None, *, embed: bool = True) -> Seen:
    """Find the face of a photo that counts, and how many there are.

    Raises
    ------
    KnownError
        There is none, or there are several and the policy refuses that.
    """
    photo, face = services.probe(path, policy, embed=embed)
    # The search for one face stops at a large one; the smaller ones are counted here, outside the times.
    count = len(services.pipeline.find(photo.frame.pixels, FacePolicy.ALL))
    return Seen(path, face, photo.frame, max(1, count), photo.timings)


def chosen_rule(
    calibration: Calibration | None, threshold: float | None, fmr: float | None, default_fmr: float
) -> Rule | None:
    """Return the rule for a threshold or a false match rate given by the user, or for the one of the settings.

    Raises
    ------
    KnownError
        Both were given, or the model is not calibrated and a rate was given.
    """
    if threshold is not None and fmr is not None:
        raise KnownError("--threshold and --fmr exclude each other.", "Both set the threshold.", "Give one of them.")
    if threshold is not None:
        # Without a calibration the threshold still decides; what it means stays unknown.
        return rule_at(calibration, threshold) or Rule(threshold, threshold)
    if fmr is not None and calibration is None:
        raise KnownError(
            "No threshold has this rate.", NOT_CALIBRATED, "Give --threshold, or calibrate it: `facegui calibrate`."
        )
    return rule_for(calibration, fmr if fmr is not None else default_fmr)


def face_document(face: Face, frame: Frame) -> dict[str, Any]:
    """Return a face as plain values, in pixels of the upright original."""
    original = face.detection.scaled(1 / frame.scale)
    box = original.box
    quality = asdict(face.quality)
    quality["reasons"] = [reason.value for reason in face.quality.reasons]
    points = face.points
    pose = {name: round(getattr(face.quality, name), 1) for name in ("yaw", "pitch", "roll")}
    document: dict[str, Any] = plain(
        {
            "box": {name: round(getattr(box, name), 1) for name in ("x", "y", "width", "height")},
            "landmarks": [[round(x, 1), round(y, 1)] for x, y in original.landmarks.tolist()],
            "detector_score": round(face.detection.score, 4),
            "quality": {k: round(v, 4) if isinstance(v, float) else v for k, v in quality.items()},
            "pose": {**pose, "points": POINTS if points else len(face.detection.landmarks)},
            "eyes_open": {"right": round(points.right_eye, 3), "left": round(points.left_eye, 3)} if points else None,
            "mouth_open": round(points.mouth, 3) if points else None,
        }
    )
    return document


def seen_document(seen: Seen) -> dict[str, Any]:
    """Return the face of a photo as plain values."""
    return {"path": seen.path, **face_document(seen.face, seen.frame), "faces_in_photo": seen.faces_in_photo}


def times(*timings: Timings) -> dict[str, float]:
    """Return the milliseconds of each step, added up."""
    return {name: round(sum(getattr(t, name) for t in timings), 2) for name in ("decode", "detect", "align", "embed")}


def steps(milliseconds: Mapping[str, float]) -> str:
    """Return the times in one line."""
    parts = ", ".join(f"{name} {value:.0f}" for name, value in milliseconds.items())
    return f"{sum(milliseconds.values()):.0f} ms ({parts})"


def meaning_document(similarity: float, rule: Rule | None, calibration: Calibration | None) -> dict[str, Any]:
    """Return what a similarity and the threshold mean; None where nobody knows."""
    at = calibration.fmr_at(rule.threshold) if calibration and rule else None
    own = calibration.fmr_at(similarity) if calibration else None
    document = {
        "threshold": rule.threshold if rule else None,
        "unsure_from": rule.unsure_low if rule else None,
        "fmr": at.value if at else None,
        "fmr_low": at.low if at else None,
        "fmr_high": at.high if at else None,
        "fmr_supported": calibration.supports(at.value) if calibration and at else None,
        "fmr_at_similarity": {"value": own.value, "low": own.low, "high": own.high} if own else None,
        "probability": calibration.probability(similarity) if calibration else None,
    }
    rounded: dict[str, Any] = _rounded(document)
    return rounded


def _rounded(value: Any) -> Any:
    """Return a value without the digits that binary arithmetic adds."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def mark(outcome: Outcome) -> Text:
    """Return a decision by shape, word and colour."""
    words, colour = MARKS[outcome.value]
    return Text(words, style=f"bold {colour}")


def similarity_text(similarity: float, rule: Rule | None = None) -> str:
    """Return a similarity; with a third decimal where two would hide on which side of the rule it lies."""
    near = rule is not None and min(abs(similarity - rule.threshold), abs(similarity - rule.unsure_low)) < _CLOSE
    return format_similarity(similarity, 3 if near else 2)


def sentences(similarity: float, rule: Rule | None, calibration: Calibration | None) -> list[str]:
    """Return what a similarity means, one sentence per line."""
    words = explain(similarity, rule, calibration)
    return [line for line in (words.meaning, words.rate, words.probability, words.caveat) if line]


def face_table(seen: Sequence[Seen]) -> Any:
    """Return what there is to know about the faces that were compared."""
    rows = [
        (
            shown(item.path),
            f"{item.face.detection.box.width / item.frame.scale:.0f} px",
            f"{item.face.quality.score:.2f}",
            ", ".join(reason.value for reason in item.face.quality.reasons) or "good",
            f"1 of {item.faces_in_photo}" if item.faces_in_photo > 1 else "the only one",
        )
        for item in seen
    ]
    return table("Photo", "Face", "Quality", "Remarks", "Faces", rows=rows, right=(1, 2))


def person_named(services: Services, name: str) -> PersonRecord:
    """Return the enrolled person of that name.

    Raises
    ------
    KnownError
        Nobody is called so; near names are suggested.
    """
    from difflib import get_close_matches

    found = services.gallery.person_named(name)
    if found is not None:
        return found
    names = {person.name.casefold(): person.name for person in services.gallery.people()}
    near = [names[key] for key in get_close_matches(name.casefold(), list(names), n=3)]
    why = f"Did you mean {' or '.join(near)}?" if near else f"{len(names):,} people are enrolled."
    raise KnownError(f"Nobody called {name} is enrolled.", why, "See `facegui people list`.")
