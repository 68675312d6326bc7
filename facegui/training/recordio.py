"""MXNet's RecordIO, read without MXNet: ``train.rec`` with ``train.idx``, as InsightFace's training sets come.

A record is the number 0xced7230a, a 32-bit length whose three highest bits say which part of a divided record it is,
the data, and zeros up to a multiple of four bytes; all little-endian. A record is divided where its data holds that
number itself, which is then left out. The data starts with a header (flag, label, two ids); a flag above 0 says that
so many float32 labels follow it. InsightFace's record 0 holds no picture, but where the records that list identities
start and end.
"""

from __future__ import annotations

import mmap
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError

__all__ = ["RecordFile"]

_MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", _MAGIC)
_LENGTH_BITS = 29
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_HEADER = struct.Struct("<IfQQ")


class RecordFile:
    """A file of labelled pictures.

    Parameters
    ----------
    file : Path
        The ``.rec``. The ``.idx`` beside it is used where it is there; otherwise the file is gone through once.

    Attributes
    ----------
    labels : array of int64, shape (n,)
        Label of each picture, as the file has it.

    Raises
    ------
    KnownError
        The file cannot be read or is damaged.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._data = self._opened()
        index = file.with_suffix(".idx")
        if index.is_file():
            keys, places = self._indexed(index)
        else:
            places = np.fromiter(self._offsets(), np.int64)
            keys = np.arange(len(places))
        self._places = places[self._pictures(keys, places)]
        # No list of millions of Python's numbers: it would take more memory than all the rest.
        labels = np.fromiter((self._label(int(place)) for place in self._places), np.float64, len(self._places))
        if not np.isfinite(labels).all():
            raise self._damaged(int(self._places[~np.isfinite(labels)][0]), "the label is no number")
        self.labels: NDArray[np.int64] = labels.astype(np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def __getstate__(self) -> dict[str, Any]:
        # A memory map does not travel to another process; places and labels do, or each would go through millions.
        return {name: value for name, value in vars(self).items() if name != "_data"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._data = self._opened()

    def _opened(self) -> mmap.mmap:
        try:
            if not self.file.stat().st_size:
                raise self._damaged(0, "it is empty")
            with self.file.open("rb") as opened:
                return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise KnownError(
                f"{self.file} cannot be read.", f"{error.strerror or error}.", "Check that it is a file you may read."
            ) from error

    def encoded(self, number: int) -> bytes:
        """Return a picture as it is stored, JPEG or PNG."""
        flag, _, rest = self._unpacked(int(self._places[number]))
        return rest[4 * flag :]

    def _damaged(self, place: int, why: str) -> KnownError:
        return KnownError(
            f"{self.file} is damaged.", f"At byte {place:,}: {why}.", "Get the file again, or compare its checksum."
        )

    def _record(self, place: int) -> tuple[bytes, int]:
        """Return the record that starts at a place, and where the next one starts."""
        parts: list[bytes] = []
        while True:
            if place + 8 > len(self._data):
                raise self._damaged(place, "it ends within a record")
            magic, length = struct.unpack_from("<II", self._data, place)
            if magic != _MAGIC:
                raise self._damaged(place, "no record starts here")
            kind, size = length >> _LENGTH_BITS, length & ((1 << _LENGTH_BITS) - 1)
            if kind > _LAST or (kind in (_WHOLE, _FIRST)) != (not parts):
                raise self._damaged(place, "the parts of a record are out of order")
            start = place + 8
            if start + size > len(self._data):
                raise self._damaged(place, "it ends within a record")
            parts.append(self._data[start : start + size])
            place = start + size + -size % 4
            if kind in (_WHOLE, _LAST):
                return _MAGIC_BYTES.join(parts), place

    def _unpacked(self, place: int) -> tuple[int, float, bytes]:
        data, _ = self._record(place)
        if len(data) < _HEADER.size:
            raise self._damaged(place, "the record is too short for its header")
        flag, label, _, _ = _HEADER.unpack_from(data)
        if 4 * flag > len(data) - _HEADER.size:
            raise self._damaged(place, "the record is too short for its labels")
        return flag, label, data[_HEADER.size :]

    def _many(self, place: int) -> tuple[float, ...]:
        flag, label, rest = self._unpacked(place)
        return struct.unpack_from(f"<{flag}f", rest) if flag else (label,)

    def _label(self, place: int) -> float:
        """Return the first label, from the head of the record alone where that is in one piece."""
        whole = place + 8 + _HEADER.size + 4 <= len(self._data)
        magic, length = struct.unpack_from("<II", self._data, place) if whole else (0, 0)
        if magic == _MAGIC and length >= _HEADER.size + 4 and length >> _LENGTH_BITS == _WHOLE:
            flag, label, _, _ = _HEADER.unpack_from(self._data, place + 8)
            return float(struct.unpack_from("<f", self._data, place + 8 + _HEADER.size)[0] if flag else label)
        return self._many(place)[0]

    def _offsets(self) -> Iterator[int]:
        place = 0
        while place < len(self._data):
            yield place
            _, place = self._record(place)

    def _indexed(self, index: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return keys and places of the records, by rising key."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # NumPy only warns where a text is no list of numbers
                keys, places = np.fromstring(index.read_text("ascii"), np.int64, sep=" ").reshape(-1, 2).T
        except (OSError, ValueError, DeprecationWarning) as error:
            raise KnownError(
                f"{index} cannot be used.", f"{error}.", "Take it away: the records are found without it, more slowly."
            ) from error
        if len(places) and (places.min() < 0 or places.max() >= len(self._data)):
            raise self._damaged(int(places.max()), f"{index.name} names a place outside of it")
        order = np.argsort(keys, kind="stable")
        return keys[order], places[order]

    def _pictures(self, keys: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which records hold pictures."""
        everything = np.ones(len(keys), bool)
        if not len(keys) or keys[0] != 0:
            return everything
        flag, _, rest = self._unpacked(int(places[0]))
        if not flag or len(rest) > 4 * flag:  # a picture, with one label or several
            return everything
        end = int(self._many(int(places[0]))[0])
        found = (keys >= 1) & (keys < end)
        missing = end - 1 - int(found.sum())
        if missing > 0:
            raise KnownError(
                f"{self.file} is incomplete.",
                f"Its first record speaks of {end - 1:,} pictures; {missing:,} of them are in no record that is known.",
                f"Get the file and {self.file.with_suffix('.idx').name} again.",
            )
        return found
