"""The Enroll page: faces from photos or the camera, a name, warnings, saved."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage, QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QStackedLayout, QWidget

from facegui.faces.types import Face, Image, Photo
from facegui.gallery.records import Change, PersonRecord
from facegui.gui.bridge import Task
from facegui.gui.pages.enroll_camera import CameraPane
from facegui.gui.pages.enroll_inspector import Row, face_rows, photo_rows, run_rows
from facegui.gui.pages.enroll_photos import PhotoPane
from facegui.gui.pages.enroll_reading import Reading, Sample, without_pixels
from facegui.gui.pages.enroll_tray import Tray
from facegui.gui.pages.page import Page, State
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import row
from facegui.matching.enrolment import SampleCheck
from facegui.services import EnrolSample

__all__ = ["EnrollPage"]


class EnrollPage(Page):
    """Left: photos or the camera. Right: the tray. `receive` takes a person, a photo, or a face and its photo."""

    name: ClassVar[str] = "enroll"
    icon: ClassVar[str] = "enroll"

    @property
    def title(self) -> str:
        return self.tr("Enroll")

    def build(self) -> None:
        numbers = count(1).__next__
        self._numbers = numbers
        self._wanted_person: int | None = None
        self._checked = True
        self._save_when_checked = False
        self._saving = False
        self._read_only_gallery = False
        self._check: Task | None = None
        self.photos = PhotoPane(self.services, self.bridge, numbers)
        self.camera = CameraPane(self.services, self.bridge, numbers)
        self.tray = Tray(self.services, self.bridge)
        self.inspector = InspectorPanel()
        self.primary_action = QAction(self.tr("Save"), self)
        self.primary_action.triggered.connect(self.save)
        self._modes = QButtonGroup(self)
        self.photo_mode = self._mode(self.tr("Photos"), "photo", 0)
        self.camera_mode = self._mode(self.tr("Camera"), "camera", 1)
        self.photo_mode.setChecked(True)
        self._modes.idClicked.connect(self._show_mode)
        self._tools, self._panes = QStackedLayout(), QStackedLayout()
        for pane in (self.photos, self.camera):
            self._tools.addWidget(pane.tools)
            self._panes.addWidget(pane)
        head = row(self.photo_mode, self.camera_mode)
        head.addLayout(self._tools, 1)
        left = QWidget()
        down = row(gap="unit")
        down.setDirection(down.Direction.TopToBottom)
        down.addLayout(head)
        down.addLayout(self._panes, 1)
        left.setLayout(down)
        across = row(left, self.tray)
        across.setStretch(0, 1)
        self.content.setLayout(across)
        self._connect()
        self._inspect_reading(None)
        self._update()

    def _mode(self, text: str, icon: str, number: int) -> Chip:
        chip = Chip(text, icon, checkable=True)
        self._modes.addButton(chip, number)
        return chip

    def _connect(self) -> None:
        self.photos.chosen.connect(self.tray.put)
        self.photos.left_out.connect(self.tray.remove)
        self.photos.looked_at.connect(self._inspect_reading)
        self.photos.cleared.connect(lambda undo: self.undo_offered.emit(self.tr("Photos cleared"), undo))
        self.photos.wanted.connect(self.choose_files)
        for view in (self.photos.view, self.camera.camera.view):
            view.dropped.connect(self._dropped)
        self.camera.chosen.connect(self.tray.put)
        self.camera.looked_at.connect(self._inspect_live)
        self.tray.changed.connect(self._changed)
        self.tray.removed.connect(self._removed)
        self.tray.looked_at.connect(self.photos.show_photo)
        self.tray.confirmed.connect(self.save)
        self.tray.verify_wanted.connect(lambda person_id: self.navigate.emit("verify", person_id))
        self.tray.name.picked.connect(lambda _id: self._read_own())

    # --- the page -----------------------------------------------------------------------------------------

    def activate(self) -> None:
        self.refresh()
        if self.camera_mode.isChecked():
            self.camera.start()

    def deactivate(self) -> None:
        self.camera.stop()

    def refresh(self) -> None:
        assert self.inspector is not None
        self.inspector.set_rows(self.tr("Model"), run_rows(self.services))
        self.bridge.run(
            self, lambda: (self.services.gallery.people(), self.services.gallery.read_only), self._people_read,
            newest="people",
        )  # fmt: skip
        self._changed()

    def open_files(self, paths: Sequence[Path]) -> None:
        self._show_mode(0)
        self.photos.open_files(paths)

    def paste(self, image: QImage) -> None:
        self._show_mode(0)
        self.photos.paste(image)

    def receive(self, value: object) -> None:
        match value:
            case int():
                self._wanted_person = value
                self.tray.name.set_person(value)
            case PersonRecord():
                self.tray.name.setText(value.name)
            case str():
                self.tray.name.setText(value)
            case Path():
                self.open_files([value])
            case (Photo() as photo, Face() as face):
                self._take_face(face, photo)
            case Photo() if value.faces:
                self._take_face(value.faces[0], value)
            case _:
                pass

    def shortcuts(self) -> list[tuple[str, str]]:
        return [
            ("Delete", self.tr("Take the sample out of the tray")),
            ("← →", self.tr("Choose another face of the photo")),
        ]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.camera_mode.isChecked() and not event.isAutoRepeat():
            self.camera.take()
        elif event.key() == Qt.Key.Key_Escape and self.photos.reading:
            self.photos.cancel()
        else:
            super().keyPressEvent(event)

    def _show_mode(self, number: int) -> None:
        button = self._modes.button(number)
        button.setChecked(True)
        changed = self._panes.currentIndex() != number
        self._panes.setCurrentIndex(number)
        self._tools.setCurrentIndex(number)
        if not changed:
            return
        self._inspect_reading(None)
        if number == 1:
            self.camera.start()
            self.camera.take_button.setFocus()
        else:
            self.camera.stop()
            self.photos.look_again()

    def _dropped(self, dropped: object) -> None:
        paths, image = getattr(dropped, "paths", ()), getattr(dropped, "image", None)
        if paths:
            self.open_files(paths)
        elif image is not None:
            self.paste(image)

    def _take_face(self, face: Face, photo: Photo) -> None:
        title = Path(photo.frame.source).name or self.tr("Photo")
        self.tray.put(Sample(self._numbers(), title, face, without_pixels(photo.frame)))

    # --- the tray -----------------------------------------------------------------------------------------

    def _people_read(self, answer: tuple[list[PersonRecord], bool]) -> None:
        people, read_only = answer
        self.tray.name.set_people([(person.id, person.name) for person in people])
        if self._wanted_person is not None:
            self.tray.name.set_person(self._wanted_person)
            self._wanted_person = None
        if read_only is not self._read_only_gallery:
            self._read_only_gallery = read_only
            self.set_state(State.READ_ONLY if read_only else State.READY)
        self._read_own()
        self._update()

    def _read_own(self) -> None:
        """Show what the person of that name has already."""
        person_id = self.tray.name.person_id
        if person_id is None:
            self._show_own(None, ())
            return

        def read() -> tuple[Image, ...]:
            samples = self.services.gallery.samples(person_id)
            samples.sort(key=lambda sample: -sample.quality.score)
            return tuple(sample.crop for sample in samples)

        self.bridge.run(self, read, lambda crops: self._show_own(person_id, crops), newest="own")

    def _show_own(self, person_id: int | None, crops: Sequence[Image]) -> None:
        if person_id != self.tray.name.person_id:
            return
        self.tray.set_own(crops, len(crops))
        if person_id is not None:
            one, many = self.tr("Enrolled already, with 1 sample."), self.tr("Enrolled already, with {0} samples.")
            self.tray.set_note(one if len(crops) == 1 else many.format(len(crops)))
        else:
            self.tray.set_note(self.tr("A new person.") if self.tray.name.name else "")

    def _removed(self, sample: Sample) -> None:
        self.photos.leave_out(sample.number)
        self.undo_offered.emit(self.tr("Sample taken out"), lambda: self.tray.put(sample))

    def _changed(self) -> None:
        """Name or samples are others: check them anew."""
        if self.tray.name.person_id is None:
            self._show_own(None, ())
        samples, name = self.tray.samples, self.tray.name.name
        self._save_when_checked = False
        if self._check is not None:
            self._check.cancel()
        self._checked = not samples
        if not samples:
            self.tray.warnings.set_checks((), ())
        else:
            self._check = self.bridge.run(
                self, lambda: self.services.check_samples(name, [sample.face for sample in samples]),
                lambda checks: self._show_checks(checks, samples), lane="analyse", newest="check",
            )  # fmt: skip
        self._update()

    def _show_checks(self, checks: Sequence[SampleCheck], samples: tuple[Sample, ...]) -> None:
        note = ""
        if self.services.rule() is None:
            note = self.tr("Likeness to others was not checked: this model is not calibrated.")
        self.tray.warnings.set_checks(checks, samples, note)
        self._checked = True
        if self._save_when_checked:
            self._save_when_checked = False
            if self.tray.warnings.doubts:
                self.tray.set_note(self.tr("Look at the warnings, then save."), "warning")
            else:
                self.save()

    # --- saving -------------------------------------------------------------------------------------------

    def _missing(self) -> str:
        """Return why nothing can be saved yet; empty when it can."""
        if self._read_only_gallery:
            return self.tr("This gallery is open for reading only.")
        if not self.tray.samples:
            return self.tr("Choose a photo, or take a picture with the camera.")
        return "" if self.tray.name.name else self.tr("Type a name.")

    def _update(self) -> None:
        assert self.primary_action is not None
        missing, number = self._missing(), len(self.tray.samples)
        words = self.tr("Save {0} samples").format(number) if number > 1 else self.tr("Save")
        self.primary_action.setText(words)
        self.primary_action.setEnabled(not missing and not self._saving)
        self.primary_action.setToolTip(missing or self.tr("Save (Enter in the name field)"))

    def save(self) -> None:
        """Save the samples, once their warnings were shown."""
        missing = self._missing()
        if missing or self._saving:
            self.tray.set_note(missing or self.tr("Saving…"))
            return
        if not self._checked:
            self._save_when_checked = True
            return
        self._saving = True
        self._update()
        name = self.tray.name.name
        samples = [EnrolSample(sample.face, sample.frame) for sample in self.tray.samples]

        def work() -> tuple[int, Change, PersonRecord | None]:
            person_id, change = self.services.enroll(name, samples)
            return person_id, change, self.services.gallery.person(person_id)

        self.bridge.run(self, work, self._saved, self._not_saved, lane="write")

    def _not_saved(self, error: Exception) -> None:
        self._saving = False
        self._update()
        self.show_error(error)

    def _saved(self, answer: tuple[int, Change, PersonRecord | None]) -> None:
        person_id, change, person = answer
        self._saving = False
        self.clear_error()
        self.photos.clear()
        self.camera.restart()
        name, number = (person.name, person.samples) if person is not None else ("", 0)
        words = self.tr("{0} now has 1 sample.") if number == 1 else self.tr("{0} now has {1} samples.")
        self.tray.show_saved(person_id, words.format(name, number))
        self.gallery_changed.emit()
        self.refresh()
        self.undo_offered.emit(self.tr("Saved {0}").format(name), lambda: self._undo(change))

    def _undo(self, change: Change) -> None:
        undo = change.undo
        if undo is None:
            return

        def done(_change: Change) -> None:
            self.tray.saved.hide()
            self.gallery_changed.emit()
            self.refresh()

        self.bridge.run(self, lambda: self.services.gallery.undo(undo), done, lane="write")

    # --- the inspector ------------------------------------------------------------------------------------

    def _inspect_reading(self, looked: tuple[Reading, int] | None) -> None:
        if looked is None:
            self._inspect(face_rows(None), photo_rows(None))
            return
        reading, face = looked
        self._inspect(face_rows(reading.faces[face]), photo_rows(reading.frame, len(reading.faces)))

    def _inspect_live(self, photo: Photo) -> None:
        face = photo.faces[0] if photo.faces else None
        self._inspect(face_rows(face), photo_rows(photo.frame, None, photo.timings))

    def _inspect(self, face: list[Row], photo: list[Row]) -> None:
        assert self.inspector is not None
        self.inspector.set_rows(self.tr("Face"), face)
        self.inspector.set_rows(self.tr("Photo"), photo)
        self.inspector.set_rows(self.tr("Model"), run_rows(self.services))
