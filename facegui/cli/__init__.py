"""The command line: `facegui VERB ...`, and the window when no verb is given."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the entry point of ``facegui``.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        0 yes or done, 1 a decided "no match", 2 an error that the user can mend, 3 unsure, 70 a fault of the
        program, 130 interrupted, 141 nobody reads the output any more.
    """
    from facegui.cli.app import run

    return run(argv)
