"""An error where the eyes are: what happened, why, what to do, and its details to copy."""

from __future__ import annotations

import platform
import traceback

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QWidget

from facegui import __version__
from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.widgets.empty_state import Drawing
from facegui.gui.widgets.parts import button, column, label, row, tool_button

__all__ = ["ErrorCard", "details"]


def details(error: BaseException) -> str:
    """Return what a report of this error needs: versions, words and, for a bug, the traceback."""
    lines = [f"facegui {__version__}, Python {platform.python_version()}, {platform.platform()}", ""]
    if isinstance(error, KnownError):
        lines += [error.what, error.why, error.do]
        if error.__cause__ is not None:
            lines += ["", f"{type(error.__cause__).__name__}: {error.__cause__}"]
    else:
        lines += ["".join(traceback.format_exception(error))]
    return "\n".join(lines).strip() + "\n"


class ErrorCard(QFrame):
    """Shows one error; hidden until `show_error`.

    Signals
    -------
    retried
        The user wants it tried again (only with ``retry=True``).
    dismissed
        The user closed the card.
    """

    retried = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None, *, retry: bool = False) -> None:
        super().__init__(parent)
        theme.set_role(self, "problem-bar")
        self._error: BaseException | None = None
        self._what = label("", "heading", wrap=True, selectable=True)
        self._why = label("", "muted", wrap=True, selectable=True)
        self._do = label("", wrap=True, selectable=True)
        self._retry = button(self.tr("Try again"), self.retried.emit, icon="refresh")
        self._retry.setVisible(retry)
        self._copy = button(self.tr("Copy details"), self.copy_details, role="quiet", icon="copy")
        self._close = tool_button("close", self.tr("Close this message"), self.dismiss)
        words = column(self._what, self._why, self._do, gap="half")
        self._drawing = Drawing("warning", "no_match")
        self._drawing.setFixedSize(theme.size("control"), theme.size("control"))
        layout = row(self._drawing, margin="unit")
        layout.addLayout(words, 1)
        for item in (self._retry, self._copy, self._close):
            layout.addWidget(item)
        self.setLayout(layout)
        self.hide()

    @property
    def error(self) -> BaseException | None:
        """The error shown now."""
        return self._error

    def show_error(self, error: BaseException) -> None:
        """Show an error; one that is not a KnownError is called a fault of the program."""
        self._error = error
        if isinstance(error, KnownError):
            what, why, do = error.what, error.why, error.do
        else:
            what = self.tr("Something went wrong inside facegui.")
            why = f"{type(error).__name__}: {error}"
            do = self.tr("Your data is as it was. Copy the details if you want to report it.")
        for target, text in ((self._what, what), (self._why, why), (self._do, do)):
            target.setText(text)
            target.setVisible(bool(text))
        self.setAccessibleName(what)
        self.setAccessibleDescription(f"{why} {do}".strip())
        self.show()

    def copy_details(self) -> None:
        """Put the details on the clipboard."""
        if self._error is not None:
            QGuiApplication.clipboard().setText(details(self._error))
            self._copy.setText(self.tr("Copied"))

    def dismiss(self) -> None:
        """Hide the card."""
        self._error = None
        self._copy.setText(self.tr("Copy details"))
        self.hide()
        self.dismissed.emit()
