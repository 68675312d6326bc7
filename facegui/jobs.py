"""Long work as plain generators.

A job yields `Progress` (and, where results can be shown early, `Partial`) and returns its result. Every yield
is a place to cancel: closing the generator stops the work, and its ``finally`` blocks tidy up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

__all__ = ["Job", "Partial", "Progress", "run"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes
    ----------
    done, total : int
        Items finished and items in all; ``total`` is 0 while it is unknown.
    note : str
        What is being worked on, for example a file name.
    """

    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Partial(Generic[T]):
    """A result that can be shown before the job ends."""

    value: T


Job: TypeAlias = Generator[Progress | Partial[Any], None, T]


def run(job: Job[T], on_event: Callable[[Progress | Partial[Any]], None] | None = None) -> T:
    """Run a job to its end in the calling thread and return its result."""
    while True:
        try:
            event = next(job)
        except StopIteration as end:
            result: T = end.value
            return result
        if on_event is not None:
            try:
                on_event(event)
            except BaseException:
                job.close()
                raise
