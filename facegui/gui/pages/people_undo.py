"""What Ctrl+Z takes back after the offer to undo is gone: change after change, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer

from facegui.gui import theme

__all__ = ["UndoStack"]

Act = Callable[[], object]


@dataclass(eq=False)
class _Entry:
    """A change; without `act` it cannot be taken back any more."""

    act: Act | None


class UndoStack(QObject):
    """The changes of this session in their order."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._entries: list[_Entry] = []

    def put(self, act: Act, *, lasting: bool = True) -> Act:
        """Note a change; return what takes it back.

        Parameters
        ----------
        lasting : bool
            False for what deletes something: it is gone for good when the offer to undo is.
        """
        entry = _Entry(act)
        self._entries.append(entry)
        if not lasting:
            QTimer.singleShot(theme.time("undo"), self, lambda: setattr(entry, "act", None))

        def take_back() -> None:
            if entry in self._entries:
                self._entries.remove(entry)
            act()

        return take_back

    def clear(self) -> None:
        """Forget all changes with what they hold."""
        self._entries.clear()

    def undo(self, otherwise: Act, refused: Act) -> None:
        """Take the newest change back; `otherwise` where this session has none, `refused` where it is too late."""
        if not self._entries:
            otherwise()
            return
        (self._entries.pop().act or refused)()
