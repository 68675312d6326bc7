"""MNIST and CIFAR-10 from one file each, as arrays on which training runs without further work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facegui.errors import KnownError
from facegui.training.data import Arrays

__all__ = ["SETS", "Pictures", "load", "moved"]

SETS = {"mnist": "mnist.npz", "cifar10": "cifar10_jpeg.npz"}
"""File of each set inside the data folder."""

_SIDE = 32
_MOVE = 4  # pixels, as is usual for CIFAR-10


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """A set of small pictures.

    Attributes
    ----------
    name : str
    train, test : Tensor
        float32, (n, channels, height, width), channels last in memory; mean 0 and deviation 1 over the training set.
    train_labels, test_labels : Tensor
        int64, (n,).
    classes : tuple of str
    """

    name: str
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]

    @property
    def channels(self) -> int:
        """1 or 3."""
        return int(self.train.shape[1])

    def part(self, train: int, test: int) -> Pictures:
        """Return the first pictures of both parts, for quick runs."""
        return Pictures(
            self.name, self.train[:train], self.train_labels[:train], self.test[:test], self.test_labels[:test],
            self.classes,
        )  # fmt: skip


def load(folder: Path, name: str) -> Pictures:
    """Load a set.

    Parameters
    ----------
    folder : Path
        Holds ``mnist.npz`` and ``cifar10_jpeg.npz``, laid out as `facegui.training.data.Arrays` says.
    name : str
        ``"mnist"`` or ``"cifar10"``.

    Raises
    ------
    KnownError
        The file is missing or laid out otherwise.
    """
    file = folder / SETS[name]
    if not file.is_file():
        raise KnownError(
            f"{file} was not found.", "The experiments need it.",
            f"Say with --data where {' and '.join(SETS.values())} lie.",
        )  # fmt: skip
    parts = [Arrays(file, split) for split in ("train", "test")]
    train, test = (_stacked(part, 1 if name == "mnist" else 3) for part in parts)
    mean, deviation = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
    ready = [_tensor((part - mean) / deviation) for part in (train, test)]
    labels = [torch.from_numpy(part.labels) for part in parts]
    return Pictures(name, ready[0], labels[0], ready[1], labels[1], parts[0].names)


def _stacked(found: Arrays, channels: int) -> NDArray[np.uint8]:
    return np.stack([found.picture(number)[..., :channels] for number in range(len(found))])


def _tensor(pictures: NDArray[np.floating]) -> Tensor:
    # The pictures come with the channels last; permuting keeps them so in memory, which convolutions like best.
    return torch.from_numpy(np.ascontiguousarray(pictures, np.float32)).permute(0, 3, 1, 2)


def moved(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Return the pictures of a batch mirrored at random, each moved by up to four pixels; the edge is repeated.

    Parameters
    ----------
    batch : Tensor
        (n, channels, 32, 32).
    generator : torch.Generator
        Draws the changes.
    """
    n, _, side, _ = batch.shape
    padded = torch.nn.functional.pad(batch, (_MOVE,) * 4, mode="replicate")
    down, right = (torch.randint(0, 2 * _MOVE + 1, (n, 1), generator=generator) for _ in range(2))
    flipped = torch.rand(n, 1, generator=generator) < 0.5
    rows = down + torch.arange(side)
    columns = right + torch.where(flipped, torch.arange(side - 1, -1, -1), torch.arange(side))
    numbers = torch.arange(n)[:, None, None]
    # Indexing in the order of the memory keeps the channels last.
    changed = padded.permute(0, 2, 3, 1)[numbers, rows[:, :, None], columns[:, None, :]]
    return changed.permute(0, 3, 1, 2)
