"""A person's samples as cards: crop, file, quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from facegui.gallery.records import SampleRecord
from facegui.gui import theme
from facegui.gui.widgets.face_card import FaceCard
from facegui.gui.widgets.flow_layout import FlowLayout
from facegui.gui.widgets.parts import button, column
from facegui.sources.files import shown_name

__all__ = ["SampleCard", "SampleCards"]

_AT_ONCE: Final = 60


class SampleCard(FaceCard):
    """One sample. A click or Space chooses it, a double click or Enter opens its photo.

    Signals
    -------
    opened
        The photo is wanted.
    """

    opened = Signal()

    def __init__(self, sample: SampleRecord, parent: QWidget | None = None) -> None:
        super().__init__(parent, selectable=True)
        self.face_id = sample.face_id
        name = shown_name(sample.photo_path)
        self.set_crop(sample.crop, name, sample.quality)
        self.setToolTip(sample.photo_path)

    def set_checked(self, checked: bool) -> None:
        """Choose it or not; a sample that is not chosen is as good as one that is, so it is not drawn pale."""
        super().set_checked(checked)
        self.crop.set_dimmed(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class SampleCards(QWidget):
    """All samples of a person.

    Signals
    -------
    chosenMoved
        `chosen` is another.
    opened(int)
        Id of the face whose photo is wanted.
    """

    chosenMoved = Signal()
    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: tuple[SampleRecord, ...] = ()
        self.cards: list[SampleCard] = []
        self._place = QWidget()
        self._flow = FlowLayout(theme.size("unit"), self._place)
        self._more = button("", lambda: self._fill(len(self._samples)), role="link")
        self.setLayout(column(self._place, self._more, None, gap="unit"))
        self.setAccessibleName(self.tr("Samples"))

    @property
    def chosen(self) -> list[int]:
        """Ids of the faces chosen."""
        return [card.face_id for card in self.cards if card.checked]

    @property
    def samples(self) -> tuple[SampleRecord, ...]:
        """All samples, shown or not."""
        return self._samples

    def show_samples(self, samples: Sequence[SampleRecord]) -> None:
        """Show these; those that were chosen and are still there stay chosen."""
        chosen = set(self.chosen)
        self._clear()
        self._samples = tuple(samples)
        self._fill(min(len(samples), max(_AT_ONCE, len(chosen))))
        for card in self.cards:
            card.set_checked(card.face_id in chosen)
        self.chosenMoved.emit()

    def choose(self, face_ids: Sequence[int]) -> None:
        """Choose these and no others."""
        for card in self.cards:
            card.set_checked(card.face_id in face_ids)
        self.chosenMoved.emit()

    def choose_all(self) -> None:
        """Choose all samples."""
        self._fill(len(self._samples))
        self.choose([sample.face_id for sample in self._samples])

    def _fill(self, count: int) -> None:
        for sample in self._samples[len(self.cards) : count]:
            card = SampleCard(sample)
            card.toggled.connect(lambda _checked: self.chosenMoved.emit())
            card.opened.connect(lambda face_id=sample.face_id: self.opened.emit(face_id))
            self._flow.addWidget(card)
            self.cards.append(card)
        self._more.setVisible(len(self.cards) < len(self._samples))
        self._more.setText(self.tr("Show all {0} samples").format(f"{len(self._samples):,}"))
        self._place.updateGeometry()

    def _clear(self) -> None:
        for card in self.cards:
            self._flow.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
