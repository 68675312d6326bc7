"""Where the messages go that decoders written in C print by themselves.

libjpeg, libtiff, libpng and FFmpeg print remarks on damaged files to standard error, whoever called them, and offer
no way through OpenCV or Pillow to turn that off. A program calls `divert_native_messages` once as it starts, before
it sets up logging; a library never does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

__all__ = ["divert_native_messages"]

_STANDARD_ERROR = 2


def divert_native_messages(log_file: Path | None = None) -> None:
    """Send what C code prints to standard error into a file, while Python's `sys.stderr` stays where it was.

    Parameters
    ----------
    log_file : Path, optional
        It is appended to. Without one, or when it cannot be written, the messages are dropped.
    """
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:
        return  # A windowed program may have no standard error at all.
    sink = _open(log_file)
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()
    os.dup2(sink, _STANDARD_ERROR)
    os.close(sink)
    stream = os.fdopen(kept, "w", encoding=encoding, errors="backslashreplace", buffering=1)
    sys.stderr = sys.__stderr__ = stream  # type: ignore[misc]


def _open(log_file: Path | None) -> int:
    if log_file is not None:
        with contextlib.suppress(OSError):
            return os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return os.open(os.devnull, os.O_WRONLY)
