"""Pictures as tensors."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from facegui.errors import KnownError
from facegui.training.augment import Augmentation, augmented, normalised
from facegui.training.data import Pictures, scaled
from facegui.training.margins import IGNORED

__all__ = ["TrainingSet", "alone_on_its_core"]


class TrainingSet(Dataset):
    """Pictures as tensors; a picture that cannot be read becomes a blank one that belongs to nobody."""

    def __init__(self, pictures: Pictures, how: Augmentation, seed: int) -> None:
        self.pictures, self.how, self.seed = pictures, how, seed

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, item: tuple[int, int]) -> tuple[Tensor, int]:
        place, step = item
        try:
            picture = scaled(self.pictures.picture(place))
        except KnownError:
            return torch.zeros(3, *scaled(np.zeros((1, 1, 3), np.uint8)).shape[:2]), IGNORED
        changed = augmented(picture, self.how, np.random.default_rng((self.seed, step, place)))
        return torch.from_numpy(normalised(changed)), int(self.pictures.labels[place])


def alone_on_its_core(worker: int) -> None:
    """Let a process that reads pictures keep to one thread: there are as many such processes as the user asked for."""
    del worker
    cv2.setNumThreads(1)
