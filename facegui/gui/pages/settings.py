"""The Settings page."""

from __future__ import annotations

from typing import ClassVar

from facegui.gui.pages.page import Page, State, StateWords

__all__ = ["SettingsPage"]


class SettingsPage(Page):
    """The Settings page of the window."""

    name: ClassVar[str] = "settings"
    icon: ClassVar[str] = "settings"

    @property
    def title(self) -> str:
        return self.tr("Settings")

    def build(self) -> None:
        self.define_state(
            State.EMPTY,
            StateWords("settings", self.tr("Settings"), self.tr("Everything that can be set.")),
        )
        self.set_state(State.EMPTY)
