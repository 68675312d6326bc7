"""What goes into the packaged program; nothing is built here."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def contents() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("package_contents", ROOT / "packaging" / "contents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_nothing_that_the_program_imports_is_left_out(contents: ModuleType) -> None:
    assert contents.excluded_but_used(ROOT / "facegui") == []


def test_an_import_of_something_left_out_is_found(contents: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("def late():\n    from scipy import odr\n    import torch.nn\n")
    assert contents.excluded_but_used(tmp_path) == ["module.py: scipy.odr", "module.py: torch.nn"]


def test_a_library_that_needs_something_left_out_is_found(contents: ModuleType) -> None:
    warnings = (
        "missing module named java - imported by platform (delayed)\n"
        "excluded module named scipy.ndimage - imported by skimage.transform (top-level), other (delayed)\n"
        "excluded module named scipy.linalg - imported by scipy.special (top-level)\n"
    )
    assert contents.excluded_but_needed(warnings) == ["skimage.transform: scipy.ndimage"]


def test_libraries_that_nothing_needs_any_more_are_dropped(contents: ModuleType) -> None:
    entries = [
        ("package/module.cpython.so", "/src/module.so", "EXTENSION"),
        ("plugins/platforms/plugin.so", "/src/plugin.so", "BINARY"),
        ("libused.so.1", "/src/libused.so.1", "BINARY"),
        ("libdeep.so.1", "/src/libdeep.so.1", "BINARY"),
        ("libleft.so.1", "/src/libleft.so.1", "BINARY"),
        ("libpython3.so", "/src/libpython3.so", "BINARY"),
    ]
    links = {"/src/plugin.so": ["libused.so.1", "libc.so.6"], "/src/libused.so.1": ["libdeep.so.1"]}
    kept = contents.without_orphans(entries, lambda file: links.get(file, []))
    assert [entry[0] for entry in entries if entry not in kept] == ["libleft.so.1"]


def test_links_to_what_is_not_there_are_dropped(contents: ModuleType) -> None:
    entries = [
        ("Qt/lib/libA.so.6", "/src/libA.so.6", "BINARY"),
        ("libA.so.6", "Qt/lib/libA.so.6", "SYMLINK"),
        ("libB.so.6", "Qt/lib/libB.so.6", "SYMLINK"),
    ]
    assert [entry[0] for entry in contents.without_dangling(entries)] == ["Qt/lib/libA.so.6", "libA.so.6"]


@pytest.mark.parametrize("cuda", [False, True])
def test_the_cuda_provider_goes_along_when_asked_for(contents: ModuleType, cuda: bool) -> None:
    places = [
        "onnxruntime/capi/libonnxruntime_providers_cuda.so",
        "onnxruntime/capi/libonnxruntime_providers_shared.so",
        "onnxruntime/capi/libonnxruntime_providers_tensorrt.so",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqeglfs.so",
        "cv2/qt/plugins/platforms/libqxcb.so",
        "libstdc++.so.6",
    ]
    kept = {entry[0] for entry in contents.without_unwanted([(place, "", "BINARY") for place in places], cuda)}
    always = {places[1], places[3]}
    assert kept == (always | {places[0]} if cuda else always)


def test_a_distribution_brings_its_name_version_and_licence(contents: ModuleType) -> None:
    import platformdirs

    (owner,) = contents.distributions_of([platformdirs.__file__])
    places = [place for place, _, _ in contents.papers([owner], common=Path("/nowhere"))]
    assert f"platformdirs-{owner.version}.dist-info/METADATA" in places
    assert any(place.startswith("licences/platformdirs/") for place in places)
