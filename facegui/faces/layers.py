"""What a network does when it is run, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from facegui.faces.session import profile

__all__ = ["Layer", "layers"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of a network as it was run.

    Attributes
    ----------
    kind : str
        ONNX's name of the operator.
    inputs, outputs : tuple of tuple of int
        Shapes, weights included.
    microseconds : int
    """

    kind: str
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    microseconds: int


def layers(file: Path, inputs: Mapping[str, NDArray[Any]]) -> list[Layer]:
    """Run a network once on one thread of the processor and return what it did, step by step.

    Raises
    ------
    OSError
        The record cannot be written into the folder for temporary files.
    """
    return [
        Layer(
            event["args"]["op_name"],
            _shapes(event["args"], "input_type_shape"),
            _shapes(event["args"], "output_type_shape"),
            event["dur"],
        )
        for event in profile(file, inputs)
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time")
    ]


def _shapes(event: Mapping[str, Any], key: str) -> tuple[tuple[int, ...], ...]:
    """Return the shapes out of a list such as ``[{"float": [1, 64, 56, 56]}]``."""
    return tuple(tuple(shape) for item in event.get(key, ()) for shape in item.values())
