"""From a checkpoint into the program: an ONNX file in the form of the bundled models, with its manifest entry."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.align import CROP_SIZE
from facegui.faces.catalog import Catalog, file_sha256
from facegui.faces.packs import check_name
from facegui.faces.packs_manifest import MANIFEST, add_entry, entries, remove_entry
from facegui.faces.session import OnnxNetwork
from facegui.training import checkpoints
from facegui.training.backbones import BUNDLED, backbone

__all__ = ["PARITY", "Exported", "export", "network_of"]

PARITY = 1e-4
"""Largest difference between the file and the network that it was made of, in any number of an embedding."""

_OPSET = 17
_HALF = 127.5
_LONGEST_CHAIN = 20  # of trainings that went on from each other; of a longer one, or a ring, the rest is not known
_BATCHES = (1, 3, 8)
_UNIT = 1e-3  # how far from 1 the length of a vector may be
_HEAD = "# Trained with facegui. `facegui models add` takes a file and what this list says of it.\nformat = 1\n"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes
    ----------
    file, manifest : Path
    model_id, sha256 : str
    dimension : int
    parity : float
        Largest difference found.
    step : int
        Of the checkpoint.
    trained_on : tuple of Path or None
        Where the pictures of the training lay, and of those that it went on from; None for one that is not known.
    """

    file: Path
    manifest: Path
    model_id: str
    sha256: str
    dimension: int
    parity: float
    step: int
    trained_on: tuple[Path | None, ...]


class _Deployed(nn.Module):
    """The network with what the program leaves to it: pixels in, a vector of length 1 out."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        planes = (pixels.permute(0, 3, 1, 2).float() - _HALF) / _HALF
        return F.normalize(self.network(planes), dim=1)


def network_of(saved: dict[str, Any]) -> nn.Module:
    """Return the trained network of a checkpoint, with the averaged weights where there are such.

    Raises
    ------
    KnownError
        The checkpoint does not fit the network that it names.
    """
    table = saved["config"]["network"]
    try:
        network = backbone(table["name"], table["dimension"], table["dropout"])
        network.load_state_dict(saved["average"] or saved["network"])
    except (ValueError, RuntimeError, KeyError) as error:
        raise KnownError(
            "The checkpoint cannot be used.", f"{str(error).splitlines()[0]}", "Take one that this version made."
        ) from error
    return network.eval()


def export(place: Path, out: Path, model_id: str) -> Exported:
    """Write the network of a run, or of one of its checkpoints, as a model of the program.

    Parameters
    ----------
    place : Path
        The run's folder, for its newest checkpoint, or a checkpoint.
    out : Path
        Folder to write into; made if need be.
    model_id : str
        The model's name.

    Raises
    ------
    KnownError
        The name is none, there is no checkpoint, the folder cannot be written, the network gives no embeddings, or the
        file does not compute what the network does.
    """
    check_name(model_id, Catalog((paths.models_dir(),)))  # said now, not when the file is taken in
    checkpoint = checkpoints.find(place)
    saved = checkpoints.load_network(checkpoint)
    deployed = _Deployed(network_of(saved)).eval()
    file = out / f"{model_id}.onnx"
    draft = file.with_suffix(".part")  # a file that failed the check must not lie there as if it had passed
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write(deployed, draft)
        parity = _checked(deployed, draft)
        draft.replace(file)
    except OSError as error:
        raise KnownError(f"{out} cannot be written.", f"{error.strerror or error}.", "Name another folder.") from error
    finally:
        draft.unlink(missing_ok=True)
    digest, dimension = file_sha256(file), int(saved["config"]["network"]["dimension"])
    _list(out, _entry(model_id, file, digest, dimension, saved))
    return Exported(
        file, out / MANIFEST, model_id, digest, dimension, parity, int(saved["step"]), tuple(_trainings(saved))
    )  # fmt: skip


def _trainings(saved: dict[str, Any]) -> Iterator[Path | None]:
    """Give where the pictures lay, of this training and of those that it went on from."""
    for _ in range(_LONGEST_CHAIN):
        yield Path(saved["config"]["data"]["train"])
        start = saved["config"]["network"].get("start")
        if not start:
            return
        try:
            saved = checkpoints.load_network(checkpoints.find(Path(start)))
        except KnownError:
            break
    yield None


def _list(out: Path, entry: dict[str, Any]) -> None:
    """Write the entry of a model into the list of the pack; other models keep theirs."""
    if not (out / MANIFEST).exists():
        (out / MANIFEST).write_text(_HEAD, "utf-8")
    elif any(known.get("id") == entry["id"] for known in entries(out)):
        remove_entry(out, entry["id"])
    add_entry(out, entry)


def _write(deployed: nn.Module, file: Path) -> None:
    example = torch.zeros(2, CROP_SIZE, CROP_SIZE, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The newer way to export needs a package more and writes the same operators.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            deployed, (example,), str(file), dynamo=False, opset_version=_OPSET, input_names=["input"],
            output_names=["embedding"], dynamic_axes={"input": {0: "N"}, "embedding": {0: "N"}},
        )  # fmt: skip


def _checked(deployed: nn.Module, file: Path) -> float:
    """Return the largest difference between the file and the network.

    Raises
    ------
    KnownError
        It is too large, or the network gives no embeddings.
    """
    session = OnnxNetwork(file, provider="cpu")
    rng = np.random.default_rng(0)
    worst = 0.0
    for count in _BATCHES:
        coarse = rng.integers(0, 256, (count, 14, 14, 3), np.uint8)  # as smooth as a face, and noise
        pixels = coarse.repeat(8, axis=1).repeat(8, axis=2) // 2 + rng.integers(0, 128, (count, 112, 112, 3), np.uint8)
        with torch.inference_mode():
            expected = deployed(torch.from_numpy(pixels)).numpy()
        if not np.allclose(np.linalg.norm(expected, axis=1), 1, atol=_UNIT):  # of NaN, too, every comparison is false
            raise KnownError(
                "The network gives no embeddings.",
                "What it computes are no vectors of length 1: its weights are no numbers any more, or all zero.",
                "Take an earlier checkpoint, or train again with a lower rate.",
            )
        worst = max(worst, float(np.abs(session.run({"input": pixels})[0] - expected).max()))
    if not worst <= PARITY:
        raise KnownError(
            "The exported file does not compute what the network does.",
            f"They differ by up to {worst:.2g}; {PARITY:g} is allowed.",
            "Please report it.",
        )
    return worst


def _entry(model_id: str, file: Path, digest: str, dimension: int, saved: dict[str, Any]) -> dict[str, Any]:
    config = saved["config"]
    margin, name = config["margin"], config["network"]["name"]
    people = f"{saved['classes']:,} people of {Path(config['data']['train']).name}"
    licence = "Your own"
    if name.startswith(BUNDLED):  # what was only trained on has the licence and the past of what it was before
        before = Catalog().model(name.removeprefix(BUNDLED), "embedder")
        licence = f"{before.licence}; your own changes"
        people = f"{before.training_data}; then {people}"
    return {
        "id": model_id,
        "title": f"{name}, trained here",
        "role": "embedder",
        "file": file.name,
        "sha256": digest,
        "licence": licence,
        "source": f"facegui train, step {saved['step']:,}",
        "training_data": people,
        "dimension": dimension,
        "input_size": [CROP_SIZE, CROP_SIZE],
        "layout": "NHWC",
        "colour": "RGB",
        "mean": 0.0,
        "scale": 1.0,
        "alignment": "arcface112",
        "notes": f"s {margin['scale']:g}, m1 {margin['m1']:g}, m2 {margin['m2']:g}, m3 {margin['m3']:g}.",
    }
