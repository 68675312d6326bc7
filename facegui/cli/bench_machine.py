"""What a benchmark ran on: processor, load, memory, and how fast the machine multiplies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from time import perf_counter

import numpy as np

from facegui.faces.providers import processor
from facegui.faces.session import thread_count

__all__ = ["Machine", "best_time", "examine", "peak_memory", "resident_memory"]

_SIDE = 2048
_ROUNDS = 6
_PACKAGES = ("onnxruntime-gpu", "onnxruntime", "opencv-python", "numpy")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that a benchmark ran on.

    Attributes
    ----------
    processor : str
    cores : int
        Those that this process may use.
    load : float or None
        Programs that wanted a core in the last minute, before the benchmark; None where the system does not tell.
    gigaflops : float
        Floating-point operations per nanosecond in a product of large float32 matrices, on all cores, at best.
    versions : dict of str to str
        Of the packages that do the work.
    """

    processor: str
    cores: int
    load: float | None
    gigaflops: float
    versions: dict[str, str]


def best_time(act: Callable[[], object], rounds: int) -> float:
    """Return the shortest of several times in seconds, after one round that does not count."""
    act()
    times = []
    for _ in range(rounds):
        start = perf_counter()
        act()
        times.append(perf_counter() - start)
    return min(times)


def examine() -> Machine:
    """Measure the machine; it takes about a second."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    left = np.random.default_rng(0).standard_normal((_SIDE, _SIDE), np.float32)
    out = np.empty_like(left)
    seconds = best_time(lambda: np.matmul(left, left, out=out), _ROUNDS)
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return Machine(processor(), thread_count(0), load, 2 * _SIDE**3 / seconds / 1e9, versions)


def _status(field: str) -> int | None:
    """Return a field of Linux' /proc/self/status in bytes."""
    try:
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def resident_memory() -> int | None:
    """Return how much of this process lies in memory now, in bytes; None where the system does not tell."""
    return _status("VmRSS")


def peak_memory() -> int | None:
    """Return the most that this process had in memory at any time, in bytes; None where the system does not tell."""
    known = _status("VmHWM")
    if known is not None or sys.platform == "win32":
        return known
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)
