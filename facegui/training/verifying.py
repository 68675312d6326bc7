"""Verification of a network on held-out pairs, with the metrics that the program is judged by."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from facegui.errors import KnownError
from facegui.faces.types import Image
from facegui.matching.evaluation import evaluate_pairs
from facegui.matching.pairs import PairSet
from facegui.matching.protocols import open_protocol
from facegui.matching.report import Report
from facegui.training.augment import normalised
from facegui.training.data import decode, scaled

__all__ = ["HeldOut", "embed", "logged", "open_all_held_out", "open_held_out", "verify"]

_BATCH = 64
_REPLICATES = 200  # of the intervals; they are made after every round


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Pairs, and where their crops come from."""

    pairs: PairSet
    files: tuple[Path, ...]
    pictures: tuple[bytes, ...] | None

    def crop(self, number: int) -> Image:
        """Return a crop."""
        if self.pictures is not None:
            return scaled(decode(self.pictures[number], f"Picture {number}"))
        try:
            return scaled(decode(self.files[number].read_bytes(), str(self.files[number])))
        except OSError as error:
            raise KnownError(
                f"{self.files[number]} cannot be read.", f"{error.strerror or error}.", "Prepare the crops again."
            ) from error


def open_held_out(source: Path) -> HeldOut:
    """Open held-out pairs of aligned crops: a folder of people, a list, a set of InsightFace.

    Raises
    ------
    KnownError
        It cannot be read, has only pairs of one kind, or the first picture is no square.
    """
    opened = open_protocol(source)
    if len(set(opened.pairs.same.tolist())) < 2:  # said now, not after the first round
        raise KnownError(
            f"{source} cannot be verified on.", "It has only pairs of one kind.",
            "Give pairs of the same person and pairs of different people.",
        )  # fmt: skip
    held = HeldOut(opened.pairs, opened.files, opened.pictures)
    data = held.pictures[0] if held.pictures is not None else None
    try:
        first = decode(data if data is not None else held.files[0].read_bytes(), str(held.files[0]))
    except OSError as error:
        raise KnownError(
            f"{held.files[0]} cannot be read.", f"{error.strerror or error}.", "Check the list."
        ) from error
    if first.shape[0] != first.shape[1]:
        raise KnownError(
            f"{source} holds photos, not crops.",
            f"The first one is {first.shape[1]} x {first.shape[0]} pixels; a crop is square.",
            "Make crops of it with `facegui train prepare`.",
        )
    return held


def open_all_held_out(sources: Sequence[str]) -> dict[str, HeldOut]:
    """Open sets of held-out pairs; each goes by the name of its file, or by all of its path where two have the same.

    Raises
    ------
    KnownError
        As for `open_held_out`.
    """
    names = [Path(source).stem for source in sources]
    return {
        name if names.count(name) == 1 else source: open_held_out(Path(source))
        for name, source in zip(names, sources, strict=True)
    }


def embed(network: nn.Module, crops: Sequence[Image], device: torch.device) -> NDArray[np.float32]:
    """Return the embeddings of crops, rows of length 1."""
    rows = []
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(crops), _BATCH):
                batch = np.stack([normalised(crop) for crop in crops[start : start + _BATCH]])
                found = network(torch.from_numpy(batch).to(device, memory_format=torch.channels_last)).float()
                rows.append(torch.nn.functional.normalize(found, dim=1).cpu().numpy())
    finally:
        network.train(training)
    return np.concatenate(rows)


def verify(network: nn.Module, held: HeldOut, device: torch.device) -> Report:
    """Judge a network by held-out pairs, as `facegui evaluate` judges a model: what cannot be read is a non-match.

    Raises
    ------
    KnownError
        All pairs are of one kind.
    """
    vectors: list[NDArray[np.float32] | None] = [None] * len(held.files)
    for start in range(0, len(held.files), _BATCH):
        crops = {}
        for number in range(start, min(start + _BATCH, len(held.files))):
            with contextlib.suppress(KnownError):  # one damaged crop must not end a training of days
                crops[number] = held.crop(number)
        if crops:
            for number, vector in zip(crops, embed(network, list(crops.values()), device), strict=True):
                vectors[number] = vector
    # A network in training is no model with a checksum yet.
    return evaluate_pairs(held.pairs, vectors, model_id="", replicates=_REPLICATES)


def logged(step: int, found: Report, name: str) -> dict[str, Any]:
    """Return what the log takes of a report: figures that the pairs can carry, with their intervals.

    Parameters
    ----------
    step : int
    found : Report
    name : str
        Of the set, before the name of each figure; empty where there is only one set.
    """
    figures = found.figures
    row: dict[str, Any] = {"step": step}
    if figures.folds is not None:
        row |= {"accuracy": figures.folds.mean, "spread": figures.folds.standard_deviation}
    if found.photos_without_face:  # of crops: those that could not be read
        row["unreadable"] = len(found.photos_without_face)
    measured = [("eer", figures.eer)]
    measured += [(f"tar_at_fmr_{tar.fmr:g}", tar.tar) for tar in figures.tar if tar.supported]
    for key, figure in measured:
        row |= {key: figure.value, f"{key}_low": figure.low, f"{key}_high": figure.high}
    return {key if key == "step" or not name else f"{name}/{key}": value for key, value in row.items()}
