"""The People page in the window, with enrolled people from real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.gui.main_window import MainWindow
from facegui.gui.pages.people import PeoplePage
from facegui.services import EnrolSample, Services
from tests import faces

WAIT = 60_000


@pytest.fixture
def people(services: Services) -> dict[str, int]:
    """Eileen with a sample that is somebody else's, Grace, and two more of the group."""
    for person in services.gallery.people():
        services.gallery.delete_person(person.id)
    astronaut, hopper, group = (services.analyse(path) for path in (faces.astronaut(), faces.hopper(), faces.group()))
    wanted = {
        "Eileen": [(astronaut, 0), (group, 0)], "Grace": [(hopper, 0)], "First": [(group, 1)], "Second": [(group, 2)],
    }  # fmt: skip
    return {
        name: services.enroll(name, [EnrolSample(photo.faces[n], photo.frame) for photo, n in samples])[0]
        for name, samples in wanted.items()
    }


@pytest.fixture
def page(qtbot, window: MainWindow, people: dict[str, int]) -> PeoplePage:
    window.show_page("people")
    page = window.page
    assert isinstance(page, PeoplePage)
    qtbot.waitUntil(lambda: len(page.everybody.people) == 4, timeout=WAIT)
    return page


def names(page: PeoplePage) -> list[str]:
    return [person.name for person in page.everybody.people]


def opened(qtbot, page: PeoplePage, person_id: int) -> None:
    page.everybody.choose(person_id)
    QTest.keyClick(page.everybody.grid, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.panels.currentWidget() is page.person, timeout=WAIT)


def undo(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


def test_a_wrong_sample_is_moved_to_its_owner_and_back_with_ctrl_z(
    qtbot, window: MainWindow, page: PeoplePage, people: dict[str, int], services: Services
) -> None:
    opened(qtbot, page, people["Eileen"])
    qtbot.waitUntil(lambda: len(page.person.cards.cards) == 2, timeout=WAIT)
    wrong = next(card for card in page.person.cards.cards if "t1" in card.toolTip())
    QTest.mouseClick(wrong, Qt.MouseButton.LeftButton)
    page.person._move.click()
    QTest.keyClicks(page.ask.picker, "First")
    QTest.keyClick(page.ask.picker, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(page.person.cards.cards) == 1, timeout=WAIT)
    assert len(services.gallery.samples(people["First"])) == 2
    undo(window)
    qtbot.waitUntil(lambda: len(page.person.cards.cards) == 2, timeout=WAIT)
    assert len(services.gallery.samples(people["First"])) == 1


def test_rename_merge_delete_and_undo_keep_the_count_in_the_strip(
    qtbot, window: MainWindow, page: PeoplePage, people: dict[str, int], services: Services
) -> None:
    counts = window.strip._counts
    opened(qtbot, page, people["First"])
    QTest.keyClick(page.person, Qt.Key.Key_F2)
    page.person.edit.selectAll()
    QTest.keyClicks(page.person.edit, "Left")
    QTest.keyClick(page.person.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Left" in names(page), timeout=WAIT)
    QTest.keyClick(page.person, Qt.Key.Key_Escape)
    page.everybody.grid.mergeWanted.emit(people["First"], people["Second"])
    qtbot.waitUntil(lambda: names(page) == ["Eileen", "Grace", "Left"], timeout=WAIT)
    qtbot.waitUntil(lambda: counts.text() == "3 people, 5 samples", timeout=WAIT)
    undo(window)
    qtbot.waitUntil(lambda: len(names(page)) == 4, timeout=WAIT)
    page.everybody.choose(people["Grace"])
    QTest.keyClick(page.everybody.grid, Qt.Key.Key_Delete)
    qtbot.waitUntil(page.ask.isVisible, timeout=WAIT)
    QTest.keyClick(page.ask.yes, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Grace" not in names(page), timeout=WAIT)
    qtbot.waitUntil(lambda: counts.text() == "3 people, 4 samples", timeout=WAIT)
    undo(window)
    qtbot.waitUntil(lambda: "Grace" in names(page), timeout=WAIT)
    qtbot.waitUntil(lambda: counts.text() == "4 people, 5 samples", timeout=WAIT)
    _photo, face = services.probe(faces.hopper())
    best = services.identify(face)[0]
    assert (best.name, best.similarity > 0.9) == ("Grace", True), "what came back is still recognised"


def test_an_export_holds_crops_and_vectors(
    qtbot, page: PeoplePage, people: dict[str, int], tmp_path: Path, services: Services
) -> None:
    person = next(person for person in page.everybody.people if person.name == "Grace")
    page.changes.export([person], tmp_path)
    qtbot.waitUntil(page.note.isVisible, timeout=WAIT)
    written = tmp_path / "facegui export" / "Grace"
    assert {path.name for path in written.iterdir()} == {"person.json", "sample-0000.png", "embeddings.npz"}
    with np.load(written / "embeddings.npz") as arrays:
        assert arrays[services.model.sha256].shape == (1, services.model.dimension)


def test_verify_is_reached_with_the_person_chosen(
    qtbot, window: MainWindow, page: PeoplePage, people: dict[str, int]
) -> None:
    page.everybody.choose(people["Grace"])
    page.facts.acted.emit("verify")
    assert window.page.name == "verify"
