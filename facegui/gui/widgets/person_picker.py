"""A field that completes the names of enrolled people."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QStringListModel, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QWidget

__all__ = ["PersonPicker"]


class PersonPicker(QLineEdit):
    """Type a name, or open the list with the down key or a click.

    Signals
    -------
    picked(int)
        Id of an enrolled person whose name was chosen or typed in full.
    confirmed(str)
        Enter was pressed with this text.
    """

    picked = Signal(int)
    confirmed = Signal(str)

    def __init__(self, placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ids: dict[str, int] = {}
        self._last: int | None = None
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        popup = QListView()
        popup.setObjectName("completions")
        popup.setUniformItemSizes(True)
        popup.setAccessibleName(self.tr("Enrolled people"))
        completer.setPopup(popup)
        self._popup = popup
        completer.activated[QModelIndex].connect(lambda _index: self._check())  # type: ignore[index]
        self.setCompleter(completer)
        self.setPlaceholderText(placeholder or self.tr("Name"))
        self.setAccessibleName(placeholder or self.tr("Name"))
        self.setClearButtonEnabled(True)
        self.textChanged.connect(self._check)
        self.returnPressed.connect(lambda: self.confirmed.emit(self.name))

    def set_people(self, people: Sequence[tuple[int, str]]) -> None:
        """Offer people as (id, name)."""
        self._ids = {name.casefold(): person_id for person_id, name in people}
        self._names.setStringList(sorted((name for _id, name in people), key=str.casefold))
        self._check()

    def set_person(self, person_id: int | None) -> None:
        """Put a person's name into the field; None empties it."""
        names = {self._ids[name.casefold()]: name for name in self._names.stringList()}
        self.setText(names.get(person_id, "") if person_id is not None else "")

    @property
    def name(self) -> str:
        """The name typed, without spaces around it."""
        return " ".join(self.text().split())

    @property
    def person_id(self) -> int | None:
        """The enrolled person of this very name; None for a new name."""
        return self._ids.get(self.name.casefold())

    def _check(self) -> None:
        now = self.person_id
        if now != self._last:
            self._last = now
            if now is not None:
                self.picked.emit(now)

    def _open(self) -> None:
        completer = self.completer()
        completer.setCompletionPrefix("" if self.person_id is not None else self.text())
        if completer.completionCount():
            completer.complete()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down and not self._popup.isVisible():
            self._open()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() == Qt.FocusReason.MouseFocusReason and not self.text():
            self._open()
