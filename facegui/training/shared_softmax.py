"""The softmax with margin over centres that are shared out over the ranks, a block of classes at a time.

Written as one function with a gradient of its own. Left to autograd, a step over a million classes makes some twenty
arrays as large as the logits or the centres, each in memory that the system has to clear first: that took three times
the arithmetic. Here the cosines are the only array of that size that is kept; everything else of a block stays in the
processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from facegui.training.margins import IGNORED, Margin, target_cosine

__all__ = ["Shared", "over_ranks", "shared_softmax"]

_CLASSES_AT_ONCE = 2048
"""On a processor, for its cache."""
_LOGITS_AT_ONCE = 2**26
"""On a card, which loses more by many small pieces: 0.27 GB of logits. Not measured on one."""
_LEAST_LENGTH = 1e-12  # as torch.nn.functional.normalize has it


class Shared(NamedTuple):
    """What the classes of all ranks say of the faces.

    Attributes
    ----------
    loss : Tensor
        One number: the mean of −log softmax over the faces that count.
    best : Tensor
        (N,): the largest score over all classes, without margin or scale.
    own : Tensor
        (N,): the score with the own class where it is held here, minus infinity elsewhere.
    """

    loss: Tensor
    best: Tensor
    own: Tensor


def shared_softmax(
    features: Tensor,
    centres: Tensor,
    bias: Tensor | None,
    labels: Tensor,
    counted: Tensor,
    margin: Margin,
    subcentres: int,
    group: Any,
) -> Shared:
    """Return the loss of the faces of all ranks; every rank gets the same one.

    Parameters
    ----------
    features : Tensor
        (N, d), the same on every rank; of length 1 but for plain softmax. Its gradient is the share of the own
        classes: the sum over the ranks is the whole one.
    centres : Tensor
        (n·K, d), of the classes held here, any length; the sub-centres of a class stand side by side.
    bias : Tensor or None
        (n,), for plain softmax.
    labels : Tensor
        (N,): places among the classes held here, −1 where the own class is not held here.
    counted : Tensor
        (N,), bool: faces that have a class on some rank.
    margin : Margin
    subcentres : int
        K.
    group : ProcessGroup or None
    """
    with torch.autocast(features.device.type, enabled=False):
        return Shared(*_Softmax.apply(features, centres, bias, labels, counted, margin, subcentres, group))


def over_ranks(values: Tensor, how: Any, group: Any) -> None:
    """Reduce values over the ranks of a group, in place; a process that has joined no others keeps its own."""
    if dist.is_initialized():
        dist.all_reduce(values, op=how, group=group)


class _Blocks:
    """The classes held here, block by block, with the faces whose own class is among them."""

    def __init__(self, classes: int, labels: Tensor) -> None:
        self.classes, self.size = classes, _CLASSES_AT_ONCE
        if labels.is_cuda:
            self.size = max(self.size, _LOGITS_AT_ONCE // max(1, len(labels)))
        self.order = labels.argsort()
        starts = torch.arange(0, classes + self.size, self.size, device=labels.device)
        self.edges = torch.searchsorted(labels[self.order], starts).tolist()

    def __iter__(self) -> Iterator[tuple[int, int, Tensor]]:
        for number, start in enumerate(range(0, self.classes, self.size)):
            here = self.order[self.edges[number] : self.edges[number + 1]]
            yield start, min(start + self.size, self.classes), here

    def scratch(self, features: Tensor) -> Tensor:
        """Return room for the logits of a block."""
        return features.new_empty(min(self.classes, self.size), len(features))


class _Softmax(torch.autograd.Function):
    """See `shared_softmax`. Arrays over classes have a row for each class, so that a block is one piece of memory."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        centres: Tensor,
        bias: Tensor | None,
        labels: Tensor,
        counted: Tensor,
        margin: Margin,
        subcentres: int,
        group: Any,
    ) -> tuple[Tensor, Tensor, Tensor]:
        faces, classes = len(labels), len(centres) // subcentres
        blocks = _Blocks(classes, labels)
        scores = features.new_empty(len(centres), faces)
        inverse = features.new_ones(len(centres), 1)
        best = features.new_full((faces,), -torch.inf)
        own = best.clone()
        for start, end, here in blocks:
            rows = slice(start * subcentres, end * subcentres)
            block = torch.mm(centres[rows], features.T, out=scores[rows])
            if margin.normalised:
                length = torch.linalg.vector_norm(centres[rows], dim=1, keepdim=True)
                inverse[rows] = length.clamp_min_(_LEAST_LENGTH).reciprocal_()
                block *= inverse[rows]
            if bias is not None:
                block += bias[start:end].unsqueeze(1)
            nearest = _nearest(block, subcentres)
            torch.maximum(best, nearest.amax(0), out=best)
            own[here] = nearest[labels[here] - start, here]
        held = labels != IGNORED
        bent, slope = _bent(own, held, margin)
        largest, total = torch.full_like(best, -torch.inf), torch.zeros_like(best)
        logits = blocks.scratch(features)
        for start, end, here in blocks:
            nearest = _nearest(scores[start * subcentres : end * subcentres], subcentres)
            block = torch.mul(nearest, margin.scale, out=logits[: end - start])
            block[labels[here] - start, here] = bent[here]
            higher = torch.maximum(largest, block.amax(0))
            total *= (largest - higher).exp_()
            total += block.sub_(higher).exp_().sum(0)
            largest = higher
        everywhere = largest.clone()
        over_ranks(everywhere, dist.ReduceOp.MAX, group)
        sums = torch.stack([total * (largest - everywhere).exp_(), torch.where(held, bent, 0.0)])
        over_ranks(sums, dist.ReduceOp.SUM, group)
        over_ranks(best, dist.ReduceOp.MAX, group)
        log_total = sums[0].log() + everywhere
        ctx.save_for_backward(features, centres, labels, counted, scores, inverse, bent, slope, log_total)
        ctx.blocks, ctx.margin, ctx.subcentres, ctx.biased = blocks, margin, subcentres, bias is not None
        ctx.mark_non_differentiable(best, own)
        return (log_total - sums[1])[counted].sum() / counted.sum().clamp_min(1), best, own

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        features, centres, labels, counted, scores, inverse, bent, slope, log_total = ctx.saved_tensors
        margin, subcentres = ctx.margin, ctx.subcentres
        weight = counted / counted.sum().clamp_min(1) * gradient * margin.scale
        of_own = ((bent - log_total).exp() - 1.0) * slope * weight
        of_features, of_centres = torch.zeros_like(features), torch.empty_like(centres)
        of_bias = features.new_empty(ctx.blocks.classes) if ctx.biased else None
        logits = ctx.blocks.scratch(features)
        with torch.autocast(features.device.type, enabled=False):
            for start, end, here in ctx.blocks:
                rows = slice(start * subcentres, end * subcentres)
                block = scores[rows]
                slopes = torch.mul(_nearest(block, subcentres), margin.scale, out=logits[: end - start])
                slopes.sub_(log_total).exp_().mul_(weight)
                slopes[labels[here] - start, here] = of_own[here]
                if of_bias is not None:
                    of_bias[start:end] = slopes.sum(1)
                slopes = _to_nearest(slopes, block, subcentres)
                if margin.normalised:
                    along = (slopes * block).sum(1, keepdim=True)
                    slopes = slopes.mul_(inverse[rows])
                of_features.addmm_(slopes.T, centres[rows])
                torch.mm(slopes, features, out=of_centres[rows])
                if margin.normalised:  # what would only change the length
                    of_centres[rows].addcmul_(centres[rows], along.mul_(inverse[rows].square()), value=-1)
        return of_features, of_centres, of_bias, None, None, None, None, None


def _nearest(block: Tensor, subcentres: int) -> Tensor:
    """Return the largest score over a class's sub-centres: (n, N) of (n·K, N)."""
    return block if subcentres == 1 else block.unflatten(0, (-1, subcentres)).amax(1)


def _to_nearest(slopes: Tensor, block: Tensor, subcentres: int) -> Tensor:
    """Return the slopes of a block's scores: those of a class go to its nearest sub-centre."""
    if subcentres == 1:
        return slopes
    each = block.unflatten(0, (-1, subcentres))
    return torch.zeros_like(each).scatter_(1, each.argmax(1, keepdim=True), slopes.unsqueeze(1)).flatten(0, 1)


def _bent(own: Tensor, held: Tensor, margin: Margin) -> tuple[Tensor, Tensor]:
    """Return the logits of the own classes with margin, and their slopes over scale times score."""
    with torch.enable_grad():
        score = torch.where(held, own, 0.0).requires_grad_()
        cosine = target_cosine(score, margin) if margin.normalised else score * 1.0
        (slope,) = torch.autograd.grad(cosine.sum(), score)
    return cosine.detach() * margin.scale, slope
