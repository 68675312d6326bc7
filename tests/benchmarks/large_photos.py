"""Photos of 12 megapixels a second, from file to embeddings.

    uv run python tests/benchmarks/large_photos.py PHOTO... [--count 60] [--quality 90]

Each PHOTO of at least 12 megapixels is measured as it is, and, reduced to 12.0 megapixels, as a camera would write it:
JPEG, one scan, colours at half size. The photos are repeated to --count; reading them again costs no disk. Prints
photos a second and what the file holds, for both ways of choosing faces, with all threads that the program may use.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from PIL import Image

from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy
from facegui.services import Services
from facegui.settings import Settings

MEGAPIXELS = 12.0
MODELS = ("arcface", "arcface+sface")


def as_camera(photo: Path, folder: Path, quality: int) -> Path:
    """Return the photo at 12.0 megapixels in the form that cameras write."""
    with Image.open(photo) as picture:
        share = (MEGAPIXELS * 1e6 / (picture.width * picture.height)) ** 0.5
        size = round(picture.width * share), round(picture.height * share)
        smaller = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    file = folder / f"{photo.stem}-12.jpg"
    smaller.save(file, quality=quality, subsampling=2, progressive=False)
    return file


def told(photo: Path) -> str:
    with Image.open(photo) as picture:
        pixels = picture.width * picture.height
        scans = "several scans" if picture.info.get("progressive") else "one scan"
    return f"{photo.name}: {pixels / 1e6:.1f} megapixels, {photo.stat().st_size / 1e6:.1f} MB, {scans}"


def a_second(services: Services, photos: list[Path], count: int, policy: FacePolicy) -> tuple[float, int]:
    paths = itertools.islice(itertools.cycle(photos), count)
    start = perf_counter()
    faces = sum(len(done.result().faces) for done in analyse_photos(services.pipeline, paths, services.read, policy))
    return count / (perf_counter() - start), faces


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--quality", type=int, default=90)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        sets = {
            "as they are": options.photos,
            "12.0 megapixels": [as_camera(photo, Path(made), options.quality) for photo in options.photos],
        }
        for name, photos in sets.items():
            print(f"{name}: " + "; ".join(told(photo) for photo in photos))
            for model in MODELS:
                with Services(settings=Settings(), model=model) as services:
                    services.warm_up()
                    a_second(services, photos, 2 * len(photos), FacePolicy.ALL)
                    for policy in (FacePolicy.ALL, FacePolicy.LARGEST):
                        rate, faces = a_second(services, photos, options.count, policy)
                        found = f"{faces / options.count:.1f} faces each"
                        print(f"  {model:14s} {policy.value:8s} {rate:5.1f} photos a second ({found})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
