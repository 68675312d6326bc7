"""The sliders of the margin lab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import degrees

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSlider, QWidget

from facegui.gui import theme
from facegui.gui.widgets.flow_layout import FlowLayout
from facegui.gui.widgets.no_wheel import keep_wheel
from facegui.gui.widgets.parts import button, column, label, row
from facegui.matching.lab import Margin

__all__ = ["MarginSliders"]


@dataclass(frozen=True, slots=True)
class _Range:
    """A slider: field of `Margin`, first and last value, and how many steps make 1."""

    field: str
    low: float
    high: float
    per_one: int


_RANGES = (_Range("scale", 1, 64, 1), _Range("m1", 1, 2, 20), _Range("m2", 0, 1, 20), _Range("m3", 0, 0.8, 20))


class MarginSliders(QWidget):
    """s, m1, m2 and m3, and the margins that papers chose.

    Attributes
    ----------
    note : QLabel
        Whoever shows the sliders says here what they stand for.
    as_trained : QPushButton
        Goes back to the margin of the run.

    Signals
    -------
    changed(object)
        The `Margin` is now another, by the user.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.margin = Margin()
        words = {
            "scale": (self.tr("s"), self.tr("scale: how sharply logits become probabilities")),
            "m1": (self.tr("m1"), self.tr("times the angle (SphereFace)")),
            "m2": (self.tr("m2"), self.tr("added to the angle (ArcFace)")),
            "m3": (self.tr("m3"), self.tr("taken from the cosine (CosFace)")),
        }
        self.sliders: dict[str, QSlider] = {}
        self._values = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.size("unit"))
        grid.setVerticalSpacing(theme.size("half"))
        for line, item in enumerate(_RANGES):
            name, meaning = words[item.field]
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(round(item.low * item.per_one), round(item.high * item.per_one))
            slider.setPageStep(max(1, item.per_one // 5))
            slider.setAccessibleName(f"{name}, {meaning}")
            slider.setToolTip(meaning)
            keep_wheel(slider)
            slider.valueChanged.connect(self._moved(item))
            value = label("", "muted")
            value.setMinimumWidth(round(5.5 * theme.size("icon")))
            self.sliders[item.field], self._values[item.field] = slider, value
            for place, widget in enumerate((label(name, "heading"), slider, value)):
                grid.addWidget(widget, 2 * line, place)
            grid.addWidget(label(meaning, "small", wrap=True), 2 * line + 1, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        presets: tuple[tuple[str, dict[str, float]], ...] = (
            (self.tr("No margin"), {}),
            ("SphereFace", {"m1": 1.35}),
            ("ArcFace", {"m2": 0.5}),
            ("CosFace", {"m3": 0.35}),
            (self.tr("Combined"), {"m2": 0.3, "m3": 0.2}),
        )
        self.presets = [(button(name, self._preset(margins), role="chip"), margins) for name, margins in presets]
        for chip, _ in self.presets:
            chip.setCheckable(True)
        body = column()
        chips = QWidget()
        flow = FlowLayout(theme.size("half"), chips)
        for chip, _ in self.presets:
            flow.addWidget(chip)
        body.addWidget(chips)
        self.note = label("", "small", wrap=True)
        self.as_trained = button(self.tr("As trained"), role="link")
        said = row()
        said.addWidget(self.note, 1)
        said.addWidget(self.as_trained)
        body.addLayout(said)
        # Beside a higher card the sliders go down: in a narrow window the curves stand below them.
        body.addStretch(1)
        body.addLayout(grid)
        self.setLayout(body)
        self.show_margin(self.margin)

    def show_margin(self, margin: Margin) -> None:
        """Set the sliders to a margin, without saying that the user changed it."""
        self.margin = margin
        for item in _RANGES:
            slider = self.sliders[item.field]
            slider.blockSignals(True)
            slider.setValue(round(getattr(margin, item.field) * item.per_one))
            slider.blockSignals(False)
        self._tell()

    def _preset(self, margins: dict[str, float]) -> Callable[[], None]:
        return lambda: self._set(Margin(self.margin.scale, **margins))

    def _set(self, margin: Margin) -> None:
        self.show_margin(margin)
        self.changed.emit(self.margin)

    def _moved(self, item: _Range) -> Callable[[int], None]:
        def moved(value: int) -> None:
            self.margin = replace(self.margin, **{item.field: value / item.per_one})
            self._tell()
            self.changed.emit(self.margin)

        return moved

    def _tell(self) -> None:
        margin = self.margin
        for chip, margins in self.presets:
            chip.setChecked(margin == Margin(margin.scale, **margins))
        self._values["scale"].setText(f"{margin.scale:.0f}")
        self._values["m1"].setText(f"{margin.m1:.2f}")
        self._values["m2"].setText(
            self.tr("{m2:.2f} ({degrees:.0f}°)").format(m2=margin.m2, degrees=degrees(margin.m2))
        )
        self._values["m3"].setText(f"{margin.m3:.2f}")
