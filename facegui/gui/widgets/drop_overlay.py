"""Photos dropped on the window: a frame while they hover, then the question what to do with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from facegui.gui import theme
from facegui.gui.widgets.overlay import Overlay
from facegui.gui.widgets.parts import button, label, row

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


class DropOverlay(Overlay):
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
        self._dropped: Dropped | None = None
        self._question = label("", "heading")
        self._question.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = [button(words, partial(self._choose, name), icon=icon) for name, icon, words in choices]
        line = QWidget()
        line.setLayout(row(*self._buttons, button(self.tr("Cancel"), self.dismiss, role="quiet")))
        self.fill_card(self._question, line)
        self.setAccessibleName(self.tr("Dropped photos"))

    def hover(self, on: bool) -> None:
        """Show or hide the frame that says the window takes photos."""
        if self._dropped is not None:
            return
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, on)
        self.card.hide()
        if on:
            self.cover()
        else:
            self.hide()

    def ask(self, dropped: Dropped) -> None:
        """Ask what shall be done with what was dropped."""
        self._dropped = dropped
        count = max(1, len(dropped.paths))
        self._question.setText(
            self.tr("What shall happen with this photo?") if count == 1
            else self.tr("What shall happen with these {0} files?").format(count)
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)
        self.card.show()
        self.cover(self._buttons[0])

    def dismiss(self) -> None:
        """Forget what was dropped."""
        self._dropped = None
        super().dismiss()

    def _choose(self, page: str) -> None:
        dropped = self._dropped
        self.dismiss()
        if dropped is not None:
            self.chosen.emit(page, dropped)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._dropped is not None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inset, radius = theme.size("unit"), theme.size("radius")
        painter.setPen(QPen(theme.color("accent"), theme.size("focus"), Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), radius, radius)
        painter.setPen(theme.color("text"))
        painter.setFont(theme.font("title", bold=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("Drop the photos here"))
