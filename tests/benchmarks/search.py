"""Searching one face among many: milliseconds, recall and memory, beside others, in one run.

    facegui embed FOLDER --out faces.npz
    uv run python tests/benchmarks/search.py faces.npz [--people-at -3] [--faces 50000 1000000] [--peers]

The faces are drawn with the statistics of those in the file. `--peers` needs usearch, and measures the search function
of InsightFace's studio on 50,000 faces and fewer only, because it takes one record after the other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from synthetic import faces_like

from facegui.faces.catalog import Catalog
from facegui.gallery.search import top
from facegui.lookalikes.vector_index import IndexLimits, VectorIndex

PROBES = 60
Find = Callable[[np.ndarray, int], np.ndarray]


def line(name: str, find: Find, probes: np.ndarray, truth: np.ndarray, memory: float, wanted: tuple[int, ...]) -> None:
    for k in wanted:
        for probe in probes[:3]:
            find(probe, k)
        spent, right = [], 0.0
        for row, probe in enumerate(probes):
            start = time.perf_counter()
            found = find(probe, k)
            spent.append((time.perf_counter() - start) * 1000)
            right += len(np.intersect1d(found, truth[row, :k])) / k
        print(
            f"{name:38s}{k:6d}{np.median(spent):10.2f}{np.quantile(spent, 0.9):10.2f}{right / len(probes):10.4f}"
            f"{memory:10.0f}",
            flush=True,
        )


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("embeddings")
    arguments.add_argument("--people-at", type=int, default=-3)
    arguments.add_argument("--faces", type=int, nargs="+", default=[50_000, 1_000_000])
    arguments.add_argument("--peers", action="store_true")
    arguments.add_argument("--folder", type=Path, help="keep the made-up faces here for the next run")
    chosen = arguments.parse_args()
    faiss.omp_set_num_threads(2)
    data = np.load(chosen.embeddings, allow_pickle=False)
    people = np.unique([path.split("/")[chosen.people_at] for path in data["path"]], return_inverse=True)[1]
    limits = IndexLimits.from_table(Catalog().tables["index"])
    for count in chosen.faces:
        made = draw(data["embedding"], people, count + PROBES, chosen.folder)
        vectors, probes = made[:count], made[count:]
        print(f"\n{count:,} faces of {vectors.shape[1]} numbers")
        print(f"{'':38s}{'k':>6s}{'ms':>10s}{'90 %':>10s}{'recall':>10s}{'bytes':>10s}", flush=True)
        scores = probes @ vectors.T
        near = np.argpartition(-scores, 50, axis=1)[:, :50]
        truth = np.take_along_axis(near, np.argsort(-np.take_along_axis(scores, near, 1), 1), 1)
        del scores
        dimension = vectors.shape[1]
        line("facegui, exact (NumPy)", lambda q, k, v=vectors: top(v, q, k)[0], probes, truth, 4 * dimension, (10, 50))
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder) / "index", vectors, probes, truth, limits)
        if chosen.peers:
            peers(vectors, probes, truth)


def draw(vectors: np.ndarray, people: np.ndarray, count: int, folder: Path | None) -> np.ndarray:
    file = folder / f"{count}.npy" if folder else None
    if file and file.exists():
        return np.load(file)
    made = faces_like(vectors, people, count)[0]
    if file:
        np.save(file, made)
    return made


def measure(folder: Path, vectors: np.ndarray, probes: np.ndarray, truth: np.ndarray, limits: IndexLimits) -> None:
    numbers = np.arange(len(vectors))
    start = time.perf_counter()
    index = VectorIndex.build(folder, vectors, [(vectors, numbers, numbers)], limits)
    built = time.perf_counter() - start
    start = time.perf_counter()
    index = VectorIndex.open(folder)
    opened = time.perf_counter() - start
    line("facegui, index", lambda q, k: index.search(q, k)[0], probes, truth, index.bytes_per_face(), (10, 50))
    start = time.perf_counter()
    index.add(probes, numbers[: len(probes)] + len(vectors), numbers[: len(probes)])
    print(f"  built in {built:.1f} s, opened in {opened:.2f} s, {len(probes)} faces added in", end="")
    print(f" {time.perf_counter() - start:.2f} s")


def peers(vectors: np.ndarray, probes: np.ndarray, truth: np.ndarray) -> None:
    dimension = vectors.shape[1]
    flat = faiss.IndexFlatIP(dimension)
    flat.add(vectors)
    line("FAISS, flat", lambda q, k: flat.search(q[None], k)[1][0], probes, truth, 4 * dimension, (10, 50))
    coded = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    coded.train(vectors[:50_000])
    coded.add(vectors)
    line("FAISS, SQ8", lambda q, k: coded.search(q[None], k)[1][0], probes, truth, dimension, (10, 50))
    try:
        from usearch.index import search as exact
    except ImportError:
        print("usearch is not installed")
    else:

        def usearch(query: np.ndarray, k: int) -> np.ndarray:
            return exact(vectors, query[None], k, "ip", exact=True, threads=2).keys

        line("usearch, exact", usearch, probes, truth, 4 * dimension, (10, 50))
    if len(vectors) <= 50_000:
        from insightface.gui.core.recognition import search_gallery

        records = [{"embedding": row, "person_id": n, "sample_id": n} for n, row in enumerate(vectors)]

        def studio(query: np.ndarray, k: int) -> np.ndarray:
            return np.array([hit.sample_id for hit in search_gallery(query, records, k)])

        line("InsightFace Studio", studio, probes[:5], truth, 4 * dimension, (10, 50))


if __name__ == "__main__":
    sys.exit(main())
