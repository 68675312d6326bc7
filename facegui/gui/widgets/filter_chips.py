"""Chips that hold a filter: a least value, one of several choices, a range of dates, a folder."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date
from typing import Final

from PySide6.QtCore import QDate, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QDateEdit, QGridLayout, QMenu, QSlider, QWidget, QWidgetAction

from facegui.gui import theme
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import button, column, label, row

__all__ = ["ChoiceChip", "DateChip", "FilterChip", "LeastChip"]

_FIRST: Final = QDate(1970, 1, 1)
"""Stands for no date in the fields."""
_YEARS: Final = 8
"""Years that are offered by a button each."""


class FilterChip(Chip):
    """Opens a menu; looks chosen while it leaves something out.

    Signals
    -------
    changed
        The filter is another one now.
    """

    changed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, checkable=True, parent=parent)
        self._title = title
        self.popup = QMenu(self)
        self.setMenu(self.popup)

    @property
    def active(self) -> bool:
        """Whether it leaves something out."""
        return False

    def clear(self) -> None:
        """Leave nothing out, without telling."""

    def show_filter(self, words: str) -> None:
        """Write what it leaves out; empty for nothing."""
        self.setText(words or self._title)
        self.setAccessibleName(f"{self._title}: {words}" if words else self._title)
        self.setChecked(self.active)

    def nextCheckState(self) -> None:
        """Look chosen by the filter, not by a click."""

    def add_widget(self, widget: QWidget) -> None:
        """Put a widget into the menu."""
        unit = theme.size("unit")
        widget.setContentsMargins(unit, unit, unit, unit)
        action = QWidgetAction(self.popup)
        action.setDefaultWidget(widget)
        self.popup.addAction(action)


class LeastChip(FilterChip):
    """At least so much: a slider in a menu.

    Parameters
    ----------
    title, question : str
        On the chip, and above the slider.
    most, step : float
        The slider's end, and what one step of it is worth; its beginning, 0, leaves nothing out.
    say : callable
        Writes a value, such as ``80 pixels``.
    """

    def __init__(self, title: str, question: str, most: float, step: float, say: Callable[[float], str]) -> None:
        super().__init__(title)
        self._step, self._say = step, say
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round(most / step))
        self.slider.setPageStep(max(1, round(most / step / 10)))
        self.slider.setMinimumSize(theme.size("inspector") - theme.size("tile"), theme.size("badge"))
        self.slider.setAccessibleName(question)
        self.slider.valueChanged.connect(self._moved)
        self._value = label("", "emphasis")
        self._value.setFont(theme.font("emphasis", bold=True, tabular=True))
        self._any = button(self.tr("Any"), lambda: self.slider.setValue(0), role="link")
        body = QWidget()
        layout = column(gap="unit")
        layout.addLayout(row(label(question, "muted"), None, self._value))
        layout.addWidget(self.slider)
        layout.addLayout(row(self._any, None))
        body.setLayout(layout)
        self.add_widget(body)
        self._show()

    @property
    def value(self) -> float:
        """The least value; 0 for none."""
        return self.slider.value() * self._step

    @property
    def active(self) -> bool:
        return self.slider.value() > 0

    def set_value(self, value: float) -> None:
        """Ask for so much at least, and tell."""
        self.slider.setValue(round(value / self._step))

    def clear(self) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(0)
        self._show()

    def _moved(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        said = self._say(self.value)
        self._value.setText(said if self.active else self.tr("any"))
        self._any.setEnabled(self.active)
        self.show_filter(self.tr("{0} from {1}").format(self._title, said) if self.active else "")


class ChoiceChip(FilterChip):
    """One of several choices; the first leaves nothing out.

    Parameters
    ----------
    choices : sequence of (value, words)
    """

    def __init__(self, title: str, choices: Sequence[tuple[Hashable, str]]) -> None:
        super().__init__(title)
        self._choices = tuple(choices)
        self.value = self._choices[0][0]
        group = QActionGroup(self)
        for value, words in self._choices:
            action = QAction(words, group, checkable=True)
            action.triggered.connect(lambda _checked=False, value=value: self.choose(value))
            self.popup.addAction(action)
        self._actions = group.actions()
        self._show()

    @property
    def active(self) -> bool:
        return self.value != self._choices[0][0]

    def choose(self, value: Hashable) -> None:
        """Take one of the choices, and tell."""
        self.value = value
        self._show()
        self.changed.emit()

    def clear(self) -> None:
        self.value = self._choices[0][0]
        self._show()

    def _show(self) -> None:
        for action, (value, _) in zip(self._actions, self._choices, strict=True):
            action.setChecked(value == self.value)
        self.show_filter(next(words for value, words in self._choices if value == self.value))


class DateChip(FilterChip):
    """Taken between two days, or in one of the years that there are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Date"), parent)
        self.since, self.until = QDateEdit(), QDateEdit()
        self._years = QWidget()
        self._grid = QGridLayout(self._years)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.size("half"))
        self._note = label("", "small", wrap=True)
        fields = row(gap="unit")
        for edit, words in ((self.since, self.tr("from")), (self.until, self.tr("to"))):
            edit.setDisplayFormat("yyyy-MM-dd")
            edit.setMinimumDate(_FIRST)
            edit.setSpecialValueText(self.tr("any day"))
            edit.setDate(_FIRST)
            edit.setAccessibleName(self.tr("Taken {0}").format(words))
            edit.setMinimumWidth(theme.size("tile"))
            edit.dateChanged.connect(self._moved)
            fields.addWidget(label(words, "muted"))
            fields.addWidget(edit)
        self._any = button(self.tr("Any time"), self._take_any, role="link")
        body = QWidget()
        layout = column(label(self.tr("When the photo was taken"), "muted"), gap="unit")
        layout.addWidget(self._years)
        layout.addLayout(fields)
        layout.addWidget(self._note)
        layout.addLayout(row(self._any, None))
        body.setLayout(layout)
        self.add_widget(body)
        self.set_years((), 0, 0)
        self._show()

    @property
    def range(self) -> tuple[date | None, date | None]:
        """First and last day; None for no limit."""

        def day(edit: QDateEdit) -> date | None:
            chosen = edit.date()
            return date(chosen.year(), chosen.month(), chosen.day()) if chosen != _FIRST else None

        return day(self.since), day(self.until)

    @property
    def active(self) -> bool:
        return self.range != (None, None)

    def set_years(self, years: Sequence[int], dated: int, total: int) -> None:
        """Offer these years, and say how many faces have a date at all."""
        while (item := self._grid.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.deleteLater()
        for number, year in enumerate(sorted(years, reverse=True)[:_YEARS]):
            one = button(str(year), lambda year=year: self.set_range(date(year, 1, 1), date(year, 12, 31)))  # type: ignore[misc]
            self._grid.addWidget(one, number // 4, number % 4)
        self._years.setVisible(bool(years))
        self._note.setText(
            self.tr("{0} of {1} faces are in photos with a date; with a range the others are left out.").format(
                f"{dated:,}", f"{total:,}"
            )
        )

    def set_range(self, since: date | None, until: date | None) -> None:
        """Ask for photos taken in these days, and tell."""
        self._set(since, until)
        self.changed.emit()

    def clear(self) -> None:
        self._set(None, None)

    def _set(self, since: date | None, until: date | None) -> None:
        for edit, day in ((self.since, since), (self.until, until)):
            with QSignalBlocker(edit):
                edit.setDate(QDate(day.year, day.month, day.day) if day is not None else _FIRST)
        self._show()

    def _take_any(self) -> None:
        self.set_range(None, None)

    def _moved(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        since, until = self.range
        self._any.setEnabled(self.active)
        if since is None and until is None:
            words = ""
        elif since is None:
            words = self.tr("Until {0}").format(until)
        elif until is None:
            words = self.tr("Since {0}").format(since)
        elif (since.month, since.day, until.month, until.day, since.year) == (1, 1, 12, 31, until.year):
            words = str(since.year)
        else:
            words = f"{since} – {until}"
        self.show_filter(words)
