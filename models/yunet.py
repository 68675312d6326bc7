"""Build the face detector YuNet with a free picture size.

Outputs for a picture of H x W pixels, both multiples of 32, for its A cells: those of stride s = 8 row by row, of which
there are HW / s^2, then those of 16, then those of 32:

``score``
    float32 (N, A, 1), 0..1: the root of face probability times objectness.
``place``
    float32 (N, A, 14). For the cell in column c and row r, four numbers b: box centre ``((c + b[0]) s, (r + b[1]) s)``,
    width ``exp(b[2]) s``, height ``exp(b[3]) s``; and ten numbers p: point k of five ``((c + p[2k]) s,
    (r + p[2k + 1]) s)``, in the order: the eye at the left of the picture (the person's right one), the other eye, tip
    of the nose, mouth corner at the left of the picture, the other corner.

Decoding follows Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector" (2023) and OpenCV's
``modules/objdetect/src/face_detect.cpp``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from networks import read_onnx
from onnx import TensorProto, helper
from onnx_edit import Network, float_output, fold_dequantisation, pixels_input

STRIDES = (8, 16, 32)
# Output channels of the heads, in the order of the outputs and in that in which they are joined.
HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
PROBABILITIES = ("cls", "obj")


def build_yunet(quantised: bytes, name: str) -> bytes:
    """Build the detector: input uint8 (N, H, W, 3) RGB, outputs as the module describes."""
    network = Network(read_onnx(quantised))
    fold_dequantisation(network)
    (first,) = network.consumers("input")
    # The published network takes BGR.
    network.weights[first.input[1]] = np.ascontiguousarray(network.weights[first.input[1]][:, ::-1])
    joined = [_join_heads(network, stride) for stride in STRIDES]
    network.nodes = [node for node in network.nodes if not set(node.output).intersection(network.outputs)]
    first.input[0] = "planes"
    network.nodes[:0] = [
        helper.make_node("Transpose", ["input"], ["bytes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["bytes"], ["planes"], to=TensorProto.FLOAT),
    ]
    network.weights["cells_shape"] = np.array([0, -1, sum(HEADS.values())], np.int64)
    network.weights["head_sizes"] = np.array([1, 1, sum(HEADS.values()) - 2], np.int64)
    for stride, source in zip(STRIDES, joined, strict=True):
        raw = [f"cls_{stride}", f"obj_{stride}", f"place_{stride}"]
        network.nodes += [
            helper.make_node("Transpose", [source], [f"rows_{stride}"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"rows_{stride}", "cells_shape"], [f"cells_{stride}"]),
            helper.make_node("Split", [f"cells_{stride}", "head_sizes"], raw, axis=2),
        ]
    for kind in ("cls", "obj", "place"):
        network.nodes.append(helper.make_node("Concat", [f"{kind}_{stride}" for stride in STRIDES], [kind], axis=1))
    network.nodes += [
        *(helper.make_node("Sigmoid", [kind], [f"{kind}_probability"]) for kind in PROBABILITIES),
        helper.make_node("Mul", [f"{kind}_probability" for kind in PROBABILITIES], ["product"]),
        helper.make_node("Sqrt", ["product"], ["score"]),
    ]
    outputs = [float_output("score", "A", 1), float_output("place", "A", sum(HEADS.values()) - 2)]
    return network.model([pixels_input(None)], outputs, name)


def _join_heads(network: Network, stride: int) -> str:
    """Join the four heads of one stride, each a 1x1 convolution and a 3x3 depthwise one, into one of 16 channels.

    Sixteen channels are one block of ONNX Runtime's layout; the single channels of the original are not.
    """
    layers: list[list[Any]] = []
    for head in HEADS:
        node = network.producer(f"{head}_{stride}")
        found: list[Any] = []
        while node is not None and len(found) < 2:
            if node.op_type == "Conv":
                found.insert(0, node)
            node = network.producer(node.input[0])
        layers.append(found)
    source = {pointwise.input[0] for pointwise, _ in layers}
    if len(source) != 1:
        raise ValueError(f"the heads of stride {stride} do not read the same features")
    inner, joined = f"head_{stride}_inner", f"head_{stride}"
    new = []
    for place, (start, end) in enumerate(((source.pop(), inner), (inner, joined))):
        for kind, position in (("weight", 1), ("bias", 2)):
            parts = [network.weights[head[place].input[position]] for head in layers]
            network.weights[f"{end}_{kind}"] = np.concatenate(parts)
        attributes = network.attributes(layers[0][place]) | {"group": 1 if place == 0 else sum(HEADS.values())}
        new.append(helper.make_node("Conv", [start, f"{end}_weight", f"{end}_bias"], [end], **attributes))
    network.nodes += new
    return joined
