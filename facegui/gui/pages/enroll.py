"""The Enroll page."""

from __future__ import annotations

from typing import ClassVar

from facegui.gui.pages.page import Page, State, StateWords

__all__ = ["EnrollPage"]


class EnrollPage(Page):
    """The Enroll page of the window."""

    name: ClassVar[str] = "enroll"
    icon: ClassVar[str] = "enroll"

    @property
    def title(self) -> str:
        return self.tr("Enroll")

    def build(self) -> None:
        self.define_state(
            State.EMPTY,
            StateWords(
                "enroll",
                self.tr("Who shall facegui know?"),
                self.tr("Take a few photos of a person and give them a name."),
            ),
        )
        self.set_state(State.EMPTY)
