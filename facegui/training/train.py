"""Training: the loop, on one device or on many under ``torchrun``, exact when it is taken up again.

What a step does depends on the seed and the number of the step alone: which pictures, their changes, the learning rate.
The state of the random numbers of dropout is kept for each rank. So a run that was killed goes on from its last
checkpoint with the loss that it would have had, to the last bit on the same machine with as many ranks.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from facegui.errors import KnownError
from facegui.jobs import Job, Partial, Progress
from facegui.matching.report import Report
from facegui.training import checkpoints, logs
from facegui.training.backbones import backbone
from facegui.training.config import Config, text_of
from facegui.training.data import open_pictures
from facegui.training.heads import CentreSGD, ParallelHead
from facegui.training.imprint import imprint
from facegui.training.loading import TrainingSet, alone_on_its_core
from facegui.training.margins import IGNORED, Margin
from facegui.training.ranks import barrier, random_state, ranks, set_random_state
from facegui.training.sampling import Batches
from facegui.training.schedule import rate_at
from facegui.training.taking_up import alone_in, require_same_run
from facegui.training.verifying import HeldOut, logged, open_all_held_out, verify

__all__ = ["Result", "margin_of", "train"]

_PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended.

    Attributes
    ----------
    checkpoint : Path
    steps : int
    loss : float
        Of the last report.
    verified : dict of str to Report
        By the name of the set of held-out pairs; after the last step of this run.
    resumed : int
        Step that the run was taken up at; 0 for a fresh one.
    unreadable : int
        Pictures that could not be read and were left out, on this rank.
    """

    checkpoint: Path
    steps: int
    loss: float
    verified: dict[str, Report]
    resumed: int
    unreadable: int


def margin_of(config: Config) -> Margin:
    """Return the margin that a configuration describes.

    Raises
    ------
    KnownError
        It makes no sense.
    """
    table = config.margin
    try:
        return Margin(table.scale, table.m1, table.m2, table.m3, table.beyond, table.normalised)  # type: ignore[arg-type]
    except ValueError as error:
        raise KnownError("[margin] cannot be used.", f"{str(error).capitalize()}.", "Mend it.") from error


def train(config: Config, *, fresh: bool = False) -> Job[Result]:
    """Train a network.

    Parameters
    ----------
    config : Config
    fresh : bool
        Begin anew where the folder holds a run already; otherwise that run is taken up again.

    Yields
    ------
    Progress
        After each step.
    Partial
        Each report, as a dictionary.

    Raises
    ------
    KnownError
        The configuration, the pictures or a checkpoint cannot be used, or the loss is no number any more.
    """
    out = Path(config.run.out)
    with ranks(config.run.device) as (rank, count, device):
        trainer = _Trainer(config, rank, count, device)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise KnownError(f"{out} cannot be made.", f"{error.strerror or error}.", "Name another.") from error
        try:
            with alone_in(out) if rank == 0 else contextlib.nullcontext():
                result = yield from trainer.run(fresh=fresh)
        except torch.OutOfMemoryError as error:
            raise KnownError(
                "The memory of the graphics card is full.",
                f"{str(error).splitlines()[0]}",
                'Make batch in [data] smaller, or take precision = "bfloat16" in [optimizer].',
            ) from error
    return result


class _Trainer:
    """One run on one rank."""

    def __init__(self, config: Config, rank: int, count: int, device: torch.device) -> None:
        self.config, self.rank, self.count, self.device = config, rank, count, device
        self.out = Path(config.run.out)
        pictures = open_pictures(Path(config.data.train), config.data.kind)
        self.classes = len(pictures.names)
        if self.classes < 2:
            raise KnownError("There is nothing to tell apart.", "The pictures are all of one person.", "Add others.")
        self.margin, seed = margin_of(config), config.run.seed
        self.held = open_all_held_out(config.data.verify)
        self.set = TrainingSet(pictures, config.augment, seed)
        self.per_round = max(1, Batches.steps_of(len(pictures), config.data.batch, count))
        self.total = max(1, round(config.optimizer.epochs * self.per_round))
        torch.manual_seed(seed)  # the same fresh network everywhere; what differs by rank is set in `_begin`
        try:
            self.network = backbone(config.network.name, config.network.dimension, config.network.dropout)
        except ValueError as error:
            raise KnownError("[network] cannot be used.", f"{str(error).capitalize()}.", "Mend it.") from error
        if config.data.batch == 1 and any(isinstance(part, nn.BatchNorm1d) for part in self.network.modules()):
            raise KnownError("batch in [data] cannot be 1.", "The network's batch norms need several.", "Enlarge it.")
        self.network.to(device, memory_format=torch.channels_last)  # a third faster on processors
        self.head = self._make_head(self.margin, seed).to(device)
        how = config.optimizer
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(parameters, how.rate, how.momentum, weight_decay=how.decay)
        self.centre_optimizer = CentreSGD(self.head.parameters(), how.rate, how.momentum, how.decay)
        # Of float16 alone: its smallest numbers would swallow the gradients; bfloat16 reaches as far as float32.
        self.scaler = torch.amp.GradScaler(device.type, enabled=how.precision == "float16")
        self.average: dict[str, Tensor] | None = None
        self.step = 0
        self.unreadable = 0
        self.run_network = self.network

    def _make_head(self, margin: Margin, seed: int) -> ParallelHead:
        table, dimension = self.config.margin, self.config.network.dimension
        try:
            return ParallelHead(self.classes, dimension, margin, table.subcentres, seed, share=table.share)
        except ValueError as error:
            raise KnownError("[margin] cannot be used.", f"{str(error).capitalize()}.", "Mend it.") from error

    # --- beginning and going on ---------------------------------------------------------------------------

    def _begin(self, *, fresh: bool) -> int:
        """Take up the run that the folder holds, or begin one; return its step."""
        torch.manual_seed(self.config.run.seed * self.count + self.rank + 1)
        found = checkpoints.steps_in(self.out)
        if fresh and found:
            raise KnownError(
                f"{self.out} holds a run already.", f"It is at step {checkpoints.step_of(found[-1])}.",
                "Name another folder, or leave --fresh out and it is taken up again.",
            )  # fmt: skip
        if found:
            self._resume(found[-1])
        elif self.config.network.start:
            self._start_from(Path(self.config.network.start))
        if self.config.margin.imprint and not found:
            imprint(self.head, self.network, self.set.pictures, self.device)
        if self.count > 1:
            ids = [self.device.index] if self.device.type == "cuda" else None
            self.run_network = nn.parallel.DistributedDataParallel(self.network, device_ids=ids)
        return self.step

    def _resume(self, checkpoint: Path) -> None:
        saved, parts = checkpoints.load_network(checkpoint), checkpoints.load_head(checkpoint)
        require_same_run(self.out, saved, len(parts), self.config, self.classes, self.count)
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        self.average = saved["average"] or None
        if self.average:
            self.average = {name: value.to(self.device) for name, value in self.average.items()}
        self.head.load_shards(parts)
        momentum = checkpoints.momentum_of(parts, self.head)
        for name, parameter in self.head.named_parameters():
            if name in momentum:
                self.centre_optimizer.state[parameter]["momentum_buffer"] = momentum[name].to(self.device)
        self.step = int(saved["step"])
        self.head.draws = self.step
        if len(parts) == self.count:
            set_random_state(parts[self.rank], self.device)

    def _start_from(self, place: Path) -> None:
        """Begin with the weights of an earlier run; what has another shape stays fresh."""
        saved = checkpoints.load_network(checkpoints.find(place))
        weights = saved["average"] or saved["network"]
        own = self.network.state_dict()
        fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
        if len(fitting) < len(own) // 2:
            raise KnownError(
                f"{place} cannot be begun with.", f"{len(fitting)} of {len(own)} weights fit this network.",
                "Name a run with the same network.",
            )  # fmt: skip
        self.network.load_state_dict(fitting, strict=False)

    def _save(self) -> Path:
        for part in (self.network, self.head):  # one with endless weights would be taken up, and fail, again and again
            if not all(bool(torch.isfinite(weights).all()) for weights in part.parameters()):
                raise _diverged("A weight is", self.step, float(self.optimizer.param_groups[0]["lr"]))
        head = self.head.shard() | random_state(self.device)
        for name, parameter in self.head.named_parameters():
            if (state := self.centre_optimizer.state.get(parameter)) is not None:
                head[f"momentum of {name}"] = state["momentum_buffer"]
        network = {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(), "average": self.average or {}, "config": text_of(self.config),
            "classes": self.classes,
        }  # fmt: skip
        return checkpoints.save(self.out, self.step, network, head, self.rank, self.count)

    # --- the loop -----------------------------------------------------------------------------------------

    def run(self, *, fresh: bool) -> Job[Result]:
        """Train to the end."""
        resumed = self._begin(fresh=fresh)
        config, how = self.config, self.config.optimizer
        batches = Batches(
            self.set.pictures.labels, config.data.batch, self.total, start=self.step, seed=config.run.seed,
            rank=self.rank, ranks=self.count, balanced=config.data.balanced,
        )  # fmt: skip
        # A generator of its own: to draw from the common one would shift the dropout of a run that is taken up again.
        loader = DataLoader(
            self.set, batch_sampler=batches, num_workers=config.data.workers, generator=torch.Generator(),
            pin_memory=self.device.type == "cuda", worker_init_fn=alone_on_its_core,
        )  # fmt: skip
        save_every = max(1, round(config.run.save_every * self.per_round))
        verify_every = max(1, round(config.run.verify_every * self.per_round))
        verified: dict[str, Report] = {}
        loss = math.nan
        seen, correct, counted, since = 0, 0, 0, time.perf_counter()
        self.network.train()
        self.head.train()
        checkpoint = self.out / f"step-{self.step:08d}"
        yield Progress(self.step, self.total)
        with logs.opened(self.out, self.step) if self.rank == 0 else contextlib.nullcontext() as log:
            for pictures, labels in loader:
                rate = rate_at(self.step, self.per_round, self.total, how)
                if growing := config.margin.grow * self.per_round:
                    self.head.margin = self.margin.part(min(1.0, self.step / growing))
                outcome = self._one_step(
                    pictures.to(self.device, memory_format=torch.channels_last, non_blocking=True),
                    labels.to(self.device, non_blocking=True), rate,
                )  # fmt: skip
                self.step += 1
                self.unreadable += int((labels == IGNORED).sum())
                seen += len(labels) * self.count
                correct, counted = correct + int(outcome[1]), counted + int(outcome[2])
                last = self.step == self.total
                if self.step % config.run.log_every == 0 or last:
                    loss = outcome[0]
                    report = {
                        "step": self.step, "round": self.step / self.per_round, "loss": loss, "rate": rate,
                        "correct": correct / max(1, counted),
                        "pictures_per_second": seen / max(1e-9, time.perf_counter() - since),
                    }  # fmt: skip
                    if log is not None:
                        log.report(report)
                    yield Partial(report)
                    seen, correct, counted, since = 0, 0, 0, time.perf_counter()
                if self.held and (self.step % verify_every == 0 or last):
                    if log is not None:
                        for name, held in self.held.items():
                            verified[name] = self._verify(held)
                            report = logged(self.step, verified[name], name if len(self.held) > 1 else "")
                            log.report(report)
                            yield Partial(report)
                    barrier()
                    since = time.perf_counter()
                if self.step % save_every == 0 or last:
                    checkpoint = self._save()
                yield Progress(self.step, self.total, f"loss {outcome[0]:.3f}")
        if math.isnan(loss):  # there was nothing left to do
            loss = logs.RunLog(self.out, None).last_loss()
        return Result(checkpoint, self.step, loss, verified, resumed, self.unreadable)

    def _one_step(self, pictures: Tensor, labels: Tensor, rate: float) -> tuple[float, int, int]:
        how = self.config.optimizer
        for optimizer in (self.optimizer, self.centre_optimizer):
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = rate
        kind = _PRECISIONS.get(how.precision)
        with torch.autocast(self.device.type, dtype=kind, enabled=kind is not None):
            features = self.run_network(pictures)
        features = features.float()
        if self.count > 1:  # DistributedDataParallel divides by the number of ranks, the loss is the mean already
            features.register_hook(lambda gradient: gradient * self.count)
        outcome = self.head(features, labels)
        loss = float(outcome.loss.detach())
        if not math.isfinite(loss):
            raise _diverged("The loss is", self.step + 1, rate)
        self.scaler.scale(outcome.loss).backward()
        if how.clip:
            self.scaler.unscale_(self.optimizer)
            norm = nn.utils.clip_grad_norm_(self.network.parameters(), how.clip)
            if not self.scaler.is_enabled() and not math.isfinite(float(norm)):  # the scaler leaves such a step out
                raise _diverged("The gradient is", self.step + 1, rate)
        self.scaler.step(self.optimizer)
        self.scaler.step(self.centre_optimizer)
        self.scaler.update()
        if how.average:
            self._follow(how.average)
        return loss, int(outcome.correct), int(outcome.counted)

    def _follow(self, weight: float) -> None:
        """Move the average of the weights; early on it follows faster, or it would keep the fresh weights for long."""
        now = self.network.state_dict()
        if self.average is None:
            self.average = {name: value.detach().clone() for name, value in now.items()}
            return
        past = min(weight, (1 + self.step) / (10 + self.step))
        for name, value in now.items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), 1 - past)
            else:
                self.average[name].copy_(value)

    def _verify(self, held: HeldOut) -> Report:
        if self.average is None:
            return verify(self.network, held, self.device)
        own = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        try:
            return verify(self.network, held, self.device)
        finally:
            self.network.load_state_dict(own)


def _diverged(what: str, step: int, rate: float) -> KnownError:
    return KnownError(
        f"{what} not a number any more, at step {step}.",
        f"The learning rate is {rate:g}; too high a one does that, and so does half precision.",
        'Lower rate, lengthen warmup, or take precision = "float32"; earlier checkpoints are kept.',
    )
