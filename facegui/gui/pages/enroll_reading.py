"""Photos on their way into the Enroll page: read and searched for faces off the UI thread."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtGui import QImage

from facegui.errors import KnownError
from facegui.faces.types import Face, Frame
from facegui.gui import images
from facegui.gui.bridge import Bridge, Task
from facegui.jobs import Job, Partial, Progress
from facegui.sources.files import photo_files, shown_name

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = [
    "PhotoReader",
    "Pictures",
    "Reading",
    "Sample",
    "Wanted",
    "find_photos",
    "load_picture",
    "read_photos",
    "without_pixels",
]

logger = logging.getLogger(__name__)
PASTED: Final = "clipboard"
PICTURES_KEPT: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A photo to read: a file, or a picture that was pasted."""

    number: int
    title: str
    source: Path | QImage


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was found in a photo.

    Attributes
    ----------
    wanted : Wanted
    frame : Frame or None
        Without its pixels; None when the photo could not be read.
    faces : tuple of Face
        Largest first, embedded.
    image : QImage or None
        The picture, for the view.
    problem : str
        Why there is no face to choose; empty when there is one.
    advice : str
        What to do about it, where that is known.
    """

    wanted: Wanted
    frame: Frame | None = None
    faces: tuple[Face, ...] = ()
    image: QImage | None = None
    problem: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A face chosen for the person; `number` is that of its photo or of its camera picture."""

    number: int
    title: str
    face: Face
    frame: Frame


def without_pixels(frame: Frame) -> Frame:
    """Return the frame with a picture of its size that takes no memory: a sample needs only where it came from."""
    return replace(frame, pixels=np.broadcast_to(np.zeros((1, 1, 3), np.uint8), frame.pixels.shape))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from photo_files(path)
        else:
            yield path


def find_photos(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return (name to show, path) of each photo; folders are searched.

    Raises
    ------
    KnownError
        There is none, or a folder is not there.
    """
    found = [(shown_name(path), path) for path in _files(paths)]
    if not found:
        raise KnownError(
            "No photos found.", "The folder holds none.", "Choose another folder, or the photos themselves."
        )
    return found


def _frame(services: Services, wanted: Wanted) -> Frame:
    if isinstance(wanted.source, QImage):
        return images.frame_from(wanted.source, PASTED)
    return services.read(wanted.source)


def read_one(services: Services, wanted: Wanted) -> Reading:
    """Read one photo and search it for faces; a photo that cannot be used says why.

    Raises
    ------
    KnownError
        A model is missing.
    """
    try:
        frame = _frame(services, wanted)
    except KnownError as error:
        return Reading(wanted, problem=_one_line(error.why or error.what), advice=error.do)
    try:
        photo = services.analyse(frame)
    except KnownError:  # a model is missing: it is not this photo's fault
        raise
    except Exception:
        logger.exception("%s could not be searched for faces", wanted.title)
        words = QCoreApplication.translate("Enroll", "Failed inside facegui; the log has the details.")
        return Reading(wanted, problem=words)
    problem = "" if photo.faces else QCoreApplication.translate("Enroll", "No face found")
    return Reading(wanted, without_pixels(photo.frame), photo.faces, images.to_qimage(photo.frame.pixels), problem)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def read_photos(services: Services, wanted: Sequence[Wanted]) -> Job[int]:
    """Read photos one after the other.

    Yields
    ------
    Progress or Partial of Reading
        One `Partial` for each photo, also for those that cannot be used.

    Returns
    -------
    int
        How many have a face.
    """
    good = 0
    yield Progress(0, len(wanted))
    for done, item in enumerate(wanted, start=1):
        reading = read_one(services, item)
        good += not reading.problem
        yield Partial(reading)
        yield Progress(done, len(wanted), item.title)
    return good


def load_picture(services: Services, wanted: Wanted) -> QImage:
    """Read a photo again, for the view alone."""
    if isinstance(wanted.source, QImage):
        return wanted.source
    return images.to_qimage(services.read(wanted.source).pixels)


class Pictures:
    """The pictures of the photos looked at last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, QImage] = OrderedDict()

    def keep(self, number: int, image: QImage) -> None:
        """Keep one, and forget the one that was not looked at for longest."""
        self._kept[number] = image
        self._kept.move_to_end(number)
        while len(self._kept) > PICTURES_KEPT:
            self._kept.popitem(last=False)

    def get(self, number: int) -> QImage | None:
        """Return the picture of a photo while it is kept."""
        return self._kept.get(number)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


class PhotoReader(QObject):
    """Finds and reads photos in the background, with progress in the status strip.

    Signals
    -------
    expected(list of Wanted)
        These are going to be read.
    arrived(Reading)
    given_up(list of Wanted)
        Reading these was cancelled or failed; some of them may have arrived.
    """

    expected = Signal(object)
    arrived = Signal(object)
    given_up = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, numbers: Callable[[], int], parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge, self._next = services, bridge, numbers
        self._tasks: list[Task] = []

    def open_files(self, paths: Sequence[Path]) -> None:
        """Read photos, and the photos in folders."""
        given = tuple(paths)

        def found(photos: list[tuple[str, Path]]) -> None:
            self._read([Wanted(self._next(), title, path) for title, path in photos])

        self._bridge.run(self, lambda: find_photos(given), found)

    def paste(self, image: QImage) -> None:
        """Read a picture from the clipboard."""
        self._read([Wanted(self._next(), self.tr("Pasted picture"), image)])

    @property
    def busy(self) -> bool:
        """Tell whether photos are being read."""
        return any(not task.finished and not task.cancelled for task in self._tasks)

    def cancel(self) -> None:
        """Stop reading; what was read stays."""
        for task in self._tasks:
            task.cancel()

    def _read(self, wanted: list[Wanted]) -> None:
        def failed(error: Exception) -> None:
            self.given_up.emit(wanted)
            self._bridge.failed.emit(self, error)

        self.expected.emit(wanted)
        title = self.tr("Reading {0}").format(wanted[0].title) if len(wanted) == 1 else self.tr("Reading photos")
        self._tasks = [task for task in self._tasks if not task.finished]
        self._tasks.append(
            self._bridge.start(
                self, read_photos(self._services, wanted), on_partial=self.arrived.emit, on_error=failed,
                on_cancelled=lambda: self.given_up.emit(wanted), title=title,
            )
        )  # fmt: skip
