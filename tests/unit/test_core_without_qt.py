"""The core's own tests pass where PySide6 cannot be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = [
    "test_pipeline.py",
    "test_files.py",
    "test_gallery_people.py",
    "test_indexer.py",
    "test_decision.py",
    "test_cli.py",
]

BLOCKER = """
import sys

class _NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PySide6", "shiboken6"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, _NoQt())
"""


def test_the_core_works_where_qt_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCKER, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    files = [str(ROOT / "tests" / "unit" / name) for name in CORE]
    options = [
        "-q",
        "-p",
        "no:pytest-qt",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=",
        "-W",
        "ignore::pytest.PytestConfigWarning",
    ]
    probe = subprocess.run([sys.executable, "-c", "import PySide6"], env=environment, capture_output=True, text=True)
    assert "No module named" in probe.stderr
    command = [sys.executable, "-m", "pytest", *options, *files]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
