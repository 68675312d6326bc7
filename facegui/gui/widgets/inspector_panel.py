"""The evidence beside the page: sections of names and values."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import column, label, scrolled

__all__ = ["InspectorPanel"]


class InspectorPanel(QFrame):
    """A column of sections, each with a heading and rows of name and value, or with a widget of the page's own.

    Sections keep the order in which they were first set; setting one again replaces its rows in place.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "panel")
        self.setFixedWidth(theme.size("inspector"))
        inner = QWidget()
        self._column = column(gap="unit", margin="unit")
        edge = 2 * theme.size("unit")
        self._column.setContentsMargins(edge, edge, edge, edge)
        self._column.setSpacing(edge)
        self._column.addStretch(1)
        inner.setLayout(self._column)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(inner, self.tr("Details")))
        self._sections: dict[str, QWidget] = {}
        self._values: dict[str, tuple[tuple[tuple[str, str], ...], list[QLabel]]] = {}
        self.setAccessibleName(self.tr("Inspector"))

    def set_rows(self, section: str, rows: Sequence[tuple[str, str] | tuple[str, str, str]]) -> None:
        """Show rows of (name, value) or (name, value, role) under a heading; no rows removes the section."""
        if not rows:
            self.remove(section)
            return
        shape = tuple((entry[0], entry[2] if len(entry) == 3 else "") for entry in rows)
        shown = self._values.get(section)
        if shown is not None and shown[0] == shape:
            for text, entry in zip(shown[1], rows, strict=True):
                text.setText(entry[1])
                text.setAccessibleName(f"{entry[0]}: {entry[1]}")
            return
        texts = []
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.size("unit"))
        grid.setVerticalSpacing(theme.size("half"))
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, theme.size("tile") - 5 * theme.size("unit"))
        for index, entry in enumerate(rows):
            name, value = entry[0], entry[1]
            key = label(name, "muted", wrap=True)
            text = label(value, entry[2] if len(entry) == 3 else "", wrap=True, selectable=True)
            text.setFont(theme.font(tabular=True))
            text.setAccessibleName(f"{name}: {value}")
            grid.addWidget(key, index, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, index, 1, Qt.AlignmentFlag.AlignTop)
            texts.append(text)
        self.set_widget(section, body)
        self._values[section] = shape, texts

    def set_widget(self, section: str, widget: QWidget) -> None:
        """Show a widget under a heading."""
        self._values.pop(section, None)
        holder = QWidget()
        holder.setLayout(column(label(section, "heading"), widget, gap="half"))
        old = self._sections.get(section)
        if old is None:
            self._column.insertWidget(self._column.count() - 1, holder)
        else:
            self._column.replaceWidget(old, holder)
            old.hide()
            old.deleteLater()
        self._sections[section] = holder

    def remove(self, section: str) -> None:
        """Take a section away."""
        old = self._sections.pop(section, None)
        self._values.pop(section, None)
        if old is not None:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()

    def clear(self) -> None:
        """Take all sections away."""
        for section in tuple(self._sections):
            self.remove(section)
