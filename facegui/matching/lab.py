"""The margin lab without its window: recorded training runs, the margins' curves, and regions on the sphere.

The runs were recorded by ``facegui.training.experiments`` (see its `recording`); nothing here needs PyTorch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui import paths
from facegui.errors import KnownError

__all__ = [
    "PAIR_BINS", "Frame", "Margin", "PairScores", "Recorded", "Recording", "boundary", "load", "pair_scores", "regions",
    "target_cosine",
]  # fmt: skip

Floats = NDArray[np.float64]

_WHOLE = 127.0  # see training.experiments.recording
_FIGURES = 9
_FINE_BINS = 2000
_TABLE = 4001  # cosines at which a margin is worked out for the sphere

PAIR_BINS = 80
"""Bins of the cosines of pairs, from -1 to 1."""


@dataclass(frozen=True, slots=True)
class Margin:
    """s·(cos(m1·θ + m2) − m3); see `facegui.training.margins`, whose values these are.

    Attributes
    ----------
    scale, m1, m2, m3 : float
        m2 in radians.
    """

    scale: float = 16.0
    m1: float = 1.0
    m2: float = 0.0
    m3: float = 0.0


def target_cosine(theta: NDArray[np.floating], margin: Margin) -> Floats:
    """Return cos(m1·θ + m2) − m3, beyond π as in the paper's reference code.

    Parameters
    ----------
    theta : array of float
        Angles with the own centre, radians, 0..π.
    margin : Margin

    Notes
    -----
    A cosine rises again beyond π. With m1 = 1 the curve goes on as cos θ − m2·sin m2 there, with another m1 as
    SphereFace's (−1)^k·cos φ − 2k, φ = m1·θ + m2, k = ⌊φ/π⌋.
    """
    angle = np.asarray(theta, np.float64)
    turned = margin.m1 * angle + margin.m2
    if margin.m1 == 1.0:
        bent = np.where(turned <= np.pi, np.cos(turned), np.cos(angle) - margin.m2 * np.sin(margin.m2))
    else:
        half_turns = np.floor(turned / np.pi)
        bent = (1.0 - 2.0 * (half_turns % 2)) * np.cos(turned) - 2.0 * half_turns
    result: Floats = bent - margin.m3
    return result


def boundary(theta: NDArray[np.floating], margin: Margin) -> Floats:
    """Return how far the other centre must be so that a face at `theta` from its own is still right, with the margin.

    Parameters
    ----------
    theta : array of float
        Angles with the own centre, radians.

    Returns
    -------
    array of float64
        The least angle with the other centre, radians; NaN where no angle is enough.
    """
    cosine = target_cosine(theta, margin)
    return np.where(cosine >= -1.0, np.arccos(np.clip(cosine, -1.0, 1.0)), np.nan)


def regions(
    directions: NDArray[np.floating], centres: NDArray[np.floating], margin: Margin
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Tell for directions on the sphere whose they are, and how far the margin is kept.

    Parameters
    ----------
    directions : array of float, shape (N, 3)
        Unit vectors.
    centres : array of float, shape (n, 3)
        Unit vectors.
    margin : Margin

    Returns
    -------
    array of int64, shape (N,)
        The nearest centre.
    array of float32, shape (N,)
        The target cosine with margin less the greatest cosine of another class: above 0 a picture there, of that
        class, is right even with the margin taken off.
    """
    rows = np.asarray(centres, np.float32) @ np.asarray(directions, np.float32).T
    nearest = np.zeros(rows.shape[1], np.int64)
    best, second = rows[0].copy(), np.full(rows.shape[1], -1.0, np.float32)
    # One pass over each centre's row is several times faster than sorting ten cosines for each direction.
    for k in range(1, len(rows)):
        np.maximum(second, np.minimum(best, rows[k]), out=second)
        nearest[rows[k] > best] = k
        np.maximum(best, rows[k], out=best)
    table = np.linspace(-1.0, 1.0, _TABLE)
    kept = np.interp(best, table, target_cosine(np.arccos(table), margin))
    return nearest, (kept - second).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """Cosines of all pairs of the points shown.

    Attributes
    ----------
    edges : array of float64, shape (bins + 1,)
        From −1 to 1.
    same, different : array of float64, shape (bins,)
        Share of the pairs of one class, and of two, in each bin.
    eer, threshold : float
        Equal error rate and the cosine at which it is.
    """

    edges: Floats
    same: Floats
    different: Floats
    eer: float
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One moment of a run.

    Attributes
    ----------
    points : array of float32, shape (N, 3)
        Unit vectors of test pictures.
    centres : array of float32, shape (n, 3)
        Unit vectors of the class centres.
    epoch, loss, train_accuracy, test_accuracy : float
        The loss and the training accuracy since the frame before; NaN in the first.
    within, between : float
        Mean angles over all test pictures, degrees: with the middle of the own class, and from there to the nearest
        other one.
    own_angles : array of float64, shape (bins,)
        Share of the test pictures by their angle with their own centre, from 0 to 180 degrees.
    pair_eer : float
        Equal error rate of verifying pairs of test pictures by their cosine, over 40,000 pairs.
    """

    points: NDArray[np.float32]
    centres: NDArray[np.float32]
    epoch: float
    loss: float
    train_accuracy: float
    test_accuracy: float
    within: float
    between: float
    own_angles: Floats
    pair_eer: float


@dataclass(frozen=True, eq=False)
class Recorded:
    """One run.

    Attributes
    ----------
    name, title : str
    margin : Margin
    normalised : bool
        False for plain softmax, whose logits also depend on lengths.
    train_accuracy : float
        At the end, on all training pictures.
    frames : tuple of Frame
    """

    name: str
    title: str
    margin: Margin
    normalised: bool
    train_accuracy: float
    frames: tuple[Frame, ...]


@dataclass(frozen=True, eq=False)
class Recording:
    """All runs.

    Attributes
    ----------
    about : dict
        What made them: set, pictures, test_pictures, epochs, seed, scale.
    labels : array of int64, shape (N,)
    runs : tuple of Recorded
    """

    about: dict[str, Any]
    labels: NDArray[np.int64]
    runs: tuple[Recorded, ...]

    @cached_property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """First and second point of every pair, and whether they are of one class."""
        first, second = np.triu_indices(len(self.labels), 1)
        return first.astype(np.int64), second.astype(np.int64), self.labels[first] == self.labels[second]


def pair_scores(recording: Recording, frame: Frame) -> PairScores:
    """Compare every two points of a frame, as the program compares two faces; cosines are told apart by 0.001."""
    first, second, same = recording.pairs
    cosine = (frame.points @ frame.points.T)[first, second]
    place = np.clip(((cosine + 1.0) * (_FINE_BINS / 2)).astype(np.int64), 0, _FINE_BINS - 1)
    genuine, impostor = (
        np.bincount(place[mask], minlength=_FINE_BINS) / max(1, int(mask.sum())) for mask in (same, ~same)
    )
    missed = np.append(0.0, np.cumsum(genuine))  # at each edge, from below
    accepted = np.append(np.cumsum(impostor[::-1])[::-1], 0.0)
    at = int(np.argmin(np.abs(missed - accepted)))
    coarse = (-1, _FINE_BINS // PAIR_BINS)
    return PairScores(
        np.linspace(-1.0, 1.0, PAIR_BINS + 1), genuine.reshape(coarse).sum(axis=1),
        impostor.reshape(coarse).sum(axis=1), float((missed[at] + accepted[at]) / 2), at * 2 / _FINE_BINS - 1,
    )  # fmt: skip


def load(file: Path | None = None) -> Recording:
    """Load the recorded runs that come with the program, or others.

    Raises
    ------
    KnownError
        The file is missing or holds something else.
    """
    source = file or paths.assets_dir() / "lab" / "runs.npz"
    try:
        with np.load(source, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            labels = arrays["labels"].astype(np.int64)
            runs = tuple(_run(arrays, entry) for entry in about.pop("runs"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KnownError(
            "The recorded runs cannot be shown.",
            f"{source.name} cannot be read ({error}).",
            "Install facegui again, or record them anew with the experiments.",
        ) from error
    return Recording(about, labels, runs)


def _run(arrays: Any, entry: dict[str, Any]) -> Recorded:
    name = str(entry["name"])
    points = arrays[f"{name}/points"] / np.float32(_WHOLE)
    centres = arrays[f"{name}/centres"] / np.float32(_WHOLE)
    figures, counts = arrays[f"{name}/figures"].astype(float), arrays[f"{name}/angles"].astype(float)
    if figures.shape[1] != _FIGURES or not len(points) == len(centres) == len(figures) == len(counts):
        raise ValueError("its parts do not fit together")
    frames = []
    for k, row in enumerate(figures.tolist()):
        epoch, loss, train, test, _, _, within, between, error = row
        shares = counts[k] / max(1.0, counts[k].sum())
        frames.append(
            Frame(_unit(points[k]), _unit(centres[k]), epoch, loss, train, test, within, between, shares, error)
        )
    margin = Margin(*(float(entry[key]) for key in ("scale", "m1", "m2", "m3")))
    return Recorded(
        name, str(entry["title"]), margin, bool(entry["normalised"]), float(entry["train_accuracy"]), tuple(frames)
    )


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    made: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return made
