"""What covers the window for a moment: a veil, a card, and the keyboard kept inside."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import card, column

__all__ = ["Overlay"]


class Overlay(QWidget):
    """Covers its parent while it is shown. Escape or a click beside the card hides it; Tab stays inside."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._before: QWidget | None = None
        self.card: QFrame = card(margin="", gap="")
        layout = column(None, self.card, None)
        layout.setAlignment(self.card, Qt.AlignmentFlag.AlignCenter)
        self.setLayout(layout)
        parent.installEventFilter(self)
        self.hide()

    def fill_card(self, *items: QWidget) -> None:
        """Put widgets into the card, one below the other."""
        body = self.card.layout()
        assert body is not None
        edge = 3 * theme.size("unit")
        body.setContentsMargins(edge, edge, edge, edge)
        body.setSpacing(2 * theme.size("unit"))
        for item in items:
            body.addWidget(item)

    def cover(self, focus: QWidget | None = None) -> None:
        """Show it over the parent, with the focus on one of its widgets."""
        self.setGeometry(self._over.rect())
        if focus is not None and not self.isVisible():
            self._before = QApplication.focusWidget()
        self.show()
        self.raise_()
        if focus is not None:
            focus.setFocus(Qt.FocusReason.PopupFocusReason)

    def dismiss(self) -> None:
        """Hide it and give the focus back."""
        self.hide()
        before, self._before = self._before, None
        if before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Move the focus among the widgets of the card only."""
        inside = [
            widget for widget in self.card.findChildren(QWidget)
            if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]  # fmt: skip
        if not inside:
            return False
        current = QApplication.focusWidget()
        index = inside.index(current) if current in inside else -1
        inside[(index + (1 if forward else -1)) % len(inside)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._over.rect())
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.card.geometry().contains(event.position().toPoint()):
            self.dismiss()

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.color("veil"))
