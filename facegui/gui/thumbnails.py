"""Pictures of faces for lists: loaded off the UI thread, a bounded number kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPixmap

from facegui.faces.types import Image
from facegui.gui import images, theme
from facegui.gui.bridge import Bridge
from facegui.services.thumbnails import better_thumbnail, reduced, thumbnail

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Rough", "Thumbnails", "face_thumbnails"]

_BATCH: Final = 24
_PENDING: Final = 400
_BETTER_BATCH: Final = 4
_IN_VIEW: Final = 80
"""Pictures of which better ones are wanted at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Rough:
    """A picture that is there at once; a better one takes longer."""

    picture: Image


class Thumbnails(QObject):
    """A bounded store of pixmaps, least recently used first out; the newest wish is loaded first.

    Signals
    -------
    loaded
        More pictures are there: repaint.
    """

    loaded = Signal()

    def __init__(
        self, bridge: Bridge, load: Callable[[Hashable], Image | QImage | Rough | None], capacity: int = 1000,
        parent: QObject | None = None, *, better: Callable[[Hashable], Image | None] | None = None,
    ) -> None:  # fmt: skip
        """Make an empty store.

        Parameters
        ----------
        load : callable
            Called in a worker thread; returns an RGB array, a QImage, one that can be bettered (`Rough`), or None.
        better : callable, optional
            What takes longer than `load`, asked for pictures that stay in view: a picture to put in the place of the
            first one, or None. Called in a worker thread.
        """
        super().__init__(parent)
        self._better = better
        self._rough: OrderedDict[Hashable, None] = OrderedDict()
        self._improvable: set[Hashable] = set()
        self._bettering = False
        # Faces that are scrolled past are not worth the look into their photos.
        self._calm = QTimer(self, singleShot=True, interval=theme.time("calm"))
        self._calm.timeout.connect(self._next_better)
        self._bridge = bridge
        self._load = load
        self._capacity = capacity
        self._store: OrderedDict[Hashable, QPixmap | None] = OrderedDict()
        self._wanted: OrderedDict[Hashable, None] = OrderedDict()
        self._busy = False
        self._generation = 0

    def get(self, key: Hashable) -> QPixmap | None:
        """Return the picture, or None and have it loaded; None too for a face that has no picture."""
        if key in self._store:
            self._store.move_to_end(key)
            if key in self._improvable:
                self._rough[key] = None
                self._rough.move_to_end(key)
                if len(self._rough) > _IN_VIEW:
                    self._rough.popitem(last=False)
                self._calm.start()
            return self._store[key]
        self._wanted[key] = None
        self._wanted.move_to_end(key)
        if len(self._wanted) > _PENDING:
            self._wanted.popitem(last=False)
        self._next()
        return None

    def forget(self, key: Hashable) -> None:
        """Load this one anew when it is wanted."""
        self._store.pop(key, None)
        self._improvable.discard(key)

    def clear(self) -> None:
        """Forget all."""
        self._generation += 1
        self._store.clear()
        self._wanted.clear()
        self._rough.clear()
        self._improvable.clear()

    def _next(self) -> None:
        if self._busy or not self._wanted:
            return
        keys = [self._wanted.popitem()[0] for _ in range(min(_BATCH, len(self._wanted)))]
        self._busy = True
        generation = self._generation

        def work() -> list[tuple[Hashable, QImage | None, bool]]:
            return [(key, *self._picture(key)) for key in keys]

        def done(pictures: list[tuple[Hashable, QImage | None, bool]]) -> None:
            self._busy = False
            if generation == self._generation:
                for key, image, rough in pictures:
                    self._store[key] = None if image is None else QPixmap.fromImage(image)
                    if rough and self._better is not None:
                        self._improvable.add(key)
                while len(self._store) > self._capacity:
                    self._improvable.discard(self._store.popitem(last=False)[0])
                self.loaded.emit()
            self._next()

        def failed(error: Exception) -> None:
            self._busy = False
            self._bridge.failed.emit(self.parent(), error)

        self._bridge.run(self, work, done, failed)

    def _next_better(self) -> None:
        if self._bettering or not self._rough or self._better is None:
            return
        keys = [self._rough.popitem()[0] for _ in range(min(_BETTER_BATCH, len(self._rough)))]
        self._improvable.difference_update(keys)
        self._bettering = True
        generation, better = self._generation, self._better

        def work() -> list[tuple[Hashable, QImage]]:
            made = ((key, better(key)) for key in keys)
            return [(key, images.to_qimage(picture)) for key, picture in made if picture is not None]

        def done(pictures: list[tuple[Hashable, QImage]]) -> None:
            self._bettering = False
            if generation == self._generation:
                for key, image in pictures:
                    if key in self._store:
                        self._store[key] = QPixmap.fromImage(image)
                if pictures:
                    self.loaded.emit()
            self._next_better()

        def failed(_error: Exception) -> None:
            # The first picture is there; whatever keeps it from being read again is told where it is asked for.
            self._bettering = False
            self._next_better()

        self._bridge.run(self, work, done, failed)

    def _picture(self, key: Hashable) -> tuple[QImage | None, bool]:
        loaded = self._load(key)
        rough = isinstance(loaded, Rough)
        picture = loaded.picture if isinstance(loaded, Rough) else loaded
        return picture if picture is None or isinstance(picture, QImage) else images.to_qimage(picture), rough


def face_thumbnails(
    services: Services, bridge: Bridge, parent: QObject, others: Callable[[Hashable], Image | None] | None = None
) -> Thumbnails:
    """Return the thumbnails of stored faces by their id; `others` gives pictures that come before them."""
    # No larger than the largest tile on the finest screen: every picture is drawn again at each step of scrolling.
    density = max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
    side = ceil(theme.size("tile") * density)

    def load(key: Hashable) -> Image | Rough | None:
        other = others(key) if others is not None else None
        if other is not None or not isinstance(key, int):
            return other
        found = thumbnail(services, key)
        if found is None:
            return None
        picture = reduced(found[0], side)
        return picture if found[1] else Rough(picture)

    def better(key: Hashable) -> Image | None:
        assert isinstance(key, int)
        picture = better_thumbnail(services, key)
        return reduced(picture, side) if picture is not None else None

    return Thumbnails(bridge, load, parent=parent, better=better)
