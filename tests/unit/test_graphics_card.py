"""What only a graphics card could show, tried on a stand-in: options, buckets, bound memory, 16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_runtime import CARD, CPU, FakeValue, Machine

from facegui import paths
from facegui.faces import half, session
from facegui.faces.bucketing import parts, run_in_buckets
from facegui.faces.catalog import Catalog
from facegui.faces.parity import beside_processor
from facegui.faces.providers import PROVIDERS
from facegui.faces.session import OnnxNetwork
from facegui.faces.tuning import BUCKETS, input_of, provider_list, tuning_for

CUDA, TENSORRT = PROVIDERS["cuda"], PROVIDERS["tensorrt"]


def faces(count: int) -> np.ndarray:
    values = np.linspace(0, 255, count).astype(np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, 112, 112, 3)).copy()


def embedder() -> Path:
    return Catalog().model("arcface").file


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [(0, 1, 1)]),
        (3, [(0, 3, 4)]),
        (32, [(0, 32, 32)]),
        (70, [(0, 32, 32), (32, 64, 32), (64, 70, 8)]),
    ],
)
def test_a_batch_is_cut_into_parts_that_fit_a_bucket(count: int, expected: list[tuple[int, int, int]]) -> None:
    assert list(parts(count, BUCKETS)) == expected


def test_filling_is_cut_off_again_and_the_order_is_kept() -> None:
    seen: list[int] = []

    def act(inputs):  # type: ignore[no-untyped-def]
        seen.append(len(inputs["input"]))
        return [inputs["input"] * 2, inputs["input"][:, :1]]

    given = np.arange(37 * 3).reshape(37, 3)
    doubled, first = run_in_buckets(act, {"input": given}, BUCKETS)
    assert seen == [32, 8]
    np.testing.assert_array_equal(doubled, given * 2)
    np.testing.assert_array_equal(first, given[:, :1])


def test_a_network_that_gives_another_number_of_results_is_found_out() -> None:
    with pytest.raises(ValueError, match="4 items went in"):
        run_in_buckets(lambda inputs: [inputs["input"][:2]], {"input": np.zeros((3, 1))}, BUCKETS)
    with pytest.raises(ValueError, match="at least 1"):
        run_in_buckets(lambda inputs: [], {"input": np.zeros((0, 1))}, BUCKETS)


def test_on_cuda_each_bucket_has_its_place_on_the_card_and_uses_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "cuda")
    machine.half_error = 1000.0  # so the network stays as it is
    network = OnnxNetwork(embedder(), provider="auto")
    batches = [network.run({"input": faces(count)})[0] for count in (3, 4, 2, 3)]
    used = machine.sessions[0]
    assert network.report.active == "CUDA"
    assert network.report.device == CARD
    assert network.batch == BUCKETS[-1]
    larger = [made for made in FakeValue.made if made[0][0] > 1]
    assert larger == [((4, 112, 112, 3), "cuda", 0), ((2, 112, 112, 3), "cuda", 0)]
    assert len(used.bindings) == 2
    assert all(binding.outputs == {"embedding": "cuda"} for binding in used.bindings)
    assert used.said[:3] == [("inputs there",), ("run", (4, 112, 112, 3)), ("outputs there",)]
    assert [len(batch) for batch in batches] == [3, 4, 2, 3]
    np.testing.assert_array_equal(batches[0], batches[3])
    assert batches[0][0, 0] < batches[0][2, 0]
    assert network.single() is network


def test_cudnn_searches_once_per_shape_where_the_shapes_are_few_and_looks_up_elsewhere() -> None:
    name, shape = input_of(embedder())
    assert (name, shape[1:]) == ("input", (112, 112, 3))
    ((_, fixed),) = provider_list([CUDA], Path("cache"), source=name, shape=shape)
    assert fixed["cudnn_conv_algo_search"] == "EXHAUSTIVE"
    name, shape = input_of(Catalog().models("detector")[0].file)
    ((_, free),) = provider_list([CUDA], Path("cache"), source=name, shape=shape)
    assert free["cudnn_conv_algo_search"] == "HEURISTIC"


def test_every_provider_has_a_row_and_only_onnx_runtimes_own_names_of_options() -> None:
    for provider in PROVIDERS.values():
        tuning = tuning_for(provider)
        assert list(tuning.buckets) == sorted(tuning.buckets)
        assert all(isinstance(value, str) for value in (*tuning.options.values(), *tuning.free_options.values()))


def test_tensorrt_keeps_its_engines_in_the_users_cache_and_is_told_the_range_of_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, "tensorrt", "cuda")
    machine.half_error = 1000.0
    assert OnnxNetwork(embedder(), provider="auto").report.active == "CUDA"
    machine.sessions.clear()
    network = OnnxNetwork(embedder(), provider="tensorrt")
    network.run({"input": faces(5)})
    options = machine.sessions[0].provider_options[TENSORRT]
    folder = paths.cache_dir() / "tensorrt"
    assert folder.is_dir()
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == str(folder)
    assert options["trt_engine_cache_enable"] == options["trt_timing_cache_enable"] == "True"
    assert options["trt_profile_min_shapes"] == "input:1x112x112x3"
    assert options["trt_profile_max_shapes"] == "input:32x112x112x3"
    assert machine.sessions[0].batches[-1] == 8
    assert network.report.active == "TensorRT"


def test_a_detector_goes_without_tensorrt_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "tensorrt", "cuda")
    machine.outputs = tuple(f"out{number}" for number in range(12))
    report = OnnxNetwork(Catalog().models("detector")[0].file, provider="tensorrt").report
    assert report.active == "CUDA"
    assert report.warning is None
    assert "one size" in report.reason
    assert len(machine.sessions) == 1  # no copy with 16 bits
    assert TENSORRT not in machine.sessions[0].provider_options


def test_directml_gets_neither_a_memory_pattern_nor_two_runs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "directml")
    network = OnnxNetwork(embedder(), provider="directml")
    assert network.run({"input": faces(3)})[0].shape == (3, 2)
    (used,) = machine.sessions
    assert network.report.active == "DirectML"
    assert not used.options.enable_mem_pattern
    assert used.batches == [4]
    assert used.bindings == []
    assert tuning_for(PROVIDERS["directml"]).one_at_a_time


def test_core_ml_keeps_what_it_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "coreml")
    network = OnnxNetwork(embedder(), provider="auto")
    network.run({"input": faces(6)})
    assert network.report.active == "Core ML"
    assert machine.sessions[0].batches == [8]
    folder = machine.sessions[0].provider_options[PROVIDERS["coreml"]]["ModelCacheDirectory"]
    assert Path(folder) == paths.cache_dir() / "coreml"
    assert Path(folder).is_dir()


def test_on_the_processor_nothing_is_filled_up_or_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    OnnxNetwork(embedder()).run({"input": faces(3)})
    (used,) = machine.sessions
    assert used.batches == [3]
    assert used.listed == [CPU]


def test_sixteen_bits_are_used_where_the_embeddings_stay_and_the_copy_is_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, "cuda")
    machine.half_error = 0.5
    network = OnnxNetwork(embedder())
    network.run({"input": faces(2)})
    assert network.report.precision == "16 bits"
    assert [Path(used.file).parent.name for used in machine.sessions] == ["models", "half"]
    assert machine.sessions[1].bindings
    assert OnnxNetwork(embedder()).report.precision == "16 bits"
    assert machine.folded == 1


def test_sixteen_bits_are_not_used_where_the_embeddings_change_and_that_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, "cuda")
    machine.half_error = 1000.0
    for _ in range(2):
        network = OnnxNetwork(embedder())
        network.run({"input": faces(2)})
        assert network.report.precision == "32 bits"
        assert network.report.active == "CUDA"
    assert machine.folded == 1
    assert [Path(used.file).parent.name for used in machine.sessions] == ["models", "half", "models"]


def test_a_copy_that_cannot_be_made_or_was_changed_is_never_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "cuda")
    assert OnnxNetwork(embedder()).report.precision == "16 bits"
    (copy,) = (paths.cache_dir() / "half").glob("*.onnx")
    copy.write_bytes(copy.read_bytes() + b"x")
    assert OnnxNetwork(embedder()).report.precision == "16 bits"
    assert machine.folded == 2

    def full(file: Path, out: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session, "_fold", full)
    copy.unlink()
    network = OnnxNetwork(embedder())
    assert network.report.precision == "32 bits"
    assert len(network.run({"input": faces(2)})[0]) == 2
    assert not copy.exists()


def test_a_card_that_cannot_be_started_leaves_the_network_at_32_bits_on_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, "cuda", working=())
    network = OnnxNetwork(embedder())
    network.run({"input": faces(3)})
    report = network.report
    assert (report.active, report.precision) == ("CPU", "32 bits")
    assert "CUDA could not be started" in (report.warning or "")
    assert machine.folded == 0
    assert machine.sessions[0].batches == [3]


@pytest.mark.parametrize("model", ["arcface", "sface", "arcface+sface"])
def test_the_bundled_embedders_with_16_bits_give_the_same_embeddings_computed_by_the_processor(
    model: str, tmp_path: Path
) -> None:
    file, copy = Catalog().model(model).file, tmp_path / "half.onnx"
    half._make(file, copy, session._fold, session._convert)
    pictures = half.probes((112, 112, 3))
    whole, small = (OnnxNetwork(each, provider="cpu").run({"input": pictures})[0] for each in (file, copy))
    assert small.dtype == np.float32
    assert half.cosines(whole, small).min() > half.LEAST_COSINE
    assert copy.stat().st_size < 30e6


def test_card_and_processor_are_timed_and_compared_on_the_same_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "cuda")
    found = beside_processor(embedder(), "auto", 1)
    assert (found.active, found.precision) == ("CUDA", "16 bits")
    assert found.cosine == pytest.approx(1.0)
    assert found.same
    assert found.card > 0
    assert found.processor > 0
    assert machine.sessions[-1].listed == [CPU]
