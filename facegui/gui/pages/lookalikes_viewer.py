"""The photo of a hit with the face marked, in place of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from facegui.errors import KnownError
from facegui.gallery.records import FaceRecord
from facegui.gui import images
from facegui.gui.bridge import Bridge
from facegui.gui.reveal import open_file, reveal
from facegui.gui.widgets.parts import button, label, tool_button
from facegui.gui.widgets.photo_marks import FaceMark
from facegui.gui.widgets.photo_view import PhotoView
from facegui.gui.widgets.titled_panel import TitledPanel
from facegui.matching.decision import Outcome
from facegui.sources.files import shown_name

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["PhotoViewer"]


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    image: QImage
    size: tuple[int, int]
    faces: tuple[FaceRecord, ...]


class PhotoViewer(TitledPanel):
    """Shows whole photos one after the other; Esc goes back, arrows go to the neighbours.

    Signals
    -------
    stepped(int)
        The user wants the next (1) or the one before (-1).
    faceWanted(FaceRecord)
        This face of the photo is to be looked for.
    """

    stepped = Signal(int)
    faceWanted = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._services, self._bridge = services, bridge
        self._path: Path | None = None
        self.view = PhotoView()
        self._faces: tuple[FaceRecord, ...] = ()
        self.view.faceActivated.connect(self._want)
        self._look = button(
            self.tr("Look for this face"), lambda: self._want(self.view.selected), icon="search",
            tip=self.tr("The face with the strong frame; click another one to choose it, twice to look for it"),
        )  # fmt: skip
        self._place = label("", "muted")
        self._before = tool_button("chevron-left", self.tr("The one before (Left)"), lambda: self.stepped.emit(-1))
        self._after = tool_button("chevron-right", self.tr("The next one (Right)"), lambda: self.stepped.emit(1))
        for item in (
            self._look, self._place, self._before, self._after,
            tool_button("external", self.tr("Open with the system's viewer (O)"), self.open_outside),
            tool_button("folder", self.tr("Show in folder (F)"), self.reveal),
        ):  # fmt: skip
            self.head.addWidget(item)
        self.body.addWidget(self.view, 1)
        self.shortcut(Qt.Key.Key_Left).activated.connect(lambda: self.stepped.emit(-1))
        self.shortcut(Qt.Key.Key_Right).activated.connect(lambda: self.stepped.emit(1))
        self.shortcut(Qt.Key.Key_O).activated.connect(self.open_outside)
        self.shortcut(Qt.Key.Key_F).activated.connect(self.reveal)

    @property
    def path(self) -> Path | None:
        """The file shown."""
        return self._path

    def show_face(
        self, record: FaceRecord, caption: str = "", outcome: Outcome | None = None, *, place: int = 0, count: int = 1
    ) -> None:
        """Show the photo of a face, the one at `place` of `count`, and mark it."""
        self._path, self._faces = Path(record.path), ()
        self.heading.show_text(shown_name(record.path))
        self._place.setText(self.tr("{0} of {1}").format(f"{place + 1:,}", f"{count:,}"))
        for item in (self._place, self._before, self._after):
            item.setVisible(count > 1)
        self._before.setEnabled(place > 0)
        self._after.setEnabled(place < count - 1)
        services = self._services

        def read() -> _Shown:
            frame = services.read(record.path)
            faces = services.gallery.photo_faces(record.photo_id)
            return _Shown(images.to_qimage(frame.pixels), frame.original_size, tuple(faces))

        def done(shown: _Shown) -> None:
            self.view.set_image(shown.image, shown.size)
            others = [face for face in shown.faces if face.face_id != record.face_id]
            self._faces = (record, *others)
            self.view.set_marks(
                [FaceMark(record.box, record.landmarks, caption, outcome=outcome)]
                + [FaceMark(face.box, face.landmarks) for face in others]
            )

        def failed(error: Exception) -> None:
            if not isinstance(error, KnownError):
                self._bridge.failed.emit(self, error)
                return
            self.view.set_empty("warning", error.what, " ".join(part for part in (error.why, error.do) if part))

        self._bridge.run(self, read, done, failed, lane="analyse", newest="photo")
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _want(self, index: int) -> None:
        if 0 <= index < len(self._faces):
            self.faceWanted.emit(self._faces[index])

    def open_outside(self) -> None:
        """Open the file in the system's own viewer."""
        if self._path is not None:
            open_file(self._path)

    def reveal(self) -> None:
        """Show the file in its folder."""
        if self._path is not None:
            reveal(self._path)
