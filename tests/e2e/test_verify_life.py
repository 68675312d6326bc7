"""Proof of life in the window: somebody who does as asked is matched, a photo is not, whatever it is held."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.faces import liveness_challenge
from facegui.faces.liveness import Verdict
from facegui.faces.liveness_challenge import Action
from facegui.faces.types import Frame
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.verify import VerifyPage
from facegui.matching.decision import Outcome
from facegui.services import EnrolSample, Services
from facegui.sources.camera import FeedState, FeedStatus, frames
from tests.benchmarks.attacks import ATTACKS, attack
from tests.benchmarks.puppet import MOVES, RATE, Puppet

WAIT = 120_000


class PlayedFeed:
    """A camera whose next frame comes when the one before was analysed, at the clip's own clock."""

    def __init__(self, page: VerifyPage, pictures: Iterator[Frame]) -> None:
        self._pictures, self._count = pictures, 0
        self._ready, self._closed = threading.Event(), threading.Event()
        self._ready.set()
        self.status = FeedStatus(FeedState.OPENING)
        page.probe.frameAnalysed.connect(self._analysed)

    def _analysed(self, _photo: object) -> None:
        self._ready.set()

    def wait(self, after: int, timeout: float) -> tuple[int, Frame] | None:
        if not self._ready.wait(timeout) or self._closed.is_set():
            return None
        self._ready.clear()
        frame = next(self._pictures, None)
        if frame is None:
            self.status = FeedStatus(FeedState.ENDED, "The video has ended.")
            return None
        self._count += 1
        self.status = FeedStatus(FeedState.LIVE, fps=RATE, size=(frame.width, frame.height))
        return self._count, frame

    def retry(self) -> None: ...

    def close(self) -> None:
        self._closed.set()


@pytest.fixture(scope="module")
def clip(shared_data: Path) -> list[Frame]:
    return list(frames(shared_data / "video" / "d3.mp4"))


@pytest.fixture(scope="module")
def person(services: Services, clip: list[Frame]) -> int:
    return services.enroll("Dee", [EnrolSample(services.probe(clip[n])[1], clip[n]) for n in (0, 150)])[0]


@pytest.fixture
def page(qtbot, window: MainWindow, services: Services, person: int) -> Iterator[VerifyPage]:
    services.change_settings(liveness="require")
    page = window.page
    assert isinstance(page, VerifyPage)
    qtbot.waitUntil(lambda: not page._first, timeout=WAIT)
    page.receive(person)
    page.refresh()
    qtbot.waitUntil(lambda: page.claim.person is not None, timeout=WAIT)
    yield page
    services.change_settings(liveness="off")


def show(page: VerifyPage, pictures: Iterator[Frame]) -> None:
    """Let the page look at pictures as if they came from a camera."""
    page.probe.camera._make_feed = lambda source, height: PlayedFeed(page, pictures)
    page.probe.set_kind("camera")
    page.probe.bar.choose("camera:test", "Test camera")


def test_somebody_who_does_as_asked_is_matched_and_the_proof_is_kept(
    qtbot, page: VerifyPage, clip: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (Action.LEFT, Action.MOUTH, Action.CLOSER, Action.RIGHT)  # what the clip can be cut to
    monkeypatch.setattr(liveness_challenge, "draw", lambda *_: asked)
    page.live.restart()
    rest, moves = MOVES["d3"]
    puppet = Puppet(clip, rest, moves, lambda: page.live.report.challenge if page.live.report else None)
    said: set[str] = set()

    def proven() -> bool:
        said.add(page.result.sentence.full)
        assert not page.live.failed, page.live.report
        return page.result.outcome is Outcome.MATCH

    show(page, puppet.frames(90, stop=False))
    qtbot.waitUntil(proven, timeout=WAIT)
    assert page.live.report is not None
    assert page.live.report.verdict is Verdict.LIVE
    assert any("(1 of 4)" in words for words in said), said
    assert page.result.sentence.full == "This face matches Dee."


def test_a_photo_of_her_is_never_matched_and_another_try_is_offered(
    qtbot, page: VerifyPage, services: Services, clip: list[Frame]
) -> None:
    photo = (Frame(clip[0].pixels, "photo", time=n / RATE) for n in range(400))
    seen: set[Outcome | None] = set()

    def refused() -> bool:
        seen.add(page.result.outcome)
        return page.live.failed

    show(page, attack(photo, ATTACKS["print waved, tight crop"]))
    qtbot.waitUntil(refused, timeout=WAIT)
    assert Outcome.MATCH not in seen
    assert page.result.scale.outcome is Outcome.UNSURE, "the scale says no more than the decision"
    assert page.primary_action is not None
    qtbot.waitUntil(lambda: page.primary_action.text() == "Try again", timeout=WAIT)
    qtbot.waitUntil(lambda: "proof of life failed" in page.result.advice.full, timeout=WAIT)
    QTest.keyClick(page, Qt.Key.Key_Return)
    assert not page.live.failed
    assert page.primary_action.text() == "Take the frame"
