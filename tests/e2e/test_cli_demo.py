"""The demonstration does the main job, with and without a screen, and touches nothing of the user's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from facegui.cli import main
from facegui.cli.demonstration import CAPTION
from facegui.errors import KnownError
from facegui.gui import pictures, start

PAGES = ["verify", "enroll", "lookalikes", "people", "insights", "settings"]


def demo(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert main(["demo", "--json", *options]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.fixture
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "has_screen", lambda: False)


def test_every_question_is_answered_as_a_person_would(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, home: Path
) -> None:
    folder = tmp_path / "demo"
    found = demo(capsys, "--no-window", "--keep", str(folder))
    assert found["enrolled"] == ["Eileen Collins", "Grace Hopper", "Person 1", "Person 2", "Person 3"]
    assert {answer["expected"] for answer in found["answers"]} == {"match", "no match"}
    assert [a["decision"] for a in found["answers"]] == [a["expected"] for a in found["answers"]]
    names = [Path(row["path"]).name for row in found["lookalikes"]["rows"]]
    assert set(names[:2]) == {"group.jpg", "person-1-mirrored.jpg"}
    assert (folder / "gallery.sqlite").is_file()
    assert (folder / "photos" / "astronaut-mirrored.jpg").is_file()
    assert os.environ["FACEGUI_HOME"] == str(home)
    assert not home.exists() or not any(file.is_file() for file in home.rglob("*"))


def test_a_folder_with_something_in_it_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    assert main(["demo", "--no-window", "--keep", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_without_a_screen_every_page_is_drawn_by_the_very_command_of_the_readme(tmp_path: Path) -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    result = subprocess.run(
        [sys.executable, "-m", "facegui", "demo", "--keep", str(tmp_path / "demo")],
        capture_output=True, text=True, env=environment, timeout=280, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert CAPTION in result.stdout
    drawn = [line.strip() for line in result.stdout.splitlines() if line.endswith(".png")]
    assert [Path(line).stem for line in drawn] == PAGES
    for line in drawn:
        picture = cv2.imread(line)
        assert picture is not None
        assert picture.shape[1] >= 1000
        assert picture.std() > 10, "something is on it"


@pytest.mark.usefixtures("no_screen")
def test_missing_qt_libraries_are_named_and_the_job_is_done_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> list[Path]:
        raise KnownError("The window cannot open.", "Libraries are missing.", "sudo apt-get install libegl1")

    monkeypatch.setattr(pictures, "draw_pages", missing)
    assert main(["demo"]) == 0
    text = capsys.readouterr().out
    assert "✓ Match" in text
    assert "sudo apt-get install libegl1" in text
    folder = Path(next(line for line in text.splitlines() if line.startswith("Photos and gallery: "))[20:])
    shutil.rmtree(folder)


@pytest.mark.usefixtures("no_screen")
def test_without_pyside6_the_answers_are_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(*_: object) -> list[Path]:
        raise ImportError("No module named 'PySide6'")

    monkeypatch.setattr(pictures, "draw_pages", missing)
    found = demo(capsys, "--keep", str(tmp_path / "demo"))
    assert found["answers"]
    assert "pip install PySide6" in found["pictures_problem"]


def test_with_a_screen_the_window_opens_on_the_gallery_of_the_demonstration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[Any] = []

    class Page:
        def open_files(self, files: list[Path]) -> None:
            opened.append([file.name for file in files])

    class Window:
        page = Page()

        def show_page(self, name: str) -> None:
            opened.append(name)

    def run_window(factory: Any, on_shown: Any) -> int:
        with factory() as services:
            opened.append(services.gallery.counts().people)
        on_shown(Window())
        return 0

    monkeypatch.setattr(start, "has_screen", lambda: True)
    monkeypatch.setattr(start, "run_window", run_window)
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(_made(tmp_path / prefix)))
    demo(capsys)
    assert opened == [5, "verify", ["astronaut.jpg", "astronaut-mirrored.jpg"]]
    assert not list(tmp_path.glob("facegui-demo-*")), "nothing is left behind"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_missing_sample_names_its_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.cli import samples

    monkeypatch.setitem(samples.SAMPLES, "astronaut", ("skimage", "data/nothing.png"))
    assert main(["demo", "--no-window", "--json"]) == 2
    assert "scikit-image" in json.loads(capsys.readouterr().out)["error"]["do"]


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_the_window_of_the_demonstration_opens_on_a_real_display(tmp_path: Path) -> None:
    code = (
        "import sys; from facegui.gui import start; from facegui.cli import main\n"
        "real = start.run_window\n"
        "def run(factory, on_shown):\n"
        "    def shown(window):\n"
        "        on_shown(window); print(window.windowHandle().isExposed() or window.isVisible(), file=sys.stderr)\n"
        "        window.close()\n"
        "    return real(factory, shown)\n"
        "start.run_window = run\n"
        "sys.exit(main(['demo', '--json']))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"}
    result = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", code], capture_output=True, text=True, timeout=280,
        env=environment | {"TMPDIR": str(tmp_path)}, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["answers"]
    assert "True" in result.stderr
    assert not list(tmp_path.glob("facegui-demo-*"))
