"""Rewrite PReLU into operators that ONNX Runtime's CPU build runs inside its blocked (NCHWc) layout.

ONNX Runtime has no blocked kernel for PRelu, so each one costs two layout changes and a slow broadcast: more than half
of the time of a mobile network. But

    prelu(y) = a y + (1 - a) relu(y)

and a convolution before may produce ``y' = |1 - a| y`` at no cost, so that, with ``k = a / (1 - a)``,

    prelu(y) = sign(1 - a) (k y' + relu(y'))

where the sign goes into the weights of the convolutions that follow. This is exact for every slope but 1 (a slope
within ``_NEAR_ONE`` of it is moved that far away). The sum is spelled in one of three ways:

after a depthwise convolution
    the convolution twice, once times k and once followed by Relu: ONNX Runtime fuses the Relu and the sum into the
    convolutions, and no element-wise pass over memory remains;
after any other convolution
    ``Mul`` by k, which ONNX Runtime (1.25 and later) turns into a blocked 1x1 depthwise convolution with the sum
    fused into it, and one Relu;
elsewhere (after a residual sum)
    ``a y + (1 - a) relu(y)`` as it stands, the two products becoming blocked convolutions in the same way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper
from onnx_edit import Network

_NEAR_ONE = 1e-6


def rewrite_prelu(network: Network) -> None:
    """Replace every PRelu."""
    for node in network.of_kind("PRelu"):
        source, target = node.input[0], node.output[0]
        before = network.producer(source)
        after = network.consumers(target)
        slope = network.weights[node.input[1]].astype(np.float64).ravel()
        slope = np.where(np.abs(1 - slope) < _NEAR_ONE, 1 - _NEAR_ONE, slope)
        to_convolutions = all(item.op_type == "Conv" for item in after)
        if (
            before is None
            or before.op_type != "Conv"
            or len(network.consumers(source)) > 1
            or (np.any(slope > 1) and not to_convolutions)
        ):
            _as_products(network, node, slope)
            continue
        ratio = (slope / (1 - slope)).astype(np.float32)
        _scale_output(network, before, np.abs(1 - slope))
        for item in after:
            _scale_input(network, item, np.sign(1 - slope))
        linear, positive = f"{target}_linear", f"{target}_positive"
        last = helper.make_node("Add", [linear, positive], [target])
        if is_depthwise(network, before):
            weight, bias = f"{target}_weight", f"{target}_bias"
            network.weights[weight] = network.weights[before.input[1]] * ratio.reshape(-1, 1, 1, 1)
            network.weights[bias] = network.weights[before.input[2]] * ratio
            twin = helper.make_node("Conv", [before.input[0], weight, bias], [linear], **network.attributes(before))
            network.replace([node], [helper.make_node("Relu", [source], [positive]), twin, last])
        else:
            network.weights[f"{target}_ratio"] = ratio.reshape(-1, 1, 1)
            scaled = helper.make_node("Mul", [source, f"{target}_ratio"], [linear])
            network.replace([node], [helper.make_node("Relu", [source], [positive]), scaled, last])


def _as_products(network: Network, node: Any, slope: np.ndarray) -> None:
    source, target = node.input[0], node.output[0]
    network.weights[f"{target}_slope"] = slope.astype(np.float32).reshape(-1, 1, 1)
    network.weights[f"{target}_rest"] = (1 - slope).astype(np.float32).reshape(-1, 1, 1)
    network.replace(
        [node],
        [
            helper.make_node("Relu", [source], [f"{target}_relu"]),
            helper.make_node("Mul", [source, f"{target}_slope"], [f"{target}_linear"]),
            helper.make_node("Mul", [f"{target}_relu", f"{target}_rest"], [f"{target}_positive"]),
            helper.make_node("Add", [f"{target}_positive", f"{target}_linear"], [target]),
        ],
    )


def is_depthwise(network: Network, node: Any) -> bool:
    """Tell whether a Conv has one filter per channel."""
    weight = network.weights[node.input[1]]
    groups: int = network.attributes(node).get("group", 1)
    return bool(weight.shape[1] == 1 and groups == weight.shape[0])


def _scale_output(network: Network, node: Any, factors: np.ndarray) -> None:
    network.scale_rows(node.input[1], factors)
    network.scale_rows(node.input[2], factors)


def _scale_input(network: Network, node: Any, signs: np.ndarray) -> None:
    if np.all(signs > 0):
        return
    if is_depthwise(network, node):
        network.scale_rows(node.input[1], signs)
    else:
        network.scale_columns(node.input[1], signs)
