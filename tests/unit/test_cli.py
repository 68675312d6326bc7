"""What holds for every verb: exit statuses, errors, JSON, help, the options that all of them take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facegui.cli import app as frame
from facegui.cli import main
from facegui.cli import models as models_module
from facegui.errors import KnownError

VERBS = [
    "demo", "verify", "identify", "watch", "lookalikes", "board", "index", "enroll", "people", "evaluate", "calibrate",
    "embed", "benchmark", "doctor", "backup", "restore", "evidence", "models",
]  # fmt: skip
HEAVY = ("numpy", "cv2", "sqlalchemy", "onnxruntime", "PySide6", "matplotlib", "rich")


def test_the_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from facegui.cli import main; status = main(['--help']);"
        f"print([m for m in {HEAVY} if m in sys.modules]); sys.exit(status)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *text, loaded = result.stdout.splitlines()
    assert loaded == "[]"
    listed = {line.split()[0] for line in text if line.startswith("  ") and line.split()}
    assert set(VERBS) <= listed


def test_comparing_two_photos_does_not_wait_for_what_it_does_not_need() -> None:
    late = ("faiss", "scipy", "sklearn", "sqlalchemy", "matplotlib", "PySide6")
    code = f"import sys, facegui.services; print([m for m in {late} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_within_80_columns(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Usage: facegui " + verb)
    assert "Options of every verb:" in text
    assert "--json" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text, "no colour where there is no terminal"


def test_the_verbs_about_models_are_listed_and_explain_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--help"]) == 0
    text = capsys.readouterr().out
    verbs = ("list", "verify", "use", "add", "download", "remove")
    assert set(verbs) <= set(text.split())
    for verb in verbs:
        assert main(["models", verb, "--help"]) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["verify"], ["verify", "--nonsense", "a", "b"], ["people", "nonsense"],
                  ["identify", "--top", "0", "a"]]
)  # fmt: skip
def test_a_usage_error_is_status_2_and_says_where_to_look(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("facegui: ")
    assert "--help" in captured.err


@pytest.mark.parametrize("arguments", [["--json", "nonsense"], ["verify", "--json"], ["--json", "verify", "a"]])
def test_an_error_is_one_json_document_too(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    error = json.loads(captured.out)["error"]
    assert error["what"]
    assert error["what"] in captured.err


def test_a_known_error_says_what_why_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people"]) == 2
    what, why, do = capsys.readouterr().err.splitlines()
    assert what.startswith("facegui: There is no gallery at ")
    assert why == "  Nobody was enrolled there yet."
    assert "facegui enroll" in do


def test_asking_never_makes_a_gallery(home: Path) -> None:
    assert main(["people", "list"]) == 2
    assert not (home / "data" / "gallery.sqlite").exists()


@pytest.mark.parametrize(
    "arguments", [["--json", "models"], ["models", "--json"], ["models", "list", "--json"],
                  ["--json", "models", "list"], ["models", "--json", "list"]]
)  # fmt: skip
def test_the_common_options_stand_before_or_after_the_verb(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["in_use"] == "arcface+sface"


def test_the_option_after_the_verb_wins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", "sface", "models", "--model", "arcface", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["in_use"] == "arcface"
    assert main(["--model", "sface", "models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["in_use"] == "sface"


def test_an_unknown_model_is_named_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--model", "nonsense"]) == 2
    error = capsys.readouterr().err
    assert "nonsense" in error
    assert "arcface+sface" in error


def test_another_kind_of_database_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "--gallery", "postgresql://somewhere/faces"]) == 2
    assert "SQLite" in capsys.readouterr().err


def test_an_interrupt_is_status_130_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(frame.Run, "services", interrupted)
    assert main(["models"]) == 130
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(models_module, "_document", broken)
    with pytest.raises(ZeroDivisionError):
        main(["models", "--json"])


def test_nobody_reading_the_output_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "facegui", "models", "--json"], stdout=writer, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writer)
    assert result.returncode == 141
    assert result.stderr == ""


def test_without_a_verb_the_window_opens_on_the_gallery_that_was_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from facegui.gui import start

    opened = []

    def run_window(factory) -> int:
        with factory() as services:
            opened.append((services.gallery.file, services.model.id))
        return 0

    monkeypatch.setattr(start, "run_window", run_window)
    assert main(["--gallery", str(tmp_path / "mine.sqlite"), "--model", "sface"]) == 0
    assert opened == [(tmp_path / "mine.sqlite", "sface")]


def test_a_window_that_cannot_open_is_an_error_that_can_be_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from facegui.gui import start

    def run_window(factory) -> int:
        raise KnownError("The window cannot open.", "Libraries are missing.", "Install them.")

    monkeypatch.setattr(start, "run_window", run_window)
    assert main([]) == 2
    assert "Install them." in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    from facegui import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"facegui {__version__}\n"


def test_settings_that_cannot_be_used_are_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "config" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text("nonsense = 1\n")
    assert main(["models"]) == 0
    assert "nonsense" in capsys.readouterr().err
    assert main(["models", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
