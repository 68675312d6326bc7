"""What a page shows when it has nothing to show: a drawing, what the page is for, one action."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import button, column, label

__all__ = ["Drawing", "EmptyState"]


class Drawing(QWidget):
    """An icon of the set, drawn large on a soft disc."""

    def __init__(self, name: str, role: str = "accent", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._role = name, role
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_name(self, name: str, role: str = "accent") -> None:
        """Draw another icon."""
        self._name, self._role = name, role
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.size("drawing"), theme.size("drawing"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        soft = {"no_match": "no_match_soft", "unsure": "unsure_soft", "match": "match_soft"}
        painter.setBrush(theme.color(soft.get(self._role, "accent_soft")))
        side = min(self.width(), self.height())
        area = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        painter.drawEllipse(area)
        length = side // 2
        picture = theme.pixmap(self._name, self._role, length, self.devicePixelRatioF())
        corner = area.center()
        painter.drawPixmap(QRectF(corner.x() - length / 2, corner.y() - length / 2, length, length), picture,
                           QRectF(picture.rect()))  # fmt: skip


class EmptyState(QWidget):
    """Says in the middle of the page what it is for, or why it is empty, and offers one action.

    Signals
    -------
    activated
        The action was chosen.
    """

    activated = Signal()

    def __init__(
        self, drawing: str = "face", title: str = "", text: str = "", action: str = "",
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._drawing = Drawing(drawing)
        self._title = label("", "heading", wrap=True)
        self._text = label("", "muted", wrap=True)
        self._action = button("", self.activated.emit, role="primary")
        for item in (self._title, self._text):
            item.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inner = column(self._drawing, self._title, self._text, self._action, gap="unit")
        for part in (self._drawing, self._title, self._text, self._action):
            inner.setAlignment(part, Qt.AlignmentFlag.AlignHCenter)
        inner.insertSpacing(1, theme.size("unit"))
        inner.insertSpacing(inner.count() - 1, theme.size("unit"))
        outer = column(None, margin="unit")
        outer.addLayout(inner)
        outer.addStretch(1)
        self.setLayout(outer)
        self.show_state(drawing, title, text, action)

    def show_state(self, drawing: str, title: str, text: str, action: str = "", role: str = "accent") -> None:
        """Show something else; without `action` there is no button."""
        self._drawing.set_name(drawing, role)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self._fit()

    def _fit(self) -> None:
        """Give the wrapped lines their width and the height that they need in it."""
        widest = theme.size("inspector") + theme.size("tile")
        width = max(theme.size("tile"), min(widest, self.width() - 2 * theme.size("unit")))
        for item in (self._title, self._text):
            item.ensurePolished()
            item.setMinimumHeight(0)  # a label asks for no less than the minimum that it had for a longer text
            item.setFixedSize(width, max(0, item.heightForWidth(width)))
        # Where room is short the words and the action stay, and the drawing goes.
        parts = [item.height() for item in (self._title, self._text) if not item.isHidden()]
        if not self._action.isHidden():
            parts.append(self._action.sizeHint().height())
        needed = sum(parts) + theme.size("drawing") + (len(parts) + 5) * theme.size("unit")
        self._drawing.setVisible(self.height() >= needed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
