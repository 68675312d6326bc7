"""The live session behind the Verify page: frames go in off the UI thread, what is known of each face comes out."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from facegui.faces.liveness import CueKind, CueState, LivenessReport, Verdict
from facegui.faces.liveness_challenge import Action, ChallengeState
from facegui.faces.types import Face, Frame, Outcome, Photo, Timings
from facegui.gui.widgets.photo_marks import FaceMark, reason_text
from facegui.matching.decision import Rule
from facegui.matching.fusion import Evidence
from facegui.matching.wording import format_similarity
from facegui.services.live import LiveSession
from facegui.services.live_values import LiveTrack, LiveView

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["LiveAnalysis", "LivePhoto", "cue_rows", "live_marks", "live_sentence"]


@dataclass(frozen=True, slots=True, eq=False)
class LivePhoto(Photo):
    """A frame with its visible faces that were looked at, the one in front first, and the session's view of it."""

    view: LiveView | None = None


class LiveAnalysis:
    """Steps the session of what is claimed now; `claim` and `again` come from the UI thread, frames from another."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._claim: tuple[int | None, Face | None] = (None, None)
        self._rule: Rule | None = None
        self._session: LiveSession | None = None

    def claim(self, person_id: int | None, reference: Face | None) -> None:
        """Ask about another person, another face, or (neither) about everybody; begins anew."""
        with self._lock:
            self._claim, self._session = (person_id, reference), None

    def again(self) -> None:
        """Begin anew with the same question."""
        self.claim(*self._claim)

    def use_rule(self, rule: Rule | None) -> None:
        """Decide at another threshold from the next frame on."""
        with self._lock:
            self._rule = rule
            if self._session is not None:
                self._session.rule = rule

    def __call__(self, frame: Frame) -> LivePhoto:
        """Analyse a frame."""
        with self._lock:
            person_id, reference = self._claim
            if self._session is None:
                self._session = LiveSession(
                    self._services, person_id=person_id, reference=reference, rule=self._rule
                )  # fmt: skip
            session = self._session
        view = session.step(frame)
        faces = tuple(shown.track.face for shown in view.faces if shown.track.face is not None)
        return LivePhoto(frame, faces, Timings(detect=view.milliseconds), view)


def live_marks(photo: Photo) -> tuple[FaceMark, ...]:
    """Return marks of the faces of a live frame: name, similarity with threshold, and how long each is there."""
    view = photo.view if isinstance(photo, LivePhoto) else None
    if view is None:
        return ()
    return tuple(_mark(shown, view) for shown in view.faces)


def _mark(shown: LiveTrack, view: LiveView) -> FaceMark:
    face = shown.track.face
    fresh = face is not None and shown.track.fresh
    poor = face is not None and bool(face.quality.reasons) and not shown.decided
    words = []
    if shown.candidate is not None and shown.fused.frames:
        words.append(f"{shown.candidate.name} {format_similarity(shown.candidate.similarity)}")
        if view.rule is not None:
            threshold = format_similarity(view.rule.threshold)
            words.append(QCoreApplication.translate("LiveMarks", "from {0}").format(threshold))
    words.append(QCoreApplication.translate("LiveMarks", "{0} s").format(round(shown.track.age)))
    return FaceMark(
        shown.track.detection.box,
        face.detection.landmarks if face is not None and fresh else None,
        caption=" · ".join(words),
        bad=reason_text(face.quality.reasons[0]) if face is not None and poor else "",
        outcome=shown.outcome if shown.decided else None,
    )


def live_sentence(shown: LiveTrack, report: LivenessReport | None) -> str:
    """Return what is said while a live question is open; empty once it is decided."""
    asked = _asked(report)
    if asked:
        return asked
    if report is not None and report.verdict is Verdict.ATTACK and shown.outcome is not Outcome.NO_MATCH:
        return QCoreApplication.translate("LiveWords", "No proof of a living person.")
    if shown.decided or shown.fused.state is not Evidence.MORE:
        return ""
    return QCoreApplication.translate("LiveWords", "Looking at this face…")


def _asked(report: LivenessReport | None) -> str:
    """Return the movement that is asked for."""
    if report is None or report.verdict is not Verdict.UNDECIDED or report.challenge is None:
        return ""
    view = report.challenge
    if view.state is ChallengeState.PASSED:
        return ""
    translate = QCoreApplication.translate
    if view.action is None:
        words = translate("LiveWords", "Look straight at the camera and hold still.")
    else:
        words = {
            Action.LEFT: translate("LiveWords", "Turn your head to your left."),
            Action.RIGHT: translate("LiveWords", "Turn your head to your right."),
            Action.UP: translate("LiveWords", "Lift your chin."),
            Action.DOWN: translate("LiveWords", "Lower your chin."),
            Action.BLINK: translate("LiveWords", "Close both eyes for a moment."),
            Action.MOUTH: translate("LiveWords", "Open your mouth wide."),
            Action.CLOSER: translate("LiveWords", "Come closer."),
            Action.FARTHER: translate("LiveWords", "Move back."),
        }[view.action]
    return translate("LiveWords", "{0} ({1} of {2})").format(words, min(view.done + 1, view.total), view.total)


_SIGNS = {CueState.LIVE: "✓", CueState.ATTACK: "✕", CueState.OPEN: "–"}


def cue_rows(report: LivenessReport | None) -> list[tuple[str, str] | tuple[str, str, str]]:
    """Return the cues as rows of the inspector: name, value with limit, and how it speaks."""
    translate = QCoreApplication.translate
    if report is None:
        return [("", translate("LiveCues", "Not measured yet."), "muted")]
    names = {
        CueKind.CHALLENGE: translate("LiveCues", "Movements"),
        CueKind.DEPTH: translate("LiveCues", "Depth"),
        CueKind.FROZEN: translate("LiveCues", "Standing still"),
        CueKind.MOIRE: translate("LiveCues", "Stripes"),
        CueKind.BORDER: translate("LiveCues", "Border"),
        CueKind.GLARE: translate("LiveCues", "Glare"),
        CueKind.COLOUR: translate("LiveCues", "Colours"),
        CueKind.MODEL: translate("LiveCues", "Network"),
    }
    role = {Verdict.LIVE: "good", Verdict.ATTACK: "problem", Verdict.UNDECIDED: "warning"}[report.verdict]
    word = {
        Verdict.LIVE: translate("LiveCues", "✓ live"),
        Verdict.ATTACK: translate("LiveCues", "✕ not shown"),
        Verdict.UNDECIDED: translate("LiveCues", "? open"),
    }[report.verdict]
    rows: list[tuple[str, str] | tuple[str, str, str]] = [
        (translate("LiveCues", "Verdict"), f"{word}\n{report.reason}", role)
    ]
    if report.challenge is not None:
        done = translate("LiveCues", "{0} of {1} done").format(report.challenge.done, report.challenge.total)
        rows.append((names[CueKind.CHALLENGE], done))
    for cue in report.cues:
        if cue.state is CueState.OPEN:
            rows.append((names[cue.kind], translate("LiveCues", "– not measured yet"), "muted"))
            continue
        side = translate("LiveCues", "at least {0}") if cue.above else translate("LiveCues", "below {0}")
        hint = "" if cue.strong else translate("LiveCues", " (a hint only)")
        words = f"{_SIGNS[cue.state]} {cue.value:.2f}, {side.format(f'{cue.limit:g}')}{hint}"
        failed = cue.state is CueState.ATTACK
        rows.append((names[cue.kind], words, "problem" if failed and cue.strong else "warning" if failed else ""))
    return rows
