"""The People page: who is enrolled, with which samples, and what may be changed about that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QStackedWidget, QWidget

from facegui.errors import KnownError
from facegui.gallery.records import Change, DecisionRecord, FaceRecord, PersonRecord, SampleRecord
from facegui.gui import images
from facegui.gui.pages.lookalikes_viewer import PhotoViewer
from facegui.gui.pages.page import Page, State, StateWords
from facegui.gui.pages.people_actions import PeopleActions
from facegui.gui.pages.people_ask import AskBar
from facegui.gui.pages.people_inspector import PeopleInspector
from facegui.gui.pages.people_list import PeopleList
from facegui.gui.pages.people_person import PersonPanel
from facegui.gui.pages.people_photo import FacePhoto
from facegui.gui.pages.people_questions import PeopleQuestions
from facegui.gui.pages.people_sorting import PeopleSorting
from facegui.gui.pages.people_undo import UndoStack
from facegui.gui.pages.verify_card import EvidenceWindow
from facegui.gui.reveal import reveal
from facegui.gui.thumbnails import face_thumbnails
from facegui.gui.widgets.parts import button, card, column, label, row, tool_button

if TYPE_CHECKING:
    pass

__all__ = ["PeoplePage"]

_HISTORY: Final = 50
"""Decisions shown of a person."""


@dataclass(frozen=True, slots=True, eq=False)
class _Details:
    person: PersonRecord | None
    samples: list[SampleRecord]
    decisions: list[DecisionRecord]
    cover: QImage | None
    groups: tuple[int, ...] = ()
    photos: int = 0


class PeoplePage(Page):
    """A grid of everybody; a person opens in its place. Changes by another program are seen when the page is shown."""

    name: ClassVar[str] = "people"
    icon: ClassVar[str] = "people"

    @property
    def title(self) -> str:
        return self.tr("People")

    def build(self) -> None:
        self._opened: int | None = None
        self._fixed = False
        self._wanted: int | None = None
        self._known = False
        self._groups: tuple[int, ...] = ()
        self.define_state(
            State.EMPTY,
            StateWords(
                "people", self.tr("Nobody is enrolled yet"),
                self.tr(
                    "Choose a folder of photos, and say who the people in it are. Or enroll somebody in front of the "
                    "camera or with a few photos."
                ),
                self.tr("Choose a folder of photos"), lambda: self.sorting.choose_folder(),
            ),
        )  # fmt: skip
        self._undos = UndoStack(self)
        self.changes = PeopleActions(self.services, self.bridge, self._undos, self)
        self.ask = AskBar()
        self.questions = PeopleQuestions(self.services, self.bridge, self.ask, self.changes, self)
        thumbnails = face_thumbnails(self.services, self.bridge, self)
        self.sorting = PeopleSorting(self.services, self.bridge, thumbnails, self.ask, self.changes, self._undos, self)
        self.everybody = PeopleList(thumbnails, self.sorting.strip)
        self.person = PersonPanel()
        self.viewer = PhotoViewer(self.services, self.bridge)
        self.panels = QStackedWidget()
        for panel in (self.everybody, self.person, self.viewer, self.sorting.panel, self.sorting.audit):
            self.panels.addWidget(panel)
        self._behind: QWidget = self.everybody
        self._build_note()
        layout = column(self.ask, self.note, gap="unit")
        layout.addWidget(self.panels, 1)
        self.content.setLayout(layout)
        self.photo = FacePhoto(self.services, self.bridge)
        self.inspector = self.facts = PeopleInspector(self.photo)
        self.primary_action = QAction(self.tr("Enroll somebody"), self)
        self.primary_action.triggered.connect(lambda _checked=False: self.navigate.emit("enroll", None))
        self._connect()

    def _build_note(self) -> None:
        """Make the bar that says where an export lies, or what was taken back."""
        self._exported_to = Path()
        self._note_words = label("", selectable=True)
        self._note_show = button(self.tr("Show"), lambda: reveal(self._exported_to), role="link")
        line = QWidget()
        self.note = card(line, role="info-bar", margin="half")
        line.setLayout(
            row(self._note_words, self._note_show, None, tool_button("close", self.tr("Close"), self.note.hide))
        )
        self.note.hide()

    def _connect(self) -> None:
        self.changes.changed.connect(self._changed)
        self.changes.undoOffered.connect(self.undo_offered)
        self.changes.exported.connect(self._exported)
        self.changes.failed.connect(self._failed)
        self.everybody.chosen.connect(self._follow)
        self.everybody.mergeWanted.connect(self._merge)
        for part in (self.everybody, self.person, self.facts):
            part.acted.connect(self._do)
        self.person.left.connect(self._close)
        self.person.renamed.connect(lambda name: self.changes.rename(self._opened or 0, name))
        self.person.removeWanted.connect(self.changes.remove_samples)
        self.person.moveWanted.connect(
            lambda face_ids: self.questions.move(face_ids, self.everybody.people, self._opened)
        )
        self.person.opened.connect(self._show_photo)
        self.viewer.left.connect(lambda: self._show_panel(self._behind))
        queue, sorting = self.sorting.queue, self.sorting
        queue.failed.connect(self._failed)
        queue.undoOffered.connect(self.undo_offered)
        queue.undone.connect(self._undone)
        queue.answered.connect(self._changed)
        queue.changed.connect(self._follow_queue)
        sorting.panelWanted.connect(self._show_review)
        sorting.left.connect(self._leave_review)
        sorting.panel.faceMoved.connect(self.photo.show_face)
        sorting.audit.failed.connect(self._failed)
        sorting.audit.moreWanted.connect(self._add_samples)
        for panel in (sorting.panel, sorting.audit):
            panel.opened.connect(self._show_photo)
        self.everybody.groupDropped.connect(sorting.give)

    # --- what the window tells the page -------------------------------------------------------------------

    def activate(self) -> None:
        self._read()
        self.sorting.queue.group()

    def refresh(self) -> None:
        self._read()
        if self.isVisible():
            self.sorting.queue.group()

    def open_files(self, paths: Sequence[Path]) -> None:
        folders = [path for path in paths if path.is_dir()]
        if folders:
            self.sorting.queue.add_folders(folders)

    def choose_files(self) -> None:
        self.sorting.choose_folder()

    def forget_undo(self) -> None:
        self._undos.clear()

    def undo(self) -> None:
        self._undos.undo(
            self.sorting.queue.undo, lambda: self._undone(self.tr("The last change can no longer be undone."))
        )

    def receive(self, value: object) -> None:
        if isinstance(value, PersonRecord):
            self._open(value)

    def shortcuts(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Enter"), self.tr("Open the chosen person, or a sample's photo")),
            ("F2", self.tr("Rename")),
            (self.tr("Delete"), self.tr("Delete the chosen person, or remove the chosen samples")),
            (self.tr("Enter"), self.tr("In a question: yes, the same, or the name")),
            ("N", self.tr("Not the same; or the chosen faces do not belong here")),
            ("S, H", self.tr("Skip; hide strangers")),
            ("1–9", self.tr("This is the person with that number")),
            ("G, M", self.tr("Split off the chosen faces; move them to somebody")),
            ("O", self.tr("Show the photo of the chosen face")),
        ]

    # --- reading ------------------------------------------------------------------------------------------

    def _read(self) -> None:
        def read() -> tuple[list[PersonRecord], bool]:
            gallery = self.services.gallery
            return gallery.people(), gallery.read_only

        self.bridge.run(self, read, self._take_people, newest="people")

    def _take_people(self, found: tuple[list[PersonRecord], bool]) -> None:
        people, self._fixed = found
        self.person.set_read_only(self._fixed)
        self.everybody.show_people(people, read_only=self._fixed)
        if self._wanted is not None and self._opened is None:
            self.everybody.choose(self._wanted)
        self._wanted = None
        if self._opened is not None:
            self._read_details(self._opened)
        if self.primary_action is not None:
            self.primary_action.setVisible(self.panels.currentWidget() is self.everybody and self._opened is None)
        self._known = True
        self.sorting.set_people(people, read_only=self._fixed)
        self._follow_queue()

    def _follow_queue(self) -> None:
        """Say that there is nobody only when that is known."""
        if not self._known:
            return
        if self.everybody.people or self._opened is not None or not self.sorting.empty:
            self.set_state(State.READ_ONLY if self._fixed else State.READY)
        elif self.sorting.queue.read:
            self.set_state(State.EMPTY)

    def _follow(self) -> None:
        """Show in the inspector who is chosen."""
        if self._opened is not None or self.panels.currentWidget() is not self.everybody:
            return
        person = self.everybody.person
        if person is None:
            self.facts.show_person(None)
        else:
            self._read_details(person.id)

    def _read_details(self, person_id: int) -> None:
        opened = self._opened == person_id

        def read() -> _Details:
            gallery = self.services.gallery
            person = gallery.person(person_id)
            if person is None:
                return _Details(None, [], [], None)
            crop = gallery.crop(person.cover_face_id) if person.cover_face_id is not None else None
            groups = [record for key in gallery.clusters_of(person_id) if (record := gallery.cluster(key))]
            return _Details(
                person, gallery.samples(person_id) if opened else [],
                gallery.decisions(_HISTORY, person_id), images.to_qimage(crop) if crop is not None else None,
                tuple(group.id for group in groups), sum(group.photos for group in groups),
            )  # fmt: skip

        self.bridge.run(self, read, lambda found: self._take_details(person_id, found), newest="details")

    def _take_details(self, person_id: int, details: _Details) -> None:
        person = details.person
        if person is None:
            if self._opened == person_id:
                self._close()
                gone = self.tr("This person is no longer in the gallery.")
                self.show_error(KnownError(gone, self.tr("They were removed or merged by another program."), ""))
            return
        self.facts.show_person(person, details.cover, details.decisions)
        if self._opened == person.id:
            self.person.show_person(person, details.samples)
            self.person.set_photos(details.photos)
            self._groups = details.groups
            if self.panels.currentWidget() is self.everybody:
                self._show_panel(self.person)
                self.person.back.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- moving about -------------------------------------------------------------------------------------

    @property
    def current(self) -> PersonRecord | None:
        """The person opened, or the one chosen in the grid."""
        return self.person.person if self._opened is not None else self.everybody.person

    def _do(self, what: str) -> None:
        """Do what a button, a menu or a key wants of the current person."""
        person = self.current
        if person is None or (self._fixed and what in ("enroll", "rename", "merge", "delete")):
            return
        match what:
            case "open":
                self._open(person)
            case "verify" | "lookalikes" | "enroll":
                self.navigate.emit(what, person)
            case "photos":
                self.sorting.show_person(person, self._groups)
            case "rename":
                self._open(person)
                self.person.show_person(person, [])
                self._show_panel(self.person)
                self.person.rename()
            case "merge":
                self.questions.merge(person, self.everybody.people, lambda into: self._merge(into, person.id))
            case "evidence":
                EvidenceWindow(self.services, self.facts.decisions, self.window()).open()
            case "export":
                self.changes.ask_export([person])
            case "delete":
                self.questions.delete(person, lambda: self._delete(person.id))
            case _:
                raise ValueError(what)

    def _open(self, person: PersonRecord) -> None:
        self.ask.dismiss()
        self._opened = person.id
        self.facts.set_opened(True)
        self._read_details(person.id)

    def _close(self) -> None:
        self.ask.dismiss()
        self._wanted, self._opened = self._opened, None
        self.facts.set_opened(False)
        self._show_panel(self.everybody)
        self._read()
        self.everybody.focus_grid()

    def _show_panel(self, panel: QWidget) -> None:
        self.panels.setCurrentWidget(panel)
        asking = panel is self.sorting.panel
        self.facts.set_asking(asking)
        if not asking and panel is not self.viewer:
            self.photo.show_face(None)
        if self.primary_action is not None:
            self.primary_action.setVisible(panel is self.everybody)

    def _show_review(self, panel: QWidget) -> None:
        self.ask.dismiss()
        if self._opened is None:
            self.facts.show_person(None)
        self._show_panel(panel)

    def _leave_review(self) -> None:
        if self._opened is not None:
            self._show_panel(self.person)
            self._read_details(self._opened)
        else:
            self._show_panel(self.everybody)
            self.everybody.focus_grid()
        self.sorting.queue.group()

    def _add_samples(self, person_id: int) -> None:
        person = next((one for one in self.everybody.people if one.id == person_id), None)
        if person is not None:
            self.navigate.emit("enroll", person)

    def _undone(self, text: str) -> None:
        self._note_words.setText(text)
        self._note_show.hide()
        self.note.show()

    def _show_photo(self, face_id: int) -> None:
        self._behind = self.panels.currentWidget() or self.everybody

        def done(found: list[FaceRecord]) -> None:
            if found:
                self.viewer.show_face(found[0])
                self._show_panel(self.viewer)

        self.bridge.run(self, lambda: self.services.gallery.faces([face_id]), done, newest="photo")

    # --- changing -----------------------------------------------------------------------------------------

    def _delete(self, person_id: int) -> None:
        if self._opened is not None:
            self._close()
        self.changes.delete(person_id)

    def _merge(self, into: int, other: int) -> None:
        if self._opened is not None:
            self._opened = into
        self._wanted = into
        self.changes.merge(into, other)

    def _exported(self, path: Path) -> None:
        self._exported_to = path
        self._note_words.setText(self.tr("Exported to {0}").format(path))
        self._note_show.show()
        self.note.show()

    def _changed(self, change: Change) -> None:
        if not change.everything:  # the user did something, and it worked
            self.clear_error()
        if len(change.people) == 1:
            (self._wanted,) = change.people
        self._read()
        self.gallery_changed.emit()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, KnownError):
            self.show_error(error)
            self._read()
        else:
            self.bridge.failed.emit(self, error)
