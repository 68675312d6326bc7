"""The Verify page."""

from __future__ import annotations

from typing import ClassVar

from facegui.gui.pages.page import Page, State, StateWords

__all__ = ["VerifyPage"]


class VerifyPage(Page):
    """The Verify page of the window."""

    name: ClassVar[str] = "verify"
    icon: ClassVar[str] = "verify"

    @property
    def title(self) -> str:
        return self.tr("Verify")

    def build(self) -> None:
        self.define_state(
            State.EMPTY,
            StateWords(
                "verify",
                self.tr("Is this really her?"),
                self.tr("Compare a face with a person you enrolled, or one photo with another."),
            ),
        )
        self.set_state(State.EMPTY)
