"""Networks that turn a crop of 112 x 112 pixels into an embedding.

IResNet (Duta et al., 2020, as in the ArcFace paper: He et al.'s residual unit in the form BN-Conv-BN-PReLU-Conv-BN, a
first convolution without stride, and BN-Dropout-FC-BN at the end) and MobileFaceNet (Chen et al., 2018,
arXiv:1804.07573). A batch is float32, (N, 3, 112, 112), −1 to 1; an embedding (N, d), of any length: heads and the
exported file normalise it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn

from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.training.graph_network import GraphNetwork

__all__ = ["BACKBONES", "BUNDLED", "Cost", "IResNet", "MobileFaceNet", "backbone", "cost"]

_CROP = 112
_WIDTHS = (64, 128, 256, 512)


def _convolution(
    inner: int, outer: int, size: int, stride: int = 1, groups: int = 1, pad: int | None = None
) -> nn.Module:
    padding = size // 2 if pad is None else pad
    return nn.Conv2d(inner, outer, size, stride, padding, groups=groups, bias=False)


class _Unit(nn.Module):
    """The residual unit of IResNet."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inner), _convolution(inner, outer, 3), nn.BatchNorm2d(outer), nn.PReLU(outer),
            _convolution(outer, outer, 3, stride), nn.BatchNorm2d(outer),
        )  # fmt: skip
        same = inner == outer and stride == 1
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(_convolution(inner, outer, 1, stride), nn.BatchNorm2d(outer))
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class IResNet(nn.Module):
    """IResNet.

    Parameters
    ----------
    units : tuple of 4 int
        Residual units at each resolution: 56, 28, 14 and 7 pixels.
    dimension : int
        d.
    dropout : float
        Share of the last features that is left out in training.
    """

    def __init__(self, units: tuple[int, int, int, int], dimension: int = 512, dropout: float = 0.0) -> None:
        super().__init__()
        self.dimension = dimension
        stages: list[nn.Module] = [_convolution(3, _WIDTHS[0], 3), nn.BatchNorm2d(_WIDTHS[0]), nn.PReLU(_WIDTHS[0])]
        inner = _WIDTHS[0]
        for count, width in zip(units, _WIDTHS, strict=True):
            stages += [_Unit(inner if i == 0 else width, width, 2 if i == 0 else 1) for i in range(count)]
            inner = width
        self.features = nn.Sequential(*stages)
        self.output = nn.Sequential(
            nn.BatchNorm2d(inner), nn.Dropout(dropout), nn.Flatten(), nn.Linear(inner * 7 * 7, dimension),
            nn.BatchNorm1d(dimension),
        )  # fmt: skip
        # The scale of the last batch norm would undo what the head does to lengths: it stays 1, as in the reference.
        self.output[-1].weight.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the embeddings of a batch, (N, d)."""
        return self.output(self.features(x))


def _step(inner: int, outer: int, size: int, stride: int = 1, groups: int = 1, *, active: bool = True) -> nn.Module:
    pad = 0 if size == 7 else None
    parts = [_convolution(inner, outer, size, stride, groups, pad), nn.BatchNorm2d(outer)]
    return nn.Sequential(*parts, nn.PReLU(outer)) if active else nn.Sequential(*parts)


class _Bottleneck(nn.Module):
    """MobileFaceNet's inverted bottleneck; with stride 1 its input is added."""

    def __init__(self, inner: int, outer: int, wide: int, stride: int) -> None:
        super().__init__()
        self.adds = stride == 1 and inner == outer
        self.body = nn.Sequential(
            _step(inner, wide, 1), _step(wide, wide, 3, stride, wide), _step(wide, outer, 1, active=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.adds else self.body(x)


class MobileFaceNet(nn.Module):
    """MobileFaceNet, table 1 of its paper.

    Parameters
    ----------
    dimension : int
        d; 128 in the paper.
    dropout : float
        Share of the last features that is left out in training.
    """

    def __init__(self, dimension: int = 512, dropout: float = 0.0) -> None:
        super().__init__()
        self.dimension = dimension
        stages: list[nn.Module] = [_step(3, 64, 3, 2), _step(64, 64, 3, 1, 64)]
        inner = 64
        # factor of the width inside, channels, repetitions, stride of the first
        for factor, width, count, stride in (
            (2, 64, 5, 2),
            (4, 128, 1, 2),
            (2, 128, 6, 1),
            (4, 128, 1, 2),
            (2, 128, 2, 1),
        ):
            for i in range(count):
                stages.append(_Bottleneck(inner, width, inner * factor, stride if i == 0 else 1))
                inner = width
        self.features = nn.Sequential(*stages, _step(inner, 512, 1))
        self.output = nn.Sequential(
            _step(512, 512, 7, groups=512, active=False), nn.Flatten(), nn.Dropout(dropout),
            nn.Linear(512, dimension, bias=False), nn.BatchNorm1d(dimension),
        )  # fmt: skip
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the embeddings of a batch, (N, d)."""
        return self.output(self.features(x))


Maker: TypeAlias = Callable[[int, float], nn.Module]

BACKBONES: dict[str, Maker] = {
    "iresnet18": lambda dimension, dropout: IResNet((2, 2, 2, 2), dimension, dropout),
    "iresnet34": lambda dimension, dropout: IResNet((3, 4, 6, 3), dimension, dropout),
    "iresnet50": lambda dimension, dropout: IResNet((3, 4, 14, 3), dimension, dropout),
    "iresnet100": lambda dimension, dropout: IResNet((3, 13, 30, 3), dimension, dropout),
    "mobilefacenet": MobileFaceNet,
}
"""Networks by name; each takes the number of numbers and the share of dropout."""

BUNDLED = "bundled:"
"""Before the id of one of the program's own embedders, to train that one on."""


def backbone(name: str, dimension: int = 512, dropout: float = 0.0) -> nn.Module:
    """Make a network.

    Parameters
    ----------
    name : str
        One of `BACKBONES`, or ``bundled:arcface``: the program's own embedder with its weights.
    dimension : int
        d; a bundled network has its own.
    dropout : float
        Not for a bundled network.

    Raises
    ------
    ValueError
        There is none of this name, or it cannot be made so.
    """
    if name.startswith(BUNDLED):
        return _bundled(name.removeprefix(BUNDLED), dimension, dropout)
    if name not in BACKBONES:
        raise ValueError(f"there is no network {name}; there are {', '.join(BACKBONES)}, {BUNDLED}arcface")
    return BACKBONES[name](dimension, dropout)


def _bundled(model_id: str, dimension: int, dropout: float) -> nn.Module:
    try:
        model = Catalog().model(model_id, "embedder")
    except KnownError as error:
        raise ValueError(error.what) from error
    network = GraphNetwork(model.file)
    if dimension != network.dimension:
        raise ValueError(f"{model_id} gives {network.dimension} numbers a face, not {dimension}")
    if dropout:
        raise ValueError(f"{model_id} has no dropout")
    return network


class Cost:
    """What a network costs: `parameters` (without statistics of batch norms) and `multiply_adds` for one face."""

    def __init__(self, parameters: int, multiply_adds: int) -> None:
        self.parameters, self.multiply_adds = parameters, multiply_adds


def cost(network: nn.Module, size: int = _CROP) -> Cost:
    """Count parameters and the multiply-adds of convolutions and full layers.

    Parameters
    ----------
    network : Module
    size : int
        Side of the crop, pixels.
    """
    total = 0

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        else:
            total += module.weight.numel()

    watched = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [module.register_forward_hook(count) for module in watched]
    training = network.training
    device = next(network.parameters()).device
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, size, size, device=device))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return Cost(sum(p.numel() for p in network.parameters()), total)
