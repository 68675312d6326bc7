"""The navigation at the left."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import column

__all__ = ["Rail"]


class Rail(QFrame):
    """One entry per page, the last one at the bottom.

    Signals
    -------
    chosen(str)
        Name of the page.
    """

    chosen = Signal(str)

    def __init__(self, entries: list[tuple[str, str, str, str]], parent: QWidget | None = None) -> None:
        """Make the entries: (name, icon, words, shortcut shown in the tooltip)."""
        super().__init__(parent)
        theme.set_role(self, "rail")
        self.setFixedWidth(theme.size("rail"))
        self.setAccessibleName(self.tr("Pages"))
        self._buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        layout = column(gap="half", margin="unit")
        for index, (name, icon, words, shortcut) in enumerate(entries):
            entry = QToolButton()
            entry.setText(words)
            entry.setCheckable(True)
            entry.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            entry.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            theme.set_role(entry, "rail")
            theme.set_icon(entry, icon, "muted")
            entry.setIconSize(QSize(theme.size("icon"), theme.size("icon")))
            entry.setToolTip(f"{words} ({shortcut})")
            entry.setAccessibleName(words)
            entry.clicked.connect(lambda _checked=False, page=name: self.chosen.emit(page))
            group.addButton(entry)
            if index == len(entries) - 1:
                layout.addStretch(1)
            layout.addWidget(entry)
            self._buttons[name] = entry
        self.setLayout(layout)

    def select(self, name: str) -> None:
        """Mark the entry of the page that is shown."""
        self._buttons[name].setChecked(True)
