"""Photos from files, and the search for them in folders."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from facegui.errors import KnownError
from facegui.faces.types import Frame
from facegui.sources.decode import BadPicture, decode, read_exif

__all__ = ["SUFFIXES", "content_hash", "exif_date", "photo_files", "read_bytes", "read_photo", "shown_name"]

_log = logging.getLogger(__name__)

SUFFIXES = frozenset(
    f".{name}"
    for names in (
        ("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff"),
        ("heic", "heif", "hif", "avif", "jp2", "j2k", "jpf", "jpx", "j2c", "jpc"),
        ("ico", "tga", "ppm", "pgm", "pbm", "pnm"),
    )
    for name in names
)
"""Suffixes, in lower case, of the files that count as photos when a folder is searched."""

StrPath = str | os.PathLike[str]


def shown_name(path: StrPath) -> str:
    """Return a file's name as it can be shown: bytes that are no text and control characters are replaced."""
    name = Path(path).name or str(path)
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def read_photo(path: StrPath, *, working_pixels: int = 0, max_megapixels: int = 200) -> Frame:
    """Read and decode a picture file; its contents decide the format, not its name.

    Parameters
    ----------
    path : path
        Any file name, also one with bytes that are no text (as surrogate escapes).
    working_pixels : int
        Long side wanted, in pixels: a larger picture is reduced to it, and a JPEG that is much larger is decoded at
        a half, a quarter or an eighth of its size to begin with. 0 keeps the full size.
    max_megapixels : int
        A picture with more pixels is refused before it is decoded.

    Returns
    -------
    Frame
        RGB, uint8, upright. Of an animation or a file of several pages, the first. Transparent parts show middle
        grey. A JPEG that is cut off in its last tenth is used as far as it goes; one that is cut off earlier, and
        a cut-off file of another format, is an error.

    Raises
    ------
    KnownError
        The file is missing, unreadable, empty, no picture, damaged, cut off or too large.
    """
    return read_bytes(_read(path), os.fspath(path), working_pixels=working_pixels, max_megapixels=max_megapixels)


def read_bytes(data: bytes, name: str, *, working_pixels: int = 0, max_megapixels: int = 200) -> Frame:
    """Decode a picture that is in memory, such as one that was pasted; `name` becomes the frame's source.

    Parameters, result and errors are those of `read_photo`.
    """
    try:
        if not data:
            raise BadPicture("The file is empty.", "Copy or download it again.")
        decoded = decode(data, working_pixels, max_megapixels)
    except BadPicture as problem:
        raise KnownError(f"{shown_name(name)} cannot be used.", problem.why, problem.do) from problem
    if decoded.cut_off:
        _log.warning("%s is cut off at its end; what is there was used", shown_name(name))
    height, width = decoded.pixels.shape[:2]
    return Frame(
        pixels=decoded.pixels,
        source=name,
        scale=max(height, width) / max(decoded.original_size),
        original_size=decoded.original_size,
        taken=decoded.taken,
    )


def exif_date(path: StrPath) -> datetime | None:
    """Return when a photo was taken, from its EXIF data, without decoding it.

    Raises
    ------
    KnownError
        The file cannot be read. One that is no picture, or has no date, gives None.
    """
    return read_exif(_read(path)).taken


def content_hash(path: StrPath) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal.

    Raises
    ------
    KnownError
        The file cannot be read.
    """
    try:
        _check_regular(path)
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _read(path: StrPath) -> bytes:
    try:
        size = _check_regular(path)
        # Without a buffer and in one go: each call of the system lets another thread take Python, and waits for it.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path would be made again for each photo
            data = file.read(size + 1)
            return data if len(data) == size else data + file.readall()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    except MemoryError as error:
        raise KnownError(
            f"{shown_name(path)} cannot be used.", "There is not enough memory for it.", "Close other programs."
        ) from error


def _check_regular(path: StrPath) -> int:
    """Refuse what is no file before it is opened: a named pipe would block for ever. Return its size in bytes."""
    status = os.stat(path)  # noqa: PTH116
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise KnownError(
            f"{shown_name(path)} cannot be used.", "It is a folder, not a photo.", "Choose a photo inside it."
        )
    if not stat.S_ISREG(mode):
        raise KnownError(f"{shown_name(path)} cannot be used.", "It is not an ordinary file.", "Choose a photo.")
    return status.st_size


def _unreadable(path: StrPath, error: OSError | ValueError) -> KnownError:
    """Say why a file could not be read."""
    what = f"{shown_name(path)} cannot be read."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return KnownError(what, "There is no such file.", "Check its name, and whether it was moved or deleted.")
    if isinstance(error, PermissionError):
        return KnownError(what, "You are not allowed to read it.", "Change its permissions, or copy it elsewhere.")
    if isinstance(error, ValueError):
        return KnownError(what, "Its name is not a valid file name.", "Check the name.")
    reason = error.strerror or str(error)
    return KnownError(what, f"The system says: {reason}.", "Check that its disk is connected, and try again.")


def photo_files(
    folders: Iterable[StrPath] | StrPath, *, include_hidden: bool = False, follow_links: bool = True
) -> Iterator[Path]:
    """Find the photos in folders and everything beneath them.

    Parameters
    ----------
    folders : path or iterable of paths
        A file among them is taken as it is, whatever its suffix.
    include_hidden : bool
        Whether hidden files and folders are taken, too.
    follow_links : bool
        Whether symbolic links to files and folders below are taken, too.

    Yields
    ------
    Path
        In the order of the names, folder by folder, each folder once: links are never followed in a
        circle. Folders that cannot be read are left out and logged.

    Raises
    ------
    KnownError
        One of `folders` does not exist. It is raised at once, not with the first file.
    """
    given = [folders] if isinstance(folders, str | os.PathLike) else list(folders)
    roots = [Path(folder) for folder in given]
    for root in roots:
        try:
            root.stat()
        except (OSError, ValueError) as error:
            raise KnownError(
                f"The folder {shown_name(root)} cannot be searched.",
                "There is no such folder, or its disk is not connected.",
                "Check its name.",
            ) from error
    return _walk(roots, include_hidden, follow_links)


def _walk(roots: list[Path], include_hidden: bool, links: bool) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    for root in roots:
        if not root.is_dir():
            yield root
            continue
        waiting = [root]
        while waiting:
            item = waiting.pop()
            entries = _entries(item, seen)
            waiting.extend(
                Path(entry.path)
                for entry in reversed(entries)
                if _is(entry, folder=True, links=links) and (include_hidden or not _hidden(entry))
            )
            yield from (
                Path(entry.path)
                for entry in entries
                if Path(entry.name).suffix.lower() in SUFFIXES
                and (include_hidden or not _hidden(entry))
                and _is(entry, folder=False, links=links)
            )


def _entries(folder: Path, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """Return what is in a folder, by name; nothing on a second visit or when it cannot be read."""
    try:
        status = folder.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            return []
        seen.add(identity)
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        _log.warning("the folder %s was left out: %s", shown_name(folder), error.strerror or error)
        return []


def _is(entry: os.DirEntry[str], *, folder: bool, links: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=links) if folder else entry.is_file(follow_symlinks=links)
    except OSError:
        return False


def _hidden(entry: os.DirEntry[str]) -> bool:
    """Tell whether a file is hidden: by a leading dot, or on Windows by its attribute."""
    if entry.name.startswith("."):
        return True
    try:
        attributes: int = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    except OSError:
        return False
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)
