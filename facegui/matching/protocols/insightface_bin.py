"""InsightFace's verification sets, ``lfw.bin`` and the like: pictures and truth in one pickle, read without running it.

The file holds a list of encoded pictures (aligned crops, 112 by 112), first and second of each pair in turn, and a
list with one truth value per pair. The folds are ten runs of neighbouring pairs, as in InsightFace's own evaluation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facegui.errors import KnownError
from facegui.matching.pairs import FOLDS, PairSet, assemble
from facegui.matching.protocols.plain_pickle import UnsafeError, read_plain

__all__ = ["read_bin"]


def read_bin(file: Path) -> tuple[PairSet, tuple[bytes, ...]]:
    """Read a set.

    Parameters
    ----------
    file : Path

    Returns
    -------
    PairSet
        Its paths are the numbers of the pictures, ``00001``. Pictures with the same bytes are one photo.
    tuple of bytes
        The encoded pictures, in the order of the paths.

    Raises
    ------
    KnownError
        The file cannot be read, is damaged, or holds anything but lists, arrays and bytes.
    """
    try:
        data = file.read_bytes()
        value = read_plain(data)
    except OSError as error:
        raise KnownError(
            f"{file} cannot be read.", f"{error.strerror or error}.", "Check that it is a file you may read."
        ) from error
    except UnsafeError as error:
        raise KnownError(
            f"{file.name} was not opened.",
            f"It is a pickle, and {error}.",
            "Nothing of it was run. Get the set from its makers, and open this file with no other program.",
        ) from error
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise _not_a_set(file, "It should hold a list of pictures and a list of truths.")
    pictures, same = _pictures(file, value[0], len(data)), _truth(file, value[1])
    if len(pictures) != 2 * len(same) or not pictures:
        raise _not_a_set(file, f"It holds {len(pictures):,} pictures and {len(same):,} truths.")
    names: dict[bytes, str] = {}
    for place, picture in enumerate(pictures):
        names.setdefault(picture, f"{place + 1:05d}")
    rows = [
        (names[pictures[2 * k]], names[pictures[2 * k + 1]], truth) for k, truth in enumerate(same)
    ]  # fmt: skip
    parts = np.array_split(np.arange(len(same)), FOLDS)  # the first ones are longer where it does not come out even
    folds = [number for number, part in enumerate(parts) for _ in part] if len(same) >= FOLDS else None
    pairs = assemble(rows, folds, file.stem)
    by_name = {name: picture for picture, name in names.items()}
    return pairs, tuple(by_name[path] for path in pairs.paths)


def _not_a_set(file: Path, why: str) -> KnownError:
    return KnownError(f"{file.name} is not a verification set.", why, "Choose a .bin file made by InsightFace.")


def _pictures(file: Path, found: Any, room: int) -> list[bytes]:
    if isinstance(found, np.ndarray) and found.ndim == 2:
        found = list(found)
    if not isinstance(found, list | tuple):
        raise _not_a_set(file, "Its pictures are no list.")
    made: list[bytes] = []
    known: dict[int, bytes] = {}  # a picture may be named many times, and is copied once
    for place, item in enumerate(found):
        if isinstance(item, np.ndarray) and item.dtype == np.uint8 and item.ndim == 1:
            if id(item) not in known:
                room -= item.nbytes
                if room < 0:  # arrays may lie one upon the other
                    raise _not_a_set(file, "Its pictures are more than the file.")
                known[id(item)] = item.tobytes()
            item = known[id(item)]
        if not isinstance(item, bytes):
            raise _not_a_set(file, f"Its picture {place + 1:,} is not an encoded picture.")
        made.append(item)
    return made


def _truth(file: Path, found: Any) -> list[bool]:
    values = found.tolist() if isinstance(found, np.ndarray) else found
    if not isinstance(values, list | tuple):
        raise _not_a_set(file, "Its truths are no list.")
    made = [bool(value) for value in values if isinstance(value, bool | int | np.bool_ | np.integer)]
    if len(made) != len(values):
        raise _not_a_set(file, "Its truths are not all true or false.")
    return made
