"""How fast the chain runs on photos, step by step, and how much of it is not its networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.pipeline import FacePipeline
from facegui.faces.session import Network, ProviderReport
from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy, Frame, Photo, Timings
from facegui.jobs import Job, Progress

__all__ = ["ChainSpeed", "Group", "Recorder", "Spread", "groups_of", "measure_chain"]

GROUP = 25
"""Photos between two changes of what is measured."""

Build = Callable[[Callable[[Network], Network]], FacePipeline]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 95 % and 99 % of milliseconds."""

    median: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of some milliseconds."""
        return cls(*(float(value) for value in np.percentile(values, (50, 95, 99))))


@dataclass(frozen=True, slots=True)
class Group:
    """What one group of photos took, in milliseconds per photo.

    Attributes
    ----------
    single : float
        One photo after the other, each on all threads.
    beside : float
        Side by side, a photo for each thread.
    networks : float
        The networks' runs for the same photos, side by side, and nothing else.
    """

    single: float
    beside: float
    networks: float


@dataclass(frozen=True, slots=True)
class ChainSpeed:
    """How fast the chain is.

    Attributes
    ----------
    photos, faces, without_face, unreadable : int
    megapixels : float
        Median of the originals.
    steps : dict of str to Spread
        Decode, detect, align, embed and total, one photo after the other.
    groups : tuple of Group
    runs : float
        Runs of a network per photo.
    """

    photos: int
    faces: int
    without_face: int
    unreadable: int
    megapixels: float
    steps: dict[str, Spread]
    groups: tuple[Group, ...]
    runs: float

    def milliseconds(self, way: str) -> float:
        """Return the median over the groups of one of `Group`'s figures."""
        return float(median(getattr(group, way) for group in self.groups))

    @property
    def over_networks(self) -> float:
        """The chain's time side by side over that of its networks alone; median of the groups."""
        return median(group.beside / group.networks for group in self.groups)


Run = tuple[Network, Mapping[str, NDArray[Any]]]


class Recorder:
    """A network that remembers what it was given, while it is asked to.

    Parameters
    ----------
    network : Network
    runs : list
        Where the runs go.
    """

    def __init__(self, network: Network, runs: list[Run]) -> None:
        self._network = network
        self._runs = runs

    @property
    def batch(self) -> int:
        """As of the network."""
        return self._network.batch

    @property
    def threads(self) -> int:
        """As of the network."""
        return self._network.threads

    @property
    def report(self) -> ProviderReport:
        """As of the network."""
        return self._network.report

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run the network and remember the inputs."""
        self._runs.append((self._network, dict(inputs)))
        return self._network.run(inputs)

    def single(self) -> Network:
        """Return the network for callers that run side by side; it remembers into the same list."""
        return Recorder(self._network.single(), self._runs)


def groups_of(photos: Sequence[Path]) -> list[Sequence[Path]]:
    """Return the photos in groups, of which the first only warms up when there are several."""
    return [photos[start : start + GROUP] for start in range(0, len(photos), GROUP)]


def side_by_side(pipeline: FacePipeline, photos: Sequence[Path], read: Callable[[Path], Frame]) -> list[Photo | None]:
    """Return what the chain finds in some photos, the largest face of each; None for one that cannot be used."""
    return [done.value for done in analyse_photos(pipeline, photos, read, FacePolicy.LARGEST)]


def one_by_one(pipeline: FacePipeline, photos: Sequence[Path], read: Callable[[Path], Frame]) -> list[Photo | None]:
    """Do the same with one photo after the other, each on all threads."""
    return [done.value for done in analyse_photos(pipeline, photos, read, FacePolicy.LARGEST, workers=0)]


def _networks_alone(runs: Sequence[Run], threads: int) -> float:
    """Run the networks on what they were given, as many at a time as there are threads; return the seconds."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda run: run[0].run(run[1]), runs[:threads]))
        start = perf_counter()
        list(pool.map(lambda run: run[0].run(run[1]), runs))
        return perf_counter() - start


def measure_chain(build: Build, photos: Sequence[Path], read: Callable[[Path], Frame]) -> Job[ChainSpeed]:
    """Measure the chain on photos, the largest face of each.

    Photos go through in small groups: one by one, side by side, and their networks alone, in turns, so that a machine
    whose speed drifts treats all alike.

    Parameters
    ----------
    build : callable
        Makes the chain; it is given what to wrap each network into.
    photos : sequence of Path
        At least one.
    read : callable
        Turns a path into a frame; raises KnownError.

    Yields
    ------
    Progress

    Raises
    ------
    KnownError
        A model is missing or damaged.
    """
    runs: list[Run] = []
    plain, recorded = build(lambda network: network), build(lambda network: Recorder(network, runs))
    names = [item.name for item in fields(Timings)]
    spent: list[Timings] = []
    groups, sizes, counts = [], [], []
    total_runs = unreadable = 0
    one_by_one(plain, photos[:3], read)
    side_by_side(plain, photos[:3], read)
    done = 0
    for part in groups_of(photos):
        yield Progress(done, len(photos), "The chain")
        runs.clear()
        start = perf_counter()
        alone = one_by_one(plain, part, read)
        middle = perf_counter()
        side_by_side(plain, part, read)
        end = perf_counter()
        side_by_side(recorded, part, read)
        networks = _networks_alone(runs, plain.threads)
        groups.append(Group(*(1000 * time / len(part) for time in (middle - start, end - middle, networks))))
        usable = [photo for photo in alone if photo is not None]
        unreadable += len(part) - len(usable)
        spent += [photo.timings for photo in usable]
        sizes += [photo.frame.original_size[0] * photo.frame.original_size[1] / 1e6 for photo in usable]
        counts += [len(photo.faces) for photo in usable]
        total_runs += len(runs)
        done += len(part)
    yield Progress(len(photos), len(photos))
    steps = {name: Spread.of([getattr(timings, name) for timings in spent]) for name in names if spent}
    if spent:
        steps["total"] = Spread.of([timings.total for timings in spent])
    return ChainSpeed(
        photos=len(photos),
        faces=sum(counts),
        without_face=counts.count(0),
        unreadable=unreadable,
        megapixels=median(sizes) if sizes else 0.0,
        steps=steps,
        groups=tuple(groups),
        runs=total_runs / max(1, len(counts)),
    )
