"""Which builds of ONNX Runtime are installed, whether they are in each other's way, and what CUDA lacks here."""

from __future__ import annotations

import ctypes
import re
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from facegui.faces.providers import GPU_MEND, LABELS, PROVIDERS, Plan, ProviderReport, processor

__all__ = [
    "Conflict",
    "card_mend",
    "conflict",
    "installed_runtimes",
    "is_runtime",
    "missing_libraries",
    "needed_libraries",
    "report_of",
]

_RUNTIME = re.compile(r"^onnxruntime([-_](gpu|directml|openvino|training|rocm|silicon|qnn|cann))?$", re.IGNORECASE)
_GPU = "onnxruntime-gpu"

# ELF, as the System V ABI describes it: 64 bits, little endian, which all systems with CUDA are.
_ELF = b"\x7fELF\x02\x01"
_HEADER, _PROGRAM, _ENTRY = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), struct.Struct("<qQ")
_LOAD, _DYNAMIC = 1, 2
_NULL, _NEEDED, _STRINGS = 0, 1, 5


@dataclass(frozen=True, slots=True)
class Conflict:
    """Builds of ONNX Runtime that overwrite each other's files.

    Attributes
    ----------
    names : tuple of str
        Their distributions.
    text : str
        What is wrong, one sentence.
    mend : str
        The command that mends it.
    """

    names: tuple[str, ...]
    text: str
    mend: str


def is_runtime(name: str) -> bool:
    """Tell whether a distribution brings ONNX Runtime."""
    return bool(_RUNTIME.match(name))


def installed_runtimes() -> dict[str, str]:
    """Return name and version of every installed distribution that brings ONNX Runtime."""
    found = ((str(item.metadata["Name"]), item.version) for item in metadata.distributions() if item.metadata["Name"])
    return {name: version for name, version in found if is_runtime(name)}


def conflict(installed: Mapping[str, str]) -> Conflict | None:
    """Tell whether several builds of ONNX Runtime are installed: the files of the last one are there, unseen.

    `insightface`, for one, asks for the build for the processor, which takes the graphics card away without a word.

    Parameters
    ----------
    installed : mapping of str to str
        Version by name; other distributions than those of ONNX Runtime are ignored.
    """
    names = tuple(sorted((name for name in installed if is_runtime(name)), key=str.lower))
    if len(names) < 2:
        return None
    wanted = "onnxruntime" if sys.platform == "darwin" else _GPU
    text = (
        f"{' and '.join(names)} are both installed and overwrite each other's files; the graphics card may be lost "
        "without a word."
    )
    return Conflict(names, text, f"pip uninstall -y {' '.join(names)} && pip install {wanted}")


def card_mend(installed: Mapping[str, str]) -> str:
    """Return what to do so that an NVIDIA card is used, given what is installed.

    Where another build than the one for CUDA is there, it must go first: installed beside it, the two would overwrite
    each other's files.
    """
    names = sorted((name for name in installed if is_runtime(name)), key=str.lower)
    if getattr(sys, "frozen", False) or not names or [name.lower() for name in names] == [_GPU]:
        return GPU_MEND
    return f"Mend it with: pip uninstall -y {' '.join(names)} && pip install '{_GPU}[cuda,cudnn]'."


def needed_libraries(file: Path) -> tuple[str, ...]:
    """Return the names of the libraries that a library is linked with (Linux); none where it is no ELF file."""
    data = file.read_bytes()
    if not data.startswith(_ELF):
        return ()
    try:
        header = _HEADER.unpack_from(data)
        offset, size, count = header[5], header[9], header[10]
        programs = [_PROGRAM.unpack_from(data, offset + size * number) for number in range(count)]
        loads = [(p[3], p[2], p[5]) for p in programs if p[0] == _LOAD]
        dynamic = next((p[2], p[5]) for p in programs if p[0] == _DYNAMIC)
        entries = list(_ENTRY.iter_unpack(data[dynamic[0] : dynamic[0] + dynamic[1] // _ENTRY.size * _ENTRY.size]))
        if (_NULL, 0) in entries:
            entries = entries[: entries.index((_NULL, 0))]
        address = next(value for tag, value in entries if tag == _STRINGS)
        strings = next(start + address - at for at, start, length in loads if at <= address < at + length)
        starts = [strings + value for tag, value in entries if tag == _NEEDED]
        return tuple(data[start : data.index(b"\0", start)].decode() for start in starts)
    except (struct.error, StopIteration, ValueError):
        return ()


def _load(name: str) -> None:
    ctypes.CDLL(name)


def missing_libraries(file: Path, load: Callable[[str], object] = _load) -> tuple[str, ...]:
    """Return which of the libraries that a library is linked with cannot be loaded here.

    Parameters
    ----------
    file : Path
        Libraries beside it count as there.
    load : callable
        Loads a library by its name; raises OSError.
    """
    missing = []
    for name in needed_libraries(file):
        if (file.parent / name).exists():
            continue
        try:
            load(name)
        except OSError:
            missing.append(name)
    return tuple(missing)


def report_of(
    plan: Plan, requested: str, wanted: str, active: str, problem: str | None, threads: int
) -> ProviderReport:
    """Say what a session that was made really runs on, and why.

    Parameters
    ----------
    plan : Plan
    requested : str
        The setting.
    wanted : str
        The provider that the session was to run on.
    active : str
        The one that it runs on.
    problem : str or None
        Why `wanted` cannot be loaded, where that is known.
    threads : int
    """
    reason, warning = plan.reason, plan.warning
    if wanted != plan.providers[0]:
        reason = f"{LABELS[plan.providers[0]]} is for networks whose pictures have one size; this one has not."
    if active != wanted:
        reason = f"{LABELS[wanted]} could not be started{f': {problem}' if problem else ''}."
        if active != PROVIDERS["cpu"]:
            other = LABELS.get(active, active)
            warning = f"{LABELS[wanted]} is not used, {other} is. {reason} Choose that in the settings."
        else:
            warning = f"{plan.card or 'The graphics card'} is not used. {reason} {GPU_MEND}"
    if warning is not None and GPU_MEND in warning:
        warning = warning.replace(GPU_MEND, card_mend(installed_runtimes()))
    device = plan.card if active in (PROVIDERS["cuda"], PROVIDERS["tensorrt"]) and plan.card else processor()
    return ProviderReport(requested, LABELS.get(active, active), device, reason, warning, threads)
