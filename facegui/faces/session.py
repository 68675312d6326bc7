"""Networks run by ONNX Runtime, and the truth about what they run on.

The only module that imports onnxruntime. A network is loaded at its first use, once, whichever thread asks first.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui import paths
from facegui.errors import KnownError
from facegui.faces import half
from facegui.faces.binding import BoundRuns
from facegui.faces.bucketing import Act, run_in_buckets
from facegui.faces.memory import give_large_blocks_back, hand_back
from facegui.faces.network import Network, thread_count
from facegui.faces.providers import (
    LABELS,
    PROVIDERS,
    Plan,
    ProviderReport,
    graphics_card,
    plan_providers,
)
from facegui.faces.runtimes import missing_libraries, report_of
from facegui.faces.tuning import (
    BUCKETS,
    Listed,
    Shape,
    Tuning,
    cache_folders,
    free_sizes,
    input_of,
    provider_list,
    tuning_for,
)

__all__ = [
    "PROVIDERS", "Network", "OnnxNetwork", "ProviderReport", "available_providers", "cuda_problem", "graphics_card",
    "plan_providers", "profile", "thread_count",
]  # fmt: skip

_CPU = PROVIDERS["cpu"]
_NVIDIA = (PROVIDERS["cuda"], PROVIDERS["tensorrt"])
_LARGEST_CPU_BATCH = 8

# Milliseconds per photo with arcface on two cores, quiet and beside two busy processes: 17.7 and 34.7 without spinning,
# 14.6 and 27.8 with this, 15.8 and 43.8 with ONNX Runtime's own duration.
_SPIN_MICROSECONDS = "100"


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


def profile(file: Path, inputs: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Run a network once on one thread of the processor and return ONNX Runtime's record of it.

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
        session = onnxruntime.InferenceSession(str(file), options, providers=[_CPU])
        session.run(None, dict(inputs))
        events: list[dict[str, Any]] = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return events


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
        # Set for a graphics card only.
        self._act: Act | None = None
        self._buckets: tuple[int, ...] = ()
        self._turn: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()

    @property
    def loaded(self) -> bool:
        """Whether the network was loaded already, for one caller or for several side by side."""
        return self._known() is not None

    @property
    def threads(self) -> int:
        """Threads of the processor that the network may use."""
        return self._threads

    @property
    def report(self) -> ProviderReport:
        """What the network runs on."""
        known = self._known()
        if known is None:
            self._load()
            known = self._report
            assert known is not None
        return known

    def _known(self) -> ProviderReport | None:
        """Return the report if a session was made, be it the one for callers side by side."""
        if self._report is not None:
            return self._report
        single = self._single
        return replace(single._report, threads=self._threads) if single is not None and single._report else None

    @property
    def batch(self) -> int:
        """How many pictures in one run are fastest.

        On the processor one for each thread: with more, what lies between two layers no longer fits its cache.
        """
        report = self.report
        return min(report.threads, _LARGEST_CPU_BATCH) if report.active == LABELS[_CPU] else BUCKETS[-1]

    def single(self) -> OnnxNetwork:
        """Return the network for callers that run side by side.

        On the processor it has one thread for each caller, so that nobody waits for anybody's share of a layer. A
        graphics card is shared as it is.
        """
        if self._threads == 1 or not self._on_processor():
            return self
        with self._lock:
            if self._single is None:
                self._single = OnnxNetwork(self._file, provider=self._provider, threads=1)
            single = self._single
        single._load()  # a missing file is told here, and not by each of those who work side by side
        return single

    def _on_processor(self) -> bool:
        """Tell whether it runs on the processor.

        Where nothing else can be asked for that is known without loading it: those who work side by side need not hold
        the network twice.
        """
        if self._known() is None and self._plan().providers[0] == _CPU:
            return True
        return self.report.active == LABELS[_CPU]

    def _plan(self) -> Plan:
        return plan_providers(self._provider, available_providers(), graphics_card())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs in the order of the file.

        Raises
        ------
        KnownError
            The file is missing, damaged, or not a network.
        """
        session, act = self._load(), self._act
        if act is not None:
            with self._turn:
                return run_in_buckets(act, inputs, self._buckets) if self._buckets else act(inputs)
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
            with self._file.open("rb"):
                pass
        except OSError as error:
            raise KnownError(
                f"The model file {self._file.name} cannot be read.",
                f"{self._file}: {error.strerror or error}.",
                "Install facegui again, or choose another model in the settings.",
            ) from error
        plan = self._plan()
        if plan.providers[0] == _CPU:
            session = self._start(self._file, [(_CPU, {})])
            self._report = self._tell(plan, _CPU, _CPU)
            return session
        try:
            source, shape = input_of(self._file)
        except Exception as error:  # whatever the parser raises on a damaged file
            raise self._damaged() from error
        listed = provider_list(plan.providers, paths.cache_dir(), source=source, shape=shape)
        session = self._start(self._file, listed)
        active = session.get_providers()[0]
        self._report = self._tell(plan, listed[0][0], active)
        tuning = tuning_for(active)
        if tuning.half and not free_sizes(shape):
            session = self._halved(session, listed, shape)
        self._act = _act_of(session, tuning)
        self._buckets = tuning.buckets
        if tuning.one_at_a_time:
            self._turn = threading.Lock()
        return session

    def _start(self, file: Path, listed: Listed) -> Any:
        """Make a session with some providers and their options."""
        import onnxruntime

        give_large_blocks_back()
        on_card = any(provider in _NVIDIA for provider, _ in listed)
        if on_card:
            _preload()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = all(tuning_for(provider).memory_pattern for provider, _ in listed)
        # Several networks take turns on the same cores, and other programs want them too: a pool that spins on while it
        # waits slows all of them down. Threads that never spin wake up too late for the next layer, though. A short
        # spin inside a run is faster than either, on a quiet machine and on a busy one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_MICROSECONDS)
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 4  # what matters of it is told in the report or raised
        for folder in cache_folders(listed):
            with contextlib.suppress(OSError):  # without a cache it is slower, not wrong
                folder.mkdir(parents=True, exist_ok=True)
        try:
            # Where a card's libraries are missing, it prints that into the answer of the command, and logs it as well.
            with contextlib.redirect_stdout(io.StringIO()) if on_card else contextlib.nullcontext():
                if on_card:
                    onnxruntime.set_default_logger_severity(4)
                session = onnxruntime.InferenceSession(str(file), options, providers=_plain(listed))
        except Exception as error:  # ONNX Runtime raises its own types, which share no base but Exception
            raise self._damaged() from error
        hand_back()
        return session

    def _damaged(self) -> KnownError:
        return KnownError(
            f"The model file {self._file.name} cannot be used.",
            "It is damaged, or it is not a network that ONNX Runtime can run.",
            "Install facegui again, or choose another model in the settings.",
        )

    def _tell(self, plan: Plan, wanted: str, active: str) -> ProviderReport:
        problem = _problem(wanted) if active != wanted else None
        return report_of(plan, self._provider, wanted, active, problem, self._threads)

    def _halved(self, session: Any, listed: Listed, shape: Shape) -> Any:
        """Return a session of a copy with 16 bits where that gives the same embeddings, else the one that is there."""
        import onnxruntime

        assert self._report is not None
        device = f"{self._report.active}, {self._report.device}, ONNX Runtime {onnxruntime.__version__}"
        small = half.tried(
            self._file, paths.cache_dir(), session, shape, device, start=lambda copy: self._start(copy, listed),
            fold=_fold, convert=_convert,
        )  # fmt: skip
        if small is None:
            return session
        self._report = replace(self._report, precision="16 bits")
        return small


def _act_of(session: Any, tuning: Tuning) -> Act:
    """Return what runs a session on one bucket."""
    if not tuning.device:
        return lambda inputs: list(session.run(None, dict(inputs)))
    import onnxruntime

    return BoundRuns(
        session, tuning.device, lambda array: onnxruntime.OrtValue.ortvalue_from_numpy(array, tuning.device, 0)
    )


def _plain(listed: Listed) -> list[Any]:
    """Return providers as ONNX Runtime takes them: a name alone where there are no options."""
    return [(provider, dict(options)) if options else provider for provider, options in listed]


def _fold(file: Path, out: Path) -> None:
    """Write a network with everything computed that does not depend on its input; weights of 8 bits become plain."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(str(file), options, providers=[_CPU])


def _convert(model: Any) -> Any:
    """Return a network with numbers of 16 bits; its inputs and outputs keep their types."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)
