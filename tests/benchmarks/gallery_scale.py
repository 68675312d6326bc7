"""How a gallery behaves with very many faces: prints a table of seconds, asserts nothing.

    uv run python tests/benchmarks/gallery_scale.py [--faces 100000] [--dimension 320]

The faces are noise; crops are one and the same noisy picture, so that the file has its real size.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from facegui.faces.types import Box, Detection, Embedding, Face, Quality
from facegui.gallery.records import IndexedPhoto
from facegui.gallery.search import top
from facegui.gallery.store import Gallery

T = TypeVar("T")
MODEL = hashlib.sha256(b"benchmark").hexdigest()
BATCH = 500


def timed(what: str, act: Callable[[], T]) -> T:
    start = time.perf_counter()
    result = act()
    print(f"{what:60s} {time.perf_counter() - start:9.3f} s", flush=True)
    return result


def photos(count: int, dimension: int) -> list[IndexedPhoto]:
    rng = np.random.default_rng(0)
    # As smooth as a face: noise at a quarter of the size, so that the JPEG is of realistic length.
    crop = np.repeat(np.repeat(rng.integers(0, 256, (28, 28, 3), dtype=np.uint8), 4, 0), 4, 1)
    quality = Quality(0.8, (), 40.0, 12.5, 128.0, 50.0, -3.0, 4.0, 1.5, 1.0)
    detection = Detection(Box(10, 10, 80, 96), np.zeros((5, 2), np.float32), 0.9)
    vectors = rng.normal(size=(count, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        IndexedPhoto(
            f"/photos/{i // 1000:04d}/IMG_{i:07d}.jpg",
            3_000_000 + i,
            1_700_000_000_000_000_000 + i,
            hashlib.sha256(str(i).encode()).hexdigest(),
            4000,
            3000,
            faces=(Face(detection, crop, quality, Embedding(vectors[i], MODEL)),),
        )
        for i in range(count)
    ]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--faces", type=int, default=100_000)
    arguments.add_argument("--dimension", type=int, default=320)
    chosen = arguments.parse_args()
    batch = photos(chosen.faces, chosen.dimension)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gallery.sqlite"
        with Gallery.open(file) as gallery:

            def fill() -> None:
                for start in range(0, len(batch), BATCH):
                    gallery.add_photos(batch[start : start + BATCH])

            timed(f"index {chosen.faces} photos, one face each, {BATCH} at a time", fill)
        print(f"{'file':60s} {file.stat().st_size / 2**20:9.1f} MiB")
        with timed("open", lambda: Gallery.open(file)) as gallery:
            matrix = timed("face_matrix, first time", lambda: gallery.face_matrix(MODEL))
            timed("face_matrix, again", lambda: gallery.face_matrix(MODEL))
            one = photos(1, chosen.dimension)[0]
            gallery.add_photos([IndexedPhoto("/other/one.jpg", 1, 1, faces=one.faces)])
            timed("face_matrix, one face added", lambda: gallery.face_matrix(MODEL))
            timed("face_matrix of one folder of 1,000", lambda: gallery.face_matrix(MODEL, ["/photos/0007"]))
            timed("the 200 nearest", lambda: top(matrix, matrix.vectors[5], 200))
            timed("the 200 nearest, again", lambda: top(matrix, matrix.vectors[6], 200))
            rows, _ = top(matrix, matrix.vectors[5], 200)
            ids = matrix.face_ids[rows].tolist()
            timed("faces of 200 hits", lambda: gallery.faces(ids))
            timed("crops of 200 hits", lambda: gallery.crops(ids))
            known = timed("known_photos", lambda: gallery.known_photos("/photos", MODEL))
            timed("counts", gallery.counts)
            timed("enroll one of them", lambda: gallery.enroll_faces("Anna", [ids[0]]))
            timed("pending_count of another model", lambda: gallery.pending_count("0" * 64))
            gone = [stamp.photo_id for stamp in known.values()][: chosen.faces // 10]
            timed(f"forget {len(gone)} photos", lambda: gallery.forget_photos(gone))
            timed("face_matrix after that", lambda: gallery.face_matrix(MODEL))


if __name__ == "__main__":
    sys.exit(main())
