"""The strip along the bottom: model, provider in use, gallery, running work, undo."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QMenu, QProgressBar, QToolButton, QToolTip, QWidget

from facegui.gui import theme
from facegui.gui.bridge import Bridge, Task
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.parts import button, label, row, tool_button

__all__ = ["StatusStrip", "time_left"]

FEW: Final = 10
"""Up to so many steps of a task no speed is told."""


class ProviderWords(Protocol):
    """What the strip reads of a provider report."""

    @property
    def active(self) -> str:
        """Provider in use, such as CPU or CUDA."""

    @property
    def device(self) -> str:
        """Name of the processor or the graphics card."""

    @property
    def reason(self) -> str:
        """Why this provider."""

    @property
    def warning(self) -> str | None:
        """Said when a graphics card was asked for and is not used."""


def time_left(seconds: float) -> str:
    """Return a coarse duration: 45 s, 3 min, 2 h 10 min."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


class StatusStrip(QFrame):
    """One line of truth about the program, and the place of long work.

    Signals
    -------
    model_chosen(str)
        Id of the model that the user wants.
    """

    model_chosen = Signal(str)

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "strip")
        self.setFixedHeight(theme.size("status") + theme.size("unit"))
        self.setAccessibleName(self.tr("Status"))
        self._tasks: list[Task] = []
        self._undo: Callable[[], object] | None = None
        self._model = QToolButton()
        theme.set_role(self._model, "quiet")
        theme.set_icon(self._model, "chevron-down", "muted")
        self._model.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._model.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._model.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._model.setMenu(QMenu(self._model))
        self._provider = tool_button("processor", self.tr("Provider"), self._show_why)
        self._provider.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._counts = label("", "muted")
        self._undo_text = label()
        self._undo_button = button(self.tr("Undo"), self._take_back, role="link")
        self._note = ElidedLabel("muted")
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(theme.size("tile"))
        self._bar.setAccessibleName(self.tr("Progress"))
        self._cancel = tool_button("close", self.tr("Cancel the running task"), self._stop)
        layout = row(
            self._model, self._provider, self._counts, self._note, self._bar, self._cancel, self._undo_text,
            self._undo_button,
        )  # fmt: skip
        layout.setStretchFactor(self._note, 1)
        layout.setContentsMargins(theme.size("unit"), 0, theme.size("unit"), 0)
        self.setLayout(layout)
        self._undo_timer = QTimer(self, singleShot=True, interval=theme.time("undo"))
        self._undo_timer.timeout.connect(self.withdraw_undo)
        self._busy_timer = QTimer(self, singleShot=True, interval=theme.time("busy_after"))
        self._busy_timer.timeout.connect(self._show_task)
        bridge.changed.connect(self._task_changed)
        self.set_models((), "")
        self.set_provider(None)
        self.withdraw_undo()
        self._show_task()

    def set_models(self, models: Sequence[tuple[str, str]], current: str) -> None:
        """Offer models as (id, title)."""
        menu = self._model.menu()
        menu.clear()
        group = QActionGroup(menu)
        title = current or self.tr("No model")
        for model_id, words in models:
            action = QAction(words, menu, checkable=True, checked=model_id == current)
            action.triggered.connect(lambda _checked=False, chosen=model_id: self.model_chosen.emit(chosen))
            group.addAction(action)
            menu.addAction(action)
            if model_id == current:
                title = words
        room = theme.size("inspector") - theme.size("tile") + theme.size("control")
        self._model.setText(self._model.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, room))
        self._model.setEnabled(bool(models))
        self._model.setAccessibleName(self.tr("Model: {0}").format(title))
        self._model.setToolTip(self.tr("{0}: the network that turns a face into numbers").format(title))

    def set_provider(self, report: ProviderWords | None) -> None:
        """Show where the networks really run; None while they are being loaded."""
        if report is None:
            words, why, icon, role = (
                self.tr("Loading models…"),
                self.tr("The models are being loaded."),
                "processor",
                "muted",
            )
        elif report.warning:
            words, why, icon, role = report.active, report.warning, "warning", "unsure"
        elif report.active == "CPU":
            words, why, icon, role = "CPU", report.reason or report.device, "processor", "muted"
        else:
            words, why, icon, role = f"{report.device} ✓", report.reason or report.active, "graphics", "match"
        self._provider.setText(words)
        self._provider.setToolTip(why)
        self._provider.setAccessibleName(self.tr("Runs on {0}").format(words) if report else words)
        self._provider.setAccessibleDescription(why)
        theme.set_icon(self._provider, icon, role)

    def set_provider_problem(self, why: str) -> None:
        """Say that the models could not be loaded."""
        self._provider.setText(self.tr("Models not loaded"))
        self._provider.setToolTip(why)
        self._provider.setAccessibleName(self.tr("Models not loaded"))
        self._provider.setAccessibleDescription(why)
        theme.set_icon(self._provider, "warning", "no_match")

    def set_counts(self, people: int, samples: int, *, read_only: bool = False) -> None:
        """Show the size of the gallery."""
        who = self.tr("1 person") if people == 1 else self.tr("{0} people").format(f"{people:,}")
        what = self.tr("1 sample") if samples == 1 else self.tr("{0} samples").format(f"{samples:,}")
        self._counts.setText(f"{who}, {what}" + (self.tr(" · read-only") if read_only else ""))

    def offer_undo(self, text: str, undo: Callable[[], object]) -> None:
        """Offer to take the last change back for some seconds."""
        self._undo = undo
        self._undo_text.setText(text)
        self._undo_button.setAccessibleName(self.tr("Undo: {0}").format(text))
        self._undo_text.show()
        self._undo_button.show()
        self._undo_timer.start()

    def withdraw_undo(self) -> None:
        """Offer it no more."""
        self._undo = None
        self._undo_text.hide()
        self._undo_button.hide()

    @property
    def can_undo(self) -> bool:
        """Tell whether an undo is offered."""
        return self._undo is not None

    def _take_back(self) -> None:
        undo = self._undo
        self._undo_timer.stop()
        self.withdraw_undo()
        if undo is not None:
            undo()

    undo = _take_back

    def _show_why(self) -> None:
        where = self._provider.mapToGlobal(self._provider.rect().topLeft())
        QToolTip.showText(where, self._provider.toolTip(), self._provider)

    def _stop(self) -> None:
        if self._tasks:
            self._tasks[-1].cancel()
            self._note.show_text(self.tr("Cancelling…"))

    def _task_changed(self, task: Task) -> None:
        if task.finished:
            self._tasks = [other for other in self._tasks if other is not task]
            self._show_task()
        elif task not in self._tasks:
            self._tasks.append(task)
            self._busy_timer.start()
        elif not self._busy_timer.isActive():
            self._show_task()

    def _show_task(self) -> None:
        task = self._tasks[-1] if self._tasks else None
        for item in (self._bar, self._cancel):
            item.setVisible(task is not None)
        if task is None:
            self._note.show_text("")
        if task is None or task.cancelled:
            return
        done, total = task.progress.done, task.progress.total
        elapsed = time.monotonic() - task.started
        words = [task.title]
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        if total:
            words.append(f"{done:,} / {total:,}")
            rate = done / elapsed if elapsed > 0 else 0.0
            # A few steps are of different kinds: how long the next one takes cannot be told from them.
            if done and total > FEW and done < total and elapsed > 1:
                words.append(self.tr("{0} per second").format(f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"))
                words.append(self.tr("{0} left").format(time_left((total - done) / rate)))
        if len(self._tasks) > 1:
            words.append(self.tr("and {0} more").format(len(self._tasks) - 1))
        self._note.show_text(" · ".join(words))
        self._bar.setToolTip(task.progress.note)
        self._bar.setAccessibleDescription(self._note.full)
