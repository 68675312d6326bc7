"""Waiting for the Lookalikes page in its tests."""

from __future__ import annotations

from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes import LookalikesPage

WAIT = 30_000


def quiet(qtbot, bridge: Bridge) -> None:
    qtbot.waitUntil(lambda: not bridge._tasks, timeout=WAIT)


def names(page: LookalikesPage, qtbot) -> list[str]:
    rows = page.results.rows
    qtbot.waitUntil(lambda: all(rows[n].title for n in range(len(rows))), timeout=WAIT)
    return [rows[n].title for n in range(len(rows))]
