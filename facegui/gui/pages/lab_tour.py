"""The six captions of the margin lab: why one threshold on a cosine serves everybody."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QWidget

from facegui.gui import theme
from facegui.gui.widgets.parts import column, label, row, tool_button

__all__ = ["Caption", "Tour"]


@dataclass(frozen=True, slots=True)
class Caption:
    """One step.

    Attributes
    ----------
    title, text : str
    run : str
        The recorded run that it shows.
    about : tuple of str
        The parts of the lab that it speaks of, the one to be seen first: sphere, angles on it, sliders, logits,
        boundaries, pairs.
    start : bool
        Whether the run is shown from its beginning, and played.
    """

    title: str
    text: str
    run: str
    about: tuple[str, ...]
    start: bool = False


class Tour(QFrame):
    """Shows one caption at a time.

    Signals
    -------
    reached(object)
        The `Caption` that is now shown, by the user.
    """

    reached = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "info-bar")
        self.captions = (
            Caption(
                self.tr("A picture becomes a direction"),
                self.tr(
                    "The network turns every picture into an arrow of length 1, that is a point on a sphere. Here they "
                    "are written digits in 3 dimensions; faces have hundreds. A numbered disc is the centre of a class."
                ),
                "arcface",
                ("sphere",),
            ),
            Caption(
                self.tr("The angle is all that counts"),
                self.tr(
                    "Two pictures are as alike as their arrows point the same way. The cosine of the angle between "
                    "them is the similarity: 1 for one direction, 0 at a right angle, −1 opposite. Two pairs are drawn."
                ),
                "arcface",
                ("sphere", "angles"),
            ),
            Caption(
                self.tr("Softmax is content with just right"),
                self.tr(
                    "Trained with softmax, a picture is right as soon as its own class is nearest, by however little, "
                    "and the pull on it fades. Longer arrows help as much as better directions: classes stay wide."
                ),
                "softmax",
                ("sphere", "boundaries"),
            ),
            Caption(
                self.tr("A margin asks for more"),
                self.tr(
                    "ArcFace adds m2 to the angle with the own centre while it trains. In the pale bands a picture is "
                    "right, but not by enough, and is pulled on. Move m2 and watch the bands and the curves."
                ),
                "arcface",
                ("boundaries", "logits", "sliders", "sphere"),
            ),
            Caption(
                self.tr("Training draws together and pushes apart"),
                self.tr(
                    "At first all pictures lie in one heap. Over the epochs each class gathers round its centre, and "
                    "the centres move apart: the angle within a class gets small, the angle between classes large."
                ),
                "arcface",
                ("sphere",),
                start=True,
            ),
            Caption(
                self.tr("So one threshold serves everybody"),
                self.tr(
                    "Pairs of one class now have high cosines and pairs of two classes low ones, whichever they are: "
                    "one number between the heaps decides. Trained on very many people, it also holds for new ones."
                ),
                "arcface",
                ("pairs",),
            ),
        )
        self.step = 0
        self._number = label("", "small")
        self._title = label("", "heading")
        self._text = label("", wrap=True)
        self._back = tool_button("chevron-left", self.tr("Caption before"), lambda: self.go(self.step - 1))
        self._next = tool_button("chevron-right", self.tr("Next caption"), lambda: self.go(self.step + 1))
        words = column(gap="half")
        words.addLayout(row(self._title, self._number, None))
        words.addWidget(self._text)
        line = row(gap="unit", margin="unit")
        line.addLayout(words, 1)
        line.addWidget(self._back)
        line.addWidget(self._next)
        self.setLayout(line)
        self._show()

    @property
    def caption(self) -> Caption:
        """The caption that is shown."""
        return self.captions[self.step]

    def go(self, step: int) -> None:
        """Show a caption, from 0."""
        step = min(max(step, 0), len(self.captions) - 1)
        if step != self.step:
            self.step = step
            self._show()
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.accessibleName()))
            self.reached.emit(self.caption)

    def _show(self) -> None:
        self._number.setText(self.tr("{number} of {all}").format(number=self.step + 1, all=len(self.captions)))
        self._title.setText(self.caption.title)
        self._text.setText(self.caption.text)
        self.setAccessibleName(f"{self.caption.title}. {self.caption.text}")
        self._back.setEnabled(self.step > 0)
        self._next.setEnabled(self.step < len(self.captions) - 1)
