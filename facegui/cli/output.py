"""What goes to the terminal: one answer on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from facegui.errors import KnownError
    from facegui.jobs import Job, Partial, Progress

__all__ = ["MARKS", "Output", "many", "plain", "shown", "table"]

T = TypeVar("T")

MARKS = {"match": ("✓ Match", "green"), "unsure": ("? Unsure", "yellow"), "no match": ("✕ No match", "red")}
"""Words, shape and colour of each outcome."""

_PIPED_WIDTH = 10_000
_BAR_WIDTH = 24


def shown(path: str | os.PathLike[str]) -> str:
    """Return a path as it can be shown: bytes that are no text and control characters are replaced."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: lists, no NaN, paths as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def table(
    *columns: str,
    rows: Iterable[Sequence[Any]] = (),
    right: Sequence[int] = (),
    whole: Sequence[int] = (),
    title: str = "",
    caption: str = "",
) -> RenderableType:
    """Return a table without vertical lines.

    Parameters
    ----------
    columns : str
        Their headings; none is shown when all are empty.
    rows : iterable of sequences
        Text is taken literally.
    right, whole : sequence of int
        Columns of numbers, and others that are never broken over lines.
    title, caption : str
    """
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD, show_header=any(columns), show_edge=False, pad_edge=False,
        title=title or None, caption=caption or None, title_justify="left", caption_justify="left",
        header_style="bold", title_style="bold", caption_style="dim",
    )  # fmt: skip
    for number, name in enumerate(columns):
        justify: Literal["left", "right"] = "right" if number in right else "left"
        made.add_column(name, justify=justify, overflow="fold", no_wrap=number in (*right, *whole))
    for row in rows:
        made.add_row(*(cell if not isinstance(cell, str) else _text(cell) for cell in row))
    return made


def _text(cell: str) -> RenderableType:
    from rich.text import Text

    return Text(cell)


class Output:
    """The two streams and how much is said on them.

    Parameters
    ----------
    as_json : bool
        One JSON document on standard output and nothing else.
    quiet : bool
        Neither progress nor remarks.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._consoles: dict[bool, Console] = {}

    def console(self, *, error: bool = False) -> Console:
        """Return standard output, or standard error, as a Rich console that takes text literally."""
        if error not in self._consoles:
            from rich.console import Console

            class Literal(Console):
                def on_broken_pipe(self) -> None:
                    raise BrokenPipeError

            made = Literal(stderr=error, markup=False, highlight=False, emoji=False, soft_wrap=False)
            if not made.is_terminal and "COLUMNS" not in os.environ:
                made.width = _PIPED_WIDTH  # nothing is broken over lines, so that others can search it
            self._consoles[error] = made
        return self._consoles[error]

    def answer(self, document: Mapping[str, Any], show: Callable[[Console], None]) -> None:
        """Give the answer: `document` as JSON, or `show` called with the console."""
        if self.as_json:
            indent = 2 if sys.stdout.isatty() else None
            sys.stdout.write(json.dumps(plain(document), allow_nan=False, indent=indent) + "\n")
        elif (console := self.console()).is_terminal:
            show(console)
        else:
            with console.capture() as captured:
                show(console)
            # Tables fill their last column with blanks, which nobody wants in a file.
            sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
        sys.stdout.flush()

    def line(self, document: Mapping[str, Any], text: str, style: str = "") -> None:
        """Give one of many answers: a line of JSON, or a line of text."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(document), allow_nan=False) + "\n")
            sys.stdout.flush()
        else:
            self.console().print(_safe(text), style=style or None)
            sys.stdout.flush()

    def remark(self, text: str, style: str = "") -> None:
        """Say something beside the answer, on standard error."""
        if not self.quiet:
            self.console(error=True).print(_safe(text), style=style or None)

    def warn(self, text: str) -> None:
        """Say what the user should know, on standard error."""
        self.remark(text, "yellow")

    def error(self, error: KnownError) -> None:
        """Say what happened, why, and what to do; with JSON the document says so too."""
        self.failure(error.what, error.why, error.do)

    def failure(self, what: str, why: str = "", do: str = "") -> None:
        """Say what happened, why, and what to do."""
        if self.as_json:
            sys.stdout.write(json.dumps({"error": {"what": what, "why": why, "do": do}}) + "\n")
            sys.stdout.flush()
        from rich.text import Text

        console = self.console(error=True)
        console.print(Text.assemble(("facegui: ", "bold red"), _safe(what)))
        for line in (why, do):
            if line:
                console.print(Text(f"  {_safe(line)}"))

    def run(self, job: Job[T], title: str, on_partial: Callable[[Any], None] | None = None) -> T:
        """Run a job to its end, with a bar on standard error where that is a terminal."""
        from facegui import jobs
        from facegui.jobs import Partial

        def pass_on(event: Progress | Partial[Any]) -> None:
            if isinstance(event, Partial):
                if on_partial is not None:
                    on_partial(event.value)
            else:
                show(event)
            check()

        with _patient_interrupts() as check, self._bar(title) as show:
            result = jobs.run(job, pass_on)
            check()
        return result

    @contextlib.contextmanager
    def _bar(self, title: str) -> Iterator[Callable[[Progress], None]]:
        """Give what shows progress: a bar on standard error, or nothing where that is no terminal."""
        console = self.console(error=True)
        if self.quiet or not console.is_terminal:
            yield _nothing
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        bar = Bar(
            TextColumn("{task.description}", markup=False), BarColumn(_BAR_WIDTH), MofNCompleteColumn(),
            TimeRemainingColumn(), TextColumn("{task.fields[note]}", markup=False, style="dim"),
            console=console, transient=True,
        )  # fmt: skip
        with bar:
            task = bar.add_task(title, total=None, note="")
            yield lambda event: bar.update(
                task, completed=event.done, total=event.total or None, note=shown(event.note)
            )


def _nothing(event: Progress) -> None:
    del event


@contextlib.contextmanager
def _patient_interrupts() -> Iterator[Callable[[], None]]:
    """Hold the first Ctrl+C back until a job reaches a place where it can stop and keep what it has.

    Gives a function that raises KeyboardInterrupt when it was pressed. A second Ctrl+C stops at once.
    """
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def _safe(text: str) -> str:
    """Return text without what a terminal cannot take or would obey: bytes that are no text, control characters."""
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in decoded)


def many(count: int, one: str, several: str) -> str:
    """Write a number with the word that goes with it."""
    return f"{count:,} {one if count == 1 else several}"
