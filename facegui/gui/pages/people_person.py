"""One person: name, samples, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QSizePolicy, QWidget

from facegui.gallery.records import PersonRecord, SampleRecord
from facegui.gui import theme
from facegui.gui.keys import takes_escape
from facegui.gui.pages.people_samples import SampleCards
from facegui.gui.pages.people_words import photos_text, samples_text
from facegui.gui.widgets.parts import button, label, row, scrolled, tool_button
from facegui.gui.widgets.titled_panel import TitledPanel

__all__ = ["NameEdit", "PersonPanel"]


class NameEdit(QLineEdit):
    """A name being changed: Enter keeps it, Esc gives it up.

    Signals
    -------
    kept(str)
        The new name.
    left
        It was given up.
    """

    kept = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Name"))
        self.setMaxLength(200)
        self.returnPressed.connect(lambda: self.kept.emit(" ".join(self.text().split())))

    def event(self, event: QEvent) -> bool:
        """Take Esc before a shortcut of the page does."""
        return takes_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class PersonPanel(TitledPanel):
    """Samples as cards; buttons lead to the other pages.

    Signals
    -------
    acted(str)
        Something is wanted of the person: ``verify``, ``lookalikes``, ``enroll``, ``photos``, ``merge``,
        ``export``, ``delete``.
    renamed(str)
        Another name was typed.
    removeWanted(list), moveWanted(list)
        Ids of the samples chosen.
    opened(int)
        Id of the face whose photo is wanted.
    """

    acted = Signal(str)
    renamed = Signal(str)
    removeWanted = Signal(list)
    moveWanted = Signal(list)
    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.person: PersonRecord | None = None
        self.edit = NameEdit()
        self.edit.hide()
        self.edit.kept.connect(self._keep_name)
        self.edit.left.connect(self._leave_name)
        self.head.insertWidget(1, self.edit, 4)
        self._rename = tool_button("edit", self.tr("Rename (F2)"), self.rename)
        self._verify = button(self.tr("Verify"), lambda: self.acted.emit("verify"), icon="verify")
        self._lookalikes = button(self.tr("Find lookalikes"), lambda: self.acted.emit("lookalikes"), icon="lookalikes")
        self.photos = button("", lambda: self.acted.emit("photos"), icon="photo")
        self.photos.hide()
        self._add = button(self.tr("Add samples"), lambda: self.acted.emit("enroll"), icon="plus")
        self._more = tool_button("more", self.tr("More"))
        self._more.setPopupMode(self._more.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self._more)
        self._writes: list[QAction] = []
        for icon, words, wanted, writes in (
            ("merge", self.tr("Merge with somebody…"), "merge", True),
            ("export", self.tr("Export…"), "export", False),
            ("trash", self.tr("Delete…"), "delete", True),
        ):
            action = QAction(words, self._menu)
            theme.set_icon(action, icon, "no_match" if icon == "trash" else "text")
            action.triggered.connect(lambda _checked=False, wanted=wanted: self.acted.emit(wanted))
            self._menu.addAction(action)
            if writes:
                self._writes.append(action)
        self._more.setMenu(self._menu)
        self.head.setStretchFactor(self.heading, 0)
        self.heading.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.head.addWidget(self._rename)
        self.head.addStretch(1)
        for item in (self.photos, self._verify, self._lookalikes, self._add, self._more):
            self.head.addWidget(item)
        self._count = label("", "muted")
        self._all = button(self.tr("Choose all"), self._choose_all, role="link")
        self._none = button(self.tr("Choose none"), lambda: self.cards.choose([]), role="link")
        self._move = button(self.tr("Move to…"), lambda: self.moveWanted.emit(self.cards.chosen), icon="move")
        self._remove = button(
            self.tr("Remove"), lambda: self.removeWanted.emit(self.cards.chosen), role="danger", icon="trash"
        )
        for item in (self._none, self._move, self._remove):
            policy = item.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            item.setSizePolicy(policy)
        self.body.addLayout(row(self._count, self._all, self._none, None, self._move, self._remove))
        self.cards = SampleCards()
        self.cards.chosenMoved.connect(self._say)
        self.cards.opened.connect(self.opened)
        self.body.addWidget(scrolled(self.cards, self.tr("Samples")), 1)
        self.shortcut(Qt.Key.Key_F2).activated.connect(self.rename)
        self.shortcut(Qt.Key.Key_Delete).activated.connect(self._delete_key)
        self._read_only = False

    def set_read_only(self, read_only: bool) -> None:
        """Offer changes, or none."""
        self._read_only = read_only
        for item in (self._rename, self._add, self._move, self._remove):
            item.setDisabled(read_only)
        for action in self._writes:
            action.setDisabled(read_only)
        self._say()

    def show_person(self, person: PersonRecord, samples: Sequence[SampleRecord]) -> None:
        """Show a person."""
        if self.person is None or self.person.id != person.id:
            self.cards.choose([])
            self._leave_name()
        self.person = person
        self._show_name(person.name)
        self.cards.show_samples(samples)

    def set_photos(self, count: int) -> None:
        """Offer the photos that were found of the person, if there are any."""
        self.photos.setText(photos_text(count))
        self.photos.setToolTip(self.tr("Look through the photos that were found of this person"))
        self.photos.setVisible(count > 0)

    def rename(self) -> None:
        """Let the name be typed."""
        if self.person is None or self._read_only:
            return
        self.edit.setText(self.person.name)
        self.heading.hide()
        self.edit.show()
        self.edit.selectAll()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _keep_name(self, name: str) -> None:
        wanted = self.person is not None and name and name != self.person.name
        self._leave_name()
        if wanted:
            self._show_name(name)
            self.renamed.emit(name)

    def _show_name(self, name: str) -> None:
        """Write the name, with the pencil close to its end."""
        self.heading.ensurePolished()
        needed = self.heading.fontMetrics().horizontalAdvance(name) + theme.size("half")
        self.heading.setFixedWidth(min(needed, 2 * theme.size("tile")))
        self.heading.show_text(name)

    def _leave_name(self) -> None:
        had = self.edit.hasFocus()
        self.edit.hide()
        self.heading.show()
        if had:
            self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose_all(self) -> None:
        self.cards.choose_all()

    def _delete_key(self) -> None:
        if self.cards.chosen and not self._read_only:
            self.removeWanted.emit(self.cards.chosen)

    def _say(self) -> None:
        chosen, total = len(self.cards.chosen), len(self.cards.samples)
        words = samples_text(total)
        self._count.setText(self.tr("{0}, {1} chosen").format(words, chosen) if chosen else words)
        self._all.setVisible(chosen < total)
        for item in (self._none, self._move, self._remove):
            item.setVisible(chosen > 0)
