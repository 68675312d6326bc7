"""Three plots side by side, with what they say at the threshold that is looked at."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import card, column, label
from facegui.gui.widgets.rate_plots import DetPlot, RatePlot, RocPlot, ScorePlot
from facegui.matching.calibration import Rate
from facegui.matching.error_curves import ErrorCurves
from facegui.matching.wording import (
    EN_DASH,
    format_interval,
    format_limit,
    format_rate,
    format_share,
    format_similarity,
)

__all__ = ["RatePanel", "ranged"]


def ranged(rate: Rate) -> str:
    """Return a share with its interval: ``1.49 % (0.80–2.63 %)``."""
    low, high = format_share(rate.low), format_share(rate.high)
    return f"{format_share(rate.value)} ({low.removesuffix(' %')}{EN_DASH}{high})"


class RatePanel(QWidget):
    """Histogram, ROC and DET; the pointer on the histogram looks at another threshold in all three."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves: ErrorCurves | None = None
        self._own: float | None = None
        self._wide: bool | None = None
        self.at = label("", "emphasis", wrap=True)
        self.scores, self.roc, self.det = ScorePlot(), RocPlot(), DetPlot()
        self.plots: tuple[RatePlot, ...] = (self.scores, self.roc, self.det)
        self.notes = tuple(label("", "small", wrap=True) for _ in self.plots)
        titles = (self.tr("Scores"), self.tr("ROC: same person found, %"), self.tr("DET: same person missed, %"))
        self._cards = []
        for title, plot, note in zip(titles, self.plots, self.notes, strict=True):
            part = card(role="card")
            inner = column(label(title, "emphasis"), plot, note, gap="half")
            inner.setStretch(1, 1)
            part.layout().addLayout(inner)  # type: ignore[union-attr]
            self._cards.append(part)
        self.scores.looked.connect(self.look_at)
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.size("unit"))
        self._grid.setContentsMargins(0, 0, 0, 0)
        body = column(self.at)
        body.addLayout(self._grid, 1)
        self.setLayout(body)
        self._arrange(wide=True)

    def show_curves(
        self, curves: ErrorCurves, threshold: float | None, equal: Rate | None = None, *, at_most: bool = False
    ) -> None:
        """Show curves; without a threshold, where both rates are equal.

        Parameters
        ----------
        equal : Rate or None
            That rate, where it is known better than the curves tell it.
        at_most : bool
            Whether there may be fewer people than were counted, and the intervals be too narrow.
        """
        found, place = curves.eer()
        rate = equal or found
        self.curves, self._own = curves, place if threshold is None else threshold
        for plot in self.plots:
            plot.show_curves(curves, self._own)
        pairs = self.tr("{genuine:,} pairs of one person, {impostor:,} of two.")
        people = self.tr("95\u00a0% intervals, as {people:,} people and {pairs:,} pairs of people allow.")
        if at_most:
            people = self.tr(
                "95\u00a0% intervals, as at most {people:,} people and {pairs:,} pairs of people allow; they may be "
                "too narrow."
            )
        limit = self.tr("Shaded: rarer than {limit}, too few pairs of people.").format(
            limit=format_limit(curves.smallest_claim)
        )
        counted = pairs.format(genuine=curves.genuine_pairs, impostor=curves.impostor_pairs)
        allowed = people.format(people=curves.people, pairs=curves.identity_pairs)
        equal_words = self.tr("Equal error rate {rate}.").format(rate=ranged(rate))
        for note, text in zip(self.notes, (counted, f"{allowed} {limit}", f"{equal_words} {allowed}"), strict=True):
            note.setText(text)
        self._say(self._own)

    def look_at(self, threshold: float) -> None:
        """Mark another threshold."""
        for plot in self.plots:
            plot.look_at(threshold)
        self._say(threshold)

    def _say(self, threshold: float) -> None:
        curves = self.curves
        if curves is None:
            return
        fmr = curves.fmr.at(curves.thresholds, threshold)
        fnmr = curves.fnmr.at(curves.thresholds, threshold)
        strangers = self.tr("no stranger")
        if fmr.value > 0:
            strangers = self.tr("{rate} strangers").format(rate=format_rate(min(1.0, fmr.value)))
        interval = format_interval(max(fmr.value, fmr.high), fmr.low, fmr.high)
        words = self.tr("At {threshold}: {strangers} accepted ({interval}), {missed} of the same person missed.")
        self.at.setText(
            words.format(
                threshold=format_similarity(threshold), strangers=strangers, interval=interval, missed=ranged(fnmr)
            )
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the plots one below the other where they do not fit side by side."""
        super().resizeEvent(event)
        self._arrange(wide=self.width() >= theme.size("plots_wide"))

    def _arrange(self, *, wide: bool) -> None:
        if wide is self._wide:
            return
        self._wide = wide
        for number, part in enumerate(self._cards):
            self._grid.addWidget(part, 0 if wide else number // 2, number if wide else number % 2)
        for place in range(3):
            self._grid.setColumnStretch(place, 1 if wide or place < 2 else 0)
