"""A question in a bar above the page: a confirmation, or the choice of a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.keys import takes_escape
from facegui.gui.widgets.parts import button, column, label, row
from facegui.gui.widgets.person_picker import PersonPicker

__all__ = ["AskBar"]


class AskBar(QFrame):
    """Hidden until it asks. Enter says yes, Esc takes the question away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._yes: Callable[[], object] | None = None
        self._needs_person = False
        self._allows_new = False
        self.question = label("", wrap=True)
        self.picker = PersonPicker(self.tr("Name"))
        self.picker.setMaximumWidth(theme.size("inspector"))
        self.picker.textChanged.connect(self._check)
        self.picker.confirmed.connect(lambda _name: self.accept())
        self.yes = button("", self.accept)
        self.no = button(self.tr("Cancel"), self.dismiss, role="quiet")
        line = row(self.picker, None, self.yes, self.no)
        layout = column(self.question, gap="unit", margin="unit")
        layout.addLayout(line)
        self.setLayout(layout)
        self.hide()

    def confirm(self, question: str, action: str, on_yes: Callable[[], object]) -> None:
        """Ask whether something that takes things away shall happen."""
        self._ask(question, action, on_yes, "problem-bar", "danger")
        self.picker.hide()
        self.yes.setFocus(Qt.FocusReason.OtherFocusReason)

    def ask_person(
        self, question: str, action: str, people: Sequence[PersonRecord],
        on_person: Callable[[str, int | None], object], *, allows_new: bool = False,
    ) -> None:  # fmt: skip
        """Ask for a person; `on_person` gets the name typed and the id of the person who has it."""
        self._ask(question, action, lambda: on_person(self.picker.name, self.picker.person_id), "info-bar", "primary")
        self._needs_person, self._allows_new = True, allows_new
        self.picker.clear()
        self.picker.set_people([(person.id, person.name) for person in people])
        self.picker.show()
        self.picker.setFocus(Qt.FocusReason.OtherFocusReason)
        self._check()

    def accept(self) -> None:
        """Say yes, if the question is answered."""
        if not self.yes.isEnabled() or self._yes is None:
            return
        act = self._yes
        self.dismiss()
        act()

    def dismiss(self) -> None:
        """Take the question away."""
        self._yes = None
        self.hide()

    def _ask(self, question: str, action: str, on_yes: Callable[[], object], look: str, role: str) -> None:
        self._yes, self._needs_person = on_yes, False
        self.question.setText(question)
        self.setAccessibleName(question)
        self.yes.setText(action)
        self.yes.setEnabled(True)
        theme.set_role(self, look)
        theme.set_role(self.yes, role)
        self.show()

    def _check(self) -> None:
        if self._needs_person:
            known = self.picker.person_id is not None
            self.yes.setEnabled(known or (self._allows_new and bool(self.picker.name)))

    def event(self, event: QEvent) -> bool:
        """Take Esc before a shortcut of the page does."""
        return takes_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accept()
        else:
            super().keyPressEvent(event)
