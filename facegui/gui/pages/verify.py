"""The Verify page: is this really her? A claim, a face, the score between them, and the reasons."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QBoxLayout, QLineEdit

from facegui.errors import KnownError
from facegui.faces.types import Frame, Photo
from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.pages import verify_words as words
from facegui.gui.pages.page import Page, State
from facegui.gui.pages.verify_asking import Answer, together
from facegui.gui.pages.verify_claim import ClaimSide
from facegui.gui.pages.verify_comparing import Comparing
from facegui.gui.pages.verify_evidence import Evidence
from facegui.gui.pages.verify_intake import Intake
from facegui.gui.pages.verify_kiosk import Kiosk
from facegui.gui.pages.verify_live import LiveComparison
from facegui.gui.pages.verify_photo import shown_of
from facegui.gui.pages.verify_probe import ProbeSide
from facegui.gui.pages.verify_reading import Reading
from facegui.gui.pages.verify_result import ResultCard
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import column, row, tool_button
from facegui.matching.decision import Outcome

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
        self._held = False
        self._first = True
        self._failed = False
        self._wanted: int | None = None
        self._evidence_at = self._nearest_at = 0.0
        self.claim = ClaimSide(self.services, self.bridge)
        self.probe = ProbeSide(self.services, self.bridge)
        self.comparing = Comparing(self.services, self.bridge, self)
        self.intake = Intake(self.claim, self.probe, self)
        self.result = ResultCard()
        self.live = LiveComparison(self.services, self.claim, self.probe, self.comparing, self.result, self)
        self.swap = tool_button("swap", self.tr("Swap both sides"), self.swap_sides)
        self.kiosk: Kiosk | None = None
        self.full = tool_button("full-screen", self.tr("Full screen (F11)"), self.open_kiosk)
        self.primary_action = QAction(self)
        self.primary_action.triggered.connect(self._primary)
        self.inspector = InspectorPanel()
        self.evidence = Evidence(self.inspector, self.services)
        self.reading = Reading(self.services, self.bridge, self.evidence, self)
        self._lay_out()
        self._connect()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._use_calibration()
        self._show_action()
        self._show(None)

    def _lay_out(self) -> None:
        self._middle = column(None, self.swap, self.full, None)
        sides = row(gap="unit")
        sides.addWidget(self.claim, 1)
        sides.addLayout(self._middle)
        sides.addWidget(self.probe, 1)
        layout = column(gap="unit")
        layout.addLayout(sides, 1)
        layout.addWidget(self.result)
        self.content.setLayout(layout)

    def _connect(self) -> None:
        for side in (self.claim, self.probe):
            side.changed.connect(self._ask)
            side.photo.workingChanged.connect(self._show_working)
        self.claim.chooser.enrollWanted.connect(lambda: self.navigate.emit("enroll", None))
        self.claim.portraitShown.connect(lambda: self._show_evidence(force=True))
        self.live.answered.connect(self._take)
        self.live.lost.connect(self._lost)
        self.probe.stateChanged.connect(self._camera_changed)
        self.intake.begun.connect(self.clear_error)
        self.intake.told.connect(self.show_error)
        self.comparing.answered.connect(self._answered)
        self.comparing.refused.connect(self._refused)
        self.comparing.workingChanged.connect(self._show_working)
        self.comparing.kept.connect(self._read_history)
        self.reading.peopleRead.connect(self._people_read)
        self.result.thresholdChanged.connect(self._redecide)

    # --- what the window calls ----------------------------------------------------------------------------

    def activate(self) -> None:
        if self._first:
            self.reading.people()
            self._read_history()
            self.reading.model()
        self.probe.resume()

    def deactivate(self) -> None:
        self.probe.pause()

    def refresh(self) -> None:
        self._use_calibration()
        self.claim.set_problem("")
        self.reading.model()
        self.reading.people()
        self._ask()

    def open_files(self, paths: Sequence[Path]) -> None:
        self.intake.open_files(paths)

    def paste(self, image: QImage) -> None:
        self.intake.paste(image)

    def receive(self, value: object) -> None:
        if isinstance(value, PersonRecord):
            value = value.id
        if isinstance(value, int):
            self._wanted = None if self.claim.choose(value) else value
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
            ("F11", self.tr("Live comparison on the full screen")),
            ("← →, Home", self.tr("Move the threshold, put it back")),
        ]

    # --- asking -------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Something on one of the sides is another one now: compare anew."""
        if self._held:
            return
        self.comparing.restart()
        self.live.restart()
        self._show(None)
        self._show_action()
        shown = self.probe.photo.shown
        question = None
        reading = (self.claim.kind == "photo" and self.claim.photo.working) or self.probe.photo.working
        if not self.probe.live and not reading and shown is not None:
            timings = self.probe.photo.timings
            if self.claim.kind == "photo":
                timings = together(self.claim.photo.timings, timings)
            face = self.probe.face
            question = self.claim.question(face, shown.photo.frame.source, timings) if face is not None else None
        if question is None and not self.probe.live:
            self.claim.chooser.suggest(None, matches=False)
        self.comparing.ask(question)
        self._read_history()

    def _answered(self, answer: Answer) -> None:
        self._take(answer)
        self.comparing.keep_if_new(answer, self.result.rule)

    def _refused(self, error: Exception) -> None:
        if isinstance(error, KnownError) and self.claim.person is not None:
            self.claim.set_problem(str(error))
        else:
            self.show_error(error)

    def _lost(self) -> None:
        """No face has been in view for a while: let the last answer go."""
        if self.result.answer is not None:
            self._show(None)
            self.claim.chooser.suggest(None, matches=False)

    # --- showing ------------------------------------------------------------------------------------------

    def _take(self, answer: Answer) -> None:
        if answer.comparison is not None:
            self._show_nearest(answer.comparison.best_sample_face_id)
        self._show(answer)
        if self.live.failed is not self._failed:
            self._failed = self.live.failed
            self._show_action()

    def _show_nearest(self, face_id: int | None) -> None:
        """Show the crop of the nearest sample; live, not another one several times a second."""
        now = time.monotonic()
        if not self.probe.live or now - self._nearest_at >= _NEAREST_SECONDS:
            self._nearest_at = now
            self.claim.show_nearest(face_id)

    def _show(self, answer: Answer | None) -> None:
        """Put an answer, or none, where answers stand."""
        self.result.show_answer(answer)
        self._decided(force=not self.probe.live)

    def _redecide(self) -> None:
        """The threshold moved: everything is decided again on what is known."""
        self.probe.set_rule(self.result.rule)
        self.live.use_rule()
        self._decided(force=True)

    def _decided(self, *, force: bool) -> None:
        result, live = self.result, self.probe.live
        self.claim.set_outcome(result.outcome)
        self.probe.set_outcome(result.outcome)
        if result.answer is not None and result.comparison is None:
            self.claim.chooser.suggest(result.answer.nearest, result.nearest_outcome is not Outcome.NO_MATCH)
        result.say(self._missing(), live=live)
        self._show_evidence(force=force or result.comparison is None)
        if self.kiosk is not None:
            self.kiosk.show_state(result.outcome, result.sentence.full, result.advice.full, self.live.report)

    def _missing(self) -> str:
        """Return what is said while nothing can be compared."""
        if self.probe.photo.waiting or self.claim.photo.waiting:
            return self.tr("Looking for faces…")
        by_name, by_camera = self.claim.kind == "person", self.probe.kind == "camera"
        return words.missing(self.claim.complete, self.probe.face is not None, by_name, by_camera, self.probe.live)

    def _show_evidence(self, *, force: bool) -> None:
        """Fill the inspector; from a live source not with every frame."""
        now = time.monotonic()
        if force or now - self._evidence_at >= _EVIDENCE_SECONDS:
            self._evidence_at = now
            sample = self.claim.nearest_sample
            self.evidence.show_comparison(self.result.comparison, self.result.rule, sample.quality if sample else None)
            live = self.result.answer.live if self.result.answer is not None else None
            self.evidence.show_look(live, self.comparing.looks.best() if live is not None else (), self.result.rule)
            self.evidence.show_liveness(self.live.report)
            self.evidence.show_program()

    def _show_working(self) -> None:
        working = self.comparing.working or self.claim.photo.working or self.probe.photo.working
        wanted = State.READ_ONLY if self.comparing.read_only else State.WORKING if working else State.READY
        if wanted is not self.state:
            self.set_state(wanted)

    def _show_action(self) -> None:
        """Say on the main button what comes next."""
        assert self.primary_action is not None
        if self.probe.frozen:
            text, tip = self.tr("Back to live"), self.tr("Esc")
        elif self.probe.live and self.live.failed:
            text, tip = self.tr("Try again"), self.tr("Enter")
        elif self.probe.live:
            text, tip = self.tr("Take the frame"), self.tr("Space")
        else:
            text, tip = self.tr("Open photos"), self.tr("Ctrl+O")
        self.primary_action.setText(text)
        self.primary_action.setToolTip(tip)
        self.primary_action.setEnabled(not self.probe.live or self.probe.running)
        both = self.claim.kind == "photo" and not self.probe.live
        self.full.setEnabled(self.probe.live)
        self.swap.setEnabled(both and (self.claim.photo.shown is not None or self.probe.photo.shown is not None))

    def _primary(self) -> None:
        if self.probe.frozen:
            self.probe.go_live()
        elif self.probe.live and self.live.failed:
            self._again()
        elif self.probe.live:
            self.probe.take()
        else:
            self.choose_files()

    def _again(self) -> None:
        """Ask for other movements after a proof of life that failed."""
        self.comparing.restart()
        self.live.restart()
        self._show(None)
        self._show_action()

    def open_kiosk(self) -> None:
        """Show the live comparison on the full screen; nothing else of the program takes input meanwhile."""
        if not self.probe.live or self.kiosk is not None:
            return
        kiosk = self.kiosk = Kiosk(self.services, self)
        kiosk.againWanted.connect(lambda: self._again() if self.live.failed else None)
        kiosk.left.connect(self._kiosk_left)
        self.probe.camera.frameShown.connect(self._kiosk_image)
        self._decided(force=False)
        kiosk.showFullScreen()

    def _kiosk_image(self, image: QImage) -> None:
        if self.kiosk is not None:
            self.kiosk.show_image(image, self.probe.camera.mirrored)

    def _kiosk_left(self) -> None:
        self.probe.camera.frameShown.disconnect(self._kiosk_image)
        self.kiosk = None

    def _camera_changed(self) -> None:
        self.comparing.restart()
        self.live.restart()
        if self.probe.live and not isinstance(QApplication.focusWidget(), QLineEdit):
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # so that Space takes the frame
        self._show(None)
        self._show_action()

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

    # --- gallery ------------------------------------------------------------------------------------------

    def _use_calibration(self) -> None:
        if self.result.use_calibration(self.services):
            self.probe.set_rule(self.result.rule)
            self.live.use_rule()

    def _people_read(self, people: list[PersonRecord], read_only: bool) -> None:
        self.comparing.read_only = read_only
        self.claim.set_people(people)
        if self._first:
            self._first = False
            if not people:
                self.claim.set_kind("photo")
            self._ask()
        if self._wanted is not None:
            self.claim.choose(self._wanted)
            self._wanted = None
        self._show_working()

    def _read_history(self) -> None:
        self.reading.history(self.claim.person)

    # --- keys, size ---------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_F11:
            self.open_kiosk()
            return
        if key == Qt.Key.Key_Space and self.probe.take():
            return
        if key == Qt.Key.Key_Escape and self._cancel():
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.probe.live and self.live.failed:
                self._again()
                return
            if self.claim.take_suggestion():
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
        rest = self.result.sizeHint().height() + crop + theme.size("control") + 4 * unit
        low = self.height() - rest < 2 * theme.size("crop")
        direction = QBoxLayout.Direction
        self.claim.set_beside(direction.LeftToRight if low else direction.TopToBottom)
        self.probe.set_beside(direction.RightToLeft if low else direction.TopToBottom)
