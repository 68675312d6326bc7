"""Passive liveness models: networks of role ``liveness`` that were added, and InsightFace's add-on through its package.

An entry of the manifest says how a face is cut out and what the network wants: `points`, the ten numbers of the five
points in the square of `input_size`; `colour`, `mean`, `scale` ((pixel - mean) * scale); `outside`, the largest share
of the square that may lie outside the picture; `limit`, the least probability of a living face; `output`, whether the
answer is that probability (``"probability"``) or a pair of logits whose second one is live (``"logits"``).
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facegui.apart import Tell, run_apart
from facegui.errors import KnownError
from facegui.faces.align import similarity_transform
from facegui.faces.catalog import Catalog, ModelInfo, file_sha256
from facegui.faces.packs_download import download
from facegui.faces.packs_manifest import add_entry, changing, models_folder
from facegui.faces.session import Network
from facegui.faces.types import Face, Frame
from facegui.jobs import Job

__all__ = ["ADDON", "PassiveNetwork", "add_liveness_model"]

ADDON = "insightface-liveness"
LICENCE = "InsightFace model licence: for non-commercial research only (https://github.com/deepinsight/insightface)"
_MOST_BYTES = 200_000_000


class PassiveNetwork:
    """A passive model; answers the probability of a living face.

    Parameters
    ----------
    info : ModelInfo
        With the role ``liveness``.
    network : Network
        One input, float32 (1, 3, height, width).

    Raises
    ------
    KnownError
        The entry in the manifest is incomplete.
    """

    def __init__(self, info: ModelInfo, network: Network, input_name: str) -> None:
        table = info.liveness
        try:
            self._points = np.array(table["points"], np.float32).reshape(5, 2)
            self._mean, self._scale = float(table["mean"]), float(table["scale"])
            self._outside, self.limit = float(table["outside"]), float(table["limit"])
            self._output, self._colour = str(table["output"]), str(table["colour"])
        except (KeyError, TypeError, ValueError) as error:
            raise KnownError(
                f"The model {info.id} cannot be used.", f"Its entry in the manifest is incomplete: {error}.",
                f"Remove it: facegui models remove {info.id}",
            ) from error  # fmt: skip
        self._size = info.input_size
        self._network, self._input = network, input_name

    def __call__(self, frame: Frame, face: Face) -> float:
        """Return the probability of a living face, 0..1; NaN where too much of it lies outside the picture."""
        matrix = similarity_transform(face.detection.landmarks, self._points)
        inside = cv2.warpAffine(np.ones(frame.pixels.shape[:2], np.float32), matrix, self._size)
        if 1 - float(np.mean(inside)) > self._outside:
            return float("nan")
        crop = cv2.warpAffine(frame.pixels, matrix, self._size, borderMode=cv2.BORDER_REPLICATE)
        if self._colour == "BGR":
            crop = crop[:, :, ::-1]
        tensor = ((np.asarray(crop, np.float32) - self._mean) * self._scale).transpose(2, 0, 1)[None]
        answer = self._network.run({self._input: np.ascontiguousarray(tensor, np.float32)})[0].reshape(-1)
        if self._output == "logits":
            answer = np.exp(answer - answer.max()) / np.exp(answer - answer.max()).sum()
            return float(answer[1])
        return float(np.clip(answer[0], 0.0, 1.0))


def add_liveness_model(file: Path | None) -> Job[str]:
    """Add InsightFace's liveness network; return the id of the model.

    How the face is cut out is asked of the `insightface` package, in a process of its own.

    Parameters
    ----------
    file : Path or None
        Where the network lies; None gets it from where the package says, and checks its sha256.

    Raises
    ------
    KnownError
        The package lacks the add-on, the file is another one, or the model is here already.
    """
    found = yield from run_apart(_ask, {}, what="The liveness add-on was not found.")
    folder = models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{ADDON}.onnx.part"
    try:
        if file is None:
            yield from download(str(found["url"]), target, sha256=str(found["sha256"]))
        else:
            _copy(file, target, str(found["sha256"]))
        entry = {
            "id": ADDON, "title": "InsightFace liveness add-on", "role": "liveness", "file": f"{ADDON}.onnx",
            "sha256": found["sha256"], "licence": LICENCE, "source": found["url"],
            "training_data": "Not published", "input_size": [found["size"], found["size"]],
            "points": found["points"], "colour": "RGB", "mean": 0.0, "scale": 1 / 255, "outside": found["outside"],
            "limit": found["limit"], "output": "probability",
        }  # fmt: skip
        with changing(folder):
            if Catalog().has(ADDON):
                raise KnownError(f"{ADDON} is here already.", "", f"Remove it first: facegui models remove {ADDON}")
            target.replace(folder / f"{ADDON}.onnx")
            add_entry(folder, entry)
    finally:
        target.unlink(missing_ok=True)
    return ADDON


def _copy(file: Path, target: Path, sha256: str) -> None:
    try:
        if file.stat().st_size > _MOST_BYTES or file_sha256(file) != sha256:
            raise KnownError(
                f"{file.name} is not the liveness add-on that the insightface package knows.",
                "Its sha256 differs.", "Get the file that belongs to the installed version of the package.",
            )  # fmt: skip
        shutil.copyfile(file, target)
    except OSError as error:
        raise KnownError(
            f"{file.name} cannot be read.", f"{error.strerror or error}.", "Check the path and its permissions."
        ) from error


def _ask(_arguments: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """In a process of its own: return what the package says of its add-on."""
    tell(0, 0, "Asking insightface")
    try:
        addon = importlib.import_module("insightface.addons.liveness")
        listed = importlib.import_module("insightface.addons.catalog").ADDON_CATALOG["liveness"]
    except (ImportError, KeyError, AttributeError) as error:
        raise KnownError(
            "The installed insightface package has no liveness add-on.",
            f"{error}.",
            "Install insightface 2.0 or newer.",
        ) from error
    return {
        "url": str(listed.url),
        "sha256": str(listed.sha256),
        "size": int(addon.INPUT_SIZE),
        "points": [round(float(number), 4) for number in addon.DESTINATION_LANDMARKS.reshape(-1)],
        "outside": float(addon.MAX_OOB_RATIO),
        "limit": float(addon.DEFAULT_THRESHOLD),
    }
