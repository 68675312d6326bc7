"""A line of the Settings page, and the sections that hold lines and cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QWidget

from facegui.gui import theme
from facegui.gui.pages.settings_editors import Editor
from facegui.gui.widgets.parts import card, column, label, line, row, tool_button
from facegui.settings import SettingInfo

__all__ = ["Section", "SettingRow"]


class SettingRow(QWidget):
    """Name, effect, editor; a button sets it back when it differs from the default.

    Signals
    -------
    edited(str, object)
        Name of the setting and the value wanted.
    """

    edited = Signal(str, object)

    def __init__(self, name: str, info: SettingInfo, default: Any, editor: Editor) -> None:
        super().__init__()
        self.name, self.info, self.default, self.editor = name, info, default, editor
        self._shown = default
        self._title = label(self.tr(info.label), "emphasis")
        self._effect = label(self.tr(info.effect), "muted", wrap=True)
        self.note = label("", "warning", wrap=True)
        self.note.hide()
        self._title.setBuddy(editor.widget)
        editor.widget.setAccessibleName(info.label)
        editor.widget.setAccessibleDescription(info.effect)
        editor.widget.setFixedWidth(2 * theme.size("tile") - 3 * theme.size("unit"))
        editor.edited.connect(lambda value: self.edited.emit(self.name, value))
        self._back = tool_button("undo", self.tr("Set back to the default"), self._set_back)
        policy = self._back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._back.setSizePolicy(policy)
        words = column(self._title, self._effect, self.note, gap="half")
        layout = row(gap="unit")
        layout.addLayout(words, 1)
        layout.addWidget(self._back, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(editor.widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(layout)
        self.show_value(default)

    def show_value(self, value: Any) -> None:
        """Show the value of the settings."""
        self._shown = value
        self.editor.show_value(value)
        self._back.setVisible(value != self.default)
        words = self.tr("Set back to {0}").format(self.editor.text_of(self.default) or self.tr("the default"))
        self._back.setToolTip(words)
        self._back.setAccessibleName(f"{self.info.label}: {words}")

    def show_note(self, text: str) -> None:
        """Say something about the value chosen."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _set_back(self) -> None:
        self.edited.emit(self.name, self.default)

    def finds(self, words: Sequence[str]) -> bool:
        """Tell whether a search for these words, in lower case, shall show this line."""
        choices = " ".join(choice.label for choice in self.info.choices)
        text = f"{self.info.group} {self.info.label} {self.info.effect} {choices} {self.name}".casefold()
        return all(word in text for word in words)


class Section(QFrame):
    """A heading with a card of lines below it; other widgets may follow."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self._heading = label(title, "heading")
        self._card = card(margin="unit", gap="unit")
        body = self._card.layout()
        assert body is not None
        edge = 2 * theme.size("unit")
        body.setContentsMargins(edge, edge, edge, edge)
        body.setSpacing(edge)
        self._rows: list[tuple[SettingRow, QWidget | None]] = []
        self._extras: list[QWidget] = []
        self._column = column(self._heading, self._card)
        self.setLayout(self._column)
        self._card.hide()

    def add_row(self, item: SettingRow) -> None:
        """Add a line to the card."""
        body = self._card.layout()
        assert body is not None
        between = line() if self._rows else None
        if between is not None:
            body.addWidget(between)
        body.addWidget(item)
        self._rows.append((item, between))
        self._card.show()

    def add_extra(self, widget: QWidget) -> None:
        """Add a widget below the card."""
        self._extras.append(widget)
        self._column.addWidget(widget)

    @property
    def rows(self) -> tuple[SettingRow, ...]:
        """The lines."""
        return tuple(item for item, _between in self._rows)

    def search(self, words: Sequence[str]) -> bool:
        """Show what contains the words; return whether anything is left."""
        first = True
        for item, between in self._rows:
            found = item.finds(words)
            item.setVisible(found)
            if between is not None:
                between.setVisible(found and not first)
            first = first and not found
        self._card.setVisible(not first)
        there = not first
        for extra in self._extras:
            words_there = [part.text() for part in extra.findChildren(QLabel)]
            words_there += [part.text() for part in extra.findChildren(QAbstractButton)]
            text = " ".join([self.title, *words_there]).casefold()
            found = all(word in text for word in words)
            extra.setVisible(found)
            there = there or found
        self.setVisible(there)
        return there
