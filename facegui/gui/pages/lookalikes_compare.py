"""Beside the grid: the probe and the chosen face next to each other, and what is known of the photo."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QWidget

from facegui.faces.align import crop_points
from facegui.faces.types import Landmarks, Outcome
from facegui.gallery.records import FaceRecord, PhotoRecord
from facegui.gui import theme
from facegui.gui.local_text import date_text, size_text
from facegui.gui.widgets.decision_badge import DecisionBadge
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.face_card import CropView
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import button, column, label, row
from facegui.gui.widgets.photo_marks import quality_text
from facegui.gui.widgets.score_scale import ScoreScale
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Rule, decide, explain
from facegui.matching.wording import format_similarity
from facegui.sources.files import shown_name

__all__ = ["CompareInspector"]


class CompareInspector(InspectorPanel):
    """Two crops, score, scale, sentence; then file, date, size; then what can be done.

    Signals
    -------
    showPhoto, openPhoto, revealPhoto, copyPhoto, searchFace
        The buttons.
    """

    showPhoto = Signal()
    openPhoto = Signal()
    revealPhoto = Signal()
    copyPhoto = Signal()
    searchFace = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._calibration: Calibration | None = None
        self._rule: Rule | None = None
        self._similarity: float | None = None
        self.probe = CropView(side=theme.size("tile"))
        self.hit = CropView(side=theme.size("tile"))
        self._probe_points: Landmarks | None = None
        self._hit_points: Landmarks | None = None
        self.points = QCheckBox(self.tr("Show the points that align the faces"))
        self.points.toggled.connect(self._show_points)
        self._probe_name = ElidedLabel("small", mode=Qt.TextElideMode.ElideMiddle)
        self._hit_name = ElidedLabel("small", mode=Qt.TextElideMode.ElideMiddle)
        self.score = label("", "score")
        self.score.setFont(theme.font("score", bold=True, tabular=True))
        self.badge = DecisionBadge(kind="emphasis")
        self.scale = ScoreScale(compact=True)
        self._meaning = label("", "muted", wrap=True)
        self._empty = label(self.tr("Choose a face in the grid to compare it here."), "muted", wrap=True)
        crops = row(gap="unit")
        for crop, name in ((self.probe, self._probe_name), (self.hit, self._hit_name)):
            name.setFixedWidth(theme.size("tile"))
            name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            crops.addLayout(column(crop, name, gap="half"))
        crops.addStretch(1)
        layout = column(gap="unit")
        layout.addLayout(crops)
        layout.addWidget(self.points)
        layout.addLayout(row(self.score, None, self.badge))
        layout.addWidget(self.scale)
        layout.addWidget(self._meaning)
        self._actions = (
            button(self.tr("Show the photo"), self.showPhoto.emit, icon="photo"),
            button(self.tr("Look for this face"), self.searchFace.emit, icon="search"),
            button(self.tr("Open"), self.openPhoto.emit, tip=self.tr("Open the photo with the system's viewer (O)")),
            button(self.tr("Folder"), self.revealPhoto.emit, tip=self.tr("Show the photo in its folder (F)")),
            button(self.tr("Copy"), self.copyPhoto.emit, tip=self.tr("Copy the file and the comparison (Ctrl+C)")),
        )
        for item in self._actions[:2]:
            layout.addWidget(item)
        layout.addLayout(row(*self._actions[2:], gap="unit"))
        self._compare = QWidget()
        self._compare.setLayout(layout)
        holder = QWidget()
        holder.setLayout(column(self._compare, self._empty, gap=""))
        self._section = self.tr("Side by side")
        self._photo_section = self.tr("Photo")
        self.set_widget(self._section, holder)
        self.show_hit(None, None, None)

    def set_calibration(self, calibration: Calibration | None, target_fmr: float) -> None:
        """Show similarities on the scale of this calibration."""
        self._calibration = calibration
        self.scale.set_calibration(calibration, target_fmr)

    def set_rule(self, rule: Rule | None) -> None:
        """Decide by this rule from now on, also on the face that is shown."""
        self._rule = rule
        if rule is not None:
            self.scale.set_threshold(rule.threshold)
        self._decide()

    def set_probe(self, crop: QImage | None, name: str, points: Landmarks | None = None) -> None:
        """Show whose lookalikes these are; points in pixels of the crop, where they are known."""
        self.probe.set_image(crop)
        self._probe_points = points
        self._show_points()
        self._probe_name.show_text(name)

    @property
    def sides(self) -> tuple[tuple[QImage | None, str], tuple[QImage | None, str]]:
        """Crop and name of both."""
        return (self.probe.image, self._probe_name.full), (self.hit.image, self._hit_name.full)

    def show_hit(
        self, similarity: float | None, record: FaceRecord | None, photo: PhotoRecord | None,
        crop: QImage | None = None, person: str = "",
    ) -> None:  # fmt: skip
        """Show a face of the ranking; without a similarity, nothing."""
        shown = similarity is not None
        self._similarity = similarity
        self._compare.setVisible(shown)
        self._empty.setVisible(not shown)
        if similarity is None:
            self.remove(self._photo_section)
            return
        self.hit.set_image(crop)
        self._hit_points = crop_points(record.landmarks) if record is not None else None
        self._show_points()
        self.score.setText(format_similarity(similarity))
        self.score.setAccessibleName(self.tr("Similarity {0}").format(format_similarity(similarity)))
        self.scale.set_similarity(similarity)
        self._decide()
        self._hit_name.show_text(person or (shown_name(record.path) if record else ""))
        self._show_photo(record, photo, person)
        for item in self._actions:
            item.setEnabled(record is not None)

    def _show_points(self) -> None:
        shown = self.points.isChecked()
        self.probe.set_points(self._probe_points if shown else None)
        self.hit.set_points(self._hit_points if shown else None)

    def _decide(self) -> None:
        similarity = self._similarity
        if similarity is None:
            return
        outcome = decide(similarity, self._rule) if self._rule is not None else None
        self.hit.set_outcome(outcome)
        self.badge.set_outcome(outcome)
        self.badge.setVisible(outcome is not None)
        self.scale.setVisible(self._calibration is not None)
        self._meaning.setText(self._words(similarity, outcome))

    def _words(self, similarity: float, outcome: Outcome | None) -> str:
        said = explain(similarity, self._rule, self._calibration)
        return said.rate if outcome is not None else said.meaning

    def _show_photo(self, record: FaceRecord | None, photo: PhotoRecord | None, person: str) -> None:
        if record is None:
            self.set_rows(self._photo_section, [(self.tr("File"), self.tr("This face is no longer in the index."))])
            return
        path = Path(record.path)
        rows: list[tuple[str, str]] = [
            (self.tr("File"), shown_name(path)), (self.tr("Folder"), str(path.parent)),
        ]  # fmt: skip
        if person:
            rows.append((self.tr("Enrolled as"), person))
        if photo is not None:
            if photo.taken is not None:
                rows.append((self.tr("Taken"), date_text(photo.taken)))
            elif photo.mtime_ns:
                rows.append((self.tr("Changed"), date_text(datetime.fromtimestamp(photo.mtime_ns / 1e9, UTC))))
            rows.append((self.tr("Size"), f"{photo.width} × {photo.height}, {size_text(photo.size)}"))
            if photo.faces > 1:
                rows.append((self.tr("Faces"), self.tr("{0} in this photo").format(photo.faces)))
        side = round(max(record.box.width, record.box.height))
        rows.append((self.tr("Face"), self.tr("{0} pixels, {1}").format(side, quality_text(record.quality))))
        self.set_rows(self._photo_section, rows)
