"""Convert the few TensorFlow Lite operators that face networks use into an ONNX graph.

TFLite keeps pictures as (N, H, W, C); the ONNX graph made here keeps them as (N, C, H, W), the layout that every
ONNX runtime is fastest in, so no transposes remain inside the network. Activations are float32; weights stored as
float16 behind a DEQUANTIZE operator become float32 constants.

Sources: the TensorFlow Lite schema (``schema.fbs``, read through the ``tflite`` package) for the meaning of the
operators' fields, and TensorFlow's definition of SAME padding: ``total = max((ceil(in / stride) - 1) * stride +
kernel - in, 0)``, of which ``total // 2`` lies before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8

_DTYPES: dict[int, type[np.generic]] = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
}
_OPERATOR_NAMES = {value: name for name, value in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}


class UnsupportedOperatorError(ValueError):
    """The file uses an operator, or a variant of one, that this converter does not know."""


@dataclass(slots=True)
class _Conversion:
    """The state of one conversion: what was read, and the ONNX parts made so far."""

    model: Any
    graph: Any
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    def name(self, index: int) -> str:
        return f"t{index}"

    def shape(self, index: int) -> tuple[int, ...]:
        tensor = self.graph.Tensors(index)
        return tuple(int(n) for n in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()

    def stored(self, index: int) -> np.ndarray | None:
        """Return a tensor's stored values in TFLite's own layout, or None when it is computed at run time."""
        if self.name(index) in self.constants:
            return self.constants[self.name(index)]
        tensor = self.graph.Tensors(index)
        buffer = self.model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            return None
        if tensor.Type() not in _DTYPES:
            raise UnsupportedOperatorError(f"tensor {index} has the unsupported type {tensor.Type()}")
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()]).reshape(self.shape(index))

    def weights(self, index: int) -> np.ndarray:
        values = self.stored(index)
        if values is None:
            raise UnsupportedOperatorError(f"tensor {index} should be constant and is not")
        return values.astype(np.float32)

    def operand(self, index: int) -> str:
        """Return the ONNX name of an element-wise operand, storing a constant one as (C, 1, 1)."""
        values = self.stored(index)
        if values is None:
            return self.name(index)
        return self.constant(f"c{index}", values.astype(np.float32).reshape(-1, 1, 1))

    def constant(self, name: str, values: np.ndarray) -> str:
        self.constants[name] = values
        return name

    def emit(self, kind: str, inputs: list[str], output: str, **attributes: object) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes))

    def emit_activated(self, activation: int, kind: str, inputs: list[str], output: str, **attributes: object) -> None:
        """Emit a node, followed by the activation function that TFLite fused into it."""
        functions = tflite.ActivationFunctionType
        if activation == functions.NONE:
            self.emit(kind, inputs, output, **attributes)
        elif activation == functions.RELU:
            self.emit(kind, inputs, f"{output}_linear", **attributes)
            self.emit("Relu", [f"{output}_linear"], output)
        else:
            raise UnsupportedOperatorError(f"fused activation {activation}")


def _options(operator: Any, kind: type) -> Any:
    options = kind()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def _pads(padding: int, size: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int]) -> list[int]:
    """Return ONNX pads [top, left, bottom, right] for TFLite's SAME or VALID padding."""
    if padding == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    total = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, kernel, stride, strict=True)]
    return [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]


def _convolution(state: _Conversion, operator: Any, depthwise: bool) -> None:
    source, weight, bias = (int(i) for i in operator.InputsAsNumpy())
    output = int(operator.Outputs(0))
    options = _options(operator, tflite.DepthwiseConv2DOptions if depthwise else tflite.Conv2DOptions)
    if (options.DilationHFactor(), options.DilationWFactor()) != (1, 1):
        raise UnsupportedOperatorError("dilated convolution")
    # TFLite stores (out, kh, kw, in) or, depthwise, (1, kh, kw, channels); ONNX wants (out, in / group, kh, kw).
    values = state.weights(weight).transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
    stride = (options.StrideH(), options.StrideW())
    kernel = (values.shape[2], values.shape[3])
    channels = state.shape(source)[3]
    if depthwise and values.shape[0] != channels:
        raise UnsupportedOperatorError("depthwise convolution with a channel multiplier")
    state.emit_activated(
        options.FusedActivationFunction(),
        "Conv",
        [
            state.name(source),
            state.constant(f"w{output}", np.ascontiguousarray(values)),
            state.constant(f"b{output}", state.weights(bias)),
        ],
        state.name(output),
        kernel_shape=list(kernel),
        strides=list(stride),
        pads=_pads(options.Padding(), state.shape(source)[1:3], kernel, stride),
        group=channels if depthwise else 1,
    )


def _max_pool(state: _Conversion, operator: Any) -> None:
    source, output = int(operator.Inputs(0)), int(operator.Outputs(0))
    options = _options(operator, tflite.Pool2DOptions)
    kernel = (options.FilterHeight(), options.FilterWidth())
    stride = (options.StrideH(), options.StrideW())
    state.emit_activated(
        options.FusedActivationFunction(),
        "MaxPool",
        [state.name(source)],
        state.name(output),
        kernel_shape=list(kernel),
        strides=list(stride),
        pads=_pads(options.Padding(), state.shape(source)[1:3], kernel, stride),
    )


def _pad(state: _Conversion, operator: Any) -> None:
    source, amount = (int(i) for i in operator.InputsAsNumpy())
    output = int(operator.Outputs(0))
    amounts = state.stored(amount)
    if amounts is None:
        raise UnsupportedOperatorError("PAD with computed amounts")
    nchw = amounts[[0, 3, 1, 2]].astype(np.int64)
    pads = state.constant(f"pads{output}", np.concatenate([nchw[:, 0], nchw[:, 1]]))
    state.emit("Pad", [state.name(source), pads], state.name(output), mode="constant")


def _binary(state: _Conversion, operator: Any, kind: str, options: type) -> None:
    first, second = (state.operand(int(i)) for i in operator.InputsAsNumpy())
    activation = _options(operator, options).FusedActivationFunction()
    state.emit_activated(activation, kind, [first, second], state.name(int(operator.Outputs(0))))


def _unary(state: _Conversion, operator: Any, kind: str) -> None:
    state.emit(kind, [state.name(int(operator.Inputs(0)))], state.name(int(operator.Outputs(0))))


def _prelu(state: _Conversion, operator: Any) -> None:
    source, slope = (int(i) for i in operator.InputsAsNumpy())
    state.emit("PRelu", [state.name(source), state.operand(slope)], state.name(int(operator.Outputs(0))))


def _dequantize(state: _Conversion, operator: Any) -> None:
    source, output = int(operator.Inputs(0)), int(operator.Outputs(0))
    state.constants[state.name(output)] = state.weights(source)


def _flatten(state: _Conversion, operator: Any) -> None:
    source, output = int(operator.Inputs(0)), int(operator.Outputs(0))
    if state.shape(source)[1:3] != (1, 1):
        raise UnsupportedOperatorError("RESHAPE of a picture: only (N, 1, 1, C) is known to keep its order")
    state.emit("Flatten", [state.name(source)], state.name(output), axis=1)


_CONVERTERS: dict[str, Callable[[_Conversion, Any], None]] = {
    "CONV_2D": lambda state, operator: _convolution(state, operator, depthwise=False),
    "DEPTHWISE_CONV_2D": lambda state, operator: _convolution(state, operator, depthwise=True),
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "ADD": lambda state, operator: _binary(state, operator, "Add", tflite.AddOptions),
    "SUB": lambda state, operator: _binary(state, operator, "Sub", tflite.SubOptions),
    "MUL": lambda state, operator: _binary(state, operator, "Mul", tflite.MulOptions),
    "ABS": lambda state, operator: _unary(state, operator, "Abs"),
    "RELU": lambda state, operator: _unary(state, operator, "Relu"),
    "PRELU": _prelu,
    "DEQUANTIZE": _dequantize,
    "RESHAPE": _flatten,
}


def convert(data: bytes) -> onnx.ModelProto:
    """Convert a TFLite file with one picture input.

    Parameters
    ----------
    data
        The bytes of a ``.tflite`` file, float32 activations.

    Returns
    -------
    onnx.ModelProto
        One input ``input`` float32 (N, C, H, W) and the file's outputs, in its order, named ``output0``, ...:
        float32 (N, d), or (N, C, H, W) where the file gives pictures.

    Raises
    ------
    UnsupportedOperatorError
        If the file has more than one subgraph or input, or an operator outside the table above.
    """
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() != 1 or model.Subgraphs(0).InputsLength() != 1:
        raise UnsupportedOperatorError("more than one subgraph or input")
    state = _Conversion(model, model.Subgraphs(0))
    graph = state.graph
    for position in range(graph.OperatorsLength()):
        operator = graph.Operators(position)
        code = model.OperatorCodes(operator.OpcodeIndex())
        # Files older than schema 3a keep the operator in the deprecated field; it is 0 in neither or one of the two.
        kind = _OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        if kind not in _CONVERTERS:
            raise UnsupportedOperatorError(kind)
        _CONVERTERS[kind](state, operator)
    source = int(graph.Inputs(0))
    _, height, width, channels = state.shape(source)
    outputs = [int(i) for i in graph.OutputsAsNumpy()]
    renamed = {state.name(source): "input"} | {state.name(index): f"output{k}" for k, index in enumerate(outputs)}
    used: set[str] = set()
    for node in state.nodes:
        for names in (node.input, node.output):
            names[:] = [renamed.get(name, name) for name in names]
        used.update(node.input)
    shapes = [[s[0], s[3], s[1], s[2]] if len(s) == 4 else list(s) for s in map(state.shape, outputs)]
    return helper.make_model(
        helper.make_graph(
            state.nodes,
            "converted",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", channels, height, width])],
            [
                helper.make_tensor_value_info(f"output{k}", TensorProto.FLOAT, ["N", *shape[1:]])
                for k, shape in enumerate(shapes)
            ],
            [numpy_helper.from_array(v, name) for name, v in state.constants.items() if name in used],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
