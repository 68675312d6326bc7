"""Which pages there are, in the order of the rail. A page's module is imported when the page is first shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from facegui.gui.pages.page import Page

__all__ = ["PAGES", "PageEntry"]


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page of the rail: name, icon in assets/icons, and what imports its class."""

    name: str
    icon: str
    load: Callable[[], type[Page]]


def _verify() -> type[Page]:
    from facegui.gui.pages.verify import VerifyPage

    return VerifyPage


def _enroll() -> type[Page]:
    from facegui.gui.pages.enroll import EnrollPage

    return EnrollPage


def _lookalikes() -> type[Page]:
    from facegui.gui.pages.lookalikes import LookalikesPage

    return LookalikesPage


def _people() -> type[Page]:
    from facegui.gui.pages.people import PeoplePage

    return PeoplePage


def _insights() -> type[Page]:
    from facegui.gui.pages.insights import InsightsPage

    return InsightsPage


def _settings() -> type[Page]:
    from facegui.gui.pages.settings import SettingsPage

    return SettingsPage


PAGES: Final = (
    PageEntry("verify", "verify", _verify),
    PageEntry("enroll", "enroll", _enroll),
    PageEntry("lookalikes", "lookalikes", _lookalikes),
    PageEntry("people", "people", _people),
    PageEntry("insights", "insights", _insights),
    PageEntry("settings", "settings", _settings),
)
