"""The Enroll page: faces from photos or the camera, a name, warnings, saved."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QImage, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QButtonGroup, QStackedLayout, QWidget

from facegui.faces.types import Face, Image, Photo
from facegui.gallery.records import Change, PersonRecord
from facegui.gui.pages.enroll_camera import CameraPane
from facegui.gui.pages.enroll_inspector import Row, face_rows, photo_rows, run_rows
from facegui.gui.pages.enroll_photos import PhotoPane
from facegui.gui.pages.enroll_reading import Reading, Sample, without_pixels
from facegui.gui.pages.enroll_saving import Saving
from facegui.gui.pages.enroll_tray import Tray
from facegui.gui.pages.page import Page, State
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.drop_overlay import Dropped, dropped_from
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import row

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
        self.photos = PhotoPane(self.services, self.bridge, numbers)
        self.camera = CameraPane(self.services, self.bridge, numbers)
        self.tray = Tray(self.services, self.bridge)
        self.tray.name.installEventFilter(self)
        self.saving = Saving(self.services, self.bridge, self.tray)
        self.inspector = InspectorPanel()
        self.primary_action = QAction(self.tr("Save"), self)
        self.primary_action.triggered.connect(self.saving.save)
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
        self.camera.dropped.connect(self.tray.remove)
        self.camera.guided.left_out.connect(self._left_out)
        self.camera.guided.filled.connect(lambda faces: self.camera.guided.check(self.tray.name.name, faces))
        self.tray.changed.connect(self._changed)
        self.tray.removed.connect(self._removed)
        self.saving.changed.connect(self._update)
        self.saving.saved.connect(self._saved)
        self.saving.undone.connect(self._undone)
        self.saving.failed.connect(self.show_error)
        self.tray.looked_at.connect(self.photos.show_photo)
        self.tray.confirmed.connect(self.saving.save)
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
        self.photos.reader.open_files(paths)

    def paste(self, image: QImage) -> None:
        self._show_mode(0)
        self.photos.reader.paste(image)

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
        elif event.key() == Qt.Key.Key_Escape and self.camera.guided.active:
            self.camera.guided.cancel()
        elif event.key() == Qt.Key.Key_Escape and self.photos.reading:
            self.photos.reader.cancel()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The name field would take a pasted photo for text.
        if watched is self.tray.name and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            mime = QGuiApplication.clipboard().mimeData()
            if event.matches(QKeySequence.StandardKey.Paste) and (mime.hasUrls() or not mime.hasText()):
                dropped = dropped_from(mime)
                if dropped is not None:
                    self._dropped(dropped)
                    return True
        return super().eventFilter(watched, event)

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

    def _dropped(self, dropped: Dropped) -> None:
        if dropped.paths:
            self.open_files(dropped.paths)
        elif dropped.image is not None:
            self.paste(dropped.image)

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
        if read_only is not self.saving.read_only:
            self.saving.read_only = read_only
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

    def _left_out(self, samples: tuple[Sample, ...]) -> None:
        def put_back() -> None:
            for sample in samples:
                self.tray.put(sample)

        self.undo_offered.emit(self.tr("Pictures of the guide left out"), put_back)

    def _removed(self, sample: Sample) -> None:
        self.photos.leave_out(sample.number)
        self.undo_offered.emit(self.tr("Sample taken out"), lambda: self.tray.put(sample))

    def _changed(self) -> None:
        if self.tray.name.person_id is None:
            self._show_own(None, ())
        self.saving.check()

    # --- saving -------------------------------------------------------------------------------------------

    def _update(self) -> None:
        assert self.primary_action is not None
        missing, number = self.saving.missing(), len(self.tray.samples)
        words = self.tr("Save {0} samples").format(number) if number > 1 else self.tr("Save")
        self.primary_action.setText(words)
        self.primary_action.setEnabled(not missing and not self.saving.under_way)
        self.primary_action.setToolTip(missing or self.tr("Save (Enter in the name field)"))

    def _saved(self, person: PersonRecord, change: Change) -> None:
        self.clear_error()
        words = self.tr("{0} now has 1 sample.") if person.samples == 1 else self.tr("{0} now has {1} samples.")
        self.tray.show_saved(person.id, words.format(person.name, person.samples))
        self.photos.clear()
        self.camera.restart()
        self.gallery_changed.emit()
        self.refresh()
        self.undo_offered.emit(self.tr("Saved {0}").format(person.name), lambda: self.saving.undo(change))

    def _undone(self) -> None:
        self.tray.saved.hide()
        self.gallery_changed.emit()
        self.refresh()

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
