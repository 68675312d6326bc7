"""All keys on one card, shown by the question mark."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from facegui.gui import theme
from facegui.gui.widgets.overlay import Overlay
from facegui.gui.widgets.parts import button, label

__all__ = ["ShortcutsOverlay"]


class ShortcutsOverlay(Overlay):
    """Covers its parent until Escape, a click or the button."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._grid = QWidget()
        self._close = button(self.tr("Close"), self.dismiss, role="primary")
        self.fill_card(label(self.tr("Keys"), "title"), self._grid, self._close)
        self.setAccessibleName(self.tr("Keys"))

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
        body = self.card.layout()
        assert body is not None
        body.replaceWidget(self._grid, holder)
        self._grid.hide()
        self._grid.deleteLater()
        self._grid = holder
        self.cover(self._close)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Question:
            self.dismiss()
        else:
            super().keyPressEvent(event)
