"""What the levels of precision cost and what they give, in one table.

    uv run python tests/benchmarks/precision.py FOLDER [--models arcface arcface+sface]

FOLDER holds ``images/PERSON/frontal`` and ``images/PERSON/profile`` and the lists ``pairs_FF.csv`` and ``pairs_FP.csv``
(path1,path2,same), as CFP. Best accuracy over one threshold on the lists; missed matches at a false match rate of 1 in
1,000 over all pairs of the photos; the false match rate that the threshold of the model's calibration, made at
balanced, really gives; milliseconds per photo, file to embedding, side by side on all cores.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facegui.faces.precision import LEVELS
from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy
from facegui.services import Services
from facegui.settings import Settings

FMR = 1e-3
Floats = NDArray[np.float64]


def best_accuracy(scores: Floats, same: NDArray[np.bool_]) -> float:
    ordered = same[np.argsort(-scores)]
    right = np.cumsum(ordered) + (~same).sum() - np.cumsum(~ordered)
    return float(right.max() / len(same))


def on_list(file: Path, places: dict[str, int], vectors: Floats) -> float:
    with file.open(newline="") as rows:
        pairs = [(places[row["path1"]], places[row["path2"]], row["same"] == "1") for row in csv.DictReader(rows)]
    left, right, same = (np.array(column) for column in zip(*pairs, strict=True))
    return best_accuracy((vectors[left] * vectors[right]).sum(1), same)


def missed(genuine: Floats, impostor: Floats) -> float:
    threshold = np.sort(impostor)[-max(1, int(FMR * len(impostor)))]
    return float((genuine < threshold).mean())


def measure(folder: Path, photos: Sequence[Path], model: str, level: str) -> str:
    with Services(settings=Settings(precision=level), model=model) as services:
        services.warm_up()
        chain, rule = services.pipeline, services.rule()
        assert rule is not None
        list(analyse_photos(chain, photos[:8], services.read, FacePolicy.LARGEST))
        start = perf_counter()
        seen = [done.result() for done in analyse_photos(chain, photos, services.read, FacePolicy.LARGEST)]
        spent = 1000 * (perf_counter() - start) / len(photos)
    kept = [(path, photo.faces[0]) for path, photo in zip(photos, seen, strict=True) if photo.faces]
    vectors = np.stack([face.embedding.vector for _, face in kept if face.embedding is not None]).astype(np.float64)
    places = {path.relative_to(folder).as_posix(): place for place, (path, _) in enumerate(kept)}
    people = np.array([path.parts[-3] for path, _ in kept])
    turned = np.array([path.parts[-2] == "profile" for path, _ in kept])
    scores, same = vectors @ vectors.T, people[:, None] == people
    upper = np.triu(np.ones_like(same), 1)
    frontal = upper & ~turned[:, None] & ~turned
    across = ~turned[:, None] & turned
    impostor = scores[frontal & ~same]
    lists = [on_list(folder / f"pairs_{name}.csv", places, vectors) for name in ("FF", "FP")]
    return (
        f"{model:14s} {level:9s} {100 * lists[0]:7.2f} {100 * lists[1]:7.2f} "
        f"{100 * missed(scores[frontal & same], impostor):9.2f} "
        f"{100 * missed(scores[across & same], scores[across & ~same]):9.2f} "
        f"{1000 * (impostor >= rule.threshold).mean():12.2f} {spent:7.2f} {len(photos) - len(kept):8d}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=["arcface", "arcface+sface"])
    options = parser.parse_args()
    folder = options.folder.resolve()
    photos = sorted((folder / "images").rglob("*.jpg"))
    print(f"{len(photos)} photos; per cent, false match rate in 1,000")
    print(
        f"{'':14s} {'':9s} {'FF':>7s} {'FP':>7s} {'FF missed':>9s} {'FP missed':>9s} {'at threshold':>12s} "
        f"{'ms':>7s} {'no face':>8s}"
    )
    for model in options.models:
        for level in LEVELS:
            print(measure(folder, photos, model, level), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
