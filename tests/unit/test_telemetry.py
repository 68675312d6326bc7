"""Nothing leaves the machine: the libraries that come along do not report to their makers either."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RUN = """
from facegui import paths
from facegui.faces.session import OnnxNetwork
print(OnnxNetwork(paths.models_dir() / "yunet.onnx", provider="cpu").report.active)
"""


def test_onnx_runtime_gives_the_user_no_number_and_keeps_no_reports(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path), "FACEGUI_HOME": str(tmp_path / "facegui")}
    for name in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        environment.pop(name, None)
    done = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "CPU"
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
