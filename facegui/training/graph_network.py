"""A network from an ONNX file as a PyTorch module whose weights can be trained: the bundled embedder, for fine-tuning.

Only the operators that occur in such files are known. Batch norms are folded into the convolutions there, so nothing
depends on the other faces of a batch. The program's own files spell PReLU as a product and a Relu
(models/fast_prelu.py), with factors up to 20,000 where a slope is near 1, and their first weights take pixels of 0 to
255. Gradient descent cannot move such weights, so PReLU is put back and the pixels are scaled.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

__all__ = ["GraphNetwork"]

_HALF = 127.5
_LENGTH = ("ReduceL2", "LpNormalization")


def _convolution(values: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    x, weight, *bias = values
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if (top, left) == (bottom, right):
        padding = (top, left)
    else:
        x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
    return F.conv2d(
        x, weight, bias[0] if bias else None, attributes.get("strides", 1), padding, attributes.get("dilations", 1),
        attributes.get("group", 1),
    )  # fmt: skip


def _gemm(values: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    x, weight, *bias = values
    x = x.T if attributes.get("transA") else x
    weight = weight.T if attributes.get("transB") else weight
    found = attributes.get("alpha", 1.0) * (x @ weight)
    return found + attributes.get("beta", 1.0) * bias[0] if bias else found


_OPERATORS: dict[str, Callable[[list[Tensor], dict[str, Any]], Tensor]] = {
    "Conv": _convolution,
    "Gemm": _gemm,
    "Add": lambda v, _: v[0] + v[1],
    "Sub": lambda v, _: v[0] - v[1],
    "Mul": lambda v, _: v[0] * v[1],
    "Relu": lambda v, _: F.relu(v[0]),
    "PRelu": lambda v, _: F.prelu(v[0], v[1].flatten()),
    "SignedPRelu": lambda v, _: v[2] * F.prelu(v[0], v[1].flatten()),
    "Flatten": lambda v, a: v[0].flatten(a.get("axis", 1)),
}


def _scaled_pixels(nodes: list[Any], arrays: dict[str, Any], pixels: str) -> tuple[str, list[Any]]:
    """Return the name of what goes in, and the nodes: the first convolution takes (pixel − 127.5) / 127.5.

    Raises
    ------
    ValueError
        The network prepares its pixels otherwise.
    """
    mean, first = nodes[:2]
    known = mean.op_type == "Sub" and mean.input[0] == pixels and first.op_type == "Conv"
    if not known or first.input[0] != mean.output[0] or not np.all(arrays[mean.input[1]] == _HALF):
        raise ValueError("the network does not prepare its pixels as the program's own embedders do")
    arrays[first.input[1]] = arrays[first.input[1]] * _HALF
    return str(mean.output[0]), nodes[1:]


def _with_prelu(nodes: list[Any], arrays: dict[str, Any]) -> list[Any]:
    """Return the nodes with each ``k·y' + relu(y')`` as PReLU of the convolution before, whose weights change.

    With k = a / (1 − a) and y' = |1 − a|·y that sum is sign(1 − a)·prelu(y), so a = k / (1 + k) and y = |1 + k|·y'.
    The product with k is a Mul, or the convolution a second time.
    """
    from onnx import helper

    made = {node.output[0]: node for node in nodes}
    gone: list[str] = []
    result = []
    for node in nodes:
        linear, positive = (made.get(name) for name in [*node.input, "", ""][:2])
        before = made.get(positive.input[0]) if positive is not None and positive.op_type == "Relu" else None
        if node.op_type != "Add" or linear is None or before is None or before.op_type != "Conv":
            result.append(node)
            continue
        weight, bias = (arrays[name].astype(np.float64) for name in before.input[1:3])
        rows = weight.reshape(len(weight), -1)
        if linear.op_type == "Mul" and linear.input[0] == before.output[0]:
            factor = arrays[linear.input[1]].astype(np.float64).ravel()
        elif linear.op_type == "Conv" and linear.input[0] == before.input[0]:
            place = np.abs(rows).argmax(1)[:, None]
            twin = arrays[linear.input[1]].astype(np.float64).reshape(rows.shape)
            factor = (np.take_along_axis(twin, place, 1) / np.take_along_axis(rows, place, 1)).ravel()
        else:
            result.append(node)
            continue
        arrays[before.input[1]] = (rows * np.abs(1 + factor)[:, None]).reshape(weight.shape)
        arrays[before.input[2]] = bias * np.abs(1 + factor)
        slope, sign = f"{node.output[0]} slope", f"{node.output[0]} sign"
        arrays[slope] = (factor / (1 + factor)).reshape(-1, 1, 1)
        arrays[sign] = np.sign(1 + factor).reshape(-1, 1, 1)
        gone += node.input[:2]
        kind, inputs = "PRelu", [before.output[0], slope]
        if np.any(arrays[sign] < 0):
            kind, inputs = "SignedPRelu", [*inputs, sign]
        result.append(helper.make_node(kind, inputs, [node.output[0]]))
    return [node for node in result if node.output[0] not in gone]


class GraphNetwork(nn.Module):
    """The part of a file between the picture as float and the embedding before it is normalised.

    Parameters
    ----------
    file : Path
        Takes uint8 (N, 112, 112, 3), as the program's own models do.

    Attributes
    ----------
    dimension : int
        Numbers a face.

    Raises
    ------
    ValueError
        It holds an operator that is not known here, or is laid out otherwise.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(str(file)).graph
        arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
        nodes = list(graph.node)
        if [node.op_type for node in nodes[:2]] != ["Transpose", "Cast"]:
            raise ValueError(f"{file.name} does not start as the program's own models do")
        end = next((n for n, node in enumerate(nodes) if node.op_type in _LENGTH), len(nodes))
        self._source, nodes = _scaled_pixels(nodes[2:end], arrays, nodes[1].output[0])
        self._nodes: list[tuple[str, list[str], str, dict[str, Any]]] = []
        self._constants: dict[str, str] = {}
        parameters: dict[str, nn.Parameter] = {}
        for node in _with_prelu(nodes, arrays):
            if node.op_type not in _OPERATORS:
                raise ValueError(f"{file.name} holds the operator {node.op_type}, which cannot be trained here")
            attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
            for name in node.input:
                if name in arrays and name not in self._constants:
                    key = f"w{len(self._constants)}"
                    parameters[key] = nn.Parameter(torch.from_numpy(np.array(arrays[name], np.float32)))
                    self._constants[name] = key
            self._nodes.append((node.op_type, list(node.input), node.output[0], attributes))
        self.weights = nn.ParameterDict(parameters)
        self._target = self._nodes[-1][2]
        for kind, inputs, _, _ in self._nodes:
            if kind == "SignedPRelu":  # its sign is no weight
                self.weights[self._constants[inputs[-1]]].requires_grad_(False)
        with torch.no_grad():
            self.dimension = int(self.eval()(torch.zeros(1, 3, 112, 112)).shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """Return the embeddings of a batch, (N, d)."""
        values = {self._source: x}
        for kind, inputs, output, attributes in self._nodes:
            found = [values[name] if name in values else self.weights[self._constants[name]] for name in inputs if name]
            values[output] = _OPERATORS[kind](found, attributes)
        return values[self._target]
