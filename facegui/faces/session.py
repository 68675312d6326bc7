"""Networks run by ONNX Runtime, and the truth about what they run on.

The only module that imports onnxruntime. A network is loaded at its first use, once, whichever thread asks first.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.faces.providers import (
    GPU_MEND,
    LABELS,
    PROVIDERS,
    Plan,
    ProviderReport,
    graphics_card,
    plan_providers,
    processor,
)
from facegui.faces.runtimes import card_mend, installed_runtimes, missing_libraries

__all__ = [
    "PROVIDERS", "Layer", "Network", "OnnxNetwork", "ProviderReport", "available_providers", "cuda_problem",
    "graphics_card", "layers", "plan_providers", "thread_count",
]  # fmt: skip

_LARGEST_CPU_BATCH = 8
_CARD_BATCH = 32

# Milliseconds per photo with arcface on two cores, quiet and beside two busy processes: 17.7 and 34.7 without spinning,
# 14.6 and 27.8 with this, 15.8 and 43.8 with ONNX Runtime's own duration.
_SPIN_MICROSECONDS = "100"


class Network(Protocol):
    """Something that turns named input arrays into output arrays. It may run in several threads at once."""

    @property
    def batch(self) -> int:
        """How many pictures in one run are fastest; loads the network when that has not happened yet."""

    @property
    def report(self) -> ProviderReport:
        """What it runs on; loads the network when that has not happened yet."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs in the order of the file."""

    def single(self) -> Network:
        """Return the network for callers that run side by side: one thread for each, on the processor."""


def thread_count(setting: int) -> int:
    """Return the number of threads for a setting; 0 means one per core that this process may use."""
    if setting > 0:
        return setting
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def available_providers() -> tuple[str, ...]:
    """Return what this build of ONNX Runtime was made with; that says nothing about this machine."""
    import onnxruntime

    return tuple(onnxruntime.get_available_providers())


def cuda_problem() -> str | None:
    """Return which libraries CUDA lacks, or what the loader says; None where it loads or this build has none."""
    return _problem(PROVIDERS["cuda"])


def _problem(provider: str) -> str | None:
    """Return why a provider for NVIDIA cards cannot be loaded; None where it can, or where this build has none."""
    import onnxruntime

    name = {PROVIDERS["cuda"]: "cuda", PROVIDERS["tensorrt"]: "tensorrt"}.get(provider)
    folder = Path(onnxruntime.__file__).parent / "capi"
    suffix = ".dll" if sys.platform == "win32" else ".so"
    prefix = "" if sys.platform == "win32" else "lib"
    library = folder / f"{prefix}onnxruntime_providers_{name}{suffix}"
    if name is None or not library.exists():
        return None
    _preload()
    try:
        ctypes.CDLL(str(folder / f"{prefix}onnxruntime_providers_shared{suffix}"), mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(str(library))
    except OSError as error:
        missing = missing_libraries(library)
        return f"{', '.join(missing)} cannot be loaded" if missing else str(error)
    return None


def _preload() -> None:
    """Load the CUDA libraries that were installed as Python packages, where the loader would not look for them."""
    import onnxruntime

    if hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
            onnxruntime.preload_dlls()


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of a network as it was run.

    Attributes
    ----------
    kind : str
        ONNX's name of the operator.
    inputs, outputs : tuple of tuple of int
        Shapes, weights included.
    microseconds : int
    """

    kind: str
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    microseconds: int


def layers(file: Path, inputs: Mapping[str, NDArray[Any]]) -> list[Layer]:
    """Run a network once on one thread of the processor and return what it did, step by step.

    Raises
    ------
    OSError
        The record cannot be written into the folder for temporary files.
    """
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=[PROVIDERS["cpu"]])
        session.run(None, dict(inputs))
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return [
        Layer(
            event["args"]["op_name"],
            _shapes(event["args"], "input_type_shape"),
            _shapes(event["args"], "output_type_shape"),
            event["dur"],
        )
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time")
    ]


def _hand_back_memory() -> None:
    """Give the system what loading left unused: glibc would keep it, up to five times what the network needs."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def _shapes(event: Mapping[str, Any], key: str) -> tuple[tuple[int, ...], ...]:
    """Return the shapes out of a list such as ``[{"float": [1, 64, 56, 56]}]``."""
    return tuple(tuple(shape) for item in event.get(key, ()) for shape in item.values())


def _fallback(plan: Plan, active: str) -> tuple[str, str]:
    """Return the reason and the warning where a session does not run on the provider that was asked for first."""
    wanted = LABELS[plan.providers[0]]
    problem = _problem(plan.providers[0])
    reason = f"{wanted} could not be started{f': {problem}' if problem else ''}."
    if active != PROVIDERS["cpu"]:
        return reason, f"{wanted} is not used, {LABELS.get(active, active)} is. {reason} Choose that in the settings."
    return reason, f"{plan.card or 'The graphics card'} is not used. {reason} {GPU_MEND}"


class OnnxNetwork:
    """One ONNX file, loaded at its first use and guarded by a lock.

    Parameters
    ----------
    file : Path
    provider : str
        ``auto`` or a key of `PROVIDERS`.
    threads : int
        0 for one per core.
    """

    def __init__(self, file: Path, *, provider: str = "auto", threads: int = 0) -> None:
        self._file = file
        self._provider = provider
        self._threads = thread_count(threads)
        self._lock = threading.Lock()
        self._session: Any = None
        self._report: ProviderReport | None = None
        self._single: OnnxNetwork | None = None

    @property
    def loaded(self) -> bool:
        """Whether the network was loaded already."""
        return self._report is not None

    @property
    def report(self) -> ProviderReport:
        """What the network runs on."""
        self._load()
        assert self._report is not None
        return self._report

    @property
    def batch(self) -> int:
        """How many pictures in one run are fastest.

        On the processor one for each thread: with more, what lies between two layers no longer fits its cache.
        """
        report = self.report
        return min(report.threads, _LARGEST_CPU_BATCH) if report.active == LABELS[PROVIDERS["cpu"]] else _CARD_BATCH

    def single(self) -> OnnxNetwork:
        """Return the network for callers that run side by side.

        On the processor it has one thread for each caller, so that nobody waits for anybody's share of a layer. A
        graphics card is shared as it is.
        """
        report = self.report
        if report.active != LABELS[PROVIDERS["cpu"]] or report.threads == 1:
            return self
        with self._lock:
            if self._single is None:
                self._single = OnnxNetwork(self._file, provider=self._provider, threads=1)
            return self._single

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs in the order of the file.

        Raises
        ------
        KnownError
            The file is missing, damaged, or not a network.
        """
        session = self._load()
        outputs: list[NDArray[Any]] = session.run(None, dict(inputs))
        return outputs

    def inputs(self) -> dict[str, tuple[tuple[int | str | None, ...], np.dtype[Any]]]:
        """Return shape and type of each input; free axes are names or None."""
        kinds = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(float16)": np.float16}
        return {
            item.name: (tuple(item.shape), np.dtype(kinds.get(item.type, np.float32)))
            for item in self._load().get_inputs()
        }

    def _load(self) -> Any:
        if self._session is None:
            with self._lock:
                if self._session is None:
                    self._session = self._make()
        return self._session

    def _make(self) -> Any:
        try:
            data = self._file.read_bytes()
        except OSError as error:
            raise KnownError(
                f"The model file {self._file.name} cannot be read.",
                f"{self._file}: {error.strerror or error}.",
                "Install facegui again, or choose another model in the settings.",
            ) from error
        import onnxruntime

        plan = plan_providers(self._provider, onnxruntime.get_available_providers(), graphics_card())
        on_card = plan.providers[0] in (PROVIDERS["cuda"], PROVIDERS["tensorrt"])
        if on_card:
            _preload()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Several networks take turns on the same cores, and other programs want them too: a pool that spins on while it
        # waits slows all of them down. Threads that never spin wake up too late for the next layer, though. A short
        # spin inside a run is faster than either, on a quiet machine and on a busy one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_MICROSECONDS)
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 4  # what matters of it is told in the report or raised
        try:
            # Where a card's libraries are missing, it prints that into the answer of the command, and logs it as well.
            with contextlib.redirect_stdout(io.StringIO()) if on_card else contextlib.nullcontext():
                if on_card:
                    onnxruntime.set_default_logger_severity(4)
                session = onnxruntime.InferenceSession(data, options, providers=list(plan.providers))
        except Exception as error:  # ONNX Runtime raises its own types, which share no base but Exception
            raise KnownError(
                f"The model file {self._file.name} cannot be used.",
                "It is damaged, or it is not a network that ONNX Runtime can run.",
                "Install facegui again, or choose another model in the settings.",
            ) from error
        del data
        _hand_back_memory()
        active = session.get_providers()[0]
        warning = plan.warning
        reason = plan.reason
        if active != plan.providers[0]:
            reason, warning = _fallback(plan, active)
        if warning is not None and GPU_MEND in warning:
            warning = warning.replace(GPU_MEND, card_mend(installed_runtimes()))
        on_card = active in (PROVIDERS["cuda"], PROVIDERS["tensorrt"])
        device = plan.card if on_card and plan.card else processor()
        self._report = ProviderReport(
            self._provider, LABELS.get(active, active), device, reason, warning, self._threads
        )
        return session
