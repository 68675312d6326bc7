from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.faces.types import Frame, Photo
from facegui.gui.bridge import Bridge
from facegui.gui.widgets.camera_bar import CameraBar
from facegui.gui.widgets.camera_view import CameraView
from facegui.matching.decision import Outcome
from facegui.sources.camera import CameraInfo, FeedState, FeedStatus

WAIT = 30_000


class FakeFeed:
    """A feed whose frames and failures the test decides on."""

    def __init__(self, source: str, height: int) -> None:
        self.source, self.height = source, height
        self.status = FeedStatus(FeedState.OPENING)
        self.retried = 0
        self.closed = threading.Event()
        self._changed = threading.Condition()
        self._sequence, self._frame = 0, None

    def give(self, shade: int) -> None:
        with self._changed:
            self._sequence += 1
            self._frame = Frame(np.full((90, 120, 3), shade, np.uint8), self.source)
            self.status = FeedStatus(FeedState.LIVE, fps=30.0, size=(120, 90))
            self._changed.notify_all()

    def lose(self) -> None:
        self.status = FeedStatus(FeedState.LOST, "It was unplugged.")

    def wait(self, after: int, timeout: float) -> tuple[int, Frame] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._sequence > after or self.closed.is_set(), timeout)
            return (self._sequence, self._frame) if self._sequence > after else None

    def retry(self) -> None:
        self.retried += 1

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def feeds() -> list[FakeFeed]:
    return []


@pytest.fixture
def view(qtbot, fake_services, bridge: Bridge, feeds: list[FakeFeed]) -> CameraView:
    def make(source: str, height: int) -> FakeFeed:
        feeds.append(FakeFeed(source, height))
        return feeds[-1]

    view = CameraView(fake_services, bridge, make_feed=make)
    qtbot.addWidget(view, before_close_func=lambda view: view.close_feed())
    view.resize(400, 300)
    with qtbot.waitExposed(view):
        view.show()
    return view


def test_frames_are_shown_and_the_newest_is_analysed(qtbot, view: CameraView, feeds, fake_services) -> None:
    states: list[str] = []
    view.stateChanged.connect(states.append)
    view.open("camera:0", 720)
    assert (feeds[0].source, feeds[0].height) == ("camera:0", 720)
    with qtbot.waitSignal(view.frameAnalysed, timeout=WAIT) as told:
        feeds[0].give(10)
    assert told.args[0].frame.pixels[0, 0, 0] == 10
    assert states == ["opening", "live"]
    assert len(view.view.marks) == 1
    assert view.latest is told.args[0]


def test_frames_that_come_during_an_analysis_are_shown_and_skipped(
    qtbot, view: CameraView, feeds, fake_services, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, running, shades = threading.Event(), [], []

    def slow(frame: Frame) -> Photo:
        running.append(frame)
        gate.wait(5)
        return Photo(frame, ())

    monkeypatch.setattr(fake_services, "analyse_live", slow)
    view.frameAnalysed.connect(lambda photo: shades.append(int(photo.frame.pixels[0, 0, 0])))
    view.open("camera:0", 720)
    feeds[0].give(1)
    qtbot.waitUntil(lambda: bool(running), timeout=WAIT)
    for shade in (2, 3, 4):
        feeds[0].give(shade)
        qtbot.waitUntil(lambda shade=shade: view.frame.pixels[0, 0, 0] == shade, timeout=WAIT)
    gate.set()
    qtbot.waitUntil(lambda: shades == [1], timeout=WAIT)
    feeds[0].give(5)
    qtbot.waitUntil(lambda: shades == [1, 5], timeout=WAIT)


def test_the_preview_is_mirrored_and_the_analysis_is_not(qtbot, view: CameraView, feeds, fake_services) -> None:
    view.set_mirrored(True)
    view.open("camera:0", 720)
    pixels = np.zeros((90, 120, 3), np.uint8)
    pixels[:, :60] = 200
    feeds[0].give(0)
    with feeds[0]._changed:
        feeds[0]._sequence += 1
        feeds[0]._frame = Frame(pixels, "camera")
        feeds[0]._changed.notify_all()
    qtbot.waitUntil(lambda: any(f.pixels is pixels for f in fake_services.analysed), timeout=WAIT)
    shown = view.view.grab().toImage()
    assert shown.pixelColor(shown.width() * 3 // 4, shown.height() // 3).red() > 150


def test_a_lost_camera_says_so_and_can_be_tried_again(qtbot, view: CameraView, feeds) -> None:
    view.open("camera:0", 720)
    feeds[0].give(1)
    qtbot.waitUntil(lambda: view.state is FeedState.LIVE, timeout=WAIT)
    feeds[0].lose()
    qtbot.waitUntil(lambda: view.state is FeedState.LOST, timeout=WAIT)
    assert view._card.isVisible()
    assert view._card.accessibleDescription() == "It was unplugged."
    assert view.frame is None
    QTest.mouseClick(view._card._action, Qt.MouseButton.LeftButton)
    assert feeds[0].retried == 1
    feeds[0].give(2)
    qtbot.waitUntil(lambda: view.state is FeedState.LIVE and view.view.isVisible(), timeout=WAIT)


def test_opening_another_source_closes_the_first(qtbot, view: CameraView, feeds) -> None:
    view.open("camera:0", 720)
    view.open("camera:1", 480)
    assert feeds[0].closed.wait(2)
    feeds[1].give(1)
    qtbot.waitUntil(lambda: view.frame is not None, timeout=WAIT)
    view.close_feed()
    assert feeds[1].closed.wait(2)
    assert view.state is FeedState.CLOSED
    assert view.frame is None


def test_a_closed_camera_offers_to_start(qtbot, view: CameraView) -> None:
    view.set_closed_words("Show your face", "Nothing is recorded.", "Start")
    assert view._card.accessibleName() == "Show your face"
    with qtbot.waitSignal(view.startWanted):
        QTest.mouseClick(view._card._action, Qt.MouseButton.LeftButton)


def test_capturing_analyses_the_newest_frame_thoroughly(qtbot, view: CameraView, feeds, fake_services) -> None:
    taken: list[Photo] = []
    assert not view.capture(taken.append)
    view.set_analysing(False)
    view.open("camera:0", 720)
    feeds[0].give(7)
    qtbot.waitUntil(lambda: view.frame is not None, timeout=WAIT)
    assert view.capture(taken.append)
    qtbot.waitUntil(lambda: bool(taken), timeout=WAIT)
    assert taken[0].frame.pixels[0, 0, 0] == 7
    view.set_outcome(Outcome.MATCH)
    view.grab()


def newest(view: CameraView) -> int:
    return int(view.frame.pixels[0, 0, 0])


def test_a_failing_analysis_is_told_once(qtbot, view: CameraView, feeds, fake_services, bridge, monkeypatch) -> None:
    def fail(frame: Frame) -> Photo:
        raise RuntimeError("broken")

    monkeypatch.setattr(fake_services, "analyse_live", fail)
    view.open("camera:0", 720)
    problems: list[object] = []
    bridge.failed.connect(lambda _owner, error: problems.append(error))
    for shade in (1, 2, 3):
        feeds[0].give(shade)
        qtbot.waitUntil(
            lambda shade=shade: view.frame is not None and view.frame.pixels[0, 0, 0] == shade, timeout=WAIT
        )
        qtbot.waitUntil(lambda: bool(problems), timeout=WAIT)
    assert len(problems) == 1


CAMERAS = (CameraInfo("camera:front", "Front camera"), CameraInfo("camera:desk", "Desk camera"))


@pytest.fixture
def bar(qtbot, fake_services, bridge: Bridge) -> CameraBar:
    bar = CameraBar(fake_services, bridge, find=lambda: CAMERAS)
    qtbot.addWidget(bar)
    return bar


def test_cameras_are_listed_by_name_and_the_last_one_is_chosen(qtbot, bar: CameraBar, fake_services) -> None:
    assert bar.source == ""
    fake_services.change_settings(camera="camera:desk")
    done: list[bool] = []
    bar.refresh(lambda: done.append(True))
    qtbot.waitUntil(lambda: bool(done), timeout=WAIT)
    texts = [bar._sources.itemText(i) for i in range(bar._sources.count())]
    assert [t for t in texts if t] == ["Front camera", "Desk camera", "Video file…", "Network address…"]
    assert bar.source == "camera:desk"
    assert bar._sources.currentText() == "Desk camera"


def test_a_choice_is_told_and_remembered(qtbot, bar: CameraBar, fake_services) -> None:
    bar.refresh()
    qtbot.waitUntil(lambda: bool(bar.source), timeout=WAIT)
    with qtbot.waitSignal(bar.chosen) as told:
        bar._sources.activated.emit(1)
    assert told.args == ["camera:desk", 720]
    qtbot.waitUntil(lambda: fake_services.settings.camera == "camera:desk", timeout=WAIT)
    bar._heights.setCurrentIndex(bar._heights.findData(480))
    with qtbot.waitSignal(bar.chosen) as told:
        bar._heights.activated.emit(0)
    assert told.args == ["camera:desk", 480]
    qtbot.waitUntil(lambda: fake_services.settings.camera_height == 480, timeout=WAIT)


def test_cameras_plugged_in_and_out_are_noticed_and_the_choice_is_kept(qtbot, fake_services, bridge: Bridge) -> None:
    plugged: list[CameraInfo] = []

    def find() -> tuple[CameraInfo, ...]:
        time.sleep(0.03)  # some systems take longer than the pause between two looks
        return tuple(plugged)

    bar = CameraBar(fake_services, bridge, find=find)
    qtbot.addWidget(bar)
    bar._look.setInterval(10)
    bar.show()
    assert bar.source == ""
    plugged[:] = CAMERAS
    qtbot.waitUntil(lambda: bar.source == "camera:front", timeout=WAIT)
    plugged[:] = CAMERAS[1:]
    qtbot.waitUntil(lambda: bar._sources.itemText(0) == "Desk camera", timeout=WAIT)
    assert (bar.source, bar._sources.currentText()) == ("camera:front", "front")
    plugged[:] = CAMERAS
    qtbot.waitUntil(lambda: bar._sources.itemText(0) == "Front camera", timeout=WAIT)
    assert bar._sources.currentText() == "Front camera"
    bar.hide()
    assert not bar._look.isActive()


def test_a_password_in_an_address_is_neither_shown_nor_remembered(qtbot, bar: CameraBar, fake_services) -> None:
    from facegui.gui.widgets.camera_bar import _host

    address = "rtsp://ada:secret@10.0.0.2/stream"
    with qtbot.waitSignal(bar.chosen) as told:
        bar.choose(address, _host(address))
    assert told.args[0] == address
    assert bar._sources.currentText() == "rtsp://10.0.0.2/stream"
    assert fake_services.settings.camera == ""


def test_a_real_video_plays(qtbot, fake_services, bridge: Bridge, shared_data: Path) -> None:
    view = CameraView(fake_services, bridge)
    qtbot.addWidget(view, before_close_func=lambda view: view.close_feed())
    view.resize(400, 300)
    view.show()
    with qtbot.waitSignal(view.frameAnalysed, timeout=WAIT):
        view.open(str(shared_data / "video" / "d9.mp4"), 480)
    assert view.frame.height == 480
