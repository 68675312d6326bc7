"""The answer on the Verify page: the sentence, one line of advice, and the score on its scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from facegui.gui import theme
from facegui.gui.pages import verify_words as words
from facegui.gui.pages.verify_asking import Answer
from facegui.gui.pages.verify_session import live_sentence
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.parts import column, row
from facegui.gui.widgets.score_scale import ScoreScale
from facegui.matching.decision import Outcome, Rule, decide

if TYPE_CHECKING:
    from facegui.services import Comparison, Services

__all__ = ["ResultCard"]


class ResultCard(QFrame):
    """Holds the newest answer, and decides on it again whenever the threshold moves. No network runs for that.

    Signals
    -------
    thresholdChanged
        The user moved the threshold: `rule`, `outcome` and `nearest_outcome` are others now.
    """

    thresholdChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self._answer: Answer | None = None
        self._used: tuple[object, ...] = ()
        self.sentence = ElidedLabel("heading", snug=True)
        self.advice = ElidedLabel("warning")
        self.advice.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.scale = ScoreScale()
        self.scale.thresholdChanged.connect(self._moved)
        said = row(self.sentence, gap="unit")
        said.addWidget(self.advice, 1)
        layout = column(gap="half", margin="unit")
        layout.addLayout(said)
        layout.addWidget(self.scale)
        self.setLayout(layout)

    def _moved(self, _threshold: float) -> None:
        self._show_decision()
        self.thresholdChanged.emit()

    @property
    def rule(self) -> Rule | None:
        """Threshold and unsure band in use; None for a model that is not calibrated."""
        return self.scale.rule

    @property
    def answer(self) -> Answer | None:
        """The answer shown."""
        return self._answer

    @property
    def comparison(self) -> Comparison | None:
        """The comparison shown."""
        return self._answer.comparison if self._answer is not None else None

    @property
    def outcome(self) -> Outcome | None:
        """The decision on the comparison; None without one, and for a model that is not calibrated."""
        comparison, rule, answer = self.comparison, self.rule, self._answer
        if answer is not None and answer.live is not None and answer.view is not None:
            return answer.view.outcome(answer.live, rule) if rule is not None else None
        return decide(comparison.similarity, rule) if comparison is not None and rule is not None else None

    @property
    def nearest_outcome(self) -> Outcome | None:
        """How the person who looks most like the face would be decided on."""
        nearest, rule = self._answer.nearest if self._answer is not None else None, self.rule
        return decide(nearest.similarity, rule) if nearest is not None and rule is not None else None

    def use_calibration(self, services: Services) -> bool:
        """Take the calibration of the model in use; tell whether it is another one than before.

        A threshold that was moved stays while model, calibration and wanted rate are the same.
        """
        used = (services.model.id, services.calibration, services.settings.target_fmr)
        if used == self._used:
            return False
        self._used = used
        self.scale.set_calibration(services.calibration, services.settings.target_fmr)
        return True

    def show_answer(self, answer: Answer | None) -> None:
        """Put an answer, or none, where answers stand; `say` writes the sentence."""
        self._answer = answer
        comparison = self.comparison
        self.scale.set_similarity(comparison.similarity if comparison is not None else None)
        self._show_decision()

    def _show_decision(self) -> None:
        """Show on the scale what the frames so far and the proof of life decide, where the answer is a live one."""
        live = self._answer is not None and self._answer.live is not None
        self.scale.set_decision(self.outcome if live else None)

    def say(self, missing: str, *, live: bool) -> None:
        """Write the sentence and the advice; `missing` is said where nothing can be compared."""
        comparison = self.comparison
        shown = self._answer.live if self._answer is not None else None
        report = self._answer.view.liveness if self._answer is not None and self._answer.view is not None else None
        if comparison is not None:
            waiting = live_sentence(shown, report) if shown is not None else ""
            self.sentence.show_text(waiting or words.sentence(comparison, self.outcome))
            if shown is not None and self.outcome is Outcome.UNSURE and shown.fused.reason:
                reason = shown.fused.reason
                self.advice.show_text(f"{reason[:1].upper()}{reason[1:]}.".replace("..", "."))
                return
            self.advice.show_text(words.advice(comparison, self.outcome, live))
            return
        nearest = self._answer.nearest if self._answer is not None else None
        self.sentence.show_text(words.nearest(nearest, self.nearest_outcome) or missing)
        self.advice.show_text("")
