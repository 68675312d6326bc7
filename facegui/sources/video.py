"""Video files, and the step from what OpenCV delivers to a frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from facegui.errors import KnownError
from facegui.faces.types import Frame
from facegui.sources.devices import Capture, SourceKind, VideoSource, open_capture
from facegui.sources.files import shown_name
from facegui.sources.opencv import quiet_opencv

__all__ = ["FileClock", "frames", "no_pictures", "to_frame"]

_USUAL_RATE = 25.0
"""Frames per second of a video file that does not say."""
_LONGEST_GAP = 10.0
"""Seconds between two frames; a time stamp that is further ahead is taken for damaged."""


class FileClock:
    """Times of the frames of a file: its own time stamps where they grow, its frame rate where they do not."""

    def __init__(self, capture: Capture) -> None:
        quiet_opencv()
        import cv2

        self._capture = capture
        self._position = cv2.CAP_PROP_POS_MSEC
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        self.step = 1 / (rate if np.isfinite(rate) and rate > 0 else _USUAL_RATE)
        self.count = 0
        self.next = 0.0
        self._first = 0.0

    def advance(self) -> float:
        """Take note of one frame and return its time in seconds, 0 for the first."""
        stamp = float(self._capture.get(self._position)) / 1000
        if not self.count and np.isfinite(stamp):
            self._first = stamp
        gap = stamp - self._first - (self.next - self.step)
        now = stamp - self._first if self.count and 0 < gap <= _LONGEST_GAP else self.next
        self.count += 1
        self.next = now + self.step
        return now


def to_frame(picture: Any, source: VideoSource, height: int, seconds: float) -> Frame:
    """Make a frame of what OpenCV delivers (BGR or grey, uint8); `height` limits the short side, 0 does not."""
    import cv2

    code = cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB
    full = picture.shape[1], picture.shape[0]
    share = height / min(full) if height and source.kind is not SourceKind.DEVICE else 1.0
    if share < 1:
        size = round(full[0] * share), round(full[1] * share)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    pixels = np.ascontiguousarray(cv2.cvtColor(picture, code), np.uint8)
    return Frame(pixels, source=source.name, scale=max(pixels.shape[:2]) / max(full), original_size=full, time=seconds)


def no_pictures(source: VideoSource) -> KnownError:
    """Return the error for a video of which nothing could be read."""
    return KnownError(
        f"The video {source.name} cannot be played.",
        "No picture in it could be read.",
        "Copy it again, or convert it to MP4.",
    )


def frames(source: str | os.PathLike[str], every: int = 1, *, height: int = 0) -> Iterator[Frame]:
    """Read a video file from start to end, as fast as possible.

    Parameters
    ----------
    source : path
        The video file.
    every : int
        Take each `every`-th frame, beginning with the first.
    height : int
        Frames with a larger short side are reduced to it; 0 keeps the full size.

    Yields
    ------
    Frame
        RGB; `Frame.time` is the frame's time in the file in seconds.

    Raises
    ------
    KnownError
        There is no such file, or no picture in it could be read.
    """
    video = VideoSource(SourceKind.FILE, os.fspath(source), shown_name(source))
    capture = open_capture(video, height)
    try:
        clock = FileClock(capture)
        while True:
            wanted = clock.count % every == 0
            good, picture = capture.read() if wanted else (capture.grab(), None)
            if not good:
                break
            seconds = clock.advance()
            if picture is not None:
                yield to_frame(picture, video, height, seconds)
        if not clock.count:
            raise no_pictures(video)
    finally:
        capture.release()
