"""A small rounded button for a filter, a folder, a probe."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QPushButton, QWidget

from facegui.gui import theme

__all__ = ["Chip"]


def _rounded(image: QImage, length: int, ratio: float) -> QPixmap:
    """Return a picture with round corners and a gap at its right."""
    result = QPixmap(round((length + theme.size("half")) * ratio), round(length * ratio))
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    area = QRectF(0, 0, length, length)
    path = QPainterPath()
    path.addRoundedRect(area, theme.size("small_radius"), theme.size("small_radius"))
    painter.setClipPath(path)
    painter.drawImage(area, image)
    painter.end()
    return result


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
        self.setIcon(QIcon(_rounded(image, length, self.devicePixelRatioF())))
        self.setIconSize(QSize(length + theme.size("half"), length))
