"""One training run of an experiment, recorded while it goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facegui.errors import KnownError
from facegui.jobs import Job, Progress
from facegui.training.experiments.losses import Head, Loss
from facegui.training.experiments.pictures import Pictures

__all__ = ["Frame", "Plan", "Run", "embed", "learn", "within"]

_TEST_BATCH = 1000
_WARM = 0.15  # share of the steps in which the rate rises


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run trains.

    Attributes
    ----------
    epochs, batch : int
    rate : float
        The highest learning rate; it rises to it in a straight line and falls along a cosine.
    decay : float
        Weight decay.
    change : callable or None
        Changes a batch at random.
    growth : pair of float
        Shares of the steps between which the margin grows from nothing to its full size.
    clip : float
        The largest norm that all gradients together may have; 0 leaves them as they are.
    early : tuple of float
        Shares of the first epoch after which a frame is recorded as well, besides the end of each epoch.
    ends_only : bool
        Only the start and the end are recorded, which saves time.
    """

    epochs: int
    batch: int = 128
    rate: float = 0.05
    decay: float = 5e-4
    change: Callable[[Tensor, torch.Generator], Tensor] | None = None
    growth: tuple[float, float] = (0.0, 0.0)
    clip: float = 0.0
    early: tuple[float, ...] = ()
    ends_only: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The state at one moment.

    Attributes
    ----------
    epoch : float
    loss : float
        Mean over the steps since the frame before, at most an epoch; NaN at the start.
    train_accuracy, test_accuracy : float
        Of the network as it is, without margin; the first over the batches of those steps, as they were.
    features : array of float32, shape (N, d)
        Of the test pictures, not normalised.
    centres : array of float32, shape (n, d)
    """

    epoch: float
    loss: float
    train_accuracy: float
    test_accuracy: float
    features: NDArray[np.float32]
    centres: NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Run:
    """A finished run.

    Attributes
    ----------
    chosen : Loss
    frames : list of Frame
    train_accuracy : float
        Of the finished network on all training pictures.
    """

    chosen: Loss
    frames: list[Frame] = field(default_factory=list)
    train_accuracy: float = math.nan


def embed(net: nn.Module, pictures: Tensor) -> Tensor:
    """Return the embeddings of pictures, not normalised, by the network as it predicts."""
    net.eval()
    with torch.no_grad():
        return torch.cat([net(part) for part in pictures.split(_TEST_BATCH)])


def learn(net: nn.Module, chosen: Loss, dimension: int, data: Pictures, plan: Plan, seed: int) -> Job[Run]:
    """Train a network with a loss.

    Parameters
    ----------
    net : Module
        Gives (N, dimension); its weights should have been drawn after ``torch.manual_seed``.
    chosen : Loss
    dimension : int
    data : Pictures
    plan : Plan
    seed : int
        Of the order of the pictures and their changes.

    Yields
    ------
    Progress
        Now and then.

    Raises
    ------
    KnownError
        The loss is no number any more.
    """
    head = Head(chosen, len(data.classes), dimension)
    optimizer = torch.optim.SGD(
        [*net.parameters(), *head.parameters()], plan.rate, momentum=0.9, weight_decay=plan.decay, nesterov=True
    )
    generator = torch.Generator().manual_seed(seed)
    count = len(data.train) // plan.batch
    total = count * plan.epochs
    moments = {max(1, round(share * count)) for share in plan.early} | {count * (k + 1) for k in range(plan.epochs)}
    if plan.ends_only:
        moments = {total}
    run = Run(chosen, [_frame(net, head, data, 0.0, (), 0, 0)])
    losses: list[float] = []
    right = seen = 0
    for step in range(total):
        if step % count == 0:
            order = torch.randperm(len(data.train), generator=generator)
        part = order[(step % count) * plan.batch : (step % count + 1) * plan.batch]
        batch, labels = data.train[part], data.train_labels[part]
        if plan.change is not None:
            batch = plan.change(batch, generator)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * _share(step / total)
        net.train()
        features = net(batch)
        value = head(features, labels, _grown(step / total, *plan.growth))
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        if plan.clip:
            nn.utils.clip_grad_norm_([*net.parameters(), *head.parameters()], plan.clip)
        optimizer.step()
        losses.append(float(value.detach()))
        if not math.isfinite(losses[-1]):
            raise KnownError(
                f"Training with {chosen.title} failed.",
                "The loss is no number any more.",
                "Lower the rate or the scale.",
            )
        right += int((head.logits(features.detach()).argmax(dim=1) == labels).sum())
        seen += len(labels)
        if step + 1 in moments:
            run.frames.append(_frame(net, head, data, (step + 1) / count, losses, right, seen))
        if step + 1 in moments or (step + 1) % count == 0:
            losses, right, seen = [], 0, 0
        if step % 20 == 0:
            yield Progress(step, total, chosen.title)
    run.train_accuracy = _accuracy(head, embed(net, data.train), data.train_labels)
    yield Progress(total, total, chosen.title)
    return run


def _share(done: float) -> float:
    return done / _WARM if done < _WARM else 0.5 * (1 + math.cos(math.pi * (done - _WARM) / (1 - _WARM)))


def _grown(done: float, begin: float, end: float) -> float:
    return 1.0 if done >= end else max(0.0, (done - begin) / (end - begin))


def _accuracy(head: Head, features: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return float((head.logits(features).argmax(dim=1) == labels).float().mean())


def _frame(
    net: nn.Module, head: Head, data: Pictures, epoch: float, losses: Sequence[float], right: int, seen: int
) -> Frame:
    features = embed(net, data.test)
    return Frame(
        epoch, float(np.mean(losses)) if losses else math.nan, right / seen if seen else math.nan,
        _accuracy(head, features, data.test_labels), features.numpy(), head.weight.detach().clone().numpy(),
    )  # fmt: skip


def within(job: Job[Run], number: int, runs: int) -> Job[Run]:
    """Pass a run's progress on as a part of all runs, in thousandths of a run."""
    while True:
        try:
            event = next(job)
        except StopIteration as done:
            result: Run = done.value
            return result
        if isinstance(event, Progress) and event.total:
            yield Progress(1000 * number + 1000 * event.done // event.total, 1000 * runs, event.note)
