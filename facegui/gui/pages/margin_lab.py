"""The margin lab: recorded training runs on a sphere, and what each margin does to them."""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QSlider, QWidget

from facegui.gui import theme
from facegui.gui.pages.lab_controls import MarginSliders
from facegui.gui.pages.lab_tour import Caption, Tour
from facegui.gui.widgets.lab_plots import BoundaryPlot, LogitPlot, PairPlot
from facegui.gui.widgets.lab_sphere import SphereView
from facegui.gui.widgets.parts import card, column, label, row, scrolled, tool_button
from facegui.matching.lab import Margin, PairScores, Recorded, Recording, pair_scores
from facegui.matching.wording import format_share

__all__ = ["MarginLab"]

_STEPS = 16
"""Steps of the slider between two recorded moments, which are drawn by interpolation."""

_TICK = 40  # milliseconds


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
        self.figures = label("", "small", wrap=True)
        self.sliders = MarginSliders()
        self.sliders.changed.connect(self._show_margin)
        self.note = label("", "small", wrap=True)
        self.logits, self.boundaries, self.pairs = LogitPlot(), BoundaryPlot(), PairPlot()
        self.pair_words = label("", "small", wrap=True)
        left = column(gap="half")
        left.addLayout(row(label(self.tr("Trained with")), self.chooser, None))
        left.addWidget(self.sphere, 1)
        left.addLayout(row(self.play, self.epochs, self.moment))
        left.addWidget(self.figures)
        plots = row()
        lines = label(self.tr("Line: logit. Dashed: no margin. Dotted: its probability."), "small", wrap=True)
        bands = label(self.tr("Uncoloured: right for neither. Dashed: no margin."), "small", wrap=True)
        for title, below, plot in (
            (self.tr("What the own class gets"), lines, self.logits),
            (self.tr("Where a picture is right"), bands, self.boundaries),
            (self.tr("All pairs of these pictures"), self.pair_words, self.pairs),
        ):
            part = column(label(title, "emphasis"), gap="half")
            part.addWidget(plot, 1)
            part.addWidget(below)
            plots.addLayout(part, 1)
        ball = card(role="card")
        ball.layout().addLayout(left)  # type: ignore[union-attr]
        tools = card(self.sliders, self.note, None, role="card")
        graphs = card(role="card")
        graphs.layout().addLayout(plots)  # type: ignore[union-attr]
        self._cards = ball, tools, graphs
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.size("unit"))
        inner = QWidget()
        body = column(self.tour)
        body.addLayout(self._grid, 1)
        inner.setLayout(body)
        self.setLayout(column(scrolled(inner, self.tr("Margin lab"))))
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
        self._show_margin(margin)
        self._show_moment()
        if start:
            self.toggle()

    def _chosen(self, _index: int) -> None:
        self.show_run(str(self.chooser.currentData()))

    def _take(self, caption: Caption) -> None:
        self.show_run(caption.run, start=caption.start)

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
        self.note.setText(note)

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
        self.moment.setText(self.tr("epoch {epoch:.1f}").format(epoch=epoch))
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
        ball, tools, graphs = self._cards
        self._grid.addWidget(ball, 0, 0, 2 if wide else 1, 1)
        self._grid.addWidget(tools, 0, 1)
        self._grid.addWidget(graphs, 1, 1 if wide else 0, 1, 1 if wide else 2)
        self._grid.setColumnStretch(0, 2)
        self._grid.setColumnStretch(1, 3 if wide else 2)
        self._grid.setRowStretch(0 if not wide else 1, 1)
        self._grid.setRowStretch(1 if not wide else 0, 0)
        self.sliders.place_meanings(beside=wide)

    def hideEvent(self, event: QHideEvent) -> None:
        self.stop()
        super().hideEvent(event)


def _between(start: NDArray[np.float32], end: NDArray[np.float32], part: float) -> NDArray[np.float32]:
    """Return unit vectors on the way from one moment to the next."""
    if part == 0:
        return start
    mixed = (1 - part) * start + part * end
    made: NDArray[np.float32] = mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-6)
    return made
