"""Sample faces: photos that come with installed packages, and a folder of changed copies of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageEnhance

from facegui.errors import KnownError
from facegui.faces.types import Box, Face, FacePolicy, Frame
from facegui.jobs import Job, Progress
from facegui.services import Services

__all__ = ["SAMPLES", "SampleFolder", "make_folder", "sample_file"]

SAMPLES: Final = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "admiral": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "group": ("insightface", "data/images/t1.jpg"),
}
"""Package and place of each photo: Eileen Collins and Grace Hopper (NASA and US Navy), and six people."""

_PACKAGES: Final = {"skimage": "scikit-image"}
_PORTRAIT = 2.6  # side of a portrait in sizes of the face
_CLOSE = 1.5  # the same where neighbours stand near
_BEST, _ROUGH = 92, 20


@dataclass(frozen=True, slots=True)
class SampleFolder:
    """What was made: the folder of photos, and the single people of the group photo from left to right."""

    photos: Path
    people: tuple[Path, ...]

    def file(self, name: str) -> Path:
        """Return a photo by its name without the suffix."""
        return self.photos / f"{name}.jpg"


def sample_file(name: str) -> Path:
    """Return where a sample photo lies, without importing its package.

    Parameters
    ----------
    name : str
        A key of `SAMPLES`.

    Raises
    ------
    KnownError
        The package is not installed, or came without its pictures.
    """
    package, place = SAMPLES[name]
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / place
        if file.is_file():
            return file
    wanted = _PACKAGES.get(package, package)
    raise KnownError(
        "A sample photo is missing.",
        f"It comes with the package {wanted}, in {place}.",
        f"Install it again: pip install --force-reinstall --no-deps {wanted}",
    )


def _half(picture: Pillow.Image) -> Pillow.Image:
    return picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Pillow.Resampling.LANCZOS)


def _mirrored(picture: Pillow.Image) -> Pillow.Image:
    return picture.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT)


def _dark(picture: Pillow.Image) -> Pillow.Image:
    return ImageEnhance.Brightness(picture).enhance(0.55)


def _bright(picture: Pillow.Image) -> Pillow.Image:
    return ImageEnhance.Brightness(picture).enhance(1.35)


def _as_it_is(picture: Pillow.Image) -> Pillow.Image:
    return picture


_COPIES: Final[dict[str, tuple[Callable[[Pillow.Image], Pillow.Image], int]]] = {
    "half": (_half, _BEST), "dark": (_dark, _BEST), "bright": (_bright, _BEST), "rough": (_as_it_is, _ROUGH),
}  # fmt: skip


def make_folder(services: Services, folder: Path) -> Job[SampleFolder]:
    """Make a folder of photos: the samples, and copies in other sizes, light, quality, cut and mirrored.

    Parameters
    ----------
    services : Services
        Finds the faces.
    folder : Path
        It is made.

    Raises
    ------
    KnownError
        A sample is missing, or the folder cannot be written.
    """
    sources = {name: sample_file(name) for name in SAMPLES}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        people: list[Path] = []
        for done, (name, file) in enumerate(sources.items()):
            yield Progress(done, len(sources), file.name)
            frame = services.read(file)
            picture = Pillow.fromarray(frame.pixels)
            _save(picture, folder / f"{name}.jpg")
            faces = services.analyse(frame, policy=FacePolicy.ALL, embed=False).faces
            if name == "group":
                people = _single_people(frame, faces, folder)
                continue
            for copy, (change, quality) in _COPIES.items():
                _save(change(picture), folder / f"{name}-{copy}.jpg", quality)
            _save(_mirrored(_cut(picture, faces[0].detection.box, _PORTRAIT)), folder / f"{name}-mirrored.jpg")
    except OSError as error:
        raise KnownError(
            f"The folder {folder} could not be written.", f"{error.strerror or error}.", "Name another with --keep."
        ) from error
    return SampleFolder(folder, tuple(people))


def _single_people(frame: Frame, faces: tuple[Face, ...], folder: Path) -> list[Path]:
    """Cut the people out of the group photo, from left to right, each in two versions."""
    picture = Pillow.fromarray(frame.pixels)
    files = []
    for number, face in enumerate(sorted(faces, key=lambda face: face.detection.box.x), 1):
        portrait = _cut(picture, face.detection.box, _CLOSE)
        files.append(folder / f"person-{number}.jpg")
        _save(portrait, files[-1])
        _save(_mirrored(_dark(portrait)), folder / f"person-{number}-mirrored.jpg")
    return files


def _cut(picture: Pillow.Image, box: Box, size: float) -> Pillow.Image:
    (x, y), half = box.center, max(box.width, box.height) * size / 2
    corners = np.array([x - half, y - half, x + half, y + half])
    limits = np.array([picture.width, picture.height] * 2)
    left, top, right, bottom = (int(v) for v in np.clip(corners, 0, limits).round())
    return picture.crop((left, top, right, bottom))


def _save(picture: Pillow.Image, file: Path, quality: int = _BEST) -> None:
    picture.save(file, quality=quality)
