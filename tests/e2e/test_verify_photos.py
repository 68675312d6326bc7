"""The window's main job on photos, with real models and the faces that installed packages carry."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest

from facegui.gui.main_window import MainWindow
from facegui.gui.pages.verify import VerifyPage
from facegui.gui.widgets.photo_view import PhotoView
from facegui.matching.decision import Outcome
from facegui.services import EnrolSample, Services
from tests import faces

WAIT = 30_000


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Photos of two people; the astronaut once more, turned a little, smaller, darker and compressed."""
    folder = tmp_path_factory.mktemp("pictures")
    original = cv2.imread(str(faces.astronaut()))
    height, width = original.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 0.8)
    other = cv2.convertScaleAbs(cv2.warpAffine(original, turn, (width, height)), alpha=0.85)
    again = folder / "astronaut again.jpg"
    cv2.imwrite(str(again), other, [cv2.IMWRITE_JPEG_QUALITY, 60])
    wall = folder / "wall.png"
    cv2.imwrite(str(wall), np.full((300, 400, 3), 200, np.uint8))
    damaged = folder / "damaged.jpg"
    damaged.write_bytes(again.read_bytes()[:40])
    return {
        "astronaut": faces.astronaut(), "again": again, "hopper": faces.hopper(), "group": faces.group(),
        "wall": wall, "damaged": damaged,
    }  # fmt: skip


@pytest.fixture(scope="module")
def enrolled(services: Services) -> dict[str, int]:
    """The two women of the photos and the first of the group, by name."""
    people = {}
    for name, path in (("Eileen", faces.astronaut()), ("Grace", faces.hopper()), ("Somebody", faces.group())):
        photo, face = services.probe(path)
        people[name], _change = services.enroll(name, [EnrolSample(face, photo.frame)])
    return people


@pytest.fixture
def page(qtbot, window: MainWindow) -> VerifyPage:
    page = window.page
    assert isinstance(page, VerifyPage)
    qtbot.waitUntil(lambda: not page._first, timeout=WAIT)
    return page


def compared(qtbot, page: VerifyPage) -> float:
    qtbot.waitUntil(lambda: page.result.comparison is not None, timeout=WAIT)
    assert page.result.comparison is not None
    return page.result.comparison.similarity


def drop(target: PhotoView, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(target.rect().center()), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    target.dropEvent(event)  # Qt delivers no drop without a drag of the system's own


def drag_threshold(page: VerifyPage, to: float) -> None:
    canvas = page.result.scale.canvas
    start = canvas.threshold_point()
    assert start is not None
    x = next(x for x in range(canvas.width()) if canvas.similarity_at(x) >= to)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start.toPoint())
    QTest.mouseMove(canvas, QPoint(x, start.toPoint().y()))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(x, start.toPoint().y()))


def test_two_photos_of_one_person_match_and_the_decision_is_in_the_history(
    qtbot, page: VerifyPage, services: Services, pictures: dict[str, Path]
) -> None:
    before = len(services.gallery.decisions())
    page.open_files([pictures["astronaut"], pictures["again"]])
    score = compared(qtbot, page)
    assert page.result.outcome is Outcome.MATCH
    assert page.result.sentence.full == "These two faces match."
    qtbot.waitUntil(lambda: len(services.gallery.decisions()) == before + 1, timeout=WAIT)
    kept = services.gallery.decisions()[0]
    assert kept.outcome is Outcome.MATCH
    assert kept.similarity == pytest.approx(score)
    assert kept.threshold == pytest.approx(page.result.scale.threshold)
    assert (kept.reference, kept.probe) == (str(pictures["astronaut"]), str(pictures["again"]))


def test_two_people_do_not_match(qtbot, page: VerifyPage, pictures: dict[str, Path]) -> None:
    page.open_files([pictures["astronaut"], pictures["hopper"]])
    compared(qtbot, page)
    assert page.result.outcome is Outcome.NO_MATCH
    assert page.result.sentence.full == "These two faces do not match."


def test_dragging_the_threshold_re_decides_without_a_network(
    qtbot, page: VerifyPage, services: Services, pictures: dict[str, Path], network_runs
) -> None:
    page.open_files([pictures["astronaut"], pictures["again"]])
    score = compared(qtbot, page)
    qtbot.waitUntil(lambda: not page.claim.photo.working and not page.probe.photo.working)
    runs, rows = network_runs(), len(services.gallery.decisions())
    assert runs > 0
    drag_threshold(page, min(score + 0.1, 0.99))
    assert page.result.outcome in (Outcome.UNSURE, Outcome.NO_MATCH)
    drag_threshold(page, score - 0.1)
    assert page.result.outcome is Outcome.MATCH
    assert network_runs() == runs
    assert len(services.gallery.decisions()) <= rows + 1  # the one of the comparison itself may still arrive


def test_a_person_is_recognised_offered_and_compared_with_a_margin(
    qtbot, page: VerifyPage, services: Services, enrolled: dict[str, int], pictures: dict[str, Path]
) -> None:
    page.refresh()
    qtbot.waitUntil(lambda: page.claim.picker.isEnabled(), timeout=WAIT)
    page.claim.chips["person"].click()
    drop(page.probe.photo.view, pictures["again"])
    qtbot.waitUntil(lambda: page.claim.chooser.suggestion.isVisible(), timeout=WAIT)
    assert "Looks most like: Eileen" in page.claim.chooser.suggestion.accessibleName()
    QTest.mouseClick(page.claim.chooser.suggestion, Qt.MouseButton.LeftButton)
    compared(qtbot, page)
    comparison = page.result.comparison
    assert comparison is not None
    assert page.result.outcome is Outcome.MATCH
    assert comparison.person_id == enrolled["Eileen"]
    assert comparison.next_best is not None
    assert comparison.margin is not None
    assert comparison.margin > 0.2
    qtbot.waitUntil(lambda: bool(services.gallery.decisions(person_id=enrolled["Eileen"])), timeout=WAIT)
    qtbot.waitUntil(lambda: page.claim.portrait.has_image, timeout=WAIT)
    assert page.claim.portrait.marks  # the photo itself, not only the stored crop


def test_another_person_is_claimed_by_typing_a_name(
    qtbot, page: VerifyPage, enrolled: dict[str, int], pictures: dict[str, Path]
) -> None:
    page.refresh()
    qtbot.waitUntil(lambda: page.claim.picker.isEnabled(), timeout=WAIT)
    page.open_files([pictures["again"]])
    page.claim.chips["person"].click()
    QTest.keyClicks(page.claim.picker, "grace")
    compared(qtbot, page)
    assert page.claim.person is not None
    assert page.claim.person.id == enrolled["Grace"]
    assert page.result.sentence.full == "This face does not match Grace."


def test_every_face_of_a_group_is_framed_and_a_click_chooses(
    qtbot, page: VerifyPage, pictures: dict[str, Path]
) -> None:
    page.open_files([pictures["astronaut"], pictures["group"]])
    compared(qtbot, page)
    view = page.probe.photo.view
    assert len(view.marks) >= faces.GROUP_SIZE
    first = page.result.comparison
    place = view.viewport().rect(view.marks[3].box).center().toPoint()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: page.result.comparison not in (None, first), timeout=WAIT)
    assert view.selected == 3
    assert page.result.outcome is Outcome.NO_MATCH


def test_a_photo_without_a_face_and_a_damaged_one_say_so_in_their_place(
    qtbot, page: VerifyPage, pictures: dict[str, Path]
) -> None:
    page.claim.set_kind("photo")
    drop(page.claim.photo.view, pictures["wall"])
    drop(page.probe.photo.view, pictures["damaged"])
    qtbot.waitUntil(lambda: page.claim.strip.note.startswith("No face found"), timeout=WAIT)
    qtbot.waitUntil(lambda: "damaged.jpg" in page.probe.photo.view.accessibleName(), timeout=WAIT)
    assert page.result.outcome is None


def test_a_pasted_picture_is_taken(qtbot, window: MainWindow, page: VerifyPage, pictures: dict[str, Path]) -> None:
    page.claim.set_kind("photo")
    page.claim.clear()
    page.probe.clear()
    QGuiApplication.clipboard().setImage(QImage(str(pictures["hopper"])))
    page.setFocus()
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.claim.photo.face is not None, timeout=WAIT)
    assert page.claim.photo.name == "Pasted picture"
