"""Lists as text: reading them, and what is said when one is wrong."""

from __future__ import annotations

from pathlib import Path

from facegui.errors import KnownError

__all__ = ["empty", "numbered", "read_text", "wrong"]


def read_text(file: Path) -> str:
    """Return the text of a list.

    Raises
    ------
    KnownError
        The file is missing, no text in UTF-8, or may not be read.
    """
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


def wrong(file: Path, row: int, why: str, do: str) -> KnownError:
    """Return the error on one row."""
    return KnownError(f"Row {row} of {file.name} cannot be understood.", why, do)


def empty(file: Path) -> KnownError:
    """Return the error on a list without pairs."""
    return KnownError(f"{file.name} holds no pairs.", "There is nothing to compare.", "Add at least one pair.")


def numbered(file: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank, with their numbers from 1."""
    lines = enumerate(read_text(file).splitlines(), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]
