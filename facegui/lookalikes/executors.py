"""Where the photos of an index are read: in threads of this process, or in several processes."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from facegui.errors import KnownError
from facegui.faces.pipeline import FacePipeline
from facegui.faces.stages import Done
from facegui.gallery.records import PhotoStamp
from facegui.lookalikes.reading import Decode, ReadPhoto, analysed
from facegui.lookalikes.scan import Moves

__all__ = ["Chain", "Executor", "ProcessPool", "Serial"]

Chain = tuple[FacePipeline, Decode]

_CHUNK = 16
"""Photos that a process is given at a time."""
_AHEAD = 2
"""Chunks per process that wait."""


class Executor(Protocol):
    """Reads photos."""

    def analysed(self, paths: Sequence[Path], moves: Moves) -> Generator[Done[Path, ReadPhoto], None, None]:
        """Read, search and embed files; yield them in their order. Closing the generator ends it."""


class Serial:
    """One process; its stages work side by side in threads.

    Parameters
    ----------
    pipeline : FacePipeline
    decode : callable
    """

    def __init__(self, pipeline: FacePipeline, decode: Decode) -> None:
        self._pipeline = pipeline
        self._decode = decode

    def analysed(self, paths: Sequence[Path], moves: Moves) -> Generator[Done[Path, ReadPhoto], None, None]:
        """Read, search and embed files; yield them in their order."""
        return analysed(paths, self._pipeline, self._decode, moves)


class ProcessPool:
    """Several processes, each with a chain of its own.

    Parameters
    ----------
    make_chain : callable
        Makes the chain and what decodes, in each process: a function of a module, with picklable `arguments`.
    arguments : tuple
    processes : int
    here : Serial
        Takes what may be a moved photo, so that each is given away once.
    """

    def __init__(
        self, make_chain: Callable[..., Chain], arguments: tuple[object, ...], processes: int, here: Serial
    ) -> None:
        self._make = make_chain
        self._arguments = arguments
        self._processes = processes
        self._here = here

    def analysed(self, paths: Sequence[Path], moves: Moves) -> Generator[Done[Path, ReadPhoto], None, None]:
        """Read, search and embed files; yield them in their order.

        Raises
        ------
        KnownError
            A process was ended from outside.
        """
        if not paths:
            return
        # A forked copy of a process with threads may hang; a new one is the same on every system.
        context = multiprocessing.get_context("spawn")
        begin = partial(_begin, self._make, *self._arguments)
        pool = ProcessPoolExecutor(self._processes, mp_context=context, initializer=begin)
        suspects = moves.hashes
        chunks = iter([paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)])
        waiting: deque[tuple[Sequence[Path], Future[list[Done[Path, ReadPhoto]]]]] = deque()
        try:
            while True:
                while len(waiting) < self._processes * _AHEAD and (chunk := next(chunks, None)) is not None:
                    waiting.append((chunk, pool.submit(_work, chunk, suspects)))
                if not waiting:
                    return
                _, future = waiting.popleft()
                for done in future.result():
                    if done.value is not None and done.value.was is not None:
                        yield from self._here.analysed([done.source], moves)
                    else:
                        yield done
        except BrokenProcessPool as error:
            raise KnownError(
                "Reading photos was broken off.",
                "One of the processes that read them was ended, perhaps because the memory was full.",
                "Start again: what was read is kept. Fewer processes need less memory.",
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Suspected:
    """Tells a worker which contents are known: those photos are left to the process that keeps the count."""

    def __init__(self, hashes: frozenset[str]) -> None:
        self._hashes = hashes

    def same(self, path: Path, content_hash: str) -> PhotoStamp | None:
        del path
        return self.claim(content_hash)

    def claim(self, content_hash: str) -> PhotoStamp | None:
        return PhotoStamp(0, 0, 0, content_hash, None, True) if content_hash in self._hashes else None


_chain: list[Chain] = []
"""The chain of a worker process."""


def _begin(make_chain: Callable[..., Chain], *arguments: object) -> None:
    _chain.append(make_chain(*arguments))


def _work(paths: Sequence[Path], suspects: frozenset[str]) -> list[Done[Path, ReadPhoto]]:
    pipeline, decode = _chain[0]
    return list(_light(analysed(paths, pipeline, decode, _Suspected(suspects))))


def _light(results: Iterator[Done[Path, ReadPhoto]]) -> Iterator[Done[Path, ReadPhoto]]:
    """Leave the pictures behind; what the index keeps of a frame is its size, scale and date."""
    for done in results:
        item = done.value
        if item is not None and item.frame is not None:
            frame = replace(item.frame, pixels=item.frame.pixels[:1, :1].copy())
            yield replace(done, value=replace(item, frame=frame))
        else:
            yield done
