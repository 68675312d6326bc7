"""The right side of the comparison: the face that is looked at, live or on a photo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLocale, QTime, Signal
from PySide6.QtWidgets import QWidget

from facegui.faces.types import Face, Photo
from facegui.gui.bridge import Bridge
from facegui.gui.pages.verify_photo import PhotoPlace, Shown, shown_of
from facegui.gui.pages.verify_side import Side
from facegui.gui.widgets.camera_bar import CameraBar
from facegui.gui.widgets.camera_view import CameraView
from facegui.gui.widgets.parts import button, row
from facegui.matching.decision import Outcome, Rule
from facegui.sources.camera import FeedState
from facegui.sources.devices import SourceKind, parse_source

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["VIDEO_SUFFIXES", "ProbeSide"]

PHOTO: Final = "photo"
CAMERA: Final = "camera"
VIDEO_SUFFIXES: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")


class ProbeSide(Side):
    """A photo, a live source, or a frame taken from it.

    Signals
    -------
    frameAnalysed(Photo)
        The live source has a new frame with its faces.
    stateChanged
        The live source began, ended, was frozen or went live again.
    openWanted
        A photo is to be opened for this side.
    """

    frameAnalysed = Signal(object)
    stateChanged = Signal()
    openWanted = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent, live=True)
        self._services, self._bridge = services, bridge
        self._photo_shown: Shown | None = None
        self._frozen = False
        self._resume = False
        self.photo = PhotoPlace(services, bridge)
        self.photo.set_empty_words(
            "verify", self.tr("Is it this face?"), self.tr("Drop a photo here, or choose Camera above."),
            self.tr("Open a photo"),
        )  # fmt: skip
        self.photo.openWanted.connect(self.openWanted)
        self.photo.changed.connect(self._photo_changed)
        self.camera = CameraView(services, bridge)
        self.camera.set_closed_words(
            self.tr("Is it this face?"), self.tr("The picture stays on this computer."), self.tr("Start the camera")
        )
        self.camera.frameAnalysed.connect(self._frame)
        self.camera.stateChanged.connect(self._camera_changed)
        self.camera.startWanted.connect(self.start)
        self.bar = CameraBar(services, bridge, compact=True)
        self.bar.chosen.connect(self._open)
        self.open = button(self.tr("Open…"), self.openWanted.emit, icon="open")
        opening = QWidget()
        opening.setLayout(row(self.open, None))
        self.tools.addWidget(opening)
        self.tools.addWidget(self.bar)
        self.places.addWidget(self.photo)
        self.places.addWidget(self.camera)
        self.add_kinds(self.tr("The face to check"), [(PHOTO, self.tr("Photo")), (CAMERA, self.tr("Camera"))])

    @property
    def face(self) -> Face | None:
        """The face that counts on a photo or a taken frame; None while the source is live."""
        return self.photo.face if self.kind == PHOTO or self._frozen else None

    @property
    def live(self) -> bool:
        """Tell whether frames are being compared as they come."""
        return self.kind == CAMERA and not self._frozen and self.camera.state is not FeedState.CLOSED

    @property
    def running(self) -> bool:
        """Tell whether the live source delivers frames."""
        return self.live and self.camera.state is FeedState.LIVE

    @property
    def frozen(self) -> bool:
        """Tell whether a frame was taken from the live source."""
        return self.kind == CAMERA and self._frozen

    def start(self) -> None:
        """Look for cameras and open the chosen one."""

        def found() -> None:
            if self.kind == CAMERA and self.camera.state is FeedState.CLOSED:
                if self.bar.source:
                    self._open(self.bar.source, self.bar.height_lines)
                else:
                    self.camera.set_closed_words(
                        self.tr("No camera found"),
                        self.tr("Connect one and try again, or choose a video file above."), self.tr("Try again"),
                    )  # fmt: skip

        self.bar.refresh(found)

    def open_video(self, path: Path) -> None:
        """Use a video file as the live source."""
        self.open_source(str(path))

    def open_source(self, source: str) -> None:
        """Look through a camera, a stream or a video file."""
        self.set_kind(CAMERA)
        self.bar.choose(source, parse_source(source).name)
        self.changed.emit()

    def stop(self) -> None:
        """Close the live source."""
        self._frozen = False
        self.camera.close_feed()
        self.show_kind()

    def pause(self) -> None:
        """Close the live source until `resume`."""
        self._resume = self.live
        if self._resume:
            self.camera.close_feed()

    def resume(self) -> None:
        """Open the live source again that `pause` closed."""
        if self._resume and self.kind == CAMERA and self.bar.source:
            self._open(self.bar.source, self.bar.height_lines)
        self._resume = False

    def take(self) -> bool:
        """Analyse the newest frame thoroughly and keep it on the screen; False when there is none."""
        return self.live and self.camera.capture(self._taken)

    def go_live(self) -> None:
        """Let the taken frame go."""
        if self._frozen:
            self._frozen = False
            self.camera.set_analysing(True)
            self.show_kind()
            self.stateChanged.emit()
            self.changed.emit()

    def show_photo(self, shown: Shown | None) -> None:
        """Show a photo that was analysed already."""
        self.set_kind(PHOTO)
        self.photo.show_photo(shown)

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Show a decision: on the frame of the live picture, or on the chosen face."""
        self.strip.set_outcome(outcome)
        self.camera.set_outcome(outcome if self.live else None)
        if not self.live:
            self.photo.set_outcome(outcome)

    def show_live(self, face: Face | None, lost: bool) -> None:
        """Show the crop of the newest frame; `lost`: no face was seen for a while."""
        if face is not None:
            self.strip.set_face(face.crop, self._live_name(), face.quality)
            self.strip.set_note("")
        elif lost:
            self.strip.set_face(None, self._live_name())
            self.strip.set_note(self.tr("No face in view."), "warning")

    def add_score(self, similarity: float | None, seconds: float) -> None:
        """Draw the next point of the trace; None where no face was seen."""
        if self.strip.trace is not None:
            self.strip.trace.add(similarity, seconds)

    def set_rule(self, rule: Rule | None) -> None:
        """Draw another threshold into the trace."""
        if self.strip.trace is not None:
            self.strip.trace.set_rule(rule)

    def clear(self) -> None:
        """Show no photo, or close the live source."""
        if self.kind == PHOTO:
            self.photo.show_photo(None)
        else:
            self.stop()
            self.changed.emit()

    def show_kind(self) -> None:
        """Show the photo or the live source."""
        frozen = self.kind == CAMERA and self._frozen
        if self.kind == PHOTO and (self._frozen or self.camera.state is not FeedState.CLOSED):
            self._frozen = False
            self.camera.close_feed()
        self.tools.setCurrentIndex(0 if self.kind == PHOTO else 1)
        self.places.setCurrentWidget(self.photo if self.kind == PHOTO or frozen else self.camera)
        if self.strip.trace is not None:
            self.strip.trace.setVisible(self.running)
        self._show_strip()

    def _chosen(self, kind: str) -> None:
        """Keep the photo while the camera is tried, and the other way round."""
        if kind == self.kind:
            return
        if kind == CAMERA:
            self._photo_shown = self.photo.shown
        super()._chosen(kind)
        if kind == CAMERA:
            self.start()
        else:
            self.photo.show_photo(self._photo_shown)

    def _open(self, source: str, height: int) -> None:
        self._frozen = False
        device = parse_source(source).kind is SourceKind.DEVICE
        self.camera.set_mirrored(device and self._services.settings.mirror_preview)
        self.camera.set_analysing(True)
        if self.strip.trace is not None:
            self.strip.trace.clear()
        self.camera.open(source, height)
        self.show_kind()

    def _live_name(self) -> str:
        return parse_source(self.bar.source).name if self.bar.source else ""

    def _frame(self, photo: Photo) -> None:
        if self.live:
            self.frameAnalysed.emit(photo)

    def _camera_changed(self, _state: str) -> None:
        if not self._frozen:
            self.show_kind()
        self.stateChanged.emit()

    def _taken(self, photo: Photo) -> None:
        if not self.live:
            return
        self._frozen = True
        self.camera.set_analysing(False)
        moment = QLocale().toString(QTime.currentTime(), QLocale.FormatType.ShortFormat)
        shown = shown_of(photo, self._services.settings.face_policy, self.tr("Frame of {0}").format(moment))
        self.show_kind()
        self.photo.show_photo(shown)
        self.stateChanged.emit()

    def _photo_changed(self) -> None:
        if self.kind == PHOTO or self._frozen:
            self._show_strip()
            self.changed.emit()

    def _show_strip(self) -> None:
        if self.kind == PHOTO or self._frozen:
            face = self.photo.face
            self.strip.set_face(face.crop if face else None, self.photo.name, face.quality if face else None)
            self.strip.set_note(*self.photo.note)
            self.set_clearable(self.photo.shown is not None)
            return
        self.strip.set_face(None, self._live_name() if self.live else "")
        self.strip.set_note("")
        self.set_clearable(self.live)
