"""The left side of the comparison: who it should be, as an enrolled person or as a photo."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QWidget

from facegui.errors import KnownError
from facegui.faces.align import align
from facegui.faces.types import Image
from facegui.gallery.records import PersonRecord, SampleRecord
from facegui.gui import images, theme
from facegui.gui.bridge import Bridge
from facegui.gui.item_models import FaceRow
from facegui.gui.pages.verify_photo import PhotoPlace
from facegui.gui.pages.verify_side import Side
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.face_grid import FaceGrid
from facegui.gui.widgets.parts import button, column, row
from facegui.gui.widgets.person_picker import PersonPicker
from facegui.gui.widgets.photo_marks import FaceMark
from facegui.gui.widgets.photo_view import PhotoView
from facegui.matching.decision import Outcome
from facegui.matching.wording import format_similarity

if TYPE_CHECKING:
    from facegui.services import Candidate, Services

__all__ = ["ClaimSide"]

PERSON: Final = "person"
PHOTO: Final = "photo"
_SAME_PICTURE: Final = 0.9  # correlation of pixels; a stored crop and the same crop made again exceed 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A person's samples by face id, the picture to show, and where the face is in it."""

    samples: dict[int, SampleRecord]
    image: QImage | None
    size: tuple[int, int]
    mark: FaceMark | None
    name: str


def _same(first: Image, second: Image) -> bool:
    """Tell whether two crops are of the same picture."""
    if first.shape != second.shape:
        return False
    return bool(np.corrcoef(first.ravel().astype(np.float32), second.ravel().astype(np.float32))[0, 1] > _SAME_PICTURE)


def _seen(person: PersonRecord) -> tuple[str, int, int | None]:
    """Return what is shown of a person; when they were last seen is not."""
    return person.name, person.samples, person.cover_face_id


def load_portrait(services: Services, person: PersonRecord) -> Portrait:
    """Read a person's samples, and the photo of the best one if it is still where it was."""
    samples = {sample.face_id: sample for sample in services.gallery.samples(person.id)}
    cover = samples.get(person.cover_face_id or -1)
    if cover is None:
        return Portrait(samples, None, (0, 0), None, person.name)
    try:
        frame = services.read(cover.photo_path)
        landmarks = cover.landmarks * np.float32(frame.scale)
        if _same(align(frame.pixels, landmarks), cover.crop):
            mark = FaceMark(cover.box.scaled(frame.scale), landmarks)
            return Portrait(samples, images.to_qimage(frame.pixels), (frame.width, frame.height), mark, person.name)
    except (KnownError, ValueError):
        pass  # taken by a camera, moved, or another photo by now: the crop itself is shown
    side = cover.crop.shape[0]
    return Portrait(samples, images.to_qimage(cover.crop), (side, side), None, person.name)


class ClaimSide(Side):
    """An enrolled person, chosen from faces or by name, or a photo.

    Signals
    -------
    enrollWanted
        The button shown while nobody is enrolled.
    openWanted
        A photo is to be opened for this side.
    """

    enrollWanted = Signal()
    openWanted = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._people: dict[int, PersonRecord] = {}
        self._person: PersonRecord | None = None
        self._samples: dict[int, SampleRecord] = {}
        self._nearest: int | None = None
        self._suggested: Candidate | None = None
        self._problem = ""
        self._make_tools()
        self._make_places()
        self.add_kinds(self.tr("Who it should be"), [(PERSON, self.tr("Person")), (PHOTO, self.tr("Photo"))])

    def _make_tools(self) -> None:
        self.picker = PersonPicker(self.tr("Type a name"))
        self.picker.setClearButtonEnabled(False)  # the side has its own
        self.picker.picked.connect(self.choose)
        self.picker.textChanged.connect(self._typed)
        self.open = button(self.tr("Open…"), self.openWanted.emit, icon="open")
        opening = QWidget()
        opening.setLayout(row(self.open, None))
        self.tools.addWidget(self.picker)
        self.tools.addWidget(opening)

    def _make_places(self) -> None:
        self._faces = Thumbnails(self._bridge, self._crop, parent=self)
        self._faces.loaded.connect(self._show_suggestion)
        self.grid = FaceGrid(self._faces, side=3 * theme.size("control"), name=self.tr("Enrolled people"))
        self.grid.clicked.connect(lambda index: self._take_row(index.row()))
        self.grid.opened.connect(self._take_row)
        self._hint = ElidedLabel("muted")
        self.suggestion = Chip()
        self.suggestion.clicked.connect(lambda _checked=False: self.take_suggestion())
        self.suggestion.hide()
        self._hint.setFixedHeight(self.suggestion.sizeHint().height())
        self._matches = True
        choosing = QWidget()
        top = row(gap="")
        top.addWidget(self.suggestion)
        top.addWidget(self._hint, 1)
        body = column(gap="half")
        body.addLayout(top)
        body.addWidget(self.grid, 1)
        choosing.setLayout(body)
        self._nobody = EmptyState()
        self._nobody.activated.connect(self.enrollWanted)
        self.portrait = PhotoView()
        self.photo = PhotoPlace(self._services, self._bridge)
        self.photo.set_empty_words(
            "photo", self.tr("Who should it be?"), self.tr("Drop a photo of this person here."), self.tr("Open a photo")
        )
        self.photo.openWanted.connect(self.openWanted)
        self.photo.changed.connect(self._photo_changed)
        for place in (choosing, self._nobody, self.portrait, self.photo):
            self.places.addWidget(place)
        self._choosing = choosing
        self._show_nobody(known=False)

    @property
    def person(self) -> PersonRecord | None:
        """The person chosen, while the kind is a person."""
        return self._person if self.kind == PERSON else None

    @property
    def complete(self) -> bool:
        """Tell whether there is a person or a face to compare with."""
        return self._person is not None if self.kind == PERSON else self.photo.face is not None

    @property
    def suggested(self) -> Candidate | None:
        """The person offered as most similar."""
        return self._suggested

    @property
    def problem(self) -> str:
        """Why the person cannot be compared; empty while nothing is known against it."""
        return self._problem

    @property
    def nearest_sample(self) -> SampleRecord | None:
        """The sample whose crop is shown."""
        return self._samples.get(self._nearest) if self._nearest is not None else None

    def set_people(self, people: Sequence[PersonRecord]) -> None:
        """Offer these people; a chosen one who is gone is let go, one who changed is read again."""
        self._people = {person.id: person for person in people}
        self._faces.clear()
        self.picker.set_people([(person.id, person.name) for person in people])
        self.grid.set_rows([
            FaceRow(p.cover_face_id, p.name, detail=self._samples_text(p.samples), person_id=p.id) for p in people
        ])  # fmt: skip
        self._show_nobody(known=True)
        before = self._person
        if before is not None and before.id not in self._people:
            self._forget()
            self.changed.emit()
        elif before is not None and _seen(before) != _seen(self._people[before.id]):
            self._read(self._people[before.id])
            self.changed.emit()
        self.show_kind()

    def choose(self, person_id: int) -> None:
        """Claim an enrolled person."""
        person = self._people.get(person_id)
        if person is None or (self._person is not None and self._person.id == person_id and self.kind == PERSON):
            return
        self._forget()
        self.kind = PERSON  # before the name is shown, which asks again
        self.portrait.set_image(None)
        self._read(person)
        self.picker.set_person(person_id)
        self.set_kind(PERSON)
        self.changed.emit()

    def _read(self, person: PersonRecord) -> None:
        """Take a person and read their samples."""
        self._person, self._nearest, self._problem = person, person.cover_face_id, ""
        self._bridge.run(
            self, lambda: load_portrait(self._services, person), self._show_portrait, lane="io", newest="portrait"
        )

    def _forget(self) -> None:
        self._person, self._samples, self._nearest, self._problem = None, {}, None, ""
        self.picker.set_person(None)
        self.grid.clearSelection()

    def show_nearest(self, face_id: int | None) -> None:
        """Show the crop of the sample that is nearest to the probe."""
        if face_id is not None and face_id != self._nearest:
            self._nearest = face_id
            self._show_strip()

    def suggest(self, candidate: Candidate | None, matches: bool) -> None:
        """Offer the most similar person while none is chosen; `matches`: at or above the threshold, or unsure."""
        self._suggested, self._matches = candidate, matches
        self.suggestion.setVisible(candidate is not None)
        self._hint.show_text(self.tr("Choose a person.") if candidate is None else "")
        self._show_suggestion()

    def _show_suggestion(self) -> None:
        """Write the most similar person on the chip, the name shortened to the room."""
        candidate = self._suggested
        if candidate is None:
            return
        lead = self.tr("Looks most like:") if self._matches else self.tr("Nearest:")
        score = format_similarity(candidate.similarity)
        metrics = self.suggestion.fontMetrics()
        taken = metrics.horizontalAdvance(f"{lead}   {score}") + theme.size("drawing")
        name = metrics.elidedText(candidate.name, Qt.TextElideMode.ElideRight, max(0, self.places.width() - taken))
        self.suggestion.setText(f"{lead} {name}  {score}")
        self.suggestion.setToolTip(self.tr("Compare with {0}").format(candidate.name))
        self.suggestion.setAccessibleName(f"{lead} {candidate.name} {score}")
        picture = self._faces.get(candidate.nearest_face_id)
        if picture is not None:
            self.suggestion.set_picture(picture.toImage())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_suggestion()

    def take_suggestion(self) -> bool:
        """Claim the person offered; False when nobody is."""
        if self._suggested is None or self.person is not None or self.kind != PERSON:
            return False
        self.choose(self._suggested.person_id)
        return True

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Frame the crop in the colour of a decision."""
        self.strip.set_outcome(outcome)

    def set_problem(self, text: str) -> None:
        """Say why this person cannot be compared."""
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
        if self.kind == PHOTO:
            self.places.setCurrentWidget(self.photo)
        elif self._person is not None:
            self.places.setCurrentWidget(self.portrait)
        else:
            self.places.setCurrentWidget(self._choosing if self._people else self._nobody)
        if self._suggested is None:
            self.suggest(None, matches=False)
        self._show_strip()

    def _typed(self, text: str) -> None:
        """Let the person go when the name is emptied."""
        if not text and self._person is not None:
            self.clear()

    def _crop(self, key: Hashable) -> Image | None:
        return self._services.thumbnail(key) if isinstance(key, int) else None

    def _samples_text(self, count: int) -> str:
        return self.tr("1 sample") if count == 1 else self.tr("{0} samples").format(count)

    def _take_row(self, index: int) -> None:
        row_shown = self.grid.row(index)
        if row_shown is not None and row_shown.person_id is not None:
            self.choose(row_shown.person_id)

    def _show_nobody(self, *, known: bool) -> None:
        if known:
            self._nobody.show_state(
                "people", self.tr("Nobody is enrolled yet"),
                self.tr("Enroll a person first, or choose Photo above to compare two photos."),
                self.tr("Enroll a person"),
            )  # fmt: skip
        else:
            self._nobody.show_state("people", self.tr("Reading the gallery…"), "")

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
        person = self._person
        sample = self.nearest_sample
        self.set_clearable(person is not None)
        if person is None:
            self.strip.set_face(None, "")
            self.strip.set_note("")
            return
        self.strip.set_face(sample.crop if sample else None, person.name, sample.quality if sample else None)
        if self._problem:
            self.strip.set_note(self._problem, "warning")
        else:
            several = person.samples > 1
            self.strip.set_note(
                self.tr("Most similar of {0} samples").format(person.samples) if several else self.tr("1 sample")
            )
