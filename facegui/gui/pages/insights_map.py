"""The enrolled samples on a plane: who lies close to whom, and which sample lies apart from its person."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox

from facegui.gallery.records import PersonRecord
from facegui.gui.bridge import Task
from facegui.gui.pages.insights_section import Section
from facegui.gui.thumbnails import face_thumbnails
from facegui.gui.widgets.map_view import MapView
from facegui.gui.widgets.parts import button, card, column, label, row
from facegui.matching.wording import format_share
from facegui.services.insights import SampleMap, map_samples

__all__ = ["MapSection"]


class MapSection(Section):
    """A map by PCA or t-SNE, made off the UI thread; making one can be cancelled here and in the status strip."""

    def build(self) -> None:
        self._task: Task | None = None
        self._shown: tuple[int, str] | None = None  # kind and words of the map that is on the page
        self.kind = QComboBox()
        self.kind.setAccessibleName(self.tr("Kind of map"))
        self.kind.addItem(self.tr("t-SNE: neighbours"), "tsne")
        self.kind.addItem(self.tr("PCA: the two widest directions"), "pca")
        self.kind.currentIndexChanged.connect(lambda _index: self._make())
        self.words = label("", "muted", wrap=True)
        self.cancel = button(self.tr("Cancel"), self._cancel, role="link")
        self.again = button(self.tr("Draw the map"), self._make, role="link")
        self.thumbnails = face_thumbnails(self.services, self.bridge, self)
        self.view = MapView(self.thumbnails)
        self.view.chosen.connect(self._open)
        self._fresh = False
        frame = card(self.view, role="card", margin="half")
        head = row(label(self.tr("Map by")), self.kind, self.words, self.cancel, self.again)
        head.setStretch(2, 1)
        body = column()
        body.addLayout(head)
        body.addWidget(frame, 1)
        body.addWidget(
            label(
                self.tr("A point is a sample, a colour a person. A sample far from its own colour is worth a look. "
                        "A plane cannot show all distances: the scores decide, not the map."),
                "small", wrap=True,
            )
        )  # fmt: skip
        self.content.setLayout(body)
        self._offer()
        self.empty.activated.connect(lambda: self.navigate.emit("enroll", None))

    def activate(self) -> None:
        if not self._fresh:
            self._make()

    def refresh(self) -> None:
        self._fresh = False
        if self.isVisible():
            self._make()

    def _open(self, person_id: int) -> None:
        """Show a person on the People page."""
        people = self.services.gallery.people

        def found(everybody: Sequence[PersonRecord]) -> None:
            for person in everybody:
                if person.id == person_id:
                    self.navigate.emit("people", person)

        self.bridge.run(self, people, found, newest="person")

    def _make(self) -> None:
        self._fresh = True
        self.error.dismiss()
        self.words.setText(self.tr("Drawing the map…"))
        self._task = task = self.bridge.start(
            self, map_samples(self.services, self.kind.currentData()), on_done=self._show, on_error=self._failed,
            on_cancelled=lambda: self._cancelled(task), newest="map", title=self.tr("Drawing the map"),
        )  # fmt: skip
        self._offer()

    def _offer(self, *, again: bool = False) -> None:
        """Show the button that belongs to the state of the work."""
        self.cancel.setVisible(self._task is not None)
        self.again.setVisible(again)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self.words.setText(self.tr("Cancelling…"))

    def _cancelled(self, task: Task) -> None:
        """Go back to the map before, unless a newer one is on its way: that one overtook this."""
        if task is self._task:
            self._go_back(self.tr("Not drawn: it was cancelled."))

    def _failed(self, error: Exception) -> None:
        self._fresh = False
        self._go_back(self.tr("Not drawn."))
        self.show_error(error)

    def _go_back(self, words: str) -> None:
        """Offer to draw again; what is written fits the map that is still there, if one is."""
        self._task = None
        self._offer(again=True)
        if self._shown is not None:
            kind, words = self._shown
            with QSignalBlocker(self.kind):
                self.kind.setCurrentIndex(kind)
        self.words.setText(words)

    def _show(self, made: SampleMap | None) -> None:
        self._task = None
        self._offer()
        if made is None:
            self._shown = None
            self.words.clear()
            self.show_empty(
                "people", self.tr("Nothing to map yet"),
                self.tr("The map shows the samples of the enrolled people, alike ones close together. "
                        "It takes three samples."),
                self.tr("Enroll someone"),
            )  # fmt: skip
            return
        words = self.tr("{samples:,} samples of {people:,} people")
        if len(made.face_ids) < made.all_samples:
            words = self.tr("{samples:,} of {all:,} samples, drawn at random, of {people:,} people")
        text = words.format(
            samples=len(made.face_ids), people=len(set(made.person_ids.tolist())), all=made.all_samples
        )  # fmt: skip
        if isfinite(made.variance):
            text += self.tr("; the plane shows {share} of how they differ").format(share=format_share(made.variance, 0))
        self._shown = self.kind.currentIndex(), text
        self.words.setText(text)
        self.view.show_map(made)
        self.show_content()
