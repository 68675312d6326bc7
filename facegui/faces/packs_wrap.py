"""Put an embedder from elsewhere into the form that all embedders have here.

Whatever a network wants (colour order, scaling, layout, size, number type, one face at a time) goes into the file, so
that it takes ``input``, uint8 RGB (n, 112, 112, 3), and gives ``embedding``, float32 (n, d), rows of length 1. Nothing
else in the program needs to know where a network came from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.align import CROP_SIZE
from facegui.faces.packs_form import CHANNELS, Form
from facegui.faces.packs_proposal import Preprocessing

__all__ = ["resizing", "wrap"]

_PREFIX = "net/"
_IR_VERSION = 8  # from 4 on, weights that are no inputs are constants, which ONNX Runtime can fold
_SCAN_OPSET = 9
_CONVERT_TO = 13
_TINY = 1e-24


def resizing(size: int, length: int) -> NDArray[np.float32]:
    """Return the matrix (length, CROP_SIZE) that resizes a crop to `size` pixels and keeps the `length` in the middle.

    Linear interpolation between pixel centres, widened where the picture shrinks, so that no pixel is skipped. Each
    row sums to 1 and has no negative weight: pixels stay within 0..255.
    """
    factor = CROP_SIZE / size
    reach = max(1.0, factor)
    centres = (np.arange(length) + (size - length) / 2 + 0.5) * factor - 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(centres[:, None] - np.arange(CROP_SIZE)) / reach)
    made: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return made


class _Chain:
    """Nodes that are put before or after a network, each with the result of the one before as its input."""

    def __init__(self, start: str, name: str) -> None:
        self.last = start
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._name = name

    def add(self, kind: str, *others: NDArray[Any] | str, last_input: bool = False, **attributes: Any) -> None:
        """Add a node; `others` are constants, or names of tensors, after (or, with `last_input`, before) its input."""
        from onnx import helper, numpy_helper

        target = f"facegui/{self._name}_{len(self.nodes)}"
        names = []
        for place, other in enumerate(others):
            if isinstance(other, str):
                names.append(other)
            else:
                names.append(f"{target}_{place}")
                self.constants.append(numpy_helper.from_array(np.ascontiguousarray(other), names[-1]))
        inputs = [*names, self.last] if last_input else [self.last, *names]
        self.nodes.append(helper.make_node(kind, inputs, [target], name=target, **attributes))
        self.last = target

    def end(self, name: str) -> None:
        """Give the last result another name."""
        self.nodes[-1].output[0] = self.last = name


def _before(form: Form, way: Preprocessing, start: str) -> _Chain:
    """Return the nodes from crops (n, 112, 112, 3) to what the network takes.

    Only operators that mean the same in every version of ONNX since 7 are used.
    """
    from onnx import TensorProto

    chain = _Chain(start, "before")
    side = max(form.height, form.width)
    plain = (form.height, form.width) == (CROP_SIZE, CROP_SIZE)
    whole = form.kind == "uint8"
    if way.colour == "BGR":
        chain.add("Gather", np.array([2, 1, 0], np.int64), axis=3)
    if not whole or not plain:
        chain.add("Cast", to=TensorProto.FLOAT)
    if not whole:
        step = -1 if way.colour == "BGR" else 1
        if any(way.mean):
            chain.add("Sub", np.array(way.mean[::step], np.float32))
        if any(value != 1.0 for value in way.scale):
            chain.add("Mul", np.array(way.scale[::step], np.float32))
    if form.layout == "NCHW" or not plain:
        chain.add("Transpose", perm=[0, 3, 1, 2])
    if not plain:
        chain.add("MatMul", resizing(side, form.height), last_input=True)
        chain.add("MatMul", resizing(side, form.width).T)
    if form.layout == "NHWC" and not plain:
        chain.add("Transpose", perm=[0, 2, 3, 1])
    if whole and not plain:
        chain.add("Add", np.array(0.5, np.float32))  # the cast cuts off
        chain.add("Cast", to=TensorProto.UINT8)
    if form.kind == "float16":
        chain.add("Cast", to=TensorProto.FLOAT16)
    if not chain.nodes:
        chain.add("Identity")
    return chain


def _after(start: str, dimension: int) -> _Chain:
    """Return the nodes from what the network gives to rows of length 1."""
    from onnx import TensorProto

    chain = _Chain(start, "after")
    chain.add("Cast", to=TensorProto.FLOAT)
    chain.add("Flatten", axis=1)
    vectors = chain.last
    chain.add("Mul", vectors)
    chain.add("MatMul", np.ones((dimension, 1), np.float32))
    chain.add("Add", np.array(_TINY, np.float32))
    chain.add("Sqrt")
    chain.add("Div", vectors, last_input=True)
    return chain


def wrap(model: Any, form: Form, way: Preprocessing, dimension: int, facts: dict[str, str]) -> Any:
    """Return the network in the form that all embedders have here.

    Parameters
    ----------
    model : onnx.ModelProto
    form : Form
        Of this very network; `batch` is 0, or 1 for a network that is put into a loop over the faces.
    way : Preprocessing
    dimension : int
        Numbers per face.
    facts : dict of str
        Written into the file.
    """
    import onnx
    from onnx import TensorProto, helper

    if form.batch == 1 and form.opset < _SCAN_OPSET:
        model = onnx.version_converter.convert_version(model, _CONVERT_TO)
    # With a prefix, no name in the network can be one of those added here.
    copy = onnx.compose.add_prefix(model, _PREFIX)
    graph = copy.graph
    picture = [CROP_SIZE, CROP_SIZE, CHANNELS]
    first, start = ("N", "input") if form.batch == 0 else (1, "facegui/face")
    before = _before(form, way, start)
    before.end(_PREFIX + form.source)
    after = _after(_PREFIX + form.target, dimension)
    after.end("embedding" if form.batch == 0 else "facegui/embedding")
    nodes = [*before.nodes, *graph.node, *after.nodes]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*before.constants, *after.constants])
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.append(helper.make_tensor_value_info(start, TensorProto.UINT8, [first, *picture]))
    graph.output.append(helper.make_tensor_value_info(after.last, TensorProto.FLOAT, [first, dimension]))
    graph.name = "embedder"
    if form.batch == 1:
        _loop(graph, dimension)
    copy.ir_version = max(copy.ir_version, _IR_VERSION)
    del copy.metadata_props[:]
    for key, value in sorted(facts.items()):
        copy.metadata_props.add(key=f"facegui.{key}", value=value)
    return copy


def _loop(graph: Any, dimension: int) -> None:
    """Turn a graph that takes one face into one that takes any number, and loops over them."""
    from onnx import TensorProto, helper, numpy_helper

    body = type(graph)()
    body.CopyFrom(graph)
    body.name = "one_face"
    one = numpy_helper.from_array(np.array([1, CROP_SIZE, CROP_SIZE, CHANNELS], np.int64), "facegui/one_shape")
    flat = numpy_helper.from_array(np.array([dimension], np.int64), "facegui/flat_shape")
    body.initializer.extend([one, flat])
    nodes = [
        helper.make_node("Reshape", ["facegui/item", one.name], [graph.input[0].name], name="facegui/one"),
        *body.node,
        helper.make_node("Reshape", [graph.output[0].name, flat.name], ["facegui/row"], name="facegui/flat"),
    ]
    del body.node[:], body.input[:], body.output[:]
    body.node.extend(nodes)
    picture = [CROP_SIZE, CROP_SIZE, CHANNELS]
    body.input.append(helper.make_tensor_value_info("facegui/item", TensorProto.UINT8, picture))
    body.output.append(helper.make_tensor_value_info("facegui/row", TensorProto.FLOAT, [dimension]))
    for field in ("node", "initializer", "sparse_initializer", "input", "output", "quantization_annotation"):
        graph.ClearField(field)
    graph.node.append(
        helper.make_node("Scan", ["input"], ["embedding"], name="facegui/faces", num_scan_inputs=1, body=body)
    )
    graph.input.append(helper.make_tensor_value_info("input", TensorProto.UINT8, ["N", *picture]))
    graph.output.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", dimension]))
