"""MNIST and CIFAR-10 from one file each, as arrays on which training runs without further work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facegui.errors import KnownError

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
        Holds ``mnist.npz`` (x_train, y_train, x_test, y_test; uint8, 28 by 28) and ``cifar10_jpeg.npz`` (jpeg_train:
        all JPEG files one after the other, end_train: where each ends, y_train; the same for test; names).
    name : str
        ``"mnist"`` or ``"cifar10"``.

    Raises
    ------
    KnownError
        The file is missing or holds something else.
    """
    file = folder / SETS[name]
    try:
        with np.load(file, allow_pickle=False) as arrays:
            if name == "mnist":
                train, test = arrays["x_train"][..., None], arrays["x_test"][..., None]
                classes = tuple(str(k) for k in range(10))
            else:
                train, test = (_decoded(arrays[f"jpeg_{p}"], arrays[f"end_{p}"]) for p in ("train", "test"))
                classes = tuple(str(word) for word in arrays["names"].tolist())
            labels = [torch.from_numpy(arrays[f"y_{part}"].astype(np.int64)) for part in ("train", "test")]
    except FileNotFoundError:
        raise KnownError(
            f"{file} was not found.", "The experiments need it.", "Say with --data where mnist.npz and "
            "cifar10_jpeg.npz lie."
        ) from None  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise KnownError(f"{file} cannot be used.", f"It is not as expected ({error}).", "Get it again.") from error
    mean, deviation = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
    ready = [_tensor((part - mean) / deviation) for part in (train, test)]
    return Pictures(name, ready[0], labels[0], ready[1], labels[1], classes)


def _decoded(data: NDArray[np.uint8], ends: NDArray[np.integer]) -> NDArray[np.uint8]:
    starts = np.concatenate([[0], ends[:-1]]).tolist()
    made = [
        cv2.imdecode(data[start:end], cv2.IMREAD_COLOR_RGB) for start, end in zip(starts, ends.tolist(), strict=True)
    ]
    if any(picture is None for picture in made):
        raise ValueError("a picture in it is damaged")
    return np.stack([np.asarray(picture, np.uint8) for picture in made])


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
