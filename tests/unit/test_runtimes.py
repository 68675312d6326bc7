"""Builds of ONNX Runtime in each other's way, and libraries that a graphics card needs and that are missing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_runtime import Machine

from facegui.faces import providers, runtimes, session
from facegui.faces.catalog import Catalog
from facegui.faces.runtimes import card_mend, conflict, missing_libraries, needed_libraries
from facegui.faces.session import OnnxNetwork

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads libraries of Linux")


def cuda_library() -> Path:
    spec = importlib.util.find_spec("onnxruntime")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "capi" / "libonnxruntime_providers_cuda.so"
    if not file.exists():
        pytest.skip("this is not the build of ONNX Runtime with CUDA")
    return file


def test_two_builds_are_a_conflict_with_one_command_that_mends_it() -> None:
    found = conflict({"onnxruntime-gpu": "1.31", "onnxruntime": "1.31", "numpy": "2"})
    assert found is not None
    assert found.names == ("onnxruntime", "onnxruntime-gpu")
    assert "overwrite each other's files" in found.text
    assert found.mend.startswith("pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime")
    assert conflict({"onnxruntime-gpu": "1.31", "onnxruntime-extensions": "0.1", "numpy": "2"}) is None
    assert conflict({}) is None


def test_here_only_one_build_is_installed() -> None:
    assert len(runtimes.installed_runtimes()) == 1


def test_the_mend_for_a_card_removes_a_build_that_is_in_the_way_first() -> None:
    assert card_mend({"onnxruntime-gpu": "1"}) == providers.GPU_MEND
    for installed in ({"onnxruntime": "1"}, {"onnxruntime": "1", "onnxruntime-gpu": "1"}):
        mend = card_mend(installed)
        assert "pip uninstall -y onnxruntime" in mend
        assert mend.index("uninstall") < mend.index("pip install 'onnxruntime-gpu[cuda,cudnn]'")


@linux
def test_libraries_that_a_library_needs_are_read_from_it() -> None:
    assert any(name.startswith("libc.so") for name in needed_libraries(Path(np.random.mtrand.__file__)))
    assert any(name.startswith("libcublas") for name in needed_libraries(cuda_library()))


def test_what_is_no_library_needs_none(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"MZ\x90", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + bytes(200))):
        file = tmp_path / str(number)
        file.write_bytes(content)
        assert needed_libraries(file) == ()


@linux
def test_missing_libraries_are_all_named() -> None:
    needed = needed_libraries(cuda_library())

    def load(name: str) -> None:
        if "cublas" in name or "cudnn" in name:
            raise OSError(f"{name}: cannot open shared object file")

    missing = missing_libraries(cuda_library(), load)
    assert missing == tuple(name for name in needed if "cublas" in name or "cudnn" in name)
    assert missing_libraries(cuda_library(), lambda name: None) == ()


@linux
@pytest.mark.parametrize(("asked", "label"), [("auto", "CUDA"), ("cuda", "CUDA"), ("tensorrt", "TensorRT")])
def test_a_card_whose_libraries_are_missing_is_a_warning_that_names_them_and_nothing_is_printed(
    asked: str, label: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cuda_library()
    if session.graphics_card() is not None:
        pytest.skip("there is a graphics card here")
    monkeypatch.setattr(session, "graphics_card", lambda: "Test card")
    network = OnnxNetwork(Catalog().model("arcface").file, provider=asked, threads=1)
    assert network.run({"input": np.zeros((1, 112, 112, 3), np.uint8)})[0].shape == (1, 192)
    report = network.report
    assert (report.requested, report.active) == (asked, "CPU")
    assert report.warning is not None
    assert report.warning.startswith(f"Test card is not used. {label} could not be started: ")
    assert ".so" in report.warning
    assert "cannot be loaded" in report.warning
    assert "pip install" in report.warning
    assert report.device != "Test card"
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == ""


@pytest.mark.parametrize(
    ("asked", "got", "active", "warned"),
    [
        ("auto", "cuda", "CUDA", None),
        ("tensorrt", "tensorrt", "TensorRT", None),
        ("tensorrt", "cuda", "CUDA", "TensorRT is not used, CUDA is."),
        ("cuda", "cpu", "CPU", "Test card is not used. CUDA could not be started"),
    ],
)
def test_what_the_session_really_got_is_reported(
    asked: str, got: str, active: str, warned: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Machine(monkeypatch, "tensorrt", "cuda", working=(got,))
    report = OnnxNetwork(Catalog().model("arcface").file, provider=asked).report
    assert report.active == active
    assert report.device == ("Test card" if got != "cpu" else providers.processor())
    assert (report.warning is None) == (warned is None)
    if warned is not None:
        assert report.warning is not None
        assert report.warning.startswith(warned)
