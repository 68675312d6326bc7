"""The left side of the comparison: who it should be, as an enrolled person or as a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from facegui.faces.types import Face, Timings
from facegui.gallery.records import PersonRecord, SampleRecord
from facegui.gui.bridge import Bridge
from facegui.gui.pages.verify_asking import Question
from facegui.gui.pages.verify_chooser import PersonChooser
from facegui.gui.pages.verify_photo import PhotoPlace
from facegui.gui.pages.verify_portrait import Portrait, load_portrait
from facegui.gui.pages.verify_side import Side
from facegui.gui.widgets.parts import button, row
from facegui.gui.widgets.person_picker import PersonPicker
from facegui.gui.widgets.photo_view import PhotoView
from facegui.matching.decision import Outcome

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["ClaimSide"]

PERSON: Final = "person"
PHOTO: Final = "photo"


class ClaimSide(Side):
    """An enrolled person, chosen from faces or by name, or a photo.

    Signals
    -------
    openWanted
        A photo is to be opened for this side.
    portraitShown
        The samples of the chosen person are there.
    """

    openWanted = Signal()
    portraitShown = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._people: dict[int, PersonRecord] = {}
        self._person: PersonRecord | None = None
        self._samples: dict[int, SampleRecord] = {}
        self._nearest: int | None = None
        self._problem = ""
        self.picker = PersonPicker(self.tr("Type a name"))
        self.picker.setClearButtonEnabled(False)  # the side has its own
        self.picker.picked.connect(self.choose)
        self.picker.textChanged.connect(self._typed)
        self.open = button(self.tr("Open…"), self.openWanted.emit, icon="open")
        opening = QWidget()
        opening.setLayout(row(self.open, None))
        self.tools.addWidget(self.picker)
        self.tools.addWidget(opening)
        self.chooser = PersonChooser(services, bridge)
        self.chooser.chosen.connect(self.choose)
        self.portrait = PhotoView()
        self.photo = PhotoPlace(services, bridge)
        self.photo.set_empty_words(
            "photo", self.tr("Who should it be?"), self.tr("Drop a photo of this person here."), self.tr("Open a photo")
        )
        self.photo.openWanted.connect(self.openWanted)
        self.photo.changed.connect(self._photo_changed)
        for place in (self.chooser, self.portrait, self.photo):
            self.places.addWidget(place)
        self.add_kinds(self.tr("Who it should be"), [(PERSON, self.tr("Person")), (PHOTO, self.tr("Photo"))])

    @property
    def person(self) -> PersonRecord | None:
        """The person chosen, while the kind is a person."""
        return self._person if self.kind == PERSON else None

    @property
    def complete(self) -> bool:
        """Tell whether there is a person or a face to compare with."""
        return self._person is not None if self.kind == PERSON else self.photo.face is not None

    @property
    def nearest_sample(self) -> SampleRecord | None:
        """The sample of the chosen person whose crop is shown."""
        return self._samples.get(self._nearest) if self.person is not None and self._nearest is not None else None

    def question(self, probe: Face, source: str, timings: Timings) -> Question | None:
        """Return what to ask about a face; None while a photo without a face is claimed."""
        if self.kind == PERSON:
            return Question(probe, None, self._person.id if self._person else None, timings, source)
        if self.photo.face is None:
            return None
        return Question(probe, self.photo.face, None, timings, source, self.photo.source)

    def concerns(self, question: Question) -> bool:
        """Tell whether a question was asked about what is claimed now."""
        if self.kind == PHOTO:
            return question.claim is not None and question.claim is self.photo.face
        return question.claim is None and question.person_id == (self._person.id if self._person else None)

    def set_people(self, people: Sequence[PersonRecord]) -> None:
        """Offer these people; a chosen one who is gone is let go, one who changed is read again."""
        self._people = {person.id: person for person in people}
        self.chooser.set_people(people)
        self.picker.set_people([(person.id, person.name) for person in people])
        before = self._person
        if before is not None and before.id not in self._people:
            self._forget()
            self.changed.emit()
        elif before is not None and _seen(before) != _seen(self._people[before.id]):
            self._read(self._people[before.id])
            self.picker.set_person(before.id)
            self.changed.emit()
        self.show_kind()

    def choose(self, person_id: int) -> bool:
        """Claim an enrolled person; False when nobody of that id is known."""
        person = self._people.get(person_id)
        if person is None or (self._person is not None and self._person.id == person_id and self.kind == PERSON):
            return person is not None
        self._forget()
        self.kind = PERSON  # before the name is shown, which asks again
        self.portrait.set_image(None)
        self._read(person)
        self.picker.set_person(person_id)
        self.set_kind(PERSON)
        self.changed.emit()
        return True

    def take_suggestion(self) -> bool:
        """Claim the person offered as most similar; False when nobody is."""
        return self.kind == PERSON and self._person is None and self.chooser.take_suggestion()

    def show_nearest(self, face_id: int | None) -> None:
        """Show the crop of the sample that is nearest to the probe."""
        if face_id is not None and face_id != self._nearest:
            self._nearest = face_id
            self._show_strip()

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Frame the crop in the colour of a decision."""
        self.strip.set_outcome(outcome)

    def set_problem(self, text: str) -> None:
        """Say why this person cannot be compared; empty when that is over."""
        if text != self._problem:
            self._problem = text
            self._show_strip()

    def clear(self) -> None:
        """Choose nobody, or show no photo."""
        if self.kind == PHOTO:
            self.photo.show_photo(None)
            return
        self._forget()
        self.show_kind()
        self.changed.emit()

    def show_kind(self) -> None:
        """Show the faces to choose from, the person or the photo."""
        self.tools.setCurrentIndex(0 if self.kind == PERSON else 1)
        self.picker.setEnabled(bool(self._people))
        person = self.portrait if self._person is not None else self.chooser
        self.places.setCurrentWidget(self.photo if self.kind == PHOTO else person)
        self._show_strip()

    def _read(self, person: PersonRecord) -> None:
        """Take a person and read their samples."""
        self._person, self._nearest, self._problem = person, person.cover_face_id, ""
        self._bridge.run(
            self, lambda: load_portrait(self._services, person), self._show_portrait, lane="io", newest="portrait"
        )

    def _forget(self) -> None:
        self._person, self._samples, self._nearest, self._problem = None, {}, None, ""
        self.picker.set_person(None)
        self.chooser.grid.clearSelection()

    def _typed(self, text: str) -> None:
        """Let the person go when the name is emptied."""
        if not text and self._person is not None:
            self.clear()

    def _show_portrait(self, portrait: Portrait) -> None:
        if self._person is None:
            return
        self._samples = portrait.samples
        if portrait.image is None:
            self.portrait.set_empty("face", self._person.name, self.tr("This person has no sample."))
        else:
            self.portrait.set_image(portrait.image, portrait.size)
            self.portrait.set_marks((portrait.mark,) if portrait.mark is not None else ())
        self._show_strip()
        self.portraitShown.emit()

    def _photo_changed(self) -> None:
        self._show_strip()
        self.changed.emit()

    def _show_strip(self) -> None:
        if self.kind == PHOTO:
            face = self.photo.face
            self.strip.set_face(face.crop if face else None, self.photo.name, face.quality if face else None)
            self.strip.set_note(*self.photo.note)
            self.set_clearable(self.photo.shown is not None)
            return
        person, sample = self._person, self.nearest_sample
        self.set_clearable(person is not None)
        name = person.name if person is not None else ""
        self.strip.set_face(sample.crop if sample else None, name, sample.quality if sample else None)
        if self._problem:
            self.strip.set_note(self._problem, "warning")
        elif person is None:
            self.strip.set_note("")
        elif person.samples == 1:
            self.strip.set_note(self.tr("The only sample"))
        else:
            self.strip.set_note(self.tr("Most similar of {0} samples").format(person.samples))


def _seen(person: PersonRecord) -> tuple[str, int, int | None]:
    """Return what is shown of a person; when they were last seen is not."""
    return person.name, person.samples, person.cover_face_id
