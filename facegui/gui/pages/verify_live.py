"""The live comparison: frames are fused into a decision over time, drawn into the trace, kept once it has settled."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from facegui.faces.liveness import LivenessReport, Verdict
from facegui.faces.types import Photo
from facegui.gui.pages.verify_asking import Answer
from facegui.gui.pages.verify_claim import ClaimSide
from facegui.gui.pages.verify_comparing import Comparing
from facegui.gui.pages.verify_probe import ProbeSide
from facegui.gui.pages.verify_result import ResultCard
from facegui.gui.pages.verify_session import LiveAnalysis, LivePhoto, live_marks
from facegui.services.live import comparison_of

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["LiveComparison"]


class LiveComparison(QObject):
    """Between the live source and the answers.

    Signals
    -------
    answered(Answer)
        The newest frames were compared with what is claimed now.
    lost
        No face was seen for a while.
    """

    answered = Signal(object)
    lost = Signal()

    def __init__(
        self, services: Services, claim: ClaimSide, probe: ProbeSide, comparing: Comparing, result: ResultCard,
        parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._services = services
        self._claim, self._probe, self._comparing, self._result = claim, probe, comparing, result
        self._analysis = LiveAnalysis(services)
        self._verdict = Verdict.UNDECIDED
        self.report: LivenessReport | None = None
        probe.camera.set_analyser(self._analysis, live_marks)
        probe.frameAnalysed.connect(self._frame)

    @property
    def failed(self) -> bool:
        """Tell whether the proof of life failed, so that only another try can help."""
        return self._verdict is Verdict.ATTACK

    def restart(self) -> None:
        """Another claim or source, or another try: begin anew."""
        claim = self._claim
        reference = claim.photo.face if claim.kind == "photo" else None
        self._analysis.claim(claim.person.id if claim.person is not None else None, reference)
        self._verdict, self.report = Verdict.UNDECIDED, None

    def use_rule(self) -> None:
        """The threshold moved."""
        self._analysis.use_rule(self._result.rule)

    def _frame(self, photo: Photo) -> None:
        view = photo.view if isinstance(photo, LivePhoto) else None
        if view is None:
            return
        self._comparing.looks.add(view)
        self.report = view.liveness
        self._verdict = view.liveness.verdict if view.liveness is not None else Verdict.UNDECIDED
        front = view.front
        if front is None or front.track.face is None:
            lost = self._comparing.face_missing()
            self._probe.add_score(None, time.monotonic())
            self._probe.show_live(None, lost)
            if lost:
                self.lost.emit()
            return
        face = front.track.face
        self._probe.show_live(face, lost=False)
        question = self._claim.question(face, photo.frame.source, photo.timings)
        if question is None or not self._probe.live:
            return
        if question.claim is None and question.person_id is None:
            self.answered.emit(Answer(question, nearest=front.candidate, live=front, view=view))
            return
        comparison = comparison_of(self._services, front, view.reference)
        if comparison is None or comparison.person_id != question.person_id:
            return  # the session still answers the question before
        answer = Answer(question, replace(comparison, timings=photo.timings), live=front, view=view)
        self.answered.emit(answer)
        self._probe.add_score(front.similarity, time.monotonic())
        if front.decided:
            self._comparing.keep_if_settled(answer, self._result.outcome, self._result.rule)
