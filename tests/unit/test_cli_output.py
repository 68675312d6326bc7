"""How values become JSON and lines on a terminal."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from facegui.cli.output import Output, plain, shown, table
from facegui.errors import KnownError, reason
from facegui.jobs import Job, Partial, Progress


class Colour(StrEnum):
    RED = "red"


def test_every_value_becomes_plain() -> None:
    value = {
        "numbers": np.array([1.5, np.nan]), "integer": np.int64(3), "nothing": None, "yes": True, "colour": Colour.RED,
        "path": Path("a/b"), "day": datetime(2026, 1, 2, tzinfo=UTC), "set": frozenset({1}), "tuple": (1, 2),
        "infinite": float("inf"),
    }  # fmt: skip
    assert plain(value) == {
        "numbers": [1.5, None], "integer": 3, "nothing": None, "yes": True, "colour": "red", "path": "a/b",
        "day": "2026-01-02T00:00:00+00:00", "set": [1], "tuple": [1, 2], "infinite": None,
    }  # fmt: skip
    with pytest.raises(TypeError):
        plain(object())


def test_a_file_name_that_is_no_text_can_be_shown_and_keeps_its_bytes_in_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = os.fsdecode(b"caf\xe9\x1b[2J.jpg")
    assert shown(name) == "caf\ufffd\ufffd[2J.jpg"
    Output(as_json=True).answer({"path": name}, lambda console: None)
    text = capsys.readouterr().out
    assert text.isascii()
    assert os.fsencode(json.loads(text)["path"]) == b"caf\xe9\x1b[2J.jpg"


def test_an_error_cannot_write_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    Output().failure("bad\x1b[2Jname", os.fsdecode(b"\xff"), "do")
    assert capsys.readouterr().err == "facegui: bad\ufffd[2Jname\n  \ufffd\n  do\n"


def test_text_is_never_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    Output().answer({}, lambda console: console.print(table("Name", rows=[("[red]x[/red] :smile: [1/2]",)])))
    assert "[red]x[/red] :smile: [1/2]" in capsys.readouterr().out


def test_nothing_is_broken_over_lines_or_padded_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    long = "a/" * 150 + "photo.jpg"
    Output().answer({}, lambda console: console.print(table("", "Photo", rows=[("1", long), ("2", "short.jpg")])))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.endswith(long) for line in lines)
    assert all(line == line.rstrip() for line in lines)


def test_a_narrow_terminal_folds_a_long_path_instead_of_hiding_its_end() -> None:
    file = io.StringIO()
    long = "/very/long/folder" * 6 + "/photo.jpg"
    Console(file=file, width=60, markup=False).print(table("", "Photo", rows=[("0.52", long)], right=(0,)))
    text = "".join(line.removeprefix("0.52").strip() for line in file.getvalue().splitlines()[2:])
    assert text == long


def test_a_reason_does_not_name_the_file_again() -> None:
    error = KnownError("a.jpg cannot be used.", "It is empty.", "Copy it again.")
    assert reason(error, Path("/x/a.jpg")) == "It is empty. Copy it again."
    assert reason(KnownError("a.jpg is odd."), Path("/x/a.jpg")) == "a.jpg is odd."


def _job() -> Job[str]:
    yield Progress(0, 0, "looking")
    yield Partial("first")
    yield Progress(1, 2, "[b]one[/b].jpg")
    yield Progress(2, 2, os.fsdecode(b"\xff.jpg"))
    return "result"


def test_progress_is_silent_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    found: list[str] = []
    assert Output().run(_job(), "Reading", found.append) == "result"
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    assert found == ["first"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_is_drawn_on_a_terminals_standard_error_unless_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    found: list[str] = []
    assert Output(quiet=quiet).run(_job(), "Reading", found.append) == "result"
    assert capsys.readouterr().out == ""
    assert found == ["first"]
    assert ("Reading" in screen.getvalue()) is not quiet


def test_a_job_that_fails_is_closed_and_its_error_passed_on() -> None:
    closed = []

    def failing() -> Job[None]:
        try:
            yield Progress(0, 1)
            raise KnownError("no")
        finally:
            closed.append(True)

    with pytest.raises(KnownError):
        Output().run(failing(), "Working")
    assert closed == [True]


def test_the_first_interrupt_lets_the_job_keep_what_it_has() -> None:
    kept = []

    def job() -> Job[None]:
        for number in range(100):
            try:
                signal.raise_signal(signal.SIGINT) if number == 3 else None
                yield Progress(number, 100)
            except GeneratorExit:
                kept.append(number)
                raise

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        Output().run(job(), "Reading")
    assert kept == [3]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_stops_at_once() -> None:
    def job() -> Job[None]:
        yield Progress(0, 1)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")

    with pytest.raises(KeyboardInterrupt):
        Output().run(job(), "Reading")
