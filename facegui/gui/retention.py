"""Erases evidence that is too old: when the window opens, when the settings change, and once a day."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.bridge import Bridge

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Retention"]

logger = logging.getLogger(__name__)


class Retention(QObject):
    """Looks now and then; a window may stay open for weeks.

    Signals
    -------
    erased
        Evidence of some decisions was erased.
    """

    erased = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._daily = QTimer(self, interval=theme.time("day"))
        self._daily.timeout.connect(self.look)

    def look(self) -> None:
        """Erase what is too old now, in the background, and look again in a day."""
        from facegui.services.retention import erase_old_evidence  # loads the database, which must not delay the window

        self._daily.start()
        self._bridge.run(
            self, lambda: erase_old_evidence(self._services), self._done, self._failed, lane="write", newest="retention"
        )

    def _done(self, count: int) -> None:
        if count:
            self.erased.emit()

    def _failed(self, error: Exception) -> None:
        # A gallery that cannot be opened is told by whatever shows it; tomorrow is another day.
        logger.warning("Old evidence could not be erased: %s", error, exc_info=not isinstance(error, KnownError))
