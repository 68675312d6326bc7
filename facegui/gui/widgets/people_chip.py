"""A chip that keeps to some people: those enrolled, as a list in which they are ticked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from facegui.gui import theme
from facegui.gui.widgets.filter_chips import FilterChip
from facegui.gui.widgets.parts import button, column, row

__all__ = ["PeopleChip"]

_ID_ROLE = Qt.ItemDataRole.UserRole


class PeopleChip(FilterChip):
    """Only some of the people; nobody ticked means everybody. `changed` comes when the list is closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Everybody"), parent)
        self._people: tuple[tuple[int, str], ...] = ()
        self._chosen: frozenset[int] = frozenset()
        self._told: frozenset[int] = frozenset()
        self._find = QLineEdit()
        self._find.setPlaceholderText(self.tr("Search a person"))
        self._find.setAccessibleName(self.tr("Search a person"))
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._sift)
        self.names = QListWidget()
        self.names.setUniformItemSizes(True)
        self.names.setSpacing(theme.size("half") // 2)
        self.names.setAccessibleName(self.tr("Enrolled people"))
        self.names.setMinimumSize(theme.size("inspector"), theme.size("inspector") - theme.size("drawing"))
        self.names.itemChanged.connect(lambda _item: self._ticked())
        self.names.itemActivated.connect(self._turn)
        self._all = button(self.tr("Everybody"), self._untick, role="link")
        self._done = button(self.tr("Compare them"), self.popup.close, role="link")
        body = QWidget()
        layout = column(self._find, self.names, gap="unit")
        layout.addLayout(row(self._all, None, self._done))
        body.setLayout(layout)
        self.add_widget(body)
        self.popup.aboutToShow.connect(self._fill)
        self.popup.aboutToHide.connect(self._tell)
        self._show()

    @property
    def value(self) -> frozenset[int] | None:
        """Ids of the people chosen; None for everybody."""
        return self._chosen or None

    @property
    def active(self) -> bool:
        return bool(self._chosen)

    def clear(self) -> None:
        self._chosen = self._told = frozenset()
        self._show()

    def set_people(self, people: Sequence[tuple[int, str]]) -> None:
        """Say who there is, by id and name; whoever is gone is no longer chosen."""
        self._people = tuple(people)
        self._chosen &= {person for person, _ in people}
        self._told &= self._chosen
        self._show()

    def choose(self, people: Sequence[int]) -> None:
        """Keep to these people, and tell."""
        self._chosen = frozenset(people)
        self._show()
        self._tell()

    def _fill(self) -> None:
        with QSignalBlocker(self.names):
            self.names.clear()
            for person, name in self._people:
                item = QListWidgetItem(name)
                item.setData(_ID_ROLE, person)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if person in self._chosen else Qt.CheckState.Unchecked)
                self.names.addItem(item)
        self._find.clear()
        self._find.setFocus()

    def _sift(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.casefold() not in item.text().casefold())

    def _items(self) -> list[QListWidgetItem]:
        return [self.names.item(place) for place in range(self.names.count())]

    def _turn(self, item: QListWidgetItem) -> None:
        checked = item.checkState() is Qt.CheckState.Checked
        item.setCheckState(Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked)

    def _untick(self) -> None:
        for item in self._items():
            item.setCheckState(Qt.CheckState.Unchecked)

    def _ticked(self) -> None:
        self._chosen = frozenset(
            item.data(_ID_ROLE) for item in self._items() if item.checkState() is Qt.CheckState.Checked
        )
        self._show()

    def _tell(self) -> None:
        if self._chosen != self._told:
            self._told = self._chosen
            self.changed.emit()

    def _show(self) -> None:
        names = [name for person, name in self._people if person in self._chosen]
        words = names[0] if len(names) == 1 else self.tr("{0} people").format(f"{len(names):,}")
        self.show_filter(words if names else "")
