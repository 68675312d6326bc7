"""Pictures of faces for lists: loaded off the UI thread, a bounded number kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from facegui.faces.types import Image
from facegui.gui import images
from facegui.gui.bridge import Bridge

__all__ = ["Thumbnails"]

_BATCH: Final = 24
_PENDING: Final = 400


class Thumbnails(QObject):
    """A bounded store of pixmaps, least recently used first out; the newest wish is loaded first.

    Signals
    -------
    loaded
        More pictures are there: repaint.
    """

    loaded = Signal()

    def __init__(
        self, bridge: Bridge, load: Callable[[Hashable], Image | QImage | None], capacity: int = 1000,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        """`load` is called in a worker thread and returns an RGB array, a QImage, or None."""
        super().__init__(parent)
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

    def clear(self) -> None:
        """Forget all."""
        self._generation += 1
        self._store.clear()
        self._wanted.clear()

    def _next(self) -> None:
        if self._busy or not self._wanted:
            return
        keys = [self._wanted.popitem()[0] for _ in range(min(_BATCH, len(self._wanted)))]
        self._busy = True
        generation = self._generation

        def work() -> list[tuple[Hashable, QImage | None]]:
            return [(key, self._picture(key)) for key in keys]

        def done(pictures: list[tuple[Hashable, QImage | None]]) -> None:
            self._busy = False
            if generation == self._generation:
                for key, image in pictures:
                    self._store[key] = None if image is None else QPixmap.fromImage(image)
                while len(self._store) > self._capacity:
                    self._store.popitem(last=False)
                self.loaded.emit()
            self._next()

        def failed(error: Exception) -> None:
            self._busy = False
            self._bridge.failed.emit(self.parent(), error)

        self._bridge.run(self, work, done, failed)

    def _picture(self, key: Hashable) -> QImage | None:
        picture = self._load(key)
        return picture if picture is None or isinstance(picture, QImage) else images.to_qimage(picture)
