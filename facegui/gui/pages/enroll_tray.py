"""The tray: whose samples, which samples, what to know before they are saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QStackedLayout, QWidget

from facegui.faces.types import Image
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.enroll_reading import Sample
from facegui.gui.pages.enroll_warnings import WarningCards
from facegui.gui.widgets.empty_state import Drawing
from facegui.gui.widgets.face_card import CropView, FaceCard
from facegui.gui.widgets.parts import button, card, column, label, row, scrolled
from facegui.gui.widgets.person_picker import PersonPicker
from facegui.gui.widgets.photo_marks import quality_text

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["SampleCard", "Tray"]

COLUMNS: Final = 3
OWN_SHOWN: Final = 7


class SampleCard(FaceCard):
    """A chosen sample.

    Signals
    -------
    focused
        It was clicked, or reached with the keyboard.
    """

    focused = Signal()

    def __init__(self, sample: Sample) -> None:
        super().__init__(side=theme.size("crop") - 3 * theme.size("unit"), removable=True)
        self.sample = sample
        self._place = -1

    def set_place(self, place: int) -> None:
        """Write its place in the tray, from 0, into the caption."""
        if place != self._place:
            self._place = place
            face = self.sample.face
            shown = replace(face.quality, reasons=face.quality.reasons[:1])  # the card has room for the worst one
            self.set_crop(face.crop, self.tr("Sample {0}").format(place + 1), shown)
            self.setToolTip(f"{self.sample.title}\n{quality_text(face.quality)}")
            self.setAccessibleName(self.tr("Sample {0}, {1}").format(place + 1, self.sample.title))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()


class Tray(QFrame):
    """Name, existing samples, new samples, warnings.

    Signals
    -------
    changed
        Name or samples are others now.
    removed(Sample)
        The user took a sample out.
    looked_at(int)
        Number of the photo of a sample that the user wants to see.
    confirmed
        Enter was pressed in the name field.
    verify_wanted(int)
        The person who was saved just now shall be verified.
    """

    changed = Signal()
    removed = Signal(object)
    looked_at = Signal(int)
    confirmed = Signal()
    verify_wanted = Signal(int)

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self.setFixedWidth(theme.size("inspector") + 7 * theme.size("unit"))
        self._cards: list[SampleCard] = []
        self.name = PersonPicker(self.tr("Name of the person"))
        self.name.textChanged.connect(self._name_changed)
        self.name.confirmed.connect(lambda _text: self.confirmed.emit())
        self.note = label("", "muted", wrap=True)
        self._own = QWidget()
        self._own_row = row(gap="half")
        self._own.setLayout(self._own_row)
        self.saved = self._saved_card()
        self._count = label(self.tr("Samples"), "heading")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.size("unit"))
        inner = QWidget()
        holder = column()
        holder.addLayout(self._grid)
        holder.addStretch(1)
        inner.setLayout(holder)
        self._area = scrolled(inner, self.tr("Samples"))
        self._empty = label(self.tr("The faces that you choose appear here."), "muted", wrap=True)
        self._places = QStackedLayout()
        empty = QWidget()
        empty.setLayout(column(self._empty, None))
        self._places.addWidget(empty)
        self._places.addWidget(self._area)
        self.warnings = WarningCards(services, bridge)
        self.warnings.leave_out.connect(self._leave_out)
        self.warnings.look_at.connect(self._look_at)
        self.warnings.add_to.connect(self.name.set_person)
        layout = column(self.name, self.note, self._own, self.saved, self._count, margin="unit")
        layout.insertSpacing(layout.indexOf(self._count), theme.size("half"))
        layout.addLayout(self._places, 1)
        layout.addWidget(self.warnings)
        self.setLayout(layout)
        self.set_own((), 0)
        self._arrange()

    def _saved_card(self) -> QFrame:
        self._saved_words = label("", wrap=True)
        self._saved_id = -1
        verify = button(self.tr("Verify"), lambda: self.verify_wanted.emit(self._saved_id), role="link")
        line = QWidget()
        sign = Drawing("check", "match")
        sign.setFixedSize(theme.size("badge"), theme.size("badge"))
        layout = row(sign, gap="unit")
        layout.addWidget(self._saved_words, 1)
        layout.addWidget(verify)
        line.setLayout(layout)
        result = card(line, role="info-bar", margin="half")
        result.hide()
        return result

    # --- the person ---------------------------------------------------------------------------------------

    def set_own(self, crops: Sequence[Image], count: int) -> None:
        """Show samples that the person has already, best first."""
        while (item := self._own_row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for crop in crops[:OWN_SHOWN]:
            view = CropView(side=theme.size("control"))
            view.set_image(crop)
            self._own_row.addWidget(view)
        if count > OWN_SHOWN:
            self._own_row.addWidget(label(f"+{count - OWN_SHOWN}", "small"))
        self._own_row.addStretch(1)
        self._own.setVisible(bool(crops))
        self._own.setAccessibleName(self.tr("Samples in the gallery"))

    def set_note(self, text: str, role: str = "muted") -> None:
        """Write the line below the name."""
        self.note.setText(text)
        theme.set_role(self.note, role)
        self.note.setVisible(bool(text))

    def _name_changed(self) -> None:
        if self.name.text():
            self.saved.hide()
        self.changed.emit()

    def show_saved(self, person_id: int, text: str) -> None:
        """Say what was saved, and empty the tray."""
        self.clear()
        self._saved_id = person_id
        self._saved_words.setText(text)
        self.saved.show()

    # --- the samples --------------------------------------------------------------------------------------

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, in the order of the tray."""
        return tuple(item.sample for item in self._cards)

    @property
    def cards(self) -> tuple[SampleCard, ...]:
        """Their cards."""
        return tuple(self._cards)

    def put(self, sample: Sample) -> None:
        """Add a sample, or replace the one of the same photo in its place."""
        self.saved.hide()
        item = SampleCard(sample)
        item.removed.connect(lambda: self.take_out(sample.number))
        item.focused.connect(lambda: self.looked_at.emit(sample.number))
        for place, old in enumerate(self._cards):
            if old.sample.number == sample.number:
                self._cards[place] = item
                self._drop(old)
                break
        else:
            self._cards.append(item)
        self._arrange()
        self.changed.emit()

    def take_out(self, number: int) -> None:
        """Remove a sample because the user wants it."""
        found = next((item.sample for item in self._cards if item.sample.number == number), None)
        if found is not None:
            self.remove(number)
            self.removed.emit(found)

    def remove(self, number: int) -> None:
        """Remove the sample of a photo."""
        for item in self._cards:
            if item.sample.number == number:
                self._cards.remove(item)
                self._drop(item)
                self._arrange()
                self.changed.emit()
                return

    def clear(self) -> None:
        """Remove the name and all samples."""
        for item in self._cards:
            self._drop(item)
        self._cards.clear()
        self.name.clear()
        self._arrange()
        self.changed.emit()

    def _drop(self, item: SampleCard) -> None:
        self._grid.removeWidget(item)
        item.hide()
        item.deleteLater()

    def _arrange(self) -> None:
        for place, item in enumerate(self._cards):
            item.set_place(place)
            self._grid.addWidget(item, place // COLUMNS, place % COLUMNS, Qt.AlignmentFlag.AlignTop)
        self._grid.setColumnStretch(COLUMNS, 1)
        count = len(self._cards)
        words = self.tr("1 new sample") if count == 1 else self.tr("{0} new samples").format(count)
        self._count.setText(words if count else self.tr("New samples"))
        self._places.setCurrentIndex(1 if count else 0)

    def _leave_out(self, places: tuple[int, ...]) -> None:
        for number in [self._cards[place].sample.number for place in places if place < len(self._cards)]:
            self.take_out(number)

    def _look_at(self, place: int) -> None:
        if place < len(self._cards):
            item = self._cards[place]
            self._area.ensureWidgetVisible(item)
            item.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.warnings.refit()

    def labels(self) -> tuple[QLabel, ...]:
        """Return note, count and words of what was saved, for tests."""
        return self.note, self._count, self._saved_words
