"""The one kind of error that a person can mend.

Everything else that is raised is a bug: its traceback is kept and a report is offered.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["KnownError", "reason"]


class KnownError(Exception):
    """An error that the user can act on.

    Parameters
    ----------
    what : str
        What happened, one short sentence.
    why : str
        Why it happened, as far as the program knows; may be empty.
    do : str
        What the user can do about it.
    """

    def __init__(self, what: str, why: str = "", do: str = "") -> None:
        super().__init__(" ".join(part for part in (what, why, do) if part))
        self.what = what
        self.why = why
        self.do = do


def reason(error: KnownError, path: Path) -> str:
    """Return an error on a file in one line, without naming the file again."""
    named = (str(path), path.name)
    parts = (error.what, error.why, error.do)
    return " ".join(part for part in parts if part and not any(name in part for name in named)) or str(error)
