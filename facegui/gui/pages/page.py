"""What all pages have in common: title, main action, inspector, and the standard states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QProgressBar, QStackedWidget, QWidget

from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.error_card import ErrorCard
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import card, column, label

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Page", "State", "StateWords"]


class State(StrEnum):
    """How a page is. The first three show the content, all others a card in its place."""

    READY = "ready"
    WORKING = "working"
    READ_ONLY = "read-only gallery"
    EMPTY = "empty"
    FIRST_USE = "first use"
    NOTHING_FOUND = "nothing found"
    ERROR = "error"
    CAMERA_GONE = "camera gone"
    MODEL_MISSING = "model missing"
    LOCKED = "locked gallery"


CONTENT_STATES = (State.READY, State.WORKING, State.READ_ONLY)


@dataclass(frozen=True, slots=True)
class StateWords:
    """What a card says: drawing (an icon's name), title, text, words of the action and what it does."""

    drawing: str
    title: str
    text: str
    action: str = ""
    on_action: Callable[[], object] | None = None


class Page(QWidget):
    """Base of the pages. A subclass fills `content`, sets `primary_action` and, if it has one, `inspector`.

    Attributes
    ----------
    name, icon : str
        Of the class: name in the rail and in the remembered state; icon in assets/icons.
    services : Services
    bridge : Bridge
        Run everything that may take more than a moment through it, with the page as owner.
    content : QWidget
        Empty; the subclass gives it a layout.
    primary_action : QAction or None
        Shown as the button at the right of the title.
    inspector : InspectorPanel or None
        Shown at the right of the window.

    Signals
    -------
    navigate(str, object)
        Open another page, and hand it a value (`receive`).
    undo_ended
        What was changed until now, on any page, can no longer be taken back.
    undo_offered(str, object)
        A change was made: words and a callable that takes it back.
    gallery_changed
        The gallery differs now: counts are read anew, the other pages get `refresh`.
    settings_changed
        Settings were saved: the theme is applied, the other pages get `refresh`.
    """

    name: ClassVar[str] = ""
    icon: ClassVar[str] = "face"

    navigate = Signal(str, object)
    undo_offered = Signal(str, object)
    undo_ended = Signal()
    gallery_changed = Signal()
    settings_changed = Signal()

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.bridge = bridge
        self.primary_action: QAction | None = None
        self.inspector: InspectorPanel | None = None
        self.setObjectName("page")
        self.content = QWidget()
        self._state = State.READY
        self._words: dict[State, StateWords] = {}
        self._empty = EmptyState()
        self._empty.activated.connect(self._act)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.content)
        self._stack.addWidget(self._empty)
        self._error = ErrorCard()
        self._read_only = card(
            label(self.tr("This gallery is open for reading only. Nothing can be changed."), wrap=True),
            role="warning-bar",
        )
        self._read_only.hide()
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setAccessibleName(self.tr("Working"))
        policy = self._busy.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._busy.setSizePolicy(policy)
        self._busy.hide()
        self._busy_timer = QTimer(self, singleShot=True, interval=theme.time("busy_after"))
        self._busy_timer.timeout.connect(self._busy.show)
        self.setLayout(column(self._error, self._read_only, self._stack, self._busy, gap="half"))
        self.build()

    @property
    def title(self) -> str:
        """Title of the page, in the user's language."""
        return ""

    def build(self) -> None:
        """Fill `content`; called once, at the end of the constructor."""

    def activate(self) -> None:
        """The page is shown from now on: cameras may open."""

    def deactivate(self) -> None:
        """The page is hidden from now on: cameras close, work goes on."""

    def open_files(self, paths: Sequence[Path]) -> None:
        """Take photos or folders that were opened or dropped."""

    def paste(self, image: QImage) -> None:
        """Take a picture from the clipboard."""

    def receive(self, value: object) -> None:
        """Take what another page handed over with `navigate`."""

    def choose_files(self) -> None:
        """Ctrl+O: ask for photos. The main window asks when this is not overridden and calls `open_files`."""
        self.ask_for_files()

    def ask_for_files(self) -> None:
        """Show the file dialog for photos and pass the answer to `open_files`."""
        from PySide6.QtWidgets import QFileDialog

        dialog = QFileDialog(self, self.tr("Open photos"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.open_files([Path(name) for name in names]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def refresh(self) -> None:
        """The model, the settings or the gallery changed elsewhere: read again what is shown."""

    def forget_undo(self) -> None:
        """Nothing that was changed until now may be taken back any more."""

    def undo(self) -> None:
        """Ctrl+Z while no undo is offered: take back what the page can take back all the same."""

    def shortcuts(self) -> list[tuple[str, str]]:
        """Return this page's own keys and what they do, for the card of keys."""
        return []

    @property
    def state(self) -> State:
        """The state shown."""
        return self._state

    def define_state(self, state: State, words: StateWords) -> None:
        """Say what the card of a state shows."""
        self._words[state] = words
        if state is self._state:
            self.set_state(state)

    def set_state(self, state: State) -> None:
        """Show the content or the card of a state; a busy line appears in WORKING after 400 ms."""
        self._state = state
        self._busy_timer.stop()
        self._read_only.setVisible(state is State.READ_ONLY)
        if state is State.WORKING:
            self._busy_timer.start()
        else:
            self._busy.hide()
        if state in CONTENT_STATES:
            self._stack.setCurrentWidget(self.content)
            return
        words = self._words.get(state) or self._standard(state)
        role = {State.ERROR: "no_match", State.CAMERA_GONE: "unsure", State.MODEL_MISSING: "unsure"}.get(
            state, "accent"
        )
        self._empty.show_state(words.drawing, words.title, words.text, words.action, role)
        self._stack.setCurrentWidget(self._empty)

    def show_error(self, error: Exception) -> None:
        """Show an error above the content; `clear_error` or the user takes it away."""
        self._error.show_error(error)
        if self._state is State.WORKING:
            self.set_state(State.READY)

    def clear_error(self) -> None:
        """Take the error away."""
        if self._error.error is not None:
            self._error.dismiss()

    def _act(self) -> None:
        words = self._words.get(self._state)
        if words is not None and words.on_action is not None:
            words.on_action()

    def _standard(self, state: State) -> StateWords:
        standard = {
            State.NOTHING_FOUND: StateWords(
                "no-face", self.tr("Nothing found"), self.tr("Try another photo, or one where the face is larger.")
            ),
            State.CAMERA_GONE: StateWords(
                "camera-off", self.tr("The camera is gone"), self.tr("Plug it in again, or choose another one.")
            ),
            State.MODEL_MISSING: StateWords(
                "warning", self.tr("The model cannot be loaded"),
                self.tr("Choose another one below, or install facegui again."),
            ),
            State.LOCKED: StateWords(
                "lock", self.tr("The gallery is locked"),
                self.tr("Another program is writing to it. Try again in a moment."),
            ),
            State.ERROR: StateWords("warning", self.tr("This did not work"), ""),
        }  # fmt: skip
        return standard.get(state) or StateWords(self.icon, self.title, "")
