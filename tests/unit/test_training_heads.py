"""Heads: one process, and the same classes shared out over 1, 2 and 4 of them."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

from facegui.training.heads import CentreSGD, Head, ParallelHead, class_range  # noqa: E402
from facegui.training.margins import arcface, cosines, margin_loss, softmax  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of four processes found."""
    folder = tmp_path_factory.mktemp("ranks")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).with_name("head_ranks.py")), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"result-{rank}.json").read_text()) for rank in range(4)]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_loss_and_gradients_are_those_of_one_process(ranks: list[dict[str, Any]], count: int) -> None:
    for rank in range(count):
        for case, differences in ranks[rank][str(count)].items():
            for what, difference in differences.items():
                assert difference <= 1e-5, f"{what} of {case} on rank {rank} of {count}"


def test_with_a_share_the_classes_of_the_batch_take_part_and_the_rest_stays(ranks: list[dict[str, Any]]) -> None:
    for result in (rank["partial"] for rank in ranks):
        assert set(result["present"]) <= set(result["touched"])
        assert len(result["touched"]) == max(len(result["present"]), round(0.2 * result["held"]))
        assert result["moved"] == result["touched"]
        assert result["gradient"]


def test_a_head_saved_by_four_ranks_is_loaded_by_two(ranks: list[dict[str, Any]]) -> None:
    assert [rank["reloaded"] for rank in ranks] == [0.0, 0.0, 0.0, 0.0]


def test_the_classes_are_shared_out_without_gap_or_overlap() -> None:
    for classes, count in ((10, 4), (3, 4), (1_000_003, 7)):
        ranges = [class_range(classes, rank, count) for rank in range(count)]
        assert ranges[0][0] == 0
        assert ranges[-1][1] == classes
        assert all(a[1] == b[0] for a, b in itertools.pairwise(ranges))
        sizes = [end - start for start, end in ranges]
        assert max(sizes) - min(sizes) <= 1


def test_the_head_of_one_process_is_the_loss_of_the_margin() -> None:
    head = Head(5, 8, arcface())
    features, labels = torch.randn(6, 8), torch.tensor([0, 1, 2, 3, 4, -1])
    outcome = head(features, labels)
    assert torch.allclose(outcome.loss, margin_loss(cosines(features, head.centres), labels, arcface()))
    assert int(outcome.counted) == 5


def test_a_saved_head_of_other_classes_or_with_a_gap_is_refused() -> None:
    head = Head(6, 4, arcface())
    part = head.shard()
    with pytest.raises(ValueError, match="not one of 7 classes"):
        Head(7, 4, arcface()).load_shards([part])
    with pytest.raises(ValueError, match="class 4 is in none"):
        head.load_shards([part | {"end": 4, "centres": part["centres"][:4]}])


def test_a_process_that_joined_no_others_gets_the_loss_and_gradients_of_one_head() -> None:
    whole, shared = Head(9, 8, arcface(), 2, seed=4), ParallelHead(9, 8, arcface(), 2, seed=4)
    found = []
    for head in (whole, shared):
        features = torch.randn(6, 8, generator=torch.Generator().manual_seed(1)).requires_grad_()
        outcome = head(features, torch.tensor([0, 8, 2, 3, 4, -1]))
        outcome.loss.backward()
        found.append((outcome.loss, outcome.correct, features.grad, head.centres.grad / head.centres.grad.norm()))
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(*found, strict=True))


def test_the_momentum_of_centres_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten million people it is gigabytes: to make and fill it again in each step took longer than the step."""
    head = Head(5, 4, arcface())
    optimizer = CentreSGD(head.parameters(), 0.1)
    made, zeros_like = [], torch.zeros_like
    for _ in range(3):
        head(torch.randn(8, 4), torch.arange(8) % 5).loss.backward()
        with monkeypatch.context() as watching:
            watching.setattr(torch, "zeros_like", lambda values: made.append(1) or zeros_like(values))
            optimizer.step()
    assert len(made) == 1


def test_centre_sgd_is_ordinary_sgd_for_dense_gradients() -> None:
    ours, theirs = Head(5, 4, softmax(), seed=2), Head(5, 4, softmax(), seed=2)
    mine = CentreSGD(ours.parameters(), 0.1, 0.9, 0.01)
    other = torch.optim.SGD(theirs.parameters(), 0.1, 0.9, weight_decay=0.01)
    features, labels = torch.randn(8, 4), torch.arange(8) % 5
    for _ in range(4):
        for head, optimizer in ((ours, mine), (theirs, other)):
            optimizer.zero_grad()
            head(features, labels).loss.backward()
            optimizer.step()
    assert torch.allclose(ours.centres, theirs.centres, atol=1e-6)
    assert torch.allclose(ours.bias, theirs.bias, atol=1e-6)
