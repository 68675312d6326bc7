from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QObject

from facegui.errors import KnownError
from facegui.gui.bridge import Bridge
from facegui.jobs import Job, Partial, Progress

WAIT = 30_000


@pytest.fixture
def owner() -> Iterator[QObject]:
    owner = QObject()
    yield owner
    if shiboken6.isValid(owner):
        shiboken6.delete(owner)


def test_work_runs_elsewhere_and_answers_in_the_ui_thread(qtbot, bridge: Bridge, owner: QObject) -> None:
    seen: list[object] = []
    bridge.run(owner, threading.get_ident, lambda ident: seen.extend([ident, threading.get_ident()]))
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=WAIT)
    assert seen[0] != threading.get_ident()
    assert seen[1] == threading.get_ident()


def test_the_newest_question_wins(qtbot, bridge: Bridge, owner: QObject) -> None:
    gate, called, answers = threading.Event(), [], []

    def work(name: str) -> str:
        called.append(name)
        gate.wait(5)
        return name

    for name in ("first", "second", "third"):
        bridge.run(owner, lambda name=name: work(name), answers.append, lane="write", newest="question")
    gate.set()
    qtbot.waitUntil(lambda: bool(answers), timeout=WAIT)
    assert answers == ["third"]
    assert "second" not in called


def test_questions_of_other_names_and_owners_do_not_disturb(qtbot, bridge: Bridge, owner: QObject) -> None:
    other, answers = QObject(), []
    bridge.run(owner, lambda: 1, answers.append, newest="left")
    bridge.run(owner, lambda: 2, answers.append, newest="right")
    bridge.run(other, lambda: 3, answers.append, newest="left")
    qtbot.waitUntil(lambda: len(answers) == 3, timeout=WAIT)
    assert sorted(answers) == [1, 2, 3]


def test_changes_of_the_gallery_run_one_after_the_other(qtbot, bridge: Bridge, owner: QObject) -> None:
    running, most, answers = [0], [0], []

    def work() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        threading.Event().wait(0.01)
        running[0] -= 1

    for _ in range(5):
        bridge.run(owner, work, answers.append, lane="write")
    qtbot.waitUntil(lambda: len(answers) == 5, timeout=WAIT)
    assert most == [1]


def test_nothing_is_delivered_to_a_deleted_owner(qtbot, bridge: Bridge) -> None:
    owner, gate, answers = QObject(), threading.Event(), []
    bridge.run(owner, lambda: gate.wait(5), answers.append, answers.append)
    shiboken6.delete(owner)
    gate.set()
    after = QObject()
    bridge.run(after, lambda: "later", answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=WAIT)
    assert answers == ["later"]


def test_a_cancelled_task_says_nothing(qtbot, bridge: Bridge, owner: QObject) -> None:
    gate, answers = threading.Event(), []
    task = bridge.run(owner, lambda: gate.wait(5), answers.append, answers.append)
    task.cancel()
    gate.set()
    qtbot.waitUntil(lambda: task.finished, timeout=WAIT)
    assert answers == []


def test_an_error_goes_to_its_handler_or_to_everybody(qtbot, bridge: Bridge, owner: QObject) -> None:
    handled: list[Exception] = []
    problem = KnownError("No.")

    def work() -> None:
        raise problem

    bridge.run(owner, work, on_error=handled.append)
    qtbot.waitUntil(lambda: bool(handled), timeout=WAIT)
    assert handled == [problem]
    with qtbot.waitSignal(bridge.failed, timeout=WAIT) as caught:
        bridge.run(owner, work)
    assert caught.args == [owner, problem]


def test_a_bug_is_logged_with_its_traceback_and_a_known_error_is_not(qtbot, bridge, owner, caplog) -> None:
    for error in (KnownError("No."), ValueError("a bug")):

        def work(error: Exception = error) -> None:
            raise error

        with qtbot.waitSignal(bridge.failed, timeout=WAIT):
            bridge.run(owner, work)
    assert "a bug" in caplog.text
    assert "No." not in caplog.text


def count(total: int, closed: list[bool], gate: threading.Event | None = None) -> Job[int]:
    try:
        for done in range(1, total + 1):
            yield Progress(done, total, f"item {done}")
            yield Partial(done)
            if gate is not None:
                gate.wait(5)
        return total
    finally:
        closed.append(True)


def test_a_job_reports_progress_parts_and_its_end(qtbot, bridge: Bridge, owner: QObject) -> None:
    progress, parts, ends, closed = [], [], [], []
    bridge.start(owner, count(20, closed), on_progress=progress.append, on_partial=parts.append, on_done=ends.append)
    qtbot.waitUntil(lambda: bool(ends), timeout=WAIT)
    assert ends == [20]
    assert parts == list(range(1, 21))
    assert progress[-1] == Progress(20, 20, "item 20")
    assert len(progress) < 20, "reports closer than 50 ms are left out"
    assert closed == [True]


def test_cancelling_closes_the_generator(qtbot, bridge: Bridge, owner: QObject) -> None:
    gate, parts, ends, cancelled, closed = threading.Event(), [], [], [], []
    task = bridge.start(
        owner, count(1000, closed, gate), on_partial=parts.append, on_done=ends.append,
        on_cancelled=lambda: cancelled.append(True), title="Counting",
    )  # fmt: skip
    qtbot.waitUntil(lambda: bool(parts), timeout=WAIT)
    task.cancel()
    gate.set()
    qtbot.waitUntil(lambda: bool(cancelled), timeout=WAIT)
    assert closed == [True]
    assert ends == []


def test_a_job_of_a_deleted_owner_stops(qtbot, bridge: Bridge) -> None:
    owner, gate, parts, closed = QObject(), threading.Event(), [], []
    task = bridge.start(owner, count(1000, closed, gate), on_partial=parts.append)
    qtbot.waitUntil(lambda: bool(parts), timeout=WAIT)
    shiboken6.delete(owner)
    gate.set()
    qtbot.waitUntil(lambda: task.finished, timeout=WAIT)
    assert closed == [True]


def test_closing_cancels_ends_all_threads_and_silences_everything(qtbot, owner: QObject) -> None:
    bridge, answers, closed = Bridge(), [], []
    gate = threading.Event()
    bridge.start(owner, count(10**9, closed), on_done=answers.append)
    for _ in range(10):
        bridge.run(owner, lambda: gate.wait(0.05), answers.append)
    bridge.close()
    assert closed in ([True], [])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("facegui-")]
    assert bridge.run(owner, lambda: 1, answers.append).cancelled
    qtbot.wait(20)
    assert answers == []
