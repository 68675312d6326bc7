"""Live video: the newest frame of a camera, a stream or a video file, from a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import TracebackType
from typing import Any

from facegui.errors import KnownError
from facegui.faces.types import Frame
from facegui.sources.devices import (
    CameraInfo,
    Capture,
    SourceKind,
    VideoSource,
    list_cameras,
    open_capture,
    parse_source,
)
from facegui.sources.picture import PictureFault, PictureLimits, PictureWatch
from facegui.sources.video import FileClock, frames, no_pictures, to_frame

__all__ = ["CameraFeed", "CameraInfo", "FeedState", "FeedStatus", "frames", "list_cameras"]

_log = logging.getLogger(__name__)

_RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""Waits before a lost source is tried again; the last one repeats."""
_BAD_READS = 3
"""So many pictures in a row that cannot be read mean that the source is lost."""
_STALLED_SECONDS = 5.0
"""A live source that sends nothing for so long is reported as lost, even while its driver still blocks."""
_OPENING_SECONDS = 10.0
"""A source that takes longer to open is reported as failed, even while its driver still blocks."""
_RATE_FRAMES = 30
_CLOSE_SECONDS = 2.0
_LATE_SECONDS = 0.5
"""A file that lags further behind its own pace plays on slower instead of skipping all its frames."""

Opener = Callable[[VideoSource, int], Capture]


class FeedState(StrEnum):
    """What a feed is doing."""

    OPENING = "opening"
    LIVE = "live"
    LOST = "lost"
    FAILED = "failed"
    ENDED = "ended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """State of a feed.

    Attributes
    ----------
    state : FeedState
        LOST follows LIVE, FAILED means that the source never delivered a picture. Cameras and streams are tried
        again by themselves in both; files are not.
    message : str
        What happened, why, and what to do; empty while all is well.
    fps : float
        Frames per second, measured over the last ones; 0 while unknown.
    size : tuple of int
        Width and height of the frames; (0, 0) before the first.
    fault : PictureFault or None
        What is wrong with the newest picture of a live source, where it is watched.
    warning : str
        The same in words, with what to do; empty while the picture is fine.
    """

    state: FeedState
    message: str = ""
    fps: float = 0.0
    size: tuple[int, int] = (0, 0)
    fault: PictureFault | None = None
    warning: str = ""


@dataclass(eq=False)
class _Run:
    """One life of the thread; a hung one is left behind and may no longer report."""

    stop: threading.Event = field(default_factory=threading.Event)
    wake: threading.Event = field(default_factory=threading.Event)


class CameraFeed:
    """The newest frame of a source of video.

    The source is opened and read in a thread; no method here waits for the device, except `wait`. Frames are RGB
    and never mirrored. A video file plays at its own pace and skips frames when it cannot keep up. Frames of files
    and streams whose short side exceeds `height` are reduced to it.

    Parameters
    ----------
    source : str, int or path
        Id of a `CameraInfo`, number of a camera, address of a stream, or path of a video file.
    height : int
        Lines wanted.
    rate : int
        Pictures a second wanted from a camera; 0 takes what comes.
    loop : bool
        Whether a video file starts again at its end; `Frame.time` then goes on growing.
    on_change : callable, optional
        Called, from the feed's thread, after each new frame and each change of status.
    opener : callable, optional
        Opens the source; tests pass a device that can be unplugged.
    picture : PictureLimits, optional
        Black, over-exposed and frozen pictures are told in the status when these limits are given.
    """

    def __init__(
        self,
        source: str | int | os.PathLike[str],
        *,
        height: int = 720,
        rate: int = 0,
        loop: bool = True,
        on_change: Callable[[], None] | None = None,
        opener: Opener = open_capture,
        picture: PictureLimits | None = None,
    ) -> None:
        self.source = replace(parse_source(source), rate=rate)
        self.on_change = on_change
        self._height = height
        self._loop = loop
        self._opener = opener
        self._picture = picture
        self._watch = PictureWatch(picture) if picture is not None else None
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._sequence = 0
        self._arrivals: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._start()

    def __enter__(self) -> CameraFeed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def status(self) -> FeedStatus:
        """State, message, measured rate and size.

        A device that hangs cannot call `on_change`; look here once a second to notice it.
        """
        with self._changed:
            status = self._status
            if status.state is FeedState.LIVE and self._stalled():
                return FeedStatus(FeedState.LOST, self._lost_message(), size=status.size)
            if status.state is FeedState.OPENING and self._stalled():
                return FeedStatus(
                    FeedState.FAILED,
                    f"{self.source.name} does not answer. Its driver or another program may hold it. Reconnect it.",
                )
            return replace(status, fps=self._rate()) if status.state is FeedState.LIVE else status

    def latest(self, after: int = 0) -> tuple[int, Frame] | None:
        """Return number and frame of the newest frame if its number is above `after`; never wait."""
        with self._changed:
            return self._newer(after)

    def wait(self, after: int, timeout: float) -> tuple[int, Frame] | None:
        """Wait up to `timeout` seconds for a frame whose number is above `after`; None if there is none.

        A feed that is closed returns at once.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._newer(after) is not None or self._status.state is FeedState.CLOSED, timeout
            )
            return self._newer(after)

    def retry(self) -> None:
        """Try to open a lost, failed or ended source at once."""
        with self._changed:
            run, state = self._run, self._status.state
            if state is FeedState.CLOSED:
                return
            if state in (FeedState.LIVE, FeedState.OPENING):
                if not self._stalled():
                    return
                run.stop.set()
                self._frame = None
                self._start()
        run.wake.set()

    def close(self) -> None:
        """Stop the thread and give the device back.

        Returns within two seconds. A driver that hangs longer is left to a daemon thread that reports nothing more.
        """
        with self._changed:
            self._status = FeedStatus(FeedState.CLOSED)
            self._frame = None
            run, thread = self._run, self._thread
            self._changed.notify_all()
        run.stop.set()
        run.wake.set()
        if thread is not threading.current_thread():
            thread.join(_CLOSE_SECONDS)
            if thread.is_alive():
                _log.warning("%s did not answer while it was closed", self.source.name)

    def _start(self) -> None:
        self._run = _Run()
        self._status = FeedStatus(FeedState.OPENING)
        self._opening_since = time.monotonic()
        self._thread = threading.Thread(
            target=self._work, args=(self._run,), name=f"camera feed {self.source.kind.value}", daemon=True
        )
        self._thread.start()

    def _newer(self, after: int) -> tuple[int, Frame] | None:
        if self._frame is None or self._sequence <= after or self._stalled():
            return None
        return self._sequence, self._frame

    def _stalled(self) -> bool:
        """Tell whether the thread waits for the device for too long."""
        if self._status.state is FeedState.OPENING:
            return time.monotonic() - self._opening_since > _OPENING_SECONDS
        if self._status.state is not FeedState.LIVE or self.source.kind is SourceKind.FILE:
            return False
        return time.monotonic() - self._arrivals[-1] > _STALLED_SECONDS

    def _rate(self) -> float:
        if len(self._arrivals) < 2:
            return 0.0
        return (len(self._arrivals) - 1) / max(self._arrivals[-1] - self._arrivals[0], 1e-6)

    def _lost_message(self) -> str:
        if self.source.kind is SourceKind.STREAM:
            return f"The stream at {self.source.name} has stopped. Check the network; it is tried again by itself."
        return (
            f"{self.source.camera} sends no more pictures. It was unplugged, or another program took it. "
            "Reconnect it; it is tried again by itself."
        )

    def _work(self, run: _Run) -> None:
        """Open, read, and after a loss open again, until the run is stopped."""
        began = time.monotonic()
        offset = 0.0
        attempts = 0
        while not run.stop.is_set():
            try:
                state, message, offset = self._session(run, began, offset)
                attempts = 0
                if state is FeedState.LIVE:  # a file that loops
                    continue
            except KnownError as problem:
                state, message = FeedState.LOST if self._sequence else FeedState.FAILED, str(problem)
            except Exception:  # the driver's or ours: the feed says so instead of freezing
                _log.exception("%s failed", self.source.name)
                state = FeedState.LOST if self._sequence else FeedState.FAILED
                message = f"{self.source.name} failed unexpectedly. The log has the details. Choose another source."
            if run.stop.is_set():
                return
            self._report(run, FeedStatus(state, message), keep_frame=state is FeedState.ENDED)
            again = None if self.source.kind is SourceKind.FILE else _RETRY_SECONDS[attempts]
            attempts = min(attempts + 1, len(_RETRY_SECONDS) - 1)
            if run.wake.wait(again):
                run.wake.clear()
                if not run.stop.is_set():
                    attempts, offset = 0, 0.0
                    self._report(run, FeedStatus(FeedState.OPENING))

    def _session(self, run: _Run, began: float, offset: float) -> tuple[FeedState, str, float]:
        """Read from opening to end or loss: (next state, message, time reached). LIVE means play it again."""
        capture = self._opener(self.source, self._height)
        try:
            if self.source.kind is not SourceKind.FILE:
                self._read_live(run, capture, began)
                return FeedState.LOST, self._lost_message(), 0.0
            reached = self._play_file(run, capture, offset)
            if self._loop:
                return FeedState.LIVE, "", reached
            return FeedState.ENDED, f"The video {self.source.name} has ended.", reached
        finally:
            capture.release()

    def _read_live(self, run: _Run, capture: Capture, began: float) -> None:
        bad = received = 0
        while not run.stop.is_set() and bad < _BAD_READS:
            good, picture = capture.read()
            if not good or picture is None:
                bad += 1
                continue
            bad = 0
            received += 1
            self._publish(run, picture, time.monotonic() - began)
        if not received and not run.stop.is_set():
            raise KnownError(
                f"{self.source.name} was opened, but sends no pictures.",
                "Another program may be using it, or a cover or switch turns it off.",
                "Check that; it is tried again by itself.",
            )

    def _play_file(self, run: _Run, capture: Capture, offset: float) -> float:
        """Play to the end at the file's own pace; return the time reached in seconds, loops added up."""
        began = time.monotonic()
        clock = FileClock(capture)
        while not run.stop.is_set():
            late = time.monotonic() - began - clock.next
            if late > _LATE_SECONDS:
                began, late = began + late, 0.0
            if clock.count and late > clock.step:
                if not capture.grab():
                    break
                clock.advance()
                continue
            good, picture = capture.read()
            if not good or picture is None:
                break
            now = clock.advance()
            if run.stop.wait(max(0.0, began + now - time.monotonic())):
                break
            self._publish(run, picture, offset + now)
        if not clock.count and not run.stop.is_set():
            raise no_pictures(self.source)
        return offset + clock.next

    def _publish(self, run: _Run, picture: Any, seconds: float) -> None:
        frame = to_frame(picture, self.source, self._height, seconds)
        fault = self._watch.add(frame.pixels, time.monotonic()) if self._watch is not None else None
        warning = self._picture.words(fault) if self._picture is not None else ""
        with self._changed:
            if run is not self._run or self._status.state is FeedState.CLOSED:
                return
            if self._status.state is not FeedState.LIVE:
                self._arrivals.clear()
            self._arrivals.append(time.monotonic())
            self._sequence += 1
            self._frame = frame
            self._status = FeedStatus(FeedState.LIVE, size=(frame.width, frame.height), fault=fault, warning=warning)
            self._changed.notify_all()
        self._tell()

    def _report(self, run: _Run, status: FeedStatus, *, keep_frame: bool = False) -> None:
        with self._changed:
            if run is not self._run or self._status.state is FeedState.CLOSED:
                return
            if not keep_frame:
                self._frame = None  # a picture from before the loss must not pass for a live one
            if status.state is FeedState.OPENING:
                self._opening_since = time.monotonic()
            self._status = replace(status, size=self._status.size)
            self._changed.notify_all()
        self._tell()

    def _tell(self) -> None:
        if self.on_change is None:
            return
        try:
            self.on_change()
        except Exception:  # the listener's mistake must not end the video
            _log.exception("a listener of %s failed", self.source.name)
