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
from typing import Any, Final, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.jobs import Job, Partial, Progress

__all__ = ["Bridge", "Task"]

logger = logging.getLogger(__name__)
T = TypeVar("T")
LANES: Final = {"analyse": 2, "live": 2, "io": 2, "write": 1, "job": 2}


class Task:
    """One piece of work. `title` and `progress` are for the status strip; an empty title is not shown."""

    def __init__(self, owner: QObject, title: str = "") -> None:
        self.owner = owner
        self.title = title
        self.progress = Progress(0, 0)
        self.started = time.monotonic()
        self.finished = False
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop at the next place where the work can stop; `on_done` will not be called."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Tell whether the task was cancelled or its owner is gone."""
        return self._cancelled.is_set() or not shiboken6.isValid(self.owner)


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
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._newest: dict[tuple[int, str], Task] = {}
        self._tasks: set[Task] = set()
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self, owner: QObject, fn: Callable[[], T], on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None, *, lane: str = "io", newest: str | None = None,
        title: str = "",
    ) -> Task:  # fmt: skip
        """Run `fn` in a lane and hand its result to `on_done` in the UI thread.

        Parameters
        ----------
        newest : str or None
            Names the question: a newer task of the same owner and name makes this one's answer worthless. It
            is then not delivered, and `fn` is not even called if it had not begun.
        """
        task = Task(owner, title)
        return self._submit(task, lambda: self._work(task, fn, on_done, on_error), lane, newest)

    def start(
        self, owner: QObject, job: Job[T], *, on_progress: Callable[[Progress], None] | None = None,
        on_partial: Callable[[T], None] | None = None, on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None, on_cancelled: Callable[[], None] | None = None,
        lane: str = "job", newest: str | None = None, title: str = "",
    ) -> Task:  # fmt: skip
        """Run a job to its end; cancelling closes the generator at its next yield."""
        task = Task(owner, title)

        def body() -> T | None:
            return self._drive(task, job, on_progress, on_partial)

        return self._submit(task, lambda: self._work(task, body, on_done, on_error, on_cancelled), lane, newest)

    def close(self) -> None:
        """Cancel everything, wait for what is running, end all threads; nothing is delivered any more."""
        self._closed = True
        for task in tuple(self._tasks):
            task.cancel()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        self._pools.clear()
        self._tasks.clear()
        self._newest.clear()

    def _submit(self, task: Task, body: Callable[[], None], lane: str, newest: str | None) -> Task:
        if self._closed:
            task.cancel()
            return task
        if newest is not None:
            key = (id(task.owner), newest)
            older = self._newest.get(key)
            if older is not None:
                older.cancel()
            self._newest[key] = task
        if lane not in self._pools:
            self._pools[lane] = ThreadPoolExecutor(LANES[lane], thread_name_prefix=f"facegui-{lane}")
        self._tasks.add(task)
        self._pools[lane].submit(body)
        if task.title:
            self.changed.emit(task)
        return task

    def _post(self, task: Task, callback: Callable[[], None]) -> None:
        if not self._closed:
            self._arrived.emit((task, callback))

    @Slot(object)
    def _deliver(self, message: tuple[Task, Callable[[], None]]) -> None:
        if not self._closed:
            message[1]()

    def _work(
        self, task: Task, fn: Callable[[], Any], on_done: Callable[[Any], None] | None,
        on_error: Callable[[Exception], None] | None, on_cancelled: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Body of the worker thread: whatever happens, the end of the task is posted."""
        result: Any = None
        problem: Exception | None = None
        try:
            if not task.cancelled:
                result = fn()
        except Exception as error:
            problem = error
            if not isinstance(error, KnownError):
                logger.exception("A background task failed")
        self._post(task, lambda: self._end(task, result, problem, on_done, on_error, on_cancelled))

    def _end(self, task: Task, result: Any, problem: Exception | None, *callbacks: Any) -> None:
        on_done, on_error, on_cancelled = callbacks
        task.finished = True
        self._tasks.discard(task)
        for key in [key for key, value in self._newest.items() if value is task]:
            del self._newest[key]
        if task.title:
            self.changed.emit(task)
        if task.cancelled:
            if on_cancelled is not None and shiboken6.isValid(task.owner):
                on_cancelled()
        elif problem is None:
            if on_done is not None:
                on_done(result)
        elif on_error is not None:
            on_error(problem)
        else:
            self.failed.emit(task.owner, problem)

    def _drive(
        self, task: Task, job: Job[T], on_progress: Callable[[Progress], None] | None,
        on_partial: Callable[[T], None] | None,
    ) -> T | None:  # fmt: skip
        def report(event: Progress) -> None:
            if not task.cancelled:
                task.progress = event
                if task.title:
                    self.changed.emit(task)
                if on_progress is not None:
                    on_progress(event)

        last = 0.0
        try:
            while not task.cancelled:
                event = next(job)
                now = time.monotonic()
                if isinstance(event, Progress):
                    complete = event.done >= event.total > 0
                    if complete or (now - last) * 1000 >= theme.time("progress"):
                        last = now
                        self._post(task, lambda value=event: report(value))  # type: ignore[misc]
                elif isinstance(event, Partial) and on_partial is not None:
                    self._post(task, lambda value=event.value: None if task.cancelled else on_partial(value))  # type: ignore[misc]
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            job.close()
        return None
