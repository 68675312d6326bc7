"""The list of the models that the user added: ``manifest.toml`` beside their files, in the form of the bundled one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from facegui import paths
from facegui.errors import KnownError

__all__ = ["MANIFEST", "add_entry", "changing", "draft", "entries", "entry_text", "models_folder", "remove_entry"]

MANIFEST = "manifest.toml"
_LOCK = ".lock"
_DRAFT = ".adding-"
_HEAD = "# The models that were added; `facegui models add` and `facegui models remove` write this file.\nformat = 1\n"
_START = re.compile(r"^\[\[\s*model\s*\]\]", re.MULTILINE)


def models_folder() -> Path:
    """Return the folder of the added models; made when missing."""
    folder = paths.data_dir() / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def changing(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Let only one process at a time change a folder; the lock goes with the process, however it ends.

    Parameters
    ----------
    folder : Path
    wait : bool
        Wait for the other one.

    Raises
    ------
    OSError
        Another process has the lock and `wait` is false, or the folder cannot be written.
    """
    with (folder / _LOCK).open("a+b") as lock:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


@contextlib.contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """Give a folder inside of `folder` to work in; it is removed afterwards, and after a kill by the next one.

    Raises
    ------
    OSError
        It cannot be made.
    """
    for left in folder.glob(f"{_DRAFT}*"):
        with contextlib.suppress(OSError), changing(left, wait=False):  # one that somebody works in is locked
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=folder))
    try:
        with changing(made):
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _text(folder: Path) -> str:
    try:
        return (folder / MANIFEST).read_text("utf-8")
    except FileNotFoundError:
        return _HEAD
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: Exception) -> KnownError:
    return KnownError(
        "The list of added models cannot be read.",
        f"{folder / MANIFEST}: {error}.",
        "Delete that file and add your models again.",
    )


def entries(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of the list, as they stand.

    Raises
    ------
    KnownError
        The list cannot be read.
    """
    try:
        return list(tomllib.loads(_text(folder)).get("model", ()))
    except ValueError as error:
        raise _unreadable(folder, error) from error


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return repr(value)


def entry_text(entry: Mapping[str, Any]) -> str:
    """Return an entry as TOML."""
    return "".join(["[[model]]\n", *(f"{key} = {_value(value)}\n" for key, value in entry.items())])


def add_entry(folder: Path, entry: Mapping[str, Any]) -> None:
    """Write another entry at the end of the list.

    Raises
    ------
    KnownError
        The list has an entry with this id, or cannot be written.
    """
    if any(known.get("id") == entry["id"] for known in entries(folder)):
        raise KnownError(
            f"There is a model called {entry['id']} already.",
            "Two models cannot have one name.",
            f"Give another one with --name, or remove that one: facegui models remove {entry['id']}",
        )
    _write(folder, f"{_text(folder).rstrip()}\n\n{entry_text(entry)}")


def remove_entry(folder: Path, model_id: str) -> dict[str, Any]:
    """Take an entry, with its calibration, out of the list and return it.

    Raises
    ------
    KnownError
        The list has no such entry, or cannot be read or written.
    """
    known = entries(folder)
    place = next((place for place, entry in enumerate(known) if entry.get("id") == model_id), None)
    if place is None:
        raise KnownError(f"There is no added model called {model_id}.", "", "See `facegui models list`.")
    text = _text(folder)
    starts = [found.start() for found in _START.finditer(text)]
    rest = [*known[:place], *known[place + 1 :]]
    left = ""
    if len(starts) == len(known):
        stops = [*starts[1:], len(text)]
        left = text[: starts[place]] + text[stops[place] :]
        with contextlib.suppress(ValueError):
            if list(tomllib.loads(left).get("model", ())) != rest:
                left = ""
    if not left:
        raise KnownError(
            f"{model_id} was not removed.",
            f"{folder / MANIFEST} is laid out in an unusual way.",
            "Take the entry out with a text editor.",
        )
    _write(folder, left.rstrip() + "\n")
    return known[place]


def _write(folder: Path, text: str) -> None:
    """Replace the list in one step."""
    try:
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".manifest-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            Path(draft).replace(folder / MANIFEST)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise KnownError(
            "The list of added models was not changed.",
            f"{folder / MANIFEST}: {error.strerror or error}.",
            "Check that the disk is not full and the folder can be written.",
        ) from error
