"""Checkpoints: folders ``step-00001234`` that are complete or not there; tensors and plain values only, no code.

``network.pt`` holds the network, its moving average, its optimizer and the configuration; ``head-R-of-N.pt`` the
centres of rank R of N with their momentum. Any number of ranks can take up what any other number saved.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch

from facegui.errors import KnownError
from facegui.training.heads import Head, rows_of
from facegui.training.ranks import barrier

__all__ = ["find", "load_head", "load_network", "momentum_of", "save", "step_of", "steps_in"]

_KEPT = 2
_FORMAT = 1
_INSTEAD = "Move its folder away, and the checkpoint before it is taken."
_NAME = re.compile(r"step-\d{8,}")


def steps_in(folder: Path) -> list[Path]:
    """Return the complete checkpoints of a run, oldest first; a copy that somebody made under another name is none."""
    found = [place for place in folder.glob("step-*") if place.is_dir() and _NAME.fullmatch(place.name)]
    return sorted(found, key=step_of)


def step_of(checkpoint: Path) -> int:
    """Return the step after which a checkpoint was saved, from its name."""
    return int(checkpoint.name.partition("-")[2])


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
    own = [draft / f"head-{rank}-of-{ranks}.pt"]
    try:
        if rank == 0:
            for left in folder.glob("step-*.part"):  # of a run that was killed while it saved
                shutil.rmtree(left, ignore_errors=True)
            draft.mkdir(parents=True)
        barrier()
        _write(dict(head), own[0])
        if rank == 0:
            own.append(draft / "network.pt")
            _write({"format": _FORMAT, "step": step, **network}, own[1])
        barrier()
        if rank == 0:
            shutil.rmtree(target, ignore_errors=True)
            draft.replace(target)
            for old in steps_in(folder)[:-_KEPT]:
                shutil.rmtree(old, ignore_errors=True)
        barrier()
    except (OSError, RuntimeError) as error:  # torch.save says a full disk with a RuntimeError
        with contextlib.suppress(OSError):  # what was written would only take the space that is missing
            for file in own:
                file.unlink(missing_ok=True)
            draft.rmdir()
        raise KnownError(
            "The checkpoint could not be saved.", f"{draft}: {error}.", "Free some space; earlier checkpoints are kept."
        ) from error
    return target


def _write(values: dict[str, Any], file: Path) -> None:
    """Write a file and wait until it is on the disk: a checkpoint must not become an empty one when the power fails."""
    with file.open("wb") as opened:
        torch.save(values, opened)
        opened.flush()
        os.fsync(opened.fileno())


def _load(file: Path, *, mapped: bool = False) -> dict[str, Any]:
    """Read a file without running anything that it may hold; `mapped`: only those numbers that are looked at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are not ours; they are refused below
            found = torch.load(file, map_location="cpu", weights_only=True, mmap=mapped and is_zipfile(file))
    except OSError as error:
        raise KnownError(f"{file} cannot be read.", f"{error.strerror or error}.", "Check its name.") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        why = (str(error).splitlines() or ["it ends too early"])[0]
        raise KnownError(
            f"{file} is no checkpoint.",
            f"It is damaged, or holds more than numbers, which was not run: {why}",
            _INSTEAD,
        ) from error
    if not isinstance(found, dict):
        raise KnownError(f"{file} is no checkpoint.", "It holds something else.", _INSTEAD)
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
    """Open the parts of the head in the order of the ranks, however many saved them.

    Their numbers are read where they are used: a rank of many needs its own share only, not all centres in memory.

    Raises
    ------
    KnownError
        One is missing or damaged.
    """
    files = sorted(checkpoint.glob("head-*-of-*.pt"), key=lambda file: int(file.stem.split("-")[1]))
    wanted = int(files[0].stem.rpartition("-")[2]) if files else 1
    if len(files) != wanted:
        raise KnownError(
            f"{checkpoint} is incomplete.",
            f"It has {len(files)} of {wanted} parts of the head.",
            _INSTEAD,
        )
    return [_load(file, mapped=True) for file in files]


def momentum_of(parts: list[dict[str, Any]], head: Head) -> dict[str, Any]:
    """Return the momentum of the classes that a head holds, by the name of its parameter."""
    found = {}
    for name, rows in (("centres", head.subcentres), ("bias", 1)):
        key = f"momentum of {name}"
        if all(key in part for part in parts):
            found[name] = rows_of(parts, key, head.start, head.end, rows)
    return found
