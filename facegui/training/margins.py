"""Margins: what is taken from the logit of a face's own class, and the losses in angles that go with them.

A face's feature x and the centre W_j of class j enclose the angle θ_j. With both of length 1 the logit of a class is
s·cos θ_j. A margin makes the logit of the face's own class y smaller, so that training goes on after the face is
already nearest to its own centre:

    s·(cos(m1·θ_y + m2) − m3)

m1 is SphereFace's margin (Liu et al., 2017, arXiv:1704.08063), m2 ArcFace's (Deng et al., 2019, arXiv:1801.07698,
equation 3; the combined form is equation 4), m3 CosFace's (Wang et al., 2018, arXiv:1801.09414).

Shapes: N faces, n classes, d numbers a face. Labels are int64, (N,); a face with the label −1 belongs to no class here
and counts in no loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812  (PyTorch's own name for it)
from torch import Tensor

__all__ = [
    "IGNORED", "Beyond", "Margin", "angle", "arcface", "combined", "cosface", "cosines", "inter_loss", "intra_loss",
    "margin_logits", "margin_loss", "nearest_subcentre", "normalised_softmax", "softmax", "softmax_loss", "sphereface",
    "target_cosine", "triplet_loss",
]  # fmt: skip

IGNORED = -1
"""The label of a face that counts in no loss."""

Beyond = Literal["paper", "easy", "none"]
"""What happens where m1·θ + m2 passes π, see `Margin`."""


@dataclass(frozen=True, slots=True)
class Margin:
    """The combined margin s·(cos(m1·θ + m2) − m3) and what it does at its ends.

    Attributes
    ----------
    scale : float
        s, the radius of the sphere; 64 in the paper.
    m1 : float
        Factor of the angle; 1 is none, 1.35 the paper's SphereFace.
    m2 : float
        Added to the angle, in radians; 0.5 the paper's ArcFace.
    m3 : float
        Taken from the cosine; 0.35 the paper's CosFace.
    beyond : {"paper", "easy", "none"}
        A cosine rises again beyond π: a face would gain by moving away from its centre. "paper" does what the
        authors' reference code does: with m1 = 1, cos θ − m2·sin m2 where θ + m2 > π; with another m1, SphereFace's
        (−1)^k·cos φ − 2k, φ = m1·θ + m2, k = ⌊φ/π⌋. "easy" changes the angle only where cos θ > 0. "none" takes the
        formula as it stands.
    normalised : bool
        False is plain softmax: logits are x·W + b, scale is 1, and no margin applies.
    """

    scale: float = 64.0
    m1: float = 1.0
    m2: float = 0.0
    m3: float = 0.0
    beyond: Beyond = "paper"
    normalised: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"the scale must be above 0, not {self.scale}")
        if not (math.isfinite(self.m1) and self.m1 >= 1):
            raise ValueError(f"m1 must be 1 or more, not {self.m1}")
        if not 0 <= self.m2 < math.pi:
            raise ValueError(f"m2 is an angle in radians from 0 to π, not {self.m2}")
        if not (math.isfinite(self.m3) and self.m3 >= 0):
            raise ValueError(f"m3 must be 0 or more, not {self.m3}")
        if self.beyond not in ("paper", "easy", "none"):
            raise ValueError(f"beyond must be paper, easy or none, not {self.beyond}")
        if not self.normalised and (self.scale, self.m1, self.m2, self.m3) != (1.0, 1.0, 0.0, 0.0):
            raise ValueError("plain softmax takes neither scale nor margin: scale = 1, m1 = 1, m2 = 0, m3 = 0")

    @property
    def bends(self) -> bool:
        """Whether the angle is changed at all, by m1 or m2."""
        return self.m1 != 1.0 or self.m2 != 0.0

    def part(self, share: float) -> Margin:
        """Return a share of this margin, 0 to 1, with the same scale: for margins that grow while training begins."""
        return replace(self, m1=1.0 + (self.m1 - 1.0) * share, m2=self.m2 * share, m3=self.m3 * share)


def softmax() -> Margin:
    """Plain softmax: logits x·W + b, neither of them normalised (equation 1 of the ArcFace paper)."""
    return Margin(scale=1.0, normalised=False)


def normalised_softmax(scale: float = 64.0) -> Margin:
    """Softmax over s·cos θ, without a margin (equation 2)."""
    return Margin(scale)


def sphereface(m1: float = 1.35, scale: float = 64.0) -> Margin:
    """SphereFace: s·cos(m1·θ)."""
    return Margin(scale, m1=m1)


def arcface(m2: float = 0.5, scale: float = 64.0, *, easy: bool = False) -> Margin:
    """ArcFace: s·cos(θ + m2)."""
    return Margin(scale, m2=m2, beyond="easy" if easy else "paper")


def cosface(m3: float = 0.35, scale: float = 64.0) -> Margin:
    """CosFace: s·(cos θ − m3)."""
    return Margin(scale, m3=m3)


def combined(m1: float = 1.0, m2: float = 0.3, m3: float = 0.2, scale: float = 64.0) -> Margin:
    """All three at once; (1, 0.3, 0.2) is the paper's best mixture on its smaller sets."""
    return Margin(scale, m1, m2, m3)


class _Angle(torch.autograd.Function):
    """arccos whose slope stays finite: −1/sin θ, with sin θ not below the square root of the type's resolution.

    Clipping the cosine instead would give the slope 0 beyond the limits, and in half precision, where
    1 − 1e-7 is 1, it would not limit anything.
    """

    @staticmethod
    def forward(ctx: Any, cosine: Tensor, least_sine: float) -> Tensor:
        ctx.save_for_backward(cosine)
        ctx.least_sine = least_sine
        return torch.acos(cosine.clamp(-1.0, 1.0))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (cosine,) = ctx.saved_tensors
        sine = torch.sqrt((1.0 - cosine.square()).clamp_min(ctx.least_sine**2))
        return -gradient / sine, None


def angle(cosine: Tensor) -> Tensor:
    """Return the angles of cosines, in radians, with slopes that are finite at ±1 too.

    Parameters
    ----------
    cosine : Tensor
        Any shape. Values a little outside −1 to 1, as rounding leaves them, count as ±1.

    Returns
    -------
    Tensor
        As `cosine`; float32 for half precision, in which angles near 0 cannot be told apart.
    """
    least_sine = math.sqrt(torch.finfo(cosine.dtype).eps)
    result: Tensor = _Angle.apply(_wide(cosine), least_sine)
    return result


def _wide(values: Tensor) -> Tensor:
    """Return half precision as float32, everything else as it is."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def cosines(features: Tensor, centres: Tensor) -> Tensor:
    """Return the cosine of each feature with each centre.

    Parameters
    ----------
    features : Tensor
        (N, d), any length.
    centres : Tensor
        (n, d), any length.

    Returns
    -------
    Tensor
        (N, n), float32 or better: under autocast, too, the product is not taken in half precision, where neighbouring
        cosines near 1 are 0.0005 apart.
    """
    with torch.autocast(features.device.type, enabled=False):
        return F.normalize(_wide(features), dim=1) @ F.normalize(_wide(centres), dim=1).T


def nearest_subcentre(cosine: Tensor, count: int) -> Tensor:
    """Return each class's largest cosine over its sub-centres.

    A class with K centres keeps noisy or unlike photos of a person on centres of their own (Deng et al., 2020,
    Sub-center ArcFace).

    Parameters
    ----------
    cosine : Tensor
        (N, n·K); the sub-centres of a class stand side by side.
    count : int
        K.

    Returns
    -------
    Tensor
        (N, n).
    """
    return cosine if count == 1 else cosine.unflatten(1, (cosine.shape[1] // count, count)).amax(dim=2)


def target_cosine(cosine: Tensor, margin: Margin) -> Tensor:
    """Return cos(m1·θ + m2) − m3 for cosines of faces with their own centres.

    Parameters
    ----------
    cosine : Tensor
        Any shape.
    margin : Margin

    Returns
    -------
    Tensor
        As `cosine`; float32 for half precision. Never NaN, nor its gradient.
    """
    wide = _wide(cosine)
    if not margin.bends:
        return wide - margin.m3
    theta = angle(cosine)
    turned = margin.m1 * theta + margin.m2
    bent = torch.cos(turned)
    if margin.beyond == "easy":
        bent = torch.where(wide > 0, bent, wide)
    elif margin.beyond == "paper" and margin.m1 == 1.0:
        bent = torch.where(turned <= math.pi, bent, wide - margin.m2 * math.sin(margin.m2))
    elif margin.beyond == "paper":
        half_turns = torch.floor(turned.detach() / math.pi)
        bent = (1.0 - 2.0 * (half_turns % 2)) * bent - 2.0 * half_turns
    return bent - margin.m3


def margin_logits(cosine: Tensor, labels: Tensor, margin: Margin) -> Tensor:
    """Return the logits: s·cos θ, and for each face's own class s·(cos(m1·θ + m2) − m3).

    Parameters
    ----------
    cosine : Tensor
        (N, n).
    labels : Tensor
        (N,), int64. A row with −1 keeps s·cos θ throughout; a part of the classes uses that for faces whose class
        is in another part.
    margin : Margin

    Returns
    -------
    Tensor
        (N, n), float32 or better.
    """
    logits = _wide(cosine) * margin.scale
    if (margin.bends or margin.m3) and cosine.shape[1]:
        places = labels.clamp_min(0).unsqueeze(1)
        own = cosine.gather(1, places)
        changed = torch.where(labels.unsqueeze(1) == IGNORED, _wide(own), target_cosine(own, margin))
        logits.scatter_(1, places, changed * margin.scale)  # in place: there may be millions of columns
    return logits


def margin_loss(cosine: Tensor, labels: Tensor, margin: Margin) -> Tensor:
    """Return the mean cross entropy of the logits with margin over the faces that have a class.

    Parameters
    ----------
    cosine : Tensor
        (N, n).
    labels : Tensor
        (N,), −1 is left out.
    margin : Margin

    Returns
    -------
    Tensor
        One number; 0 where no face has a class.
    """
    return _mean_cross_entropy(margin_logits(cosine, labels, margin), labels)


def softmax_loss(features: Tensor, centres: Tensor, labels: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return the loss of plain softmax: the mean cross entropy of x·W + b.

    Parameters
    ----------
    features : Tensor
        (N, d).
    centres : Tensor
        (n, d).
    labels : Tensor
        (N,), −1 is left out.
    bias : Tensor, optional
        (n,).
    """
    return _mean_cross_entropy(_wide(F.linear(features, centres, bias)), labels)


def _mean_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    total = F.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp_min(1)


def intra_loss(cosine: Tensor, labels: Tensor) -> Tensor:
    """Return the mean angle of faces with their own centres, in units of π: (1/πN)·Σ θ_y.

    The second term of equation 5 of the ArcFace paper; add it to the normalised softmax.

    Parameters
    ----------
    cosine : Tensor
        (N, n).
    labels : Tensor
        (N,), −1 is left out.
    """
    counted = labels != IGNORED
    own = angle(cosine.gather(1, labels.clamp_min(0).unsqueeze(1)).squeeze(1))
    return torch.where(counted, own, 0.0).sum() / (math.pi * counted.sum().clamp_min(1))


def inter_loss(centres: Tensor, labels: Tensor) -> Tensor:
    """Return minus the mean angle between each face's centre and the others, in units of π.

    −(1/πN(n−1))·Σ_i Σ_{j≠y_i} arccos(W_y·W_j): the second term of equation 6 of the ArcFace paper; add it to the
    normalised softmax.

    Parameters
    ----------
    centres : Tensor
        (n, d), any length.
    labels : Tensor
        (N,), −1 is left out.
    """
    counted = labels != IGNORED
    own = labels.clamp_min(0)
    theta = angle(cosines(centres[own], centres))
    others = torch.ones_like(theta, dtype=torch.bool).scatter(1, own.unsqueeze(1), value=False)
    total = torch.where(others & counted.unsqueeze(1), theta, 0.0).sum()
    return -total / (math.pi * counted.sum().clamp_min(1) * max(1, len(centres) - 1))


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 0.5) -> Tensor:
    """Return the mean of max(0, θ(anchor, positive) + m − θ(anchor, negative)), angles in radians.

    The triplet loss of the ArcFace paper, section 2.3: FaceNet's (Schroff et al., 2015) in angles.

    Parameters
    ----------
    anchor, positive, negative : Tensor
        (N, d), any length.
    margin : float
        m, radians.
    """
    near = angle(F.cosine_similarity(_wide(anchor), _wide(positive), dim=1))
    far = angle(F.cosine_similarity(_wide(anchor), _wide(negative), dim=1))
    return F.relu(near + margin - far).mean() if len(near) else near.sum()
