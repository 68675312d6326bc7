"""All keys on one card, shown by the question mark."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import button, card, column, label

__all__ = ["ShortcutsOverlay"]


class ShortcutsOverlay(QWidget):
    """Covers its parent until Escape, a click or the button."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._grid_holder = QWidget()
        self._close = button(self.tr("Close"), self.hide, role="primary")
        self._card = card(label(self.tr("Keys"), "title"), self._grid_holder, self._close)
        body = self._card.layout()
        assert body is not None
        edge = 3 * theme.size("unit")
        body.setContentsMargins(edge, edge, edge, edge)
        body.setSpacing(2 * theme.size("unit"))
        layout = column(None, self._card, None)
        layout.setAlignment(self._card, Qt.AlignmentFlag.AlignCenter)
        self.setLayout(layout)
        self.setAccessibleName(self.tr("Keys"))
        parent.installEventFilter(self)
        self.hide()

    def show_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """Show keys and what they do."""
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(3 * theme.size("unit"))
        for index, (key, meaning) in enumerate(keys):
            name = label(key, "emphasis")
            name.setAccessibleName(f"{key}: {meaning}")
            grid.addWidget(name, index, 0)
            grid.addWidget(label(meaning, "muted"), index, 1)
        body = self._card.layout()
        assert body is not None
        body.replaceWidget(self._grid_holder, holder)
        self._grid_holder.deleteLater()
        self._grid_holder = holder
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()
        self._close.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._over.rect())
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Question):
            self.hide()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._card.geometry().contains(event.position().toPoint()):
            self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.color("veil"))
