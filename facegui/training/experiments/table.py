"""Softmax and ArcFace on MNIST and CIFAR-10, three seeds each: what a student's table is compared with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facegui.jobs import Job, Progress
from facegui.training.experiments import networks, pictures
from facegui.training.experiments.keeping import LARGE_WIDTH, WIDTH, Result, keep, kept, key_of, result_of
from facegui.training.experiments.learning import Plan, Run, learn, within
from facegui.training.experiments.losses import loss
from facegui.training.experiments.pictures import Pictures

__all__ = ["CLIP", "DIMENSION", "ENTRIES", "FILE", "SCALE", "SEEDS", "Entry", "features_file", "rows_of", "run_table"]

FILE = "table.json"
SEEDS = (0, 1, 2)
SCALE = 16.0
DIMENSION = 64
_SHOWN = 2_000  # test pictures whose embeddings are kept for a map


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table.

    Attributes
    ----------
    set, loss : str
    m2 : float or None
        Another margin than the loss's own, radians.
    grown : bool
        The margin is 0 at first and grows between `_GROWTH` of the steps.
    large : bool
        With the large network; not part of a quick run.
    seeds : int
        So many of `SEEDS`.
    """

    set: str
    loss: str
    m2: float | None = None
    grown: bool = False
    large: bool = False
    seeds: int = len(SEEDS)

    @property
    def name(self) -> str:
        """As in file names."""
        margin = [] if self.m2 is None else [f"{self.m2:g}"]
        grown, large = ["grown"] * self.grown, ["large"] * self.large
        return "-".join([self.set, self.loss, *margin, *grown, *large])


_SMALL = 0.2  # radians; what a network that gets a quarter of CIFAR-10 wrong can still carry
ENTRIES = (
    Entry("mnist", "softmax"), Entry("mnist", "arcface"), Entry("mnist", "normalised"),
    Entry("cifar10", "softmax"), Entry("cifar10", "normalised"), Entry("cifar10", "arcface"),
    Entry("cifar10", "arcface", _SMALL, grown=True),
    Entry("cifar10", "softmax", large=True), Entry("cifar10", "normalised", large=True),
    Entry("cifar10", "arcface", _SMALL, grown=True, large=True),
    Entry("cifar10", "arcface", grown=True, large=True, seeds=1),
)  # fmt: skip
"""Lines of the table, in its order. Those of one seed only show whether it is worth to look closer."""

_GROWTH = (0.2, 0.6)
CLIP = 2.0
"""Norm of the large network's gradients. Without it softmax, whose logits have no bound, left its way in the second
epoch, when the rate is highest: the loss rose from 1.5 to over 20 with two of three seeds."""
_PLANS = {"mnist": Plan(5, ends_only=True), "cifar10": Plan(10, rate=0.1, change=pictures.moved, ends_only=True)}
_QUICK_PLANS = {name: replace(plan, epochs=epochs) for (name, plan), epochs in zip(_PLANS.items(), (2, 3), strict=True)}
_QUICK = {"mnist": (12_000, 2_000), "cifar10": (8_000, 2_000)}


def features_file(out: Path, entry: str) -> Path:
    """Return where the embeddings of the test pictures after the first seed's run of an entry are kept."""
    return out / f"features-{entry}.npz"


def run_table(data: Path, out: Path, *, quick: bool) -> Job[None]:
    """Train and measure; runs whose results are in ``out/table.json`` are not trained again.

    Parameters
    ----------
    data : Path
        Folder with ``mnist.npz`` and ``cifar10_jpeg.npz``.
    out : Path
    quick : bool
        Fewer pictures and epochs, one seed.

    Yields
    ------
    Progress
        Over all runs.
    """
    seeds = SEEDS[:1] if quick else SEEDS
    entries = [entry for entry in ENTRIES if not (quick and entry.large)]
    wanted = [(seed, entry) for seed in seeds for entry in entries if seed in SEEDS[: entry.seeds]]
    # Every line with one seed before any with more; what takes longest, and then what matters least, comes last.
    wanted.sort(key=lambda item: (item[1].large, item[1].seeds == 1, item[0]))
    loaded: dict[str, Pictures] = {}
    done = {row.key for row in kept(out / FILE)}
    for number, (seed, entry) in enumerate(wanted):
        yield Progress(1000 * number, 1000 * len(wanted), entry.name)
        if entry.set not in loaded:
            found = pictures.load(data, entry.set)
            loaded[entry.set] = found.part(*_QUICK[entry.set]) if quick else found
        digits, plan = loaded[entry.set], _plan(entry, quick=quick)
        chosen, width = loss(entry.loss, SCALE, entry.m2), LARGE_WIDTH if entry.large else WIDTH
        if key_of(chosen, digits, plan, seed, width) in done:
            continue
        torch.manual_seed(seed)
        began = time.process_time()
        net = _network(entry)
        run = yield from within(learn(net, chosen, DIMENSION, digits, plan, seed), number, len(wanted))
        if seed == seeds[0]:
            _keep_features(run, digits, features_file(out, entry.name))
        keep(out / FILE, result_of(run, digits, plan, seed, width, time.process_time() - began))


def _network(entry: Entry) -> nn.Module:
    if entry.set == "mnist":
        return networks.digit_network(DIMENSION)
    return networks.large_network(DIMENSION) if entry.large else networks.colour_network(DIMENSION)


def _plan(entry: Entry, *, quick: bool) -> Plan:
    plan = (_QUICK_PLANS if quick else _PLANS)[entry.set]
    return replace(plan, growth=_GROWTH if entry.grown else plan.growth, clip=CLIP if entry.large else plan.clip)


def rows_of(entry: Entry, rows: Sequence[Result]) -> list[Result]:
    """Return an entry's results."""
    chosen = loss(entry.loss, SCALE, entry.m2)
    wanted = entry.set, entry.loss, round(chosen.margin.m2, 4), _GROWTH[1] if entry.grown else 0.0
    network = (LARGE_WIDTH, CLIP) if entry.large else (WIDTH, 0.0)
    return [r for r in rows if (r.set, r.loss, round(r.m2, 4), r.growth) == wanted and (r.width, r.clip) == network]


def _keep_features(run: Run, data: Pictures, file: Path) -> None:
    last = run.frames[-1]
    np.savez_compressed(
        file, features=last.features[:_SHOWN].astype(np.float16), labels=data.test_labels.numpy()[:_SHOWN],
        classes=np.array(data.classes),
    )  # fmt: skip
