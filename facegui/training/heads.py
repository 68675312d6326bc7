"""Heads: the centres of the classes, on one device or shared out over many.

`Head` holds all n centres and leaves the gradients to PyTorch. `ParallelHead`, which `facegui train run` takes on one
device too, holds n/k of them on each of k ranks (the parallel acceleration of the ArcFace paper's appendix): the
features of all ranks are gathered, each rank takes the product with its own centres, and the exact softmax over all
classes comes from three small sums over the ranks (largest logit, sum of exponentials, logit of the own class). The
gradient of the centres stays where they are; that of the features is summed over the ranks. What travels in a step is
N·d features and 4·N numbers, whatever n is.

With a share below 1 a rank takes, in each step, the centres of the classes that occur in the batch and random others up
to that share (An et al., 2021, Partial FC, arXiv:2010.05222).

Ten million identities on 64 cards, 512 numbers a face, 128 faces a card (N = 8,192), float32: a card holds 156,250
centres, 0.32 GB, with gradient and momentum 0.96 GB. Its cosines take N·156,250·4 bytes = 5.1 GB, the one array of that
size that is kept (`facegui.training.shared_softmax`). The gathered features take 17 MB, what is summed over the ranks
0.1 MB. With a tenth of the centres in each step the cosines take 0.5 GB and the arithmetic a tenth. One card alone
would need 61 GB for the centres with gradient and momentum, and 330 GB for the cosines. None of this was run on cards;
`tests/benchmarks/class_parallel.py` measures what a machine without them can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from facegui.training.margins import IGNORED, Margin, cosines, margin_logits, nearest_subcentre
from facegui.training.shared_softmax import over_ranks, shared_softmax

__all__ = ["CentreSGD", "Head", "Outcome", "ParallelHead", "class_range"]

_SPREAD = 0.01
"""Standard deviation of fresh centres; only their directions count."""
_BLOCK = 1024
"""Centres drawn from one seed, so that they do not depend on the number of ranks."""
_SEED_STEP = 1_000_003
_ROWS_AT_ONCE = 2048


class Outcome(NamedTuple):
    """What a head says of a batch.

    Attributes
    ----------
    loss : Tensor
        One number: the mean over the faces of all ranks that have a class.
    correct, counted : Tensor
        Faces whose largest logit, without any margin, is that of their class; and faces that have a class.
    """

    loss: Tensor
    correct: Tensor
    counted: Tensor


def _wide(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()


def class_range(classes: int, rank: int, ranks: int) -> tuple[int, int]:
    """Return first and last but one class of a rank; shares differ by one class at most."""
    share, rest = divmod(classes, ranks)
    start = rank * share + min(rank, rest)
    return start, start + share + (rank < rest)


def _fresh(start: int, end: int, rows_per_class: int, dimension: int, seed: int) -> Tensor:
    """Draw the centres of the classes from `start` to `end`, the same ones however they are shared out."""
    generator = torch.Generator()
    parts = []
    for block in range(start // _BLOCK, -(-end // _BLOCK)):
        generator.manual_seed(seed * _SEED_STEP + block)
        drawn = torch.randn(_BLOCK, rows_per_class * dimension, generator=generator) * _SPREAD
        first = block * _BLOCK
        parts.append(drawn[max(0, start - first) : max(0, end - first)])
    made = torch.cat(parts) if parts else torch.zeros(0, rows_per_class * dimension)
    return made.reshape(-1, dimension)


class Head(nn.Module):
    """All centres on one device.

    Parameters
    ----------
    classes, dimension : int
        n and d.
    margin : Margin
    subcentres : int
        K centres a class; a face takes the nearest one.
    seed : int
        Of the fresh centres.

    Attributes
    ----------
    centres : Parameter
        (n·K, d); the sub-centres of a class stand side by side.
    bias : Parameter or None
        (n,), for plain softmax alone.
    """

    def __init__(self, classes: int, dimension: int, margin: Margin, subcentres: int = 1, seed: int = 0) -> None:
        super().__init__()
        if classes < 1 or dimension < 1 or subcentres < 1:
            raise ValueError("a head needs at least one class, one dimension and one centre a class")
        if subcentres > 1 and not margin.normalised:
            raise ValueError("plain softmax takes one centre a class")
        self.classes, self.dimension, self.margin, self.subcentres = classes, dimension, margin, subcentres
        self.start, self.end = self._own_classes()
        self.centres = nn.Parameter(_fresh(self.start, self.end, subcentres, dimension, seed))
        self.bias = None if margin.normalised else nn.Parameter(torch.zeros(self.end - self.start))

    def _own_classes(self) -> tuple[int, int]:
        return 0, self.classes

    def scores(self, features: Tensor) -> Tensor:
        """Return the score of each class held here, without margin or scale: cosines, or x·W + b of plain softmax."""
        return self._scores(features, self.centres, self.bias)

    def _scores(self, features: Tensor, centres: Tensor, bias: Tensor | None) -> Tensor:
        if not self.margin.normalised:
            with torch.autocast(features.device.type, enabled=False):
                return F.linear(_wide(features), centres, bias)
        return nearest_subcentre(cosines(features, centres), self.subcentres)

    def forward(self, features: Tensor, labels: Tensor) -> Outcome:
        """Return the loss of a batch.

        Parameters
        ----------
        features : Tensor
            (N, d).
        labels : Tensor
            (N,), int64; −1 is left out.
        """
        scores = self.scores(features)
        logits = margin_logits(scores, labels, self.margin)
        counted = (labels != IGNORED).sum()
        total = F.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")
        with torch.no_grad():
            correct = (scores.argmax(1) == labels).sum()
        return Outcome(total / counted.clamp_min(1), correct, counted)

    def shard(self) -> dict[str, Any]:
        """Return what of this head is saved by its rank."""
        saved = {"start": self.start, "end": self.end, "classes": self.classes, "centres": self.centres.detach()}
        return saved if self.bias is None else saved | {"bias": self.bias.detach()}

    def load_shards(self, shards: Iterable[Mapping[str, Any]]) -> None:
        """Take the own classes from shards that any number of ranks saved.

        Raises
        ------
        ValueError
            They are of another number of classes or numbers a face, or a class is missing.
        """
        parts = list(shards)
        if any(part["classes"] != self.classes for part in parts):
            raise ValueError(f"the saved head is not one of {self.classes} classes")
        with torch.no_grad():
            self.centres.copy_(rows_of(parts, "centres", self.start, self.end, self.subcentres))
            if self.bias is not None:
                self.bias.copy_(rows_of(parts, "bias", self.start, self.end, 1))


def rows_of(parts: Iterable[Mapping[str, Any]], key: str, start: int, end: int, rows_per_class: int) -> Tensor:
    """Cut the rows of the classes from `start` to `end` out of shards.

    Raises
    ------
    ValueError
        Some class is in none of them.
    """
    found = []
    reached = start
    for part in sorted(parts, key=lambda part: int(part["start"])):
        first, last = max(reached, int(part["start"])), min(end, int(part["end"]))
        if first < last and first == reached:
            begin = (first - int(part["start"])) * rows_per_class
            found.append(part[key][begin : begin + (last - first) * rows_per_class])
            reached = last
    if reached < end:
        raise ValueError(f"class {reached} is in none of the saved parts")
    return torch.cat(found) if found else next(iter(parts))[key][:0]


class _Gather(torch.autograd.Function):
    """All ranks' features, one below the other; backwards, the gradients summed over the ranks, the own rows of it."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, group: Any) -> Tensor:
        ctx.group, ctx.rows = group, len(own)
        parts = [torch.empty_like(own) for _ in range(dist.get_world_size(group))]
        dist.all_gather(parts, own.contiguous(), group=group)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.contiguous().clone()
        dist.all_reduce(total, group=ctx.group)
        start = dist.get_rank(ctx.group) * ctx.rows
        return total[start : start + ctx.rows], None


class ParallelHead(Head):
    """The centres shared out over the ranks of a process group; without one, this process holds all of them.

    Every rank brings the same number of faces, those that it lacks with the label −1, and gets the same loss. The
    gradient on its features is that of the mean over all ranks' faces;
    `torch.nn.parallel.DistributedDataParallel` divides a network's gradients by the number of ranks, so whoever uses it
    multiplies this one with that number first.

    Parameters
    ----------
    classes, dimension, margin, subcentres, seed
        As for `Head`.
    share : float
        Share of the centres that take part in a step; 1 is all of them, the exact softmax.
    group : ProcessGroup, optional
        Default: all ranks, or this process alone where it has joined no others.

    Attributes
    ----------
    draws : int
        Steps so far; with `seed` it determines which centres take part.
    """

    def __init__(
        self,
        classes: int,
        dimension: int,
        margin: Margin,
        subcentres: int = 1,
        seed: int = 0,
        *,
        share: float = 1.0,
        group: Any = None,
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"the share of the centres must be above 0 and at most 1, not {share}")
        self.group = group
        joined = dist.is_initialized()
        self.rank: int = dist.get_rank(group) if joined else 0
        self.ranks: int = dist.get_world_size(group) if joined else 1
        super().__init__(classes, dimension, margin, subcentres, seed)
        self.share, self.seed = share, seed
        self.draws = 0

    def _own_classes(self) -> tuple[int, int]:
        return class_range(self.classes, self.rank, self.ranks)

    def forward(self, features: Tensor, labels: Tensor) -> Outcome:
        """Return the loss of the batches of all ranks; see `Head.forward`."""
        gathered, everyone = features, labels
        if self.ranks > 1:
            gathered = _Gather.apply(features, self.group)
            parts = [torch.empty_like(labels) for _ in range(self.ranks)]
            dist.all_gather(parts, labels.contiguous(), group=self.group)
            everyone = torch.cat(parts)
        mine = (everyone >= self.start) & (everyone < self.end)
        own = torch.where(mine, everyone - self.start, IGNORED)
        centres, bias = self.centres, self.bias
        if self.share < 1 and self.training:
            chosen, own = self._draw(own)
            rows = (chosen.unsqueeze(1) * self.subcentres + torch.arange(self.subcentres, device=own.device)).flatten()
            centres = F.embedding(rows, self.centres, sparse=True)
            bias = None if self.bias is None else self.bias[chosen]
        if self.margin.normalised:
            with torch.autocast(gathered.device.type, enabled=False):
                gathered = F.normalize(_wide(gathered), dim=1)
        counted = everyone != IGNORED
        found = shared_softmax(_wide(gathered), centres, bias, own, counted, self.margin, self.subcentres, self.group)
        correct = ((own != IGNORED) & (found.own >= found.best)).sum()
        over_ranks(correct, dist.ReduceOp.SUM, self.group)
        return Outcome(found.loss, correct, counted.sum())

    def _draw(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """Choose the classes of this step; return them, and the labels as places among them."""
        held = self.end - self.start
        generator = torch.Generator().manual_seed((self.seed * _SEED_STEP + self.draws) * self.ranks + self.rank)
        self.draws += 1
        order = torch.rand(held, generator=generator).to(own.device)
        present = own[own != IGNORED].unique()
        order[present] = 2.0  # those that occur in the batch come first
        count = min(held, max(len(present), round(self.share * held)))
        chosen = order.topk(count).indices.sort().values
        return chosen, torch.where(own == IGNORED, own, torch.searchsorted(chosen, own.clamp_min(0)))


class CentreSGD(torch.optim.Optimizer):
    """SGD with momentum and weight decay that touches only the centres that took part in the step.

    The same as `torch.optim.SGD` for a dense gradient. With the sparse one of a `ParallelHead` with a share below 1,
    centres that were left out keep their place and their momentum.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.9, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Move the centres."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state, gradient = self.state[parameter], parameter.grad
                if "momentum_buffer" not in state:  # not `setdefault`: it would make one in each step, to throw it away
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                moved = state["momentum_buffer"]
                if gradient.is_sparse:
                    gradient = gradient.coalesce()
                    self._move_some(parameter, moved, gradient.indices()[0], gradient.values(), group)
                    continue
                for rows in _blocks_of(parameter):
                    # In place and a block at a time: the centres of a million classes pass the memory once.
                    change = moved[rows].mul_(group["momentum"]).add_(gradient[rows])
                    parameter[rows].add_(change.add_(parameter[rows], alpha=group["weight_decay"]), alpha=-group["lr"])

    def _move_some(
        self, parameter: Tensor, moved: Tensor, rows: Tensor, gradient: Tensor, group: dict[str, Any]
    ) -> None:
        change = moved[rows].mul_(group["momentum"]).add_(gradient).add_(parameter[rows], alpha=group["weight_decay"])
        moved[rows] = change
        parameter.index_add_(0, rows, change, alpha=-group["lr"])


def _blocks_of(parameter: Tensor) -> Iterable[slice]:
    size = max(1, len(parameter)) if parameter.is_cuda else _ROWS_AT_ONCE  # pieces are for a processor's cache
    return (slice(start, start + size) for start in range(0, len(parameter), size))
