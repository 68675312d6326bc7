"""Which provider of ONNX Runtime is asked for, and why: a decision that needs nothing but names."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["GPU_MEND", "LABELS", "PROVIDERS", "Plan", "ProviderReport", "graphics_card", "plan_providers", "processor"]

PROVIDERS: Mapping[str, str] = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Names in the settings and names in ONNX Runtime, best first."""

LABELS = {
    "TensorrtExecutionProvider": "TensorRT",
    "CUDAExecutionProvider": "CUDA",
    "CoreMLExecutionProvider": "Core ML",
    "DmlExecutionProvider": "DirectML",
    "CPUExecutionProvider": "CPU",
}
# TensorRT builds an engine for minutes at first use, so it is never chosen unasked.
_NVIDIA = (PROVIDERS["cuda"], PROVIDERS["tensorrt"])
_AUTOMATIC = ("cuda", "coreml", "directml", "cpu")
GPU_MEND = (
    "Install facegui with Python and its extra cuda, or a package of it that was built with CUDA."
    if getattr(sys, "frozen", False)  # a packaged program holds its libraries itself
    else "Install the CUDA libraries with: pip install 'onnxruntime-gpu[cuda,cudnn]' (extra: facegui[cuda])."
)


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """What a network was asked to run on and what it really runs on.

    Attributes
    ----------
    requested : str
        Value of the setting: ``auto``, ``cuda`` ...
    active : str
        The provider that the session reports after it was made: ``CPU``, ``CUDA`` ...
    device : str
        Name of the processor or graphics card.
    reason : str
        Why this one, in one sentence.
    warning : str or None
        Set when a graphics card was asked for, or is there, and is not used: what, why, what to do.
    threads : int
        Processor threads of the session.
    precision : str
        Of the numbers that it computes with, ``32 bits`` or ``16 bits``.
    """

    requested: str
    active: str
    device: str
    reason: str
    warning: str | None
    threads: int
    precision: str = "32 bits"


def processor() -> str:
    """Return the name of the processor as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "CPU"


def graphics_card() -> str | None:
    """Return the name of the first NVIDIA card, or None where the driver knows of none."""
    try:
        if sys.platform == "win32":
            driver = ctypes.WinDLL("nvcuda.dll")
        else:
            driver = ctypes.CDLL("libcuda.so.1")
        count = ctypes.c_int()
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or count.value < 1:
            return None
        name = ctypes.create_string_buffer(128)
        if driver.cuDeviceGetName(name, len(name), 0):
            return "NVIDIA"
        return name.value.decode("utf-8", "replace") or "NVIDIA"
    except (OSError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class Plan:
    """Providers to ask for, in order; the card that is there; why these; and a warning where a card stays unused."""

    providers: tuple[str, ...]
    card: str | None
    reason: str
    warning: str | None


def plan_providers(requested: str, built_in: Sequence[str], card: str | None) -> Plan:
    """Choose which providers to ask ONNX Runtime for.

    Parameters
    ----------
    requested : str
        A key of `PROVIDERS` or ``auto``.
    built_in : sequence of str
        What the installed ONNX Runtime was built with.
    card : str or None
        Name of the NVIDIA card, if there is one.
    """
    cpu = PROVIDERS["cpu"]
    if requested == "cpu":
        return Plan((cpu,), card, "The settings ask for the processor.", None)
    if requested == "auto":
        wanted = [PROVIDERS[name] for name in _AUTOMATIC if PROVIDERS[name] in built_in]
        usable = [name for name in wanted if name not in _NVIDIA or card]
        if usable and usable[0] != cpu:
            return Plan((*usable,), card, "A graphics card was found.", None)
        if card:
            warning = f"{card} is not used. The installed ONNX Runtime was built for the processor only. {GPU_MEND}"
            return Plan((cpu,), card, "ONNX Runtime is the build without CUDA.", warning)
        return Plan((cpu,), card, "No graphics card that can be used was found.", None)
    name = PROVIDERS[requested]
    label = LABELS[name]
    if name not in built_in:
        why = f"The installed ONNX Runtime was built without {label}."
        mend = GPU_MEND if name in _NVIDIA else "Choose another one in the settings."
        return Plan((cpu,), card, why, f"{label} was asked for and is not used. {why} {mend}")
    if name in _NVIDIA and card is None:
        why = "No NVIDIA driver with a graphics card was found."
        mend = "Install the driver, or choose another one in the settings."
        return Plan((cpu,), card, why, f"{label} was asked for and is not used. {why} {mend}")
    chain = (name, PROVIDERS["cuda"], cpu) if requested == "tensorrt" else (name, cpu)
    return Plan(chain, card, f"The settings ask for {label}.", None)
