"""Beside the questions: the whole photo of the face looked at, where it lies and when it was taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from facegui.errors import KnownError
from facegui.gallery.records import FaceRecord
from facegui.gui import images, theme
from facegui.gui.bridge import Bridge
from facegui.gui.local_text import date_text
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.parts import column, label
from facegui.gui.widgets.photo_marks import FaceMark
from facegui.gui.widgets.photo_view import PhotoView
from facegui.sources.files import shown_name

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["FacePhoto"]


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    record: FaceRecord
    image: QImage | None
    size: tuple[int, int]
    taken: str
    problem: str


class FacePhoto(QWidget):
    """A small photo with the face marked; hidden while no face is looked at."""

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self.view = PhotoView()
        self.view.setAcceptDrops(False)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setFixedHeight(2 * theme.size("crop"))
        self.file = ElidedLabel("emphasis", mode=Qt.TextElideMode.ElideMiddle)
        self._folder = ElidedLabel("muted", mode=Qt.TextElideMode.ElideMiddle)
        self._taken = label("", "muted")
        self._problem = label("", "warning", wrap=True)
        self.setLayout(column(self.view, self.file, self._folder, self._taken, self._problem, gap="half"))
        self.hide()

    def show_face(self, face_id: int | None) -> None:
        """Show the photo of a face; None for none."""
        if face_id is None:
            self.hide()
            self._bridge.run(self, lambda: None, newest="photo")  # whatever is being read is not wanted any more
            return
        services = self._services

        def read() -> _Shown | None:
            found = services.gallery.faces([face_id])
            if not found:
                return None
            record = found[0]
            photo = services.gallery.photos([record.photo_id]).get(record.photo_id)
            taken = date_text(photo.taken) if photo is not None and photo.taken is not None else ""
            try:
                frame = services.read(record.path)
            except KnownError as error:
                return _Shown(record, None, (1, 1), taken, f"{error.what} {error.why}".strip())
            return _Shown(record, images.to_qimage(frame.pixels), frame.original_size, taken, "")

        self._bridge.run(self, read, self._take, lane="analyse", newest="photo")

    def _take(self, shown: _Shown | None) -> None:
        self.setVisible(shown is not None)
        if shown is None:
            return
        self.view.set_image(shown.image, shown.size)
        self.view.setVisible(shown.image is not None)
        if shown.image is not None:
            self.view.set_marks([FaceMark(shown.record.box, shown.record.landmarks)])
        self.file.show_text(shown_name(shown.record.path))
        self._folder.show_text(str(Path(shown.record.path).parent))
        self._taken.setText(shown.taken)
        self._taken.setVisible(bool(shown.taken))
        self._problem.setText(shown.problem)
        self._problem.setVisible(bool(shown.problem))
