"""Live video: pace, newest frame, loss and return of a device, closing, sources and their names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import cv2_enumerate_cameras
import numpy as np
import pytest
from sample_pictures import PICTURE

from facegui.errors import KnownError
from facegui.services import Services, live
from facegui.settings import Settings
from facegui.sources import camera, devices
from facegui.sources.camera import CameraFeed, FeedState, frames, list_cameras
from facegui.sources.devices import SourceKind, VideoSource, parse_source

RATE, COUNT = 30, 15
PATIENCE = 10.0


def video_frame(number: int) -> np.ndarray:
    """The picture, RGB, with a bar at its left that grows brighter with the number."""
    pixels = PICTURE.copy()
    pixels[:, :40] = number * 10
    return pixels


def number_of(pixels: np.ndarray) -> int:
    return round(float(pixels[:, : pixels.shape[1] // 6].mean()) / 10)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "astronaut.avi"
    height, width = PICTURE.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (width, height))
    for number in range(COUNT):
        writer.write(cv2.cvtColor(video_frame(number), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


class Watch:
    """Waits until a feed is as it should be, woken by the feed itself."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        self._changed.set()

    def until(self, holds: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self._changed.clear()
            if holds():
                return
            assert self._changed.wait(max(0.0, deadline - time.monotonic())), "it did not happen in time"


class Device:
    """A camera that a test can unplug, or make hang."""

    def __init__(self) -> None:
        self.plugged = True
        self.hangs = False
        self.answer = threading.Event()
        self.opened = self.released = self.sent = 0
        self._pace = threading.Event()

    def open(self, source: VideoSource, height: int) -> Device:
        self.opened += 1
        if not self.plugged:
            raise KnownError("The camera cannot be used.", "It is not connected.", "Connect it.")
        return self

    def read(self) -> tuple[bool, Any]:
        if self.hangs:
            self.answer.wait(PATIENCE)
        self._pace.wait(0.005)
        self.sent += self.plugged
        return self.plugged, PICTURE[:, :, ::-1].copy() if self.plugged else None

    def grab(self) -> bool:
        return self.plugged

    def get(self, prop: int, /) -> float:
        return 0.0

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.answer.set()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_RETRY_SECONDS", (0.01, 0.02))


def is_in(feed: CameraFeed, state: FeedState) -> Callable[[], bool]:
    return lambda: feed.status.state is state


def test_a_video_plays_at_its_own_pace_and_ends(video: Path) -> None:
    watch = Watch()
    seen: dict[int, float] = {}
    began = time.monotonic()
    with CameraFeed(video, loop=False, on_change=watch) as feed:
        after = 0
        while feed.status.state is not FeedState.ENDED and time.monotonic() - began < PATIENCE:
            newer = feed.wait(after, 0.1)
            if newer is None:
                continue
            after, frame = newer
            seen[number_of(frame.pixels)] = frame.time
        assert time.monotonic() - began >= (COUNT - 1) / RATE
        assert feed.status.state is FeedState.ENDED
        assert "has ended" in feed.status.message
        last = feed.latest()
        assert last is not None, "the last picture stays"
        seen[number_of(last[1].pixels)] = last[1].time
    assert all(stamp == pytest.approx(number / RATE, abs=1e-3) for number, stamp in seen.items())
    assert max(seen) == COUNT - 1
    assert watch.calls > len(seen)


def test_frames_are_rgb_contiguous_and_not_mirrored(video: Path) -> None:
    with CameraFeed(video) as feed:
        newer = feed.wait(0, PATIENCE)
    assert newer is not None
    frame = newer[1]
    assert frame.pixels.dtype == np.uint8
    assert frame.pixels.flags.c_contiguous
    assert (frame.source, frame.scale) == ("astronaut.avi", 1.0)
    expected = video_frame(number_of(frame.pixels))
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 8


def test_only_the_newest_frame_is_handed_out(device: Device) -> None:
    watch = Watch()
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(lambda: device.sent >= 10)
        newer = feed.wait(0, PATIENCE)
        assert newer is not None
        assert newer[0] >= 9
        assert feed.latest(newer[0] + 1000) is None
        assert feed.wait(newer[0] + 1000, 0.01) is None


def test_a_video_loops_and_its_time_goes_on(video: Path) -> None:
    watch = Watch()
    times: list[float] = []
    with CameraFeed(video, on_change=watch) as feed:

        def second_round() -> bool:
            newer = feed.latest()
            if newer is not None:
                times.append(newer[1].time)
            return bool(times) and times[-1] > (COUNT + 2) / RATE

        watch.until(second_round)
        assert feed.status.state is FeedState.LIVE
    assert times == sorted(times)


def test_rate_and_size_are_measured(video: Path) -> None:
    watch = Watch()
    with CameraFeed(video, on_change=watch) as feed:
        watch.until(lambda: (feed.latest() or (0,))[0] >= COUNT - 2)
        status = feed.status
    assert status.state is FeedState.LIVE
    assert status.message == ""
    assert status.size == (PICTURE.shape[1], PICTURE.shape[0])
    assert RATE * 0.2 < status.fps < RATE * 1.5


def test_large_frames_of_files_are_reduced_to_the_height(video: Path) -> None:
    with CameraFeed(video, height=100) as feed:
        newer = feed.wait(0, PATIENCE)
    assert newer is not None
    frame = newer[1]
    assert (frame.width, frame.height) == (100, 120)
    assert (frame.scale, frame.original_size) == (0.5, (200, 240))


def test_an_ended_video_plays_again_on_retry(video: Path) -> None:
    watch = Watch()
    with CameraFeed(video, loop=False, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.ENDED))
        last = feed.latest()
        assert last is not None
        feed.retry()
        newer = feed.wait(last[0], PATIENCE)
        assert newer is not None
        assert newer[1].time < last[1].time


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "folder"),
        (lambda path: path.write_bytes(b""), "not a video"),
        (lambda path: path.write_text("words\n" * 100), "not a video"),
    ],
)
def test_what_cannot_be_played_says_why(make: Callable[[Path], Any], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    make(path)
    watch = Watch()
    with CameraFeed(path, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.FAILED))
        assert "The video talk.mp4 cannot be played." in feed.status.message
        assert reason in feed.status.message
        assert feed.latest() is None
    with pytest.raises(KnownError, match=reason):
        next(frames(path))


def test_a_file_that_appears_later_plays_on_retry(video: Path, tmp_path: Path) -> None:
    watch = Watch()
    with CameraFeed(tmp_path / "late.avi", on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.FAILED))
        shutil.copy(video, tmp_path / "late.avi")
        feed.retry()
        watch.until(is_in(feed, FeedState.LIVE))


def test_an_unplugged_camera_is_lost_and_comes_back_by_itself(device: Device) -> None:
    watch = Watch()
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.LIVE))
        device.plugged = False
        watch.until(is_in(feed, FeedState.LOST))
        assert feed.latest() is None, "an old picture must not pass for a live one"
        assert feed.status.message
        assert feed.status.fps == 0
        watch.until(lambda: device.opened > 2)
        device.plugged = True
        watch.until(is_in(feed, FeedState.LIVE))
        assert feed.wait(0, PATIENCE) is not None
    assert feed.status.state is FeedState.CLOSED
    assert device.released == 2


def test_a_camera_that_is_absent_at_first_is_failed_and_found_when_it_comes(device: Device) -> None:
    device.plugged = False
    watch = Watch()
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.FAILED))
        assert feed.status.message == "The camera cannot be used. It is not connected. Connect it."
        device.plugged = True
        watch.until(is_in(feed, FeedState.LIVE))


def test_retry_does_not_wait_for_the_next_attempt(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_RETRY_SECONDS", (3600.0,))
    device.plugged = False
    watch = Watch()
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.FAILED))
        device.plugged = True
        feed.retry()
        watch.until(is_in(feed, FeedState.LIVE))


def test_a_camera_that_opens_but_sends_nothing_says_so(device: Device) -> None:
    watch = Watch()
    device.read = lambda: (False, None)  # type: ignore[method-assign]
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.FAILED))
        assert "sends no pictures" in feed.status.message


def test_single_bad_pictures_are_passed_over(device: Device) -> None:
    good, calls = device.read, iter(range(10**9))
    device.read = lambda: (False, None) if next(calls) % 3 else good()  # type: ignore[method-assign]
    watch = Watch()
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(lambda: device.sent >= 5)
        assert feed.status.state is FeedState.LIVE
    assert device.opened == 1


def test_an_unexpected_error_of_a_driver_is_reported_and_tried_again(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    good = device.read

    def fail() -> tuple[bool, Any]:
        device.read = good  # type: ignore[method-assign]
        raise RuntimeError("driver")

    device.read = fail  # type: ignore[method-assign]
    watch = Watch()
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.LIVE))
    assert "failed" in caplog.text


def test_closing_is_immediate_while_waiting_to_retry(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_RETRY_SECONDS", (3600.0,))
    device.plugged = False
    watch = Watch()
    feed = CameraFeed("0", opener=device.open, on_change=watch)
    watch.until(is_in(feed, FeedState.FAILED))
    began = time.monotonic()
    feed.close()
    feed.close()
    assert time.monotonic() - began < 1
    assert feed.status.state is FeedState.CLOSED
    feed.retry()
    assert feed.wait(0, PATIENCE) is None, "waiting for a closed feed ends at once"


def test_closing_wakes_those_who_wait(device: Device) -> None:
    feed = CameraFeed("0", opener=device.open)
    results: list[object] = []
    waiting = threading.Thread(target=lambda: results.append(feed.wait(10**9, 60)))
    waiting.start()
    feed.close()
    waiting.join(PATIENCE)
    assert results == [None]


def test_a_hanging_driver_does_not_hold_up_closing(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_CLOSE_SECONDS", 0.1)
    watch = Watch()
    feed = CameraFeed("0", opener=device.open, on_change=watch)
    watch.until(is_in(feed, FeedState.LIVE))
    device.hangs = True
    began = time.monotonic()
    feed.close()
    assert time.monotonic() - began < 1
    calls = watch.calls
    device.answer.set()
    feed._thread.join(PATIENCE)
    assert device.released == 1
    assert feed.latest() is None
    assert watch.calls == calls, "a closed feed reports nothing more"


def test_a_hanging_camera_is_lost_and_retry_opens_it_anew(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    with CameraFeed("0", opener=device.open, on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.LIVE))
        device.hangs = True
        first = feed._thread
        monkeypatch.setattr(camera, "_STALLED_SECONDS", -1.0)
        assert feed.status.state is FeedState.LOST
        assert feed.latest() is None
        feed.retry()
        monkeypatch.setattr(camera, "_STALLED_SECONDS", PATIENCE)
        assert feed.status.state is FeedState.OPENING
        device.hangs = False
        device.answer.set()
        watch.until(is_in(feed, FeedState.LIVE))
        first.join(PATIENCE)
        assert device.opened == 2


def test_a_camera_that_never_answers_is_reported(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_OPENING_SECONDS", -1.0)
    monkeypatch.setattr(camera, "_CLOSE_SECONDS", 0.1)
    device.hangs = True
    with CameraFeed("0", opener=device.open) as feed:
        assert feed.status.state is FeedState.FAILED
        assert "does not answer" in feed.status.message


def test_a_failing_listener_does_not_end_the_video(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("listener")

    with CameraFeed("0", opener=device.open, on_change=fail) as feed:
        newer = feed.wait(0, PATIENCE)
        assert newer is not None
        assert feed.wait(newer[0], PATIENCE) is not None
    assert "a listener of camera 0 failed" in caplog.text


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        (3, SourceKind.DEVICE, "camera 3"),
        ("0", SourceKind.DEVICE, "camera 0"),
        ("camera:046d-0825-HD Webcam", SourceKind.DEVICE, "HD Webcam"),
        ("camera:Built-in", SourceKind.DEVICE, "Built-in"),
        ("rtsp://anna:geheim@cam.local:554/live?token=abc", SourceKind.STREAM, "rtsp://cam.local:554"),
        ("https://[::1]:8080/video", SourceKind.STREAM, "https://[::1]:8080"),
        ("http://anna:geheim@host:port/x", SourceKind.STREAM, "http://"),
        ("/videos/talk.mp4", SourceKind.FILE, "talk.mp4"),
    ],
)
def test_sources_are_told_apart_and_named_without_secrets(text: str | int, kind: SourceKind, name: str) -> None:
    source = parse_source(text)
    assert (source.kind, source.name) == (kind, name)
    assert "geheim" not in repr(source)
    assert "abc" not in repr(source)


def test_a_stream_that_does_not_answer_fails_without_showing_its_password() -> None:
    watch = Watch()
    with CameraFeed("http://anna:geheim@127.0.0.1:9/video", on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.FAILED))
        assert feed.status.message.startswith("The stream at http://127.0.0.1:9 cannot be opened.")
        assert "geheim" not in feed.status.message


def test_a_camera_that_is_not_connected_says_so() -> None:
    watch = Watch()
    with CameraFeed("camera:0000-0000-No such camera", on_change=watch) as feed:
        watch.until(is_in(feed, FeedState.FAILED))
        assert "The camera No such camera cannot be used. It is not connected." in feed.status.message


def test_cameras_are_listed_by_name_and_twins_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        SimpleNamespace(index=2, name="Twin", vid=0x46D, pid=0x825, backend=200),
        SimpleNamespace(index=0, name="Twin", vid=0x46D, pid=0x825, backend=200),
        SimpleNamespace(index=1, name=None, vid=None, pid=None, backend=200),
    ]
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", lambda backend: found)
    cameras = list_cameras()
    assert [info.name for info in cameras] == ["Twin", "Camera 1", "Twin (2)"]
    assert len({info.id for info in cameras}) == 3
    assert parse_source(cameras[0].id).name == "Twin"


def test_listing_cameras_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(list_cameras(), tuple)

    def fail(backend: int) -> list[object]:
        raise OSError("no driver")

    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", fail)
    assert list_cameras() == ()


def test_frames_reads_all_or_every_nth_with_their_times(video: Path) -> None:
    everything = list(frames(video))
    assert [number_of(frame.pixels) for frame in everything] == list(range(COUNT))
    assert [frame.time for frame in everything] == pytest.approx([n / RATE for n in range(COUNT)], abs=1e-3)
    some = list(frames(video, every=4, height=60))
    assert [frame.time for frame in some] == pytest.approx([n / RATE for n in range(0, COUNT, 4)], abs=1e-3)
    assert {frame.width for frame in some} == {60}


@pytest.mark.parametrize("name", ["名前 😀.avi", "100%d of #1?.avi", "-dash.avi"])
def test_any_name_of_a_video_plays(name: str, video: Path, tmp_path: Path) -> None:
    shutil.copy(video, tmp_path / name)
    assert next(frames(tmp_path / name)).source == name


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist there")
def test_a_name_that_is_no_text_plays(video: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"latin1_\xe9\n.avi")
    shutil.copy(video, path)
    assert len(list(frames(path))) == COUNT


def test_a_damaged_video_leaves_the_terminal_alone(video: Path, tmp_path: Path) -> None:
    data = bytearray(video.read_bytes())
    data[3000:30000:7] = bytes(len(data[3000:30000:7]))
    (tmp_path / "hurt.avi").write_bytes(data)
    program = (
        "import sys\nfrom facegui.errors import KnownError\nfrom facegui.sources.camera import frames\n"
        "try: print(len(list(frames(sys.argv[1]))))\nexcept KnownError: print('known')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "hurt.avi")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip()
    assert done.stderr == ""


def test_a_real_recording_plays_like_a_webcam(shared_data: Path) -> None:
    recording = shared_data / "video" / "d9.mp4"
    assert len(list(frames(recording, every=50))) == 12
    watch = Watch()
    with CameraFeed(recording, on_change=watch) as feed:
        watch.until(lambda: (feed.latest() or (0,))[0] >= 20)
        assert feed.status.size == (512, 480)
        assert 5 < feed.status.fps < 45


def test_a_camera_is_asked_for_the_lines_and_the_rate_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[int, float] = {}
    shown = SimpleNamespace(
        isOpened=lambda: True, set=lambda prop, value: asked.update({prop: value}), release=lambda: None
    )
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: shown)
    monkeypatch.setattr(devices.Path, "exists", lambda _path: True)
    monkeypatch.setattr(devices.os, "access", lambda *_: True)
    devices.open_capture(replace(parse_source("0"), rate=15), 480)
    assert asked[cv2.CAP_PROP_FRAME_HEIGHT] == 480
    assert asked[cv2.CAP_PROP_FPS] == 15
    asked.clear()
    devices.open_capture(parse_source("0"), 480)
    assert cv2.CAP_PROP_FPS not in asked


def test_the_live_feed_takes_the_rate_of_the_settings(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CameraFeed", partial(CameraFeed, opener=device.open))
    with Services(settings=Settings(camera_rate=15)) as services, live.open_feed(services, "0") as feed:
        assert feed.source.rate == 15
