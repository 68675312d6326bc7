"""The packaged program, built and tried as a user's computer has it: slow, run with ``pytest -m packaging``.

``FACEGUI_BUILT=FOLDER`` tries a folder that was built before, instead of building one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGING = ROOT / "packaging"

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tried on Linux alone so far"),
]


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if folder := os.environ.get("FACEGUI_BUILT"):
        return Path(folder)
    pytest.importorskip("PyInstaller", reason="PyInstaller is in the dependency group `packaging`")
    scratch = tmp_path_factory.mktemp("package")
    run(sys.executable, PACKAGING / "build.py", "--dist", scratch / "dist", "--work", scratch / "work")
    return scratch / "dist" / "facegui"


@pytest.fixture(scope="session")
def package(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not here")
    target = tmp_path_factory.mktemp("deb")
    run(sys.executable, PACKAGING / "linux" / "make_deb.py", built, target, "--compression", "zstd")
    (file,) = target.glob("*.deb")
    return file


def test_the_built_window_verifies_faces_without_python(built: Path, tmp_path: Path) -> None:
    told = json.loads(run(sys.executable, PACKAGING / "smoke.py", built, "--out", tmp_path))
    assert [(one["pair"], one["outcome"]) for one in told["window"]] == [
        ("genuine", "match"),
        ("impostor", "no match"),
    ]
    assert (tmp_path / "genuine.png").stat().st_size > 0


def test_what_no_user_needs_stays_out(built: Path) -> None:
    names = {file.name for file in built.rglob("*")}
    for unwanted in ("libQt6WebEngineCore.so.6", "libQt6Quick.so.6", "libonnxruntime_providers_cuda.so", "torch"):
        assert unwanted not in names
    assert not [link for link in built.rglob("*") if link.is_symlink() and not link.exists()]


def test_models_assets_migrations_and_licences_go_along(built: Path) -> None:
    inside = built / "_internal"
    for file in (
        "facegui/_data/models/manifest.toml", "facegui/_data/models/yunet.onnx", "facegui/_data/models/NOTICE",
        "facegui/_data/assets/facegui.svg", "facegui/gallery/migrations/env.py", "licences/LICENSE",
        "licences/numpy",
    ):  # fmt: skip
        assert (inside / file).exists(), file
    scripts = {file.name for file in (ROOT / "facegui" / "gallery" / "migrations" / "versions").glob("v*.py")}
    assert {file.name for file in (inside / "facegui" / "gallery" / "migrations" / "versions").glob("v*.py")} == scripts


def test_the_debian_package_names_what_it_needs(package: Path) -> None:
    fields = dict(
        line.split(": ", 1) for line in run("dpkg-deb", "--field", package).splitlines() if not line.startswith(" ")
    )
    assert fields["Package"] == "facegui"
    assert int(fields["Installed-Size"]) > 100_000
    needed = fields["Depends"]
    for name in ("libc6 (>=", "libxcb1", "libfontconfig1", "libegl1"):
        assert name in needed


def test_the_debian_package_starts_from_where_it_is_installed(package: Path, tmp_path: Path) -> None:
    run("dpkg-deb", "--extract", package, tmp_path / "root")
    system = tmp_path / "root" / "usr"
    for program in ("facegui", "facegui-window"):
        assert (system / "bin" / program).resolve() == system / "lib" / "facegui" / program
    told = run(system / "bin" / "facegui", "--version")
    assert told.startswith("facegui ")
    entry = (system / "share" / "applications" / "facegui.desktop").read_text("utf-8")
    assert "Exec=facegui-window %F" in entry
    assert (system / "share" / "icons" / "hicolor" / "scalable" / "apps" / "facegui.svg").is_file()
    filled = (system / "share" / "metainfo" / "facegui.metainfo.xml").read_text("utf-8")
    assert "@" not in filled
