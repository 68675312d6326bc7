"""Says for a while that a file was written; a click shows it in its folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from facegui.gui import theme
from facegui.gui.reveal import reveal

__all__ = ["WrittenLink"]


class WrittenLink(QPushButton):
    """Hidden until a file is there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "link")
        theme.set_icon(self, "check", "accent")
        self.setAutoDefault(False)
        self._file = Path()
        self._leave = QTimer(self, singleShot=True, interval=theme.time("undo"))
        self._leave.timeout.connect(self.hide)
        self.clicked.connect(lambda _checked=False: reveal(self._file))
        self.hide()

    def show_file(self, file: Path) -> None:
        """Name a file that was written."""
        self._file = file
        self.setText(self.tr("Written: {0}").format(file.name))
        self.setToolTip(self.tr("Show {0} in its folder").format(file))
        self.show()
        self._leave.start()
