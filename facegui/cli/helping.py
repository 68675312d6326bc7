"""The help texts: verbs by their group, the options that all verbs share apart from a verb's own.

Typer's own pages need Rich's Markdown and a syntax highlighter, which take longer to import than all the rest.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

__all__ = ["SHARED", "Verb", "Verbs"]

SHARED = "Options of every verb"
_GAP = 2
_FIRST_COLUMN = 26


def _write_parameters(command: Any, context: Any, formatter: Any) -> None:
    """Write arguments, options and shared options, each under its own heading."""
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], SHARED: []}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None:
            continue
        names, words = record
        if parameter.param_type_name == "argument":
            # The name says what it is; the type in Python's words says nothing to a user.
            sections["Arguments"].append((names.partition(" <")[0], words))
        else:
            shared = getattr(parameter, "rich_help_panel", None) == SHARED
            sections[SHARED if shared else "Options"].append((names, words))
    for heading, rows in sections.items():
        _write(formatter, heading, rows)


def _write(formatter: Any, heading: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(typer.style(heading, bold=True)):
            formatter.write_dl(rows, col_max=_FIRST_COLUMN, col_spacing=_GAP)


class Verb(TyperCommand):
    """A verb."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the arguments as they were named, without brackets of Typer's own."""
        arguments = [p for p in self.get_params(ctx) if p.param_type_name == "argument"]
        return ["[OPTIONS]", *(str(p.metavar or str(p.name).upper()) for p in arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the parameters."""
        _write_parameters(self, ctx, formatter)


class Verbs(TyperGroup):
    """A group of verbs, which the help lists under the headings that they were given."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs and the parameters."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None) or "Verbs"
            words = (command.help or "").strip().partition("\n")[0]
            panels.setdefault(str(panel), []).append((name, words))
        for heading, rows in panels.items():
            _write(formatter, heading, rows)
        _write_parameters(self, ctx, formatter)
