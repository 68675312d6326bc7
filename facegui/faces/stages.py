"""Many photos at once: the chain as stages that work side by side, each photo's result in the order of the photos.

A few threads serve all stages. A free one takes up what is furthest along, so no more is begun than is finished, and
as many threads compute as there are cores, whichever stage is the slow one. With no threads the same stages run one
after the other in the caller's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any, Generic, TypeVar

from facegui.faces.pipeline import FacePipeline
from facegui.faces.types import FacePolicy, Frame, Photo, Timings

__all__ = ["Done", "Stage", "analyse_photos", "embed_photos", "read_photos", "search_photos", "staged"]

_SPARE = 4

S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a chain.

    Attributes
    ----------
    name : str
    act : callable
        Turns a list of values into as many results, in their order. It runs in several threads at once.
    batch : int
        So many values at a time where that many are there.
    """

    name: str
    act: Callable[[list[Any]], Sequence[Any]]
    batch: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Done(Generic[S, R]):
    """What became of one item.

    Attributes
    ----------
    source : S
        The item as it went in.
    value : R or None
        What the last stage made of it; None where a stage failed.
    error : Exception or None
        What that stage raised.
    stage : str
        Name of that stage; empty where none failed.
    """

    source: S
    value: R | None
    error: Exception | None = None
    stage: str = ""

    def result(self) -> R:
        """Return the value, or raise what the stage raised."""
        if self.error is not None:
            raise self.error
        assert self.value is not None
        return self.value


class _Item:
    """An item on its way; written by the one thread that has it, and read when it is done."""

    __slots__ = ("done", "error", "source", "stage", "value")

    def __init__(self, source: Any) -> None:
        self.source = self.value = source
        self.error: Exception | None = None
        self.stage = ""
        self.done = False

    def leave(self) -> Done[Any, Any]:
        return Done(self.source, None if self.error else self.value, self.error, self.stage)


def _apply(stage: Stage, items: Sequence[_Item]) -> None:
    """Run one stage; where several items fail together, each is tried alone, so that one spoils no other."""
    try:
        values = stage.act([item.value for item in items])
        if len(values) != len(items):
            raise ValueError(f"the stage {stage.name} made {len(values)} results of {len(items)} values")
    except Exception as error:
        if len(items) > 1:
            for item in items:
                _apply(stage, [item])
            return
        items[0].error, items[0].stage, items[0].value = error, stage.name, None
        return
    for item, value in zip(items, values, strict=True):
        item.value = value


class _Crew:
    """Threads that carry items through the stages."""

    def __init__(self, stages: Sequence[Stage], workers: int) -> None:
        self._stages = stages
        self._waiting: list[deque[_Item]] = [deque() for _ in stages]
        self._running = [0] * len(stages)
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._finished = threading.Condition(self._lock)
        self._stopping = False
        self._threads = [threading.Thread(target=self._serve, name=f"photos-{n}", daemon=True) for n in range(workers)]
        for thread in self._threads:
            thread.start()

    def put(self, item: _Item) -> None:
        """Let an item begin."""
        with self._lock:
            self._waiting[0].append(item)
            self._work.notify()

    def wait(self, item: _Item) -> None:
        """Return when an item is done."""
        with self._lock:
            while not item.done:
                self._finished.wait()

    def stop(self) -> None:
        """Finish the stages that run, begin no others, and return when all threads have ended."""
        with self._lock:
            self._stopping = True
            self._work.notify_all()
        for thread in self._threads:
            thread.join()

    def _take(self) -> tuple[int, list[_Item]] | None:
        """Return the items furthest along that make a batch, or whatever waits where nothing more can join it."""
        for place in reversed(range(len(self._stages))):
            queue, batch = self._waiting[place], self._stages[place].batch
            if queue and (len(queue) >= batch or not (any(self._waiting[:place]) or any(self._running[:place]))):
                return place, [queue.popleft() for _ in range(min(batch, len(queue)))]
        return None

    def _next(self) -> tuple[int, list[_Item]] | None:
        """Wait for work and return it; None when there will be no more."""
        with self._lock:
            while not self._stopping:
                taken = self._take()
                if taken is not None:
                    self._running[taken[0]] += 1
                    return taken
                self._work.wait()
            return None

    def _serve(self) -> None:
        while (taken := self._next()) is not None:
            place, items = taken
            _apply(self._stages[place], items)
            with self._lock:
                self._running[place] -= 1
                for item in items:
                    if item.error is not None or place + 1 == len(self._stages):
                        item.done = True
                        self._finished.notify()
                    else:
                        self._waiting[place + 1].append(item)
                self._work.notify(len(items) + 1)


def _one_after_the_other(source: Iterator[S], stages: Sequence[Stage]) -> Generator[Done[S, Any], None, None]:
    group = max((stage.batch for stage in stages), default=1)
    while items := [_Item(given) for given in islice(source, group)]:
        for stage in stages:
            sound = [item for item in items if item.error is None]
            for start in range(0, len(sound), stage.batch):
                _apply(stage, sound[start : start + stage.batch])
        for item in items:
            yield item.leave()


def staged(
    items: Iterable[S], stages: Sequence[Stage], *, workers: int, ahead: int = 0
) -> Generator[Done[S, Any], None, None]:
    """Carry items through stages.

    Closing the generator ends it: stages that run are finished, and no thread is left when it returns.

    Parameters
    ----------
    items : iterable
        Asked for the next one in the caller's thread only, when there is room for it.
    stages : sequence of Stage
    workers : int
        Threads; 0 runs the stages one after the other in the caller's thread.
    ahead : int
        So many items are under way or wait to be taken, at most; by default two for each thread, two batches of
        every stage, and a few to spare for a caller who stops now and then.

    Yields
    ------
    Done
        For each item, in the order of the items. What a stage raises is in it; it stops no other item.
    """
    source = iter(items)
    if workers < 1:
        yield from _one_after_the_other(source, stages)
        return
    ahead = ahead or 2 * workers + _SPARE + 2 * sum(stage.batch for stage in stages if stage.batch > 1)
    crew = _Crew(stages, workers)
    line: deque[_Item] = deque()

    def begin(count: int) -> None:
        for given in islice(source, count):
            item = _Item(given)
            line.append(item)
            crew.put(item)

    try:
        begin(ahead)
        while line:
            item = line.popleft()
            crew.wait(item)
            begin(1)
            yield item.leave()
    finally:
        crew.stop()


def read_photos(read: Callable[[S], Frame], sources: Sequence[S]) -> list[Photo]:
    """Return photos of which only the frames are known, and how long it took to read them."""
    photos = []
    for source in sources:
        start = perf_counter()
        frame = read(source)
        photos.append(Photo(frame, (), Timings(decode=(perf_counter() - start) * 1000)))
    return photos


def search_photos(pipeline: FacePipeline, photos: Sequence[Photo], policy: FacePolicy) -> list[Photo]:
    """Return photos of which only the frames are known with their faces, aligned and assessed."""
    found = [pipeline.analyse(photo.frame, policy, embed=False) for photo in photos]
    return [
        Photo(after.frame, after.faces, Timings(before.timings.decode, after.timings.detect, after.timings.align))
        for before, after in zip(photos, found, strict=True)
    ]


def embed_photos(pipeline: FacePipeline, photos: Sequence[Photo]) -> list[Photo]:
    """Return the photos with embeddings of their faces, made together."""
    start = perf_counter()
    faces = pipeline.embed([face for photo in photos for face in photo.faces])
    each = (perf_counter() - start) * 1000 / max(1, len(faces))
    made = iter(faces)
    return [
        Photo(photo.frame, tuple(islice(made, len(photo.faces))), _with_embed(photo.timings, each * len(photo.faces)))
        for photo in photos
    ]


def _with_embed(timings: Timings, embed: float) -> Timings:
    return Timings(timings.decode, timings.detect, timings.align, embed)


def analyse_photos(
    pipeline: FacePipeline,
    sources: Iterable[S],
    read: Callable[[S], Frame],
    policy: FacePolicy = FacePolicy.ALL,
    *,
    embed: bool = True,
    workers: int | None = None,
) -> Generator[Done[S, Photo], None, None]:
    """Read photos, find their faces, align, assess and embed them.

    Parameters
    ----------
    pipeline : FacePipeline
    sources : iterable
        What `read` turns into frames.
    read : callable
        Runs in several threads at once; what it raises is the error of that photo.
    policy : FacePolicy
        Which faces count.
    embed : bool
        Whether faces are embedded.
    workers : int, optional
        Threads; by default as many as the networks may use. 0 for none.

    Yields
    ------
    Done of Photo
        In the order of the sources; `stage` is ``decode``, ``detect`` or ``embed`` where one failed.

    Raises
    ------
    KnownError
        A model is missing or damaged.
    """
    many = pipeline.threads if workers is None else workers
    chain = pipeline.single() if many else pipeline

    stages = [
        Stage("decode", lambda some: read_photos(read, some)),
        Stage("detect", lambda photos: search_photos(chain, photos, policy)),
    ]
    if embed:
        stages.append(Stage("embed", lambda photos: embed_photos(chain, photos), chain.embedder.batch))
    yield from staged(sources, stages, workers=many)
