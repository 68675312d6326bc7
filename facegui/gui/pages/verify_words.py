"""The sentence under the faces, and the one line of advice beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from facegui.faces.types import QualityReason
from facegui.gui.widgets.photo_marks import reason_advice, reason_text
from facegui.matching.decision import Outcome

if TYPE_CHECKING:
    from facegui.services import Candidate, Comparison

__all__ = ["advice", "missing", "nearest", "photo_advice", "sentence"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("VerifyWords", text)


def sentence(comparison: Comparison, outcome: Outcome | None) -> str:
    """Return the decision on a comparison as a sentence; no decision without a calibration."""
    name = comparison.person_name
    if outcome is None:
        return _tr("Not calibrated: a score, but no decision.")
    if name is None:
        return {
            Outcome.MATCH: _tr("These two faces match."),
            Outcome.UNSURE: _tr("These two may or may not be the same person."),
            Outcome.NO_MATCH: _tr("These two faces do not match."),
        }[outcome]
    return {
        Outcome.MATCH: _tr("This face matches {0}."),
        Outcome.UNSURE: _tr("This may or may not be {0}."),
        Outcome.NO_MATCH: _tr("This face does not match {0}."),
    }[outcome].format(name)


def nearest(candidate: Candidate | None, outcome: Outcome | None) -> str:
    """Return what is said of the most similar person while none is chosen; nobody enrolled: empty."""
    if candidate is None:
        return ""
    if outcome is Outcome.NO_MATCH:
        return _tr("Nobody enrolled matches this face.")
    return _tr("Looks most like {0}. Click the name to compare.").format(candidate.name)


def missing(has_claim: bool, has_probe: bool, person: bool, camera: bool, live: bool) -> str:
    """Return what is still needed before anything can be compared.

    Parameters
    ----------
    has_claim, has_probe : bool
        What is there already.
    person, camera : bool
        Whether the left side takes a person, and the right side a camera, instead of a photo.
    live : bool
        Whether the camera runs.
    """
    if live:
        return _tr("Waiting for a face in view.") if has_claim else _tr("Choose a person or a photo on the left.")
    if not has_claim and not has_probe:
        return _tr("Choose a person, then show a face.") if person else _tr("Two photos: is it the same person?")
    if not has_claim:
        return _tr("Choose a person on the left.") if person else _tr("Add a photo on the left.")
    return _tr("Start the camera on the right.") if camera else _tr("Add a photo on the right, or use the camera.")


def advice(comparison: Comparison, outcome: Outcome | None, live: bool) -> str:
    """Return what would make the answer more certain; empty when nothing is wrong."""
    faces = [(_tr("Right"), comparison.right)]
    if comparison.left is not None:
        faces.insert(0, (_tr("Left"), comparison.left))
    turned = [face for _side, face in faces if QualityReason.TURNED in face.quality.reasons]
    if turned and comparison.calibration is not None:
        return _tr("Turned away: the threshold was measured on frontal faces.")
    bad = [(side, face) for side, face in faces if face.quality.reasons]
    if bad:
        side, face = min(bad, key=lambda entry: entry[1].quality.score)
        reason = face.quality.reasons[0]
        if live:
            return f"{_capital(reason_text(reason))}. {reason_advice(reason)}"
        return f"{side}: {reason_text(reason)}. {photo_advice(reason)}"
    if outcome is Outcome.UNSURE:
        return _tr("Look straight at the camera, in even light.") if live else _tr("Try another photo of either face.")
    return ""


def photo_advice(reason: QualityReason) -> str:
    """Return which photo would do better than one with this fault."""
    return {
        QualityReason.TOO_SMALL: _tr("Use a larger photo."),
        QualityReason.EYES_TOO_NEAR: _tr("Use a larger photo."),
        QualityReason.BLURRED: _tr("Use a sharper photo."),
        QualityReason.DARK: _tr("Use a brighter photo."),
        QualityReason.OVEREXPOSED: _tr("Use a photo in softer light."),
        QualityReason.TURNED: _tr("Use a photo that looks at the camera."),
        QualityReason.PARTLY_OUTSIDE: _tr("Use a photo that shows the whole face."),
        QualityReason.UNCLEAR: _tr("Use a photo that shows the face more clearly."),
        QualityReason.COVERED: _tr("Use a photo with nothing before the face."),
        QualityReason.EYES_CLOSED: _tr("Use a photo with open eyes."),
        QualityReason.MOUTH_OPEN: _tr("Use a photo with the mouth closed."),
    }.get(reason, "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
