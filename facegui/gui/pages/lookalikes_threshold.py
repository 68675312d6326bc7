"""The score scale above the grid: the threshold can be dragged, the faces on each side of it are counted."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import button, column, label, row
from facegui.gui.widgets.score_canvas import ScoreCanvas
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Rule, rule_at, rule_for
from facegui.matching.wording import format_rate

__all__ = ["ThresholdStrip"]

_DECIMALS = 3
_STEP = 0.01


class ThresholdStrip(QWidget):
    """Lookalikes at the left, the scale, the same person at the right, then the threshold as a number.

    Signals
    -------
    moved
        `rule` is another one now, by mouse, keys or number, or because it was reset.
    """

    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._calibration: Calibration | None = None
        self._target = 0.0
        self.rule: Rule | None = None
        self.canvas = ScoreCanvas(slim=True)
        self.canvas.setAccessibleName(self.tr("Threshold on the score scale"))
        self.canvas.thresholdMoved.connect(self._move)
        self.canvas.resetWanted.connect(self.reset)
        self.spin = QDoubleSpinBox()
        self.spin.setRange(-1.0, 1.0)
        self.spin.setDecimals(_DECIMALS)
        self.spin.setSingleStep(_STEP)
        self.spin.setKeyboardTracking(False)
        self.spin.setAccessibleName(self.tr("Threshold"))
        self.spin.setFixedWidth(theme.size("tile") - 3 * theme.size("unit"))
        self.spin.valueChanged.connect(self._move)
        self._reset = button("", self.reset, role="link")
        self._below, below = self._side(self.tr("Lookalikes"), Qt.AlignmentFlag.AlignRight)
        self._above, above = self._side(self.tr("Same person"), Qt.AlignmentFlag.AlignLeft)
        layout = row(below, gap="unit")
        layout.addWidget(self.canvas, 1)
        layout.addWidget(above)
        layout.addWidget(self.spin)
        layout.addWidget(self._reset)
        self.setLayout(layout)
        self._refresh()

    def _side(self, words: str, place: Qt.AlignmentFlag) -> tuple[QLabel, QWidget]:
        count = label("0", "emphasis")
        count.setFont(theme.font("emphasis", bold=True, tabular=True))
        name = label(words, "small")
        for item in (count, name):
            item.setAlignment(place | Qt.AlignmentFlag.AlignVCenter)
        side = QWidget()
        side.setLayout(column(None, count, name, None, gap=""))
        # Both sides take the same, whatever is counted, so that the scale keeps its place.
        side.setMinimumWidth(theme.size("tile") - 6 * theme.size("unit"))
        return count, side

    def set_calibration(self, calibration: Calibration | None, target_fmr: float) -> None:
        """Put the threshold at a false match rate of a model's calibration; without one there is no scale."""
        self._calibration, self._target = calibration, target_fmr
        self.rule = rule_for(calibration, target_fmr)
        self.canvas.set_calibration(calibration)
        self._reset.setText(self.tr("Reset to {0}").format(format_rate(target_fmr)) if calibration else "")
        self.setVisible(calibration is not None)
        self._refresh()

    def set_counts(self, below: int, above: int) -> None:
        """Say how many faces lie on each side."""
        self._below.setText(f"{below:,}")
        self._above.setText(f"{above:,}")
        self.canvas.setAccessibleDescription(
            self.tr("{0} lookalikes below, {1} of the same person above").format(f"{below:,}", f"{above:,}")
        )

    def show_similarity(self, similarity: float | None) -> None:
        """Mark where the chosen face lies."""
        self.canvas.set_similarity(similarity)

    def reset(self) -> None:
        """Put the threshold back to the false match rate of the settings."""
        if self._calibration is not None:
            self.rule = rule_for(self._calibration, self._target)
            self._refresh()
            self.moved.emit()

    def _move(self, threshold: float) -> None:
        if self._calibration is not None:
            self.rule = rule_at(self._calibration, threshold)
            self._refresh()
            self.moved.emit()

    def _refresh(self) -> None:
        self.canvas.set_rule(self.rule)
        with QSignalBlocker(self.spin):
            self.spin.setValue(self.rule.threshold if self.rule is not None else 0.0)
        # The link keeps its room, so that nothing moves under the pointer that drags.
        self._reset.setEnabled(self.rule != rule_for(self._calibration, self._target))
