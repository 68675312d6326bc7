"""How fast the review of people in photos answers, and how often it asks in vain; prints, asserts nothing.

    uv run python tests/benchmarks/review.py ../shared/data/cfp-dev/images [--faces 20000]

First the folder's own faces (one folder for each person) are grouped and all groups named, the largest first: how many
questions about pairs have the answer yes, and how many names raise a doubt. Then the times: the embeddings are made up,
with the statistics of the folder's faces; the crops are one picture. Every line is what the window does between a key
and the next question, without drawing.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
from synthetic import faces_like

from facegui.faces.types import Box, Detection, Embedding, Face, Quality
from facegui.gallery.records import IndexedPhoto
from facegui.paths import plain
from facegui.services import Services
from facegui.services.people import all_faces, group_faces, may_be_one
from facegui.services.review import check_faces, confirm_group, likenesses, open_questions
from facegui.settings import Settings

T = TypeVar("T")
BATCH = 2000
TIMES = 10


def real_faces(folder: Path, home: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the embeddings of the folder's faces and the number of each one's person."""
    with Services(settings=Settings(), gallery=home / "real.sqlite") as services:
        for _ in services.index([folder]):
            pass
        vectors, evidence = all_faces(services)
        paths = {face.face_id: Path(face.path) for face in services.gallery.faces(evidence.face_ids.tolist())}
    names = [paths[key].relative_to(plain(folder)).parts[0] for key in evidence.face_ids.tolist()]
    return vectors, np.unique(names, return_inverse=True)[1]


def count_questions(folder: Path, home: Path) -> None:
    """Print how many questions about pairs are asked in vain, and how many right names are doubted."""
    with Services(settings=Settings(), gallery=home / "real.sqlite") as services:
        gallery = services.gallery
        for _ in group_faces(services):
            pass
        owner = {}
        for group in gallery.clusters():
            faces = gallery.faces(gallery.cluster_faces(group.id))
            names = [Path(face.path).relative_to(plain(folder)).parts[0] for face in faces]
            owner[group.id] = max(set(names), key=names.count)
        pairs = may_be_one(services)
        right = sum(owner[pair.one] == owner[pair.other] for pair in pairs)
        print(f"{len(pairs)} questions whether two groups are one person, {right} times they are")
        counts = {(known, doubted): 0 for known in (False, True) for doubted in (False, True)}
        named: set[str] = set()
        for group in gallery.clusters():
            name = owner[group.id]
            doubted = bool(check_faces(services, name, gallery.cluster_faces(group.id)).doubts)
            counts[name in named, doubted] += 1
            confirm_group(services, group.id, name)
            named.add(name)
        print(f"{counts[False, True]} of {sum(counts[False, d] for d in (False, True))} new names were doubted")
        print(
            f"{counts[True, True]} of {sum(counts[True, d] for d in (False, True))} further groups of the same people"
        )


def fill(services: Services, vectors: np.ndarray) -> None:
    """Index made-up photos of one face each."""
    crop = np.full((112, 112, 3), 128, np.uint8)
    quality = Quality(0.8, (), 40.0, 12.5, 128.0, 50.0, -3.0, 4.0, 1.5, 1.0)
    detection = Detection(Box(10, 10, 80, 96), np.zeros((5, 2), np.float32), 0.9)
    model = services.model.sha256
    photos = [
        IndexedPhoto(
            f"/photos/{n}.jpg", 3_000_000, n, hashlib.sha256(str(n).encode()).hexdigest(), 4000, 3000,
            faces=(Face(detection, crop, quality, Embedding(vector, model)),),
        )
        for n, vector in enumerate(vectors)
    ]  # fmt: skip
    for start in range(0, len(photos), BATCH):
        services.gallery.add_photos(photos[start : start + BATCH])


def timed(what: str, acts: Callable[[], T], times: int = TIMES) -> T:
    """Print the median time of some runs."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        result = acts()
        spent.append(time.perf_counter() - start)
    print(f"{what:68s} {median(spent) * 1000:9.1f} ms", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faces", type=int, default=20_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        vectors, people = real_faces(asked.folder, Path(home))
        count_questions(asked.folder, Path(home))
        made, _ = faces_like(vectors, people, asked.faces)
        with Services(settings=Settings(), gallery=Path(home) / "many.sqlite") as services:
            fill(services, made)
            gallery = services.gallery
            timed("grouping all faces, reading and storing them", lambda: list(group_faces(services, anew=True)), 1)
            found = open_questions(services)
            print(f"{len(made):,} faces, {len(found.unknown):,} groups without a name, {len(found.merges)} pairs")
            groups = iter(found.unknown)
            timed("reading the questions after an answer", lambda: open_questions(services, merges=False))
            timed("looking for pairs that may be one, in the background", lambda: may_be_one(services), 3)
            names = iter(range(1000))
            timed(
                "naming a group: check, samples, write",
                lambda: confirm_group(services, next(groups).id, f"Person {next(names)}"),
            )
            timed("skipping a group", lambda: gallery.postpone_clusters([next(groups).id]))
            timed("refusing a face", lambda: gallery.reject_faces(gallery.cluster_faces(next(groups).id)[:1]))
            timed("undo", gallery.undo_review)
            faces = gallery.cluster_faces(next(groups).id)
            timed("whom a group may be", lambda: likenesses(services, faces))
            timed("what is to be known before", lambda: check_faces(services, "Somebody", faces))
            timed("grouping again after all that", lambda: list(group_faces(services)), 1)


if __name__ == "__main__":
    main()
