"""Whose lookalikes are wanted: a face of a photo or of the camera, or somebody enrolled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QWidget

from facegui.faces.align import crop_points
from facegui.faces.types import Image, Landmarks, Photo
from facegui.gallery.records import PersonRecord
from facegui.gui import images, theme
from facegui.gui.bridge import Bridge
from facegui.gui.item_models import FaceRow
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.camera_bar import CameraBar
from facegui.gui.widgets.camera_view import CameraView
from facegui.gui.widgets.empty_state import Drawing
from facegui.gui.widgets.face_grid import FaceGrid
from facegui.gui.widgets.parts import button, column, label, row
from facegui.gui.widgets.photo_view import PhotoView
from facegui.gui.widgets.titled_panel import TitledPanel
from facegui.services.browsing import Question
from facegui.services.fusing import Fused
from facegui.sources.files import shown_name

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = [
    "CameraPanel", "FaceChooser", "Probe", "ProbePanel", "probe_of_fused", "probe_of_person", "probe_of_photo",
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """The face that all others are compared with.

    Attributes
    ----------
    question : Face, int or tuple of Face
        A face, the id of an enrolled person, or several faces of one person.
    title : str
        A person's or a file's name.
    crop : QImage or None
        The aligned face; None until the picture of a person was read.
    photo : Photo or None
        Where the face is from, to choose another one.
    index : int
        Number of the face in that photo.
    points : Landmarks or None
        The five points in pixels of the crop, where they are known.
    fused : Fused or None
        The photos behind several faces of one person.
    """

    question: Question
    title: str
    crop: QImage | None = None
    photo: Photo | None = None
    index: int = 0
    points: Landmarks | None = None
    fused: Fused | None = None


def probe_of_fused(fused: Fused, title: str) -> Probe:
    """Return the probe for several photos of one person, shown by the best of them."""
    face = fused.members[0].face
    points = crop_points(face.detection.landmarks)
    return Probe(fused.question, title, images.to_qimage(face.crop), points=points, fused=fused)


def probe_of_photo(photo: Photo, index: int = 0, title: str = "") -> Probe:
    """Return the probe for one face of a photo."""
    face = photo.faces[index]
    points = crop_points(face.detection.landmarks)
    return Probe(face, title or shown_name(photo.frame.source), images.to_qimage(face.crop), photo, index, points)


def probe_of_person(person: PersonRecord, crop: Image | None = None, landmarks: Landmarks | None = None) -> Probe:
    """Return the probe for somebody enrolled, shown by one of their samples."""
    picture = images.to_qimage(crop) if crop is not None else None
    return Probe(person.id, person.name, picture, points=crop_points(landmarks) if landmarks is not None else None)


class ProbePanel(QWidget):
    """Asks whose lookalikes are wanted.

    Signals
    -------
    photoWanted, cameraWanted
        The buttons.
    personChosen(PersonRecord)
        Somebody enrolled was chosen.
    left
        The user wants to go back to the results.
    """

    photoWanted = Signal()
    cameraWanted = Signal()
    personChosen = Signal(object)
    left = Signal()

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._people: tuple[PersonRecord, ...] = ()
        self._shown: list[PersonRecord] = []
        drawing = Drawing("lookalikes")
        title = label(self.tr("Who looks like this?"), "heading")
        text = label(
            self.tr(
                "Choose a face, or several photos of one person, then folders of photos. Every face in them is put in "
                "order of its similarity."
            ),
            "muted",
            wrap=True,
        )
        photo = button(self.tr("Choose photos"), self.photoWanted.emit, role="primary", icon="photo")
        photo.setToolTip(self.tr("Several photos of one person make one, surer probe"))
        camera = button(self.tr("Use the camera"), self.cameraWanted.emit, icon="camera")
        self._who = label(self.tr("Or somebody enrolled"), "heading")
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Search a name"))
        self._search.setAccessibleName(self.tr("Search a name"))
        self._search.setClearButtonEnabled(True)
        self._search.setMaximumWidth(theme.size("inspector"))
        self._search.textChanged.connect(self._fill)
        self.grid = FaceGrid(thumbnails, name=self.tr("Enrolled people"))
        self.grid.opened.connect(self._choose)
        self.grid.clicked.connect(lambda index: self._choose(index.row()))
        self._people_part = QWidget()
        head = row(self._who, None, self._search)
        part = column(gap="unit")
        part.addLayout(head)
        part.addWidget(self.grid, 1)
        self._people_part.setLayout(part)
        unit = theme.size("unit")
        words = column(title, text, gap="half")
        self._back = button(self.tr("Back (Esc)"), self.left.emit, role="quiet")
        buttons = row(photo, camera, self._back, None)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._leave)
        words.addSpacing(unit)
        words.addLayout(buttons)
        top = row(drawing, gap="unit")
        top.addSpacing(unit)
        top.addLayout(words, 1)
        layout = column(gap="")
        layout.addSpacing(unit)
        layout.addLayout(top)
        layout.addSpacing(2 * unit)
        layout.addWidget(self._people_part, 1)
        layout.addStretch(0)
        self.setLayout(layout)
        self.set_people(())
        self.set_leavable(False)

    def set_leavable(self, leavable: bool) -> None:
        """Offer the way back to the results, or not."""
        self._back.setVisible(leavable)

    def _leave(self) -> None:
        if self._back.isVisible():
            self.left.emit()

    def set_people(self, people: Sequence[PersonRecord]) -> None:
        """Offer these people."""
        self._people = tuple(person for person in people if person.samples)
        self._people_part.setVisible(bool(self._people))
        stretch = self.layout()
        assert stretch is not None
        stretch.setStretch(stretch.count() - 1, 0 if self._people else 1)  # type: ignore[attr-defined]
        self._fill()

    def _fill(self) -> None:
        wanted = self._search.text().strip().casefold()
        self._shown = [person for person in self._people if wanted in person.name.casefold()]
        self.grid.set_rows([
            FaceRow(
                person.cover_face_id, person.name, person_id=person.id,
                detail=self.tr("1 sample") if person.samples == 1 else self.tr("{0} samples").format(person.samples),
            )
            for person in self._shown
        ])  # fmt: skip

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._shown):
            self.personChosen.emit(self._shown[index])


class FaceChooser(TitledPanel):
    """Shows the photo of the probe and takes another of its faces.

    Signals
    -------
    chosen(int)
        Number of the face.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.heading.show_text(self.tr("Which face?"))
        self.view = PhotoView()
        take = button(self.tr("Look for this face"), lambda: self.chosen.emit(self.view.selected), role="primary")
        self.head.addWidget(take)
        self.view.faceActivated.connect(self.chosen)
        self.body.addWidget(self.view, 1)

    def show_photo(self, photo: Photo, index: int) -> None:
        """Show a photo with one of its faces chosen."""
        self.view.set_photo(photo)
        self.view.select(index)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)


class CameraPanel(TitledPanel):
    """Takes one picture from the camera.

    Signals
    -------
    taken(Photo)
        With at least one face.
    nothing
        There was no face in the picture.
    """

    taken = Signal(object)
    nothing = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.heading.show_text(self.tr("Take a picture"))
        self._take = button(self.tr("Take it (Space)"), self._capture, role="primary", icon="capture")
        self.bar = CameraBar(services, bridge)
        self.camera = CameraView(services, bridge)
        self.camera.set_mirrored(services.settings.mirror_preview)
        self.bar.chosen.connect(self.camera.open)
        self.camera.startWanted.connect(self.start)
        self.camera.stateChanged.connect(lambda _state: self._take.setEnabled(self.camera.frame is not None))
        self.camera.frameAnalysed.connect(lambda _photo: self._take.setEnabled(True))
        self._take.setEnabled(False)
        self.body.addWidget(self.camera, 1)
        foot = row(gap="unit")
        foot.addWidget(self.bar, 1)
        foot.addWidget(self._take)
        self.body.addLayout(foot)
        self.shortcut(Qt.Key.Key_Space).activated.connect(self._capture)

    def start(self) -> None:
        """Look for cameras and open the one chosen last."""

        def found() -> None:
            if self.bar.source and self.isVisible():
                self.camera.open(self.bar.source, self.bar.height_lines)

        self.bar.refresh(found)

    def stop(self) -> None:
        """Give the camera back."""
        self.camera.close_feed()

    def _capture(self) -> None:
        self.camera.capture(lambda photo: self.taken.emit(photo) if photo.faces else self.nothing.emit())
