"""Softmax and ArcFace on MNIST and CIFAR-10, three seeds each: what a student's table is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from facegui.jobs import Job, Progress
from facegui.training.experiments import networks, pictures
from facegui.training.experiments.keeping import WIDTH, Result, keep, kept, key_of, result_of
from facegui.training.experiments.learning import Plan, Run, learn, within
from facegui.training.experiments.losses import loss
from facegui.training.experiments.pictures import Pictures

__all__ = ["DIMENSION", "ENTRIES", "FILE", "SCALE", "SEEDS", "Entry", "features_file", "rows_of", "run_table"]

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
    wide : bool
        With twice the channels and twice the epochs; not part of a quick run.
    """

    set: str
    loss: str
    m2: float | None = None
    grown: bool = False
    wide: bool = False

    @property
    def name(self) -> str:
        """As in file names."""
        return "-".join(
            [self.set, self.loss, *(["grown"] if self.grown else []), *(["wide"] if self.wide else [])]
        )  # fmt: skip


_SMALL = 0.2  # radians; what a network that gets a third of CIFAR-10 wrong can still carry
ENTRIES = (
    Entry("mnist", "softmax"), Entry("mnist", "arcface"), Entry("mnist", "normalised"),
    Entry("cifar10", "softmax"), Entry("cifar10", "normalised"), Entry("cifar10", "arcface"),
    Entry("cifar10", "arcface", _SMALL, grown=True),
    Entry("cifar10", "softmax", wide=True), Entry("cifar10", "arcface", _SMALL, grown=True, wide=True),
)  # fmt: skip
"""Lines of the table, in its order."""

_GROWTH = (0.2, 0.6)
_WIDE = 32
_PLANS = {"mnist": Plan(5), "cifar10": Plan(10, rate=0.1, change=pictures.moved)}
_QUICK_PLANS = {"mnist": Plan(2), "cifar10": Plan(3, rate=0.1, change=pictures.moved)}
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
    entries = [entry for entry in ENTRIES if not (quick and entry.wide)]
    # Every line with one seed before any with more; what takes longest comes last.
    wanted = [(seed, entry) for wide in (False, True) for seed in seeds for entry in entries if entry.wide is wide]
    loaded: dict[str, Pictures] = {}
    done = {row.key for row in kept(out / FILE)}
    for number, (seed, entry) in enumerate(wanted):
        yield Progress(1000 * number, 1000 * len(wanted), entry.name)
        if entry.set not in loaded:
            found = pictures.load(data, entry.set)
            loaded[entry.set] = found.part(*_QUICK[entry.set]) if quick else found
        digits, plan = loaded[entry.set], _plan(entry, quick=quick)
        chosen, width = loss(entry.loss, SCALE, entry.m2), _WIDE if entry.wide else WIDTH
        if key_of(chosen, digits, plan, seed, width) in done:
            continue
        torch.manual_seed(seed)
        net = networks.digit_network(DIMENSION) if entry.set == "mnist" else networks.colour_network(DIMENSION, width)
        run = yield from within(learn(net, chosen, DIMENSION, digits, plan, seed), number, len(wanted))
        if seed == seeds[0]:
            _keep_features(run, digits, features_file(out, entry.name))
        keep(out / FILE, result_of(run, digits, plan, seed, width))


def _plan(entry: Entry, *, quick: bool) -> Plan:
    plan = (_QUICK_PLANS if quick else _PLANS)[entry.set]
    return replace(
        plan, epochs=plan.epochs * (2 if entry.wide else 1), growth=_GROWTH if entry.grown else plan.growth
    )  # fmt: skip


def rows_of(entry: Entry, rows: Sequence[Result]) -> list[Result]:
    """Return an entry's results."""
    chosen = loss(entry.loss, SCALE, entry.m2)
    wanted = entry.set, entry.loss, round(chosen.margin.m2, 4), _GROWTH[1] if entry.grown else 0.0
    width = _WIDE if entry.wide else WIDTH
    return [r for r in rows if (r.set, r.loss, round(r.m2, 4), r.growth) == wanted and r.width == width]


def _keep_features(run: Run, data: Pictures, file: Path) -> None:
    last = run.frames[-1]
    np.savez_compressed(
        file, features=last.features[:_SHOWN].astype(np.float16), labels=data.test_labels.numpy()[:_SHOWN],
        classes=np.array(data.classes),
    )  # fmt: skip
