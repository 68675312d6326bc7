"""The window watches the indexed folders while the setting says so, and leaves nothing running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from painted import paint, painted_services

from facegui.gui.bridge import Bridge
from facegui.gui.main_window import MainWindow
from facegui.matching.calibration import Calibration
from facegui.services import Services, watching
from facegui.settings import Settings

WAIT = 60_000


@pytest.fixture
def services(tmp_path: Path, calibration: Calibration, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """A gallery with one indexed folder; folders that changed are read after a short rest."""
    monkeypatch.setattr(watching, "_REST", 0.2)
    with painted_services(tmp_path / "gallery.sqlite", calibration) as made:
        paint(tmp_path / "photos" / "1.png", (1, 1))
        for _ in made.index([tmp_path / "photos"]):
            pass
        made.settings = replace(Settings(), watch_folders=True)
        monkeypatch.setattr(made, "warm_up", lambda: None)
        monkeypatch.setattr(made, "change_settings", lambda **changes: None)
        yield made


@pytest.fixture
def window(qtbot, services: Services, bridge: Bridge, plain_pages: tuple[str, ...]) -> Iterator[MainWindow]:
    window = MainWindow(services, bridge)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    yield window
    window.close()


def test_new_photos_are_read_while_the_setting_says_so(
    qtbot, window: MainWindow, services: Services, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    qtbot.waitUntil(lambda: window.watch.roots == (photos,), timeout=WAIT)
    paint(photos / "below" / "2.png", (2, 1))
    qtbot.waitUntil(lambda: services.gallery.counts().faces == 2, timeout=WAIT)
    seen = window.page.seen  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: "refresh" in seen, timeout=WAIT)
    (photos / "1.png").unlink()
    qtbot.waitUntil(lambda: services.gallery.counts().faces == 1, timeout=WAIT)
    services.settings = replace(services.settings, watch_folders=False)
    window.page.settings_changed.emit()
    assert window.watch.roots == ()
    qtbot.waitUntil(lambda: not window.bridge.busy, timeout=WAIT)
    paint(photos / "3.png", (3, 1))
    qtbot.wait(700)
    assert services.gallery.counts().faces == 1


def test_what_came_while_the_window_was_closed_is_read_at_its_start(
    qtbot, services: Services, tmp_path: Path, bridge: Bridge, plain_pages: tuple[str, ...]
) -> None:
    paint(tmp_path / "photos" / "2.png", (2, 1))
    window = MainWindow(services, bridge)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: services.gallery.counts().faces == 2, timeout=WAIT)
    window.close()


def test_a_folder_indexed_later_is_watched_too(
    qtbot, window: MainWindow, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: bool(window.watch.roots), timeout=WAIT)
    other = tmp_path / "other"
    paint(other / "1.png", (4, 1))
    window.watch._look.setInterval(50)
    for _ in services.index([other]):
        pass
    qtbot.waitUntil(lambda: window.watch.roots == (other, tmp_path / "photos"), timeout=WAIT)


def test_closing_the_window_ends_the_watching(qtbot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: bool(window.watch.roots), timeout=WAIT)
    window.close()
    assert window.watch.roots == ()


def test_a_photo_that_comes_before_the_watch_has_begun_is_read(
    qtbot,
    services: Services,
    tmp_path: Path,
    bridge: Bridge,
    plain_pages: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_begin = threading.Event()

    class Slow(watching.Observer):  # type: ignore[misc, valid-type, name-defined]
        def start(self) -> None:
            may_begin.wait(WAIT / 1000)
            super().start()

    monkeypatch.setattr(watching, "Observer", Slow)
    window = MainWindow(services, bridge)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: bool(window.watch.roots), timeout=WAIT)
    qtbot.wait(500)  # long enough for a reading that did not wait for the watch
    paint(tmp_path / "photos" / "2.png", (2, 1))
    may_begin.set()
    qtbot.waitUntil(lambda: services.gallery.counts().faces == 2, timeout=WAIT)
    window.close()
