"""The Lookalikes page."""

from __future__ import annotations

from typing import ClassVar

from facegui.gui.pages.page import Page, State, StateWords

__all__ = ["LookalikesPage"]


class LookalikesPage(Page):
    """The Lookalikes page of the window."""

    name: ClassVar[str] = "lookalikes"
    icon: ClassVar[str] = "lookalikes"

    @property
    def title(self) -> str:
        return self.tr("Lookalikes")

    def build(self) -> None:
        self.define_state(
            State.EMPTY,
            StateWords("lookalikes", self.tr("Who looks like this?"), self.tr("Choose a face and a folder of photos.")),
        )
        self.set_state(State.EMPTY)
