"""The comparison for somebody who stands before the screen: the picture, the decision, and what to do, very large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QImage, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget

from facegui.faces.liveness import LivenessReport, Verdict
from facegui.faces.liveness_challenge import Action, ChallengeState
from facegui.gui import theme
from facegui.gui.widgets.decision_badge import draw_badge, outcome_role, outcome_word
from facegui.gui.widgets.parts import button, row
from facegui.matching.decision import Outcome

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Kiosk"]

# Shares of the window's height, so that all of it is read from the same distance on any screen.
_EDGE: Final = 0.03
_FRAME: Final = 0.016
_BAND: Final = 0.26
_WORD: Final = 0.075
_SENTENCE: Final = 0.05
_HINT: Final = 0.026
_DOT: Final = 0.022


class Kiosk(QWidget):
    """A window of its own over everything; the rest of the program takes no input until it is left.

    Signals
    -------
    left
        It was closed.
    againWanted
        Another proof of life is wanted (Enter).
    """

    left = Signal()
    againWanted = Signal()

    def __init__(self, services: Services, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._services = services
        self.setWindowTitle(self.tr("Verify"))
        self.setWindowModality(Qt.WindowModality.ApplicationModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._image: QImage | None = None
        self._mirrored = False
        self._sentence = self._hint = ""
        self._outcome: Outcome | None = None
        self._asked: tuple[Action | None, Verdict | None] = (None, None)
        self._done = self._total = 0
        self.sound = button("", self._toggle_sound, role="quiet")
        self._leave = button(self.tr("Leave (Esc)"), self.close, role="quiet")
        for item in (self.sound, self._leave):
            item.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        top = row(None, self.sound, self._leave, gap="unit", margin="unit")
        top.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setLayout(top)
        self._name_sound()

    @property
    def sentence(self) -> str:
        """What is said now, in large letters."""
        return self._sentence

    @property
    def outcome(self) -> Outcome | None:
        """The decision that is shown."""
        return self._outcome

    def show_image(self, image: QImage, mirrored: bool) -> None:
        """Show the next picture of the camera."""
        self._image, self._mirrored = image, mirrored
        self.update()

    def show_state(self, outcome: Outcome | None, sentence: str, hint: str, report: LivenessReport | None) -> None:
        """Show a decision and what the person is to do; sound tells that either is news."""
        view = report.challenge if report is not None else None
        running = view is not None and view.state is not ChallengeState.FAILED
        asked = (view.action if view is not None else None, report.verdict if report is not None else None)
        settled = outcome in (Outcome.MATCH, Outcome.NO_MATCH) and outcome is not self._outcome
        news = settled or (asked[0] is not None and asked[0] is not self._asked[0])
        news |= asked[1] is Verdict.ATTACK and self._asked[1] is not Verdict.ATTACK
        self._outcome, self._sentence, self._hint, self._asked = outcome, sentence, hint, asked
        self._done, self._total = (view.done, view.total) if view is not None and running else (0, 0)
        if news and self._services.settings.kiosk_sound:
            QApplication.beep()
        self.setAccessibleName(sentence)
        self.setAccessibleDescription(", ".join(words for words in (outcome_word(outcome), hint) if words))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F11):
            self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.againWanted.emit()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: object) -> None:
        super().closeEvent(event)  # type: ignore[arg-type]
        self.left.emit()

    def sizeHint(self) -> QSize:
        return QSize(theme.size("window_width"), theme.size("window_height"))

    def _toggle_sound(self) -> None:
        self._services.change_settings(kiosk_sound=not self._services.settings.kiosk_sound)
        self._name_sound()
        if self._services.settings.kiosk_sound:
            QApplication.beep()

    def _name_sound(self) -> None:
        on = self._services.settings.kiosk_sound
        self.sound.setText(self.tr("Sound: on") if on else self.tr("Sound: off"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), theme.color("window"))
        height = self.height()
        edge, band = _EDGE * height, _BAND * height
        top = self._leave.geometry().bottom() + theme.size("unit")
        self._paint_picture(painter, QRectF(edge, top, self.width() - 2 * edge, height - band - top))
        self._paint_words(painter, QRectF(edge, height - band, self.width() - 2 * edge, band))

    def _paint_picture(self, painter: QPainter, room: QRectF) -> None:
        """Draw the picture as large as it fits, in a frame of the decision's colour."""
        width = _FRAME * self.height()
        inner = room.adjusted(width, width, -width, -width)
        if self._image is not None and self._image.height():
            ratio = self._image.width() / self._image.height()
            size = min(inner.width(), inner.height() * ratio)
            inner = QRectF(inner.center().x() - size / 2, inner.center().y() - size / ratio / 2, size, size / ratio)
        corner = 2 * width
        clip = QPainterPath()
        clip.addRoundedRect(inner, corner, corner)
        painter.save()
        painter.fillPath(clip, theme.color("sunken"))
        painter.setClipPath(clip)
        if self._image is not None:
            if self._mirrored:
                painter.translate(2 * inner.center().x(), 0)
                painter.scale(-1, 1)
            painter.drawImage(inner, self._image)
        painter.restore()
        style = Qt.PenStyle.DashLine if self._outcome is Outcome.UNSURE else Qt.PenStyle.SolidLine
        painter.setPen(QPen(theme.color(outcome_role(self._outcome)), width, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = width / 2
        painter.drawRoundedRect(inner.adjusted(-half, -half, half, half), corner, corner)

    def _paint_words(self, painter: QPainter, room: QRectF) -> None:
        """Write the decision with its shape, the sentence, the hint, and how many movements are done."""
        height, middle = self.height(), int(Qt.AlignmentFlag.AlignCenter)
        line = room.top() + _EDGE * height / 2
        decided = self._outcome in (Outcome.MATCH, Outcome.NO_MATCH)
        if decided and self._outcome is not None:
            font, word = self._font(_WORD, bold=True), outcome_word(self._outcome)
            painter.setFont(font)
            side, gap = 1.1 * _WORD * height, 0.4 * _WORD * height
            left = room.center().x() - (side + gap + painter.fontMetrics().horizontalAdvance(word)) / 2
            draw_badge(painter, QRectF(left, line, side, side), self._outcome)
            painter.setPen(theme.color(outcome_role(self._outcome)))
            start = left + side + gap
            painter.drawText(QRectF(start, line, room.right() - start, side), int(Qt.AlignmentFlag.AlignVCenter), word)
            line += side + 0.2 * gap
        elif self._total:
            self._paint_dots(painter, room.center().x(), line)
            line += 2 * _DOT * height
        share = _SENTENCE if decided else _SENTENCE * 1.3
        painter.setPen(theme.color("text"))
        painter.setFont(self._font(share, bold=not decided))
        while painter.fontMetrics().horizontalAdvance(self._sentence) > room.width() and share > _HINT:
            share *= 0.95
            painter.setFont(self._font(share, bold=not decided))
        painter.drawText(QRectF(room.left(), line, room.width(), 1.5 * share * height), middle, self._sentence)
        line += 1.5 * share * height
        painter.setPen(theme.color("muted"))
        painter.setFont(self._font(_HINT))
        painter.drawText(QRectF(room.left(), line, room.width(), 1.6 * _HINT * height), middle, self._hint)

    def _paint_dots(self, painter: QPainter, middle: float, top: float) -> None:
        """Draw a dot for each movement: filled when done, a ring when still to come."""
        side = _DOT * self.height()
        left = middle - (2 * self._total - 1) * side / 2
        for number in range(self._total):
            done = number < self._done
            painter.setPen(QPen(theme.color("match" if done else "border_strong"), theme.size("focus")))
            painter.setBrush(theme.color("match") if done else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(left + 2 * number * side, top, side, side))

    def _font(self, share: float, *, bold: bool = False) -> QFont:
        font = theme.font("title", bold=bold)
        font.setPixelSize(max(theme.size("unit"), round(share * self.height())))
        return font
