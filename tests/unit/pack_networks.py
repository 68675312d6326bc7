"""Networks made for the tests of added models: small ones with random weights, and bundled ones in other clothes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facegui.faces.catalog import Catalog

TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}


def save(model: Any, file: Path) -> Path:
    file.write_bytes(model.SerializeToString(deterministic=True))
    return file


def resnet(
    *,
    dimension: int = 32,
    layout: str = "NCHW",
    kind: str = "float32",
    size: tuple[int, int] = (112, 112),
    batch: int | str = "N",
    fixed: bool = False,
    seed: int = 0,
    opset: int = 11,
    outputs: int = 1,
    weights_as_inputs: bool = False,
) -> Any:
    """A small network in the style of ArcFace's ResNets: convolutions, normalisation, PReLU, one residual sum.

    `fixed` flattens with the number of faces written into the graph, as some exporters do.
    """
    rng = np.random.default_rng(seed)
    floats = np.float16 if kind == "float16" else np.float32
    weights: dict[str, np.ndarray] = {
        "w1": rng.standard_normal((12, 3, 7, 7)).astype(floats) * floats(0.1),
        "w2": rng.standard_normal((12, 12, 3, 3)).astype(floats) * floats(0.15),
        "slope": rng.uniform(0.1, 0.4, (12, 1, 1)).astype(floats),
        "gamma": np.ones(12, floats), "beta": np.zeros(12, floats),
        "mean": np.zeros(12, floats), "variance": np.ones(12, floats),
    }  # fmt: skip
    height, width = size
    rows, columns = (-(-side // 8) for side in size)
    rows, columns = rows // 4, columns // 4
    weights["w3"] = rng.standard_normal((12 * rows * columns, dimension)).astype(floats) * floats(0.1)
    if fixed:
        weights["shape"] = np.array([batch, 12 * rows * columns], np.int64)
    nodes = []
    last = "data"
    if kind == "uint8":
        nodes.append(helper.make_node("Cast", [last], ["as_float"], to=TensorProto.FLOAT))
        last = "as_float"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [last], ["planes"], perm=[0, 3, 1, 2]))
        last = "planes"
    nodes += [
        helper.make_node("Conv", [last, "w1"], ["c1"], strides=[8, 8], pads=[3, 3, 3, 3], kernel_shape=[7, 7]),
        helper.make_node("BatchNormalization", ["c1", "gamma", "beta", "mean", "variance"], ["n1"]),
        helper.make_node("PRelu", ["n1", "slope"], ["p1"]),
        helper.make_node("Conv", ["p1", "w2"], ["c2"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("Add", ["c2", "p1"], ["sum"]),
        helper.make_node("MaxPool", ["sum"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Reshape", ["pooled", "shape"], ["flat"])
        if fixed
        else helper.make_node("Flatten", ["pooled"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "w3"], ["features"]),
    ]
    picture = [3, height, width] if layout == "NCHW" else [height, width, 3]
    number = [batch] if isinstance(batch, str) or batch else [None]
    inputs = [helper.make_tensor_value_info("data", TYPES[kind], [*number, *picture])]
    result = TensorProto.FLOAT16 if kind == "float16" else TensorProto.FLOAT
    if weights_as_inputs:
        inputs += [
            helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for key, value in weights.items()
        ]
    results = [helper.make_tensor_value_info("features", result, [*number, dimension])]
    for place in range(1, outputs):
        nodes.append(helper.make_node("Identity", ["features"], [f"features_{place}"]))
        results.append(helper.make_tensor_value_info(f"features_{place}", result, [*number, dimension]))
    graph = helper.make_graph(
        nodes, "resnet", inputs, results, [numpy_helper.from_array(value, key) for key, value in weights.items()]
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=3 if weights_as_inputs else 8
    )


def disguised(
    model_id: str = "arcface",
    *,
    colour: str = "BGR",
    mean: float = 127.5,
    scale: float = 1 / 127.5,
    layout: str = "NCHW",
    batch: int | str = "N",
) -> Any:
    """A bundled network as a stranger would publish it: prepared pixels in, features of any length out."""
    model = onnx.compose.add_prefix(onnx.load(Catalog().model(model_id).file), "inner/")
    graph = model.graph
    stored = {"factor": np.float32(1 / scale), "mean": np.float32(mean), "length": np.float32(7.0)}
    nodes = [
        helper.make_node("Mul", ["data", "factor"], ["unscaled"]),
        helper.make_node("Add", ["unscaled", "mean"], ["shifted"]),
        helper.make_node("Round", ["shifted"], ["rounded"]),
        helper.make_node("Clip", ["rounded", "low", "high"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["pixels"], to=TensorProto.UINT8),
    ]
    stored |= {"low": np.float32(0), "high": np.float32(255)}
    last = "pixels"
    if layout == "NCHW":
        nodes.append(helper.make_node("Transpose", [last], ["rows"], perm=[0, 2, 3, 1]))
        last = "rows"
    if colour == "BGR":
        stored["turn"] = np.array([2, 1, 0], np.int64)
        nodes.append(helper.make_node("Gather", [last, "turn"], ["colours"], axis=3))
        last = "colours"
    nodes.append(helper.make_node("Identity", [last], ["inner/input"]))
    nodes += [*graph.node, helper.make_node("Mul", ["inner/embedding", "length"], ["features"])]
    picture = [3, 112, 112] if layout == "NCHW" else [112, 112, 3]
    dimension = Catalog().model(model_id).dimension
    made = helper.make_graph(
        nodes,
        "disguised",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, *picture])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [batch, dimension])],
        [*graph.initializer, *(numpy_helper.from_array(np.asarray(value), key) for key, value in stored.items())],
    )
    return helper.make_model(made, opset_imports=model.opset_import, ir_version=8)


def detector() -> Any:
    """Something with the inputs and outputs of SCRFD: three strides, each with scores, boxes and points."""
    nodes, outputs = [], []
    for place, (kind, numbers) in enumerate(
        (kind, n) for kind, n in (("score", 1), ("box", 4), ("key", 10)) for _ in range(3)
    ):
        name = f"{kind}_{place}"
        nodes += [
            helper.make_node("GlobalAveragePool", ["data"], [f"{name}_mean"]),
            helper.make_node("Reshape", [f"{name}_mean", "shape"], [f"{name}_flat"]),
            helper.make_node("Gemm", [f"{name}_flat", f"weights_{numbers}"], [name]),
        ]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, numbers]))
    weights = {f"weights_{n}": np.full((3, n), 0.1, np.float32) for n in (1, 4, 10)}
    stored = [numpy_helper.from_array(value, key) for key, value in weights.items()]
    stored.append(numpy_helper.from_array(np.array([1, 3], np.int64), "shape"))
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, None, None])]
    graph = helper.make_graph(nodes, "detector", inputs, outputs, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def pack(recogniser: Any | None = None) -> dict[str, bytes]:
    """The files of a pack as InsightFace lays it out: recogniser, detector, and networks for age and points."""
    networks = {
        "w600k_small.onnx": recogniser or resnet(dimension=64, seed=11),
        "det_small.onnx": detector(),
        "genderage.onnx": resnet(dimension=3, size=(96, 96), seed=12),
        "2d106det.onnx": resnet(dimension=212, size=(192, 192), seed=13),
    }
    return {name: model.SerializeToString(deterministic=True) for name, model in networks.items()}


def zipped(files: dict[str, bytes], around: str = "") -> bytes:
    """A zip file of some files, in a folder if wanted."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(f"{around}{name}", data)
    return content.getvalue()
