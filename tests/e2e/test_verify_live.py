"""The window's main job on real photos and with videos as the camera."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.gui.main_window import MainWindow
from facegui.gui.pages.verify import VerifyPage
from facegui.matching.decision import Outcome
from facegui.services import EnrolSample, Services
from facegui.sources.camera import FeedState, frames

WAIT = 30_000
EVERY = 20


@pytest.fixture(scope="module")
def person(services: Services, shared_data: Path) -> int:
    """The person of d9.mp4, enrolled from three of its frames, beside two others."""
    for name, photo in (("Somebody", "portraits/biden.jpg"), ("Another", "cfp-dev/images/001/frontal/01.jpg")):
        frame = services.read(shared_data / photo)
        services.enroll(name, [EnrolSample(services.probe(frame)[1], frame)])
    samples = []
    for number, frame in enumerate(frames(shared_data / "video" / "d9.mp4")):
        if number % EVERY == 0:
            samples.append(EnrolSample(services.probe(frame)[1], frame))
        if len(samples) == 3:
            break
    return services.enroll("Dee", samples)[0]


@pytest.fixture
def page(qtbot, window: MainWindow) -> VerifyPage:
    page = window.page
    assert isinstance(page, VerifyPage)
    qtbot.waitUntil(lambda: not page._first, timeout=WAIT)
    return page


def wait(qtbot, condition: Callable[[], bool]) -> None:
    qtbot.waitUntil(condition, timeout=WAIT)


def test_two_real_photos_of_one_person_match(qtbot, page: VerifyPage, shared_data: Path) -> None:
    portraits = shared_data / "portraits"
    page.open_files([portraits / "obama.jpg", portraits / "obama2.jpg"])
    wait(qtbot, lambda: page.result.outcome is Outcome.MATCH)


def test_real_photos_of_two_people_do_not_match(qtbot, page: VerifyPage, shared_data: Path) -> None:
    portraits = shared_data / "portraits"
    page.open_files([portraits / "obama.jpg", portraits / "biden.jpg"])
    wait(qtbot, lambda: page.result.outcome is Outcome.NO_MATCH)


def test_a_live_face_matches_the_person_enrolled_from_it_and_another_does_not(
    qtbot, page: VerifyPage, services: Services, person: int, shared_data: Path
) -> None:
    page.receive(person)
    page.refresh()
    page.open_files([shared_data / "video" / "d9.mp4"])
    wait(qtbot, lambda: page.claim.person is not None and page.result.outcome is Outcome.MATCH)
    assert page.probe.running
    assert "Match" in page.probe.camera.view.accessibleName()  # the frame carries the decision, in words too
    assert page.result.sentence.full == "This face matches Dee."
    wait(qtbot, lambda: len(services.gallery.decisions(person_id=person)) == 1)
    wait(qtbot, lambda: len(page.probe.strip.trace.scores) >= 8)
    assert len(services.gallery.decisions(person_id=person)) == 1  # one row, not one per frame

    page.probe.open_video(shared_data / "video" / "d3.mp4")
    wait(qtbot, lambda: page.result.outcome is Outcome.NO_MATCH)
    assert page.result.sentence.full == "This face does not match Dee."
    wait(qtbot, lambda: len(services.gallery.decisions(person_id=person)) == 2)
    newest = services.gallery.decisions(person_id=person)[0]
    assert (newest.outcome, newest.probe) == (Outcome.NO_MATCH, "d3.mp4")


def test_nobody_in_the_other_clips_matches(qtbot, page: VerifyPage, person: int, shared_data: Path) -> None:
    page.receive(person)
    page.refresh()
    page.open_files([shared_data / "video" / "d0.mp4"])
    wait(qtbot, lambda: page.claim.person is not None and page.result.outcome is Outcome.NO_MATCH)
    for clip in ("d6", "d12"):  # d3 is looked at above
        page.probe.open_video(shared_data / "video" / f"{clip}.mp4")
        wait(qtbot, lambda: page.result.outcome is not Outcome.NO_MATCH)
        wait(qtbot, lambda: page.result.outcome is Outcome.NO_MATCH)


def test_space_takes_the_frame_and_escape_lets_it_go(
    qtbot, page: VerifyPage, services: Services, person: int, shared_data: Path
) -> None:
    page.receive(person)
    page.refresh()
    page.open_files([shared_data / "video" / "d9.mp4"])
    wait(qtbot, lambda: page.result.outcome is Outcome.MATCH)
    rows = len(services.gallery.decisions(person_id=person))
    assert page.primary_action.text() == "Take the frame"
    QTest.keyClick(page, Qt.Key.Key_Space)
    wait(qtbot, lambda: page.probe.frozen and page.result.outcome is Outcome.MATCH)
    assert page.probe.photo.view.has_image
    assert page.primary_action.text() == "Back to live"
    wait(qtbot, lambda: len(services.gallery.decisions(person_id=person)) > rows)
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert page.probe.live
    wait(qtbot, lambda: page.result.outcome is Outcome.MATCH)
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert page.probe.camera.state is FeedState.CLOSED
    assert page.result.outcome is None


def test_a_live_face_is_compared_with_a_photo_and_named_when_nobody_is_claimed(
    qtbot, page: VerifyPage, person: int, shared_data: Path
) -> None:
    page.refresh()
    page.claim.set_kind("photo")
    page.claim.photo.load(shared_data / "portraits" / "obama.jpg")
    page.probe.open_video(shared_data / "video" / "d9.mp4")
    wait(qtbot, lambda: page.result.outcome is Outcome.NO_MATCH)
    page.claim.chips["person"].click()
    wait(qtbot, lambda: page.claim.chooser.suggested is not None and page.claim.chooser.suggested.name == "Dee")
    assert page.result.sentence.full.startswith("Looks most like Dee.")


def test_leaving_the_page_closes_the_camera_and_coming_back_opens_it(
    qtbot, window: MainWindow, page: VerifyPage, person: int, shared_data: Path
) -> None:
    page.open_files([shared_data / "video" / "d9.mp4"])
    wait(qtbot, lambda: page.probe.running)
    window.show_page("settings")
    assert page.probe.camera.state is FeedState.CLOSED
    window.show_page("verify")
    wait(qtbot, lambda: page.probe.running)
