"""Stands in for ONNX Runtime on a machine with a graphics card, and remembers what it was asked."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from facegui.faces import session
from facegui.faces.providers import PROVIDERS

CARD = "Test card"
CPU = PROVIDERS["cpu"]


class FakeBinding:
    """Remembers what was bound; a run fills `results`."""

    def __init__(self, said: list[tuple[Any, ...]]) -> None:
        self.said = said
        self.inputs: dict[str, FakeValue] = {}
        self.outputs: dict[str, str] = {}
        self.results: list[np.ndarray] = []

    def bind_ortvalue_input(self, name: str, value: FakeValue) -> None:
        self.inputs[name] = value

    def bind_output(self, name: str, device: str) -> None:
        self.outputs[name] = device

    def synchronize_inputs(self) -> None:
        self.said.append(("inputs there",))

    def synchronize_outputs(self) -> None:
        self.said.append(("outputs there",))

    def copy_outputs_to_cpu(self) -> list[np.ndarray]:
        return self.results


class FakeValue:
    """An array on the card."""

    made: ClassVar[list[tuple[tuple[int, ...], str, int]]] = []

    def __init__(self, array: np.ndarray, device: str, number: int) -> None:
        self.array = array.copy()
        self.made.append((array.shape, device, number))

    @classmethod
    def ortvalue_from_numpy(cls, array: np.ndarray, device: str, number: int) -> FakeValue:
        return cls(array, device, number)

    def update_inplace(self, array: np.ndarray) -> None:
        assert array.shape == self.array.shape
        self.array[:] = array


class FakeSession:
    """Gives, for each picture, its mean and the number of its bucket, scaled to length one."""

    def __init__(self, machine: Machine, file: str, options: Any, listed: list[Any]) -> None:
        self.machine, self.file, self.options, self.listed = machine, file, options, listed
        names = [each if isinstance(each, str) else each[0] for each in listed]
        self.got = [name for name in names if name in machine.working]
        self.said: list[tuple[Any, ...]] = []
        self.batches: list[int] = []
        self.bindings: list[FakeBinding] = []
        machine.sessions.append(self)

    @property
    def provider_options(self) -> dict[str, dict[str, str]]:
        return {each[0]: each[1] for each in self.listed if not isinstance(each, str)}

    def get_providers(self) -> list[str]:
        return self.got

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="input", shape=["N", 112, 112, 3], type="tensor(uint8)")]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name=name, shape=["N", 2]) for name in self.machine.outputs]

    def compute(self, pixels: np.ndarray) -> list[np.ndarray]:
        self.batches.append(len(pixels))
        means = pixels.reshape(len(pixels), -1).mean(1)
        error = self.machine.half_error if "half" in self.file else 0.0
        made = np.stack([means + 1, np.full(len(pixels), 100.0 + error)], 1).astype(np.float32)
        return [made / np.linalg.norm(made, axis=1, keepdims=True)] * len(self.machine.outputs)

    def run(self, names: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        return self.compute(inputs["input"])

    def io_binding(self) -> FakeBinding:
        self.bindings.append(FakeBinding(self.said))
        return self.bindings[-1]

    def run_with_iobinding(self, binding: FakeBinding) -> None:
        self.said.append(("run", binding.inputs["input"].array.shape))
        binding.results = self.compute(binding.inputs["input"].array)


class Machine:
    """A machine on which some providers are built in and some of them work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str, working: tuple[str, ...] | None = None) -> None:
        import onnxruntime

        self.sessions: list[FakeSession] = []
        self.outputs: tuple[str, ...] = ("embedding",)
        self.half_error = 0.0
        self.folded = 0
        built_in = [PROVIDERS[name] for name in (*names, "cpu")]
        self.working = built_in if working is None else [PROVIDERS[name] for name in (*working, "cpu")]
        monkeypatch.setattr(FakeValue, "made", [])
        card = CARD if {"cuda", "tensorrt"} & set(names) else None
        monkeypatch.setattr(session, "graphics_card", lambda: card)
        monkeypatch.setattr(session, "_preload", lambda: None)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: built_in)
        monkeypatch.setattr(onnxruntime, "OrtValue", FakeValue)
        made = partial(FakeSession, self)
        monkeypatch.setattr(
            onnxruntime, "InferenceSession", lambda file, options, providers: made(file, options, providers)
        )
        monkeypatch.setattr(session, "_fold", self._fold)

    def _fold(self, file: Any, out: Any) -> None:
        self.folded += 1
        out.write_bytes(file.read_bytes())
