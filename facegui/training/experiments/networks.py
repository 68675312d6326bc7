"""Small networks: one for digits, two for coloured pictures."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

__all__ = ["colour_network", "digit_network", "large_network"]


def _convolution(inside: int, outside: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


def digit_network(dimension: int) -> nn.Module:
    """Return a network for 28 by 28 grey pictures: three convolutions with stride and a hidden layer.

    Parameters
    ----------
    dimension : int
        Numbers of the embedding; 3 can be drawn on a sphere.
    """
    net = nn.Sequential(
        _convolution(1, 16, 5, 2), _convolution(16, 32, 3, 2), _convolution(32, 64, 3, 2), nn.Flatten(),
        nn.Linear(64 * 16, 64), nn.BatchNorm1d(64), nn.ReLU(inplace=True), nn.Linear(64, dimension),
    )  # fmt: skip
    made: nn.Module = net.to(memory_format=torch.channels_last)
    return made


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inside = nn.Sequential(_convolution(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False))
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.norm(self.inside(x)))


def colour_network(dimension: int) -> nn.Module:
    """Return a residual network for 32 by 32 coloured pictures.

    Parameters
    ----------
    dimension : int
        Numbers of the embedding.
    """
    net = nn.Sequential(
        _convolution(3, 16, 3, 2), _Residual(16), _convolution(16, 32, 3, 2), _Residual(32),
        _convolution(32, 64, 3, 2), _Residual(64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, dimension),
    )  # fmt: skip
    made: nn.Module = net.to(memory_format=torch.channels_last)
    return made


_WIDTHS = 32, 48, 128, 256


class _Stage(nn.Module):
    """A convolution, half the size, and one more convolution whose result is added."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.halved = nn.Sequential(
            nn.Conv2d(inside, outside, 3, 1, 1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(outside),
            nn.ReLU(inplace=True),
        )  # fmt: skip
        self.more = _convolution(outside, outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half: torch.Tensor = self.halved(x)
        return half + self.more(half)


def large_network(dimension: int) -> nn.Module:
    """Return a network for 32 by 32 coloured pictures that gets fewer of them wrong: 72 million multiply-adds, not 4.

    Seven convolutions, the sizes halved by the largest value of four, after the quick residual networks of DAWNBench
    (Page, 2018).

    Parameters
    ----------
    dimension : int
        Numbers of the embedding.
    """
    stages = [_Stage(inside, outside) for inside, outside in pairwise(_WIDTHS)]
    net = nn.Sequential(
        _convolution(3, _WIDTHS[0]), *stages, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(_WIDTHS[-1], dimension)
    )
    made: nn.Module = net.to(memory_format=torch.channels_last)
    return made
