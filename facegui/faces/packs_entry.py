"""How an added model stands in the list of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from facegui.faces.align import CROP_SIZE

__all__ = ["NO_LICENCE", "Origin", "entry_for"]

NO_LICENCE = "Not stated"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model comes from, in words; what is not known stays empty."""

    title: str = ""
    licence: str = NO_LICENCE
    source: str = ""
    training_data: str = ""
    extra: tuple[tuple[str, str], ...] = ()


def entry_for(
    model_id: str, file: Path, digest: str, found: Mapping[str, Any], origin: Origin, *, known: bool
) -> dict[str, Any]:
    """Return the entry of a model.

    Parameters
    ----------
    model_id : str
    file : Path
        As it was given.
    digest : str
        sha256 of the file that is used.
    found : mapping
        What `facegui.faces.examine.examine` returned.
    origin : Origin
    known : bool
        Whether it was tried on photos of people whose names are known.
    """
    form, way = found["form"], found["way"]
    return {
        "id": model_id,
        "title": origin.title or model_id,
        "role": "embedder",
        "file": f"{model_id}.onnx",
        "sha256": digest,
        "licence": origin.licence or NO_LICENCE,
        "source": origin.source or f"Added from {file.name}",
        "training_data": origin.training_data,
        "dimension": int(found["dimension"]),
        "input_size": [CROP_SIZE, CROP_SIZE],
        "layout": "NHWC",
        "colour": "RGB",
        "mean": 0.0,
        "scale": 1.0,
        "alignment": "arcface112",
        "notes": _notes(found, known),
        "added": date.today().isoformat(),
        "original_file": file.name,
        "original_sha256": found["original_sha256"],
        "original_layout": form["layout"],
        "original_type": form["kind"],
        "original_size": [form["width"], form["height"]],
        "original_colour": way["colour"],
        "original_mean": [float(value) for value in way["mean"]],
        "original_scale": [float(value) for value in way["scale"]],
        **dict(origin.extra),
    }


def _notes(found: Mapping[str, Any], known: bool) -> str:
    form = found["form"]
    parts = [f"Inside the file: {found['words']}"]
    size = (form["width"], form["height"])
    if size != (CROP_SIZE, CROP_SIZE):
        parts.append(f"resized to {size[0]} x {size[1]}")
    if found["loop"]:
        parts.append("one face at a time")
    text = ", ".join(parts) + "."
    if found["settled"]:
        return text
    if not found["tried"]:
        return f"{text} Colours and scaling are the usual ones, untried: a guess."
    tried = f"{len(found['tried'])} ways on {found['faces']} faces"
    if not known:
        return f"{text} Colours and scaling are a guess: {tried} of changed copies, not of other photos, were tried."
    how = "clearly the best" if found["clear"] else "the best, though not by much,"
    return f"{text} That was {how} of {tried} of {found['people']} people."
