"""The two facts that facegui takes from EXIF: which way is up, and when the photo was taken.

The block is read here because a damaged one must neither stop a photo from being decoded nor print warnings. The
layout is that of TIFF 6.0 and of CIPA DC-008 (Exif 2.32).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Exif", "parse_exif"]

_PREFIX = b"Exif\x00\x00"
_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_DATE_TIME_DIGITIZED = 0x9004
_SHORT, _LONG = 3, 4
_ENTRY = 12
_DATE = re.compile(rb"\s*(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)")
_DATE_BYTES = 20


@dataclass(frozen=True, slots=True)
class Exif:
    """What an EXIF block says.

    Attributes
    ----------
    orientation : int
        1 (upright) .. 8, as EXIF counts.
    taken : datetime or None
        DateTimeOriginal, or DateTimeDigitized where that is absent; without a time zone.
    """

    orientation: int = 1
    taken: datetime | None = None


def parse_exif(block: bytes) -> Exif:
    r"""Read an EXIF block, or a whole TIFF file, which has the same layout.

    Parameters
    ----------
    block : bytes
        With or without the leading ``Exif\0\0``. Anything damaged in it counts as absent.
    """
    if block[: len(_PREFIX)] == _PREFIX:
        block = block[len(_PREFIX) :]
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return Exif()
    try:
        main = _entries(block, order, struct.unpack_from(order + "I", block, 4)[0])
        orientation = _number(block, order, main.get(_ORIENTATION))
        inner = _number(block, order, main.get(_EXIF_IFD))
        details = _entries(block, order, inner) if inner else {}
        taken = _date(block, order, details.get(_DATE_TIME_ORIGINAL)) or _date(
            block, order, details.get(_DATE_TIME_DIGITIZED)
        )
    except struct.error:
        return Exif()
    return Exif(orientation if orientation in range(1, 9) else 1, taken)


def _entries(block: bytes, order: str, start: int) -> dict[int, int]:
    """Return tag -> position of its twelve-byte entry."""
    if start + 2 > len(block):
        return {}
    (count,) = struct.unpack_from(order + "H", block, start)
    found: dict[int, int] = {}
    for position in range(start + 2, min(start + 2 + count * _ENTRY, len(block) - _ENTRY + 1), _ENTRY):
        found.setdefault(struct.unpack_from(order + "H", block, position)[0], position)
    return found


def _number(block: bytes, order: str, entry: int | None) -> int:
    """Return the whole number at an entry, 0 where there is none."""
    if entry is None:
        return 0
    (kind,) = struct.unpack_from(order + "H", block, entry + 2)
    if kind not in (_SHORT, _LONG):
        return 0
    return int(struct.unpack_from(order + ("H" if kind == _SHORT else "I"), block, entry + 8)[0])


def _date(block: bytes, order: str, entry: int | None) -> datetime | None:
    """Return the date at an entry; None where it is absent, blank or impossible."""
    if entry is None:
        return None
    (start,) = struct.unpack_from(order + "I", block, entry + 8)
    match = _DATE.match(block[start : start + _DATE_BYTES])
    if match is None:
        return None
    try:
        return datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None
