"""The chosen face of the ranking: what the inspector and the photo viewer show of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage

from facegui.faces.align import crop_points
from facegui.faces.types import Detection, Face
from facegui.gallery.records import FaceRecord, PhotoRecord
from facegui.gui import images
from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes_compare import CompareInspector
from facegui.gui.pages.lookalikes_copy import clipping, comparison_picture
from facegui.gui.pages.lookalikes_probe import Probe
from facegui.gui.pages.lookalikes_results import ResultsView
from facegui.gui.pages.lookalikes_viewer import PhotoViewer
from facegui.gui.reveal import open_file, reveal
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_similarity
from facegui.sources.files import shown_name

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["ChosenHit"]


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    record: FaceRecord | None
    photo: PhotoRecord | None
    image: QImage | None


class ChosenHit(QObject):
    """Follows the current row of the results.

    Signals
    -------
    opened
        The viewer shows its photo now.
    probeWanted(Probe)
        The user wants this face to be looked for.
    """

    opened = Signal()
    probeWanted = Signal(object)

    def __init__(
        self, services: Services, bridge: Bridge, results: ResultsView, inspector: CompareInspector,
        viewer: PhotoViewer, parent: QObject,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._results, self._inspector, self._viewer = results, inspector, viewer
        self._loaded: _Loaded | None = None
        self._similarity = 0.0
        self._open_next = False
        self.rule: Rule | None = None
        self.names: Mapping[int, str] = {}
        results.currentMoved.connect(self._follow)
        results.opened.connect(self.open)
        viewer.stepped.connect(self._step)
        viewer.faceWanted.connect(self._look_for_face)
        inspector.showPhoto.connect(lambda: self.open(results.grid.currentIndex().row()))
        inspector.openPhoto.connect(self.open_outside)
        inspector.revealPhoto.connect(self.reveal)
        inspector.copyPhoto.connect(self.copy)
        inspector.searchFace.connect(self._look_for)

    def open(self, index: int) -> None:
        """Show the photo of a row."""
        self._open_next = True
        self._follow(index)

    def reveal(self) -> None:
        """Show the file of the chosen face in its folder."""
        if self._loaded is not None and self._loaded.record is not None:
            reveal(Path(self._loaded.record.path))

    def open_outside(self) -> None:
        """Open the file of the chosen face with the system's viewer."""
        if self._loaded is not None and self._loaded.record is not None:
            open_file(Path(self._loaded.record.path))

    def copy(self) -> None:
        """Put the file of the chosen face and a picture of the comparison on the clipboard."""
        if self._loaded is not None and self._loaded.record is not None:
            picture = comparison_picture(self._inspector.sides, self._similarity, self.rule)
            QGuiApplication.clipboard().setMimeData(clipping(Path(self._loaded.record.path), picture))

    def _step(self, by: int) -> None:
        self._open_next = True
        self._results.step(by)

    def _follow(self, index: int) -> None:
        rows = self._results.rows
        if not 0 <= index < len(rows):
            self._loaded = None
            self._open_next = False
            self._inspector.show_hit(None, None, None)
            return
        face_id, similarity = int(rows.face_ids[index]), float(rows.similarities[index])
        gallery_of = self._services

        def read() -> _Loaded:
            gallery = gallery_of.gallery
            record = next(iter(gallery.faces([face_id])), None)
            photo = gallery.photos([record.photo_id]).get(record.photo_id) if record is not None else None
            crop = gallery_of.crop(face_id) if record is not None else None
            return _Loaded(record, photo, images.to_qimage(crop) if crop is not None else None)

        def done(loaded: _Loaded) -> None:
            self._show(index, similarity, loaded)

        self._bridge.run(self, read, done, newest="hit")

    def _show(self, index: int, similarity: float, loaded: _Loaded) -> None:
        self._loaded, self._similarity = loaded, similarity
        record = loaded.record
        person = self.names.get(record.person_id, "") if record is not None and record.person_id is not None else ""
        self._inspector.show_hit(similarity, record, loaded.photo, loaded.image, person)
        if not self._open_next or record is None:
            return
        self._open_next = False
        outcome = decide(similarity, self.rule) if self.rule is not None else None
        self._viewer.show_face(
            record, format_similarity(similarity), outcome, place=index, count=len(self._results.rows)
        )
        self.opened.emit()

    def _look_for(self) -> None:
        if self._loaded is not None and self._loaded.record is not None:
            self._look_for_face(self._loaded.record)

    def _look_for_face(self, record: FaceRecord) -> None:
        """Make a stored face the probe."""
        services = self._services

        def read() -> Probe | None:
            crop = services.crop(record.face_id)
            if crop is None:
                return None
            face = Face(Detection(record.box, record.landmarks, record.score), crop, record.quality)
            points = crop_points(record.landmarks)
            return Probe(face, shown_name(record.path), images.to_qimage(crop), points=points)

        def done(probe: Probe | None) -> None:
            if probe is not None:
                self.probeWanted.emit(probe)

        self._bridge.run(self, read, done, newest="probe")
