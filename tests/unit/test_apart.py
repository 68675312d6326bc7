"""Work in a process of its own: what happens to it is told, and happens to nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from typing import Any

import pytest

from facegui import jobs
from facegui.apart import run_apart
from facegui.errors import KnownError
from facegui.jobs import Progress

WHAT = "It cannot be done."


def add(arguments: dict[str, Any], tell: Any) -> dict[str, Any]:
    tell(1, 2, "half")
    print("noise that must not reach the answer")
    return {"sum": sum(arguments["numbers"]), "process": os.getpid()}


def refuse(arguments: dict[str, Any], tell: Any) -> dict[str, Any]:
    raise KnownError("No.", "Because.", "Do this.")


def stumble(arguments: dict[str, Any], tell: Any) -> dict[str, Any]:
    raise LookupError("a bug")


def crash(arguments: dict[str, Any], tell: Any) -> dict[str, Any]:
    tell(0, 0, "about to")
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def leave(arguments: dict[str, Any], tell: Any) -> dict[str, Any]:
    os._exit(7)


def wait_for_ever(arguments: dict[str, Any], tell: Any) -> dict[str, Any]:
    tell(0, 0, str(os.getpid()))
    threading.Event().wait()
    return {}


def ask_for_too_much(arguments: dict[str, Any], tell: Any) -> dict[str, Any]:
    bytearray(1 << 46)
    return {}


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_and_progress_come_from_another_process(capfd: pytest.CaptureFixture[str]) -> None:
    events: list[Any] = []
    result = jobs.run(run_apart(add, {"numbers": [1, 2, 3]}, what=WHAT), events.append)
    assert result["sum"] == 6
    assert result["process"] != os.getpid()
    assert Progress(1, 2, "half") in events
    assert capfd.readouterr().out == ""


def test_a_refusal_comes_as_it_was_said() -> None:
    with pytest.raises(KnownError) as error:
        jobs.run(run_apart(refuse, {}, what=WHAT))
    assert (error.value.what, error.value.why, error.value.do) == ("No.", "Because.", "Do this.")


def test_a_bug_comes_with_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="LookupError: a bug"):
        jobs.run(run_apart(stumble, {}, what=WHAT))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_a_crash_of_the_process_is_an_error_that_says_so() -> None:
    with pytest.raises(KnownError, match="SIGSEGV") as error:
        jobs.run(run_apart(crash, {}, what=WHAT))
    assert error.value.what == WHAT
    assert error.value.do


def test_a_process_that_leaves_without_a_word_is_an_error() -> None:
    with pytest.raises(KnownError, match="status 7"):
        jobs.run(run_apart(leave, {}, what=WHAT))


def test_silence_is_ended() -> None:
    with pytest.raises(KnownError, match="no sign of life for 3 seconds"):
        jobs.run(run_apart(wait_for_ever, {}, what=WHAT, silence=3.0))


@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked up by signals")
def test_cancelling_ends_the_process() -> None:
    job = run_apart(wait_for_ever, {}, what=WHAT)
    process = next(int(event.note) for event in job if isinstance(event, Progress) and event.note)
    assert is_running(process)
    job.close()
    assert not is_running(process)
    assert not multiprocessing.active_children()


def test_wanting_more_memory_than_there_is_ends_that_process_alone() -> None:
    with pytest.raises(KnownError, match="ended with status 1"):
        jobs.run(run_apart(ask_for_too_much, {}, what=WHAT))
