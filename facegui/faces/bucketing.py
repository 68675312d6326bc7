"""Batches of a few fixed sizes: what a graphics card prepares for a shape it prepares once and uses again.

A batch is cut into parts, each part is filled up to the next bucket, and what belongs to the filling is cut off again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Act", "parts", "run_in_buckets"]

Arrays = Mapping[str, NDArray[Any]]
Act = Callable[[Arrays], list[NDArray[Any]]]
"""Runs a network on inputs whose first axis is a bucket."""


def parts(count: int, buckets: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Cut a batch into parts.

    Parameters
    ----------
    count : int
        Items in the batch.
    buckets : sequence of int
        Sizes that may be run, rising.

    Yields
    ------
    start, stop, bucket : int
        First item, first item beyond, and the size that the part is filled up to.
    """
    largest = buckets[-1]
    for start in range(0, count, largest):
        stop = min(count, start + largest)
        yield start, stop, next(size for size in buckets if size >= stop - start)


def _filled(array: NDArray[Any], start: int, stop: int, bucket: int) -> NDArray[Any]:
    """Return a part of an array, its last item repeated until the bucket is full: real data keeps real ranges."""
    part = array[start:stop]
    if len(part) < bucket:
        part = np.concatenate([part, np.repeat(part[-1:], bucket - len(part), axis=0)])
    return np.ascontiguousarray(part)


def run_in_buckets(act: Act, inputs: Arrays, buckets: Sequence[int]) -> list[NDArray[Any]]:
    """Run a network on a batch of any size, in buckets.

    Parameters
    ----------
    act : callable
    inputs : mapping of str to ndarray, shape (n, ...)
        All with the same n.
    buckets : sequence of int
        Rising.

    Returns
    -------
    list of ndarray, shape (n, ...)

    Raises
    ------
    ValueError
        The inputs have no common number of items, or none, or the network gives another number than it was given.
    """
    counts = {len(array) for array in inputs.values()}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"inputs need one number of items, at least 1, not {sorted(counts)}")
    found: list[list[NDArray[Any]]] = []
    for start, stop, bucket in parts(counts.pop(), buckets):
        outputs = act({name: _filled(array, start, stop, bucket) for name, array in inputs.items()})
        if any(len(output) != bucket for output in outputs):
            raise ValueError(f"{bucket} items went in, {[len(output) for output in outputs]} came out")
        found.append([output[: stop - start] for output in outputs])
    return found[0] if len(found) == 1 else [np.concatenate(each) for each in zip(*found, strict=True)]
