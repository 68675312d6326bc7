"""Choosing an enrolled person by their face, and the offer of the one who looks most like the probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.item_models import FaceRow
from facegui.gui.thumbnails import face_thumbnails
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.face_grid import FaceGrid
from facegui.gui.widgets.parts import column, row
from facegui.matching.wording import format_similarity

if TYPE_CHECKING:
    from facegui.services import Candidate, Services

__all__ = ["PersonChooser"]


class PersonChooser(QWidget):
    """A grid of everybody enrolled, with a line above it for the most similar person.

    Signals
    -------
    chosen(int)
        Id of the person who was clicked.
    enrollWanted
        The button shown while nobody is enrolled.
    """

    chosen = Signal(int)
    enrollWanted = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._suggested: Candidate | None = None
        self._matches = False
        self._faces = face_thumbnails(services, bridge, self)
        self._faces.loaded.connect(self._show_suggestion)
        self.grid = FaceGrid(self._faces, side=3 * theme.size("control"), name=self.tr("Enrolled people"))
        self.grid.clicked.connect(lambda index: self._take_row(index.row()))
        self.grid.opened.connect(self._take_row)
        self.suggestion = Chip()
        self.suggestion.clicked.connect(lambda _checked=False: self.take_suggestion())
        self.suggestion.hide()
        self._hint = ElidedLabel("muted")
        self._hint.setFixedHeight(self.suggestion.sizeHint().height())
        self._hint.show_text(self.tr("Choose a person."))
        top = row(self.suggestion, gap="")
        top.addWidget(self._hint, 1)
        body = column(gap="half")
        body.addLayout(top)
        body.addWidget(self.grid, 1)
        people = QWidget()
        people.setLayout(body)
        self._nobody = EmptyState("people", self.tr("Reading the gallery…"))
        self._nobody.activated.connect(self.enrollWanted)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._nobody)
        self._stack.addWidget(people)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    @property
    def suggested(self) -> Candidate | None:
        """The person offered."""
        return self._suggested

    def set_people(self, people: Sequence[PersonRecord]) -> None:
        """Offer these people, or say that nobody is enrolled."""
        self._faces.clear()
        self.grid.set_rows([
            FaceRow(p.cover_face_id, p.name, detail=self._samples_text(p.samples), person_id=p.id) for p in people
        ])  # fmt: skip
        self._stack.setCurrentIndex(1 if people else 0)
        self._nobody.show_state(
            "people", self.tr("Nobody is enrolled yet"),
            self.tr("Enroll a person first, or choose Photo above to compare two photos."),
            self.tr("Enroll a person"),
        )  # fmt: skip

    def suggest(self, candidate: Candidate | None, matches: bool) -> None:
        """Offer the most similar person; `matches`: at or above the threshold, or unsure."""
        self._suggested, self._matches = candidate, matches
        self.suggestion.setVisible(candidate is not None)
        self._hint.show_text(self.tr("Choose a person.") if candidate is None else "")
        self._show_suggestion()

    def take_suggestion(self) -> bool:
        """Choose the person offered; False when nobody is."""
        if self._suggested is None:
            return False
        self.chosen.emit(self._suggested.person_id)
        return True

    def _show_suggestion(self) -> None:
        """Write the most similar person on the chip, the name shortened to the room."""
        candidate = self._suggested
        if candidate is None:
            return
        roomy = self.width() > 2 * theme.size("tile") + theme.size("crop") // 2
        lead = self.tr("Looks most like:") if roomy else self.tr("Most like:")
        if not self._matches:
            lead = self.tr("Nearest:")
        score = format_similarity(candidate.similarity)
        metrics = self.suggestion.fontMetrics()
        taken = metrics.horizontalAdvance(f"{lead}   {score}") + theme.size("drawing")
        name = metrics.elidedText(candidate.name, Qt.TextElideMode.ElideRight, max(0, self.width() - taken))
        self.suggestion.setText(f"{lead} {name}  {score}")
        self.suggestion.setToolTip(self.tr("Compare with {0}").format(candidate.name))
        self.suggestion.setAccessibleName(f"{lead} {candidate.name} {score}")
        picture = self._faces.get(candidate.nearest_face_id)
        if picture is not None:
            self.suggestion.set_picture(picture.toImage())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_suggestion()

    def _samples_text(self, count: int) -> str:
        return self.tr("1 sample") if count == 1 else self.tr("{0} samples").format(count)

    def _take_row(self, index: int) -> None:
        shown = self.grid.row(index)
        if shown is not None and shown.person_id is not None:
            self.chosen.emit(shown.person_id)
