"""The review in the window with the real models: photos to people by keyboard, undone even after a restart."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from facegui.faces.types import Outcome
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.people import PeoplePage
from facegui.matching.decision import decide
from facegui.services import Services
from facegui.settings import Settings

WAIT = 60_000
PEOPLE = ("001", "002", "004")
PHOTOS = ("01", "02", "03", "04")
Open = Callable[[], tuple[MainWindow, PeoplePage, Services]]


@pytest.fixture(scope="module")
def photos(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people with four photos each, in one folder."""
    folder = tmp_path_factory.mktemp("photos")
    for person in PEOPLE:
        for name in PHOTOS:
            source = shared_data / "cfp-dev" / "images" / person / "frontal" / f"{name}.jpg"
            shutil.copy(source, folder / f"{person}-{name}.jpg")
    return folder


@contextmanager
def program(qtbot, qapp: QApplication, gallery: Path) -> Iterator[tuple[MainWindow, PeoplePage, Services]]:
    """The program from its start on the People page to its end."""
    theme.install(qapp, "light")
    with Services(settings=Settings(threads=1, provider="cpu"), gallery=gallery) as services:
        bridge = Bridge()
        window = MainWindow(services, bridge)
        window.resize(1280, 800)
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        window.show_page("people")
        page = window.page
        assert isinstance(page, PeoplePage)
        try:
            settled(qtbot, bridge)
            yield window, page, services
        finally:
            window.close()
            bridge.close()
            window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()


def settled(qtbot, bridge: Bridge) -> None:
    qtbot.waitUntil(lambda: not bridge.busy, timeout=WAIT)


def press(qtbot, page: PeoplePage, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or page, key, keys)
    settled(qtbot, page.bridge)


def files_of(services: Services, faces: list[int]) -> set[str]:
    return {Path(record.path).name[:3] for record in services.gallery.faces(faces)}


def name_group(qtbot, page: PeoplePage, name: str) -> None:
    """Enter to the name, the name, Enter."""
    press(qtbot, page, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is page.sorting.panel.group.name
    QTest.keyClicks(page.sorting.panel.group.name, name)
    press(qtbot, page, Qt.Key.Key_Return)


def test_photos_become_people_by_keyboard_and_all_is_undone_even_after_a_restart(
    qtbot, qapp: QApplication, photos: Path, tmp_path: Path
) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    gallery = tmp_path / "people.sqlite"
    with program(qtbot, qapp, gallery) as (_window, page, services):
        page.open_files([photos])
        settled(qtbot, page.bridge)
        strip, panel = page.sorting.strip, page.sorting.panel
        assert strip.tiles.count == len(PEOPLE)
        strip.tiles.select_row(0)
        strip.tiles.setFocus()
        press(qtbot, page, Qt.Key.Key_Return)
        assert page.panels.currentWidget() is panel
        assert panel.heading.full == "Who is this? 4 photos"
        first = files_of(services, list(panel.group.faces))
        assert len(first) == 1, "one group is one person"
        name_group(qtbot, page, "Ada")
        assert [person.name for person in services.gallery.people()] == ["Ada"]
        name_group(qtbot, page, "Grace")
        assert panel.heading.full == "Who is this? 4 photos"
        before = panel.group.faces
        press(qtbot, page, Qt.Key.Key_Right)
        (refused,) = panel.group.chosen
        press(qtbot, page, Qt.Key.Key_N)
        assert set(panel.group.faces) == set(before) - {refused}
        assert panel.heading.full == "Who is this? 3 photos"
        press(qtbot, page, Qt.Key.Key_Z, control)
        assert set(panel.group.faces) == set(before)
        press(qtbot, page, Qt.Key.Key_H)
        assert [group.faces for group in services.gallery.clusters(hidden=True)] == [4]
        assert page.panels.currentWidget() is panel
        assert panel.done.isVisible()
    with program(qtbot, qapp, gallery) as (window, page, services):
        assert {person.name for person in services.gallery.people()} == {"Ada", "Grace"}
        assert not page.sorting.strip.tiles.isVisible(), "strangers who are hidden are not shown again"
        press(qtbot, page, Qt.Key.Key_Z, control)
        assert page.sorting.strip.tiles.count == 1
        press(qtbot, page, Qt.Key.Key_Z, control)
        assert [person.name for person in services.gallery.people()] == ["Ada"]
        qtbot.waitUntil(lambda: window.strip._counts.text().startswith("1 person"), timeout=WAIT)
        (ada,) = services.gallery.people()
        assert ada.samples >= 3
        rule = services.rule()
        assert rule is not None
        held_out = photos.parent / "held.jpg"
        root = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cfp-dev" / "images"
        person = first.pop()
        for name, expected in ((person, Outcome.MATCH), (next(p for p in PEOPLE if p != person), Outcome.NO_MATCH)):
            shutil.copy(root / name / "frontal" / "07.jpg", held_out)
            _photo, face = services.probe(held_out)
            assert decide(services.compare_person(ada.id, face).similarity, rule) is expected
