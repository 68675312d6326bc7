"""The guided mode of the camera side: one sentence at a time, each pose taken by itself, the self-check at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from facegui.faces.guide import GuidePose, Taken
from facegui.faces.types import Face, Frame, Photo
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.enroll_guide import (
    GuideAnalysis,
    GuidePhoto,
    ask_words,
    check_words,
    guide_marks,
    guide_sentence,
    pose_name,
)
from facegui.gui.pages.enroll_reading import Sample, without_pixels
from facegui.gui.widgets.camera_view import CameraView
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.guide_oval import GuideOval
from facegui.gui.widgets.parts import button, column, label, row
from facegui.gui.widgets.photo_marks import marks_of
from facegui.services.live_enrol import self_check
from facegui.services.values import EnrolSample
from facegui.sources.camera import FeedState

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["GuidedPanel"]


class GuidedPanel(QWidget):
    """Sentence, the five poses, and what the user may do.

    Signals
    -------
    chosen(Sample)
        A picture was taken; one with a number that is known replaces the older.
    dropped(int)
        The picture of this number was let go.
    left_out(tuple of Sample)
        The guide was cancelled with these pictures, which were dropped.
    ended
        The guide is over.
    filled(tuple of Face)
        All samples of the guide are chosen.
    checked(str)
        The self-check in one line.
    """

    chosen = Signal(object)
    dropped = Signal(int)
    left_out = Signal(object)
    ended = Signal()
    filled = Signal(object)
    checked = Signal(str)

    def __init__(self, services: Services, bridge: Bridge, numbers: Callable[[], int], camera: CameraView) -> None:
        super().__init__()
        self._services, self._bridge, self._next, self._camera = services, bridge, numbers, camera
        self._analysis: GuideAnalysis | None = None
        self._samples: dict[GuidePose, Sample] = {}
        self._skipped: set[GuidePose] = set()
        self._mirrored = False
        self.oval = GuideOval(camera.view)
        self.sentence = label("", "title", wrap=True)
        self.poses = {pose: Chip(pose_name(pose)) for pose in GuidePose}
        for pose, chip in self.poses.items():
            chip.clicked.connect(lambda _checked=False, pose=pose: self.retake(pose))
        self.cancel_button = button(self.tr("Cancel"), self.cancel, tip=self.tr("Leave out what was taken (Esc)"))
        self.skip_button = button(self.tr("Skip this pose"), self.skip)
        self.finish_button = button(self.tr("Finish"), self.finish, role="primary")
        chips = row(*self.poses.values(), None, gap="half")
        actions = row(self.cancel_button, None, self.skip_button, self.finish_button)
        layout = column(self.sentence, gap="half")
        layout.addStretch(1)
        layout.addLayout(chips)
        layout.addLayout(actions)
        self.setLayout(layout)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        camera.frameAnalysed.connect(self._analysed)
        camera.stateChanged.connect(self._camera_changed)

    @property
    def active(self) -> bool:
        """Tell whether the guide is under way."""
        return self._analysis is not None

    @property
    def wanted(self) -> GuidePose | None:
        """The pose that is asked for."""
        return next((pose for pose in GuidePose if pose not in self._samples and pose not in self._skipped), None)

    def begin(self, *, mirrored: bool) -> None:
        """Start anew with the source that is open."""
        self._analysis = GuideAnalysis(self._services)
        self._samples, self._skipped, self._mirrored = {}, set(), mirrored
        self._camera.set_analyser(self._analysis, guide_marks)
        self._camera.set_analysing(True)
        self.oval.show()
        self._say(ask_words(GuidePose.FRONTAL))
        self._show()
        self.setFocus()

    def _analysed(self, photo: Photo) -> None:
        if self._analysis is None or not isinstance(photo, GuidePhoto):
            return
        # A frame that was under way when a pose was let go still holds its old picture.
        if photo.view is not None and photo.round == self._analysis.round:
            for taken in photo.view.taken:
                self._take(taken)
        wanted = self.wanted
        if wanted is None:
            self.finish()
        else:
            self._say(guide_sentence(photo, wanted))

    def _camera_changed(self, _state: str) -> None:
        wanted = self.wanted
        if not self.active or wanted is None:
            return
        if self._camera.state is FeedState.LIVE:
            self._say(ask_words(wanted))
        else:
            self._say(self.tr("The camera does not answer. What was taken is kept; the guide goes on when it is back."))

    def _take(self, taken: Taken) -> None:
        if taken.pose in self._samples:
            return
        sample = self._sample(taken.face, taken.frame, pose_name(taken.pose))
        self._samples[taken.pose] = sample
        self._skipped.discard(taken.pose)
        self.chosen.emit(sample)
        self._show()

    def _sample(self, face: Face, frame: Frame, title: str) -> Sample:
        return Sample(self._next(), title, face, without_pixels(frame))

    # --- what the user does ---------------------------------------------------------------------------------

    def skip(self) -> None:
        """Go on without this pose; without the frontal picture there are no others."""
        wanted = self.wanted
        if wanted is None or wanted is GuidePose.FRONTAL:
            return
        self._skipped.add(wanted)
        self._show()
        following = self.wanted
        if following is None:
            self.finish()
        else:
            self._say(ask_words(following))

    def retake(self, pose: GuidePose) -> None:
        """Take a pose once more, or ask for one that was skipped; all angles count from the frontal picture."""
        if self._analysis is None:
            return
        self._skipped.discard(pose)
        if pose in self._samples:
            analysis = self._analysis
            # The lock may be held while a frame is looked at: wait for it elsewhere.
            self._bridge.run(self, lambda: analysis.retake(pose), lambda _none: self._let_go(pose), lane="analyse")
        self._show()

    def _let_go(self, pose: GuidePose) -> None:
        for gone in list(GuidePose) if pose is GuidePose.FRONTAL else [pose]:
            known = self._samples.pop(gone, None)
            if known is not None:
                self.dropped.emit(known.number)
        self._show()
        wanted = self.wanted
        if self.active and wanted is not None:
            self._say(ask_words(wanted))

    def cancel(self) -> None:
        """End, and leave out what was taken."""
        if not self.active:
            return
        samples = tuple(self._samples.values())
        for sample in samples:
            self.dropped.emit(sample.number)
        self._samples = {}
        self.stop()
        if samples:
            self.left_out.emit(samples)

    def stop(self) -> None:
        """End and keep what was taken."""
        if self.active:
            self._analysis = None
            self._camera.set_analyser(self._services.analyse_live, marks_of)
            self.oval.hide()
            self.ended.emit()

    def finish(self) -> None:
        """End; fill up with other good pictures, and say how well the samples fit together."""
        analysis = self._analysis
        if analysis is None:
            return
        own = list(self._samples.values())
        self.stop()
        self._bridge.run(self, analysis.samples, lambda found: self._fill(own, found), lane="analyse", newest="fill")

    def _fill(self, own: list[Sample], found: tuple[EnrolSample, ...]) -> None:
        known = {id(sample.face) for sample in own}
        for item in found:
            if id(item.face) in known:
                continue
            sample = self._sample(item.face, item.frame, self.tr("Another view"))
            own.append(sample)
            self.chosen.emit(sample)
        self.filled.emit(tuple(sample.face for sample in own))

    def check(self, name: str, faces: tuple[Face, ...]) -> None:
        """Compare samples with each other and with everybody else; the answer comes by `checked`."""
        if faces:
            self._bridge.run(
                self, lambda: self_check(self._services, name, faces),
                lambda found: self.checked.emit(check_words(found, len(faces))), newest="check",
            )  # fmt: skip

    # --- what is shown --------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        if text != self.sentence.text():
            self.sentence.setText(text)
            self.setAccessibleName(text)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _show(self) -> None:
        wanted = self.wanted
        for pose, chip in self.poses.items():
            taken = pose in self._samples
            state = self.tr("taken") if taken else self.tr("skipped") if pose in self._skipped else self.tr("open")
            theme.set_icon(chip, "check" if taken else "minus" if pose in self._skipped else "dot", "muted")
            chip.setAccessibleName(f"{pose_name(pose)}, {state}")
            chip.setToolTip(self.tr("Take it once more") if taken else state)
            chip.setEnabled(taken or pose in self._skipped)
        self.skip_button.setEnabled(wanted is not None and wanted is not GuidePose.FRONTAL)
        self.finish_button.setEnabled(bool(self._samples))
        self.oval.show_poses(tuple(self._samples), wanted, mirrored=self._mirrored)
