"""A small rounded button for a filter, a folder, a probe."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QPushButton, QWidget

from facegui.gui import theme

__all__ = ["Chip"]


class Chip(QPushButton):
    """A chip; `clicked` as of any button, `toggled` when checkable. A picture may stand before the text."""

    def __init__(
        self, text: str = "", icon: str = "", *, checkable: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        theme.set_role(self, "chip")
        self.setCheckable(checkable)
        self.setAutoDefault(False)
        if icon:
            theme.set_icon(self, icon, "muted")

    def set_picture(self, image: QImage) -> None:
        """Show a picture, such as the probe's face, in place of the icon."""
        self.setProperty("themeIcon", None)
        length = theme.size("badge")
        self.setIcon(QIcon(QPixmap.fromImage(image)))
        self.setIconSize(QSize(length, length))
