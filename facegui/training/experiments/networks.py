"""Two small networks: one for digits, one for coloured pictures."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["colour_network", "digit_network"]


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


def colour_network(dimension: int, width: int = 16) -> nn.Module:
    """Return a residual network for 32 by 32 coloured pictures.

    Parameters
    ----------
    dimension : int
        Numbers of the embedding.
    width : int
        Channels at full size; two and four times as many at a half and a quarter of it.
    """
    net = nn.Sequential(
        _convolution(3, width, 3, 2), _Residual(width),
        _convolution(width, 2 * width, 3, 2), _Residual(2 * width),
        _convolution(2 * width, 4 * width, 3, 2), _Residual(4 * width),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, dimension),
    )  # fmt: skip
    made: nn.Module = net.to(memory_format=torch.channels_last)
    return made
