"""The protocol of Celebrities in Frontal-Profile."""

from __future__ import annotations

from pathlib import Path

from facegui.matching.pairs import FOLDS, PairSet, assemble
from facegui.matching.protocols.text import empty, numbered, wrong

__all__ = ["read_cfp"]


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
            for number, line in numbered(file):
                a, _, b = line.partition(",")
                try:
                    pair = first[int(a)], second[int(b)]
                except (ValueError, KeyError):
                    raise wrong(
                        file, number, "It should hold two numbers of photos.", "Use the original protocol."
                    ) from None
                owners |= {path: path.split("/")[-3] for path in pair}
                rows.append((*pair, same))
                folds.append(fold)
    if not rows:
        raise empty(folder / "Split" / kind)
    return assemble(rows, folds, f"cfp-{kind.lower()}", owners)


def _cfp_list(folder: Path, letter: str) -> dict[int, str]:
    """Return path by number; the lists name photos as ``../Data/Images/001/frontal/01.jpg``."""
    file = folder / f"Pair_list_{letter}.txt"
    photos: dict[int, str] = {}
    for number, line in numbered(file):
        cells = line.split(maxsplit=1)
        if len(cells) != 2 or not cells[0].isdigit() or cells[1].count("/") < 2:
            raise wrong(file, number, "It should hold a number and a path.", "Use the original protocol.")
        photos[int(cells[0])] = cells[1].removeprefix("../")
    return photos
