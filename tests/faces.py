"""The faces that installed packages carry, and the real chain, for tests that need them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from facegui.faces.catalog import Catalog
from facegui.faces.pipeline import FacePipeline
from facegui.faces.session import OnnxNetwork
from facegui.services import build_pipeline

GROUP_SIZE = 6
"""Faces in insightface's group picture."""


def _inside(package: str, path: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / path


def group() -> Path:
    """Six people in a row (insightface)."""
    return _inside("insightface", "data/images/t1.jpg")


def astronaut() -> Path:
    """Eileen Collins (scikit-image, public domain)."""
    return _inside("skimage", "data/astronaut.png")


def hopper() -> Path:
    """Grace Hopper (matplotlib, public domain)."""
    return _inside("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


def real_pipeline(model: str = "arcface", score: float = 0.6, precision: str = "balanced") -> FacePipeline:
    """The chain with bundled models on the processor."""
    catalog = Catalog()
    embedder = catalog.model(model, "embedder")
    detector = catalog.models("detector")[0]
    points = catalog.models("landmarks")[0]
    networks = [OnnxNetwork(info.file, provider="cpu") for info in (detector, embedder, points)]
    return build_pipeline(
        catalog, networks[0], networks[1], embedder.sha256, networks[2], score=score, precision=precision
    )


class FakeNetwork:
    """Stands in for a network: gives what a function makes of the inputs."""

    batch = 32
    threads = 1

    def __init__(self, make) -> None:  # type: ignore[no-untyped-def]
        self._make = make
        self.calls: list[tuple[int, ...]] = []

    @property
    def report(self):  # type: ignore[no-untyped-def]
        raise AssertionError("a fake has no provider")

    def single(self):  # type: ignore[no-untyped-def]
        return self

    def run(self, inputs):  # type: ignore[no-untyped-def]
        (value,) = inputs.values()
        self.calls.append(value.shape)
        return self._make(value)


def unit(rng: np.random.Generator, dimension: int = 8) -> np.ndarray:
    """A random vector of length one."""
    vector = rng.standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)
