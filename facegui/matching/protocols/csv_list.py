"""Pair lists as CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from facegui.errors import KnownError
from facegui.matching.pairs import PairSet, assemble
from facegui.matching.protocols.text import empty, read_text, wrong

__all__ = ["read_csv"]

_WORDS = {
    "1": True, "true": True, "yes": True, "y": True, "same": True,
    "0": False, "false": False, "no": False, "n": False, "different": False,
}  # fmt: skip


def read_csv(file: Path) -> PairSet:
    """Read a list with the header ``path1,path2,same`` and, if wanted, ``fold``, ``person1`` and ``person2``.

    Columns may stand in any order, others are ignored; commas, semicolons or tabs; blank lines are skipped.
    `same` is 1 or 0, true or false, yes or no, same or different.

    Raises
    ------
    KnownError
        The file cannot be read, a column is missing, or a row is wrong: its number is named.
    """
    text = read_text(file)
    header = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: dict[str, int] = {}
    rows: list[tuple[str, str, bool]] = []
    folds: list[int] = []
    owners: dict[str, str] = {}
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns(file, cells)
                continue
            row = _csv_row(file, reader.line_num, cells, columns)
            rows.append(row)
            if "fold" in columns:
                folds.append(_fold(file, reader.line_num, cells[columns["fold"]]))
            if "person1" in columns:
                _note_owners(file, reader.line_num, row, cells, columns, owners)
    except csv.Error as error:
        raise wrong(file, reader.line_num, f"{error}.", "Check the quotation marks in this row.") from error
    if not columns:
        raise empty(file)
    if not rows:
        raise empty(file)
    return assemble(rows, folds or None, file.stem, owners or None)


def _columns(file: Path, cells: list[str]) -> dict[str, int]:
    names = [cell.strip().lower() for cell in cells]
    missing = [name for name in ("path1", "path2", "same") if name not in names]
    if missing:
        raise KnownError(
            f"{file.name} lacks the column {missing[0]}.",
            f"Its first row is: {', '.join(names)[:200]}.",
            "Start the list with a row that reads path1,path2,same.",
        )
    columns = {name: names.index(name) for name in ("path1", "path2", "same")}
    for name in ("fold", "folds"):
        if name in names:
            columns["fold"] = names.index(name)
    if "person1" in names and "person2" in names:
        columns |= {"person1": names.index("person1"), "person2": names.index("person2")}
    return columns


def _csv_row(file: Path, number: int, cells: list[str], columns: dict[str, int]) -> tuple[str, str, bool]:
    if len(cells) <= max(columns.values()):
        raise wrong(file, number, f"It has {len(cells)} of {max(columns.values()) + 1} columns.", "Complete the row.")
    first, second = cells[columns["path1"]].strip(), cells[columns["path2"]].strip()
    if not first or not second:
        raise wrong(file, number, "A path is empty.", "Name two photos.")
    word = cells[columns["same"]].strip().lower()
    if word not in _WORDS:
        raise wrong(
            file, number, f"The column same holds {word!r}.", "Write 1 for the same person and 0 for two people."
        )
    return first, second, _WORDS[word]


def _fold(file: Path, number: int, cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise wrong(file, number, f"The column fold holds {cell.strip()!r}.", "Write the number of the fold.") from None


def _note_owners(
    file: Path,
    number: int,
    row: tuple[str, str, bool],
    cells: list[str],
    columns: dict[str, int],
    owners: dict[str, str],
) -> None:
    names = [cells[columns[key]].strip() for key in ("person1", "person2")]
    if not all(names):
        raise wrong(file, number, "The name of a person is empty.", "Name both people, or leave the columns out.")
    if (names[0] == names[1]) != row[2]:
        raise wrong(file, number, "The names and the column same disagree.", "Correct one of them.")
    for path, name in zip(row[:2], names, strict=True):
        if owners.setdefault(path, name) != name:
            raise wrong(
                file, number, f"{path} was {owners[path]} before and is {name} here.", "Give each photo one name."
            )
