"""The experiments by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facegui.errors import KnownError
from facegui.jobs import Job
from facegui.training.experiments import figures, sphere, sweep, table, tsne

__all__ = ["EXPERIMENTS", "Experiment", "run"]


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment.

    Attributes
    ----------
    words : str
    runs : callable
        Trains and keeps what it found in the output folder.
    file : str
        What it keeps; an experiment that only draws takes another one's file when it is there.
    draws : callable or None
        Draws a picture from the folder.
    reuses : bool
        Whether a file that is there already is enough.
    """

    words: str
    runs: Callable[..., Job[None]]
    file: str
    draws: Callable[[Path], Path] | None
    reuses: bool = False


EXPERIMENTS = {
    "sphere": Experiment("digits on a sphere, with every loss", sphere.run_sphere, sphere.FILE, figures.draw_spheres),
    "animation": Experiment(
        "the epochs of softmax and ArcFace side by side", sphere.run_sphere, sphere.FILE, figures.draw_animation, True
    ),
    "table": Experiment("MNIST and CIFAR-10 with and without margin", table.run_table, table.FILE, None),
    "angles": Experiment(
        "angles with the centres during training, target logits, angles per loss", sphere.run_sphere, sphere.FILE,
        figures.draw_angles, True,
    ),
    "maps": Experiment("t-SNE of embeddings with and without margin", tsne.run_maps, tsne.FILE, figures.draw_maps),
    "sweep": Experiment("what the size of the margin does", sweep.run_sweep, sweep.FILE, figures.draw_sweep),
}  # fmt: skip


def run(name: str, data: Path, out: Path, *, quick: bool) -> Job[tuple[Path, ...]]:
    """Run an experiment, or all, and draw its picture.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`, or ``"all"``.
    data : Path
        Folder with ``mnist.npz`` and ``cifar10_jpeg.npz``.
    out : Path
        Made where it is missing.
    quick : bool
        Fewer pictures, epochs and seeds: minutes instead of most of an hour.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    KnownError
        There is no such experiment, or the folder cannot be made.
    """
    if name not in (*EXPERIMENTS, "all"):
        raise KnownError(f"{name} is no experiment.", "", f"Choose one of: {', '.join(EXPERIMENTS)}, all.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KnownError(
            f"{out} cannot be made.", f"{error.strerror or error}.", "Choose a folder you may write."
        ) from error
    written: dict[Path, None] = {}
    fresh: set[str] = set()
    for item in EXPERIMENTS.values() if name == "all" else (EXPERIMENTS[name],):
        file = out / item.file
        if not (file.is_file() and (item.reuses or item.file in fresh)):
            yield from item.runs(data, out, quick=quick)
        fresh.add(item.file)
        written[file] = None
        if item.draws is not None:
            written[item.draws(out)] = None
    return tuple(written)
