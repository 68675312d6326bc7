"""What a network from elsewhere takes and gives, as far as its file says.

The parser of ONNX is written in C++ and reads files of strangers here: only call this in a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facegui.errors import KnownError
from facegui.faces.align import CROP_SIZE

__all__ = ["CHANNELS", "LEAST_NUMBERS", "Form", "describe", "free_batch", "load", "unsuitable", "write"]

LEAST_NUMBERS = 16
"""Fewer numbers than this cannot tell people apart; networks for age or sex give 2 or 3."""

CHANNELS = 3
_MOST_SIDE = 1024
_KINDS = {1: "float32", 2: "uint8", 10: "float16"}  # onnx.TensorProto.DataType


@dataclass(frozen=True, slots=True)
class Form:
    """What a network takes and gives.

    Attributes
    ----------
    source, target : str
        Names of its input and of the output that is the embedding.
    layout : str
        ``NCHW`` or ``NHWC``.
    kind : str
        ``float32``, ``float16`` or ``uint8``.
    height, width : int
        In pixels.
    batch : int
        Faces at a time; 0 where that is free.
    opset : int
    certain : bool
        Whether the file says the layout; where all axes are free it is a guess that must be tried.
    """

    source: str
    target: str
    layout: str
    kind: str
    height: int
    width: int
    batch: int
    opset: int
    certain: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """Axes of one picture as the network takes it."""
        if self.layout == "NCHW":
            return CHANNELS, self.height, self.width
        return self.height, self.width, CHANNELS


def unsuitable(name: str, why: str) -> KnownError:
    """Return the error for a file that is no embedder."""
    return KnownError(
        f"{name} cannot be used as a model.",
        why,
        "Choose an ONNX file of a face embedder: one picture in, one list of numbers out.",
    )


def load(file: Path) -> Any:
    """Read a file, with weights that lie beside it, as ``onnx.ModelProto``.

    Raises
    ------
    KnownError
        It is no ONNX file, or a part of it is missing.
    """
    import onnx

    try:
        model = onnx.load(str(file), format="protobuf", load_external_data=False)
    except OSError as error:
        raise KnownError(f"{file} cannot be read.", f"{error.strerror or error}.", "Check its name.") from error
    except Exception as error:  # protobuf raises its own types
        raise unsuitable(file.name, "It is not an ONNX file, or it is damaged.") from error
    if not model.graph.node:
        raise unsuitable(file.name, "It is not an ONNX file, or there is no network in it.")
    try:
        onnx.load_external_data_for_model(model, str(file.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise KnownError(
            f"{file.name} cannot be used as a model.",
            "Its weights lie in another file, which is missing or damaged.",
            "Put that file into the same folder under its old name.",
        ) from error
    return model


def _axes(value: Any) -> list[int]:
    """Return the lengths of the axes of an input or output; 0 where free."""
    return [int(axis.dim_value) for axis in value.type.tensor_type.shape.dim]


def _has_shape(value: Any) -> bool:
    return bool(value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"))


def describe(model: Any, name: str) -> Form:
    """Find out what a network takes and gives.

    Raises
    ------
    KnownError
        It does not take one picture, or does not give one embedding.
    """
    graph = model.graph
    stored = {item.name for item in graph.initializer} | {item.values.name for item in graph.sparse_initializer}
    inputs = [item for item in graph.input if item.name not in stored]
    if len(inputs) != 1:
        names = ", ".join(item.name for item in inputs[:5]) or "none"
        raise unsuitable(name, f"It takes {len(inputs)} inputs ({names}) instead of one picture.")
    source = inputs[0]
    kind = _KINDS.get(source.type.tensor_type.elem_type)
    if kind is None:
        raise unsuitable(name, "Its input is neither float32 nor float16 nor uint8.")
    axes = _axes(source) if _has_shape(source) else [0, 0, 0, 0]
    if len(axes) != 4:
        raise unsuitable(name, f"Its input has {len(axes)} axes; a picture has four: number, height, width, colours.")
    layout, certain = _layout(axes, name)
    height, width = axes[2:] if layout == "NCHW" else axes[1:3]
    if max(height, width) > _MOST_SIDE:
        raise unsuitable(
            name, f"It wants pictures of {width} x {height} pixels; faces are {CROP_SIZE} x {CROP_SIZE} here."
        )
    opsets = [int(item.version) for item in model.opset_import if item.domain in ("", "ai.onnx")]
    return Form(
        source=source.name, target=_target(graph, name), layout=layout, kind=kind,
        height=height or width or CROP_SIZE, width=width or height or CROP_SIZE, batch=axes[0],
        opset=max(opsets, default=1), certain=certain,
    )  # fmt: skip


def _layout(axes: list[int], name: str) -> tuple[str, bool]:
    if axes[1] == CHANNELS:
        return "NCHW", True
    if axes[3] == CHANNELS:
        return "NHWC", True
    if not axes[1] or not axes[3]:
        return "NCHW", False
    raise unsuitable(name, f"Its input is {' x '.join(map(str, axes))}: no axis holds the three colours.")


def _target(graph: Any, name: str) -> str:
    """Return the output that is an embedding: one list of at least so many numbers per face."""
    fitting = [item.name for item in graph.output if not _has_shape(item) or _is_list(_axes(item))]
    if len(fitting) == 1:
        return str(fitting[0])
    if len(graph.output) > 1:
        raise unsuitable(name, f"It gives {len(graph.output)} outputs, as detectors do, instead of one embedding.")
    axes = _axes(graph.output[0]) if graph.output else []
    shown = " x ".join(str(axis or "n") for axis in axes) or "nothing"
    raise unsuitable(name, f"It gives {shown} instead of one list of at least {LEAST_NUMBERS} numbers per face.")


def _is_list(axes: list[int]) -> bool:
    return len(axes) >= 2 and all(axis == 1 for axis in axes[2:]) and (not axes[1] or axes[1] >= LEAST_NUMBERS)


def free_batch(model: Any, form: Form) -> tuple[Any, Form]:
    """Return a copy whose number of faces is free; whether it still computes the same must be tried."""
    copy = type(model)()
    copy.CopyFrom(model)
    stored = {form.source, form.target}
    for item in (*copy.graph.input, *copy.graph.output):
        if item.name in stored and _has_shape(item):
            item.type.tensor_type.shape.dim[0].dim_param = "N"
    del copy.graph.value_info[:]  # they say the old number
    return copy, replace(form, batch=0)


def write(model: Any, file: Path) -> None:
    """Write a model; the same model gives the same bytes.

    Raises
    ------
    KnownError
        It is too large for one file, or the disk is full.
    """
    try:
        data = model.SerializeToString(deterministic=True)
    except Exception as error:  # protobuf raises its own types
        raise unsuitable(file.name, "It is larger than 2 GB, the most that one ONNX file can hold.") from error
    try:
        file.write_bytes(data)
    except OSError as error:
        raise KnownError(
            "The model could not be written.",
            f"{file.parent}: {error.strerror or error}.",
            "Check that the disk is not full and the folder can be written.",
        ) from error
