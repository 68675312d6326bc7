"""The margin lab: recorded training runs on a sphere, and what each margin does to them."""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QSlider, QWidget

from facegui.gui import theme
from facegui.gui.pages.lab_controls import MarginSliders
from facegui.gui.pages.lab_tour import Caption, Tour
from facegui.gui.widgets.lab_arcs import telling_pairs
from facegui.gui.widgets.lab_plots import BoundaryPlot, LogitPlot, PairPlot
from facegui.gui.widgets.lab_sphere import SphereView
from facegui.gui.widgets.no_wheel import keep_wheel
from facegui.gui.widgets.parts import card, column, label, row, scrolled, tool_button
from facegui.matching.lab import Margin, PairScores, Recorded, Recording, pair_scores
from facegui.matching.wording import format_share

__all__ = ["MarginLab"]

_STEPS = 16
"""Steps of the slider between two recorded moments, which are drawn by interpolation."""

_TICK = 40  # milliseconds
_LINES = 3  # of words below a plot


class MarginLab(QWidget):
    """Captions, sphere with its epochs, sliders and plots."""

    def __init__(self, recording: Recording, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recording = recording
        self._runs = {run.name: run for run in recording.runs}
        self._wide: bool | None = None
        self._pairs: dict[tuple[str, int], PairScores] = {}
        self._build()
        self._timer = QTimer(self, interval=_TICK)
        self._timer.timeout.connect(self._tick)
        # Before training all pictures lie in one heap; seen from there, none is missing.
        self.sphere.look_at(recording.runs[0].frames[0].points.mean(axis=0))
        self._take(self.tour.caption)

    def _build(self) -> None:
        names = {
            "softmax": self.tr("Softmax"), "normalised": self.tr("Normalised softmax"), "sphereface": "SphereFace",
            "arcface": "ArcFace", "cosface": "CosFace", "combined": self.tr("Combined margins"),
        }  # fmt: skip
        self.tour = Tour()
        self.tour.reached.connect(self._take)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName(self.tr("Trained with"))
        for run in self._runs.values():
            self.chooser.addItem(names.get(run.name, run.title), run.name)
        self.chooser.currentIndexChanged.connect(self._chosen)
        self.sphere = SphereView()
        self.play = tool_button("play", self.tr("Play the epochs"), self.toggle)
        self.epochs = QSlider(Qt.Orientation.Horizontal)
        self.epochs.setAccessibleName(self.tr("Epoch"))
        self.epochs.setPageStep(_STEPS)
        self.epochs.valueChanged.connect(self._show_moment)
        self.moment = label("", "muted")
        self.moment.setMinimumWidth(self.moment.fontMetrics().horizontalAdvance(_epoch_words(self, 0.25)))
        self.figures = label("", "small", wrap=True)
        self.sliders = MarginSliders()
        self.sliders.changed.connect(self._show_margin)
        self.sliders.as_trained.clicked.connect(self._show_trained)
        for editor in (self.chooser, self.epochs):
            keep_wheel(editor)
        self.logits, self.boundaries, self.pairs = LogitPlot(), BoundaryPlot(), PairPlot()
        self.pair_words = label("", "small", wrap=True)
        left = column(gap="half")
        left.addLayout(row(label(self.tr("Trained with")), self.chooser, None))
        left.addWidget(self.sphere, 1)
        left.addLayout(row(self.play, self.epochs, self.moment))
        left.addWidget(self.figures)
        lines = label(
            self.tr(
                "Solid: logit. Dashed: no margin. Dotted: its probability (at the right) if the others are at 90°. "
                "Bars: the pictures."
            ),
            "small", wrap=True,
        )  # fmt: skip
        bands = label(self.tr("Uncoloured: right for neither. Dashed: equal angles."), "small", wrap=True)
        ball = card(role="card")
        ball.layout().addLayout(left)  # type: ignore[union-attr]
        tools = card(self.sliders, role="card")
        self._plots, plots = QWidget(), row()
        self._parts: dict[str, QFrame] = {"sphere": ball, "sliders": tools}
        for name, title, plot, words in (
            ("logits", self.tr("What the own class gets"), self.logits, lines),
            ("boundaries", self.tr("Where a picture is right"), self.boundaries, bands),
            ("pairs", self.tr("All pairs of these pictures"), self.pairs, self.pair_words),
        ):
            # As many lines below each, so that the axes stand side by side.
            words.setMinimumHeight(_LINES * theme.line_height("small"))
            words.setAlignment(Qt.AlignmentFlag.AlignTop)
            part = card(label(title, "emphasis", wrap=True), plot, words, role="card", gap="half")
            part.layout().setStretch(1, 1)  # type: ignore[union-attr]
            self._parts[name] = part
            plots.addWidget(part, 1)
        self._plots.setLayout(plots)
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.size("unit"))
        self._grid.setContentsMargins(0, 0, 0, 0)
        inner = QWidget()
        inner.setLayout(self._grid)
        self._scroller = scrolled(inner, self.tr("Margin lab"))
        self.setLayout(column(self.tour, self._scroller))
        self._arrange(wide=True)

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def run(self) -> Recorded:
        """The run that is shown."""
        return self._runs[str(self.chooser.currentData())]

    def show_run(self, name: str, *, start: bool = False) -> None:
        """Show a run at its end, or at its start and playing, with the margin that it was trained with."""
        self.stop()
        place = self.chooser.findData(name)
        self.chooser.blockSignals(True)
        self.chooser.setCurrentIndex(place)
        self.chooser.blockSignals(False)
        last = _STEPS * (len(self.run.frames) - 1)
        self.epochs.blockSignals(True)
        self.epochs.setRange(0, last)
        self.epochs.setValue(0 if start else last)
        self.epochs.blockSignals(False)
        margin = self.run.margin
        if not self.run.normalised:
            margin = Margin(float(self._recording.about.get("scale", margin.scale)))
        self.sliders.show_margin(margin)
        self._trained = margin
        self._show_margin(margin)
        self._show_moment()
        self._show_angles()
        if start:
            self.toggle()

    def _show_angles(self) -> None:
        """Draw the angles of two pairs while the caption speaks of them."""
        frame = self.run.frames[-1]
        pairs = telling_pairs(frame.points, self._recording.labels, frame.centres, self.sphere.turn)
        self.sphere.show_pairs(pairs if "angles" in self.tour.caption.about else ())

    def _show_trained(self) -> None:
        self.sliders.show_margin(self._trained)
        self._show_margin(self._trained)

    def _chosen(self, _index: int) -> None:
        self.show_run(str(self.chooser.currentData()))

    def _take(self, caption: Caption) -> None:
        self.show_run(caption.run, start=caption.start)
        for name, part in self._parts.items():
            theme.set_role(part, "told-card" if name in caption.about else "card")
        if self.isVisible():
            self._scroller.ensureWidgetVisible(self._parts[caption.about[0]])

    def _show_margin(self, margin: Margin) -> None:
        self.sphere.show_margin(margin)
        self.logits.show_margin(margin)
        self.boundaries.show_margin(margin)
        trained = self.run.margin
        own = (trained.m1, trained.m2, trained.m3) == (margin.m1, margin.m2, margin.m3)
        note = self.tr("The sliders change regions and curves. The points stay as the recorded run left them.")
        if not self.run.normalised:
            note = self.tr("Softmax also uses lengths, which a cosine does not see: the regions are by angle alone.")
        elif own:
            note = self.tr("This run was trained with these margins, s = {scale:.0f}.").format(scale=trained.scale)
        self.sliders.note.setText(note)
        self.sliders.as_trained.setEnabled(margin != self._trained)

    def _show_moment(self, _value: int = 0) -> None:
        run, value = self.run, self.epochs.value()
        before, part = value // _STEPS, value % _STEPS / _STEPS
        after = min(before + 1, len(run.frames) - 1)
        frame = run.frames[before if part < 0.5 else after]
        ends = run.frames[before], run.frames[after]
        points, centres = (
            _between(getattr(ends[0], name), getattr(ends[1], name), part) for name in ("points", "centres")
        )
        self.sphere.show_frame(points, self._recording.labels, centres)
        self.logits.show_angles(frame.own_angles)
        number = before if part < 0.5 else after
        key = run.name, number
        if key not in self._pairs:
            self._pairs[key] = pair_scores(self._recording, run.frames[number])
        self.pairs.show_pairs(self._pairs[key])
        self.pair_words.setText(self.pairs.words())
        epoch = ends[0].epoch + part * (ends[1].epoch - ends[0].epoch)
        self.moment.setText(_epoch_words(self, epoch))
        words = self.tr("{accuracy} of the test pictures right; {within:.0f}° within a class, {between:.0f}° between.")
        text = words.format(accuracy=format_share(frame.test_accuracy, 1), within=frame.within, between=frame.between)
        if isfinite(frame.loss):
            text += " " + self.tr("Loss {loss:.2f}.").format(loss=frame.loss)
        self.figures.setText(text)
        self.sphere.setAccessibleDescription(f"{self.chooser.currentText()}, {self.moment.text()}. {text}")

    # --- the epochs ---------------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether the epochs go by."""
        return self._timer.isActive()

    def toggle(self) -> None:
        """Play from here, or from the start at the end; or stop."""
        if self.playing:
            self.stop()
            return
        if self.epochs.value() >= self.epochs.maximum():
            self.epochs.setValue(0)
        self._timer.start()
        theme.set_icon(self.play, "pause")
        self._name_play(self.tr("Stop"))

    def stop(self) -> None:
        """Stop the epochs where they are."""
        if hasattr(self, "_timer"):
            self._timer.stop()
        theme.set_icon(self.play, "play")
        self._name_play(self.tr("Play the epochs"))

    def _name_play(self, words: str) -> None:
        self.play.setToolTip(words)
        self.play.setAccessibleName(words)

    def _tick(self) -> None:
        if self.epochs.value() >= self.epochs.maximum():
            self.stop()
        else:
            self.epochs.setValue(self.epochs.value() + 1)

    # --- place --------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the plots below the rest where they do not fit beside the sphere."""
        super().resizeEvent(event)
        self._arrange(wide=self.width() >= theme.size("lab_wide"))

    def _arrange(self, *, wide: bool) -> None:
        if wide is self._wide:
            return
        self._wide = wide
        self._grid.addWidget(self._parts["sphere"], 0, 0, 2 if wide else 1, 1)
        self._grid.addWidget(self._parts["sliders"], 0, 1)
        self._grid.addWidget(self._plots, 1, 1 if wide else 0, 1, 1 if wide else 2)
        self._grid.setColumnStretch(0, 2)
        self._grid.setColumnStretch(1, 3 if wide else 2)
        self._grid.setRowStretch(0 if not wide else 1, 1)
        self._grid.setRowStretch(1 if not wide else 0, 0)

    def hideEvent(self, event: QHideEvent) -> None:
        self.stop()
        super().hideEvent(event)


def _epoch_words(owner: QWidget, epoch: float) -> str:
    """Return the epoch; the first moments are hundredths of one apart."""
    return owner.tr("epoch {epoch}").format(epoch=f"{epoch:.{2 if 0 < epoch < 1 else 1}f}")


def _between(start: NDArray[np.float32], end: NDArray[np.float32], part: float) -> NDArray[np.float32]:
    """Return unit vectors on the way from one moment to the next."""
    if part == 0:
        return start
    mixed = (1 - part) * start + part * end
    made: NDArray[np.float32] = mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-6)
    return made
