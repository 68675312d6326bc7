"""Photos dropped on the window: a frame while they hover, then the question what to do with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import button, card, column, label, row

__all__ = ["DropOverlay", "Dropped", "dropped_from"]


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """What was dropped or pasted: files and folders, or a picture."""

    paths: tuple[Path, ...] = ()
    image: QImage | None = field(default=None)


def dropped_from(mime: QMimeData) -> Dropped | None:
    """Read files or a picture from a drag or the clipboard; None when there are none."""
    paths = tuple(Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile())
    if paths:
        return Dropped(paths)
    if mime.hasImage():
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return Dropped((), image)
    return None


class DropOverlay(QWidget):
    """Covers its parent while it asks.

    Signals
    -------
    chosen(str, Dropped)
        Name of the page that shall take what was dropped.
    """

    chosen = Signal(str, object)

    def __init__(self, choices: Sequence[tuple[str, str, str]], parent: QWidget) -> None:
        """Make the choices: (name of the page, icon, words)."""
        super().__init__(parent)
        self._over = parent
        self._dropped: Dropped | None = None
        self._asking = False
        self._question = label("", "heading")
        self._question.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = [button(words, partial(self._choose, name), icon=icon) for name, icon, words in choices]
        cancel = button(self.tr("Cancel"), self.dismiss, role="quiet")
        self._card = card(self._question)
        body = self._card.layout()
        assert body is not None
        edge = 2 * theme.size("unit")
        body.setContentsMargins(edge, edge, edge, edge)
        body.setSpacing(edge)
        line = QWidget()
        line.setLayout(row(*self._buttons, cancel))
        body.addWidget(line)
        layout = column(None, self._card, None)
        layout.setAlignment(self._card, Qt.AlignmentFlag.AlignCenter)
        self.setLayout(layout)
        self.setAccessibleName(self.tr("Dropped photos"))
        parent.installEventFilter(self)
        self.hide()

    def hover(self, on: bool) -> None:
        """Show or hide the frame that says the window takes photos."""
        if self._asking:
            return
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, on)
        self._card.hide()
        self._cover(on)

    def ask(self, dropped: Dropped) -> None:
        """Ask what shall be done with what was dropped."""
        self._dropped = dropped
        self._asking = True
        count = max(1, len(dropped.paths))
        self._question.setText(
            self.tr("What shall happen with this photo?") if count == 1
            else self.tr("What shall happen with these {0} files?").format(count)
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)
        self._card.show()
        self._cover(True)
        self._buttons[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def dismiss(self) -> None:
        """Forget it."""
        self._asking = False
        self._dropped = None
        self.hide()

    def _choose(self, page: str) -> None:
        dropped = self._dropped
        self.dismiss()
        if dropped is not None:
            self.chosen.emit(page, dropped)

    def _cover(self, on: bool) -> None:
        self.setGeometry(self._over.rect())
        self.setVisible(on)
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._over.rect())
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("veil"))
        if not self._asking:
            inset = theme.size("unit")
            pen = QPen(theme.color("accent"), theme.size("focus"), Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset),
                                    theme.size("radius"), theme.size("radius"))  # fmt: skip
            painter.setPen(theme.color("text"))
            painter.setFont(theme.font("title", bold=True))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("Drop the photos here"))
