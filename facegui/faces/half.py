"""A copy of an embedder with numbers of 16 bits, for graphics cards; used only where it gives the same embeddings.

The copy lies in the user's cache beside a note of what it was compared with. Both are made again when the model, the
card, or ONNX Runtime is another one.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.catalog import file_sha256
from facegui.faces.tuning import Shape

__all__ = ["LEAST_COSINE", "Verdict", "cosines", "halved", "probes", "tried"]

logger = logging.getLogger(__name__)

LEAST_COSINE = 0.9999
"""Least cosine between the embeddings of one face by 32 and by 16 bits."""
_PROBES = 16
_NAME = 32  # characters of the hash in the name of the copy
_HEAVY = frozenset({"Conv", "Gemm", "MatMul", "FusedConv", "FusedGemm", "FusedMatMul", "ConvTranspose"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the copy may be used.

    Attributes
    ----------
    device : str
        What it was tried on, versions included.
    cosine : float
        The least one between the two embeddings of a probe.
    """

    device: str
    cosine: float

    @property
    def good(self) -> bool:
        """Whether the embeddings are the same."""
        return self.cosine >= LEAST_COSINE


def _read(copy: Path, device: str) -> Verdict | None:
    """Return what is known of a copy, if it was found out with this very copy and on this very device."""
    try:
        note = json.loads(copy.with_suffix(".json").read_text("utf-8"))
        found = Verdict(str(note["device"]), float(note["cosine"]))
        if note["sha256"] != file_sha256(copy) or found.device != device:
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def _write(copy: Path, verdict: Verdict) -> None:
    note = {"sha256": file_sha256(copy), "device": verdict.device, "cosine": verdict.cosine}
    copy.with_suffix(".json").write_text(json.dumps(note), "utf-8")


def tried(
    file: Path,
    cache: Path,
    session: Any,
    shape: Shape,
    device: str,
    *,
    start: Callable[[Path], Any],
    fold: Callable[[Path, Path], None],
    convert: Callable[[Any], Any],
) -> Any:
    """Return a session of the copy with 16 bits of an embedder; None where it is of no use.

    The copy is made and compared at the first use, and then never again on that device.

    Parameters
    ----------
    file : Path
    cache : Path
        Folder for the copy.
    session : onnxruntime.InferenceSession
        Of the file itself, on the device.
    shape : sequence
        Of its input.
    device : str
        What it runs on, versions included.
    start : callable
        Makes a session of a file on the same device.
    fold, convert : callable
        Write the file with its constants folded; convert a whole network to 16 bits.
    """
    outputs = session.get_outputs()
    if len(outputs) != 1 or len(outputs[0].shape) != 2:  # not one list of numbers for each picture: no embedder
        return None
    try:
        copy = cache / "half" / f"{file_sha256(file)[:_NAME]}.onnx"
        verdict, small = _read(copy, device), None
        if verdict is None:
            _make(file, copy, fold, convert)
            small = start(copy)
            pictures = probes(tuple(int(axis or 0) for axis in shape[1:]))
            name = session.get_inputs()[0].name
            one, other = (_embedded(each, name, pictures) for each in (session, small))
            verdict = Verdict(device, float(cosines(one, other).min()))
            _write(copy, verdict)
        if not verdict.good:
            logger.info("%s stays at 32 bits: with 16 the cosine falls to %.6f", file.name, verdict.cosine)
            return None
        small = small or start(copy)
        return small if small.get_providers()[0] == session.get_providers()[0] else None
    except Exception:  # a full disk, an operator that has no 16 bits: slower, not wrong
        logger.info("%s stays at 32 bits", file.name, exc_info=True)
        return None


def _embedded(session: Any, name: str, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([session.run(None, {name: pictures[n : n + 1]})[0] for n in range(len(pictures))])


def _make(file: Path, copy: Path, fold: Callable[[Path, Path], None], convert: Callable[[Any], Any]) -> None:
    """Write the copy; it is there whole or not at all."""
    import onnx

    copy.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
        folded, whole = Path(folder) / "folded.onnx", Path(folder) / "half.onnx"
        fold(file, folded)
        onnx.save(halved(onnx.load(str(folded)), convert), str(whole))
        whole.replace(copy)


def probes(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return pictures to compare embeddings on: smooth patterns of all contrasts and brightnesses, always the same.

    Parameters
    ----------
    shape : tuple of int
        Height, width and channels.
    """
    rng = np.random.default_rng(20)
    height, width, channels = shape
    made = np.empty((_PROBES, *shape), np.uint8)
    rows, columns = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None, :]
    for number in range(_PROBES):
        picture = np.zeros(shape)
        for wave in range(1, 9):
            down, across, phase = rng.uniform(-wave, wave), rng.uniform(-wave, wave), rng.uniform(0, 7, channels)
            turn = 2 * np.pi * (down * rows + across * columns)
            picture += np.cos(turn[..., None] + phase) / wave
        contrast, light = rng.uniform(20, 70), rng.uniform(70, 180)
        made[number] = np.clip(light + contrast * picture, 0, 255)
    return made


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each row of one matrix with the same row of the other; 0 where one is no number."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: NDArray[np.float64] = np.einsum("ij,ij->i", a, b) / np.maximum(lengths, 1e-300)
    return np.where(np.isfinite(found), found, 0.0)


def halved(model: Any, convert: Callable[[Any], Any]) -> Any:
    """Return a network with numbers of 16 bits up to its last product, and 32 beyond.

    What follows the last product is the normalisation, whose sum of squares may exceed the largest number of 16 bits
    (65,504).

    Parameters
    ----------
    model : onnx.ModelProto
        With plain float32 weights.
    convert : callable
        Converts a whole network; inputs and outputs keep their types.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = model.graph
    tail = _behind_products(graph)
    kept = [node for place, node in enumerate(graph.node) if place in tail]
    body = onnx.ModelProto()
    body.CopyFrom(model)
    del body.graph.node[:], body.graph.output[:]
    body.graph.node.extend(node for place, node in enumerate(graph.node) if place not in tail)
    produced = {name for node in body.graph.node for name in node.output}
    needed = {name for node in kept for name in node.input}
    outputs = {item.name for item in graph.output}
    ends = sorted((needed | outputs) & produced)
    body.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ends)
    used = {name for node in body.graph.node for name in node.input}
    constants = [item for item in graph.initializer if item.name in needed]
    rest = [item for item in graph.initializer if item.name in used]
    del body.graph.initializer[:]
    body.graph.initializer.extend(rest)
    made = convert(body)
    taken = {item.name for item in made.graph.initializer}
    made.graph.initializer.extend(item for item in constants if item.name not in taken)
    made.graph.node.extend(kept)
    del made.graph.output[:], made.graph.value_info[:]
    made.graph.output.extend(graph.output)
    return made


def _behind_products(graph: Any) -> set[int]:
    """Return the places of the nodes from which no product (convolution, matrix) is reached any more."""
    readers: dict[str, list[int]] = defaultdict(list)
    for place, node in enumerate(graph.node):
        for name in node.input:
            readers[name].append(place)
    before: set[int] = set()  # nodes that are a product, or lead to one; an ONNX graph is sorted, so go backwards
    for place in reversed(range(len(graph.node))):
        node = graph.node[place]
        if node.op_type in _HEAVY or any(reader in before for name in node.output for reader in readers[name]):
            before.add(place)
    return set(range(len(graph.node))) - before
