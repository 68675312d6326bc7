"""What a pack says of its own model: the list beside the file, as `facegui train export` writes it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facegui.errors import KnownError
from facegui.faces.catalog import file_sha256
from facegui.faces.packs_entry import NO_LICENCE, Origin
from facegui.faces.packs_manifest import MANIFEST

__all__ = ["Given", "given_with"]

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A model with the entry of its pack.

    Attributes
    ----------
    file : Path
    id, sha256 : str
    colour : str
    mean, scale : tuple of float
        How the file wants its pixels.
    origin : Origin
    calibrations : mapping of str to mapping
        Tables by condition, as `facegui.matching.tables` reads them.
    """

    file: Path
    id: str
    sha256: str
    colour: str
    mean: Triple
    scale: Triple
    origin: Origin
    calibrations: Mapping[str, Mapping[str, Any]]


def given_with(place: Path) -> Given | None:
    """Read what a pack says of its model.

    Parameters
    ----------
    place : Path
        The model's file, or the folder of a pack with one embedder.

    Returns
    -------
    Given or None
        None where nothing beside the file speaks of it.

    Raises
    ------
    KnownError
        The folder holds no embedder or several, or the file is not the one that its list describes.
    """
    folder = place if place.is_dir() else place.parent
    found = [entry for entry in _entries(folder) if place.is_dir() or entry["file"] == place.name]
    if place.is_dir() and len(found) != 1:
        names = ", ".join(str(entry["file"]) for entry in found)
        raise KnownError(
            f"{place} is no pack with one embedder.",
            f"Its {MANIFEST} lists {names}." if names else f"It has no {MANIFEST} that lists one.",
            "Name the ONNX file itself.",
        )
    if not found:
        return None
    entry, file = found[0], folder / found[0]["file"]
    try:
        digest = file_sha256(file)
    except OSError as error:
        raise KnownError(f"{file} cannot be read.", f"{error.strerror or error}.", "Get the pack again.") from error
    if digest != entry.get("sha256"):
        raise KnownError(
            f"{file} is not the file that its pack describes.",
            f"{folder / MANIFEST} gives another sha256: the file was changed, or belongs to another pack.",
            f"Export it or get it again. To take it as it is, move it out of the folder of that {MANIFEST}.",
        )
    return _given(file, digest, entry)


def _entries(folder: Path) -> list[dict[str, Any]]:
    """Return the embedders that a list names in its own folder; a list of another kind names none."""
    try:
        listed = tomllib.loads((folder / MANIFEST).read_text("utf-8")).get("model", ())
    except (OSError, ValueError):
        return []
    return [
        entry for entry in listed if isinstance(entry, dict) and entry.get("role") == "embedder"
        and isinstance(entry.get("file"), str) and Path(entry["file"]).name == entry["file"]
    ]  # fmt: skip


def _given(file: Path, digest: str, entry: Mapping[str, Any]) -> Given:
    colour = str(entry.get("colour", "")).upper()
    try:
        mean, scale = _three(entry["mean"]), _three(entry["scale"])
        calibrations = dict(entry.get("calibration", {}))
        if colour not in ("RGB", "BGR"):
            raise ValueError(f"colour is {colour!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise KnownError(
            f"{file.parent / MANIFEST} cannot be used.",
            f"Its entry of {file.name} is incomplete or damaged ({error}).",
            "Export the model again.",
        ) from error
    title, licence, source, data = (
        str(entry.get(name, "")) for name in ("title", "licence", "source", "training_data")
    )
    origin = Origin(title, licence or NO_LICENCE, source, data)
    return Given(file, str(entry.get("id", file.stem)), digest, colour, mean, scale, origin, calibrations)


def _three(value: Any) -> Triple:
    """Return a number for each colour."""
    red, green, blue = value if isinstance(value, list) else (value, value, value)
    return float(red), float(green), float(blue)
