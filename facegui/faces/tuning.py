"""How each provider is set up: one table for all of them. Nothing here was verified on a graphics card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from facegui.faces.providers import PROVIDERS

__all__ = [
    "BUCKETS",
    "Listed",
    "Shape",
    "Tuning",
    "cache_folders",
    "free_sizes",
    "input_of",
    "provider_list",
    "tuning_for",
]

BUCKETS = (1, 2, 4, 8, 16, 32)
"""Batches that a graphics card sees: large ones take hardly longer than small ones, and each shape costs a search."""

_CACHE = "{cache}"

Shape: TypeAlias = Sequence[int | None]
"""Axes of an input; None where one is open."""

Listed: TypeAlias = Sequence[tuple[str, Mapping[str, str]]]
"""Providers by ONNX Runtime's names, with their options."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one provider is set up.

    Attributes
    ----------
    options : mapping of str to str
        Its own options; ``{cache}`` stands for a folder where it may keep what it prepared.
    free_options : mapping of str to str
        What replaces them for a network that takes pictures of any size.
    buckets : tuple of int
        Batches that it is given; none where any number is as good.
    device : str
        ONNX Runtime's name of the device whose memory inputs and outputs are bound to; empty where they are not.
    one_at_a_time : bool
        A session may not be run by two threads at once.
    memory_pattern : bool
        Whether the memory of a run is planned ahead for each shape of its input.
    half : bool
        Whether a copy with numbers of 16 bits is worth trying.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    free_options: Mapping[str, str] = field(default_factory=dict)
    buckets: tuple[int, ...] = ()
    device: str = ""
    one_at_a_time: bool = False
    memory_pattern: bool = True
    half: bool = False


_TABLE: Mapping[str, Tuning] = {
    PROVIDERS["cuda"]: Tuning(
        # The search tries every algorithm of cuDNN once for each shape; buckets keep the shapes few. A detector sees
        # new sizes all the time, so there the answer is looked up instead. TF32 would cost parity.
        options={
            "device_id": "0",
            "arena_extend_strategy": "kSameAsRequested",
            "cudnn_conv_algo_search": "EXHAUSTIVE",
            "cudnn_conv_use_max_workspace": "1",
            "do_copy_in_default_stream": "1",
            "use_tf32": "0",
        },
        free_options={"cudnn_conv_algo_search": "HEURISTIC"},
        buckets=BUCKETS,
        device="cuda",
        one_at_a_time=True,  # what is bound belongs to one run
        half=True,
    ),
    PROVIDERS["tensorrt"]: Tuning(
        options={
            "device_id": "0",
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": f"{_CACHE}/tensorrt",
            "trt_timing_cache_enable": "True",
            "trt_timing_cache_path": f"{_CACHE}/tensorrt",
        },
        buckets=BUCKETS,
        device="cuda",
        one_at_a_time=True,
        half=True,
    ),
    PROVIDERS["coreml"]: Tuning(
        options={
            "ModelFormat": "MLProgram",
            "MLComputeUnits": "ALL",
            "ModelCacheDirectory": f"{_CACHE}/coreml",
        },
        buckets=BUCKETS,
    ),
    # DirectML takes neither a memory pattern nor two runs at once.
    PROVIDERS["directml"]: Tuning(
        options={"device_id": "0"}, buckets=BUCKETS, one_at_a_time=True, memory_pattern=False
    ),
    # A plan of the memory for each size of picture takes twice the memory of a large search, and makes it no faster.
    PROVIDERS["cpu"]: Tuning(memory_pattern=False),
}


def tuning_for(provider: str) -> Tuning:
    """Return how a provider, by ONNX Runtime's name, is set up."""
    return _TABLE[provider]


def free_sizes(shape: Shape) -> bool:
    """Tell whether a network takes pictures of any size: an axis beyond the first is open."""
    return any(not isinstance(axis, int) for axis in shape[1:])


def provider_list(
    providers: Sequence[str], cache: Path, *, source: str = "", shape: Shape = ()
) -> list[tuple[str, dict[str, str]]]:
    """Return providers with their options as ONNX Runtime takes them.

    Parameters
    ----------
    providers : sequence of str
        ONNX Runtime's names, in the order of preference.
    cache : Path
    source : str
        Name of the network's input.
    shape : sequence
        Its shape. TensorRT is told the range of batches, so that it builds one engine and
        not one for every batch; a network that takes any size would need an engine per size, so it goes without.
    """
    free = free_sizes(shape)
    made = []
    for provider in providers:
        tensorrt = provider == PROVIDERS["tensorrt"]
        if tensorrt and free:
            continue
        tuning = _TABLE[provider]
        options = {**tuning.options, **(tuning.free_options if free else {})}
        options = {key: value.replace(_CACHE, str(cache)) for key, value in options.items()}
        if tensorrt and source:
            options |= _profile(source, shape)
        made.append((provider, options))
    return made


def cache_folders(listed: Listed) -> tuple[Path, ...]:
    """Return the folders that some options name; they must exist before a session is made."""
    keys = ("trt_engine_cache_path", "ModelCacheDirectory")
    return tuple(Path(options[key]) for _, options in listed for key in keys if key in options)


def _profile(source: str, shape: Shape) -> dict[str, str]:
    rest = "x".join(str(axis) for axis in shape[1:])
    sizes = {"min": BUCKETS[0], "opt": BUCKETS[-1], "max": BUCKETS[-1]}
    return {f"trt_profile_{key}_shapes": f"{source}:{batch}x{rest}" for key, batch in sizes.items()}


def input_of(file: Path) -> tuple[str, tuple[int | None, ...]]:
    """Return name and shape of a network's input, read from the file.

    Raises
    ------
    Exception
        Whatever the parser raises on a damaged file.
    """
    import onnx

    graph = onnx.load(str(file)).graph
    weights = {item.name for item in graph.initializer}
    found = next(item for item in graph.input if item.name not in weights)
    axes = found.type.tensor_type.shape.dim
    return found.name, tuple(axis.dim_value if axis.HasField("dim_value") else None for axis in axes)
