"""Models from elsewhere: added from an ONNX file, and removed again.

The file is examined in a process of its own (`facegui.faces.examine`), put into the form that all embedders have here,
and copied into the folder of the user's models. What is stored is identified by its own sha256, as every model is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.apart import SILENCE, run_apart
from facegui.errors import KnownError
from facegui.faces.align import CROP_SIZE
from facegui.faces.catalog import Catalog, ModelInfo, file_sha256
from facegui.faces.examine import examine
from facegui.faces.packs_entry import Origin, entry_for
from facegui.faces.packs_manifest import add_entry, changing, draft, entries, models_folder, remove_entry
from facegui.faces.packs_proposal import disguises
from facegui.jobs import Job

__all__ = [
    "Added",
    "Origin",
    "TryFaces",
    "add_model",
    "check_name",
    "disguised",
    "labelled",
    "model_id_for",
    "remove_model",
]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class TryFaces:
    """Faces that a network is tried on.

    Attributes
    ----------
    crops : ndarray of uint8, shape (n, 112, 112, 3)
        Aligned, RGB.
    people : tuple of str
        Who is on each.
    known : bool
        Whether these are photos of people whose names are known; if not, they are disguises of one photo each, and
        what is found with them is a guess.
    """

    crops: NDArray[np.uint8]
    people: tuple[str, ...]
    known: bool


def labelled(crops: Sequence[NDArray[np.uint8]], people: Sequence[str]) -> TryFaces:
    """Return faces of people whose names are known."""
    return TryFaces(_stacked(crops), tuple(people), True)


def disguised(crops: Sequence[NDArray[np.uint8]]) -> TryFaces:
    """Return faces of different people, one photo of each, with changed copies in the place of other photos."""
    copies = [(copy, str(person)) for person, crop in enumerate(crops) for copy in disguises(crop)]
    return TryFaces(_stacked([copy for copy, _ in copies]), tuple(person for _, person in copies), False)


def _stacked(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    if not len(crops):  # noise will do to see whether the network runs
        return np.random.default_rng(0).integers(0, 256, (1, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    return np.stack(list(crops))


@dataclass(frozen=True, slots=True)
class Added:
    """A model that was added, and what the examination found.

    Attributes
    ----------
    model : ModelInfo
    original_sha256 : str
        Of the file that was given; `model` has the one of the file that is used.
    way : str
        How the pixels are prepared.
    guessed : bool
        Whether that is a guess: it was not given, and not found on photos of people whose names are known.
    clear : bool
        Whether it was found with certainty.
    tried : tuple of mapping
        Every way that was tried, best first: ``way``, ``separation``, ``order``.
    faces, people : int
        That it was tried on.
    form : mapping
        ``layout``, ``kind``, ``height``, ``width``, ``batch`` and ``opset`` of the original.
    milliseconds : float
        Per face, on the processor, in the examination.
    """

    model: ModelInfo
    original_sha256: str
    way: str
    guessed: bool
    clear: bool
    tried: tuple[Mapping[str, Any], ...]
    faces: int
    people: int
    form: Mapping[str, Any]
    milliseconds: float


def model_id_for(file: Path) -> str:
    """Make an id out of the name of a file."""
    made = re.sub(r"[^A-Za-z0-9._+-]+", "-", file.stem).strip("-._+").lower()[:64]
    return made or "model"


def add_model(
    file: Path,
    faces: TryFaces,
    *,
    name: str | None = None,
    colour: str | None = None,
    mean: Triple | None = None,
    scale: Triple | None = None,
    origin: Origin | None = None,
    threads: int = 0,
    silence: float = SILENCE,
) -> Job[Added]:
    """Examine an ONNX file and add it to the user's models.

    Parameters
    ----------
    file : Path
    faces : TryFaces
    name : str, optional
        Id of the model; made from the file's name by default.
    colour : str, optional
        ``RGB`` or ``BGR``; found by trying otherwise.
    mean, scale : tuple of float, optional
        Applied as ``(pixel - mean) * scale`` to red, green and blue, 0..255; found by trying otherwise.
    origin : Origin, optional
    threads : int
        For the network; 0 for one per core.
    silence : float
        Longest time that the examination may give no sign of life, in seconds.

    Yields
    ------
    Progress

    Raises
    ------
    KnownError
        It is not an embedder, its name is taken, it was added already, or it cannot be written.
    """
    model_id = name or model_id_for(file)
    origin = origin or Origin()
    catalog = Catalog()
    check_name(model_id, catalog)
    if not file.is_file():
        raise KnownError(f"{file} was not found.", "There is no such file.", "Check its name.")
    folder = models_folder()
    try:
        with draft(folder) as place:
            stored, out = place / "faces.npz", place / "model.onnx"
            np.savez(stored, crops=faces.crops)
            found = yield from run_apart(
                examine,
                {
                    "file": str(file.absolute()), "out": str(out), "faces": str(stored), "people": faces.people,
                    "known": faces.known, "colour": colour, "mean": mean, "scale": scale, "threads": threads,
                },
                what=f"{file.name} cannot be used as a model.",
                silence=silence,
            )  # fmt: skip
            _take_in(folder, out, entry_for(model_id, file, file_sha256(out), found, origin, known=faces.known))
    except OSError as error:
        raise KnownError(
            "The model was not added.",
            f"{error.filename or folder}: {error.strerror or error}.",
            "Check that the disk is not full and the folder can be written.",
        ) from error
    return Added(
        model=Catalog().model(model_id),
        original_sha256=found["original_sha256"],
        way=str(found["words"]),
        guessed=not found["settled"] and not (faces.known and found["tried"]),
        clear=bool(found["clear"]),
        tried=tuple(found["tried"]),
        faces=int(found["faces"]),
        people=int(found["people"]),
        form=found["form"],
        milliseconds=float(found["milliseconds"]),
    )


def check_name(model_id: str, catalog: Catalog) -> None:
    """Refuse a name that no model can have, or that another one has.

    Raises
    ------
    KnownError
    """
    if not _ID.fullmatch(model_id):
        raise KnownError(
            f"{model_id!r} cannot be the name of a model.",
            "",
            "Take letters, digits, dots, hyphens, underscores and plus signs, 64 at most, a letter or digit first.",
        )
    for known in catalog.models():
        if known.id.casefold() == model_id.casefold():
            do = "Give another name with --name"
            raise KnownError(
                f"There is a model called {known.id} already.",
                "Two models cannot have one name.",
                f"{do}." if known.bundled else f"{do}, or remove that one: facegui models remove {known.id}",
            )


def _take_in(folder: Path, file: Path, entry: dict[str, Any]) -> None:
    """Move the file to its place and list it; without its entry a file is nothing."""
    with changing(folder):
        catalog = Catalog()
        check_name(entry["id"], catalog)
        same = next((known for known in catalog.models() if known.sha256 == entry["sha256"]), None)
        if same is not None:
            raise KnownError(
                f"This model is here already, as {same.id}.",
                "The file and its preprocessing are the same.",
                f"Use it: facegui models use {same.id}",
            )
        file.replace(folder / entry["file"])
        add_entry(folder, entry)


def remove_model(model_id: str) -> dict[str, Any]:
    """Remove an added model and its file; return its entry.

    What it embedded stays in the galleries, where nothing asks for it; added again, it is used again.

    Raises
    ------
    KnownError
        It is a bundled model, or none at all.
    """
    folder = models_folder()
    for known in Catalog().models():
        if known.bundled and model_id in (known.id, known.sha256):
            raise KnownError(f"{known.id} cannot be removed.", "It belongs to facegui.", "Remove added models only.")
    with changing(folder):
        listed = next((e["id"] for e in entries(folder) if model_id in (e.get("id"), e.get("sha256"))), model_id)
        entry = remove_entry(folder, str(listed))
        kept = {other.get("file") for other in entries(folder)}
        for key in ("file", "detector_file"):
            _delete(folder, str(entry.get(key, "")), kept)
    return entry


def _delete(folder: Path, name: str, kept: set[Any]) -> None:
    """Delete a file of the folder, never one outside of it."""
    file = folder / name
    if not name or name in kept or not file.resolve().is_relative_to(folder.resolve()):
        return
    with contextlib.suppress(OSError):
        file.unlink()
        if file.parent != folder:
            file.parent.rmdir()
