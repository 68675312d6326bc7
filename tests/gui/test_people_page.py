from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from painted import paint, painted_services
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton

from facegui.faces.types import Outcome
from facegui.gallery.records import DecisionKind, DecisionRecord, NewDecision, PersonRecord
from facegui.gallery.store import Gallery
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.page import State
from facegui.gui.pages.people import PeoplePage
from facegui.gui.pages.people_inspector import PeopleInspector
from facegui.gui.pages.people_words import fold, seen_text
from facegui.matching.calibration import Calibration
from facegui.services import EnrolSample, Services

WAIT = 30_000


@pytest.fixture
def services(tmp_path: Path, calibration: Calibration) -> Iterator[Services]:
    with painted_services(tmp_path / "gallery.sqlite", calibration) as made:
        yield made


def enroll(services: Services, folder: Path, name: str, person: int, samples: int) -> int:
    made = 0
    for variation in range(1, samples + 1):
        photo = services.analyse(paint(folder / f"{name} {variation}.png", (person, variation)))
        made, _change = services.enroll(name, [EnrolSample(photo.faces[0], photo.frame)])
    return made


@pytest.fixture
def people(services: Services, tmp_path: Path) -> dict[str, int]:
    return {
        name: enroll(services, tmp_path / "photos", name, number, samples)
        for number, (name, samples) in enumerate({"Ada": 3, "Grace": 2, "Zoë": 1}.items(), 1)
    }


@pytest.fixture
def bare(qtbot, services: Services, bridge: Bridge) -> PeoplePage:
    page = PeoplePage(services, bridge)
    qtbot.addWidget(page)
    page.resize(960, 640)
    with qtbot.waitExposed(page):
        page.show()
    page.activate()
    return page


class Undos:
    """What the page offered to take back, as the status strip does with Ctrl+Z."""

    def __init__(self, page: PeoplePage) -> None:
        self.texts: list[str] = []
        self._last = None
        page.undo_offered.connect(self._offer)

    def _offer(self, text: str, undo) -> None:  # type: ignore[no-untyped-def]
        self.texts.append(text)
        self._last = undo

    def undo(self) -> None:
        assert self._last is not None
        self._last()


@pytest.fixture
def undos(page: PeoplePage) -> Undos:
    return Undos(page)


@pytest.fixture
def page(qtbot, people: dict[str, int], bare: PeoplePage, bridge: Bridge) -> PeoplePage:
    bare.activate()
    qtbot.waitUntil(lambda: names(bare) == ["Ada", "Grace", "Zoë"], timeout=WAIT)
    quiet(qtbot, bridge)
    return bare


def quiet(qtbot, bridge: Bridge) -> None:
    qtbot.waitUntil(lambda: not bridge._tasks, timeout=WAIT)


def names(page: PeoplePage) -> list[str]:
    return [person.name for person in page.everybody.grid.people]


def opened(qtbot, page: PeoplePage, name: str) -> None:
    person = next(person for person in page.everybody.people if person.name == name)
    page.everybody.choose(person.id)
    page.everybody.grid.opened.emit(page.everybody.grid.currentIndex().row())
    qtbot.waitUntil(lambda: page.panels.currentWidget() is page.person, timeout=WAIT)
    qtbot.waitUntil(lambda: len(page.person.cards.samples) == person.samples, timeout=WAIT)


def test_without_anybody_the_page_leads_to_a_folder_of_photos_and_to_enrolment(qtbot, bare: PeoplePage) -> None:
    qtbot.waitUntil(lambda: bare.state is State.EMPTY, timeout=WAIT)
    bare._empty.activated.emit()
    dialog = bare.findChild(QFileDialog)
    assert dialog is not None
    dialog.reject()
    assert bare.primary_action is not None
    with qtbot.waitSignal(bare.navigate) as told:
        bare.primary_action.trigger()
    assert told.args == ["enroll", None]


def test_everybody_is_shown_with_samples_and_last_sight(
    qtbot, page: PeoplePage, services: Services, people: dict[str, int], bridge: Bridge
) -> None:
    rows = [page.everybody.grid.row(index) for index in range(3)]
    assert [(row.title, row.detail) for row in rows if row] == [
        ("Ada", "3 samples"), ("Grace", "2 samples"), ("Zoë", "1 sample"),
    ]  # fmt: skip
    services.gallery.record(decision(services, people["Ada"], Outcome.MATCH, 0.81))
    page.activate()
    qtbot.waitUntil(lambda: page.everybody.grid.row(0).detail == "3 samples · today", timeout=WAIT)  # type: ignore[union-attr]
    page.everybody.choose(people["Ada"])
    qtbot.waitUntil(lambda: "0.81" in inspected(page), timeout=WAIT)
    assert "✓ Match 0.81\nprobe.jpg" in inspected(page)
    assert "Samples: 3" in inspected(page)


def decision(services: Services, person: int, outcome: Outcome, similarity: float) -> NewDecision:
    return NewDecision(
        kind=DecisionKind.VERIFY_PERSON, outcome=outcome, probe="/somewhere/probe.jpg", similarity=similarity,
        threshold=0.4, target_fmr=1e-3, model_id=services.model.sha256, provider="CPU", person_id=person,
    )  # fmt: skip


def inspected(page: PeoplePage) -> str:
    from PySide6.QtWidgets import QLabel

    labels = page.facts.findChildren(QLabel)
    return " | ".join(f"{label.accessibleName()} {label.text()}" for label in labels if not label.isHidden())


def test_a_name_is_found_whatever_its_case_and_accents(qtbot, page: PeoplePage) -> None:
    page.everybody.search.setText("ZOE")
    assert names(page) == ["Zoë"]
    page.everybody.search.setText("nobody at all")
    assert page.everybody._stack.currentWidget() is page.everybody._nothing
    page.everybody._nothing.activated.emit()
    assert len(names(page)) == 3


def test_a_person_opens_with_samples_and_escape_goes_back(qtbot, page: PeoplePage) -> None:
    opened(qtbot, page, "Ada")
    assert page.person.heading.full == "Ada"
    assert [card.crop._image is not None for card in page.person.cards.cards] == [True] * 3
    assert page.person.cards.cards[0].toolTip().endswith("Ada 1.png")
    QTest.keyClick(page.person, Qt.Key.Key_Escape)
    assert page.panels.currentWidget() is page.everybody
    qtbot.waitUntil(lambda: page.everybody.person is not None and page.everybody.person.name == "Ada", timeout=WAIT)


def test_the_photo_of_a_sample_is_shown_with_its_box(qtbot, page: PeoplePage) -> None:
    opened(qtbot, page, "Grace")
    QTest.keyClick(page.person.cards.cards[1], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.viewer.view.has_image, timeout=WAIT)
    assert page.viewer.heading.full == "Grace 2.png"
    assert page.viewer.view.marks[0].box.x == 20
    QTest.keyClick(page.viewer.view, Qt.Key.Key_Escape)
    assert page.panels.currentWidget() is page.person


def test_rename_in_place_and_undo(qtbot, page: PeoplePage, services: Services, undos: Undos) -> None:
    opened(qtbot, page, "Ada")
    QTest.keyClick(page.person, Qt.Key.Key_F2)
    assert page.person.edit.isVisible()
    page.person.edit.setText("  Augusta   King ")
    QTest.keyClick(page.person.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: names(page)[0] == "Augusta King", timeout=WAIT)
    assert services.gallery.person_named("ada") is None
    assert undos.texts == ["Renamed Ada to Augusta King"]
    undos.undo()
    qtbot.waitUntil(lambda: names(page)[0] == "Ada", timeout=WAIT)
    qtbot.waitUntil(lambda: page.person.heading.full == "Ada", timeout=WAIT)


def test_escape_gives_a_new_name_up(qtbot, page: PeoplePage, undos: Undos) -> None:
    opened(qtbot, page, "Ada")
    page.person.rename()
    page.person.edit.setText("Somebody")
    QTest.keyClick(page.person.edit, Qt.Key.Key_Escape)
    assert page.person.edit.isHidden()
    assert page.panels.currentWidget() is page.person, "the person stays open"
    assert (page.person.heading.full, undos.texts) == ("Ada", [])


def test_a_name_that_somebody_has_is_refused_and_the_old_one_stays(qtbot, page: PeoplePage, undos: Undos) -> None:
    opened(qtbot, page, "Ada")
    page.person.rename()
    page.person.edit.setText("grace")
    QTest.keyClick(page.person.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page._error.error is not None, timeout=WAIT)
    assert "Grace is enrolled already" in str(page._error.error)
    qtbot.waitUntil(lambda: page.person.heading.full == "Ada", timeout=WAIT)
    assert undos.texts == []


def test_merge_with_somebody_chosen_by_name(
    qtbot, page: PeoplePage, services: Services, people: dict[str, int], undos: Undos
) -> None:
    opened(qtbot, page, "Grace")
    page.person.acted.emit("merge")
    assert not page.ask.yes.isEnabled(), "nobody was chosen yet"
    page.ask.picker.setText("ada")
    assert page.ask.yes.isEnabled()
    QTest.keyClick(page.ask.picker, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: names(page) == ["Ada", "Zoë"], timeout=WAIT)
    assert page.ask.isHidden()
    qtbot.waitUntil(lambda: len(page.person.cards.samples) == 5, timeout=WAIT)
    assert page.person.heading.full == "Ada", "who was merged into is shown"
    assert undos.texts == ["Merged Grace into Ada"]
    undos.undo()
    qtbot.waitUntil(lambda: len(names(page)) == 3, timeout=WAIT)
    assert len(services.gallery.samples(people["Grace"])) == 2


def drop(page: PeoplePage, dragged: int, on: int) -> bool:
    grid = page.everybody.grid
    place = QPointF(grid.row_rect(on).center())
    mime = grid.mime_of(dragged)
    event = QDropEvent(place, Qt.DropAction.MoveAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    grid.dropEvent(event)
    return event.isAccepted()


def test_merge_by_dragging_one_person_on_another(qtbot, page: PeoplePage, undos: Undos) -> None:
    assert drop(page, 2, 0)
    qtbot.waitUntil(lambda: names(page) == ["Ada", "Grace"], timeout=WAIT)
    assert undos.texts == ["Merged Zoë into Ada"]


def test_a_person_dropped_on_themselves_is_not_merged(qtbot, page: PeoplePage, undos: Undos, bridge: Bridge) -> None:
    assert not drop(page, 1, 1)
    quiet(qtbot, bridge)
    assert (len(names(page)), undos.texts) == (3, [])


@pytest.mark.parametrize(("name", "count"), [("Grace", 3), ("Somebody new", 1)])
def test_a_sample_is_moved_to_somebody_enrolled_or_to_a_new_name(
    qtbot, page: PeoplePage, services: Services, undos: Undos, name: str, count: int
) -> None:
    opened(qtbot, page, "Ada")
    QTest.keyClick(page.person.cards.cards[0], Qt.Key.Key_Space)
    assert "1 chosen" in page.person._count.text()
    page.person._move.click()
    page.ask.picker.setText(name)
    page.ask.yes.click()
    qtbot.waitUntil(lambda: len(page.person.cards.samples) == 2, timeout=WAIT)
    person = services.gallery.person_named(name)
    assert person is not None
    assert person.samples == count
    undos.undo()
    qtbot.waitUntil(lambda: len(page.person.cards.samples) == 3, timeout=WAIT)


def test_samples_are_removed_and_come_back(qtbot, page: PeoplePage, services: Services, undos: Undos) -> None:
    opened(qtbot, page, "Ada")
    page.person._all.click()
    assert len(page.person.cards.chosen) == 3
    QTest.keyClick(page.person.cards.cards[2], Qt.Key.Key_Space)
    with qtbot.waitSignal(page.gallery_changed, timeout=WAIT):
        QTest.keyClick(page.person.cards.cards[2], Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(page.person.cards.samples) == 1, timeout=WAIT)
    assert undos.texts == ["Removed 2 samples of Ada"]
    undos.undo()
    qtbot.waitUntil(lambda: len(page.person.cards.samples) == 3, timeout=WAIT)


def test_deleting_asks_says_what_goes_and_can_be_undone(
    qtbot, page: PeoplePage, services: Services, people: dict[str, int], undos: Undos
) -> None:
    services.gallery.record(decision(services, people["Ada"], Outcome.MATCH, 0.8))
    page.everybody.choose(people["Ada"])
    QTest.keyClick(page.everybody.grid, Qt.Key.Key_Delete)
    qtbot.waitUntil(page.ask.isVisible, timeout=WAIT)
    question = page.ask.question.text()
    assert "Delete Ada with 3 samples and 1 decision?" in question
    assert "gone for good" in question
    assert "photo files stay" in question
    assert len(names(page)) == 3, "nothing happens before the answer"
    QTest.keyClick(page.ask.yes, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: names(page) == ["Grace", "Zoë"], timeout=WAIT)
    assert services.gallery.counts().decisions == 0
    assert undos.texts == ["Removed Ada"]
    undos.undo()
    qtbot.waitUntil(lambda: len(names(page)) == 3, timeout=WAIT)
    assert services.gallery.counts().decisions == 1
    assert len(services.gallery.samples(people["Ada"])) == 3


def test_escape_takes_the_question_away(qtbot, page: PeoplePage, people: dict[str, int], bridge: Bridge) -> None:
    page.everybody.choose(people["Ada"])
    QTest.keyClick(page.everybody.grid, Qt.Key.Key_Delete)
    qtbot.waitUntil(page.ask.isVisible, timeout=WAIT)
    QTest.keyClick(page.ask.yes, Qt.Key.Key_Escape)
    assert page.ask.isHidden()
    quiet(qtbot, bridge)
    assert len(names(page)) == 3


def test_a_person_who_is_deleted_while_open_leaves_the_panel(qtbot, page: PeoplePage) -> None:
    opened(qtbot, page, "Zoë")
    page.person.acted.emit("delete")
    qtbot.waitUntil(page.ask.isVisible, timeout=WAIT)
    page.ask.yes.click()
    qtbot.waitUntil(lambda: names(page) == ["Ada", "Grace"], timeout=WAIT)
    assert page.panels.currentWidget() is page.everybody
    assert page._error.error is None


def test_export_writes_a_folder_and_says_where(
    qtbot, page: PeoplePage, people: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.gui.pages import people as module

    shown: list[Path] = []
    monkeypatch.setattr(module, "reveal", shown.append)
    target = tmp_path / "out"
    ada = next(person for person in page.everybody.people if person.name == "Ada")
    for expected in ("facegui export", "facegui export 2"):
        page.note.hide()
        page.changes.export([ada], target)
        qtbot.waitUntil(page.note.isVisible, timeout=WAIT)
        described = json.loads((target / expected / "Ada" / "person.json").read_text())
        assert (described["name"], len(described["samples"])) == ("Ada", 3)
    assert (target / "facegui export" / "Ada" / "sample-0002.png").is_file()
    page.note.findChildren(type(page.ask.yes))[0].click()
    assert shown == [target / "facegui export 2"]


@pytest.mark.parametrize("what", ["verify", "lookalikes", "enroll"])
def test_other_pages_are_reached_with_the_person(qtbot, page: PeoplePage, what: str) -> None:
    opened(qtbot, page, "Grace")
    with qtbot.waitSignal(page.navigate) as told:
        page.person.acted.emit(what)
    assert told.args is not None
    assert told.args[0] == what
    assert isinstance(told.args[1], PersonRecord)
    assert told.args[1].name == "Grace"


def test_a_change_by_another_program_is_seen_when_the_page_is_shown(
    qtbot, page: PeoplePage, services: Services, people: dict[str, int]
) -> None:
    opened(qtbot, page, "Zoë")
    with Gallery.open(services.gallery.file) as other:
        other.delete_person(people["Zoë"])
        other.rename(people["Ada"], "Augusta")
    page.activate()
    qtbot.waitUntil(lambda: names(page) == ["Augusta", "Grace"], timeout=WAIT)
    qtbot.waitUntil(lambda: page.panels.currentWidget() is page.everybody, timeout=WAIT)
    assert "no longer in the gallery" in str(page._error.error)


def test_a_gallery_for_reading_only_offers_no_change(
    qtbot, page: PeoplePage, services: Services, bridge: Bridge, calibration: Calibration
) -> None:
    with painted_services(services.gallery.file, calibration, read_only=True) as reading:
        fixed = PeoplePage(reading, bridge)
        qtbot.addWidget(fixed)
        fixed.activate()
        qtbot.waitUntil(lambda: fixed.state is State.READ_ONLY, timeout=WAIT)
        opened(qtbot, fixed, "Ada")
        assert not fixed.person._rename.isEnabled()
        assert not fixed.person._add.isEnabled()
        QTest.keyClick(fixed.person, Qt.Key.Key_F2)
        assert fixed.person.edit.isHidden()
        fixed._do("delete")
        quiet(qtbot, bridge)
        assert fixed.ask.isHidden()
        assert not drop(fixed, 0, 1) or len(names(fixed)) == 3


def test_the_menu_of_a_person_is_reached_by_key(qtbot, page: PeoplePage) -> None:
    from PySide6.QtWidgets import QMenu

    page.everybody.grid.menuRequested.emit(1, page.mapToGlobal(QPoint(50, 50)))
    menu = page.everybody.findChild(QMenu)
    assert menu is not None
    assert [action.text() for action in menu.actions()][-1] == "Delete…"
    assert page.everybody.person is not None
    assert page.everybody.person.name == "Grace"
    with qtbot.waitSignal(page.navigate) as told:
        menu.actions()[1].trigger()
    assert told.args is not None
    assert told.args[0] == "verify"
    menu.close()


def test_many_samples_are_not_all_made_at_once(
    qtbot, page: PeoplePage, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.gui.pages import people_samples

    monkeypatch.setattr(people_samples, "_AT_ONCE", 2)
    opened(qtbot, page, "Ada")
    assert len(page.person.cards.cards) == 2
    assert page.person.cards._more.text() == "Show all 3 samples"
    page.person.cards._more.click()
    assert len(page.person.cards.cards) == 3


def test_days_are_written_as_near_as_they_are() -> None:
    today = datetime(2026, 5, 3, tzinfo=UTC).date()
    noon = datetime(2026, 5, 3, 12, tzinfo=UTC)
    assert seen_text(noon, today) == "today"
    assert seen_text(noon.replace(day=2), today) == "yesterday"
    assert "Apr" in seen_text(noon.replace(month=4), today)
    assert "2025" in seen_text(noon.replace(year=2025), today)
    assert fold("Élodie ÅNGSTRÖM") == "elodie angstrom"


@pytest.mark.parametrize("kept", [True, False])
def test_kept_evidence_is_offered_beside_the_person(qtbot, qapp: QApplication, kept: bool) -> None:
    theme.install(qapp, "light")
    shown = PeopleInspector(QLabel())
    qtbot.addWidget(shown)
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    decision = DecisionRecord(
        kind=DecisionKind.VERIFY_PERSON, outcome=Outcome.MATCH, probe="camera", person_id=1, similarity=0.7,
        threshold=0.35, target_fmr=1e-3, model_id="m", provider="CPU", time=moment, id=1, person_name="Ada",
        runner_up_name=None, has_evidence=kept,
    )  # fmt: skip
    shown.show_person(PersonRecord(1, "Ada", 2, None, moment, None), None, [decision])
    offers = [item for item in shown.findChildren(QPushButton) if item.text() == "Show the evidence…"]
    assert bool(offers) is kept
    if kept:
        with qtbot.waitSignal(shown.acted) as told:
            offers[0].click()
        assert told.args == ["evidence"]
