"""Settings changed in the window: written to the file, in force at once, and there after a restart."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from facegui import paths
from facegui.gui import theme
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.settings import SettingsPage
from facegui.services import EnrolSample, Services
from tests import faces

WAIT = 30_000


@pytest.fixture
def page(window: MainWindow) -> SettingsPage:
    window.show_page("settings")
    assert isinstance(window.page, SettingsPage)
    return window.page


def saved() -> dict[str, object]:
    return tomllib.loads(paths.config_file().read_text("utf-8"))


def choose(qtbot, page: SettingsPage, name: str, value: object) -> None:
    box = page.rows[name].editor.widget
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        box.setCurrentIndex(box.findData(value))
        box.activated.emit(box.currentIndex())


def test_a_theme_is_in_force_at_once_and_after_a_restart(qtbot, window, page, services: Services, home: Path) -> None:
    choose(qtbot, page, "theme", "dark")
    assert theme.is_dark()
    assert saved()["theme"] == "dark"
    with Services(gallery=services.gallery.file) as again:
        assert again.settings.theme == "dark"
        assert again.ignored_settings == ()
    window.strip.undo()
    qtbot.waitUntil(lambda: "theme" not in saved(), timeout=WAIT)
    qtbot.waitUntil(lambda: theme.manager().scheme == "light", timeout=WAIT)


def test_the_face_that_counts_follows_the_setting(qtbot, page, services: Services) -> None:
    choose(qtbot, page, "face_policy", "central")
    _photo, face = services.probe(faces.group())
    middle = face.detection.box.center[0]
    choose(qtbot, page, "face_policy", "largest")
    photo, face = services.probe(faces.group())
    assert abs(middle - photo.frame.width / 2) <= abs(face.detection.box.center[0] - photo.frame.width / 2)
    assert face.detection.box.area == max(f.detection.box.area for f in services.analyse(photo.frame).faces)


def test_another_model_answers_for_the_people_enrolled_before(qtbot, window, page, services: Services) -> None:
    photo, face = services.probe(faces.astronaut())
    person_id, _change = services.enroll("Eileen", [EnrolSample(face, photo.frame)])
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        page.models.cards["arcface"].use.click()
    assert saved()["model"] == "arcface"
    model_id = services.model.sha256
    qtbot.waitUntil(lambda: services.gallery.pending_count(model_id) == 0, timeout=WAIT)
    _photo, again = services.probe(faces.astronaut())
    (candidate,) = services.identify(again)
    assert candidate.person_id == person_id
    assert candidate.similarity > 0.9
    qtbot.waitUntil(lambda: page.provider._title.text().startswith("Runs on CPU"), timeout=WAIT)
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        page.models.cards["arcface+sface"].use.click()
    services.gallery.delete_person(person_id)
