"""The Lookalikes page: one face, folders of photos, and every face in them in the order of its similarity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QWidget

from facegui.errors import KnownError
from facegui.faces.types import Face, Photo
from facegui.gallery.records import PersonRecord
from facegui.gui import images
from facegui.gui.face_records import FaceRecords
from facegui.gui.pages.lookalikes_board import BoardPanel
from facegui.gui.pages.lookalikes_compare import CompareInspector
from facegui.gui.pages.lookalikes_export import Exporter
from facegui.gui.pages.lookalikes_fused import FusedProbes
from facegui.gui.pages.lookalikes_hit import ChosenHit
from facegui.gui.pages.lookalikes_probe import (
    CameraPanel,
    FaceChooser,
    Probe,
    ProbePanel,
    probe_of_person,
    probe_of_photo,
)
from facegui.gui.pages.lookalikes_results import ResultsView
from facegui.gui.pages.lookalikes_search import Nothing, Search
from facegui.gui.pages.lookalikes_skipped import SkippedPanel
from facegui.gui.pages.lookalikes_top import TopBar
from facegui.gui.pages.lookalikes_viewer import PhotoViewer
from facegui.gui.pages.page import Page, State
from facegui.gui.thumbnails import face_thumbnails
from facegui.gui.widgets.parts import column
from facegui.gui.widgets.photo_marks import reason_advice, reason_text
from facegui.lookalikes.filters import Sieve

__all__ = ["LookalikesPage"]


class LookalikesPage(Page):
    """Who looks like this? Asks for a face and folders, has them indexed and put in order, shows the answer."""

    name: ClassVar[str] = "lookalikes"
    icon: ClassVar[str] = "lookalikes"

    @property
    def title(self) -> str:
        return self.tr("Lookalikes")

    def build(self) -> None:
        self._probe: Probe | None = None
        self._model_id = self.services.model.id
        self._ruled_by: object = None
        services = self.services
        thumbnails = face_thumbnails(services, self.bridge, self)
        self._records = FaceRecords(self.bridge, lambda ids: services.gallery.faces(ids), parent=self)
        self.top = TopBar()
        self.start = ProbePanel(thumbnails)
        self.results = ResultsView(thumbnails, self._records)
        self.chooser = FaceChooser()
        self.viewer = PhotoViewer(services, self.bridge)
        self.skipped = SkippedPanel()
        self.camera: CameraPanel | None = None
        self.board = BoardPanel(services, self.bridge)
        self.panels = QStackedWidget()
        for panel in (self.start, self.results, self.chooser, self.viewer, self.skipped, self.board):
            self.panels.addWidget(panel)
        layout = column(gap="unit")
        layout.addWidget(self.top)
        layout.addWidget(self.panels, 1)
        self.content.setLayout(layout)
        self.compare = self.inspector = CompareInspector()
        self.hit = ChosenHit(services, self.bridge, self.results, self.compare, self.viewer, self)
        self.search = Search(services, self.bridge, self)
        self.exporter = Exporter(services, self.bridge, self)
        self.fused = FusedProbes(services, self.bridge, self)
        self.primary_action = QAction(self.tr("Another face"), self)
        self.primary_action.triggered.connect(self._ask_probe)
        self._connect()
        self.search.set_folders(self.top.folders.folders, read=False)
        self._use_rule()
        self._ask_probe()

    def _connect(self) -> None:
        self.top.photoWanted.connect(self.choose_files)
        self.top.cameraWanted.connect(self._open_camera)
        self.top.personWanted.connect(self._ask_probe)
        self.top.faceWanted.connect(self._choose_face)
        self.top.boardWanted.connect(self._show_board)
        self.board.failed.connect(self.show_error)
        self.top.folders.changed.connect(self._folders_changed)
        self.top.folders.readWanted.connect(self._read_folders)
        self.start.photoWanted.connect(self.choose_files)
        self.start.cameraWanted.connect(self._open_camera)
        self.start.personChosen.connect(self._take_person)
        self.results.thresholdMoved.connect(self._threshold_moved)
        self.results.exportWanted.connect(self._export)
        self.fused.made.connect(self._take_probe)
        self.fused.failed.connect(self.show_error)
        self.results.mendWanted.connect(self._leave_out)
        self.exporter.written.connect(self.results.written.show_file)
        self.exporter.failed.connect(self.show_error)
        for keys, act in (
            (QKeySequence(QKeySequence.StandardKey.Copy), self.hit.copy), (QKeySequence("O"), self.hit.open_outside),
            (QKeySequence("F"), self.hit.reveal), (QKeySequence("Ctrl+E"), self._export),
            (QKeySequence("Ctrl+B"), self._show_board),
        ):  # fmt: skip
            shortcut = QShortcut(keys, self.results)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)
        self.results.skippedWanted.connect(self._show_skipped)
        self.results.resumeWanted.connect(self._read_folders)
        self.results.action.connect(self.top.folders.ask)
        self.chooser.chosen.connect(self._face_chosen)
        for panel in (self.start, self.chooser, self.viewer, self.skipped, self.board):
            panel.left.connect(self._show_results)
        self.skipped.retryWanted.connect(lambda: self._read_folders(retry_skipped=True))
        self.hit.opened.connect(lambda: self._show_panel(self.viewer))
        self.hit.probeWanted.connect(self._use_probe)
        self.search.ranked.connect(lambda sieve, anew: self._ranked(sieve, anew))
        self.search.nothing.connect(self._show_nothing)
        self.search.said.connect(self._say)
        self.search.asked.connect(lambda: self.set_state(State.WORKING))
        self.search.failed.connect(self._search_failed)

    # --- what the window tells the page -------------------------------------------------------------------

    def activate(self) -> None:
        self._read_people()
        self.search.prepare()

    def deactivate(self) -> None:
        if self.camera is not None and self.panels.currentWidget() is self.camera:
            self._leave_camera()

    def refresh(self) -> None:
        self._read_people()
        self._use_rule()
        self._records.clear()
        if self.services.model.id != self._model_id:
            self._model_id = self.services.model.id
            self.search.model_changed()
        else:
            self.search.rank()

    def open_files(self, paths: Sequence[Path]) -> None:
        def sort() -> tuple[list[Path], list[Path]]:
            folders = [path for path in paths if path.is_dir()]
            return folders, [path for path in paths if path not in folders]

        def done(sorted_paths: tuple[list[Path], list[Path]]) -> None:
            folders, files = sorted_paths
            if folders:
                self.top.folders.add(folders)
            if len(files) == 1:
                self._read_probe(lambda: self.services.analyse(files[0]))
            elif files:
                self.clear_error()
                self.set_state(State.WORKING)
                self.fused.read(files)

        self.bridge.run(self, sort, done)

    def paste(self, image: QImage) -> None:
        words = self.tr("Pasted picture")
        self._read_probe(lambda: self.services.analyse(images.frame_from(image, words)))

    def receive(self, value: object) -> None:
        match value:
            case PersonRecord():
                self._take_person(value)
            case (Photo() as photo, Face() as face):
                self._take_photo(photo, next((n for n, one in enumerate(photo.faces) if one is face), 0))
            case Photo():
                self._take_photo(value)
            case _:
                pass

    def shortcuts(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Enter"), self.tr("Show the photo of the chosen face")),
            ("← →", self.tr("In a photo: the neighbours in the order")),
            ("O", self.tr("Open the photo with the system's viewer")),
            ("F", self.tr("Show the photo in its folder")),
            ("Ctrl+C", self.tr("Copy the photo and the comparison")),
            ("Ctrl+E", self.tr("Export the faces shown")),
            ("Ctrl+B", self.tr("Compare the faces shown all with all")),
        ]

    # --- the probe ----------------------------------------------------------------------------------------

    def _read_people(self) -> None:
        def done(people: list[PersonRecord]) -> None:
            self.hit.names = {person.id: person.name for person in people}
            self.start.set_people(people)

        self.bridge.run(self, lambda: self.services.gallery.people(), done, newest="people")

    def _read_probe(self, analyse: Callable[[], Photo]) -> None:
        self.clear_error()
        self.set_state(State.WORKING)
        self.bridge.run(self, analyse, self._take_photo, lane="analyse", newest="probe")

    def _take_photo(self, photo: Photo, index: int = 0) -> None:
        self.set_state(State.READY)
        if photo.faces:
            self._use_probe(probe_of_photo(photo, index))
        else:
            self._no_face()

    def _no_face(self) -> None:
        advice = self.tr("Try one where the face is larger or turned to the camera.")
        self.show_error(KnownError(self.tr("No face found in this photo."), "", advice))

    def _take_person(self, person: PersonRecord) -> None:
        cover = person.cover_face_id

        def read() -> Probe:
            if cover is None:
                return probe_of_person(person)
            record = next(iter(self.services.gallery.faces([cover])), None)
            return probe_of_person(person, self.services.crop(cover), record.landmarks if record else None)

        self.bridge.run(self, read, self._use_probe, newest="probe")

    def _use_probe(self, probe: Probe) -> None:
        self.clear_error()
        self._probe = probe
        self.compare.set_probe(probe.crop, probe.title, probe.points)
        self.top.show_probe(probe)
        self._judge(probe)
        self.results.filters.set_person(probe.question if isinstance(probe.question, int) else None)
        self._show_results()
        self.search.ask(probe.question)

    def _take_probe(self, probe: Probe) -> None:
        self.set_state(State.READY)
        self._use_probe(probe)

    def _leave_out(self) -> None:
        if self._probe is not None:
            self.fused.leave_out(self._probe)

    def _judge(self, probe: Probe) -> None:
        """Say why the order is less sure than usual, or that several photos agree."""
        reasons = probe.question.quality.reasons if isinstance(probe.question, Face) else ()
        if probe.fused is not None:
            odd = sum(member.odd for member in probe.fused.members)
            mend = self.tr("Leave it out") if odd == 1 else self.tr("Leave {0} out").format(odd)
            self.results.show_warning(*self.fused.words(probe.fused), mend if odd else "", warns=odd > 0)
        elif reasons:
            words = self.tr("The face looked for is {0}.").format(reason_text(reasons[0]))
            self.results.show_warning(words, reason_advice(reasons[0]))
        else:
            self.results.show_warning("")

    def _ask_probe(self) -> None:
        self.start.set_leavable(self._probe is not None)
        self._show_panel(self.start)

    def _choose_face(self) -> None:
        if self._probe is not None and self._probe.photo is not None:
            self.chooser.show_photo(self._probe.photo, self._probe.index)
            self._show_panel(self.chooser)

    def _face_chosen(self, index: int) -> None:
        if self._probe is not None and self._probe.photo is not None:
            self._use_probe(probe_of_photo(self._probe.photo, index, self._probe.title))

    def _open_camera(self) -> None:
        if self.camera is None:
            self.camera = CameraPanel(self.services, self.bridge)
            self.camera.left.connect(self._leave_camera)
            self.camera.taken.connect(self._camera_taken)
            self.camera.nothing.connect(self._no_face)
            self.panels.addWidget(self.camera)
        self._show_panel(self.camera)
        self.camera.start()

    def _camera_taken(self, photo: Photo) -> None:
        self._leave_camera()
        self._use_probe(probe_of_photo(photo, 0, self.tr("Camera")))

    def _leave_camera(self) -> None:
        if self.camera is not None:
            self.camera.stop()
        self._show_results()

    # --- folders and results ------------------------------------------------------------------------------

    def _folders_changed(self) -> None:
        self.search.set_folders(self.top.folders.folders)
        if self._probe is not None:
            self._show_results()

    def _read_folders(self, *, retry_skipped: bool = False) -> None:
        self._show_results()
        self.search.read(retry_skipped=retry_skipped)

    def _ranked(self, sieve: Sieve, anew: bool) -> None:
        self.set_state(State.READY)
        self.results.set_sieve(sieve, anew=anew)

    def _export(self) -> None:
        shown = self.results.shown
        if self._probe is not None and shown is not None and len(shown):
            filters = self.results.filters
            self.exporter.ask(self._probe, shown, filters.threshold.rule, filters.words)

    def _search_failed(self, error: Exception) -> None:
        self.set_state(State.READY)
        self.show_error(error)

    def _show_nothing(self, why: Nothing) -> None:
        self.set_state(State.READY)
        self.results.clear()
        self.results.show_empty(why.drawing, why.title, why.text, why.action, why.role)

    def _say(self) -> None:
        self.top.folders.set_missing(self.search.missing)
        self.results.show_words(self.search.words, len(self.search.skipped), resumable=self.search.resumable)

    def _use_rule(self) -> None:
        calibration, target = self.services.calibration, self.services.settings.target_fmr
        if self._ruled_by == (self.services.model.id, calibration, target):
            return  # a threshold that was dragged stays where it is
        self._ruled_by = self.services.model.id, calibration, target
        self.results.set_calibration(calibration, target)
        self.compare.set_calibration(calibration, target)
        self._threshold_moved()

    def _threshold_moved(self) -> None:
        """Decide by the threshold of the scale, wherever a decision is shown."""
        rule = self.results.filters.threshold.rule
        self.hit.rule = rule
        self.compare.set_rule(rule)

    # --- what lies in the middle --------------------------------------------------------------------------

    def _show_panel(self, panel: QWidget) -> None:
        if self.camera is not None and panel is not self.camera:
            self.camera.stop()
        self.panels.setCurrentWidget(panel)
        if self.primary_action is not None:
            self.primary_action.setVisible(panel is self.results)

    def _show_results(self) -> None:
        if self._probe is None:
            self._ask_probe()
            return
        self._show_panel(self.results)
        self.results.focus_grid()

    def _show_board(self) -> None:
        shown, filters = self.results.shown, self.results.filters
        ids = shown.face_ids.tolist() if shown is not None else []
        self._show_panel(self.board)
        root = Path(filters.folder.value) if filters.folder.active else None
        self.board.offer(ids, self.top.folders.folders, filters.threshold.rule, root)

    def _show_skipped(self) -> None:
        self.skipped.show_files(self.search.skipped)
        self._show_panel(self.skipped)
