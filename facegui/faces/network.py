"""What the chain asks of a network, whatever runs it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from facegui.faces.providers import ProviderReport

__all__ = ["Network", "thread_count"]


class Network(Protocol):
    """Something that turns named input arrays into output arrays. It may run in several threads at once."""

    @property
    def batch(self) -> int:
        """How many pictures in one run are fastest; loads the network when that has not happened yet."""

    @property
    def threads(self) -> int:
        """Threads of the processor that it may use."""

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
