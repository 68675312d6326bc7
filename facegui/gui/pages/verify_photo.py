"""The place of a photo on the Verify page: it reads the photo, finds its faces and lets one be chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from facegui.errors import KnownError
from facegui.faces.types import Face, Frame, Photo, Timings
from facegui.gui import images, theme
from facegui.gui.bridge import Bridge, Task
from facegui.gui.pages.verify_asking import default_face
from facegui.gui.widgets.photo_marks import FaceMark, marks_of
from facegui.gui.widgets.photo_view import PhotoView
from facegui.matching.decision import Outcome

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["PhotoPlace", "Shown", "shown_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A photo that was analysed, its picture, the number of the face that counts (-1: none), and its name."""

    photo: Photo
    image: QImage
    chosen: int
    name: str


def shown_of(photo: Photo, policy: str, name: str = "") -> Shown:
    """Make the value of a photo; its file's name stands for a missing `name`."""
    return Shown(photo, images.to_qimage(photo.frame.pixels), default_face(photo, policy),
                 name or Path(photo.frame.source).name)  # fmt: skip


class PhotoPlace(QWidget):
    """Shows nothing, a photo that is being read, a photo with its faces, or why a photo cannot be read.

    Signals
    -------
    changed
        Another face counts now, or none.
    dropped(Dropped)
        Files or a picture were dropped here.
    openWanted
        The button of the empty place.
    workingChanged
        A photo begins or ends to be read.
    """

    changed = Signal()
    workingChanged = Signal()
    dropped = Signal(object)
    openWanted = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._shown: Shown | None = None
        self._marks: tuple[FaceMark, ...] = ()
        self._outcome: Outcome | None = None
        self._task: Task | None = None
        self._empty = ("photo", "", "", "")
        self._busy_name = ""
        self._busy = QTimer(self, singleShot=True, interval=theme.time("busy_after"))
        self._busy.timeout.connect(self._show_busy)
        self.view = PhotoView()
        self.view.faceSelected.connect(self._choose)
        self.view.dropped.connect(self.dropped)
        self.view.action.connect(self.openWanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)

    def set_empty_words(self, drawing: str, title: str, text: str, action: str) -> None:
        """Say what is shown while there is no photo."""
        self._empty = (drawing, title, text, action)
        if self._shown is None and not self.working:
            self.view.set_empty(*self._empty)

    @property
    def shown(self) -> Shown | None:
        """What is shown; None while there is no photo."""
        return self._shown

    @property
    def face(self) -> Face | None:
        """The face that counts."""
        shown = self._shown
        return shown.photo.faces[shown.chosen] if shown is not None and shown.chosen >= 0 else None

    @property
    def name(self) -> str:
        """Short name of the photo."""
        return self._shown.name if self._shown is not None else ""

    @property
    def source(self) -> str:
        """Where the photo comes from, in full."""
        return self._shown.photo.frame.source if self._shown is not None else ""

    @property
    def timings(self) -> Timings:
        """What the analysis took."""
        return self._shown.photo.timings if self._shown is not None else Timings()

    @property
    def working(self) -> bool:
        """Tell whether a photo is being read."""
        return self._task is not None

    @property
    def waiting(self) -> bool:
        """Tell whether reading takes so long that the photo before is no longer shown."""
        return self.working and self._shown is None and not self._busy.isActive()

    @property
    def note(self) -> tuple[str, str]:
        """What there is to say about the photo, and in which role."""
        if self._shown is None:
            return "", "muted"
        count = len(self._shown.photo.faces)
        if not count:
            return self.tr("No face found. Try a larger photo, or one that looks at the camera."), "warning"
        if count == 1:
            return "", "muted"
        if self._shown.chosen < 0:
            return self.tr("{0} faces. Click the one to compare.").format(count), "warning"
        return self.tr("{0} faces. Click another one to compare it.").format(count), "muted"

    def load(self, path: Path) -> None:
        """Read a photo from a file and find its faces."""
        self._start(lambda: self._services.analyse(path), path.name)

    def load_image(self, image: QImage, name: str) -> None:
        """Find the faces of a picture from the clipboard or from another program."""
        self._start(lambda: self._services.analyse(images.frame_from(image, name)), name)

    def load_frame(self, frame: Frame) -> None:
        """Find the faces of a frame that was read already."""
        self._start(lambda: self._services.analyse(frame), Path(frame.source).name)

    def show_photo(self, shown: Shown | None) -> None:
        """Show a photo that was analysed already, or nothing."""
        self.cancel()
        self._put(shown)

    def cancel(self) -> bool:
        """Stop reading; tell whether there was anything to stop."""
        self._busy.stop()
        task, self._task = self._task, None
        if task is None:
            return False
        task.cancel()
        self.workingChanged.emit()
        if self._shown is None:
            self.view.set_empty(*self._empty)
        return True

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Draw the chosen face's box in the colour of a decision."""
        if outcome is not self._outcome:
            self._outcome = outcome
            self._draw_marks()

    def _start(self, analyse: Callable[[], Photo], name: str) -> None:
        self.cancel()
        self._busy_name = name
        policy = self._services.settings.face_policy

        def work() -> Shown:
            return shown_of(analyse(), policy, name)

        def done(shown: Shown) -> None:
            self._ended()
            self._put(shown)

        self._busy.start()
        self._task = self._bridge.run(self, work, done, self._failed, lane="analyse", newest="photo")
        self.workingChanged.emit()

    def _ended(self) -> None:
        self._task = None
        self._busy.stop()
        self.workingChanged.emit()

    def _failed(self, error: Exception) -> None:
        self._ended()
        self._put(None)
        if isinstance(error, KnownError):
            self.view.set_empty("warning", error.what, " ".join(p for p in (error.why, error.do) if p), self._empty[3])
        else:
            self._bridge.failed.emit(self, error)

    def _put(self, shown: Shown | None) -> None:
        self._shown = shown
        if shown is None:
            self._marks = ()
            self.view.set_empty(*self._empty)
        else:
            self._marks = marks_of(shown.photo)
            self.view.set_image(shown.image, (shown.photo.frame.width, shown.photo.frame.height))
            self._draw_marks()
        self.changed.emit()

    def _draw_marks(self) -> None:
        if self._shown is None:
            return
        chosen = self._shown.chosen
        marks = [replace(m, outcome=self._outcome) if i == chosen else m for i, m in enumerate(self._marks)]
        self.view.set_marks(marks, chosen)

    def _choose(self, index: int) -> None:
        if self._shown is not None and index != self._shown.chosen:
            self._shown = replace(self._shown, chosen=index)
            self._draw_marks()
            self.changed.emit()

    def _show_busy(self) -> None:
        """Say after a moment that the photo is being read; what was shown before counts no more."""
        self._shown = None
        self._marks = ()
        self.view.set_empty("photo", self.tr("Looking for faces…"), self._busy_name)
        self.changed.emit()
