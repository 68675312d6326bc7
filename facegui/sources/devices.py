"""Cameras by name, and what a source of video can be: a camera, a network stream or a video file."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from facegui.errors import KnownError
from facegui.sources.files import shown_name
from facegui.sources.opencv import quiet_opencv

__all__ = ["CameraInfo", "Capture", "SourceKind", "VideoSource", "list_cameras", "open_capture", "parse_source"]

_log = logging.getLogger(__name__)

_CAMERA = "camera:"
_STREAMS = {"rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt"}
_TIMEOUT_MS = 5000
"""How long a network stream may take to open, or to send its next picture."""


@dataclass(frozen=True)
class CameraInfo:
    """A camera of this computer.

    Attributes
    ----------
    id : str
        Names it in `facegui.sources.camera.CameraFeed` and in the settings. It is made of the device's name and
        USB numbers, so it outlives unplugging and a restart.
    name : str
        What a person reads.
    """

    id: str
    name: str


class SourceKind(StrEnum):
    """Where video comes from."""

    DEVICE = "camera"
    STREAM = "stream"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class VideoSource:
    """A source of video.

    Attributes
    ----------
    kind : SourceKind
    address : str
        Camera id or number, address of a stream, or path of a file. An address may hold a password.
    name : str
        What may be shown and stored: never a password.
    rate : int
        Pictures a second that a camera is asked for; 0 leaves it as it is.
    """

    kind: SourceKind
    address: str
    name: str
    rate: int = 0

    @property
    def camera(self) -> str:
        """The beginning of a sentence about a camera: its name, which may be "camera 0" already."""
        return f"The {self.name}" if self.name.casefold().startswith("camera") else f"The camera {self.name}"

    def __repr__(self) -> str:
        return f"VideoSource({self.kind.value}: {self.name!r})"


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there is a next picture, and the picture (BGR uint8)."""

    def grab(self) -> bool:
        """Skip a picture; tell whether there was one."""

    def get(self, prop: int, /) -> float:
        """Return a property."""

    def release(self) -> None:
        """Close the device."""


def list_cameras() -> tuple[CameraInfo, ...]:
    """Return the cameras that are connected, in the system's order; none when they cannot be listed."""
    return tuple(info for info, _, _ in _connected())


def _connected() -> list[tuple[CameraInfo, int, int]]:
    """Return each camera with its number and backend in OpenCV."""
    try:
        quiet_opencv()
        from cv2_enumerate_cameras import enumerate_cameras

        found = sorted(enumerate_cameras(_backend()), key=lambda camera: int(camera.index))
    except Exception:  # an odd driver must not take the program down
        _log.warning("the cameras could not be listed", exc_info=True)
        return []
    counts: Counter[str] = Counter()
    cameras = []
    for camera in found:
        name = str(camera.name or "").strip() or f"Camera {camera.index}"
        usb = f"{camera.vid:04x}-{camera.pid:04x}-" if camera.vid and camera.pid else ""
        key = _CAMERA + usb + name
        counts[key] += 1
        if counts[key] > 1:
            name, key = f"{name} ({counts[key]})", f"{key}#{counts[key]}"
        cameras.append((CameraInfo(key, name), int(camera.index), int(camera.backend)))
    return cameras


def _backend() -> int:
    """Return the one backend that is asked on this system; asking all would list every camera twice."""
    import cv2

    chosen = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
    return chosen.get(sys.platform, cv2.CAP_V4L2)


def parse_source(source: str | int | os.PathLike[str]) -> VideoSource:
    """Tell what a source is from how it is written.

    Parameters
    ----------
    source : str, int or path
        Id of a `CameraInfo`, number of a camera, address (``rtsp://``, ``http://`` ...), or path of a video file.
    """
    text = str(source) if isinstance(source, int) else os.fspath(source)
    if text.startswith(_CAMERA):
        name = text.removeprefix(_CAMERA)
        vendor, product = name[:4], name[5:9]
        if name[4:5] == name[9:10] == "-" and set(vendor + product) <= set("0123456789abcdef"):
            name = name[10:]
        return VideoSource(SourceKind.DEVICE, text, name)
    if text.isdecimal():
        return VideoSource(SourceKind.DEVICE, text, f"camera {int(text)}")
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() in _STREAMS:
        return VideoSource(SourceKind.STREAM, text, _without_secrets(text))
    return VideoSource(SourceKind.FILE, text, shown_name(text))


def _without_secrets(address: str) -> str:
    """Return scheme, host and port alone; names, passwords and keys stand in every other part of an address."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return address.partition("://")[0] + "://"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def open_capture(source: VideoSource, height: int) -> Capture:
    """Open a source with OpenCV.

    Parameters
    ----------
    source : VideoSource
    height : int
        Lines wanted from a camera, which delivers what it has nearest to that.

    Raises
    ------
    KnownError
        There is no such camera or file, or it cannot be opened.
    """
    quiet_opencv()
    if source.kind is SourceKind.DEVICE:
        return _open_device(source, height)
    return _open_stream(source) if source.kind is SourceKind.STREAM else _open_file(source)


def _open_device(source: VideoSource, height: int) -> Capture:
    import cv2

    what = f"{source.camera} cannot be used."
    if source.address.isdecimal():
        index, backend = int(source.address), _backend()
    else:
        places = {info.id: (index, backend) for info, index, backend in _connected()}
        if source.address not in places:
            raise KnownError(what, "It is not connected.", "Connect it, or choose another camera.")
        index, backend = places[source.address]
    node = Path(f"/dev/video{index}")
    if sys.platform == "linux":
        if not node.exists():
            raise KnownError(what, "It is not connected.", "Connect it, or choose another camera.")
        if not os.access(node, os.R_OK | os.W_OK):
            raise KnownError(
                what, f"You are not allowed to open {node}.", "Add yourself to the group that owns it, often video."
            )
    capture = cv2.VideoCapture(index, backend)
    if not capture.isOpened():
        capture.release()
        raise KnownError(what, "Another program may be using it.", "Close that program, or reconnect the camera.")
    # Uncompressed pictures of this size do not fit through USB 2 at full rate, so the format comes first.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, round(height * 16 / 9))
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    if source.rate:
        capture.set(cv2.CAP_PROP_FPS, source.rate)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _open_stream(source: VideoSource) -> Capture:
    import cv2

    what = f"The stream at {source.name} cannot be opened."
    try:
        source.address.encode("ascii")
    except UnicodeEncodeError:
        raise KnownError(
            what, "Its address holds characters that addresses cannot have.", "Check the address."
        ) from None
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT_MS]
    capture = cv2.VideoCapture(source.address, cv2.CAP_FFMPEG, timeouts)
    if not capture.isOpened():
        capture.release()
        raise KnownError(
            what,
            "There was no answer, or it was not a video.",
            "Check the address, the name and password in it, and the network.",
        )
    return capture


def _open_file(source: VideoSource) -> Capture:
    import cv2

    path = Path(source.address)
    what = f"The video {source.name} cannot be played."
    try:
        if not path.is_file():
            reason = "It is a folder." if path.is_dir() else "There is no such file."
            raise KnownError(what, reason, "Choose a video file.")
        with path.open("rb") as file:
            # OpenCV crashes on a name with bytes that are no text; such a file is opened by its number instead.
            name = str(path.resolve())
            plain = name.isascii() or name.encode("utf-8", "replace").decode() == name
            capture = cv2.VideoCapture(name if plain else f"/dev/fd/{file.fileno()}", cv2.CAP_FFMPEG)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise KnownError(what, f"The system says: {reason}.", "Check its name and permissions.") from error
    if not capture.isOpened():
        capture.release()
        raise KnownError(what, "It is not a video, or of a kind that cannot be read.", "Convert it to MP4.")
    return capture
