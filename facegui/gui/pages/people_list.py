"""Everybody who is enrolled: search, grid, menu."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QWidget

from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.pages.people_grid import PeopleGrid
from facegui.gui.pages.people_words import fold
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.parts import column, label, row

__all__ = ["PeopleList"]


class PeopleList(QWidget):
    """Shows the people whose names hold what is typed.

    Signals
    -------
    chosen
        `person` is another.
    acted(str)
        Something is wanted of the chosen person: ``open``, ``verify``, ``lookalikes``, ``enroll``, ``rename``,
        ``merge``, ``export`` or ``delete``.
    mergeWanted(int, int)
        Id of the person who shall keep the name, and of the one who was dropped there.
    groupDropped(int, int)
        Id of a person, and of the group of faces that was dropped there.
    """

    chosen = Signal()
    acted = Signal(str)
    mergeWanted = Signal(int, int)
    groupDropped = Signal(int, int)

    def __init__(self, thumbnails: Thumbnails, above: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.people: tuple[PersonRecord, ...] = ()
        self._read_only = False
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search a name"))
        self.search.setAccessibleName(self.tr("Search a name"))
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(theme.size("inspector"))
        self.search.textChanged.connect(lambda _text: self._show())
        self._count = label("", "muted")
        self.grid = PeopleGrid(thumbnails)
        self.grid.currentMoved.connect(lambda _row: self.chosen.emit())
        self.grid.opened.connect(lambda _row: self.acted.emit("open"))
        self.grid.deleteWanted.connect(lambda _row: self.acted.emit("delete"))
        self.grid.renameWanted.connect(lambda _row: self.acted.emit("rename"))
        self.grid.mergeWanted.connect(self.mergeWanted)
        self.grid.groupDropped.connect(self.groupDropped)
        self.grid.menuRequested.connect(self._menu)
        self._nothing = EmptyState("search", self.tr("Nobody of this name"), "", self.tr("Show everybody"))
        self._nothing.activated.connect(self.search.clear)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.grid)
        self._nobody = EmptyState(
            "people",
            self.tr("Nobody has a name yet"),
            self.tr("Say who the people in your photos are. They appear here."),
        )
        for empty in (self._nothing, self._nobody):
            self._stack.addWidget(empty)
        layout = column(gap="unit")
        if above is not None:
            layout.addWidget(above)
        layout.addLayout(row(self.search, self._count, None))
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)

    @property
    def person(self) -> PersonRecord | None:
        """The person chosen."""
        return self.grid.person

    def show_people(self, people: Sequence[PersonRecord], *, read_only: bool) -> None:
        """Show these people; who was chosen stays chosen."""
        self.people = tuple(people)
        self._read_only = read_only
        self.grid.setAcceptDrops(not read_only)
        self._show()

    def choose(self, person_id: int) -> None:
        """Choose a person and scroll to them."""
        self.grid.choose(person_id)

    def focus_grid(self) -> None:
        """Give the keys to the grid."""
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show(self) -> None:
        wanted = fold(self.search.text().strip())
        shown = [person for person in self.people if wanted in fold(person.name)]
        self.grid.show_people(shown)
        words = self.tr("{0} of {1}").format(f"{len(shown):,}", f"{len(self.people):,}")
        self._count.setText(words if wanted else "")
        self.search.setVisible(bool(self.people))
        self._stack.setCurrentWidget(self.grid if shown else self._nothing if self.people else self._nobody)
        self.chosen.emit()

    def _menu(self, index: int, place: QPoint) -> None:
        self.grid.select_row(index)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for icon, words, wanted, writes in (
            ("faces", self.tr("Show samples"), "open", False),
            ("verify", self.tr("Verify"), "verify", False),
            ("lookalikes", self.tr("Find lookalikes"), "lookalikes", False),
            ("plus", self.tr("Add samples"), "enroll", True),
            ("edit", self.tr("Rename"), "rename", True),
            ("merge", self.tr("Merge with somebody…"), "merge", True),
            ("export", self.tr("Export…"), "export", False),
            ("trash", self.tr("Delete…"), "delete", True),
        ):
            action = QAction(words, menu)
            theme.set_icon(action, icon, "no_match" if icon == "trash" else "text")
            action.setDisabled(writes and self._read_only)
            action.triggered.connect(lambda _checked=False, wanted=wanted: self.acted.emit(wanted))
            menu.addAction(action)
        menu.popup(place)
