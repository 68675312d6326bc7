"""The People page."""

from __future__ import annotations

from typing import ClassVar

from facegui.gui.pages.page import Page, State, StateWords

__all__ = ["PeoplePage"]


class PeoplePage(Page):
    """The People page of the window."""

    name: ClassVar[str] = "people"
    icon: ClassVar[str] = "people"

    @property
    def title(self) -> str:
        return self.tr("People")

    def build(self) -> None:
        self.define_state(
            State.EMPTY,
            StateWords("people", self.tr("Nobody is enrolled yet"), self.tr("People you enroll appear here.")),
        )
        self.set_state(State.EMPTY)
