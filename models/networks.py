"""Build the bundled networks from the files that their authors published.

Every one takes the same input, ``input``: uint8 (N, H, W, 3), RGB, contiguous as pictures lie in memory. The embedders
take aligned 112 x 112 faces and give ``embedding``: float32 (N, d), each row of length 1.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnx
from fast_prelu import rewrite_prelu
from onnx import TensorProto, helper
from onnx_edit import (
    Network,
    batch_norm,
    drop_kind,
    float_output,
    fold_batch_norm,
    fold_dequantisation,
    match_prelu,
    pixels_input,
    store_as_integers,
)
from tflite_to_onnx import convert

FACE_SIZE = 112
ARCFACE_DIMENSION = 192
SFACE_DIMENSION = 128
# Both embedders were trained on (pixel - 127.5) / 128.
PIXEL_MEAN = 127.5
PIXEL_SCALE = 1 / 128
# Below this length a row is left as it is rather than divided by almost nothing.
SHORTEST = 1e-12
# Smaller weights are kept as float32: storing them as integers would save less than 50 kB in all.
SMALLEST_INTEGER_WEIGHT = 4096


def read_onnx(data: bytes) -> Any:
    """Parse an ONNX file held in memory."""
    return onnx.load(io.BytesIO(data))


def _centred_pixels(network: Network, source: str) -> None:
    """Feed the tensor ``source`` with (pixel - mean) as float32 (N, 3, H, W); the scale lies in the first weights."""
    network.weights["pixel_mean"] = np.array(PIXEL_MEAN, np.float32)
    network.nodes[:0] = [
        helper.make_node("Transpose", ["input"], ["bytes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["bytes"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["pixels", "pixel_mean"], [source]),
    ]
    network.inputs = ["input"]


def _normalise(network: Network, source: str, target: str) -> None:
    """Divide each row by its length."""
    network.weights[f"{target}_shortest"] = np.array(SHORTEST, np.float32)
    network.nodes += [
        helper.make_node("ReduceL2", [source], [f"{target}_length"], axes=[1], keepdims=1),
        helper.make_node("Max", [f"{target}_length", f"{target}_shortest"], [f"{target}_divisor"]),
        helper.make_node("Div", [source, f"{target}_divisor"], [target]),
    ]


def arcface_network(tflite: bytes, prefix: str = "") -> Network:
    """Return MobileFaceNet from ``planes`` (centred pixels, N, 3, 112, 112) to its raw (N, 192) output."""
    network = Network(convert(tflite), prefix)
    match_prelu(network)
    (first,) = network.consumers("input")
    network.scale_rows(first.input[1], np.full(len(network.weights[first.input[1]]), PIXEL_SCALE))
    rewrite_prelu(network)
    network.rename("input", "planes")
    return network


def sface_network(quantised: bytes, prefix: str = "") -> Network:
    """Return SFace from ``planes`` (centred pixels, N, 3, 112, 112) to its raw (N, 128) output."""
    network = Network(read_onnx(quantised), prefix)
    fold_dequantisation(network)
    drop_kind(network, "Dropout")
    fold_batch_norm(network)
    (subtract,), (multiply,) = network.of_kind("Sub"), network.of_kind("Mul")
    constants = [float(network.weights[node.input[1]].item()) for node in (subtract, multiply)]
    if constants != [PIXEL_MEAN, PIXEL_SCALE]:
        raise ValueError("SFace's own scaling of pixels is not the expected one")
    (first,) = network.consumers(multiply.output[0])
    network.scale_rows(first.input[1], np.full(len(network.weights[first.input[1]]), PIXEL_SCALE))
    network.replace([subtract, multiply], [])
    first.input[0] = "planes"
    network.inputs = ["planes"]
    _fold_last_norm(network)
    rewrite_prelu(network)
    store_as_integers(network, SMALLEST_INTEGER_WEIGHT)
    return network


def _fold_last_norm(network: Network) -> None:
    """Fold the BatchNormalization between the last PRelu, over (N, C, h, w), and ``Flatten, Gemm``.

    Its factor goes to the convolution before the PRelu (which commutes with positive factors), its sign to the columns
    of the Gemm, its shift to the Gemm's bias. The Gemm's weight becomes (rows, C, h, w), flattened in the graph.
    """
    kinds = ("BatchNormalization", "Flatten", "Gemm")
    (norm,), (flatten,), (dense,) = (network.of_kind(kind) for kind in kinds)
    activation = network.producer(norm.input[0])
    before = network.producer(activation.input[0]) if activation is not None else None
    if before is None or activation is None or activation.op_type != "PRelu":
        raise ValueError("SFace does not end in the expected layers")
    factor, shift = batch_norm(network, norm)
    weight, bias = dense.input[1], dense.input[2]
    rows, columns = network.weights[weight].shape
    side = round((columns / factor.size) ** 0.5)
    kernel = network.weights[weight].reshape(rows, factor.size, side, side)
    offset = kernel.astype(np.float64).sum(axis=(2, 3)) @ shift
    network.weights[bias] = (network.weights[bias].astype(np.float64) + offset).astype(np.float32)
    network.weights[weight] = kernel
    network.codes[weight] = network.codes[weight].for_columns(factor.size)
    for name in before.input[1:3]:
        network.scale_rows(name, np.abs(factor))
    network.scale_columns(weight, np.sign(factor))
    flatten.input[0] = norm.input[0]
    dense.input[1] = f"{weight}_flat"
    network.replace([norm], [helper.make_node("Flatten", [weight], [f"{weight}_flat"], axis=1)])


def build_embedder(network: Network, dimension: int, name: str) -> bytes:
    """Complete one embedder with the pixel input and the unit-length output."""
    raw = network.outputs[0]
    _centred_pixels(network, "planes")
    _normalise(network, raw, "embedding")
    return network.model([pixels_input(FACE_SIZE)], [float_output("embedding", dimension)], name)


def build_fused(arcface: Network, sface: Network, weight: float, name: str) -> bytes:
    """Join both embedders over one input into one unit vector of 320 numbers.

    ``embedding = [w * arcface, sface] / sqrt(1 + w ** 2)`` where both parts have length 1. So the cosine of two such
    vectors is ``(w ** 2 * cos_arcface + cos_sface) / (1 + w ** 2)``.
    """
    length = (1 + weight**2) ** 0.5
    network = arcface
    raw = [arcface.outputs[0], sface.outputs[0]]
    network.nodes += sface.nodes
    network.weights.update(sface.weights)
    _centred_pixels(network, "planes")
    for source, part, factor in zip(raw, ("arcface", "sface"), (weight / length, 1 / length), strict=True):
        _normalise(network, source, f"{part}_unit")
        network.weights[f"{part}_weight"] = np.array(factor, np.float32)
        network.nodes.append(helper.make_node("Mul", [f"{part}_unit", f"{part}_weight"], [f"{part}_part"]))
    network.nodes.append(helper.make_node("Concat", ["arcface_part", "sface_part"], ["embedding"], axis=1))
    output = float_output("embedding", ARCFACE_DIMENSION + SFACE_DIMENSION)
    return network.model([pixels_input(FACE_SIZE)], [output], name)
