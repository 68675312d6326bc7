"""Writes MXNet's RecordIO for tests, divided records and InsightFace's identity records included."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

MAGIC = struct.pack("<I", 0xCED7230A)


def record(data: bytes) -> bytes:
    """One record; where its data holds the magic number on a multiple of four bytes it is divided there."""
    parts, start = [], 0
    for place in range(0, len(data) - 3, 4):
        if data[place : place + 4] == MAGIC:
            parts.append(data[start:place])
            start = place + 4
    parts.append(data[start:])
    kinds = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    return b"".join(
        MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
        for kind, part in zip(kinds, parts, strict=True)
    )


def packed(labels: Sequence[float], data: bytes) -> bytes:
    if len(labels) == 1:
        return struct.pack("<IfQQ", 0, labels[0], 0, 0) + data
    return struct.pack(f"<IfQQ{len(labels)}f", len(labels), 0.0, 0, 0, *labels) + data


def write(file: Path, pictures: Sequence[tuple[int, bytes]], *, identities: bool = True, index: bool = True) -> Path:
    """Write pictures with their labels as InsightFace does: record 0 says where the identity records lie."""
    rows = [packed([float(label)], data) for label, data in pictures]
    if identities:
        people = sorted({label for label, _ in pictures})
        head = packed([len(rows) + 1.0, len(rows) + 1.0 + len(people)], b"")
        rows = [head, *rows, *(packed([1.0, 2.0], b"") for _ in people)]
    places, data = [], b""
    for row in rows:
        places.append(len(data))
        data += record(row)
    file.write_bytes(data)
    if index:
        file.with_suffix(".idx").write_text("".join(f"{key}\t{place}\n" for key, place in enumerate(places)))
    return file
