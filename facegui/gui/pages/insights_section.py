"""What the sections of the Insights page have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from facegui.gui.bridge import Bridge
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.error_card import ErrorCard
from facegui.gui.widgets.parts import column

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Section"]


class Section(QWidget):
    """A section: its content, or a card that says why there is none.

    Attributes
    ----------
    content : QWidget
        Empty; the subclass gives it a layout.

    Signals
    -------
    navigate(str, object)
        As of a page.
    """

    navigate = Signal(str, object)

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services, self.bridge = services, bridge
        self.content = QWidget()
        self.empty = EmptyState()
        self.error = ErrorCard()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.content)
        self._stack.addWidget(self.empty)
        self.setLayout(column(self.error, self._stack, gap="half"))
        self.build()

    def build(self) -> None:
        """Fill `content`; called once, at the end of the constructor."""

    def activate(self) -> None:
        """The section is shown from now on."""

    def deactivate(self) -> None:
        """The section is hidden from now on."""

    def refresh(self) -> None:
        """Model, settings or gallery changed: what is shown is old."""

    def show_content(self) -> None:
        """Show the content."""
        self._stack.setCurrentWidget(self.content)

    def show_empty(self, drawing: str, title: str, text: str, action: str = "") -> None:
        """Show a card in place of the content."""
        self.empty.show_state(drawing, title, text, action)
        self._stack.setCurrentWidget(self.empty)

    @property
    def is_empty(self) -> bool:
        """Whether the card is shown."""
        return self._stack.currentWidget() is self.empty

    def show_error(self, error: Exception) -> None:
        """Say what went wrong above the content."""
        self.error.show_error(error)
