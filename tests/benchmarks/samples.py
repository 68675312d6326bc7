"""What several samples of a person are worth, and whether a threshold calibrated on pairs keeps its meaning with them.

    uv run python tests/benchmarks/samples.py EMBEDDINGS.npz [--only TEXT] [--draws 20]

EMBEDDINGS.npz comes from `facegui embed FOLDER --policy largest --out FILE.npz` with a fused model, whose parts stand
for its networks' own models. Who is on a photo is told by the first folder of its path that differs between photos.
Samples are drawn at random, again and again; the person's other photos are the genuine probes, everybody else's the
strangers. Thresholds are the calibrated ones for 1 in 1,000; strangers are told as a multiple of that, without and
with the lowering by the samples' disagreement that the manifest states.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from second_opinion import people_of

from facegui.faces.catalog import Catalog, ModelInfo
from facegui.gallery.matrices import template_means
from facegui.matching.decision import rule_for
from facegui.matching.second_opinion import part_of
from facegui.services.chain import calibrations_of

FMR = 1e-3
SAMPLES = (1, 2, 3, 5, 8)


def line(
    model: ModelInfo, vectors: NDArray[np.float32], people: NDArray[np.int64], samples: int, draws: int, shrink: float
) -> str:
    rule = rule_for(calibrations_of(model)["frontal"], FMR)
    assert rule is not None
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(draws):
        order = rng.permutation(len(people))
        order = order[np.argsort(people[order], kind="stable")]
        names, starts, counts = np.unique(people[order], return_index=True, return_counts=True)
        turn = np.arange(len(order)) - np.repeat(starts, counts)
        enrolled, probes = order[turn < samples], order[turn >= samples]
        first = np.searchsorted(people[enrolled], names)
        means, agreement = template_means(vectors[enrolled], np.ones(len(enrolled), np.float32), first)
        plain = vectors[probes] @ means.T
        same = people[probes][:, None] == names[None]
        row = []
        for power in (0.0, shrink):
            scores = plain * agreement**power
            row += [float((scores[~same] >= rule.threshold).mean()), float((scores[same] < rule.threshold).mean())]
        rates.append(row)
    strangers, missed, lowered, missed_lowered = np.mean(rates, 0)
    return (
        f"{model.id:14s} {samples} sample{'s' if samples > 1 else ' '}  strangers {strangers / FMR:.2f} times, missed "
        f"{missed:.2%}   lowered: {lowered / FMR:.2f} times, missed {missed_lowered:.2%}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("--only", default="", help="take only photos with this in their path")
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    catalog = Catalog()
    with np.load(options.embeddings) as file:
        taken = [n for n, path in enumerate(file["path"].tolist()) if options.only in path]
        people = people_of([str(file["path"][n]) for n in taken])
        whole, model = file["embedding"][taken], catalog.model(str(file["model_id"][0]), "embedder")
    shrink = float(catalog.tables["enrolment"]["template_shrink"])
    models = [(catalog.model(part.model), part_of(whole, part)) for part in model.parts] + [(model, whole)]
    print(f"{len(people):,} photos of {people.max() + 1} people, {options.draws} draws")
    for each, vectors in models:
        for samples in SAMPLES:
            print(line(each, vectors, people, samples, options.draws, shrink))
    return 0


if __name__ == "__main__":
    sys.exit(main())
