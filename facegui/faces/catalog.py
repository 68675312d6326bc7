"""The models that are there: bundled ones and those that the user added."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from math import hypot
from pathlib import Path
from typing import Any

from facegui import paths
from facegui.errors import KnownError

__all__ = ["Catalog", "ModelInfo", "Part", "file_sha256"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A slice of a fused embedding that, normalised again, is the embedding of one of its networks.

    Attributes
    ----------
    model : str
        Id of that network's own model.
    start, stop : int
        First number, and first number beyond.
    """

    model: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One entry of the manifest.

    Attributes
    ----------
    id : str
        What people call it, for example ``arcface+sface``.
    title : str
    role : str
        ``detector``, ``embedder``, ``landmarks`` or ``liveness``.
    file : Path
    sha256 : str
        What the file must hash to; for embedders also the id stored beside each embedding.
    licence, source, training_data, notes : str
    dimension : int
        Length of the embedding; 0 for other roles.
    input_size : tuple of int
        Width and height; 0 where free.
    parts : tuple of Part
    weights : tuple of float
        Lengths of the parts; empty where the manifest states no weight.
    calibrations : mapping of str to mapping
        Condition (``frontal``, ``profile``) to the table that `facegui.matching` reads.
    second_opinion : mapping
        Bands of the fast network's scores that leave a doubt, for `facegui.matching.opinion_bands`.
    bundled : bool
    liveness : mapping
        The whole entry of a model of role ``liveness``, see `facegui.faces.liveness_model`; empty for other roles.
    """

    id: str
    title: str
    role: str
    file: Path
    sha256: str
    licence: str
    source: str
    training_data: str
    notes: str
    dimension: int
    input_size: tuple[int, int]
    parts: tuple[Part, ...] = ()
    weights: tuple[float, ...] = ()
    calibrations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    second_opinion: Mapping[str, Any] = field(default_factory=dict)
    bundled: bool = True
    liveness: Mapping[str, Any] = field(default_factory=dict)

    @property
    def calibrated(self) -> bool:
        """Whether thresholds with a stated meaning exist for this very file."""
        return bool(self.calibrations)

    @property
    def size_bytes(self) -> int:
        """Size of the file; 0 when it is missing."""
        try:
            return self.file.stat().st_size
        except OSError:
            return 0


def file_sha256(file: Path) -> str:
    """Return the sha256 of a file, hexadecimal.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    digest = hashlib.sha256()
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _model(table: Mapping[str, Any], folder: Path, bundled: bool) -> ModelInfo:
    size = table.get("input_size", [0, 0])
    return ModelInfo(
        id=table["id"],
        title=table.get("title", table["id"]),
        role=table["role"],
        file=folder / table["file"],
        sha256=table["sha256"],
        licence=table.get("licence", ""),
        source=table.get("source", ""),
        training_data=table.get("training_data", ""),
        notes=table.get("notes", ""),
        dimension=int(table.get("dimension", 0)),
        input_size=(int(size[0]), int(size[1])),
        parts=tuple(Part(p["model"], int(p["start"]), int(p["stop"])) for p in table.get("parts", ())),
        weights=_weights(table),
        calibrations=table.get("calibration", {}),
        second_opinion=table.get("second_opinion", {}),
        bundled=bundled,
        liveness=table if table["role"] == "liveness" else {},
    )


def _weights(table: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the lengths of the two parts of ``[w * first, second] / sqrt(1 + w**2)``."""
    if len(table.get("parts", ())) != 2 or "weight" not in table:
        return ()
    weight = float(table["weight"])
    return weight / hypot(1.0, weight), 1.0 / hypot(1.0, weight)


@lru_cache(maxsize=4)
def _parsed(text: str) -> Mapping[str, Any]:
    """Parse a manifest; the calibrations make it long, and it is read anew for every question about the models."""
    return tomllib.loads(text)


class Catalog:
    """All models of the manifests.

    Parameters
    ----------
    folders : sequence of Path, optional
        Folders with a ``manifest.toml``; the bundled models and the user's by default. The first must have one.
    """

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        if folders is None:
            folders = (paths.models_dir(), paths.data_dir() / "models")
        self._models: dict[str, ModelInfo] = {}
        self.tables: dict[str, Any] = {}
        for position, folder in enumerate(folders):
            bundled = position == 0
            manifest = folder / "manifest.toml"
            if not bundled and not manifest.is_file():
                continue
            try:
                content = _parsed(manifest.read_text("utf-8"))
                found = [_model(table, folder, bundled) for table in content.get("model", ())]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise KnownError(
                    "The list of models cannot be read.",
                    f"{manifest}: {error}.",
                    "Install facegui again." if bundled else "Delete that file and add your models again.",
                ) from error
            self._models.update({model.id: model for model in found})
            if bundled:
                self.tables = deepcopy({name: value for name, value in content.items() if name != "model"})

    def models(self, role: str | None = None) -> tuple[ModelInfo, ...]:
        """Return the models, of one role if asked, in the order of the manifests."""
        return tuple(model for model in self._models.values() if role in (None, model.role))

    def has(self, model_id: str, role: str | None = None) -> bool:
        """Tell whether there is a model with this id or sha256."""
        return any(model_id in (model.id, model.sha256) for model in self.models(role))

    def model(self, model_id: str, role: str | None = None) -> ModelInfo:
        """Return one model by its id or its sha256.

        Raises
        ------
        KnownError
            There is no such model.
        """
        for model in self.models(role):
            if model_id in (model.id, model.sha256):
                return model
        known = ", ".join(model.id for model in self.models(role or "embedder"))
        raise KnownError(f"There is no model called {model_id}.", f"Known models: {known}.", "Choose one of these.")

    def verify(self, model: ModelInfo) -> None:
        """Check that the file is what the manifest says.

        Raises
        ------
        KnownError
            The file is missing or differs.
        """
        mend = "Install facegui again." if model.bundled else "Add the model again."
        try:
            digest = file_sha256(model.file)
        except OSError as error:
            raise KnownError(
                f"The model file {model.file.name} cannot be read.",
                f"{model.file}: {error.strerror or error}.",
                mend,
            ) from error
        if digest != model.sha256:
            raise KnownError(
                f"The model file {model.file.name} is damaged.",
                f"Its sha256 is {digest[:12]}…, not {model.sha256[:12]}….",
                mend,
            )
