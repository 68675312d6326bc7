"""Fetch one large file: with progress, taken up again where it broke off, and checked.

The one place of the program that goes into the network, and only when the user asks for a download.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facegui import __version__
from facegui.errors import KnownError
from facegui.faces.catalog import file_sha256
from facegui.jobs import Job, Progress

__all__ = ["download", "part_of"]

_PIECE = 1 << 18
_TIMEOUT = 30.0  # seconds without a byte
_FRUITLESS = 2  # attempts in a row that bring nothing
_MEGA = 1e6
_OK, _PARTIAL, _NOT_SATISFIABLE = 200, 206, 416


def part_of(target: Path) -> Path:
    """Return where the part of a file lies that has come so far."""
    return target.with_name(target.name + ".part")


def _note_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def download(url: str, target: Path, *, sha256: str | None = None, help_text: str = "") -> Job[str]:
    """Download a file; what came so far is kept when it breaks off, and the next call goes on from there.

    Parameters
    ----------
    url : str
        ``http`` or ``https``.
    target : Path
        Where the whole file goes; beside it lies the part that came so far.
    sha256 : str, optional
        What it must hash to.
    help_text : str
        What to do without a network.

    Yields
    ------
    Progress
        Bytes done and in all.

    Returns
    -------
    str
        The sha256 of the file.

    Raises
    ------
    KnownError
        There is no network, no such file, no room, or the file is not the one that was expected.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise KnownError(f"{url} cannot be downloaded.", "It is no web address.", "Give one that begins with https://.")
    part, fruitless = part_of(target), 0
    try:
        if target.is_file():  # it came, but what was to be done with it was not
            digest = file_sha256(target)
            if sha256 in (None, digest):
                return digest
        target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            before = _size(part)
            try:
                yield from _fetch(url, target)
                break
            except _BrokenOff as error:
                fruitless = 0 if _size(part) > before else fruitless + 1
                if fruitless >= _FRUITLESS:
                    raise _stopped(url, str(error), _size(part), help_text) from error
        yield Progress(_size(part), _size(part), "Checking")
        digest = file_sha256(part)
        if sha256 is not None and digest != sha256.lower():
            _forget(target)
            raise KnownError(
                f"What came from {_host(url)} is not the file that was expected.",
                f"Its sha256 is {digest}, not {sha256.lower()}.",
                "It was thrown away. Try again; if that does not help, get the file from another place.",
            )
        part.replace(target)
        _forget(target)
    except OSError as error:
        raise KnownError(
            "The download could not be stored.",
            f"{error.filename or target}: {error.strerror or error}.",
            "Make room on the disk, then run it again; it goes on where it stopped.",
        ) from error
    return digest


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _forget(target: Path) -> None:
    part_of(target).unlink(missing_ok=True)
    _note_of(target).unlink(missing_ok=True)


class _BrokenOff(Exception):  # noqa: N818 - never leaves this module
    """The connection failed; another attempt may bring more."""


@dataclass(frozen=True, slots=True)
class _Note:
    """What a part belongs to: the address, and the server's mark of that very version of the file."""

    url: str
    version: str
    total: int

    def write(self, file: Path) -> None:
        file.write_text(json.dumps({"url": self.url, "version": self.version, "total": self.total}), "utf-8")

    @classmethod
    def read(cls, file: Path) -> _Note | None:
        try:
            values = json.loads(file.read_text("utf-8"))
            return cls(str(values["url"]), str(values["version"]), int(values["total"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _fetch(url: str, target: Path) -> Generator[Progress, None, None]:
    """Get the rest of the file, or all of it where nothing came yet or the file on the server is another one now."""
    part, note = part_of(target), _Note.read(_note_of(target))
    have = _size(part)
    if have and (note is None or note.url != url or not note.version):
        have = 0
    if have and note is not None and have == note.total:
        return
    headers = {"User-Agent": f"facegui/{__version__}", "Accept-Encoding": "identity"}
    if have and note is not None:
        headers |= {"Range": f"bytes={have}-", "If-Range": note.version}
    with contextlib.closing(_open(url, headers, target)) as reply:
        if reply.status == _PARTIAL and _begins_at(reply, have):
            total = have + _length(reply)
        else:
            have, total = 0, _length(reply)
        version = _version(reply)
        _Note(url, version, total).write(_note_of(target))
        with part.open("r+b" if have else "wb") as out:
            out.seek(have)
            out.truncate()
            done = have
            while True:
                yield Progress(done, total, f"{done / _MEGA:.1f} of {total / _MEGA:.1f} MB" if total else "")
                try:
                    piece = reply.read(_PIECE)
                except (OSError, http.client.HTTPException) as error:
                    raise _BrokenOff(_reason(error)) from error
                if not piece:
                    break
                out.write(piece)
                done += len(piece)
    if total and done < total:
        raise _BrokenOff("the connection was closed before the end")


def _open(url: str, headers: dict[str, str], target: Path) -> Any:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was checked
    try:
        return urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            if error.code == _NOT_SATISFIABLE:  # the part is longer than the file: begin anew
                _forget(target)
                raise _BrokenOff("the part that was there did not fit") from None
            raise KnownError(
                f"{_name(url)} could not be downloaded.",
                f"{_host(url)} answers {error.code} ({error.reason}) for {url}.",
                "Check the name; if it is right, try again later.",
            ) from None
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOff(_reason(error)) from error


def _name(url: str) -> str:
    return urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2]) or url


def _begins_at(reply: Any, start: int) -> bool:
    return bool(start) and str(reply.headers.get("Content-Range", "")).startswith(f"bytes {start}-")


def _length(reply: Any) -> int:
    try:
        return max(0, int(reply.headers.get("Content-Length", "0")))
    except ValueError:
        return 0


def _version(reply: Any) -> str:
    """Return the server's mark of this version of the file: only a strong one may be used to go on."""
    mark = str(reply.headers.get("ETag", ""))
    if mark and not mark.startswith("W/"):
        return mark
    return str(reply.headers.get("Last-Modified", ""))


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLError):
        return f"the secure connection failed ({cause.reason or cause})"
    if isinstance(cause, TimeoutError):
        return f"nothing came for {_TIMEOUT:.0f} seconds"
    if isinstance(cause, OSError):
        return (cause.strerror or str(cause)).lower()
    return str(cause) or type(cause).__name__


def _stopped(url: str, why: str, have: int, help_text: str) -> KnownError:
    if have:
        kept = f"{have / _MEGA:.1f} MB came so far and are kept; run it again to go on. "
        return KnownError(f"The download of {_name(url)} stopped.", f"{_host(url)}: {why}.", kept + help_text)
    return KnownError(
        f"{_name(url)} could not be downloaded.",
        f"{_host(url)} cannot be reached: {why}.",
        f"Check that this computer is connected to the internet. {help_text}".strip(),
    )
