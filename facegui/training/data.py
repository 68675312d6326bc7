"""Where training pictures come from: identity folders, MXNet's RecordIO, arrays of MNIST and CIFAR-10.

Every source gives labels from 0 to n−1 and RGB pictures of 8 bits. Only the labels are read at once.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.faces.align import CROP_SIZE
from facegui.faces.types import Image
from facegui.sources.files import photo_files
from facegui.training.recordio import RecordFile

__all__ = ["Arrays", "Folders", "Pictures", "Records", "decode", "open_pictures", "scaled"]

_SPLITS = ("train", "test")
_TORCHVISION = {"mnist": "MNIST", "cifar10": "CIFAR10"}


class Pictures(Protocol):
    """Labelled pictures.

    Attributes
    ----------
    labels : array of int64, shape (n,)
    names : tuple of str
        Name of each class.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int: ...

    def picture(self, number: int) -> Image:
        """Return a picture, RGB, uint8, (height, width, 3)."""
        ...


def decode(data: bytes, name: str) -> Image:
    """Return an encoded picture as RGB.

    Raises
    ------
    KnownError
        It is no picture.
    """
    raw = np.frombuffer(data, np.uint8)
    found = cv2.imdecode(raw, cv2.IMREAD_COLOR_RGB) if len(raw) else None
    if found is None:
        raise KnownError(
            f"{name} is no picture.", "It is damaged, or of a kind that cannot be read.", "Prepare the crops again."
        )
    return np.asarray(found, np.uint8)


def _numbered(values: NDArray[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number the classes from 0 in their own order, without gaps."""
    names, labels = np.unique(values, return_inverse=True)
    return labels.astype(np.int64), tuple(str(name) for name in names.tolist())


class Folders:
    """One folder per person with aligned crops in it, at any depth, as `facegui train prepare` writes them.

    Raises
    ------
    KnownError
        There is no such folder, or nobody in it.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise KnownError(
                f"{folder} was not found.", "There is no such folder.", "Make it with `facegui train prepare FOLDER`."
            )
        files = [file for file in photo_files([folder]) if file.parent != folder]
        if not files:
            raise KnownError(
                f"{folder} holds no pictures of anybody.",
                "Each person needs a folder of their own inside it.",
                "Make it with `facegui train prepare FOLDER --out NEW`.",
            )
        self.files = tuple(sorted(files))
        people = np.array([file.parent.relative_to(folder).as_posix() for file in self.files])
        self.labels, self.names = _numbered(people)

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, number: int) -> Image:
        """Return a picture."""
        file = self.files[number]
        try:
            return decode(file.read_bytes(), str(file))
        except OSError as error:
            raise KnownError(
                f"{file} cannot be read.", f"{error.strerror or error}.", "Prepare the crops again."
            ) from error


class Records:
    """MXNet's RecordIO; see `facegui.training.recordio`."""

    def __init__(self, file: Path) -> None:
        self.records = RecordFile(file)
        self.labels, self.names = _numbered(self.records.labels)

    def __len__(self) -> int:
        return len(self.records)

    def picture(self, number: int) -> Image:
        """Return a picture."""
        return decode(self.records.encoded(number), f"Picture {number} of {self.records.file}")


class Arrays:
    """MNIST or CIFAR-10 in a NumPy archive.

    Either ``x_train`` (n, height, width) or (n, height, width, 3), uint8, and ``y_train``; or ``jpeg_train``, the bytes
    of all JPEGs one after the other, ``end_train``, where each of them ends, and ``y_train``. The same for ``test``.

    Raises
    ------
    KnownError
        The file cannot be read, or is laid out otherwise.
    """

    def __init__(self, file: Path, split: str = "train") -> None:
        self.name = f"{file.name}, {split}"
        try:
            with np.load(file, allow_pickle=False) as found:
                wanted = [f"{part}_{split}" for part in ("x", "jpeg", "end", "y")]
                held = {name: found[name] for name in wanted if name in found}
                names = [str(name) for name in found["names"].tolist()] if "names" in found else []
        except (OSError, ValueError, EOFError) as error:
            raise KnownError(f"{file} cannot be read.", f"{error}.", "Give a NumPy archive, .npz.") from error
        self._pixels, self._jpeg, self._ends = (held.get(name) for name in wanted[:3])
        labels = held.get(wanted[3])
        count = len(self._pixels) if self._pixels is not None else len(self._ends) if self._ends is not None else -1
        if labels is None or len(labels) != count or (self._pixels is None and self._jpeg is None):
            raise KnownError(
                f"{file} is not laid out as expected.",
                f"It should hold x_{split} and y_{split}, or jpeg_{split}, end_{split} and y_{split}, equally many.",
                "See facegui/training/data.py.",
            )
        self.labels, numbers = _numbered(labels)
        self.names = tuple(names) if len(names) == len(numbers) else numbers

    def __len__(self) -> int:
        return len(self.labels)

    def picture(self, number: int) -> Image:
        """Return a picture; grey ones in three equal channels."""
        if self._pixels is None:
            assert self._ends is not None
            assert self._jpeg is not None
            start = int(self._ends[number - 1]) if number else 0
            return decode(self._jpeg[start : int(self._ends[number])].tobytes(), f"Picture {number} of {self.name}")
        pixels = self._pixels[number]
        return np.asarray(np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels, np.uint8)


@dataclass(eq=False)
class _Torchvision:
    """A data set of torchvision that lies on this computer already; nothing is downloaded."""

    found: Any
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def picture(self, number: int) -> Image:
        return np.asarray(self.found[number][0].convert("RGB"), np.uint8)


def _torchvision(kind: str, folder: Path, split: str) -> Pictures:
    if importlib.util.find_spec("torchvision") is None:
        raise KnownError(
            f"{kind} in {folder} cannot be read.",
            "torchvision is not installed.",
            "Install it, or give a NumPy archive (.npz) with x_train, y_train, x_test and y_test.",
        )
    try:
        import torchvision
    except (ImportError, OSError, RuntimeError) as error:
        raise KnownError(
            f"{kind} in {folder} cannot be read.",
            f"torchvision cannot be loaded: {error}.",
            "Install the torchvision that belongs to the installed PyTorch, or give a NumPy archive (.npz).",
        ) from error
    try:
        found = getattr(torchvision.datasets, _TORCHVISION[kind])(str(folder), train=split == "train", download=False)
    except RuntimeError as error:
        raise KnownError(
            f"{kind} was not found in {folder}.", f"{str(error).rstrip('.')}.", "Download it there with torchvision."
        ) from error
    return _Torchvision(found, np.asarray(found.targets, np.int64), tuple(str(name) for name in found.classes))


def open_pictures(source: Path, kind: str = "auto", split: str = "train") -> Pictures:
    """Open a source of pictures.

    Parameters
    ----------
    source : Path
        A folder with one folder per person, a ``.rec``, a folder with ``train.rec``, or a ``.npz``.
    kind : {"auto", "mnist", "cifar10"}
        The latter two read torchvision's files in the folder `source`.
    split : {"train", "test"}
        Of arrays and of torchvision's sets; the others have none.

    Raises
    ------
    KnownError
        It is not there, or cannot be read.
    """
    if split not in _SPLITS:
        raise KnownError(f"{split} is no part of a set.", "", "Say train or test.")
    if kind in _TORCHVISION:
        return _torchvision(kind, source, split)
    if kind != "auto":
        raise KnownError(f"{kind} is no kind of training data.", "", "Say auto, mnist or cifar10.")
    if not source.exists():
        raise KnownError(f"{source} was not found.", "There is no such file or folder.", "Check its name.")
    if source.is_dir() and (source / "train.rec").is_file():
        return Records(source / "train.rec")
    if source.is_dir():
        return Folders(source)
    if source.suffix == ".rec":
        return Records(source)
    if source.suffix == ".npz":
        return Arrays(source, split)
    raise KnownError(
        f"{source.name} is no training data.", "", "Give a folder with one folder per person, a .rec or a .npz."
    )


def scaled(picture: Image, size: int = CROP_SIZE) -> Image:
    """Return a picture as a square of `size` pixels."""
    if picture.shape[:2] == (size, size):
        return picture
    how = cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size, size), interpolation=how), np.uint8)
