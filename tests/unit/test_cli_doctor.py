"""The doctor finds what is wrong and says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facegui.cli import doctor, main
from facegui.cli.doctor import Level
from facegui.faces import catalog, session
from facegui.faces.parity import Beside
from facegui.faces.session import ProviderReport


def look(capsys: pytest.CaptureFixture[str], status: int, *options: str) -> dict[str, dict[str, str]]:
    assert main(["doctor", "--json", *options]) == status
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def test_two_builds_of_onnx_runtime_are_a_conflict_with_its_mend() -> None:
    checks = {check.name: check for check in doctor.packages({"onnxruntime": "1.2", "onnxruntime-gpu": "1.2"})}
    found = checks["ONNX Runtime"]
    assert found.level is Level.BAD
    assert "onnxruntime and onnxruntime-gpu" in found.text
    assert found.do.startswith("pip uninstall -y onnxruntime onnxruntime-gpu && pip install")
    single = {check.name: check for check in doctor.packages({"onnxruntime-gpu": "1.2", "onnxruntime-extensions": "1"})}
    assert single["ONNX Runtime"].level is Level.GOOD


def test_two_builds_of_opencv_are_noted() -> None:
    checks = {check.name: check for check in doctor.packages({"opencv-python": "5", "opencv-python-headless": "5"})}
    assert checks["OpenCV"].level is Level.NOTE
    assert "OpenCV" not in {check.name for check in doctor.packages({"opencv-python": "5"})}


def test_a_sound_installation_is_healthy_and_says_what_runs(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    checks = look(capsys, 0)
    assert checks["facegui"]["level"] == "good"
    assert " is used (" in checks["Compute"]["text"]
    assert checks["Networks"]["text"].startswith("yunet on ")
    assert "arcface+sface on " in checks["Networks"]["text"]
    assert checks["Gallery"]["text"].startswith("none yet")
    assert not (home / "data" / "gallery.sqlite").exists()


def test_a_graphics_card_that_is_not_used_must_be_mended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = ProviderReport("cuda", "CPU", "A processor", "CUDA could not be started.", "The card is not used.", 2)
    monkeypatch.setattr("facegui.services.Services.warm_up", lambda self: report)
    monkeypatch.setattr(session, "cuda_problem", lambda: "libcudnn.so.9 is missing")
    card = look(capsys, 2)["Graphics card"]
    assert card["level"] == "bad"
    assert "libcudnn.so.9 is missing" in card["text"]


def test_a_damaged_model_must_be_mended_and_the_rest_is_still_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "file_sha256", lambda file: "0" * 64 if file.name == "sface.onnx" else "1" * 64)
    checks = look(capsys, 2)
    assert checks["Model sface"]["level"] == "bad"
    assert "Install facegui again" in checks["Model sface"]["do"]
    assert "Gallery" in checks


def test_a_file_that_is_no_gallery_must_be_mended(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"not a database, but long enough to be looked at" * 10)
    assert look(capsys, 2, "--gallery", str(file))["Gallery"]["level"] == "bad"
    assert file.read_bytes().startswith(b"not a database")


def test_settings_that_are_ignored_are_noted(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    file = home / "config" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text("nonsense = 1\n")
    assert "nonsense" in look(capsys, 0)["Settings"]["text"]


def test_missing_qt_libraries_are_named_with_debians_packages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.errors import KnownError
    from facegui.gui import start

    def missing() -> None:
        raise KnownError("The window cannot open.", "Libraries are missing.", "sudo apt-get install libegl1")

    monkeypatch.setattr(start, "check_libraries", missing)
    monkeypatch.setattr(start, "has_screen", lambda: False)
    window = look(capsys, 0)["Window"]
    assert (window["level"], window["do"]) == ("note", "sudo apt-get install libegl1")
    monkeypatch.setattr(start, "has_screen", lambda: True)
    assert look(capsys, 2)["Window"]["level"] == "bad"


def test_people_read_the_findings_and_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "✓" in text
    assert text.rstrip().endswith("Everything that is needed is there and works.")


@pytest.mark.parametrize(
    ("card", "cosine", "level", "status"),
    [(0.5, 0.99999, "good", 0), (20.0, 0.99999, "note", 0), (0.5, 0.98, "bad", 2)],
)
def test_a_card_in_use_is_compared_with_the_processor(
    card: float,
    cosine: float,
    level: str,
    status: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = ProviderReport("auto", "CUDA", "Test card", "A graphics card was found.", None, 2, "16 bits")
    monkeypatch.setattr("facegui.services.Services.warm_up", lambda self: report)
    monkeypatch.setattr("facegui.services.Services.providers", {"arcface+sface": report})
    monkeypatch.setattr(doctor, "beside_processor", lambda *a: Beside("CUDA", "16 bits", card, 10.0, cosine))
    checks = look(capsys, status)
    assert checks["CUDA beside CPU"]["level"] == level
    assert f"{card:.2f} and 10.00 ms per face" in checks["CUDA beside CPU"]["text"]
    assert checks["Networks"]["text"] == "arcface+sface on CUDA, 16 bits"
