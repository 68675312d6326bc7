"""What a picture of a face for a list costs: from the stored crop, from its photo, from the cache; prints a table.

uv run python tests/benchmarks/thumbnails.py FOLDER [--count 200]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np


def timed(what: str, act: Callable[[int], object], faces: Sequence[int]) -> None:
    spent = []
    for face_id in faces:
        start = time.perf_counter()
        act(face_id)
        spent.append((time.perf_counter() - start) * 1000)
    print(f"{what:44s} median {np.median(spent):6.2f} ms   95 % {np.percentile(spent, 95):6.2f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200, help="photos that are read, spread over the folder")
    chosen = parser.parse_args()
    files = sorted(path for path in chosen.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    files = files[:: max(1, len(files) // chosen.count)]
    with tempfile.TemporaryDirectory() as home:
        os.environ["FACEGUI_HOME"] = home
        from facegui.lookalikes.thumbnail_cache import held
        from facegui.services import Services
        from facegui.services.thumbnails import better_thumbnail, thumbnail
        from facegui.settings import Settings

        few = Path(home, "photos")
        few.mkdir()
        for number, file in enumerate(files):
            (few / f"{number:05d}{file.suffix}").symlink_to(file.resolve())
        with Services(gallery=Path(home, "gallery.sqlite"), settings=Settings()) as services:
            for _ in services.index([few]):
                pass
            faces = services.gallery.face_table().face_ids.tolist()
            print(f"{len(faces)} faces of {len(files)} photos")
            timed("stored crop", services.gallery.crop, faces)
            timed("stored crop in its place, shown at once", lambda face_id: thumbnail(services, face_id), faces)
            timed("cut out of the photo and kept", lambda face_id: better_thumbnail(services, face_id), faces)
            timed("from the cache", lambda face_id: thumbnail(services, face_id), faces)
            kept = held()
            print(f"{kept.pictures} pictures kept, {kept.size / max(1, kept.pictures) / 1000:.1f} kB each")


if __name__ == "__main__":
    main()
