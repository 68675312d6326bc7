"""The processes that read folders, as the settings want them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facegui.lookalikes.executors import Chain, Executor, ProcessPool, Serial
from facegui.settings import Settings

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["executor_for"]


def executor_for(services: Services) -> Executor:
    """Return what reads the photos of a folder."""
    here = Serial(services.pipeline, services.read_bytes)
    processes = services.settings.index_processes
    if processes == 1:
        return here
    return ProcessPool(_chain_of, (services.settings, services.model.id), processes, here)


def _chain_of(settings: Settings, model: str) -> Chain:
    """Make the chain of one process: a single thread, for the processes are the threads."""
    from facegui.services.core import Services

    services = Services(settings=replace(settings, threads=1), model=model)
    return services.pipeline, services.read_bytes
