"""Guided enrolment behind the Enroll page: frames go in off the UI thread, what was taken and what to ask comes out."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from facegui.faces.guide import GuideHint, GuidePose, GuideView
from facegui.faces.liveness import LivenessMode
from facegui.faces.types import Frame, Photo, Timings
from facegui.gui.pages.enroll_reading import without_pixels
from facegui.gui.widgets.photo_marks import FaceMark, marks_of, reason_advice, reason_text
from facegui.matching.wording import format_similarity
from facegui.services.live import LiveSession
from facegui.services.live_enrol import Collector, SelfCheck
from facegui.services.values import EnrolSample

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["GuideAnalysis", "GuidePhoto", "ask_words", "check_words", "guide_marks", "guide_sentence", "pose_name"]


@dataclass(frozen=True, slots=True, eq=False)
class GuidePhoto(Photo):
    """A frame and how far the enrolment is with it; `several` when more than one person is in front.

    `round` counts the poses that were let go: what was taken in an earlier round is out of date.
    """

    view: GuideView | None = None
    several: bool = False
    round: int = 0


class GuideAnalysis:
    """Steps one guided enrolment; frames come from a worker thread, everything else from the UI thread."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._session: LiveSession | None = None
        self._collector = Collector(services)
        self._round = 0

    @property
    def round(self) -> int:
        """How often a pose was let go."""
        return self._round

    def __call__(self, frame: Frame) -> GuidePhoto:
        """Analyse a frame."""
        with self._lock:
            if self._session is None:  # here, because it may have networks to load
                self._session = LiveSession(self._services, liveness=LivenessMode.OFF)
            live = self._session.step(frame)
            faces = tuple(shown.track.face for shown in live.faces if shown.track.face is not None)
            timings = Timings(detect=live.milliseconds)
            if self._collector.in_the_way(live):
                # Nothing is taken: the samples of one person shall not hold another's face.
                return GuidePhoto(
                    frame, faces, timings, self._collector.add(None, without_pixels(frame)), True, self._round
                )
            front = live.front
            if front is not None and not front.track.fresh:
                return GuidePhoto(frame, faces, timings)
            face = front.track.face if front is not None else None
            return GuidePhoto(
                frame, faces, timings, self._collector.add(face, without_pixels(frame)), round=self._round
            )

    def retake(self, pose: GuidePose) -> None:
        """Let the picture of a pose go."""
        with self._lock:
            self._collector.guide.retake(pose)
            self._round += 1

    def samples(self) -> tuple[EnrolSample, ...]:
        """Return the pictures of the poses, then those that differ most from them where poses are lacking."""
        with self._lock:
            return self._collector.samples(len(GuidePose))


def guide_marks(photo: Photo) -> tuple[FaceMark, ...]:
    """Return boxes only where several faces are in the way."""
    return marks_of(photo) if isinstance(photo, GuidePhoto) and photo.several else ()


def pose_name(pose: GuidePose) -> str:
    """Return the name of a pose."""
    return {
        GuidePose.FRONTAL: QCoreApplication.translate("Guide", "Straight"),
        GuidePose.LEFT: QCoreApplication.translate("Guide", "Left"),
        GuidePose.RIGHT: QCoreApplication.translate("Guide", "Right"),
        GuidePose.UP: QCoreApplication.translate("Guide", "Up"),
        GuidePose.DOWN: QCoreApplication.translate("Guide", "Down"),
    }[pose]


def ask_words(pose: GuidePose) -> str:
    """Return the sentence that asks for a pose."""
    return {
        GuidePose.FRONTAL: QCoreApplication.translate("Guide", "Look straight at the camera."),
        GuidePose.LEFT: QCoreApplication.translate("Guide", "Turn your head a little to your left."),
        GuidePose.RIGHT: QCoreApplication.translate("Guide", "Turn your head a little to your right."),
        GuidePose.UP: QCoreApplication.translate("Guide", "Lift your chin a little."),
        GuidePose.DOWN: QCoreApplication.translate("Guide", "Lower your chin a little."),
    }[pose]


def guide_sentence(photo: GuidePhoto, wanted: GuidePose) -> str:
    """Return the one thing to do now: what is in the way first, then the pose."""
    translate = QCoreApplication.translate
    view = photo.view
    if photo.several:
        return translate("Guide", "Several faces. Only one person may be near the camera.")
    if view is None:
        return ask_words(wanted)
    if view.hint is GuideHint.POOR:
        if not view.reasons:
            return translate("Guide", "This picture is not good enough. Hold still, in even light.")
        text = reason_text(view.reasons[0])
        return f"{text[:1].upper()}{text[1:]}. {reason_advice(view.reasons[0])}"
    return {
        GuideHint.NO_FACE: translate("Guide", "No face found. Look towards the camera."),
        GuideHint.ANOTHER: translate("Guide", "This is another face. The person who began must go on."),
        GuideHint.TOO_FAR: translate("Guide", "Turned too far. Come back a little."),
        GuideHint.HOLD: translate("Guide", "Hold still."),
    }.get(view.hint, ask_words(wanted))


def check_words(check: SelfCheck, count: int) -> str:
    """Return the self-check in one line."""
    translate = QCoreApplication.translate
    if count > 1:
        words = translate("Guide", "They match each other with {0} and more").format(format_similarity(check.lowest))
    else:
        words = translate("Guide", "One picture, so there is nothing to match it with")
    if not check.nearest:
        return translate("Guide", "{0}; nobody else is enrolled.").format(words)
    near = format_similarity(check.nearest_similarity)
    return translate("Guide", "{0}; the nearest other person, {1}, reaches {2}.").format(words, check.nearest, near)
