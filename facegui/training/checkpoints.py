"""Checkpoints: folders ``step-00001234`` that are complete or not there; tensors and plain values only, no code.

``network.pt`` holds the network, its moving average, its optimizer and the configuration; ``head-R-of-N.pt`` the
centres of rank R of N with their momentum. Any number of ranks can take up what any other number saved.
"""

from __future__ import annotations

import pickle
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from facegui.errors import KnownError
from facegui.training.heads import Head, rows_of
from facegui.training.ranks import barrier

__all__ = ["find", "load_head", "load_network", "momentum_of", "save", "steps_in"]

_KEPT = 2
_FORMAT = 1


def steps_in(folder: Path) -> list[Path]:
    """Return the complete checkpoints of a run, oldest first."""
    return sorted(place for place in folder.glob("step-*") if place.is_dir() and place.suffix != ".part")


def find(place: Path) -> Path:
    """Return the newest checkpoint of a run, or the checkpoint itself.

    Raises
    ------
    KnownError
        There is none.
    """
    if (place / "network.pt").is_file():
        return place
    found = steps_in(place)
    if not found:
        raise KnownError(f"{place} holds no checkpoint.", "", "Name the folder of a run: `out` in its configuration.")
    return found[-1]


def save(folder: Path, step: int, network: Mapping[str, Any], head: Mapping[str, Any], rank: int, ranks: int) -> Path:
    """Write a checkpoint; every rank calls it. It appears in one step, and older ones go.

    Raises
    ------
    KnownError
        It cannot be written.
    """
    target = folder / f"step-{step:08d}"
    draft = target.with_suffix(".part")
    try:
        if rank == 0:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
        barrier()
        torch.save(dict(head), draft / f"head-{rank}-of-{ranks}.pt")
        if rank == 0:
            torch.save({"format": _FORMAT, "step": step, **network}, draft / "network.pt")
        barrier()
        if rank == 0:
            shutil.rmtree(target, ignore_errors=True)
            draft.replace(target)
            for old in steps_in(folder)[:-_KEPT]:
                shutil.rmtree(old, ignore_errors=True)
        barrier()
    except (OSError, RuntimeError) as error:  # torch.save says a full disk with a RuntimeError
        raise KnownError(
            "The checkpoint could not be saved.", f"{draft}: {error}.", "Free some space; earlier checkpoints are kept."
        ) from error
    return target


def _load(file: Path) -> dict[str, Any]:
    """Read a file without running anything that it may hold."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are not ours; they are refused below
            found = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise KnownError(f"{file} cannot be read.", f"{error.strerror or error}.", "Check its name.") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise KnownError(
            f"{file} is no checkpoint.",
            f"It is damaged, or holds more than numbers, which was not run: {str(error).splitlines()[0]}",
            "Take another checkpoint.",
        ) from error
    if not isinstance(found, dict):
        raise KnownError(f"{file} is no checkpoint.", "It holds something else.", "Take another checkpoint.")
    return found


def load_network(checkpoint: Path) -> dict[str, Any]:
    """Read the network's part of a checkpoint.

    Raises
    ------
    KnownError
        It cannot be read, or is none of ours.
    """
    found = _load(checkpoint / "network.pt")
    if found.get("format") != _FORMAT or not {"network", "config", "step"} <= found.keys():
        raise KnownError(f"{checkpoint} is no checkpoint of facegui.", "", "Take one that `facegui train run` made.")
    return found


def load_head(checkpoint: Path) -> list[dict[str, Any]]:
    """Read the parts of the head, however many ranks saved them.

    Raises
    ------
    KnownError
        One is missing or damaged.
    """
    files = sorted(checkpoint.glob("head-*-of-*.pt"))
    wanted = int(files[0].stem.rpartition("-")[2]) if files else 1
    if len(files) != wanted:
        raise KnownError(
            f"{checkpoint} is incomplete.",
            f"It has {len(files)} of {wanted} parts of the head.",
            "Take an earlier one.",
        )
    return [_load(file) for file in files]


def momentum_of(parts: list[dict[str, Any]], head: Head) -> dict[str, Any]:
    """Return the momentum of the classes that a head holds, by the name of its parameter."""
    found = {}
    for name, rows in (("centres", head.subcentres), ("bias", 1)):
        key = f"momentum of {name}"
        if all(key in part for part in parts):
            found[name] = rows_of(parts, key, head.start, head.end, rows)
    return found
