"""How well the model in use tells people apart: by its calibration, and among the people enrolled here."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QComboBox

from facegui.gui.pages.insights_section import Section
from facegui.gui.pages.rate_panel import RatePanel, ranged
from facegui.gui.widgets.parts import column, label, row
from facegui.matching.calibration import Calibration, Condition
from facegui.matching.error_curves import of_calibration
from facegui.matching.wording import format_limit, format_rate, format_similarity
from facegui.services.insights import GalleryScores, gallery_scores

__all__ = ["ModelSection"]

_GALLERY: Final = "gallery"


class ModelSection(Section):
    """Histogram, ROC and DET of a calibration, or of the gallery."""

    def build(self) -> None:
        self.chooser = QComboBox()
        self.chooser.setAccessibleName(self.tr("Scores of"))
        self.chooser.currentIndexChanged.connect(lambda _index: self._show())
        self.words = label("", "muted", wrap=True)
        self.points = label("", "small", wrap=True)
        self.panel = RatePanel()
        self._found: GalleryScores | None = None
        self._fresh = False
        body = column(gap="unit")
        head = row(label(self.tr("Scores of")), self.chooser, self.words)
        head.setStretch(2, 1)
        body.addLayout(head)
        body.addWidget(self.panel, 1)
        body.addWidget(self.points)
        self.content.setLayout(body)
        self.empty.activated.connect(lambda: self.navigate.emit("enroll", None))

    def activate(self) -> None:
        if not self._fresh:
            self._fresh = True
            self._fill()

    def refresh(self) -> None:
        self._fresh, self._found = False, None
        if self.isVisible():
            self.activate()

    def _fill(self) -> None:
        """Offer the calibrations of the model in use, and the gallery."""
        names = {
            Condition.FRONTAL.value: self.tr("calibration, faces to the camera"),
            Condition.PROFILE.value: self.tr("calibration, one face turned away"),
        }
        wanted = self.chooser.currentData()
        self.chooser.blockSignals(True)
        self.chooser.clear()
        for condition in self.services.calibrations:
            self.chooser.addItem(names.get(condition, condition), condition)
        self.chooser.addItem(self.tr("the people enrolled here"), _GALLERY)
        self.chooser.setCurrentIndex(max(0, self.chooser.findData(wanted)))
        self.chooser.blockSignals(False)
        self._show()

    def choose(self, what: str) -> None:
        """Show the scores of a condition, or of the ``gallery``."""
        self.chooser.setCurrentIndex(self.chooser.findData(what))

    def _show(self) -> None:
        chosen = self.chooser.currentData()
        calibration = self.services.calibrations.get(str(chosen))
        if calibration is not None:
            self._show_calibration(calibration)
        elif self._found is not None:
            self._show_gallery(self._found)
        else:
            self.bridge.start(
                self, gallery_scores(self.services), on_done=self._compared, on_error=self.show_error, newest="scores"
            )

    def _show_calibration(self, calibration: Calibration) -> None:
        rule = self.services.rule()
        frontal = calibration.condition is Condition.FRONTAL
        threshold = rule.threshold if rule is not None and frontal else None
        if threshold is None:
            threshold = calibration.threshold_for(self.services.settings.target_fmr)
        self.words.setText(
            self.tr("{model}: {photos:,} photos of {people:,} people ({source})").format(
                model=self.services.model.title, photos=calibration.photos, people=calibration.people,
                source=calibration.source,
            )
        )  # fmt: skip
        lines = []
        for point in calibration.operating_points:
            line = self.tr("{rate}: threshold {threshold} ({low}–{high}), {missed} missed").format(
                rate=format_rate(point.fmr), threshold=format_similarity(point.threshold, 3),
                low=format_similarity(point.threshold_low, 3), high=format_similarity(point.threshold_high, 3),
                missed=ranged(calibration.fnmr_at(point.threshold)),
            )  # fmt: skip
            if not point.supported:
                limit = format_limit(calibration.smallest_claim)
                line += self.tr(" — extrapolated: so few people support no rate below {limit}").format(limit=limit)
            lines.append(line)
        self.points.setText("\n".join(lines))
        self.panel.show_curves(of_calibration(calibration), threshold)
        self.show_content()

    def _compared(self, found: GalleryScores) -> None:
        self._found = found
        if self.chooser.currentData() == _GALLERY:
            self._show_gallery(found)

    def _show_gallery(self, found: GalleryScores) -> None:
        if found.curves is None:
            self.show_empty(
                "insights", self.tr("Too few samples to compare"),
                self.tr("This shows how alike the samples of one person are, and those of two. "
                        "It takes two people, one of them with two samples."),
                self.tr("Enroll someone"),
            )  # fmt: skip
            return
        rule = self.services.rule()
        words = self.tr("{samples:,} samples of {people:,} people, all with all")
        if found.samples < found.all_samples:
            words = self.tr("{samples:,} of {all:,} samples, drawn at random, of {people:,} people, all with all")
        self.words.setText(words.format(samples=found.samples, people=found.people, all=found.all_samples))
        self.points.setText(
            self.tr("Samples that were chosen for enrolment are better than what a camera sees, and those of one "
                    "session are alike: this shows mix-ups in the gallery, not how often the program errs.")
        )  # fmt: skip
        self.panel.show_curves(found.curves, rule.threshold if rule is not None else None)
        self.show_content()
