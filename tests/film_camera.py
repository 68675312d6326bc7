"""A camera that shows a film, can be unplugged, and serves one program at a time, as a webcam does."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2

from facegui.errors import KnownError
from facegui.sources.devices import VideoSource

__all__ = ["FilmCamera"]

_PACE = 1 / 30


class FilmCamera:
    """Stands in for the device alone; the program's own feed reads it.

    Parameters
    ----------
    film : Path
        Played again and again.
    """

    def __init__(self, film: Path) -> None:
        self.plugged = True
        self._film = film
        self._holder: _Open | None = None
        self._lock = threading.Lock()
        self._wait = threading.Event()

    def open(self, source: VideoSource, _height: int) -> _Open:
        """Open it, or say why not, as `facegui.sources.devices` does."""
        what = f"{source.camera} cannot be used."
        with self._lock:
            if not self.plugged:
                raise KnownError(what, "It is not connected.", "Connect it, or choose another camera.")
            if self._holder is not None:
                raise KnownError(
                    what, "Another program may be using it.", "Close that program, or reconnect the camera."
                )
            self._holder = _Open(self, cv2.VideoCapture(str(self._film)))
            return self._holder

    def let_go(self) -> None:
        with self._lock:
            self._holder = None

    def pause(self) -> None:
        self._wait.wait(_PACE)


class _Open:
    def __init__(self, camera: FilmCamera, film: cv2.VideoCapture) -> None:
        self._camera, self._film = camera, film

    def read(self) -> tuple[bool, Any]:
        self._camera.pause()
        if not self._camera.plugged:
            return False, None
        good, picture = self._film.read()
        if not good:
            self._film.set(cv2.CAP_PROP_POS_FRAMES, 0)
            good, picture = self._film.read()
        return good, picture

    def grab(self) -> bool:
        return self.read()[0]

    def get(self, _prop: int, /) -> float:
        return 0.0

    def release(self) -> None:
        self._film.release()
        self._camera.let_go()
