"""Runs of a network on a graphics card with inputs and outputs bound to its memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

__all__ = ["BoundRuns"]

_HELD = 16
"""Shapes whose places on the card are kept: all buckets of an embedder, the usual sizes of a detector."""

Allocate = Callable[[NDArray[Any]], Any]


class BoundRuns:
    """Runs a session on arrays: each shape has its own place on the card, which every further run fills again.

    Not for two threads at once.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    device : str
        ONNX Runtime's name of the card's memory.
    allocate : callable
        Puts an array on the card and returns the OrtValue.
    """

    def __init__(self, session: Any, device: str, allocate: Allocate) -> None:
        self._session = session
        self._device = device
        self._allocate = allocate
        self._outputs = [item.name for item in session.get_outputs()]
        self._held: OrderedDict[tuple[Any, ...], tuple[Any, dict[str, Any]]] = OrderedDict()

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs, in the order of the file, in the processor's memory."""
        key = tuple((name, array.shape, array.dtype.str) for name, array in inputs.items())
        held = self._held.get(key)
        if held is None:
            held = self._bind(inputs)
            self._held[key] = held
            if len(self._held) > _HELD:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(key)
            for name, array in inputs.items():
                held[1][name].update_inplace(array)
        binding = held[0]
        binding.synchronize_inputs()
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        outputs: list[NDArray[Any]] = binding.copy_outputs_to_cpu()
        return outputs

    def _bind(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[Any, dict[str, Any]]:
        binding = self._session.io_binding()
        places = {name: self._allocate(array) for name, array in inputs.items()}
        for name, place in places.items():
            binding.bind_ortvalue_input(name, place)
        for name in self._outputs:
            binding.bind_output(name, self._device)
        return binding, places
