"""Does evening out the light help? Photos in bad light (computed) against the same people's photos as they are.

    uv run python tests/benchmarks/light.py FOLDER [--every 2]

FOLDER holds ``PERSON/frontal/*.jpg``, as CFP's images. Lights: as they are; dark (5 % of the light); from one side
(100 % falling to 3 % across the picture); too bright (three times, burnt out). Light is changed in linear values (sRGB)
and rounded to 8 bits again, as a camera would; sensor noise is left out. Ways: the picture as it is; points looked for
in the evened picture (CLAHE on the lightness, as in the detector's rescue) and the crop cut from the picture as it is;
crop and points from the evened picture. Genuine: each photo in bad light against the person's other photos as they
are; missed at the thresholds that accept 1 in 1,000 strangers among the same comparisons, and strangers at the
calibrated one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.faces.align import align
from facegui.faces.pipeline import _equalised
from facegui.faces.types import FacePolicy, Frame, Image
from facegui.matching.second_opinion import part_of
from facegui.services import Services
from facegui.settings import Settings

FMR = 1e-3
WAYS = ("as it is", "points evened", "all evened")


def linear(image: Image) -> NDArray[np.float64]:
    value = image / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def picture(light: NDArray[np.float64]) -> Image:
    light = np.clip(light, 0, 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(value * 255).astype(np.uint8)


def from_one_side(image: Image) -> Image:
    return picture(linear(image) * np.geomspace(1, 0.03, image.shape[1])[None, :, None])


LIGHTS: dict[str, Callable[[Image], Image]] = {
    "as they are": lambda image: image,
    "dark": lambda image: picture(linear(image) * 0.05),
    "from one side": from_one_side,
    "too bright": lambda image: picture(linear(image) * 3),
}


def crops(services: Services, frame: Frame) -> list[Image | None]:
    """Return the crop by each way; None where no face was found."""
    evened = replace(frame, pixels=_equalised(frame.pixels))
    plain, even = (services.pipeline.analyse(f, FacePolicy.LARGEST, embed=False).faces for f in (frame, evened))
    return [
        plain[0].crop if plain else None,
        align(frame.pixels, even[0].detection.landmarks) if even else None,
        even[0].crop if even else None,
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=2, help="take each so many-th photo")
    options = parser.parse_args()
    photos = sorted(options.folder.glob("*/frontal/*.jpg"))[:: options.every]
    people = np.unique([photo.parent.parent.name for photo in photos], return_inverse=True)[1]
    with Services(settings=Settings(), model="arcface+sface") as services:
        services.warm_up()
        part, rule = services.model.parts[0], services.rule()
        assert rule is not None
        frames = [services.read(photo) for photo in photos]
        same, others = people[:, None] == people[None], people[:, None] != people[None]
        np.fill_diagonal(same, False)
        clean: NDArray[np.float32] | None = None
        print(f"{len(photos)} photos of {people.max() + 1} people")
        for light, change in LIGHTS.items():
            made = [crops(services, replace(frame, pixels=change(frame.pixels))) for frame in frames]
            for number, way in enumerate(WAYS):
                found = [crop[number] for crop in made]
                there = np.array([crop is not None for crop in found])
                vectors = services.pipeline.embedder.embed_array(np.stack([c for c in found if c is not None]))
                if clean is None:
                    if not there.all():
                        raise SystemExit("a photo as it is has no face")
                    clean = vectors
                text = f"{light:14s} {way:14s} no face {int((~there).sum()):4d}"
                for name, probes, known in (
                    ("arcface", part_of(vectors, part), part_of(clean, part)), ("fused", vectors, clean),
                ):  # fmt: skip
                    scores = probes @ known.T
                    genuine, impostor = scores[same[there]], scores[others[there]]
                    missed = float((genuine < np.quantile(impostor, 1 - FMR)).mean())
                    text += f"   {name} missed {missed:6.2%}"
                print(
                    f"{text}   fused FMR at the calibrated threshold {(impostor >= rule.threshold).mean():.2e}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
