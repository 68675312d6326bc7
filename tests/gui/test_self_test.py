"""The program's own test of itself, which packages are tried with, on real photos and networks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib
import pytest
from PIL import Image, ImageOps
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from skimage import data

from facegui.gui import self_test
from facegui.gui.pages.verify import VerifyPage


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    first = Image.fromarray(data.astronaut())
    other = Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg")
    for name, second in {"genuine": ImageOps.mirror(first), "impostor": other}.items():
        (tmp_path / "pairs" / name).mkdir(parents=True)
        first.save(tmp_path / "pairs" / name / "1.png")
        second.convert("RGB").save(tmp_path / "pairs" / name / "2.png")
    return tmp_path / "pairs"


def test_a_genuine_and_an_impostor_pair_are_verified_in_the_window(
    qapp: QApplication, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert self_test.main([str(pairs)]) == 0
    told = json.loads((pairs / "self-test.json").read_text("utf-8"))
    assert [(one["pair"], one["outcome"]) for one in told["results"]] == [
        ("genuine", "match"),
        ("impostor", "no match"),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith(("shown", "answered"))] == [
        "shown",
        "answered genuine",
        "answered impostor",
    ]
    assert QImage(str(pairs / "genuine.png")).width() > 900


def test_a_pair_that_comes_out_otherwise_than_expected_is_a_failure(qapp: QApplication, pairs: Path) -> None:
    (pairs / "genuine").rename(pairs / "strangers")
    assert self_test.main([str(pairs)]) == 1
    told = json.loads((pairs / "self-test.json").read_text("utf-8"))
    assert not told["passed"]
    assert told["results"][1]["outcome"] == "match"


def test_a_photo_without_a_face_ends_the_run(qapp: QApplication, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "PATIENCE", 1500)
    Image.new("RGB", (200, 200)).save(pairs / "genuine" / "2.png")
    assert self_test.main([str(pairs)]) == 1
    assert json.loads((pairs / "self-test.json").read_text("utf-8"))["problem"]


def test_a_folder_without_pairs_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert self_test.main([str(tmp_path)]) == 2
    assert "no pair of photos" in capsys.readouterr().out


def test_a_bug_on_the_way_ends_the_run_and_is_told(
    qapp: QApplication, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: VerifyPage, _paths: object) -> None:
        raise ZeroDivisionError("on the way")

    monkeypatch.setattr(VerifyPage, "open_files", broken)
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    assert self_test.main([str(pairs)]) == 1
    assert "on the way" in json.loads((pairs / "self-test.json").read_text("utf-8"))["problem"]
