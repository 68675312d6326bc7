"""What the live decision rests on, in the inspector: the crops used, and the score of each frame with the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from facegui.faces.types import Image
from facegui.gui import theme
from facegui.gui.widgets.face_card import CropView
from facegui.gui.widgets.parts import column, label, row
from facegui.gui.widgets.score_trace import ScoreTrace
from facegui.matching.decision import Rule
from facegui.services.evidence import CARD_CROPS

if TYPE_CHECKING:
    from facegui.services.live_values import LiveTrack

__all__ = ["LookView"]


class LookView(QWidget):
    """One line of words until there was a live frame; from then on the places stay, so that nothing moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        side = (theme.size("inspector") - 4 * theme.size("unit")) // CARD_CROPS - theme.size("unit")
        self.crops = [CropView(side=side) for _ in range(CARD_CROPS)]
        self.trace = ScoreTrace()
        self.trace.hide()
        for place in self.crops:
            place.hide()
        self._words = label("", "small", wrap=True)
        line = row(*self.crops, None, gap="half")
        layout = column(gap="half")
        layout.addLayout(line)
        layout.addWidget(self.trace)
        layout.addWidget(self._words)
        self.setLayout(layout)
        self.show_look(None, (), None)

    def show_look(self, shown: LiveTrack | None, crops: Sequence[Image], rule: Rule | None) -> None:
        """Show the frames behind a decision; None empties the places."""
        if shown is not None and self.trace.isHidden():
            for item in (*self.crops, self.trace):
                item.show()
        for number, place in enumerate(self.crops):
            place.set_image(crops[number] if number < len(crops) else None)
        self.trace.clear()
        self.trace.set_rule(rule)
        if shown is None:
            self._words.setText(self.tr("No live frame yet."))
            return
        for moment in shown.moments:
            self.trace.add(moment.similarity if moment.similarity == moment.similarity else None, moment.seconds)
        self._words.setText(
            self.tr("{0} frames counted over {1} s").format(shown.fused.frames, f"{shown.fused.seconds:.1f}")
        )
