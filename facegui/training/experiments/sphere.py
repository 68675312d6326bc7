"""Digits on a sphere: the same network with three numbers at its end, trained with each loss and recorded."""

from __future__ import annotations

from pathlib import Path

import torch

from facegui.jobs import Job, Progress
from facegui.training.experiments import networks, pictures
from facegui.training.experiments.learning import Plan, learn, within
from facegui.training.experiments.losses import LOSSES, loss
from facegui.training.experiments.recording import keep_runs, recorded, save_runs

__all__ = ["FILE", "LAB_FILE", "SCALE", "run_sphere"]

FILE = "sphere.npz"
LAB_FILE = "lab.npz"
"""The runs that the app's margin lab shows; it ships them as ``assets/lab/runs.npz``."""

_LAB_RUNS = ("softmax", "normalised", "sphereface", "arcface", "cosface", "combined")
SCALE = 16.0
"""s. The paper's 64 belongs to 512 numbers and tens of thousands of people; on a small sphere it trains worse."""

_DIMENSION = 3
_EPOCHS, _QUICK_EPOCHS = 8, 3
_QUICK = 12_000, 2_000
_EARLY = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.6)


def run_sphere(data: Path, out: Path, *, quick: bool, seed: int = 0) -> Job[None]:
    """Train with every loss and write the recordings to ``out/sphere.npz``, the lab's runs to ``out/lab.npz``.

    Runs that the file holds already are not trained again.

    Parameters
    ----------
    data : Path
        Folder with ``mnist.npz``.
    out : Path
    quick : bool
        A fifth of the pictures and three epochs.
    seed : int

    Yields
    ------
    Progress
        Over all losses.
    """
    yield Progress(0, len(LOSSES), "reading")
    digits = pictures.load(data, "mnist")
    if quick:
        digits = digits.part(*_QUICK)
    epochs = _QUICK_EPOCHS if quick else _EPOCHS
    about: dict[str, object] = {
        "set": "MNIST", "pictures": len(digits.train), "test_pictures": len(digits.test), "epochs": epochs,
        "seed": seed, "quick": quick, "scale": SCALE,
    }  # fmt: skip
    done = recorded(out / FILE, about)
    for number, item in enumerate(LOSSES):
        if item.name in done:
            continue
        torch.manual_seed(seed)
        net = networks.digit_network(_DIMENSION)
        chosen = loss(item.name, SCALE)
        job = learn(net, chosen, _DIMENSION, digits, Plan(epochs, early=_EARLY), seed)
        run = yield from within(job, number, len(LOSSES))
        save_runs([run], digits.test_labels.numpy(), about, out / FILE, [item.name for item in LOSSES])
    keep_runs(out / FILE, _LAB_RUNS, out / LAB_FILE)
