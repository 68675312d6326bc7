"""What of a ranking is shown: a side of the threshold, a least similarity, one face of each photo."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QDoubleSpinBox, QSlider, QWidget

from facegui.gui import theme
from facegui.gui.pages.lookalikes_rows import Part, View
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import label, row

__all__ = ["FilterBar"]

_STEPS: Final = 100
"""Positions of the slider per unit of similarity."""


class FilterBar(QWidget):
    """Chips and a slider above the grid. Nothing of it needs a network to run again.

    Signals
    -------
    changed
        `view` is another one now.
    groupingChanged(bool)
        One face of each photo, or all.
    """

    changed = Signal()
    groupingChanged = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._threshold: float | None = None
        self._parts = {part: Chip(checkable=True) for part in Part}
        group = QButtonGroup(self)
        for chip in self._parts.values():
            group.addButton(chip)
            chip.clicked.connect(lambda _checked=False: self.changed.emit())
        self._parts[Part.ALL].setChecked(True)
        self.one_per_photo = Chip(self.tr("One per photo"), "photo", checkable=True)
        self.one_per_photo.setToolTip(self.tr("Show only the most similar face of each photo"))
        self.one_per_photo.toggled.connect(self.groupingChanged)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setSingleStep(1)
        self.slider.setPageStep(_STEPS // 20)
        self.slider.setMinimumWidth(theme.size("crop"))
        self.slider.setMaximumWidth(theme.size("inspector") - theme.size("tile"))
        self.slider.setAccessibleName(self.tr("Least similarity"))
        self.spin = QDoubleSpinBox()
        self.spin.setRange(0.0, 1.0)
        self.spin.setSpecialValueText(self.tr("any"))
        self.spin.setSingleStep(1 / _STEPS)
        self.spin.setDecimals(2)
        self.spin.setFixedWidth(theme.size("tile") - 4 * theme.size("unit"))
        self.spin.setAccessibleName(self.tr("Least similarity"))
        self.slider.valueChanged.connect(self._slid)
        self.spin.valueChanged.connect(self._typed)
        words = label(self.tr("Similarity from"), "muted")
        words.setBuddy(self.spin)
        layout = row(*self._parts.values(), self.one_per_photo, None, words, gap="unit")
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.spin)
        self.setLayout(layout)
        self.set_counts(0, 0)

    @property
    def view(self) -> View:
        """What is to be shown."""
        part = next(part for part, chip in self._parts.items() if chip.isChecked())
        least = self.spin.value() if self.spin.value() > 0 else -1.0
        return View(part, least, self._threshold)

    def set_threshold(self, threshold: float | None) -> None:
        """Part the faces here; None shows them all as one."""
        self._threshold = threshold
        for part in (Part.SAME, Part.LOOKALIKES):
            self._parts[part].setVisible(threshold is not None)
        if threshold is None:
            self._parts[Part.ALL].setChecked(True)

    def set_counts(self, same: int, others: int) -> None:
        """Say how many faces lie on each side of the threshold."""
        self._parts[Part.ALL].setText(self.tr("All {0}").format(f"{same + others:,}"))
        self._parts[Part.SAME].setText(self.tr("Same person {0}").format(f"{same:,}"))
        self._parts[Part.SAME].setToolTip(self.tr("At or above the threshold: probably the same person"))
        self._parts[Part.LOOKALIKES].setText(self.tr("Lookalikes {0}").format(f"{others:,}"))
        self._parts[Part.LOOKALIKES].setToolTip(self.tr("Below the threshold: probably other people"))

    def show_part(self, part: Part) -> None:
        """Show a side of the threshold, or both."""
        self._parts[part].setChecked(True)
        self.changed.emit()

    def _slid(self, position: int) -> None:
        with QSignalBlocker(self.spin):
            self.spin.setValue(position / _STEPS)
        self.changed.emit()

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(value * _STEPS))
        self.changed.emit()
