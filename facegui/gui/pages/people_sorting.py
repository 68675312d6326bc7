"""Who is in the photos: the parts of the People page that ask, put together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.people_actions import PeopleActions
from facegui.gui.pages.people_ask import AskBar
from facegui.gui.pages.people_audit import AuditPanel
from facegui.gui.pages.people_queue import Ask, Question, ReviewQueue
from facegui.gui.pages.people_review import ReviewPanel
from facegui.gui.pages.people_strip import SuggestionStrip
from facegui.gui.pages.people_undo import UndoStack
from facegui.gui.thumbnails import Thumbnails
from facegui.services.review import GroupCheck

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["PeopleSorting"]


class PeopleSorting(QObject):
    """The queue of questions, the strip above the people, and the panel that asks.

    Signals
    -------
    panelWanted(QWidget)
        This panel is to be shown.
    left
        The user wants back to the people.
    """

    panelWanted = Signal(object)
    left = Signal()

    def __init__(
        self, services: Services, bridge: Bridge, thumbnails: Thumbnails, bar: AskBar, changes: PeopleActions,
        undos: UndoStack, parent: QWidget,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._bar = bar
        self._window = parent
        self._people: tuple[PersonRecord, ...] = ()
        self.queue = ReviewQueue(services, bridge, undos, self)
        self.strip = SuggestionStrip(self.queue, thumbnails)
        self.panel = ReviewPanel(services, bridge, self.queue, thumbnails)
        self.audit = AuditPanel(services, bridge)
        self.audit.mendWanted.connect(lambda case, how: changes.mend(case.finding, how))
        self.audit.dismissed.connect(lambda case: self.queue.dismiss(case.finding))
        self.audit.left.connect(self.left)
        self.strip.auditWanted.connect(self.look_through)
        self.strip.wanted.connect(self.ask)
        self.strip.addWanted.connect(self.choose_folder)
        self.strip.menuWanted.connect(self._menu)
        self.strip.tiles.key.connect(self._key)
        self.strip.tiles.dropped.connect(lambda on, _kind, dragged: self.queue.join(on, dragged))
        self.panel.left.connect(self._leave)
        self.panel.moveWanted.connect(self._ask_whose)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to ask, nor will be."""
        known = self.queue.open
        return not (self.queue.grouping or known.unknown or known.hidden or known.groups)

    def set_people(self, people: Sequence[PersonRecord], *, read_only: bool) -> None:
        """Take who is enrolled."""
        self._people = tuple(people)
        self.strip.set_people(len(people), read_only=read_only)
        self.panel.set_people(people, read_only=read_only)
        self.audit.set_read_only(read_only)
        if self.audit.isVisible():
            self.audit.look()

    def ask(self, ask: Ask, group: int = -1) -> None:
        """Ask questions of a kind, from this group on."""
        self.panelWanted.emit(self.panel)
        self.panel.begin(ask, group if group >= 0 else None)

    def show_person(self, person: PersonRecord, groups: Sequence[int]) -> None:
        """Show the photos that were found of somebody."""
        self.panelWanted.emit(self.panel)
        self.panel.show_person(person, groups)

    def look_through(self) -> None:
        """Show what may be wrong among the enrolled people."""
        self.panelWanted.emit(self.audit)
        self.audit.look()

    def give(self, person_id: int, group: int) -> None:
        """Say that a group is somebody enrolled; ask first where that is doubtful."""
        person = next((one for one in self._people if one.id == person_id), None)
        if person is None:
            return

        def done(found: GroupCheck) -> None:
            if found.doubts or found.weak:
                self.ask(Ask.WHO, group)
                self.panel.propose(person.name)
            else:
                self.queue.confirm(Question(Ask.WHO, group), person.name)

        self.queue.check_group(person.name, group, done)

    def choose_folder(self) -> None:
        """Ask for a folder, then see who is in it."""
        dialog = QFileDialog(self._window, self.tr("Choose a folder of photos"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.filesSelected.connect(lambda names: self.queue.add_folders([Path(name) for name in names]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _leave(self) -> None:
        if not self.panel.leave_choice():
            self.left.emit()

    def _key(self, what: str, group: int) -> None:
        question = Question(Ask.WHO, group)
        (self.queue.skip if what == "skip" else self.queue.hide)(question)

    def _menu(self, group: int, place: QPoint) -> None:
        menu = QMenu(self.strip)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for icon, words, act in (
            ("faces", self.tr("Look at the faces"), lambda: self.ask(Ask.WHO, group)),
            ("chevron-right", self.tr("Skip (S)"), lambda: self._key("skip", group)),
            ("eye", self.tr("Hide strangers (H)"), lambda: self._key("hide", group)),
        ):
            action = QAction(words, menu)
            theme.set_icon(action, icon)
            action.triggered.connect(lambda _checked=False, act=act: act())
            menu.addAction(action)
        menu.popup(place)

    def _ask_whose(self, faces: list[int], question: Question) -> None:
        words = (
            self.tr("Whose face is this? Choose somebody enrolled, or type a new name.")
            if len(faces) == 1
            else self.tr("Whose {0} faces are these? Choose somebody enrolled, or type a new name.")
        )
        self._bar.ask_person(
            words.format(len(faces)), self.tr("Move"), self._people,
            lambda name, _id: self.queue.move(question, faces, name), allows_new=True,
        )  # fmt: skip
