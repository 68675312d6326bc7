"""The review and the audit on the People page, with painted people: every key, every way out, every state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from painted import paint, painted_services
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from facegui.errors import KnownError
from facegui.gallery.clusters import Grouped
from facegui.gui.bridge import Bridge
from facegui.gui.pages.page import State
from facegui.gui.pages.people import PeoplePage
from facegui.gui.pages.people_queue import Ask
from facegui.gui.pages.people_review import ReviewPanel
from facegui.matching.calibration import Calibration
from facegui.services import Services

WAIT = 60_000
Press = Callable[..., None]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three people: 1 in five photos, 2 in four, 3 in two."""
    folder = tmp_path / "photos"
    for person, count in ((1, 5), (2, 4), (3, 2)):
        for variation in range(1, count + 1):
            paint(folder / f"{person}-{variation}.png", (person, variation))
    return folder


@pytest.fixture
def services(tmp_path: Path, calibration: Calibration) -> Iterator[Services]:
    with painted_services(tmp_path / "gallery.sqlite", calibration) as made:
        yield made


@pytest.fixture
def page(qtbot, services: Services, bridge: Bridge, photos: Path) -> PeoplePage:
    """The page on a gallery whose photos were read and grouped."""
    for _ in services.index([photos]):
        pass
    page = PeoplePage(services, bridge)
    qtbot.addWidget(page)
    page.resize(960, 640)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.activate()
    qtbot.waitUntil(lambda: page.sorting.strip.tiles.count == 3, timeout=WAIT)
    return page


@pytest.fixture
def panel(page: PeoplePage) -> ReviewPanel:
    return page.sorting.panel


@pytest.fixture
def press(qtbot, page: PeoplePage) -> Press:
    """Press a key where the focus is, and wait until everything has settled."""

    def act(key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(QApplication.focusWidget() or page, key, keys)
        settle(qtbot, page)

    return act


def settle(qtbot, page: PeoplePage) -> None:
    qtbot.waitUntil(lambda: not page.bridge.busy, timeout=WAIT)


def ask(qtbot, page: PeoplePage, kind: Ask = Ask.WHO) -> ReviewPanel:
    page.sorting.ask(kind)
    settle(qtbot, page)
    return page.sorting.panel


def name(qtbot, page: PeoplePage, words: str) -> None:
    page.sorting.panel.group.name.setText(words)
    page.sorting.panel.say_yes()
    settle(qtbot, page)


def who(services: Services) -> dict[str, int]:
    return {one.name: sum(len(services.gallery.cluster_faces(k)) for k in services.gallery.clusters_of(one.id))
            for one in services.gallery.people()}  # fmt: skip


def test_unnamed_people_come_first_largest_first(page: PeoplePage) -> None:
    rows = [page.sorting.strip.tiles.row(place) for place in range(3)]
    assert [row.title for row in rows if row] == ["5 photos", "4 photos", "2 photos"]
    assert page.sorting.strip.chips[Ask.WHO].text() == "Who is this?  3"
    assert page.state is State.READY


def test_enter_names_s_skips_h_hides_and_the_next_question_follows(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, press: Press
) -> None:
    ask(qtbot, page)
    assert panel.heading.full == "Who is this? 5 photos"
    press(Qt.Key.Key_S)
    assert panel.heading.full == "Who is this? 4 photos"
    press(Qt.Key.Key_H)
    assert panel.heading.full == "Who is this? 2 photos"
    press(Qt.Key.Key_Return)
    QTest.keyClicks(panel.group.name, "Ns h")
    press(Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is panel.group.grid, "Esc leaves the field, not the panel"
    press(Qt.Key.Key_Return)
    assert who(services) == {"Ns h": 2}, "letters in the field are letters"
    assert panel.done.isVisible()
    press(Qt.Key.Key_Return)
    assert panel.heading.full == "Who is this? 5 photos", "what was skipped is asked again on demand"
    press(Qt.Key.Key_Escape)
    assert page.panels.currentWidget() is page.everybody


def test_faces_of_the_question_before_are_not_taken_for_those_of_the_next(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, press: Press
) -> None:
    ask(qtbot, page)
    press(Qt.Key.Key_Home)
    QTest.keyClick(panel.group.grid, Qt.Key.Key_S)
    assert panel.group.faces == ()
    panel.group.name.setText("Ada")
    panel.say_yes()
    QTest.keyClick(panel.group.grid, Qt.Key.Key_N)
    settle(qtbot, page)
    assert who(services) == {}, "who was not seen yet is not named"
    assert [group.faces for group in services.gallery.clusters()] == [5, 4, 2]
    panel.say_yes()
    settle(qtbot, page)
    assert who(services) == {"Ada": 4}


def test_the_keys_refuse_split_move_and_undo_in_the_order_of_the_changes(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, press: Press
) -> None:
    ask(qtbot, page)
    press(Qt.Key.Key_Home)
    (first,) = panel.group.chosen
    press(Qt.Key.Key_N)
    assert first not in panel.group.faces
    press(Qt.Key.Key_End)
    press(Qt.Key.Key_G)
    assert panel.heading.full == "Who is this? 3 photos"
    press(Qt.Key.Key_Home)
    press(Qt.Key.Key_M)
    assert page.ask.isVisible()
    page.ask.picker.setText("Béla")
    press(Qt.Key.Key_Return)
    assert who(services) == {"Béla": 1}
    assert panel.heading.full == "Who is this? 2 photos"
    for left in (3, 4, 5):
        page.undo()
        settle(qtbot, page)
        assert panel.heading.full == f"Who is this? {left} photos"
    assert who(services) == {}
    assert first in panel.group.faces
    page.undo()
    settle(qtbot, page)
    assert "nothing to undo" in page._note_words.text()


def test_new_photos_of_somebody_known_are_asked_about_once(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, photos: Path, press: Press
) -> None:
    ask(qtbot, page)
    name(qtbot, page, "Ada")
    for variation in (10, 11, 12):
        paint(photos / f"1-{variation}.png", (1, variation))
    page.open_files([photos])
    settle(qtbot, page)
    ask(qtbot, page, Ask.MORE)
    assert panel.heading.full == "Is this Ada? 3 photos"
    press(Qt.Key.Key_Home)
    (wrong,) = panel.group.chosen
    press(Qt.Key.Key_N)
    assert panel.heading.full == "Is this Ada? 2 photos"
    assert panel.leave_choice() is False
    press(Qt.Key.Key_Return)
    assert who(services) == {"Ada": 7}
    page.sorting.queue._grouped_at = None
    page.activate()
    settle(qtbot, page)
    assert page.sorting.queue.questions(Ask.MORE) == [], "neither the confirmed nor the refused ones are asked again"
    known = services.gallery.evidence()
    assert known.not_person[:, 0].tolist() == [wrong]


def test_whom_they_look_like_is_one_key_and_a_doubt_needs_a_second_enter(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, photos: Path, press: Press
) -> None:
    ask(qtbot, page)
    faces = panel.group.faces
    panel.group.grid.select_row(0)
    press(Qt.Key.Key_G)  # one face by itself; two make a group that is shown
    services.gallery.split(faces[:2])
    page.sorting.queue.refresh()
    settle(qtbot, page)
    name(qtbot, page, "Ada")
    while panel.heading.full != "Who is this? 2 photos" or not panel.group.like(0):
        press(Qt.Key.Key_S)
    name(qtbot, page, "Somebody else")
    assert panel.group.doubt.isVisible()
    assert "look like Ada" in panel.group._doubts.text()
    assert who(services) == {"Ada": 3}
    press(Qt.Key.Key_1)
    assert who(services) == {"Ada": 5}
    assert not panel.group.doubt.isVisible()


def pairs(page: PeoplePage, services: Services, similarity: float) -> tuple[int, int]:
    """Make the questions of pairs those of the two largest groups."""
    from dataclasses import replace

    from facegui.services.people import MergeQuestion

    queue = page.sorting.queue
    one, other = (group.id for group in queue.open.unknown[:2])
    queue._take(replace(queue.open, merges=(MergeQuestion(one, other, similarity),)))
    return one, other


def test_two_that_may_be_one_are_shown_side_by_side_and_answered_by_one_key(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, press: Press
) -> None:
    one, other = pairs(page, services, 0.31)
    ask(qtbot, page, Ask.MERGE)
    assert [grid.count for grid in panel.pair.grids] == [5, 4]
    assert panel.pair.scale.similarity == 0.31
    press(Qt.Key.Key_N)
    assert len(services.gallery.evidence().different) == 1
    page.undo()
    settle(qtbot, page)
    pairs(page, services, 0.31)
    ask(qtbot, page, Ask.MERGE)
    press(Qt.Key.Key_Return)
    assert len(services.gallery.cluster_faces(one)) == 9
    assert services.gallery.cluster(other) is None


class Drop(QDropEvent):
    """A drop of what another grid carries."""


def drop(source, index: int, target, on: int) -> None:  # type: ignore[no-untyped-def]
    mime = source.mime_of(index)
    place = QPointF(target.row_rect(on).center())
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    target.dropEvent(Drop(place, Qt.DropAction.MoveAction, mime, buttons, keys))


def test_a_group_is_dropped_on_another_or_on_somebody_known(qtbot, page: PeoplePage, services: Services) -> None:
    tiles = page.sorting.strip.tiles
    drop(tiles, 2, tiles, 1)
    settle(qtbot, page)
    assert [group.faces for group in services.gallery.clusters()] == [6, 5]
    page.undo()
    settle(qtbot, page)
    ask(qtbot, page)
    name(qtbot, page, "Ada")
    page.sorting.left.emit()
    settle(qtbot, page)
    drop(tiles, 1, page.everybody.grid, 0)
    settle(qtbot, page)
    panel = page.sorting.panel
    assert panel.isVisible(), "two photos of somebody else are no Ada: it is asked first"
    assert "do not look like the samples of Ada" in panel.group._doubts.text()
    panel.say_yes()
    settle(qtbot, page)
    assert who(services) == {"Ada": 7}


def test_the_whole_photo_of_the_face_looked_at_stands_beside_the_question(
    qtbot, page: PeoplePage, panel: ReviewPanel, press: Press, photos: Path
) -> None:
    assert page.photo.isHidden()
    ask(qtbot, page)
    assert page.photo.view.has_image
    press(Qt.Key.Key_Home)
    press(Qt.Key.Key_End)
    last = page.photo.file.full
    assert last.startswith("1-")
    for path in photos.iterdir():
        path.unlink()
    press(Qt.Key.Key_Home)
    assert page.photo.file.full != last
    assert page.photo._problem.text(), "a photo that is gone is told, and the face can be named all the same"
    press(Qt.Key.Key_Escape)
    press(Qt.Key.Key_Escape)
    assert page.photo.isHidden()


def test_hidden_strangers_are_shown_again(qtbot, page: PeoplePage, services: Services, press: Press) -> None:
    tiles = page.sorting.strip.tiles
    tiles.select_row(0)
    tiles.setFocus()
    press(Qt.Key.Key_H)
    assert tiles.count == 2
    panel = ask(qtbot, page, Ask.HIDDEN)
    assert panel.heading.full == "A stranger, hidden. 5 photos"
    press(Qt.Key.Key_Return)
    assert len(services.gallery.clusters()) == 3


def test_all_photos_of_a_person_are_looked_through(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, press: Press
) -> None:
    ask(qtbot, page)
    name(qtbot, page, "Ada")
    page.receive(services.gallery.people()[0])
    settle(qtbot, page)
    assert page.person.photos.text() == "5 photos"
    page.person.photos.click()
    settle(qtbot, page)
    assert panel.heading.full == "Photos of Ada"
    assert len(panel.group.faces) == 5
    press(Qt.Key.Key_End)
    (wrong,) = panel.group.chosen
    press(Qt.Key.Key_N)
    assert wrong not in panel.group.faces
    assert who(services) == {"Ada": 4}
    press(Qt.Key.Key_O)
    assert page.panels.currentWidget() is page.viewer
    QTest.keyClick(page.viewer, Qt.Key.Key_Escape)
    assert page.panels.currentWidget() is panel
    panel.leave_choice()
    press(Qt.Key.Key_Escape)
    assert page.panels.currentWidget() is page.person


def test_the_menu_of_a_group_offers_what_the_keys_do(qtbot, page: PeoplePage) -> None:
    page.sorting.strip.tiles.menuRequested.emit(0, page.mapToGlobal(QPoint(50, 50)))
    menu = page.sorting.strip.findChild(QMenu)
    assert menu is not None
    assert [action.text() for action in menu.actions()] == ["Look at the faces", "Skip (S)", "Hide strangers (H)"]
    menu.actions()[0].trigger()
    settle(qtbot, page)
    assert page.sorting.panel.isVisible()
    menu.close()


def test_a_write_that_fails_says_so_and_the_question_stays(
    qtbot, page: PeoplePage, panel: ReviewPanel, services: Services, monkeypatch: pytest.MonkeyPatch, press: Press
) -> None:
    ask(qtbot, page)

    def refuse(_ids: object) -> None:
        raise KnownError("The disk is full.", "Nothing was stored.", "Make room.")

    monkeypatch.setattr(services.gallery, "postpone_clusters", refuse)
    press(Qt.Key.Key_S)
    assert page._error.error is not None
    assert panel.heading.full == "Who is this? 5 photos"


def test_a_gallery_for_reading_shows_people_and_asks_nothing(
    qtbot, page: PeoplePage, services: Services, bridge: Bridge, calibration: Calibration
) -> None:
    with painted_services(services.gallery.file, calibration, read_only=True) as reading:
        other = PeoplePage(reading, bridge)
        qtbot.addWidget(other)
        with qtbot.waitExposed(other):
            other.show()
        other.activate()
        qtbot.waitUntil(lambda: other.sorting.strip.tiles.count == 3, timeout=WAIT)
        assert other.state is State.READ_ONLY
        panel = ask(qtbot, other)
        assert not panel._actions.isVisible()
        QTest.keyClick(panel.group.grid, Qt.Key.Key_H)
        settle(qtbot, other)
        assert len(reading.gallery.clusters()) == 3
        settle(qtbot, other)


def test_findings_are_mended_by_enter_dismissed_by_n_and_undone(
    qtbot, page: PeoplePage, services: Services, press: Press
) -> None:
    gallery = services.gallery
    for words in ("Ada", "Grace"):
        ask(qtbot, page)
        name(qtbot, page, words)
    ada, grace = gallery.people()
    wrong = gallery.samples(ada.id)[0].face_id
    gallery.move_sample(wrong, grace.id)
    page.sorting.left.emit()
    page.sorting.strip.audit.click()
    settle(qtbot, page)
    audit = page.sorting.audit
    assert audit.heading.full == "1 finding"
    (card,) = audit.cards
    assert card.hasFocus()
    assert [act.text() for act in card.buttons] == ["Move to Ada", "Remove the sample", "It is Grace (N)"]
    press(Qt.Key.Key_Return)
    assert wrong in {sample.face_id for sample in gallery.samples(ada.id)}
    assert audit.done.isVisible()
    page.undo()
    settle(qtbot, page)
    assert len(audit.cards) == 1
    press(Qt.Key.Key_N)
    assert audit.done.isVisible()
    page.undo()
    settle(qtbot, page)
    assert len(audit.cards) == 1
    press(Qt.Key.Key_Escape)
    assert page.panels.currentWidget() is page.everybody


def test_what_was_deleted_cannot_be_brought_back_later(
    qtbot, page: PeoplePage, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.gui import theme

    ask(qtbot, page)
    name(qtbot, page, "Ada")
    normal = theme.time
    monkeypatch.setattr(theme, "time", lambda name: 1 if name == "undo" else normal(name))
    page.changes.delete(services.gallery.people()[0].id)
    settle(qtbot, page)
    qtbot.wait(20)
    page.undo()
    settle(qtbot, page)
    assert services.gallery.people() == []
    assert "no longer be undone" in page._note_words.text()


def test_people_appear_while_photos_are_still_being_read(
    qtbot, page: PeoplePage, services: Services, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.gui.pages import people_queue

    monkeypatch.setattr(people_queue, "_PAUSE", -1.0)
    for variation in range(1, 4):
        paint(photos / f"5-{variation}.png", (5, variation))
    seen: list[int] = []
    refresh = page.sorting.queue.refresh

    def looked() -> None:
        seen.append(1)
        refresh()

    monkeypatch.setattr(page.sorting.queue, "refresh", looked)
    page.open_files([photos])
    settle(qtbot, page)
    assert len(seen) > 1, "once meanwhile, once at the end"
    assert page.sorting.strip.tiles.count == 4


def test_grouping_is_cancelled_and_taken_up_again(qtbot, page: PeoplePage, services: Services) -> None:
    queue = page.sorting.queue
    queue._grouped_at = None
    queue.group()
    assert queue.grouping
    assert page.sorting.strip._working.isVisible()
    assert queue._task is not None
    queue._task.cancel()
    settle(qtbot, page)
    assert not queue.grouping
    assert page.sorting.strip.tiles.count == 3


def test_many_groups_fill_one_line(qtbot, page: PeoplePage, services: Services) -> None:
    faces = services.gallery.evidence().face_ids[:10].reshape(5, 2)
    numbers = np.repeat(np.arange(-2, -7, -1), 2)
    grouped = Grouped(faces.ravel(), numbers, np.ones(10, np.float32), np.ones(10, bool))
    services.gallery.store_clusters(services.model.sha256, grouped, {})
    page.resize(500, 640)
    page.sorting.queue.refresh()
    settle(qtbot, page)
    tiles = page.sorting.strip.tiles
    assert tiles.count == tiles.columns < 5
    page.resize(1200, 640)
    assert tiles.count == 5
