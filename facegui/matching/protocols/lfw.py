"""The list of Labeled Faces in the Wild."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegui.matching.pairs import PairSet, assemble, runs
from facegui.matching.protocols.text import empty, numbered, wrong

__all__ = ["read_lfw"]


def read_lfw(file: Path, pattern: str = "{name}/{name}_{number:04d}.jpg") -> PairSet:
    """Read ``pairs.txt`` of Labeled Faces in the Wild (View 2).

    The first line holds the number of folds and the pairs of each kind in a fold, or that number alone; then a
    row of three columns (name, number, number) is a same pair and one of four (name, number, name, number) a
    different pair. Where the rows are not as many as the first line says, its folds are not believed.

    Raises
    ------
    KnownError
        The file cannot be read or a row is wrong: its number is named.
    """
    lines = [(n, [cell.strip() for cell in line.split("\t" if "\t" in line else None)]) for n, line in numbered(file)]
    if not lines:
        raise empty(file)
    header = lines[0][1]
    if not all(cell.isdigit() for cell in header) or len(header) > 2:
        raise wrong(file, lines[0][0], "It should hold the number of pairs.", "Use the original pairs.txt.")
    per_kind = int(header[-1])
    rows: list[tuple[str, str, bool]] = []
    folds: list[int] = []
    owners: dict[str, str] = {}
    for place, (number, cells) in enumerate(lines[1:]):
        if len(cells) not in (3, 4) or not (cells[1].isdigit() and cells[-1].isdigit()):
            raise wrong(
                file, number, "It has neither three nor four columns of names and numbers.",
                "Use the original pairs.txt.",
            )  # fmt: skip
        other = cells[0] if len(cells) == 3 else cells[2]
        first = pattern.format(name=cells[0], number=int(cells[1]))
        second = pattern.format(name=other, number=int(cells[-1]))
        owners |= {first: cells[0], second: other}
        rows.append((first, second, len(cells) == 3))
        folds.append(place // max(1, 2 * per_kind))
    if not rows:
        raise empty(file)
    if len(header) < 2 or len(rows) != int(header[0]) * 2 * per_kind:
        folds = runs(np.array([row[2] for row in rows])).tolist()
    return assemble(rows, folds, "lfw", owners)
