"""A part of a page that lies over its main part for a while: a way back, a title, buttons, a body."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QApplication, QWidget

from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.parts import button, column, row

__all__ = ["TitledPanel"]


class TitledPanel(QWidget):
    """The subclass adds to `head` (at its right) and to `body`. The button at the left or Esc goes back.

    Signals
    -------
    left
        The user wants to go back.
    """

    left = Signal()

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.back = button(self.tr("Back"), self.left.emit, role="quiet", icon="chevron-left", tip=self.tr("Esc"))
        self.heading = ElidedLabel("heading", mode=Qt.TextElideMode.ElideMiddle)
        self.heading.show_text(title)
        self.head = row(self.back, gap="unit")
        self.head.addWidget(self.heading, 1)
        self.body = column(gap="unit")
        self.body.addLayout(self.head)
        self.setLayout(self.body)
        self.shortcut(Qt.Key.Key_Escape).activated.connect(self.left)

    def showEvent(self, event: QShowEvent) -> None:
        """Take the keys, so that Esc and the panel's own keys work at once."""
        super().showEvent(event)
        focused = QApplication.focusWidget()
        if focused is None or not self.isAncestorOf(focused):
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def shortcut(self, key: Qt.Key) -> QShortcut:
        """Make a key that works while the focus is in this panel."""
        result = QShortcut(QKeySequence(key), self)
        result.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        return result
