"""The heart of the window: a similarity on its scale, the threshold, the decision, and what it means."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QWidget

from facegui.gui import theme
from facegui.gui.widgets.decision_badge import DecisionBadge, outcome_word
from facegui.gui.widgets.parts import button, column, label, row
from facegui.gui.widgets.score_canvas import ScoreCanvas
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Outcome, Rule, decide, explain, rule_at, rule_for
from facegui.matching.wording import format_rate, format_similarity

__all__ = ["ScoreScale"]

_DECIMALS = 3
_STEP = 0.01


class ScoreScale(QWidget):
    """Shows a similarity and re-decides at once when the threshold moves; nothing is computed anew.

    Signals
    -------
    thresholdChanged(float)
        The user moved or typed it, or it was reset.
    outcomeChanged(object)
        The decision is another one now: an Outcome, or None without a similarity.
    """

    thresholdChanged = Signal(float)
    outcomeChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, compact: bool = False) -> None:
        super().__init__(parent)
        self._calibration: Calibration | None = None
        self._target = 0.0
        self._rule: Rule | None = None
        self._similarity: float | None = None
        self._outcome: Outcome | None = None
        self._decided_elsewhere: Outcome | None = None
        self.canvas = ScoreCanvas(compact=compact)
        self.canvas.thresholdMoved.connect(self._move)
        self.canvas.resetWanted.connect(self.reset)
        self._score = label("", "score")
        self._score.setFont(theme.font("score", bold=True, tabular=True))
        self._badge = DecisionBadge()
        self._meaning = label("", wrap=True)
        self._standard = label("", "muted", wrap=True)
        self.spin = QDoubleSpinBox()
        self.spin.setRange(-1.0, 1.0)
        self.spin.setDecimals(_DECIMALS)
        self.spin.setSingleStep(_STEP)
        self.spin.setKeyboardTracking(False)
        self.spin.setAccessibleName(self.tr("Threshold"))
        self.spin.setFixedWidth(theme.size("tile") - 3 * theme.size("unit"))
        self.spin.valueChanged.connect(self._move)
        self._reset = button("", self.reset, role="link")
        if compact:
            self.setLayout(column(self.canvas))
        else:
            self._lay_out()
        self._refresh()

    def _lay_out(self) -> None:
        unit = theme.size("unit")
        verdict = QWidget()
        verdict.setLayout(column(None, self._score, self._badge, None, gap="half"))
        verdict.setFixedWidth(theme.size("tile") + 2 * unit)
        across = row(gap="unit")
        across.addWidget(self.canvas, 1)
        across.addSpacing(unit)
        across.addWidget(verdict)
        words = column(self._meaning, self._standard, gap="half")
        controls = row(label(self.tr("Threshold"), "muted"), self.spin, self._reset)
        below = row(gap="unit")
        below.addLayout(words, 1)
        below.addSpacing(2 * unit)
        below.addLayout(controls)
        below.setAlignment(controls, Qt.AlignmentFlag.AlignTop)
        # Two lines each, so that the words may change and nothing below moves.
        for item in (self._meaning, self._standard):
            item.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            item.setText("A\nA")
            item.ensurePolished()
            item.setMinimumHeight(item.heightForWidth(theme.size("tile")))
        layout = column(gap="half")
        layout.addLayout(across)
        layout.addLayout(below)
        self.setLayout(layout)

    @property
    def threshold(self) -> float | None:
        """The threshold in use; None without a calibration."""
        return self._rule.threshold if self._rule is not None else None

    @property
    def rule(self) -> Rule | None:
        """The rule in use; None without a calibration."""
        return self._rule

    @property
    def similarity(self) -> float | None:
        """The similarity shown."""
        return self._similarity

    @property
    def outcome(self) -> Outcome | None:
        """The decision shown; None without a similarity."""
        return self._outcome

    def set_calibration(self, calibration: Calibration | None, target_fmr: float) -> None:
        """Use a model's calibration (None: not calibrated) and put the threshold at a false match rate."""
        self._calibration = calibration
        self._target = target_fmr
        self._rule = rule_for(calibration, target_fmr)
        self.canvas.set_calibration(calibration)
        self._reset.setText(self.tr("Reset to {0}").format(format_rate(target_fmr)))
        self._refresh()

    def set_similarity(self, similarity: float | None) -> None:
        """Show a similarity; None empties the scale."""
        self._similarity = similarity
        self._refresh()

    def set_decision(self, outcome: Outcome | None) -> None:
        """Show a decision that rests on more than this similarity, such as many frames; None shows its own."""
        if outcome is not self._decided_elsewhere:
            self._decided_elsewhere = outcome
            self._refresh()

    def set_threshold(self, threshold: float) -> None:
        """Put the threshold somewhere without telling."""
        self._rule = rule_at(self._calibration, threshold)
        self._refresh()

    def reset(self) -> None:
        """Put the threshold back to the false match rate of the settings."""
        self._rule = rule_for(self._calibration, self._target) if self._calibration else None
        self._refresh()
        if self._rule is not None:
            self.thresholdChanged.emit(self._rule.threshold)

    def _move(self, threshold: float) -> None:
        if self._calibration is None:
            return
        self.set_threshold(threshold)
        self.thresholdChanged.emit(threshold)

    def _refresh(self) -> None:
        similarity, rule = self._similarity, self._rule
        self.canvas.set_rule(rule)
        self.canvas.set_similarity(similarity)
        # Without a calibration there is a score and no decision.
        own = decide(similarity, rule) if similarity is not None and rule else None
        before, self._outcome = self._outcome, own if own is None else self._decided_elsewhere or own
        self._score.setText("–" if similarity is None else format_similarity(similarity))
        self._badge.set_outcome(self._outcome)
        with QSignalBlocker(self.spin):
            self.spin.setValue(rule.threshold if rule is not None else 0.0)
        self.spin.setEnabled(rule is not None)
        moved = self._calibration is not None and rule != rule_for(self._calibration, self._target)
        self._reset.setEnabled(moved)
        said = explain(float("nan") if similarity is None else similarity, rule, self._calibration)
        if self._calibration is None:
            self._meaning.setText(said.meaning)
            self._standard.setText("")
        elif similarity is None:
            self._meaning.setText(f"{said.meaning} {said.caveat}".strip())
            self._standard.setText("")
        else:
            self._meaning.setText(said.rate)
            self._standard.setText(f"{self.tr('Threshold:')} {said.meaning} {said.caveat}".strip())
        parts = [
            self.tr("Similarity {0}").format(self._score.text()) if similarity is not None else self.tr("No score yet")
        ]
        if rule is not None:
            parts.append(self.tr("threshold {0}").format(format_similarity(rule.threshold)))
        parts.append(outcome_word(self._outcome))
        self.canvas.setAccessibleName(self.tr("Score scale"))
        self.canvas.setAccessibleDescription(", ".join(part for part in parts if part))
        if before is not self._outcome:
            self.outcomeChanged.emit(self._outcome)
