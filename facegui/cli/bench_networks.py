"""How fast the bare networks run: no decoding, no detection, only arithmetic."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facegui.cli.bench_machine import best_time
from facegui.faces.catalog import ModelInfo
from facegui.faces.layers import Layer, layers
from facegui.faces.session import OnnxNetwork
from facegui.jobs import Job, Progress

__all__ = ["NetworkSpeed", "measure_networks", "multiply_adds"]

_SECONDS = 0.6
_FREE_SIZE = 320  # the side of the input where a network leaves it open
_LEAST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class NetworkSpeed:
    """How fast one network is.

    Attributes
    ----------
    id, sha256, provider : str
    side : int
        Width and height of its input.
    multiply_adds : int
        Of its convolutions and matrix products, for one picture.
    single : float
        Milliseconds for one picture at a time on all threads, at best.
    batch : int
    batched : float
        Milliseconds per picture in batches of `batch`, at best.
    beside : float
        Milliseconds per picture with every thread at a picture of its own, at best.
    threads : int
    """

    id: str
    sha256: str
    provider: str
    side: int
    multiply_adds: int
    single: float
    batch: int
    batched: float
    beside: float
    threads: int

    @property
    def gigaflops(self) -> float:
        """Floating-point operations per nanosecond, in the fastest of the three ways."""
        fastest = min(self.single, self.batched, self.beside)
        return 2 * self.multiply_adds / fastest / 1e6


def multiply_adds(steps: list[Layer]) -> int:
    """Return the multiplications of the convolutions and matrix products of a network that was run.

    A convolution of one pixel and one channel is no more than a factor (activations are written so) and does not count.
    """
    total = 0
    for step in steps:
        if step.kind in ("Conv", "FusedConv"):
            kernel = step.inputs[1][1:]
            total += prod(step.outputs[0]) * prod(kernel) if prod(kernel) > 1 else 0
        elif step.kind in ("Gemm", "MatMul", "FusedMatMul", "FusedGemm"):
            total += prod(step.outputs[0]) * step.inputs[0][-1]
    return total


def _beside(network: OnnxNetwork, pixels: NDArray[np.uint8], threads: int) -> float:
    """Return milliseconds per picture with every thread at one of its own."""
    single = network.single()
    single.run({"input": pixels})
    shortest = float("inf")
    with ThreadPoolExecutor(threads) as pool:
        until = perf_counter() + _SECONDS
        while perf_counter() < until:
            start = perf_counter()
            list(pool.map(lambda _: single.run({"input": pixels}), range(4 * threads)))
            shortest = min(shortest, (perf_counter() - start) / (4 * threads))
    return 1000 * shortest


def measure_networks(models: list[ModelInfo], provider: str, threads: int) -> Job[list[NetworkSpeed]]:
    """Measure networks one after the other.

    Parameters
    ----------
    models : list of ModelInfo
    provider : str
        As in the settings.
    threads : int
        0 for one per core.

    Yields
    ------
    Progress

    Raises
    ------
    KnownError
        A file is missing or damaged.
    """
    rng = np.random.default_rng(0)
    found = []
    for number, model in enumerate(models):
        yield Progress(number, len(models), model.id)
        network = OnnxNetwork(model.file, provider=provider, threads=threads)
        report, batch = network.report, network.batch
        width, height = (side or _FREE_SIZE for side in model.input_size)
        pixels = rng.integers(0, 256, (batch, height, width, 3), np.uint8)
        one = pixels[:1]
        start = perf_counter()
        network.run({"input": pixels})
        rounds = max(_LEAST_ROUNDS, int(_SECONDS / max(perf_counter() - start, 1e-6)))
        found.append(
            NetworkSpeed(
                id=model.id,
                sha256=model.sha256,
                provider=report.active,
                side=width,
                multiply_adds=multiply_adds(layers(model.file, {"input": one})),
                single=1000 * best_time(lambda: network.run({"input": one}), rounds),  # noqa: B023 - run at once
                batch=batch,
                batched=1000 * best_time(lambda: network.run({"input": pixels}), rounds) / batch,  # noqa: B023
                beside=_beside(network, one, report.threads),
                threads=report.threads,
            )
        )
    yield Progress(len(models), len(models))
    return found
