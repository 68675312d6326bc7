"""The live comparison: every analysed frame is compared, drawn into the trace, and kept once it has settled."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Signal

from facegui.faces.types import Photo
from facegui.gui.pages.verify_asking import Answer
from facegui.gui.pages.verify_claim import ClaimSide
from facegui.gui.pages.verify_comparing import Comparing
from facegui.gui.pages.verify_probe import ProbeSide
from facegui.gui.pages.verify_result import ResultCard

__all__ = ["LiveComparison"]


class LiveComparison(QObject):
    """Between the live source and the answers.

    Signals
    -------
    answered(Answer)
        The newest frame was compared with what is claimed now.
    lost
        No face was seen for a while.
    """

    answered = Signal(object)
    lost = Signal()

    def __init__(
        self, claim: ClaimSide, probe: ProbeSide, comparing: Comparing, result: ResultCard, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._claim, self._probe, self._comparing, self._result = claim, probe, comparing, result
        probe.frameAnalysed.connect(self._frame)
        comparing.liveAnswered.connect(self._answered)

    def _frame(self, photo: Photo) -> None:
        if not photo.faces:
            lost = self._comparing.face_missing()
            self._probe.add_score(None, time.monotonic())
            self._probe.show_live(None, lost)
            if lost:
                self.lost.emit()
            return
        face = photo.faces[0]
        self._probe.show_live(face, lost=False)
        question = self._claim.question(face, photo.frame.source, photo.timings)
        if question is not None:
            self._comparing.ask_live(question)

    def _answered(self, answer: Answer) -> None:
        if not self._probe.live or not self._claim.concerns(answer.question):
            return
        self.answered.emit(answer)
        if answer.comparison is not None:
            self._probe.add_score(answer.comparison.similarity, time.monotonic())
            self._comparing.keep_if_settled(answer, self._result.outcome, self._result.rule)
