"""Editors inside a page that scrolls, which the wheel must not change by the way."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QWidget

__all__ = ["keep_wheel"]


class _NoWheel(QObject):
    """Lets the wheel scroll the page instead of changing a value that the pointer happens to be over."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def keep_wheel(widget: QWidget) -> None:
    """Let a widget take the wheel only while it has the focus, which a click or the Tab key gives it."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_NoWheel(widget))
