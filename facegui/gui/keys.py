"""Keys that a widget takes before the window's shortcuts do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

__all__ = ["takes_escape"]


def takes_escape(event: QEvent) -> bool:
    """Claim Esc for the widget that asks; its `event` then returns True, and `keyPressEvent` gets the key."""
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if event.key() != Qt.Key.Key_Escape:
        return False
    event.accept()
    return True
