"""What the gallery knows of faces, for lists: read off the UI thread when a row is shown, a bounded number kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from facegui.gallery.records import FaceRecord
from facegui.gui.bridge import Bridge

__all__ = ["FaceRecords"]

_BATCH: Final = 200
_KEPT: Final = 20_000


class FaceRecords(QObject):
    """A bounded store of face records, least recently used first out; wishes of one moment are read together.

    Signals
    -------
    loaded
        More records are there: repaint.
    """

    loaded = Signal()

    def __init__(self, bridge: Bridge, load: Callable[[Sequence[int]], Iterable[FaceRecord]], parent: QObject) -> None:
        """`load` is called in a worker thread."""
        super().__init__(parent)
        self._bridge = bridge
        self._load = load
        self._store: OrderedDict[int, FaceRecord | None] = OrderedDict()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._busy = False
        self._generation = 0
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._next)

    def get(self, face_id: int) -> FaceRecord | None:
        """Return a record, or None and have it read; None too for a face that is no longer there."""
        if face_id in self._store:
            self._store.move_to_end(face_id)
            return self._store[face_id]
        self._wanted[face_id] = None
        self._wanted.move_to_end(face_id)
        if len(self._wanted) > 2 * _BATCH:
            self._wanted.popitem(last=False)
        if not self._busy and not self._timer.isActive():
            self._timer.start()
        return None

    def clear(self) -> None:
        """Forget all: the gallery changed."""
        self._generation += 1
        self._store.clear()
        self._wanted.clear()

    def _next(self) -> None:
        if self._busy or not self._wanted:
            return
        ids = [self._wanted.popitem()[0] for _ in range(min(_BATCH, len(self._wanted)))]
        self._busy, generation = True, self._generation

        def done(records: list[FaceRecord]) -> None:
            self._busy = False
            if generation == self._generation:
                found = {record.face_id: record for record in records}
                self._store.update((face_id, found.get(face_id)) for face_id in ids)
                while len(self._store) > _KEPT:
                    self._store.popitem(last=False)
                self.loaded.emit()
            self._next()

        def failed(error: Exception) -> None:
            self._busy = False
            self._bridge.failed.emit(self.parent(), error)

        self._bridge.run(self, lambda: list(self._load(ids)), done, failed)
