"""How long a folder of very many files takes that was read before and has not changed: prints seconds.

    uv run python tests/benchmarks/second_pass.py [--files 100000]

The files are tiny and hold no picture; the gallery is told that each was read and has no face. Every file's size and
time are looked at, nothing is opened.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from gallery_scale import BATCH, MODEL, photos

from facegui.gallery.store import Gallery
from facegui.jobs import run
from facegui.lookalikes.indexer import index_folders


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--files", type=int, default=100_000)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "photos"
        batch = photos(chosen.files, 320)
        named = []
        for number, photo in enumerate(batch):
            path = root / f"{number // 500:04d}" / f"IMG_{number:07d}.jpg"
            if number % 500 == 0:
                path.parent.mkdir(parents=True)
            path.write_bytes(b"%d" % number)
            status = path.stat()
            named.append(
                dataclasses.replace(photo, faces=(), path=str(path), size=status.st_size, mtime_ns=status.st_mtime_ns)
            )
        with Gallery.open(Path(place) / "gallery.sqlite") as gallery:
            for start in range(0, len(named), BATCH):
                gallery.add_photos(named[start : start + BATCH])
            pipeline = SimpleNamespace(embedder=SimpleNamespace(model_id=MODEL), threads=1)
            for turn in ("first", "second"):
                start_time = time.perf_counter()
                summary = run(index_folders(gallery, pipeline, [root], None))  # type: ignore[arg-type]
                spent = time.perf_counter() - start_time
                print(f"{turn} time: {summary.unchanged:,} unchanged, {summary.new} new, {spent:.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
