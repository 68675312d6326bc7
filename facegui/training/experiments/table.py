"""Softmax and ArcFace on MNIST and CIFAR-10, three seeds each: what a student's table is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from facegui.jobs import Job, Progress
from facegui.training.experiments import networks, pictures
from facegui.training.experiments.keeping import keep, kept, result_of
from facegui.training.experiments.learning import Plan, Run, learn, within
from facegui.training.experiments.losses import loss
from facegui.training.experiments.pictures import Pictures

__all__ = ["DIMENSION", "FILE", "LOSSES", "SCALE", "SEEDS", "features_file", "run_table"]

FILE = "table.json"
LOSSES = ("softmax", "arcface", "normalised")
SEEDS = (0, 1, 2)
SCALE = 16.0
DIMENSION = 64
_SHOWN = 2_000  # test pictures whose embeddings are kept for a map

_PLANS = {"mnist": Plan(5), "cifar10": Plan(10, rate=0.1, change=pictures.moved)}
_QUICK_PLANS = {"mnist": Plan(2), "cifar10": Plan(3, rate=0.1, change=pictures.moved)}
_QUICK = {"mnist": (12_000, 2_000), "cifar10": (8_000, 2_000)}


def features_file(out: Path, name: str, of: str) -> Path:
    """Return where the embeddings of the test pictures after the first seed's run are kept."""
    return out / f"features-{name}-{of}.npz"


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
    # The two that the published table has come first, with all seeds.
    wanted = [(name, seed, of) for name in _PLANS for some in (LOSSES[:2], LOSSES[2:]) for seed in seeds for of in some]
    loaded: dict[str, Pictures] = {}
    done = {row.key for row in kept(out / FILE)}
    for number, (name, seed, of) in enumerate(wanted):
        yield Progress(1000 * number, 1000 * len(wanted), f"{name}, {of}")
        if name not in loaded:
            found = pictures.load(data, name)
            loaded[name] = found.part(*_QUICK[name]) if quick else found
        plan = (_QUICK_PLANS if quick else _PLANS)[name]
        chosen = loss(of, SCALE)
        if (name, of, round(chosen.margin.m2, 4), seed, plan.epochs, len(loaded[name].train)) in done:
            continue
        torch.manual_seed(seed)
        make = networks.digit_network if name == "mnist" else networks.colour_network
        job = learn(make(DIMENSION), chosen, DIMENSION, loaded[name], plan, seed)
        run = yield from within(job, number, len(wanted))
        if seed == seeds[0]:
            _keep_features(run, loaded[name], features_file(out, name, of))
        keep(out / FILE, result_of(run, loaded[name], plan, seed))


def _keep_features(run: Run, data: Pictures, file: Path) -> None:
    last = run.frames[-1]
    np.savez_compressed(
        file, features=last.features[:_SHOWN].astype(np.float16), labels=data.test_labels.numpy()[:_SHOWN],
        classes=np.array(data.classes),
    )  # fmt: skip
