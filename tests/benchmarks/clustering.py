"""How well and how fast faces are put together to people, beside DBSCAN and HDBSCAN: prints a table.

    facegui embed FOLDER --out faces.npz        # FOLDER/PERSON/**/photo.jpg, or --people-at N
    uv run python tests/benchmarks/clustering.py faces.npz [--people-at -3] [--faces 20000]

The person of a photo is the name of a folder: the one at `--people-at` of its path. One face counts per photo, the
largest. `--faces` adds the time for so many faces that are drawn with the statistics of these.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN
from synthetic import faces_like

from facegui.faces.catalog import Catalog
from facegui.gallery.clusters import Evidence
from facegui.lookalikes.clusters import ClusterLimits, group
from facegui.matching.agreement import bcubed, pairwise
from facegui.services.chain import calibrations_of


def evidence(quality: np.ndarray, photos: np.ndarray) -> Evidence:
    count, none = len(quality), np.empty((0, 2), np.int64)
    nobody = np.full(count, -1, np.int64)
    return Evidence(
        np.arange(count), photos, quality.astype(np.float32), nobody, nobody, np.zeros(count, bool), none, none, none
    )


def limits_of(model_id: str) -> ClusterLimits:
    catalog = Catalog()
    calibration = calibrations_of(catalog.model(model_id, "embedder"))["frontal"]
    table = catalog.tables["clusters"]
    return ClusterLimits(
        calibration.threshold_for(table["join_fmr"]),
        calibration.threshold_for(table["attach_fmr"]),
        table["seed_quality"],
        table["neighbours"],
    )


def line(name: str, labels: np.ndarray, people: np.ndarray, seconds: float) -> None:
    cells = [f"{value:9.4f}" for measure in (pairwise, bcubed) for value in measure(labels, people)]
    groups = len(np.unique(labels[labels != -1]))
    print(f"{name:34s}{''.join(cells)}{groups:8d}{seconds:9.2f}", flush=True)


def numbers(vectors: np.ndarray, known: Evidence, limits: ClusterLimits) -> np.ndarray:
    """Return our groups with -1 for a face by itself, as the others have it."""
    found = group(vectors, known, limits)[0].clusters
    return np.where(found < -1, -found, found)


def timed(make: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    start = time.perf_counter()
    made = make()
    return made, time.perf_counter() - start


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("embeddings")
    arguments.add_argument("--people-at", type=int, default=-3)
    arguments.add_argument("--faces", type=int, default=0)
    chosen = arguments.parse_args()
    data = np.load(chosen.embeddings, allow_pickle=False)
    area = data["box"][:, 2] * data["box"][:, 3]
    order = np.lexsort((-area, data["path"]))
    _, first = np.unique(data["path"][order], return_index=True)
    rows = order[first]
    vectors, quality = data["embedding"][rows], data["quality"][rows]
    people = np.unique([path.split("/")[chosen.people_at] for path in data["path"][rows]], return_inverse=True)[1]
    limits = limits_of(str(data["model_id"][0]))
    print(f"{len(rows)} photos of {people.max() + 1} people; {limits}")
    print(f"{'':34s}{'pair P':>9s}{'R':>9s}{'F':>9s}{'BCubed P':>9s}{'R':>9s}{'F':>9s}{'groups':>8s}{'s':>9s}")
    photos = np.arange(len(rows))
    ours = timed(lambda: numbers(vectors, evidence(quality, photos), limits))
    line("facegui", ours[0], people, ours[1])
    for distance in (0.48, 0.52):
        found = timed(lambda d=distance: DBSCAN(eps=d, min_samples=2, metric="cosine").fit_predict(vectors))
        line(f"DBSCAN {distance}, 2", found[0], people, found[1])
    for least in (2, 3, 5):
        found = timed(lambda n=least: HDBSCAN(min_cluster_size=n, copy=True).fit_predict(vectors))
        line(f"HDBSCAN {least}", found[0], people, found[1])
    if chosen.faces:
        many, who = faces_like(vectors, people, chosen.faces)
        good = np.ones(chosen.faces)
        single = np.arange(chosen.faces)
        print(f"{chosen.faces} faces drawn with the same statistics, {len(np.unique(who))} people")
        ours = timed(lambda: numbers(many, evidence(good, single), limits))
        line("facegui", ours[0], who, ours[1])
        begin = np.where(single < chosen.faces * 0.95, ours[0], -1)
        again = evidence(good, single)
        object.__setattr__(again, "clusters", begin)
        more = timed(lambda: numbers(many, again, limits))
        line("facegui, a twentieth of them new", more[0], who, more[1])
        found = timed(lambda: DBSCAN(eps=0.48, min_samples=2, metric="cosine").fit_predict(many))
        line("DBSCAN 0.48, 2", found[0], who, found[1])


if __name__ == "__main__":
    sys.exit(main())
