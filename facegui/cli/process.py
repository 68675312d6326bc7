"""What a process of one's own needs around the command line: streams, log, the words of decoders written in C."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator

__all__ = ["drop_output", "logging_to_stderr", "prepare_streams", "silence_decoders"]

_state = {"own": False}


def prepare_streams() -> None:
    """Let no character stop the output, whatever the terminal's encoding; called in a process of our own."""
    _state["own"] = True
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def silence_decoders() -> None:
    """Send what decoders written in C print by themselves to a log file, once, in a process of our own."""
    if not _state["own"]:
        return
    _state["own"] = False
    from facegui import paths
    from facegui.sources.native_messages import divert_native_messages

    divert_native_messages(paths.log_dir() / "decoders.log")


def drop_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not fail as well."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


class _StandardError(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what standard error is at that moment."""

    def __init__(self, quiet: Callable[[], bool]) -> None:
        super().__init__(sys.stderr)
        self._quiet = quiet
        self.setLevel(logging.WARNING)
        self.setFormatter(logging.Formatter("facegui: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR and self._quiet():
            return
        self.stream = sys.stderr
        super().emit(record)


@contextlib.contextmanager
def logging_to_stderr(quiet: Callable[[], bool]) -> Iterator[None]:
    """Send warnings of the program to standard error, as plain sentences.

    Parameters
    ----------
    quiet : callable
        Tells whether only errors are wanted.
    """
    handler = _StandardError(quiet)
    logger = logging.getLogger("facegui")
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
