"""What tests of training share: a network that trains in no time, pictures, and what a run left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import training_faces

from facegui.training import backbones, checkpoints
from facegui.training.logs import RunLog


class Tiny(torch.nn.Sequential):
    """A network that trains in no time."""

    def __init__(self, dimension: int, dropout: float) -> None:
        nn = torch.nn
        super().__init__(
            nn.Conv2d(3, 8, 7, 4), nn.BatchNorm2d(8), nn.PReLU(8), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
            nn.Dropout(dropout), nn.Linear(128, dimension), nn.BatchNorm1d(dimension),
        )  # fmt: skip


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(backbones.BACKBONES, "tiny", Tiny)
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as small as it is, threads would only wait for each other
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_faces.make(tmp_path_factory.mktemp("faces") / "train", 6, 8)


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in RunLog(folder / "run", None).rows() if "loss" in row]


def weights(folder: Path) -> dict[str, Any]:
    checkpoint = checkpoints.find(folder / "run")
    saved = checkpoints.load_network(checkpoint)
    head = checkpoints.load_head(checkpoint)[0]
    average = {f"average {k}": v for k, v in saved["average"].items()}
    return saved["network"] | average | {"centres": head["centres"], "momentum": head["momentum of centres"]}
