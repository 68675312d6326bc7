"""One line of text that is shortened to the room it has."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from facegui.gui import theme

__all__ = ["ElidedLabel"]


class ElidedLabel(QLabel):
    """Shows the whole text as a tooltip where it had to be shortened; `full` is the whole text.

    It takes the width that it is given; with `snug`, no more than the whole text needs.
    """

    def __init__(
        self, role: str = "", parent: QWidget | None = None, *, font: QFont | None = None,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, snug: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.full = self._tip = ""
        self._mode = mode
        self._snug = snug
        self.setTextFormat(Qt.TextFormat.PlainText)
        across = QSizePolicy.Policy.Maximum if snug else QSizePolicy.Policy.Ignored
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)
        if role:
            theme.set_role(self, role)
        if font is not None:
            self.setFont(font)

    def show_text(self, text: str, tip: str = "") -> None:
        """Show another text; what `tip` says stands in the tooltip in any case."""
        if (text, tip) != (self.full, self._tip):
            self.full, self._tip = text, tip
            self.setAccessibleName(text)
            if self._snug:
                self.updateGeometry()
            self._fit()

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.full) + 1 if self._snug else 0, metrics.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self.full, self._mode, self.width())
        self.setText(shown)
        self.setToolTip("\n".join(part for part in (self.full if shown != self.full else "", self._tip) if part))
