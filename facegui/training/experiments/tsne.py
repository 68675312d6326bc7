"""A map of embeddings with and without margin, by t-SNE (van der Maaten and Hinton, 2008)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.jobs import Job, Progress
from facegui.training.experiments import table
from facegui.training.experiments.measures import units

__all__ = ["FILE", "SHOWN", "run_maps"]

FILE = "maps.npz"
SHOWN = {
    "mnist-softmax": "MNIST, softmax", "mnist-arcface": "MNIST, ArcFace",
    "cifar10-softmax": "CIFAR-10, softmax", "cifar10-arcface-0.2-grown": "CIFAR-10, ArcFace, a margin growing to 0.2",
}  # fmt: skip
"""Entry of the table experiment and title of each map."""

_PERPLEXITY = 30
_POINTS, _QUICK_POINTS = 2000, 600
_STEPS, _QUICK_STEPS = 1000, 500
_COMPONENTS = 30  # PCA comes first: neighbours are the same, and the search for them is faster


def run_maps(data: Path, out: Path, *, quick: bool, seed: int = 0) -> Job[None]:
    """Lay out the embeddings that the table experiment kept, which runs first where they are missing.

    Parameters
    ----------
    data, out : Path
    quick : bool
        Fewer points.
    seed : int
        Of the layout.

    Yields
    ------
    Progress
        After each map.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    files = [table.features_file(out, entry) for entry in SHOWN]
    if not all(file.is_file() for file in files):
        yield from table.run_table(data, out, quick=quick)
    arrays: dict[str, NDArray[np.generic]] = {}
    steps = _QUICK_STEPS if quick else _STEPS
    for number, (entry, file) in enumerate(zip(SHOWN, files, strict=True)):
        yield Progress(number, len(SHOWN), entry)
        with np.load(file, allow_pickle=False) as found:
            count = _QUICK_POINTS if quick else _POINTS
            features, labels = found["features"][:count].astype(np.float32), found["labels"][:count]
        # By angle, as the program compares: on unit vectors the distance is a function of the cosine.
        rows = units(features)
        if min(rows.shape) > _COMPONENTS:
            rows = PCA(_COMPONENTS, random_state=seed).fit_transform(rows)
        layout = TSNE(init="pca", perplexity=_PERPLEXITY, max_iter=steps, random_state=seed).fit_transform(rows)
        arrays[entry] = layout.astype(np.float32)
        arrays[f"{entry}/labels"] = labels
    np.savez_compressed(out / FILE, **arrays)  # type: ignore[arg-type]
    yield Progress(len(SHOWN), len(SHOWN))
