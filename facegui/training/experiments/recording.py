"""The recorded runs of the sphere experiment as one small file: what the pictures and the app's margin lab show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.training.experiments.learning import Run
from facegui.training.experiments.measures import angles, degrees, pair_eer, units

__all__ = ["ANGLE_BINS", "POINTS", "keep_runs", "recorded", "save_runs"]

POINTS = 500
"""Test pictures whose path over the epochs is kept."""

ANGLE_BINS = 90
"""Bins of two degrees for the angles between embeddings and their own centres."""

_FORMAT = 1
_WHOLE = 127  # a coordinate of 1 as int8, about half a degree fine


def recorded(file: Path, about: dict[str, object]) -> set[str]:
    """Return the names of the runs that a file holds, none where it is missing or about something else."""
    if not file.is_file():
        return set()
    with np.load(file, allow_pickle=False) as arrays:
        found = json.loads(str(arrays["about"]))
    runs = found.pop("runs")
    return {entry["name"] for entry in runs} if found == {"format": _FORMAT, **about} else set()


def save_runs(
    runs: Sequence[Run], labels: NDArray[np.int64], about: dict[str, object], file: Path, order: Sequence[str]
) -> None:
    """Write runs of 3-D embeddings; those that the file holds already stay in it.

    Parameters
    ----------
    runs : sequence of Run
        With the same test pictures.
    labels : array of int64, shape (N,)
        Of the test pictures; as many of each class are kept.
    about : dict
        What made them; kept as JSON.
    file : Path
    order : sequence of str
        Names of the runs in the order in which they are kept.

    Notes
    -----
    Arrays by name, without pickles. ``about``: JSON. ``labels``: uint8, (points,). For each run ``NAME/points``: int8,
    (frames, points, 3), unit vectors times 127; ``NAME/centres``: the same for the class centres; ``NAME/figures``:
    float32, (frames, 9): epoch, loss, train and test accuracy, the four angles of `Angles` in degrees, EER of pairs;
    ``NAME/angles``: uint16, (frames, 90), test pictures by the angle with their own centre.
    """
    classes = int(labels.max()) + 1
    kept = np.sort(np.concatenate([np.flatnonzero(labels == k)[: POINTS // classes] for k in range(classes)]))
    arrays: dict[str, NDArray[np.generic]] = {"labels": labels[kept].astype(np.uint8)}
    listed = []
    if recorded(file, about):
        with np.load(file, allow_pickle=False) as before:
            listed = json.loads(str(before["about"]))["runs"]
            arrays |= {key: before[key] for key in before if "/" in key}
    for run in runs:
        name, margin = run.chosen.name, run.chosen.margin
        listed.append({
            "name": name, "title": run.chosen.title, "scale": margin.scale, "m1": margin.m1, "m2": margin.m2,
            "m3": margin.m3, "normalised": margin.normalised, "extra": run.chosen.extra,
            "train_accuracy": run.train_accuracy,
        })  # fmt: skip
        frames = run.frames
        arrays[f"{name}/points"] = np.stack([_bytes(frame.features[kept]) for frame in frames])
        arrays[f"{name}/centres"] = np.stack([_bytes(frame.centres) for frame in frames])
        arrays[f"{name}/figures"] = np.array(
            [
                (
                    frame.epoch, frame.loss, frame.train_accuracy, frame.test_accuracy,
                    *astuple(angles(frame.features, labels, frame.centres)), pair_eer(frame.features, labels),
                )
                for frame in frames
            ],
            np.float32,
        )  # fmt: skip
        arrays[f"{name}/angles"] = np.stack([_own_angles(f.features, f.centres, labels) for f in frames])
    listed.sort(key=lambda entry: order.index(entry["name"]))
    text = json.dumps({"format": _FORMAT, **about, "runs": listed})
    part = file.with_suffix(".part")
    with part.open("wb") as stream:
        np.savez_compressed(stream, about=np.array(text), **arrays)  # type: ignore[arg-type]
    part.replace(file)


def keep_runs(file: Path, names: Sequence[str], target: Path) -> None:
    """Write some of a file's runs into a file of their own, unchanged."""
    with np.load(file, allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        about["runs"] = [entry for entry in about["runs"] if entry["name"] in names]
        kept = {key: arrays[key] for key in arrays if key == "labels" or key.partition("/")[0] in names}
    np.savez_compressed(target, about=np.array(json.dumps(about)), **kept)


def _bytes(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    return np.round(units(rows) * _WHOLE).astype(np.int8)


def _own_angles(
    features: NDArray[np.float32], centres: NDArray[np.float32], labels: NDArray[np.int64]
) -> NDArray[np.uint16]:
    own = degrees((units(features) * units(centres)[labels]).sum(axis=1))
    return np.histogram(own, ANGLE_BINS, (0.0, 180.0))[0].astype(np.uint16)
