"""The one place where work leaves the UI thread and its answers come back.

Functions and jobs run in worker threads, one pool per lane; every callback runs in the UI thread, and none
runs once its task was cancelled, was overtaken by a newer one, or lost its owner.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.jobs import Job, Progress

__all__ = ["Bridge", "Task"]

logger = logging.getLogger(__name__)
T = TypeVar("T")
Handler = Callable[[Any], object] | None
LANES: Final = {"analyse": 2, "live": 2, "io": 2, "write": 1, "job": 2, "watch": 1}


@dataclass(eq=False)
class Task:
    """One piece of work. `title` and `progress` are for the status strip; an empty title is not shown."""

    owner: QObject
    title: str = ""
    on_done: Handler = None
    on_error: Handler = None
    on_progress: Handler = None
    on_partial: Handler = None
    on_cancelled: Callable[[], object] | None = None
    progress: Progress = field(default_factory=lambda: Progress(0, 0))
    started: float = field(default_factory=time.monotonic)
    finished: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Stop at the next place where the work can stop; `on_done` will not be called."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Tell whether the task was cancelled or its owner is gone."""
        return self._stop.is_set() or not shiboken6.isValid(self.owner)


class Bridge(QObject):
    """Runs work off the UI thread.

    Signals
    -------
    changed(Task)
        A task with a title began, progressed or ended.
    failed(object, object)
        Owner and exception of a task that had no `on_error` of its own.
    """

    changed = Signal(object)
    failed = Signal(object, object)
    _arrived = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._newest: dict[tuple[int, str], Task] = {}
        self._tasks: set[Task] = set()
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self, owner: QObject, fn: Callable[[], T], on_done: Callable[[T], object] | None = None,
        on_error: Callable[[Exception], object] | None = None, *, lane: str = "io", newest: str | None = None,
        title: str = "",
    ) -> Task:  # fmt: skip
        """Run `fn` in a lane and hand its result to `on_done` in the UI thread.

        Parameters
        ----------
        newest : str or None
            Names the question: a newer task of the same owner and name makes this one's answer worthless. It
            is then not delivered, and `fn` is not even called if it had not begun.
        """
        return self._submit(Task(owner, title, on_done, on_error), lambda _task: fn(), lane, newest)

    def start(
        self, owner: QObject, job: Job[T], *, on_progress: Callable[[Progress], object] | None = None,
        on_partial: Callable[[Any], object] | None = None, on_done: Callable[[T], object] | None = None,
        on_error: Callable[[Exception], object] | None = None, on_cancelled: Callable[[], object] | None = None,
        lane: str = "job", newest: str | None = None, title: str = "",
    ) -> Task:  # fmt: skip
        """Run a job to its end; cancelling closes the generator at its next yield."""
        task = Task(owner, title, on_done, on_error, on_progress, on_partial, on_cancelled)
        return self._submit(task, lambda task: self._drive(task, job), lane, newest)

    @property
    def busy(self) -> bool:
        """Whether some work has not ended, or its end was not delivered yet."""
        return bool(self._tasks)

    @property
    def working(self) -> bool:
        """Whether work goes on that the strip tells of."""
        return any(task.title for task in self._tasks)

    def close(self) -> None:
        """Cancel everything, wait for what is running, end all threads; nothing is delivered any more."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        self._pools, self._tasks, self._newest = {}, set(), {}

    def _submit(self, task: Task, body: Callable[[Task], Any], lane: str, newest: str | None) -> Task:
        if self._closed:
            task.cancel()
            return task
        if newest is not None:
            older = self._newest.pop((id(task.owner), newest), None)
            if older is not None:
                older.cancel()
            self._newest[id(task.owner), newest] = task
        if lane not in self._pools:
            self._pools[lane] = ThreadPoolExecutor(LANES[lane], thread_name_prefix=f"facegui-{lane}")
        self._tasks.add(task)
        self._pools[lane].submit(self._work, task, body)
        if task.title:
            self.changed.emit(task)
        return task

    def _work(self, task: Task, body: Callable[[Task], Any]) -> None:
        """Body of the worker thread: whatever happens, the end of the task is posted."""
        try:
            self._post(task, "done", None if task.cancelled else body(task))
        except Exception as error:
            if not isinstance(error, KnownError):
                logger.exception("A background task failed")
            self._post(task, "error", error)

    def _drive(self, task: Task, job: Job[T]) -> T | None:
        last = 0.0
        try:
            while not task.cancelled:
                event = next(job)
                if not isinstance(event, Progress):
                    self._post(task, "partial", event.value)
                elif event.done >= event.total > 0 or (time.monotonic() - last) * 1000 >= theme.time("progress"):
                    last = time.monotonic()
                    self._post(task, "progress", event)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            job.close()
        return None

    def _post(self, task: Task, kind: str, value: object) -> None:
        if not self._closed:
            self._arrived.emit(task, kind, value)

    @Slot(object, object, object)
    def _deliver(self, task: Task, kind: str, value: Any) -> None:
        """In the UI thread: tell the task's owner, unless nobody wants to know any more."""
        ends = kind in ("done", "error")
        if self._closed or (task.cancelled and not ends):
            return
        task.finished = ends
        if kind == "progress":
            task.progress = value
        if ends:
            self._tasks.discard(task)
            self._newest = {key: other for key, other in self._newest.items() if other is not task}
        if task.title and kind != "partial":
            self.changed.emit(task)
        if task.cancelled:
            if task.on_cancelled is not None and shiboken6.isValid(task.owner):
                task.on_cancelled()
            return
        handler: Handler = getattr(task, f"on_{kind}")
        if handler is not None:
            handler(value)
        elif kind == "error":
            self.failed.emit(task.owner, value)
