"""What both sides of the comparison have in common: a choice of kind, a place for the picture, the aligned crop."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QStackedWidget, QWidget

from facegui.gui import theme
from facegui.gui.pages.verify_strip import FaceStrip
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import column, row, tool_button

__all__ = ["Side"]


class Side(QWidget):
    """One side. Subclasses fill `places` (the picture) and `tools` (what belongs to a kind, in the header).

    Signals
    -------
    changed
        Another face or person counts on this side, or none.
    kindChosen(str)
        The user chose another kind: person, photo or camera.
    """

    changed = Signal()
    kindChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, live: bool = False) -> None:
        super().__init__(parent)
        self.kind = ""
        self.chips: dict[str, Chip] = {}
        self._group = QButtonGroup(self)
        self.tools = QStackedWidget()
        self.tools.setFixedHeight(theme.size("control"))
        self.places = QStackedWidget()
        self.strip = FaceStrip(live=live)
        self._clear = tool_button("close", self.tr("Clear this side"), self.clear)
        self._chips = row(gap="half")
        header = row(gap="unit")
        header.addLayout(self._chips)
        header.addWidget(self.tools, 1)
        header.addWidget(self._clear)
        self.box = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(theme.size("unit"))
        self.box.addWidget(self.places, 1)
        self.box.addWidget(self.strip)
        layout = column(gap="unit")
        layout.addLayout(header)
        layout.addLayout(self.box, 1)
        self.setLayout(layout)

    def add_kinds(self, name: str, kinds: Sequence[tuple[str, str]]) -> None:
        """Offer kinds as (kind, words); the first is the present one. `name` is for the screen reader."""
        self.setAccessibleName(name)
        for kind, words in kinds:
            chip = Chip(words, checkable=True)
            chip.setAccessibleName(f"{name}: {words}")
            chip.clicked.connect(lambda _checked=False, kind=kind: self._chosen(kind))
            self._group.addButton(chip)
            self._chips.addWidget(chip)
            self.chips[kind] = chip
        self.set_kind(kinds[0][0])

    def set_beside(self, direction: QBoxLayout.Direction) -> None:
        """Put the crop beneath the picture (TopToBottom) or beside it."""
        self.box.setDirection(direction)
        self.strip.set_beside(direction != QBoxLayout.Direction.TopToBottom)

    def set_kind(self, kind: str) -> None:
        """Show what belongs to a kind."""
        self.kind = kind
        self.chips[kind].setChecked(True)
        self.show_kind()

    def set_clearable(self, clearable: bool) -> None:
        """Offer to clear this side, or not."""
        self._clear.setEnabled(clearable)

    def show_kind(self) -> None:
        """Show the places and tools of the present kind."""

    def clear(self) -> None:
        """Show nothing."""

    def _chosen(self, kind: str) -> None:
        if kind != self.kind:
            self.set_kind(kind)
            self.kindChosen.emit(kind)
            self.changed.emit()
