"""The plain lists of CALFW, CPLFW and AgeDB-30, as their makers and others pass them on.

- Two lines per pair, ``Name_0001.jpg 1`` and ``Name_0003.jpg 1``: the original lists of Cross-Age LFW (Zheng et al.,
  2017) and Cross-Pose LFW (Zheng and Deng, 2018). The number is the fold of a same pair, or 0 for a different pair.
- One line per pair, ``1 folder/a.jpg folder/b.jpg`` or with the label last: the lists that go with folders of
  aligned crops (``agedb_30_ann.txt`` and the like).

Neither names the folds of all pairs. They are the tenths of the same and of the different pairs in the order of the
list, 300 and 300 in the whole sets, as FaceX-Zoo and others evaluate them.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np

from facegui.matching.pairs import FOLDS, PairSet, assemble, runs
from facegui.matching.protocols.text import empty, numbered, wrong

__all__ = ["looks_like_one_line", "looks_like_two_lines", "read_one_line", "read_two_lines"]

_LABELS = {"1": True, "0": False, "-1": False}
# 1024_CarlReiner_62_m.jpg, as AgeDB names its photos: number, name, age, sex.
_AGEDB_NAME = re.compile(r"\d+_(?P<name>.+)_\d+_[fm]", re.IGNORECASE)
# Carl_Reiner_0003.jpg, as the LFW family does.
_LFW_NAME = re.compile(r"(?P<name>.*\D)_\d+")

Row = tuple[str, str, bool]


def _cells(line: str) -> list[str]:
    """Split a line at its tabs, its commas or its spaces; with one of the former, names may hold spaces."""
    for sign in "\t,":
        if line.count(sign) == 2:
            return [cell.strip() for cell in line.split(sign)]
    return line.replace(",", " ").split()


def looks_like_two_lines(line: str) -> bool:
    """Tell whether a line is half a pair: a photo and a number."""
    name, _, number = line.strip().replace("\t", " ").rpartition(" ")
    return number.isdigit() and "." in PurePosixPath(name.strip()).name


def looks_like_one_line(line: str) -> bool:
    """Tell whether a line is a pair with its label first or last."""
    cells = _cells(line)
    return len(cells) == 3 and (cells[0] in _LABELS) != (cells[2] in _LABELS)


def read_two_lines(file: Path) -> PairSet:
    """Read the original list of CALFW or CPLFW.

    Same pairs keep the folds that their numbers name, where these differ; the list gives none for different pairs.

    Raises
    ------
    KnownError
        The file cannot be read, or the two lines of a pair do not go together.
    """
    lines = numbered(file)
    if not lines:
        raise empty(file)
    halves: list[tuple[int, str, int]] = []
    for number, line in lines:
        if not looks_like_two_lines(line):
            raise wrong(file, number, "It should hold a photo and a number.", "Use the original list.")
        name, _, digits = line.replace("\t", " ").rpartition(" ")
        halves.append((number, name.strip(), int(digits)))
    if len(halves) % 2:
        raise wrong(file, halves[-1][0], "Its pair lacks the second photo.", "Use the original list.")
    rows: list[Row] = []
    tokens: list[int] = []
    for (_, first, token), (number, second, again) in zip(halves[::2], halves[1::2], strict=True):
        if token != again:
            raise wrong(file, number, f"It says {again}, the line before says {token}.", "Use the original list.")
        rows.append((first, second, token > 0))
        tokens.append(token)
    named = np.array(tokens)
    same = named > 0
    count = len(np.unique(named[same]))
    folds = runs(same, count if count > 1 else FOLDS)
    if count > 1:
        folds[same] = np.unique(named[same], return_inverse=True)[1]
    return assemble(rows, folds.tolist(), file.stem, _owners(rows))


def read_one_line(file: Path) -> PairSet:
    """Read a list with one pair a line: label, path, path, or the label last.

    Raises
    ------
    KnownError
        The file cannot be read or a row is wrong: its number is named.
    """
    rows: list[Row] = []
    for number, line in numbered(file):
        if not looks_like_one_line(line):
            raise wrong(file, number, "It should hold two photos and 1 or 0.", "Write 1 first.jpg second.jpg.")
        cells = _cells(line)
        label, first, second = cells if cells[0] in _LABELS else (cells[2], cells[0], cells[1])
        rows.append((first, second, _LABELS[label]))
    if not rows:
        raise empty(file)
    return assemble(rows, runs(np.array([row[2] for row in rows])).tolist(), file.stem, _owners(rows))


def _owners(rows: list[Row]) -> dict[str, str] | None:
    """Return who is on each photo by its name, or None where the names do not tell the same as the labels."""
    names: dict[str, str] = {}
    for path in dict.fromkeys(path for row in rows for path in row[:2]):
        stem = PurePosixPath(path).stem
        match = _AGEDB_NAME.fullmatch(stem) or _LFW_NAME.fullmatch(stem)
        if match is None:
            return None
        names[path] = match["name"]
    agree = all((names[first] == names[second]) == same for first, second, same in rows)
    return names if agree else None
