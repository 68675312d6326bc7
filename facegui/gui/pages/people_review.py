"""The review: one question at a time about the people in photos, each answered by one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from facegui.gallery.clusters import ClusterRecord
from facegui.gallery.records import PersonRecord
from facegui.gui.bridge import Bridge
from facegui.gui.pages.people_group import GroupView
from facegui.gui.pages.people_pair import PairView
from facegui.gui.pages.people_queue import Ask, Question, ReviewQueue
from facegui.gui.pages.people_review_words import done_words, heading_words, kind_words, no_words, yes_words
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.parts import button, label, row
from facegui.gui.widgets.titled_panel import TitledPanel
from facegui.services.review import GroupCheck

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["KINDS", "ReviewPanel"]

KINDS: Final = (Ask.WHO, Ask.MORE, Ask.MERGE, Ask.HIDDEN)
_NEXT: Final = (Ask.WHO, Ask.MORE, Ask.MERGE)
"""Kinds that follow each other by themselves."""
_DIGITS: Final = 9


class ReviewPanel(TitledPanel):
    """Asks; Enter says yes, N no, S skips, H hides strangers, G splits off, M moves, 1 to 9 name who it is.

    Signals
    -------
    opened(int)
        The photo of this face is wanted.
    faceMoved(object)
        Another face is looked at: its id, or None.
    moveWanted(list, object)
        Faces whose person is to be asked for, and the question that they belong to.
    """

    opened = Signal(int)
    faceMoved = Signal(object)
    moveWanted = Signal(list, object)

    def __init__(
        self, services: Services, bridge: Bridge, queue: ReviewQueue, thumbnails: Thumbnails,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent=parent)
        self._services, self._bridge, self.queue = services, bridge, queue
        self.question: Question | None = None
        self._ask = Ask.WHO
        self._shown: object = None
        self._person: PersonRecord | None = None
        self._people: Sequence[PersonRecord] = ()
        self._checked: tuple[str, tuple[int, ...]] | None = None
        self._proposed = ""
        self._read_only = False
        self.group = GroupView(services, bridge, thumbnails)
        self.pair = PairView(services, bridge, thumbnails)
        self.done = EmptyState("check")
        self.done.activated.connect(self._from_done)
        self._stack = QStackedWidget()
        for part in (self.group, self.pair, self.done):
            self._stack.addWidget(part)
        self._build()
        self._bind()
        queue.changed.connect(self._sync)

    def _build(self) -> None:
        self._left = label("", "muted")
        self.head.addWidget(self._left)
        self.chips = {ask: Chip(checkable=True) for ask in KINDS}
        for ask, chip in self.chips.items():
            chip.clicked.connect(lambda _checked=False, ask=ask: self.begin(ask))
        self._count = label("", "muted")
        self.split = button(self.tr("Split off (G)"), self._split, icon="faces")
        self.move_to = button(self.tr("Move to… (M)"), self._move, icon="move")
        self._kinds = row(*self.chips.values(), None, self._count, self.split, self.move_to)
        self.body.addLayout(self._kinds)
        self.body.addWidget(self._stack, 1)
        self.yes = button("", self.say_yes, role="primary")
        self.no = button("", self.say_no)
        self.skip = button(self.tr("Skip (S)"), self._skip, role="quiet")
        self.hide_them = button(self.tr("Hide strangers (H)"), self._hide, role="quiet")
        self._actions = QWidget()
        self._actions.setLayout(row(self.group.name, self.yes, self.no, self.skip, self.hide_them, None))
        self.body.addWidget(self._actions)
        for item in (self.split, self.move_to, self._count):
            policy = item.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            item.setSizePolicy(policy)

    def _bind(self) -> None:
        keys = Qt.Key
        for key, act in (
            (keys.Key_Return, self.say_yes), (keys.Key_Enter, self.say_yes), (keys.Key_N, self.say_no),
            (keys.Key_S, self._skip), (keys.Key_H, self._hide), (keys.Key_G, self._split), (keys.Key_M, self._move),
            (keys.Key_Delete, self.say_no), (keys.Key_O, self._open_chosen),
        ):  # fmt: skip
            self.shortcut(key).activated.connect(act)
        for digit in range(_DIGITS):
            key = Qt.Key(int(keys.Key_1) + digit)
            self.shortcut(key).activated.connect(lambda digit=digit: self._like(digit))
        for part in (self.group, self.pair):
            part.opened.connect(self.opened)
            part.faceMoved.connect(self.faceMoved)
        self.group.chosenMoved.connect(self._show_actions)
        self.group.loaded.connect(self._check_proposed)
        self.group.nameTyped.connect(self._name_typed)
        self.group.likenessChosen.connect(self._name)

    # --- what is asked ------------------------------------------------------------------------------------

    def begin(self, ask: Ask, group: int | None = None) -> None:
        """Ask questions of a kind, beginning with this group."""
        self._ask, self.question, self._person = ask, None, None
        self.queue.begin()
        wanted = next((one for one in self.queue.questions(ask) if one.group == group), None)
        if wanted is not None:
            self._put(wanted)

    def show_person(self, person: PersonRecord, groups: Sequence[int]) -> None:
        """Show all photos that were found of an enrolled person."""
        self._ask, self._person, self.question = Ask.THEIRS, person, None
        self._show_chips()
        if groups:
            self._put(Question(Ask.THEIRS, groups[0]))

    def set_people(self, people: Sequence[PersonRecord], *, read_only: bool) -> None:
        """Complete these names; answer nothing in a gallery for reading."""
        self._people, self._read_only = people, read_only
        self.group.set_people(people)
        self._show_actions()

    def propose(self, name: str) -> None:
        """Put a name into the field; the faces, once they are shown, are checked for it."""
        self.group.name.setText(name)
        self._proposed = name

    def leave_choice(self) -> bool:
        """Choose no face, if one is chosen; tell whether that was so."""
        if self._stack.currentWidget() is self.group and self.group.chosen:
            self.group.choose_none()
            return True
        return False

    def _sync(self) -> None:
        """Follow the queue: what was answered goes, what changed is read again, what was taken back returns."""
        self._show_chips()
        if not self.isVisible():
            return
        if self._ask is Ask.THEIRS:
            if self.question is not None:
                self._put(self.question)
            return
        returned = self.queue.returned
        waiting = self.queue.questions(self._ask)
        if returned is not None and returned.key in {one.key for one in self.queue.questions(returned.ask)}:
            self.queue.returned = None
            self._ask = returned.ask
            self._show_chips()
            self._put(returned)
        elif self.question is not None and self.question.key in {one.key for one in waiting}:
            self._put(self.question)
        elif waiting:
            self._put(waiting[0])
        else:
            self._go_on()

    def _show_chips(self) -> None:
        for ask, chip in self.chips.items():
            count = len(self.queue.questions(ask))
            chip.setText(f"{kind_words(ask)}  {count:,}" if count else kind_words(ask))
            chip.setChecked(ask is self._ask)
            chip.setVisible(self._ask is not Ask.THEIRS and (count > 0 or ask is self._ask))

    def _go_on(self) -> None:
        """Ask something of another kind, or say that all is done."""
        left = [ask for ask in _NEXT if ask is not self._ask and self.queue.questions(ask)]
        if left and self.question is not None and self._ask in _NEXT:
            self._ask = left[0]
            self._sync()
            return
        if self.question is not None:
            self.queue.group()
        self.question = self._shown = None
        self.faceMoved.emit(None)
        self._show_done()

    def _put(self, question: Question) -> None:
        """Show a question, or show it again if its faces are others now."""
        same = self.question is not None and self.question.key == question.key
        self.question = question
        state = self._state_of(question)
        if state == self._shown and same and question.ask is not Ask.THEIRS:
            return
        self._shown = state
        known = self.queue.open.groups
        group = known.get(question.group)
        if question.ask is Ask.MERGE:
            other = known.get(question.other or 0)
            if group is not None and other is not None and question.similarity is not None:
                self.pair.show_pair(group, other, question.similarity)
                self._stack.setCurrentWidget(self.pair)
                self._give_keys(self.pair.grids[0])
        else:
            self._show_group(question, group, same=same)
        self._show_heading(question, group)
        self._show_actions()

    def _state_of(self, question: Question) -> object:
        known = self.queue.open
        hidden = next((one for one in known.hidden if one.id == question.group), None)
        return (
            known.groups.get(question.group, hidden), known.groups.get(question.other or 0),
            known.unconfirmed.get(question.group),
        )  # fmt: skip

    def _show_group(self, question: Question, group: ClusterRecord | None, *, same: bool) -> None:
        asked, services = question.ask, self._services
        if not same:
            self._checked = None
            self.group.clear()
            self.group.name.setText((group.name or "") if group is not None and asked is Ask.WHO else "")
            self.group.show_doubts((), "")
        owner_id = group.person_id if group is not None else None
        owner = next((one for one in self._people if one.id == owner_id), None)
        waiting = self.queue.open.unconfirmed.get(question.group, ())

        def read() -> list[int]:
            if asked is Ask.MORE:
                return list(waiting)
            if asked is Ask.THEIRS and self._person is not None:
                groups = services.gallery.clusters_of(self._person.id)
                return [face for number in groups for face in services.gallery.cluster_faces(number)]
            return services.gallery.cluster_faces(question.group)

        def done(faces: list[int]) -> None:
            if self.question == question:
                shown = owner if asked is Ask.MORE else None
                self.group.show_faces(faces, owner=shown, names=asked is Ask.WHO, keep=same)

        self._bridge.run(self, read, done, newest="group")
        self._stack.setCurrentWidget(self.group)
        if not same:
            self._give_keys(self.group.grid)

    def _give_keys(self, widget: QWidget) -> None:
        if self.isVisible():
            widget.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_heading(self, question: Question, group: ClusterRecord | None) -> None:
        who = self._person.name if self._person is not None else (group.person if group is not None else None)
        self.heading.show_text(heading_words(question, self.queue.open, who or ""))
        left = len(self.queue.questions(question.ask))
        self._left.setText(self.tr("{0} left").format(f"{left:,}") if question.ask is not Ask.THEIRS else "")

    def _show_done(self) -> None:
        self.heading.show_text(self.tr("People in your photos"))
        self._left.setText("")
        working = self.queue.grouping or not self.queue.read
        words = done_words(working=working, skipped=self.queue.skipped)
        self.done.show_state("people" if working else "check", *words)
        self._stack.setCurrentWidget(self.done)
        self._show_actions()

    def _from_done(self) -> None:
        if self.queue.skipped:
            self.begin(self._ask)
        else:
            self.left.emit()

    # --- answers ------------------------------------------------------------------------------------------

    def _show_actions(self) -> None:
        asked = self.question.ask if self.question is not None else None
        shown = self._stack.currentWidget()
        self._actions.setVisible(asked is not None and shown is not self.done and not self._read_only)
        chosen = len(self.group.chosen) if shown is self.group else 0
        usable = bool(chosen) and asked is not Ask.HIDDEN and not self._read_only
        self._count.setText(self.tr("{0} chosen").format(f"{chosen:,}") if chosen else "")
        for item in (self.split, self.move_to):
            item.setVisible(usable)
        if asked is None:
            return
        self.group.name.setVisible(asked is Ask.WHO)
        self.yes.setText(yes_words(asked, self.group.name.name))
        self.no.setText(no_words(chosen))
        self.no.setVisible(asked is not Ask.HIDDEN)
        self.no.setEnabled(bool(chosen) or asked in (Ask.MORE, Ask.MERGE))
        self.no.setToolTip("" if self.no.isEnabled() else self.tr("Choose the faces that do not belong here."))
        self.skip.setVisible(asked is not Ask.THEIRS)
        self.hide_them.setVisible(asked is Ask.WHO)

    def _able(self, *, seen: bool = False) -> Question | None:
        """Return the question, if it can be answered; with `seen`, if its faces are shown, too."""
        shown = self._stack.currentWidget() is not self.group or bool(self.group.faces) or not seen
        return self.question if self._actions.isVisible() and shown else None

    def say_yes(self) -> None:
        """Enter: the same, confirmed, or on to the name."""
        question = self._able()
        if question is None:
            if self._stack.currentWidget() is self.done:
                self._from_done()
        elif question.ask is Ask.WHO:
            name = self.group.name.name
            if name:
                self._name(name)
            else:
                self.group.name.setFocus(Qt.FocusReason.OtherFocusReason)
        elif question.ask is Ask.THEIRS:
            self.queue.confirm_faces(question, self.group.faces)
            self.left.emit()
        elif self._able(seen=True) is not None:
            self.queue.accept(question)

    def _name(self, name: str) -> None:
        """Say who the group is; doubts are told once before."""
        question = self._able(seen=True)
        if question is None or question.ask is not Ask.WHO:
            return
        if self.group.name.name != name:
            self.group.name.setText(name)
        faces = self.group.faces
        if self._checked == (name, faces):
            self.queue.confirm(question, name)
            return

        def done(found: GroupCheck) -> None:
            if self.question != question or self.group.name.name != name:
                return
            self._checked = name, faces
            if found.doubts or found.weak:
                self.group.show_doubts(found.doubts, name, weak=found.weak)
            else:
                self.queue.confirm(question, name)

        self.queue.check(name, faces, done)

    def _check_proposed(self) -> None:
        name, self._proposed = self._proposed, ""
        if name and name == self.group.name.name:
            self._name(name)

    def _name_typed(self) -> None:
        self.group.show_doubts((), "")
        self._checked = None
        self._show_actions()

    def _like(self, digit: int) -> None:
        one = self.group.like(digit)
        if one is not None:
            self._name(one.name)

    def say_no(self) -> None:
        """N: the chosen faces do not belong, or the answer to the question is no."""
        question = self._able(seen=True)
        if question is None or question.ask is Ask.HIDDEN:
            return
        chosen = self.group.chosen if question.ask is not Ask.MERGE else []
        if chosen and len(chosen) < len(self.group.faces):
            self.queue.refuse(question, chosen)
        elif question.ask in (Ask.MORE, Ask.MERGE):
            self.queue.refuse(question)

    def _skip(self) -> None:
        question = self._able()
        if question is not None and question.ask is not Ask.THEIRS:
            self.queue.skip(question)

    def _hide(self) -> None:
        question = self._able()
        if question is not None and question.ask is Ask.WHO:
            self.queue.hide(question)

    def _split(self) -> None:
        if self.question is not None and self.split.isVisible():
            self.queue.split(self.question, self.group.chosen)

    def _move(self) -> None:
        if self.question is not None and self.move_to.isVisible():
            self.moveWanted.emit(self.group.chosen, self.question)

    def _open_chosen(self) -> None:
        chosen = self.group.chosen or list(self.group.faces[:1])
        if self._stack.currentWidget() is self.group and chosen:
            self.opened.emit(chosen[0])
