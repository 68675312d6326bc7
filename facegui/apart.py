"""Work in a process of its own: it can be ended at any moment and never holds up the threads of this one.

What a file from elsewhere does to that process takes nothing else down. It is started fresh (spawned) and speaks over a
pipe in JSON, so nothing that it says is ever executed here.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any, TypeAlias

from facegui.errors import KnownError
from facegui.jobs import Job, Progress

__all__ = ["ANOTHER_FILE", "SILENCE", "Tell", "Work", "run_apart"]

Tell: TypeAlias = Callable[[int, int, str], None]
"""Says how far the work is: done, total, note. Each call is a sign of life."""

Work: TypeAlias = Callable[[dict[str, Any], Tell], dict[str, Any]]
"""A function at the top of a module; takes and returns what JSON can hold, raises KnownError to refuse."""

SILENCE = 180.0
"""Seconds without a sign of life after which the process is given up: a network that large loads in a minute."""

ANOTHER_FILE = "Nothing else was affected. Get the file again, or use another one."

_LOOK = 0.25  # seconds between two places to cancel
_MOST_MEMORY = 0.5  # share of the computer's memory that the process may take; a ResNet-50 takes 1.7 GB
_LEAST_MEMORY = 3 << 30  # bytes that it may take in any case
_PROGRESS, _RESULT, _REFUSED, _BUG = "progress", "result", "refused", "bug"


def run_apart(
    work: Work, arguments: Mapping[str, Any], *, what: str, do: str = ANOTHER_FILE, silence: float = SILENCE
) -> Job[dict[str, Any]]:
    """Run a function in a process of its own.

    Parameters
    ----------
    work : Work
    arguments : mapping
        Plain values, as JSON knows them.
    what : str
        What cannot be done when the process dies, one sentence.
    do : str
        What helps when it was ended from outside.
    silence : float
        Longest time without a sign of life, in seconds.

    Yields
    ------
    Progress
        As the function tells it. Closing the generator ends the process.

    Raises
    ------
    KnownError
        The function refused, the process died, or it was silent for too long.
    RuntimeError
        The function failed otherwise: a bug, with its traceback.
    """
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(work, json.dumps(dict(arguments)), send), daemon=True)
    process.start()
    send.close()
    try:
        deadline = monotonic() + silence
        while True:
            if receive.poll(_LOOK):
                try:
                    kind, content = json.loads(receive.recv_bytes())
                except (EOFError, OSError):
                    process.join()
                    raise _died(what, process.exitcode, do) from None
                deadline = monotonic() + silence
                if kind == _PROGRESS:
                    yield Progress(int(content[0]), int(content[1]), str(content[2]))
                elif kind == _RESULT:
                    return dict(content)
                elif kind == _REFUSED:
                    raise KnownError(*(str(part) for part in content))
                else:
                    raise RuntimeError(f"the process of its own failed:\n{content}")
            elif monotonic() > deadline:
                raise KnownError(
                    what,
                    f"The process that worked on it gave no sign of life for {silence:.0f} seconds and was ended.",
                    do,
                )
            else:
                yield Progress(0, 0)
    finally:
        receive.close()
        process.kill()
        process.join()
        process.close()


def _died(what: str, code: int | None, do: str) -> KnownError:
    if code is not None and code < 0:
        try:
            how = f"by {signal.Signals(-code).name}"
        except ValueError:
            how = f"by signal {-code}"
    else:
        how = f"with status {code}"
    return KnownError(
        what,
        f"The process that worked on it ended {how}, as happens with damaged files and where memory is short.",
        do,
    )


def _child(work: Work, arguments: str, pipe: Connection) -> None:
    """Run in the new process: do the work and say how it went."""

    def say(kind: str, content: Any) -> None:
        pipe.send_bytes(json.dumps([kind, content]).encode("utf-8"))

    _keep_quiet()
    _be_the_first_to_go()
    try:
        result = work(json.loads(arguments), lambda done, total, note: say(_PROGRESS, [done, total, note]))
    except KnownError as error:
        say(_REFUSED, [error.what, error.why, error.do])
    except BrokenPipeError:
        pass  # nobody waits for it any more
    except MemoryError:
        sys.exit(1)
    except BaseException:
        say(_BUG, traceback.format_exc())
    else:
        say(_RESULT, result)


def _keep_quiet() -> None:
    """Let nothing that libraries print reach the terminal or the answer of a command."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (1, 2):
            os.dup2(nowhere, number)


def _be_the_first_to_go() -> None:
    """Where memory runs short, let it be this process that is ended, and never take most of what there is (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    import resource

    with contextlib.suppress(OSError, ValueError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        most = max(int(memory * _MOST_MEMORY), _LEAST_MEMORY)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
