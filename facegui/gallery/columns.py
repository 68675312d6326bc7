"""Column types that say how a value of the chain lies in the database.

Each is portable: a plain type that SQLite and PostgreSQL both have, and a conversion that loses nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import DateTime, Dialect, LargeBinary, String, Text
from sqlalchemy.types import TypeDecorator

from facegui.faces.types import Landmarks, Vector

__all__ = ["LandmarksColumn", "ModelHash", "PathColumn", "UtcColumn", "VectorColumn", "escape_path", "unescape_path"]

_FLOAT = np.dtype("<f4")
_POINTS = (5, 2)
_HASH_LENGTH = 64

# A path may hold lone surrogates: Python's stand-ins for bytes that are not UTF-8 (Linux) and for unpaired
# UTF-16 units (Windows). No database stores those, so each is written as a noncharacter and four hex digits.
_MARK = "\ufdd0"
_TO_ESCAPE = re.compile(f"[\ud800-\udfff{_MARK}]")
_ESCAPED = re.compile(f"{_MARK}([0-9a-f]{{4}})")


def escape_path(path: str) -> str:
    """Return `path` as it lies in the database: valid Unicode, different for different paths.

    The conversion works character by character, so a path that begins with a folder still does afterwards.
    """
    return _TO_ESCAPE.sub(lambda match: f"{_MARK}{ord(match[0]):04x}", path)


def unescape_path(stored: str) -> str:
    """Return the path that `escape_path` made this of."""
    if _MARK not in stored:  # nearly always
        return stored
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), stored)


class PathColumn(TypeDecorator[str]):
    """A file path, or the name of another source, as Python's ``os`` functions give it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002, D102
        return None if value is None else escape_path(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:  # noqa: ARG002, D102
        return None if value is None else unescape_path(value)


class VectorColumn(TypeDecorator[Vector]):
    """A float32 vector, shape (d,), as little-endian bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Vector | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002, D102
        return None if value is None else np.ascontiguousarray(value, dtype=_FLOAT).tobytes()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Vector | None:  # noqa: ARG002, D102
        return None if value is None else np.frombuffer(value, dtype=_FLOAT)


class LandmarksColumn(TypeDecorator[Landmarks]):
    """Five points (x, y), float32, shape (5, 2), as 40 little-endian bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Landmarks | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002, D102
        return None if value is None else np.ascontiguousarray(value, dtype=_FLOAT).reshape(_POINTS).tobytes()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Landmarks | None:  # noqa: ARG002, D102
        return None if value is None else np.frombuffer(value, dtype=_FLOAT).reshape(_POINTS)


class UtcColumn(TypeDecorator[datetime]):
    """A moment, aware of its time zone in Python, in UTC in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102
        return None if value is None else value.replace(tzinfo=UTC)


class ModelHash(TypeDecorator[str]):
    """A sha256 as 64 hexadecimal digits: the id of a model or of a file's content."""

    impl = String(_HASH_LENGTH)
    cache_ok = True
