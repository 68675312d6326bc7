"""Read an ONNX graph, change it exactly, write it again: the steps that every bundled model goes through.

All arithmetic on weights happens in float64 and is rounded to float32 once per step, so that the same source file
gives the same bytes on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
PRODUCER = "facegui"


@dataclass(frozen=True, slots=True)
class Codes:
    """The integers from which a weight was dequantised, kept so that it can be stored as integers again.

    ``quantised`` and ``zero_point`` are int8 of shape (rows, blocks, block) and (rows, blocks, 1); ``columns`` holds
    the factor, float32 (columns,), that later steps put on each input channel.
    """

    quantised: np.ndarray
    zero_point: np.ndarray
    columns: np.ndarray

    def for_columns(self, count: int) -> Codes:
        """Return the codes of the same weight with its row seen as ``count`` input channels."""
        return replace(self, columns=np.ones(count, np.float32))


class Network:
    """An ONNX graph as nodes in execution order and named NumPy weights.

    Parameters
    ----------
    model
        The model to read. Weights that it also lists as graph inputs are weights here.
    prefix
        Put before every name, so that two networks can be joined without a clash. The graph inputs keep theirs.
    """

    def __init__(self, model: Any, prefix: str = "") -> None:
        graph = model.graph
        self.weights: dict[str, np.ndarray] = {
            prefix + item.name: numpy_helper.to_array(item).copy() for item in graph.initializer
        }
        stored = {item.name for item in graph.initializer}
        self.inputs: list[str] = [item.name for item in graph.input if item.name not in stored]
        self.outputs: list[str] = [prefix + item.name for item in graph.output]
        self.codes: dict[str, Codes] = {}
        self.nodes: list[Any] = []
        for source in graph.node:
            node = onnx.NodeProto()
            node.CopyFrom(source)
            node.input[:] = [name if name in self.inputs or not name else prefix + name for name in node.input]
            node.output[:] = [prefix + name for name in node.output]
            self.nodes.append(node)

    def producer(self, name: str) -> Any | None:
        """Return the node that computes the tensor, or None for a graph input or a weight."""
        return next((node for node in self.nodes if name in node.output), None)

    def consumers(self, name: str) -> list[Any]:
        """Return the nodes that read the tensor."""
        return [node for node in self.nodes if name in node.input]

    def of_kind(self, *kinds: str) -> list[Any]:
        """Return the nodes of these operator types, in order."""
        return [node for node in self.nodes if node.op_type in kinds]

    def replace(self, old: list[Any], new: list[Any]) -> None:
        """Put nodes where the last one of the old nodes stands, and remove all the old ones."""
        place = max(self._position(node) for node in old)
        self.nodes[place + 1 : place + 1] = new
        gone = {id(node) for node in old}
        self.nodes = [node for node in self.nodes if id(node) not in gone]

    def _position(self, wanted: Any) -> int:
        return next(place for place, node in enumerate(self.nodes) if node is wanted)

    def rename(self, old: str, new: str) -> None:
        """Give a computed tensor, a graph input or a graph output another name."""
        for node in self.nodes:
            node.input[:] = [new if name == old else name for name in node.input]
            node.output[:] = [new if name == old else name for name in node.output]
        self.inputs = [new if name == old else name for name in self.inputs]
        self.outputs = [new if name == old else name for name in self.outputs]

    def attributes(self, node: Any) -> dict[str, Any]:
        """Return a node's attributes as a dictionary."""
        return {item.name: helper.get_attribute_value(item) for item in node.attribute}

    def scale_rows(self, name: str, factors: np.ndarray) -> None:
        """Multiply a weight along its first axis, the output channels."""
        values = self.weights[name]
        shaped = factors.astype(np.float64).reshape(-1, *([1] * (values.ndim - 1)))
        self.weights[name] = (values.astype(np.float64) * shaped).astype(np.float32)

    def scale_columns(self, name: str, factors: np.ndarray) -> None:
        """Multiply a weight along its second axis, the input channels."""
        values = self.weights[name]
        shaped = factors.astype(np.float64).reshape(1, -1, *([1] * (values.ndim - 2)))
        self.weights[name] = (values.astype(np.float64) * shaped).astype(np.float32)
        if name in self.codes:
            codes = self.codes[name]
            self.codes[name] = replace(codes, columns=codes.columns * factors.astype(np.float32).ravel())

    def model(self, inputs: list[Any], outputs: list[Any], name: str) -> bytes:
        """Write the network as an ONNX file with just the nodes and weights that its outputs need."""
        nodes = _needed(self.nodes, [item.name for item in outputs])
        used = {tensor for node in nodes for tensor in node.input}
        for node in nodes:
            node.name = f"{node.op_type}:{node.output[0]}"
            node.doc_string = ""
        graph = helper.make_graph(
            nodes,
            name,
            inputs,
            outputs,
            [numpy_helper.from_array(v, key) for key, v in self.weights.items() if key in used],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=PRODUCER,
        )
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString(deterministic=True)
        return data


def _needed(nodes: list[Any], outputs: Iterable[str]) -> list[Any]:
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def pixels_input(size: int | None) -> Any:
    """Describe the input that every bundled model takes: uint8 (N, H, W, 3), RGB."""
    height, width = (size, size) if size else ("H", "W")
    return helper.make_tensor_value_info("input", TensorProto.UINT8, ["N", height, width, 3])


def float_output(name: str, *shape: int | str) -> Any:
    """Describe a float32 output of shape (N, ...)."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])


def fold_dequantisation(network: Network) -> None:
    """Compute every DequantizeLinear of a stored weight, with the Reshape that may follow, once and for all.

    Blocks lie along the last axis (one block may be the whole row). The integers are remembered in
    ``network.codes`` for weights of two or more axes.
    """
    for node in network.of_kind("DequantizeLinear"):
        quantised, scale, zero_point = (network.weights[name] for name in node.input)
        blocks = scale.shape[-1]
        shape = (*quantised.shape[:-1], blocks, quantised.shape[-1] // blocks)
        grid = quantised.reshape(shape).astype(np.float32) - zero_point[..., None].astype(np.float32)
        values = grid * scale[..., None]
        target = values.reshape(quantised.shape).astype(np.float32)
        name = node.output[0]
        following = network.consumers(name)
        removed = [node]
        if len(following) == 1 and following[0].op_type == "Reshape":
            target = target.reshape(network.weights[following[0].input[1]])
            name = following[0].output[0]
            removed.append(following[0])
        network.weights[name] = target
        if quantised.ndim > 1:
            ones = np.ones(target.shape[1], np.float32)
            network.codes[name] = Codes(quantised.reshape(shape), zero_point[..., None], ones)
        network.replace(removed, [])


def drop_kind(network: Network, *kinds: str) -> None:
    """Take out nodes that only hand their first input on (Dropout, Identity)."""
    for node in network.of_kind(*kinds):
        source, target = node.input[0], node.output[0]
        network.replace([node], [])
        for consumer in network.consumers(target):
            consumer.input[:] = [source if name == target else name for name in consumer.input]
        network.outputs = [source if name == target else name for name in network.outputs]


def batch_norm(network: Network, node: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a BatchNormalization as float64 (factor, shift) per channel."""
    gamma, beta, mean, variance = (network.weights[name].astype(np.float64) for name in node.input[1:5])
    factor = gamma / np.sqrt(variance + network.attributes(node)["epsilon"])
    return factor, beta - mean * factor


def fold_batch_norm(network: Network) -> None:
    """Fold each BatchNormalization into the Conv or Gemm (transB = 1) before it, where there is one."""
    for node in network.of_kind("BatchNormalization"):
        before = network.producer(node.input[0])
        if before is None or before.op_type not in ("Conv", "Gemm"):
            continue
        factor, shift = batch_norm(network, node)
        network.scale_rows(before.input[1], factor)
        if len(before.input) > 2:
            shift = shift + network.weights[before.input[2]].astype(np.float64) * factor
            del before.input[2]
        bias = before.input[1] + "_bias"
        network.weights[bias] = shift.astype(np.float32)
        before.input.append(bias)
        target = node.output[0]
        network.replace([node], [])
        before.output[0] = target


def match_prelu(network: Network) -> None:
    """Turn ``relu(x) + c * (x - abs(x))``, TFLite's spelling, into ``PRelu(x, 2c)``."""
    for absolute in network.of_kind("Abs"):
        source = absolute.input[0]
        (difference,) = network.consumers(absolute.output[0])
        (product,) = network.consumers(difference.output[0])
        (total,) = network.consumers(product.output[0])
        relu = network.producer(next(name for name in total.input if name != product.output[0]))
        constant = next(name for name in product.input if name in network.weights)
        if relu is None or relu.op_type != "Relu" or list(difference.input) != [source, absolute.output[0]]:
            raise ValueError(f"{absolute.output[0]} is not part of the expected PReLU pattern")
        network.weights[constant] = network.weights[constant] * np.float32(2)
        parametric = helper.make_node("PRelu", [source, constant], [total.output[0]])
        network.replace([absolute, difference, product, relu, total], [parametric])


def widen_by_convolution(network: Network) -> None:
    """Turn a Pad that only appends zero channels into a 1x1 convolution, which stays in the blocked layout."""
    for node in network.of_kind("Pad"):
        amounts = network.weights[node.input[1]]
        before, extra = int(amounts[1]), int(amounts[5])
        if before or np.count_nonzero(amounts) != 1:
            raise ValueError(f"{node.output[0]} pads more than the end of the channels")
        (sum_node,) = network.consumers(node.output[0])
        branch = next(network.producer(name) for name in sum_node.input if name != node.output[0])
        width = len(network.weights[branch.input[1]]) if branch is not None else 0
        weight = f"{node.output[0]}_weight"
        network.weights[weight] = np.eye(width, width - extra, dtype=np.float32)[:, :, None, None]
        network.replace([node], [helper.make_node("Conv", [node.input[0], weight], [node.output[0]])])


def store_as_halves(network: Network, smallest: int) -> None:
    """Store large weights that float16 holds exactly as float16; a Cast, folded at load, makes them float32 again."""
    casts = []
    for name, values in list(network.weights.items()):
        if values.dtype != np.float32 or values.size < smallest:
            continue
        halves = values.astype(np.float16)
        if np.array_equal(halves.astype(np.float32), values):
            network.weights[f"{name}.half"] = halves
            del network.weights[name]
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    network.nodes[:0] = casts


def store_as_integers(network: Network, smallest: int) -> None:
    """Store large dequantised weights as int8 again, exactly, with the factors that earlier steps put on their rows.

    The operators written before the weight (Cast, Sub, Mul, Reshape of constants) are folded by ONNX Runtime while a
    session is made: the loaded network is the float32 one. DequantizeLinear is not used because ONNX Runtime leaves
    that operator in the graph and its CPU kernels refuse some of the blocked forms.

    Parameters
    ----------
    smallest
        Weights with fewer elements stay float32.

    Raises
    ------
    ValueError
        If a weight is no longer an integer grid times one factor per block.
    """
    used = {name for node in network.nodes for name in node.input}
    for name, codes in network.codes.items():
        values = network.weights[name]
        if values.size < smallest or name not in used:
            continue
        grid = codes.quantised.astype(np.float64) - codes.zero_point.astype(np.float64)
        columns = codes.columns.reshape(1, -1, *([1] * (values.ndim - 2)))
        wanted = (values.astype(np.float64) / columns).reshape(grid.shape)
        largest = np.abs(grid).argmax(axis=-1, keepdims=True)
        divisor = np.take_along_axis(grid, largest, -1)
        factor = np.take_along_axis(wanted, largest, -1) / np.where(divisor == 0, 1, divisor)
        restored = grid.astype(np.float32) * factor.astype(np.float32)
        if not np.allclose(restored, wanted, rtol=1e-5, atol=1e-7 * float(np.abs(wanted).max())):
            raise ValueError(f"{name} is no longer a grid of integers times a factor per block")
        del network.weights[name]
        stored = {
            "q": codes.quantised,
            "z": codes.zero_point,
            "s": factor.astype(np.float32),
            "shape": np.array(values.shape, np.int64),
        }
        plain = bool(np.all(columns == 1))
        if not plain:
            stored["columns"] = columns.astype(np.float32)
        network.weights.update({f"{name}.{key}": value for key, value in stored.items()})
        rows = name if plain else f"{name}.rows"
        constants = [
            helper.make_node("Cast", [f"{name}.q"], [f"{name}.qf"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [f"{name}.z"], [f"{name}.zf"], to=TensorProto.FLOAT),
            helper.make_node("Sub", [f"{name}.qf", f"{name}.zf"], [f"{name}.grid"]),
            helper.make_node("Mul", [f"{name}.grid", f"{name}.s"], [f"{name}.blocks"]),
            helper.make_node("Reshape", [f"{name}.blocks", f"{name}.shape"], [rows]),
        ]
        if not plain:
            constants.append(helper.make_node("Mul", [rows, f"{name}.columns"], [name]))
        network.nodes[:0] = constants
