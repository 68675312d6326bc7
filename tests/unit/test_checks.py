"""The repository's own rules: style, types, layers, and what may not be in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(*command: str) -> None:
    program = shutil.which(command[0], path=str(Path(sys.executable).parent)) or command[0]
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    check("ruff", "check", "--no-cache", ".")


def test_the_code_is_formatted() -> None:
    check("ruff", "format", "--check", "--no-cache", ".")


def test_mypy_finds_nothing() -> None:
    check("mypy")


def test_imports_go_in_one_direction() -> None:
    check("lint-imports", "--no-cache")


def test_nothing_is_committed_that_must_not_be() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = done.stdout.splitlines()
    assert "uv.lock" not in files
    top = {file.split("/")[0] for file in files if "/" in file}
    assert top <= {"facegui", "models", "assets", "tests", "packaging", ".ci"}
