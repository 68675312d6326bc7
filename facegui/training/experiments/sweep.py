"""What the size of ArcFace's margin does: accuracy, angles, and verification of pairs, over m2."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from facegui.jobs import Job, Progress
from facegui.training.experiments import networks, pictures
from facegui.training.experiments.keeping import keep, kept, key_of, result_of
from facegui.training.experiments.learning import Plan, learn, within
from facegui.training.experiments.losses import loss

__all__ = ["FILE", "MARGINS", "SEEDS", "run_sweep"]

FILE = "sweep.json"
MARGINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)
"""m2 in radians."""

SEEDS = (0, 1, 2)
_SCALE = 16.0
_DIMENSION = 3
_PLAN, _QUICK_PLAN = Plan(3), Plan(2)
_PICTURES, _QUICK = (30_000, 10_000), (12_000, 2_000)


def run_sweep(data: Path, out: Path, *, quick: bool) -> Job[None]:
    """Train on digits with each margin; runs whose results are in ``out/sweep.json`` are not trained again.

    Parameters
    ----------
    data : Path
        Folder with ``mnist.npz``.
    out : Path
    quick : bool
        Fewer pictures and epochs, one seed.

    Yields
    ------
    Progress
        Over all runs.
    """
    wanted = [(m2, seed) for seed in (SEEDS[:1] if quick else SEEDS) for m2 in MARGINS]
    digits = pictures.load(data, "mnist").part(*(_QUICK if quick else _PICTURES))
    plan = _QUICK_PLAN if quick else _PLAN
    done = {row.key for row in kept(out / FILE)}
    for number, (m2, seed) in enumerate(wanted):
        yield Progress(1000 * number, 1000 * len(wanted), f"m2 = {m2}")
        chosen = loss("arcface", _SCALE, m2=m2)
        if key_of(chosen, digits, plan, seed) in done:
            continue
        torch.manual_seed(seed)
        began = time.process_time()
        job = learn(networks.digit_network(_DIMENSION), chosen, _DIMENSION, digits, plan, seed)
        run = yield from within(job, number, len(wanted))
        keep(out / FILE, result_of(run, digits, plan, seed, core_seconds=time.process_time() - began))
