"""Readers of pair lists: which photos are to be compared, and whether they show one person.

Every format becomes one `PairSet`, so that the evaluation knows nothing of formats.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from facegui.errors import KnownError
from facegui.matching.pairs import FOLDS, PairSet, assemble

__all__ = ["read_cfp", "read_csv", "read_lfw", "read_pairs"]

_WORDS = {
    "1": True, "true": True, "yes": True, "y": True, "same": True,
    "0": False, "false": False, "no": False, "n": False, "different": False,
}  # fmt: skip


def _read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise KnownError(
            f"{file} was not found.", "There is no such file.", "Check the name of the pair list."
        ) from None
    except UnicodeDecodeError:
        raise KnownError(
            f"{file} cannot be read.", "It is not text in UTF-8.", "Save the pair list as UTF-8 text."
        ) from None
    except OSError as error:
        raise KnownError(
            f"{file} cannot be read.", f"{error.strerror or error}.", "Check that it is a file you may read."
        ) from error


def _wrong(file: Path, row: int, why: str, do: str) -> KnownError:
    return KnownError(f"Row {row} of {file.name} cannot be understood.", why, do)


def _empty(file: Path) -> KnownError:
    return KnownError(f"{file.name} holds no pairs.", "There is nothing to compare.", "Add at least one pair.")


def read_csv(file: Path) -> PairSet:
    """Read a list with the header ``path1,path2,same`` and, if wanted, ``fold``, ``person1`` and ``person2``.

    Columns may stand in any order, others are ignored; commas, semicolons or tabs; blank lines are skipped.
    `same` is 1 or 0, true or false, yes or no, same or different.

    Raises
    ------
    KnownError
        The file cannot be read, a column is missing, or a row is wrong: its number is named.
    """
    text = _read_text(file)
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
        raise _wrong(file, reader.line_num, f"{error}.", "Check the quotation marks in this row.") from error
    if not columns:
        raise _empty(file)
    if not rows:
        raise _empty(file)
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
        raise _wrong(file, number, f"It has {len(cells)} of {max(columns.values()) + 1} columns.", "Complete the row.")
    first, second = cells[columns["path1"]].strip(), cells[columns["path2"]].strip()
    if not first or not second:
        raise _wrong(file, number, "A path is empty.", "Name two photos.")
    word = cells[columns["same"]].strip().lower()
    if word not in _WORDS:
        raise _wrong(
            file, number, f"The column same holds {word!r}.", "Write 1 for the same person and 0 for two people."
        )
    return first, second, _WORDS[word]


def _fold(file: Path, number: int, cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise _wrong(
            file, number, f"The column fold holds {cell.strip()!r}.", "Write the number of the fold."
        ) from None


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
        raise _wrong(file, number, "The name of a person is empty.", "Name both people, or leave the columns out.")
    if (names[0] == names[1]) != row[2]:
        raise _wrong(file, number, "The names and the column same disagree.", "Correct one of them.")
    for path, name in zip(row[:2], names, strict=True):
        if owners.setdefault(path, name) != name:
            raise _wrong(
                file, number, f"{path} was {owners[path]} before and is {name} here.", "Give each photo one name."
            )


def read_lfw(file: Path, pattern: str = "{name}/{name}_{number:04d}.jpg") -> PairSet:
    """Read ``pairs.txt`` of Labeled Faces in the Wild (View 2).

    The first line holds the number of folds and the pairs of each kind in a fold, or that number alone; then a
    row of three columns (name, number, number) is a same pair and one of four (name, number, name, number) a
    different pair.

    Raises
    ------
    KnownError
        The file cannot be read or a row is wrong: its number is named.
    """
    lines = [(n, line.split("\t" if "\t" in line else None)) for n, line in _numbered(file)]
    if not lines:
        raise _empty(file)
    header = lines[0][1]
    if not all(cell.strip().isdigit() for cell in header) or len(header) > 2:
        raise _wrong(file, lines[0][0], "It should hold the number of pairs.", "Use the original pairs.txt.")
    per_kind = int(header[-1])
    rows: list[tuple[str, str, bool]] = []
    folds: list[int] = []
    owners: dict[str, str] = {}
    for place, (number, cells) in enumerate(lines[1:]):
        if len(cells) not in (3, 4) or not (cells[1].isdigit() and cells[-1].isdigit()):
            raise _wrong(
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
        raise _empty(file)
    return assemble(rows, folds if len(set(folds)) > 1 else None, "lfw", owners)


def _numbered(file: Path) -> list[tuple[int, str]]:
    lines = enumerate(_read_text(file).splitlines(), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def read_cfp(folder: Path, kind: str) -> PairSet:
    """Read the protocol of Celebrities in Frontal-Profile.

    Parameters
    ----------
    folder : Path
        The folder ``Protocol`` with ``Pair_list_F.txt``, ``Pair_list_P.txt`` and ``Split/FF|FP/01..10/``.
    kind : str
        ``"FF"`` (frontal against frontal) or ``"FP"`` (frontal against profile).

    Raises
    ------
    KnownError
        A file is missing or a row is wrong.
    """
    first, second = _cfp_list(folder, kind[0]), _cfp_list(folder, kind[1])
    rows: list[tuple[str, str, bool]] = []
    folds: list[int] = []
    owners: dict[str, str] = {}
    for fold in range(FOLDS):
        for name, same in (("same.txt", True), ("diff.txt", False)):
            file = folder / "Split" / kind / f"{fold + 1:02d}" / name
            for number, line in _numbered(file):
                a, _, b = line.partition(",")
                try:
                    pair = first[int(a)], second[int(b)]
                except (ValueError, KeyError):
                    raise _wrong(
                        file, number, "It should hold two numbers of photos.", "Use the original protocol."
                    ) from None
                owners |= {path: path.split("/")[-3] for path in pair}
                rows.append((*pair, same))
                folds.append(fold)
    if not rows:
        raise _empty(folder / "Split" / kind)
    return assemble(rows, folds, f"cfp-{kind.lower()}", owners)


def _cfp_list(folder: Path, letter: str) -> dict[int, str]:
    """Return path by number; the lists name photos as ``../Data/Images/001/frontal/01.jpg``."""
    file = folder / f"Pair_list_{letter}.txt"
    photos: dict[int, str] = {}
    for number, line in _numbered(file):
        cells = line.split(maxsplit=1)
        if len(cells) != 2 or not cells[0].isdigit() or cells[1].count("/") < 2:
            raise _wrong(file, number, "It should hold a number and a path.", "Use the original protocol.")
        photos[int(cells[0])] = cells[1].removeprefix("../")
    return photos


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
    lines = _numbered(path)
    is_lfw = bool(lines) and all(cell.isdigit() for cell in lines[0][1].split())
    pairs = read_lfw(path) if is_lfw else read_csv(path)
    return replace(pairs, name=path.stem)
