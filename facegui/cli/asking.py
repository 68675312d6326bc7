"""Asking before something that cannot be undone."""

from __future__ import annotations

import sys

import typer

from facegui.cli.app import Run
from facegui.errors import KnownError

__all__ = ["confirm"]


def confirm(run: Run, yes: bool, question: str) -> None:
    """Ask before something that cannot be undone from the command line.

    Raises
    ------
    KnownError
        Nobody can be asked, or the answer was no.
    """
    if yes:
        return
    if run.output.as_json or not sys.stdin.isatty():
        raise KnownError("Nothing was changed.", question, "Add --yes to confirm.")
    if not typer.confirm(question, err=True):
        raise KnownError("Nothing was changed.")
