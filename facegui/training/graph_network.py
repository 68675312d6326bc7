"""A network from an ONNX file as a PyTorch module whose weights can be trained: the bundled embedder, for fine-tuning.

Only the operators that occur in such files are known. Batch norms are folded into the convolutions there, so nothing
depends on the other faces of a batch.
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
    "PRelu": lambda v, _: torch.where(v[0] > 0, v[0], v[0] * v[1]),
    "Flatten": lambda v, a: v[0].flatten(a.get("axis", 1)),
}


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
        self._source = nodes[1].output[0]
        self._nodes: list[tuple[str, list[str], str, dict[str, Any]]] = []
        self._constants: dict[str, str] = {}
        parameters: dict[str, nn.Parameter] = {}
        for node in nodes[2:end]:
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
        for kind, inputs, _, _ in self._nodes[:1]:
            if kind == "Sub":  # the mean of the pixels is no weight
                self.weights[self._constants[inputs[1]]].requires_grad_(False)
        with torch.no_grad():
            self.dimension = int(self.eval()(torch.zeros(1, 3, 112, 112)).shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """Return the embeddings of a batch, (N, d)."""
        values = {self._source: x * _HALF + _HALF}
        for kind, inputs, output, attributes in self._nodes:
            found = [values[name] if name in values else self.weights[self._constants[name]] for name in inputs if name]
            values[output] = _OPERATORS[kind](found, attributes)
        return values[self._target]
