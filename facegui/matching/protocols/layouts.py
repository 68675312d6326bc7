"""Telling by a file or folder which protocol it is, and where its photos lie."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facegui.errors import KnownError
from facegui.matching.pairs import PairSet
from facegui.matching.protocols.cfp import read_cfp
from facegui.matching.protocols.csv_list import read_csv
from facegui.matching.protocols.folders import pair_people
from facegui.matching.protocols.insightface_bin import read_bin
from facegui.matching.protocols.lfw import read_lfw
from facegui.matching.protocols.lists import (
    looks_like_one_line,
    looks_like_two_lines,
    read_one_line,
    read_two_lines,
)
from facegui.matching.protocols.text import numbered

__all__ = ["KINDS", "Opened", "open_protocol", "read_pairs"]

KINDS = ("csv", "lfw", "cfp-ff", "cfp-fp", "agedb", "calfw", "cplfw", "bin", "folders")
"""What `open_protocol` can be told to take a file or folder for."""

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_OTHERS = (".jpe", ".jfif", ".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".jp2", ".ppm", ".pgm", ".tga")
_TRIED = 8  # photos by which the folder is found
_DEPTH = 3
_CROPS = "112x112"
_PREPARED = "prepared.csv"  # what `facegui train prepare` leaves with its crops


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A protocol ready to be run.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    pairs : PairSet
    root : Path
        Where relative paths start.
    pictures : tuple of bytes or None
        The encoded pictures in the order of ``pairs.paths``, where the file itself holds them.
    aligned : bool
        Whether the photos are aligned crops, in which no face is to be looked for.
    unnamed : tuple of str
        Photos that were left out because they say nobody's name.
    without_crop : int
        Photos that no crop was made of, because they showed no face or could not be read. They are in no pair.
    """

    kind: str
    pairs: PairSet
    root: Path
    pictures: tuple[bytes, ...] | None = None
    aligned: bool = False
    unnamed: tuple[str, ...] = ()
    without_crop: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the photos lie; of a set that holds them itself, the set and the number of the picture."""
        return self.pairs.with_root(self.root)


def read_pairs(path: Path) -> PairSet:
    """Read a pair list of any known format, told by its name and first row.

    Raises
    ------
    KnownError
        The file cannot be read or understood.
    """
    if path.is_dir():
        raise KnownError(
            f"{path} is a folder.", "A pair list is a file.", "Name a CSV file with the header path1,path2,same."
        )
    return _read_list(path, _kind_of_list(path))


def open_protocol(source: Path, kind: str | None = None, root: Path | None = None) -> Opened:
    """Open a protocol: a list, a set of InsightFace, or a folder with either, or with one folder per person.

    Parameters
    ----------
    source : Path
    kind : str or None
        One of `KINDS`; None to find out.
    root : Path or None
        Where the paths of a list start; None to find out: the list's own folder or one below it.

    Raises
    ------
    KnownError
        Nothing is there, it cannot be understood, or it holds several protocols and none was chosen.
    """
    if kind is not None and kind not in KINDS:
        raise KnownError(f"{kind} is no protocol.", "", f"Choose one of: {', '.join(KINDS)}.")
    if not source.exists():
        raise KnownError(f"{source} was not found.", "There is no such file or folder.", "Check its name.")
    if source.is_dir():
        return _open_folder(source, kind, root)
    if kind == "bin" or (kind is None and source.suffix.lower() == ".bin"):
        pairs, pictures = read_bin(source)
        return Opened("bin", pairs, source, pictures, aligned=True)
    if kind in ("cfp-ff", "cfp-fp", "folders"):
        raise KnownError(f"{source.name} is a file.", f"{kind} is a folder.", "Name the folder.")
    kind = kind or _kind_of_list(source)
    pairs = _read_list(source, kind)
    pairs, where = _placed(pairs, source.parent, root)
    crops = _CROPS in pairs.paths[0] or _CROPS in str(where)
    return Opened(kind, pairs, where, aligned=crops)


def _kind_of_list(file: Path) -> str:
    """Tell the format of a list by its first rows."""
    lines = [line for _, line in numbered(file)[:2]]
    if not lines:
        return "csv"
    if all(cell.isdigit() for cell in lines[0].split()):
        return "lfw"
    name = file.name.lower()
    known = next((kind for kind in ("agedb", "calfw", "cplfw") if kind in name.replace("_", "")), None)
    if "path1" in lines[0].lower():
        return "csv"
    if looks_like_one_line(lines[0]):
        return known or "agedb"
    if looks_like_two_lines(lines[0]):
        return known or "calfw"
    return "csv"


def _read_list(file: Path, kind: str) -> PairSet:
    if kind == "lfw":
        return replace(read_lfw(file), name=file.stem)
    if kind in ("agedb", "calfw", "cplfw"):
        lines = numbered(file)
        two = bool(lines) and looks_like_two_lines(lines[0][1]) and not looks_like_one_line(lines[0][1])
        return read_two_lines(file) if two else read_one_line(file)
    return replace(read_csv(file), name=file.stem)


# --- folders ------------------------------------------------------------------------------------------------------


def _open_folder(folder: Path, kind: str | None, root: Path | None) -> Opened:
    protocol = next((place for place in (folder / "Protocol", folder) if (place / "Pair_list_F.txt").is_file()), None)
    above = folder.absolute().parent.parent
    if protocol is None and folder.name.upper() in ("FF", "FP") and (above / "Pair_list_F.txt").is_file():
        protocol, kind = above, kind or f"cfp-{folder.name.lower()}"
    if kind in ("cfp-ff", "cfp-fp"):
        protocol = protocol or folder / "Protocol"
        pairs, where = _placed(read_cfp(protocol, kind[-2:].upper()), protocol.parent, root)
        return Opened(kind, pairs, where)
    if kind == "folders":
        return _open_people(folder)
    if protocol is not None and kind is None:
        raise KnownError(
            f"{folder.name} holds two protocols.",
            "CFP compares frontal photos with frontal (FF) and with profile photos (FP).",
            "Name its folder Protocol/Split/FF or Protocol/Split/FP, or say --protocol cfp-ff or --protocol cfp-fp.",
        )
    lists = _lists_in(folder, kind)
    if len(lists) == 1:
        return open_protocol(lists[0], kind, root)
    if lists:
        raise KnownError(
            f"{folder.name} holds several lists.",
            f"They are: {', '.join(file.name for file in lists[:12])}.",
            "Name the one to be used.",
        )
    if kind is not None:
        raise KnownError(
            f"{folder.name} holds no list of the kind {kind}.", "", "Name the list itself, or another protocol."
        )
    return _open_people(folder)


def _lists_in(folder: Path, kind: str | None) -> list[Path]:
    """Return the files of a folder that could be pair lists or sets, of one kind or any."""
    found = []
    for file in sorted(folder.iterdir()):
        name = file.name.lower()
        plain = name.replace("_", "")
        if not file.is_file():
            continue
        if file.suffix.lower() == ".bin":
            found += [file] if kind in (None, "bin") else []
        elif file.suffix.lower() in (".txt", ".csv") and ("pair" in plain or name.endswith("_ann.txt")):
            mine = kind is None or _kind_of_list(file) == kind
            found += [file] if mine and kind != "bin" else []
    return found


def _open_people(folder: Path) -> Opened:
    """Make pairs of a folder with one folder per person; folders called frontal and profile are no people."""
    paths, people, unnamed = [], [], []
    for path in _photos(folder):
        inside = path.relative_to(folder)
        parts = [part for part in inside.parts[:-1] if part.lower() not in ("frontal", "profile")]
        if parts:
            paths.append(inside.as_posix())
            people.append("/".join(parts))
        else:
            unnamed.append(inside.as_posix())
    pairs = pair_people(paths, people, name=folder.resolve().name)
    prepared = (folder / _PREPARED).is_file()
    return Opened(
        "folders", pairs, folder, aligned=prepared or _CROPS in folder.resolve().name, unnamed=tuple(unnamed),
        without_crop=_without_crop(folder / _PREPARED) if prepared else 0,
    )  # fmt: skip


def _without_crop(file: Path) -> int:
    with file.open(encoding="utf-8", errors="replace", newline="") as rows:
        return sum(not row.get("crop") for row in csv.DictReader(rows))


def _photos(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith((*_SUFFIXES, *_OTHERS)) and not name.startswith("."):
                yield Path(place) / name


def _placed(pairs: PairSet, start: Path, root: Path | None) -> tuple[PairSet, Path]:
    """Find where the photos of a list lie, and with which suffix; as they are where they cannot be found.

    The photos of known sets lie beside the list, or in a folder below it with a name that varies
    (``images``, ``aligned images``, ``lfw-deepfunneled``, ``agedb_30_112x112``), each person in a folder or all in one.
    """
    if Path(pairs.paths[0]).is_absolute():
        return pairs, root or start
    step = max(1, len(pairs.paths) // _TRIED)
    places = [root] if root is not None else list(_folders_below(start))
    for paths in _spellings(pairs.paths):
        tried = paths[::step][:_TRIED]
        for where in places:
            for suffix in (None, *_SUFFIXES):
                named = [_with_suffix(path, suffix) for path in tried]
                if sum((where / path).is_file() for path in named) * 2 > len(named):
                    return replace(pairs, paths=tuple(_with_suffix(path, suffix) for path in paths)), where
    return pairs, root or start


def _spellings(paths: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Give the paths as they are, as Windows writes them, and without their folders where that leaves them apart."""
    yield paths
    plain = tuple(path.replace("\\", "/") for path in paths)
    if plain != paths:
        yield plain
    names = tuple(path.rpartition("/")[2] for path in plain)
    if names != plain and len(set(names)) == len(names):
        yield names


def _with_suffix(path: str, suffix: str | None) -> str:
    return path if suffix is None else str(Path(path).with_suffix(suffix).as_posix())


def _folders_below(start: Path) -> Iterator[Path]:
    """Give a folder, the one above it, and those below it, nearest first."""
    yield start
    level: Sequence[Path] = [start]
    for _ in range(_DEPTH):
        below: list[Path] = []
        for place in level:
            with contextlib.suppress(OSError), os.scandir(place) as entries:
                below += [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        yield from sorted(below)
        level = below
    yield start.parent
