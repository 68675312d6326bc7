"""Guided enrolment in the window, with a film as the camera."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.faces.guide import GuidePose
from facegui.gui.bridge import Bridge
from facegui.gui.pages.enroll import EnrollPage
from facegui.services import Services
from facegui.settings import Settings

FILM = Path(__file__).parents[3] / "shared/data/video/d3.mp4"
WAIT = 30_000
pytestmark = pytest.mark.skipif(not FILM.is_file(), reason="needs the films")


def test_the_guide_takes_poses_by_itself_and_esc_leaves_them_out(qtbot, qapp, tmp_path, monkeypatch) -> None:
    bridge = Bridge()
    with Services(settings=Settings(), gallery=tmp_path / "people.sqlite") as services:
        page = EnrollPage(services, bridge)
        qtbot.addWidget(page, before_close_func=lambda page: page.deactivate())
        page.resize(900, 640)
        page.show()
        camera = page.camera
        monkeypatch.setattr(camera, "start", lambda: None)
        page.camera_mode.click()
        camera._open(str(FILM), 0)
        qtbot.waitUntil(camera.guide_button.isEnabled, timeout=WAIT)

        camera.guide_button.click()
        guided = camera.guided
        assert guided.wanted is GuidePose.FRONTAL
        assert not guided.skip_button.isEnabled()
        qtbot.waitUntil(lambda: len(page.tray.samples) >= 1, timeout=WAIT)
        assert guided.poses[GuidePose.FRONTAL].accessibleName() == "Straight, taken"
        QTest.keyClick(page, Qt.Key.Key_Escape)
        assert not guided.active
        assert page.tray.samples == ()

        said: list[str] = []
        guided.checked.connect(said.append)
        camera.guide_button.click()
        qtbot.waitUntil(lambda: len(page.tray.samples) >= 2, timeout=WAIT)
        first = {sample.number for sample in page.tray.samples}
        guided.poses[GuidePose.FRONTAL].click()  # once more, and all that was measured from it
        qtbot.waitUntil(lambda: not first & {sample.number for sample in page.tray.samples}, timeout=WAIT)
        qtbot.waitUntil(lambda: len(page.tray.samples) >= 2, timeout=WAIT)
        guided.skip()
        if guided.active:
            guided.finish()
        qtbot.waitUntil(lambda: bool(said), timeout=WAIT)
        assert said[0].startswith("They match each other with 0.")
        assert camera.hint.text() == said[0]
        page.deactivate()
        qtbot.waitUntil(lambda: not bridge.busy, timeout=WAIT)
        bridge.close()
