from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.faces.session import PROVIDERS, OnnxNetwork, plan_providers, thread_count

CPU, CUDA, TENSORRT = PROVIDERS["cpu"], PROVIDERS["cuda"], PROVIDERS["tensorrt"]
EVERYTHING = [TENSORRT, CUDA, CPU]


def test_without_a_card_the_processor_is_used_and_no_warning_is_given() -> None:
    plan = plan_providers("auto", EVERYTHING, None)
    assert plan.providers == (CPU,)
    assert plan.warning is None
    assert "No graphics card" in plan.reason


def test_with_a_card_cuda_comes_first_and_tensorrt_is_never_chosen_unasked() -> None:
    assert plan_providers("auto", EVERYTHING, "Card").providers == (CUDA, CPU)
    assert plan_providers("tensorrt", EVERYTHING, "Card").providers == (TENSORRT, CUDA, CPU)


def test_a_card_that_this_build_cannot_use_is_a_warning_with_the_mend() -> None:
    plan = plan_providers("auto", [CPU], "Card")
    assert plan.providers == (CPU,)
    assert plan.warning is not None
    assert "Card is not used" in plan.warning
    assert "onnxruntime-gpu" in plan.warning


@pytest.mark.parametrize("asked", ["cuda", "tensorrt"])
def test_a_card_asked_for_and_absent_is_a_warning_never_a_silent_fallback(asked: str) -> None:
    plan = plan_providers(asked, EVERYTHING, None)
    assert plan.providers == (CPU,)
    assert plan.warning is not None
    assert "asked for and is not used" in plan.warning


def test_a_provider_that_is_not_built_in_is_named() -> None:
    plan = plan_providers("directml", EVERYTHING, None)
    assert "DirectML" in (plan.warning or "")


def test_asking_for_the_processor_is_no_reason_to_warn() -> None:
    plan = plan_providers("cpu", EVERYTHING, "Card")
    assert plan.providers == (CPU,)
    assert plan.warning is None


def test_threads_are_one_per_usable_core_unless_set() -> None:
    assert thread_count(3) == 3
    assert thread_count(0) >= 1


def test_a_missing_file_names_itself_and_the_mend(tmp_path: Path) -> None:
    network = OnnxNetwork(tmp_path / "gone.onnx")
    assert not network.loaded
    with pytest.raises(KnownError, match=r"gone\.onnx") as error:
        network.run({})
    assert error.value.do


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_a_file_cut_short_names_itself_and_the_mend(tmp_path: Path, keep: float) -> None:
    data = Catalog().models("detector")[0].file.read_bytes()
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(KnownError, match=r"damaged\.onnx") as error:
        _ = OnnxNetwork(damaged, provider="cpu").report
    assert error.value.do


def test_a_network_is_loaded_once_whichever_thread_comes_first() -> None:
    network = OnnxNetwork(Catalog().models("detector")[0].file, provider="cpu", threads=1)
    blank = np.zeros((1, 64, 64, 3), np.uint8)
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(network.run({"input": blank})[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(result, results[0]) for result in results)
    assert network.report.active == "CPU"
    assert network.report.threads == 1


def test_the_report_tells_what_the_session_really_uses() -> None:
    report = OnnxNetwork(Catalog().models("detector")[0].file).report
    assert report.requested == "auto"
    assert report.device
    if report.active == "CPU":
        assert report.reason
