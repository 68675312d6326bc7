"""The losses that are compared, each as a head on the same network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from facegui.training import margins
from facegui.training.margins import Margin

__all__ = ["LOSSES", "Head", "Loss", "loss"]


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss by name.

    Attributes
    ----------
    name : str
        As in commands and file names.
    title : str
        As in tables and pictures.
    margin : Margin
    extra : str
        ``"intra"``, ``"inter"`` or ``"triplet"``: what is added to the normalised softmax; or nothing.
    """

    name: str
    title: str
    margin: Margin
    extra: str = ""


LOSSES = (
    Loss("softmax", "softmax", margins.softmax()),
    Loss("normalised", "normalised softmax", margins.normalised_softmax()),
    Loss("sphereface", "SphereFace, m1 = 1.35", margins.sphereface()),
    Loss("arcface", "ArcFace, m2 = 0.5", margins.arcface()),
    Loss("cosface", "CosFace, m3 = 0.35", margins.cosface()),
    Loss("combined", "combined, 1 / 0.3 / 0.2", margins.combined()),
    Loss("intra", "intra-loss", margins.normalised_softmax(), "intra"),
    Loss("inter", "inter-loss", margins.normalised_softmax(), "inter"),
    Loss("triplet", "triplet loss added", margins.normalised_softmax(), "triplet"),
)
"""All of them; the scale is set by the experiment."""


def loss(name: str, scale: float, m2: float | None = None) -> Loss:
    """Return a loss by its name, with a scale and, if wanted, another m2."""
    found = next(item for item in LOSSES if item.name == name)
    if not found.margin.normalised:
        return found
    margin = replace(found.margin, scale=scale)
    return replace(found, margin=margin if m2 is None else replace(margin, m2=m2))


class Head(nn.Module):
    """The class centres and the loss on them.

    Parameters
    ----------
    chosen : Loss
    classes, dimension : int
    """

    def __init__(self, chosen: Loss, classes: int, dimension: int) -> None:
        super().__init__()
        self.chosen = chosen
        self.weight = nn.Parameter(torch.randn(classes, dimension) / dimension**0.5)
        self.bias = nn.Parameter(torch.zeros(classes)) if not chosen.margin.normalised else None

    def logits(self, features: Tensor) -> Tensor:
        """Return what a prediction goes by, without margin: (N, classes)."""
        if self.bias is not None:
            return functional.linear(features, self.weight, self.bias)
        return margins.cosines(features, self.weight) * self.chosen.margin.scale

    def forward(self, features: Tensor, labels: Tensor, share: float = 1.0) -> Tensor:
        """Return the loss, with a share of the margin."""
        if self.bias is not None:
            return margins.softmax_loss(features, self.weight, labels, self.bias)
        cosine = margins.cosines(features, self.weight)
        value = margins.margin_loss(cosine, labels, self.chosen.margin.part(share))
        if self.chosen.extra == "intra":
            value = value + margins.intra_loss(cosine, labels)
        elif self.chosen.extra == "inter":
            value = value + margins.inter_loss(self.weight, labels)
        elif self.chosen.extra == "triplet":
            value = value + margins.triplet_loss(features, *_others(features, labels))
        return value


def _others(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each feature another one of its class and the one nearest to it of another class."""
    with torch.no_grad():
        cosine = margins.cosines(features, features)
        same = labels[:, None] == labels[None, :]
        alone = same.clone().fill_diagonal_(False)
        positive = torch.where(alone, torch.rand_like(cosine), -1.0).argmax(dim=1)
        negative = torch.where(same, -2.0, cosine).argmax(dim=1)
    return features[positive], features[negative]
