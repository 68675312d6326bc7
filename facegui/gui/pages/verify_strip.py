"""The exact aligned crop of one side of the comparison, with what it is and how good it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QBoxLayout, QLabel, QSizePolicy, QWidget

from facegui.faces.types import Image, Quality
from facegui.gui import theme
from facegui.gui.widgets.decision_badge import outcome_word
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.face_card import CropView, QualityBar
from facegui.gui.widgets.parts import column, label
from facegui.gui.widgets.photo_marks import quality_text, reason_advice
from facegui.gui.widgets.score_trace import ScoreTrace
from facegui.matching.decision import Outcome

__all__ = ["FaceStrip"]

_NARROW_REASONS: Final = 2


def _set_role(target: QLabel, role: str) -> None:
    """Change the look only where it is another one: a live source asks many times a second."""
    if target.property("role") != role:
        theme.set_role(target, role)


class FaceStrip(QWidget):
    """Crop, caption, quality, one note and, for a live source, the trace of the score.

    It keeps its size whatever it shows: as high as the crop beneath a picture, as wide as the crop beside one.
    """

    def __init__(self, parent: QWidget | None = None, *, live: bool = False) -> None:
        super().__init__(parent)
        self.crop = CropView()
        self.crop.setFixedSize(self.crop.sizeHint())
        self._caption = ElidedLabel("emphasis", mode=Qt.TextElideMode.ElideMiddle)
        self._bar = QualityBar()
        self._quality = label("", "small", wrap=True)
        self._note = label("", "muted", wrap=True)
        self.trace = ScoreTrace() if live else None
        for item in (self._quality, self._note):
            item.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            item.setMinimumWidth(0)
        self._bar.setMaximumWidth(self.crop.sizeHint().width())
        words = column(self._caption, self._bar, self._quality, self._note, gap="half")
        words.addStretch(1)
        if self.trace is not None:
            self.trace.hide()
            words.addWidget(self.trace)
        body = QWidget()
        body.setLayout(words)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme.size("unit"))
        self._box.addWidget(self.crop)
        self._box.addWidget(body, 1)
        self._outcome: Outcome | None = None
        self._beside = False
        self._shown_quality: Quality | None = None
        self.set_beside(False)
        self.set_face(None)

    @property
    def note(self) -> str:
        """The note shown."""
        return self._note.text()

    @property
    def caption(self) -> str:
        """The caption shown, in full."""
        return self._caption.full

    def set_beside(self, beside: bool) -> None:
        """Stand beside the picture (words under the crop), or lie beneath it (words right of the crop)."""
        self._beside = beside
        self._show_quality(self._shown_quality)
        side = self.crop.sizeHint().width()
        direction = QBoxLayout.Direction
        self._box.setDirection(direction.TopToBottom if beside else direction.LeftToRight)
        largest = 16_777_215  # QWIDGETSIZE_MAX: no limit
        self.setMinimumSize(side, side)
        self.setMaximumSize(side if beside else largest, largest if beside else side)
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Fixed if beside else policy.Expanding, policy.Expanding if beside else policy.Fixed)

    def set_face(self, image: QImage | Image | None, caption: str = "", quality: Quality | None = None) -> None:
        """Show a crop with caption and quality, or the outline of a face."""
        self.crop.set_image(image)
        self._caption.show_text(caption)
        self._bar.set_quality(quality)
        self._bar.setVisible(quality is not None)
        self._quality.setVisible(quality is not None)
        self._show_quality(quality)
        advice = [reason_advice(reason) for reason in quality.reasons] if quality is not None else []
        self._quality.setToolTip("\n".join(dict.fromkeys(advice)))
        _set_role(self._quality, "warning" if advice else "small")
        self._describe()

    def _show_quality(self, quality: Quality | None) -> None:
        """Write the quality; beside a picture, where room is narrow, the two worst reasons."""
        self._shown_quality = quality
        text = ""
        if quality is not None:
            short = replace(quality, reasons=quality.reasons[:_NARROW_REASONS]) if self._beside else quality
            text = quality_text(short)
        self._quality.setText(text)

    def set_note(self, text: str, role: str = "muted") -> None:
        """Say one thing about this side; `role` is muted, warning or problem."""
        if text != self._note.text():
            _set_role(self._note, role)
            self._note.setText(text)
            self._note.setVisible(bool(text))
            self._describe()

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Frame the crop in the colour of a decision."""
        if outcome is not self._outcome:
            self._outcome = outcome
            self.crop.set_outcome(outcome)
            self._describe()

    def _describe(self) -> None:
        self.setAccessibleName(self._caption.full or self.tr("No face yet"))
        words = (self._quality.text(), self._note.text(), outcome_word(self._outcome))
        self.setAccessibleDescription(", ".join(word for word in words if word))
