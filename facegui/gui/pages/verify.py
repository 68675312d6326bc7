"""The Verify page: is this really her? A claim, a face, the score between them, and the reasons."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QBoxLayout, QFileDialog, QLineEdit

from facegui.errors import KnownError
from facegui.faces.types import Face, Frame, Photo
from facegui.gallery.records import DecisionRecord, PersonRecord
from facegui.gui import theme
from facegui.gui.pages import verify_words as words
from facegui.gui.pages.page import Page, State
from facegui.gui.pages.verify_asking import Answer, Question, Recorded, Settling, ask, together
from facegui.gui.pages.verify_claim import ClaimSide
from facegui.gui.pages.verify_evidence import HISTORY_LENGTH, Evidence
from facegui.gui.pages.verify_photo import shown_of
from facegui.gui.pages.verify_probe import VIDEO_SUFFIXES, ProbeSide
from facegui.gui.widgets.drop_overlay import Dropped
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import card, column, row, tool_button
from facegui.gui.widgets.score_scale import ScoreScale
from facegui.matching.decision import Outcome, decide

__all__ = ["VerifyPage"]

# Of a live source, the inspector and the nearest sample do not change more often than this.
_EVIDENCE_SECONDS = 0.5
_NEAREST_SECONDS = 1.0


class VerifyPage(Page):
    """Left the claim, right the face to check, below both the aligned crops, the scale and the sentence."""

    name: ClassVar[str] = "verify"
    icon: ClassVar[str] = "verify"

    @property
    def title(self) -> str:
        return self.tr("Verify")

    def build(self) -> None:
        self._answer: Answer | None = None
        self._task: Any = None
        self._live_task: Any = None
        self._held = False
        self._first = True
        self._locked_gallery = False
        self._wanted: int | None = None
        self._calibrated: tuple[object, ...] = ()
        self._evidence_at = self._nearest_at = 0.0
        self._settling, self._recorded = Settling(), Recorded()
        self.claim = ClaimSide(self.services, self.bridge)
        self.probe = ProbeSide(self.services, self.bridge)
        self.scale = ScoreScale()
        self.sentence = ElidedLabel("heading", snug=True)
        self.advice = ElidedLabel("warning")
        self.swap = tool_button("swap", self.tr("Swap both sides"), self.swap_sides)
        self.primary_action = QAction(self)
        self.primary_action.triggered.connect(self._primary)
        self.inspector = InspectorPanel()
        self.evidence = Evidence(self.inspector, self.services)
        self._lay_out()
        self._connect()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._use_calibration()
        self._show_action()
        self._show(None)

    def _lay_out(self) -> None:
        self._middle = column(None, self.swap, None)
        sides = row(gap="unit")
        sides.addWidget(self.claim, 1)
        sides.addLayout(self._middle)
        sides.addWidget(self.probe, 1)
        self._card = card(margin="unit", gap="half")
        body = self._card.layout()
        assert isinstance(body, QBoxLayout)
        said = row(gap="unit")
        said.addWidget(self.sentence)
        said.addWidget(self.advice, 1)
        self.advice.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        body.addLayout(said)
        body.addWidget(self.scale)
        layout = column(gap="unit")
        layout.addLayout(sides, 1)
        layout.addWidget(self._card)
        self.content.setLayout(layout)

    def _connect(self) -> None:
        for side in (self.claim, self.probe):
            side.changed.connect(self._ask)
            side.openWanted.connect(partial(self._choose_photo, side))
            side.photo.dropped.connect(partial(self._dropped, side))
            side.photo.workingChanged.connect(self._show_working)
        self.claim.portrait.dropped.connect(partial(self._dropped, self.claim))
        self.claim.enrollWanted.connect(lambda: self.navigate.emit("enroll", None))
        self.probe.camera.view.dropped.connect(partial(self._dropped, self.probe))
        self.probe.frameAnalysed.connect(self._frame)
        self.probe.stateChanged.connect(self._camera_changed)
        self.scale.thresholdChanged.connect(self._redecide)

    # --- what the window calls ----------------------------------------------------------------------------

    def activate(self) -> None:
        if self._first:
            self._read_people()
            self._read_history()
        self.probe.resume()

    def deactivate(self) -> None:
        self.probe.pause()

    def refresh(self) -> None:
        self._use_calibration()
        self.evidence.show_program()
        self._read_people()
        self._ask()

    def open_files(self, paths: Sequence[Path]) -> None:
        videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES]
        photos = [path for path in paths if path not in videos and not path.is_dir()]
        if videos:
            self.probe.open_video(videos[0])
        elif not photos:
            self.show_error(KnownError(
                self.tr("A folder cannot be compared."), "", self.tr("Drop one photo or two, or open Lookalikes."),
            ))  # fmt: skip
        if len(photos) >= 2 and not videos:
            self._load(self.claim, photos[0])
            self._load(self.probe, photos[1])
            if len(photos) > 2:
                self.show_error(KnownError(
                    self.tr("Only the first two of {0} photos were taken.").format(len(photos)), "",
                    self.tr("Drop a photo on a side to compare it."),
                ))  # fmt: skip
        elif photos:
            self._load(self.claim if videos else self._free_side(), photos[0])

    def paste(self, image: QImage) -> None:
        self._load(self._free_side(), image)

    def receive(self, value: object) -> None:
        if isinstance(value, PersonRecord):
            value = value.id
        if isinstance(value, int):
            self._wanted = value
            self.claim.choose(value)
        elif isinstance(value, Path):
            self.open_files([value])
        elif isinstance(value, Photo):
            self.probe.show_photo(shown_of(value, self.services.settings.face_policy))
        elif isinstance(value, Frame):
            self.probe.set_kind("photo")
            self.probe.photo.load_frame(value)
        elif isinstance(value, Sequence):
            self.open_files([path for path in value if isinstance(path, Path)])

    def shortcuts(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Click, ← →"), self.tr("Choose the face that counts")),
            ("← →, Home", self.tr("Move the threshold, put it back")),
        ]

    # --- asking -------------------------------------------------------------------------------------------

    def _question(self, probe: Face | None, frame: Frame | None, live: Photo | None) -> Question | None:
        """Return what is to be compared now; None while something is missing."""
        if probe is None or frame is None:
            return None
        timings = live.timings if live is not None else self.probe.photo.timings
        source = frame.source
        if self.claim.kind == "photo":
            face = self.claim.photo.face
            if face is None:
                return None
            if live is None:
                timings = together(self.claim.photo.timings, timings)
            return Question(probe, face, None, timings, source, self.claim.photo.source)
        person = self.claim.person
        return Question(probe, None, person.id if person else None, timings, source)

    def _ask(self) -> None:
        """Something on one of the sides is another one now: compare anew."""
        if self._held:
            return
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._settling.reset()
        self._show(None)
        self._show_action()
        if not self.probe.live:
            shown = self.probe.photo.shown
            question = self._question(self.probe.face, shown.photo.frame if shown else None, None)
            if question is None:
                self.claim.suggest(None, matches=False)
            else:
                self._task = self.bridge.run(
                    self, partial(ask, self.services, question), self._answered, self._refused, lane="analyse",
                    newest="ask",
                )  # fmt: skip
        self._show_working()
        self._read_history()

    def _answered(self, answer: Answer) -> None:
        self._task = None
        self._show_working()
        self._take(answer)
        if answer.comparison is not None and self._recorded.is_new(answer.question, answer.comparison.similarity):
            self._record(answer)

    def _refused(self, error: Exception) -> None:
        self._task = self._live_task = None
        self._show_working()
        if isinstance(error, KnownError) and self.claim.person is not None:
            self.claim.set_problem(str(error))
        else:
            self.show_error(error)

    def _frame(self, photo: Photo) -> None:
        """Compare the newest frame of the live source."""
        now = time.monotonic()
        face = photo.faces[0] if photo.faces else None
        if face is None:
            lost = self._settling.lost(now)
            self._settling.add(None, now)
            self.probe.add_score(None, now)
            self.probe.show_live(None, lost)
            if lost and self._answer is not None:
                self._show(None)
            return
        self.probe.show_live(face, lost=False)
        question = self._question(face, photo.frame, photo)
        if question is None or self._live_task is not None or self.claim.problem:
            return
        self._live_task = self.bridge.run(
            self, partial(ask, self.services, question), self._live_answered, self._refused, lane="live"
        )

    def _live_answered(self, answer: Answer) -> None:
        self._live_task = None
        question = answer.question
        person = self.claim.person
        claim = self.claim.photo.face if self.claim.kind == "photo" else None
        if not self.probe.live or question.claim is not claim or question.person_id != (person.id if person else None):
            return
        self._take(answer)
        if answer.comparison is None:
            return
        now = time.monotonic()
        self.probe.add_score(answer.comparison.similarity, now)
        if self._settling.add(self.outcome, now):
            self._record(answer)

    # --- showing ------------------------------------------------------------------------------------------

    @property
    def outcome(self) -> Outcome | None:
        """The decision on what is shown; None while nothing is compared or the model is not calibrated."""
        comparison = self._answer.comparison if self._answer is not None else None
        if comparison is None or self.scale.rule is None:
            return None
        return decide(comparison.similarity, self.scale.rule)

    def _take(self, answer: Answer) -> None:
        if answer.comparison is not None:
            self._show_nearest(answer.comparison.best_sample_face_id)
        self._show(answer)

    def _show_nearest(self, face_id: int | None) -> None:
        """Show the crop of the nearest sample; live, not another one several times a second."""
        now = time.monotonic()
        if not self.probe.live or now - self._nearest_at >= _NEAREST_SECONDS:
            self._nearest_at = now
            self.claim.show_nearest(face_id)

    def _nearest_outcome(self) -> Outcome | None:
        """Return how the person who looks most like the face would be decided on."""
        nearest, rule = self._answer.nearest if self._answer is not None else None, self.scale.rule
        return decide(nearest.similarity, rule) if nearest is not None and rule is not None else None

    def _suggest(self) -> None:
        nearest = self._answer.nearest if self._answer is not None else None
        self.claim.suggest(nearest, self._nearest_outcome() is not Outcome.NO_MATCH)

    def _show(self, answer: Answer | None) -> None:
        """Put an answer, or none, where answers stand."""
        self._answer = answer
        if answer is not None and answer.comparison is None:
            self._suggest()
        self.scale.set_similarity(answer.comparison.similarity if answer and answer.comparison else None)
        self._decided(force=not self.probe.live)

    def _redecide(self, _threshold: float) -> None:
        """The threshold moved: decide again on what is known."""
        self.probe.set_rule(self.scale.rule)
        if self._answer is not None and self._answer.comparison is None:
            self._suggest()
        self._decided(force=True)

    def _decided(self, *, force: bool) -> None:
        comparison = self._answer.comparison if self._answer is not None else None
        outcome, live = self.outcome, self.probe.live
        self.claim.set_outcome(outcome)
        self.probe.set_outcome(outcome)
        if comparison is None:
            said = words.nearest(self._answer.nearest, self._nearest_outcome()) if self._answer is not None else ""
            self.sentence.show_text(said or words.missing(
                self.claim.complete, self.probe.face is not None, self.claim.kind == "person", live))  # fmt: skip
            self.advice.show_text("")
        else:
            self.sentence.show_text(words.sentence(comparison, outcome))
            self.advice.show_text(words.advice(comparison, outcome, live))
        now = time.monotonic()
        if force or comparison is None or now - self._evidence_at >= _EVIDENCE_SECONDS:
            self._evidence_at = now
            sample = self.claim.nearest_sample
            self.evidence.show_comparison(comparison, self.scale.rule, sample.quality if sample else None)
            self.evidence.show_program()

    def _show_working(self) -> None:
        working = self._task is not None or self.claim.photo.working or self.probe.photo.working
        wanted = State.READ_ONLY if self._locked_gallery else State.WORKING if working else State.READY
        if wanted is not self.state:
            self.set_state(wanted)

    def _show_action(self) -> None:
        """Say on the main button what comes next."""
        assert self.primary_action is not None
        if self.probe.frozen:
            text, tip = self.tr("Back to live"), self.tr("Esc")
        elif self.probe.live:
            text, tip = self.tr("Take the frame"), self.tr("Space")
        else:
            text, tip = self.tr("Open photos"), self.tr("Ctrl+O")
        self.primary_action.setText(text)
        self.primary_action.setToolTip(tip)
        both = self.claim.kind == "photo" and not self.probe.live
        self.swap.setEnabled(both and (self.claim.photo.shown is not None or self.probe.photo.shown is not None))

    def _primary(self) -> None:
        if self.probe.frozen:
            self.probe.go_live()
        elif self.probe.live:
            self.probe.take()
        else:
            self.choose_files()

    def _camera_changed(self) -> None:
        self._settling.reset()
        if self.probe.live and not isinstance(QApplication.focusWidget(), QLineEdit):
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # so that Space takes the frame
        self._show(None)
        self._show_action()

    # --- pictures -----------------------------------------------------------------------------------------

    def swap_sides(self) -> None:
        """Exchange the two photos; the score stays the same and is not written down again."""
        left, right = self.claim.photo.shown, self.probe.photo.shown
        self._held = True
        try:
            self.claim.photo.show_photo(right)
            self.probe.show_photo(left)
        finally:
            self._held = False
        self._ask()

    def _free_side(self) -> ClaimSide | ProbeSide:
        """Return the side that a single photo belongs to: the empty left one, else the right one."""
        return self.claim if self.claim.kind == "photo" and self.claim.photo.shown is None else self.probe

    def _load(self, side: ClaimSide | ProbeSide, photo: Path | QImage) -> None:
        self.clear_error()
        if side.kind != "photo":
            side.set_kind("photo")
            self._ask()
        if isinstance(photo, Path):
            side.photo.load(photo)
        else:
            side.photo.load_image(photo, self.tr("Pasted picture"))

    def _dropped(self, side: ClaimSide | ProbeSide, dropped: Dropped) -> None:
        if len(dropped.paths) == 1 and dropped.paths[0].suffix.lower() not in VIDEO_SUFFIXES:
            if dropped.paths[0].is_dir():
                self.open_files(dropped.paths)
            else:
                self._load(side, dropped.paths[0])
        elif dropped.paths:
            self.open_files(dropped.paths)
        elif dropped.image is not None:
            self._load(side, dropped.image)

    def _choose_photo(self, side: ClaimSide | ProbeSide) -> None:
        dialog = QFileDialog(self, self.tr("Open a photo"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self._load(side, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # --- gallery ------------------------------------------------------------------------------------------

    def _use_calibration(self) -> None:
        """Take the calibration of the model in use; a threshold that was dragged stays while it is the same."""
        calibration, target = self.services.calibration, self.services.settings.target_fmr
        key = (self.services.model.id, calibration, target)
        if key != self._calibrated:
            self._calibrated = key
            self.scale.set_calibration(calibration, target)
            self.probe.set_rule(self.scale.rule)

    def _read_people(self) -> None:
        def work() -> tuple[list[PersonRecord], bool]:
            gallery = self.services.gallery
            return gallery.people(), gallery.read_only

        self.bridge.run(self, work, self._people_read, newest="people")

    def _people_read(self, found: tuple[list[PersonRecord], bool]) -> None:
        people, self._locked_gallery = found
        untouched = self.claim.kind == "person" and self.claim.person is None
        self.claim.set_people(people)
        if self._first and not people and untouched:
            self.claim.set_kind("photo")
        self._first = False
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self.claim.choose(wanted)
        self._show_working()
        if self._answer is None:
            self._ask()

    def _record(self, answer: Answer) -> None:
        """Write a decision into the history."""
        rule, comparison, question = self.scale.rule, answer.comparison, answer.question
        if rule is None or comparison is None or self._locked_gallery or not self.services.settings.keep_history:
            return
        outcome = decide(comparison.similarity, rule)
        self.bridge.run(
            self,
            lambda: self.services.record(comparison, outcome, rule, question.probe_source, question.claim_source),
            lambda _id: self._read_history(),
            lane="write",
        )

    def _read_history(self) -> None:
        person = self.claim.person

        def work() -> list[DecisionRecord]:
            return self.services.gallery.decisions(HISTORY_LENGTH, person.id if person else None)

        name = person.name if person else None
        self.bridge.run(self, work, lambda found: self.evidence.show_history(found, name), newest="history")

    # --- keys, size ---------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Space and self.probe.take():
            return
        if key == Qt.Key.Key_Escape and self._cancel():
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.claim.take_suggestion():
            return
        super().keyPressEvent(event)

    def _cancel(self) -> bool:
        """Let go of the latest thing: a photo that is being read, the taken frame, the camera."""
        if self.claim.photo.cancel() | self.probe.photo.cancel():
            return True
        if self.probe.frozen:
            self.probe.go_live()
        elif self.probe.live:
            self.probe.clear()
        else:
            return False
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Where the room is low, the crops stand beside the pictures, next to each other in the middle.
        unit, crop = theme.size("unit"), theme.size("crop")
        rest = self._card.sizeHint().height() + crop + theme.size("control") + 4 * unit
        low = self.height() - rest < 2 * theme.size("crop")
        direction = QBoxLayout.Direction
        self.claim.set_beside(direction.LeftToRight if low else direction.TopToBottom)
        self.probe.set_beside(direction.RightToLeft if low else direction.TopToBottom)
