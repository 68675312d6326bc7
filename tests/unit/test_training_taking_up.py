"""Checkpoints, and runs that are taken up again: exactly, by other numbers of processes, or not at all."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

sys.path.insert(0, str(Path(__file__).resolve().parent))

import training_faces  # noqa: E402
import training_tiny  # noqa: E402

from facegui import jobs  # noqa: E402
from facegui.errors import KnownError  # noqa: E402
from facegui.jobs import Partial  # noqa: E402
from facegui.training import checkpoints  # noqa: E402
from facegui.training.config import load_config  # noqa: E402
from facegui.training.heads import Head, class_range  # noqa: E402
from facegui.training.logs import LOG, RunLog  # noqa: E402
from facegui.training.margins import Margin  # noqa: E402
from facegui.training.train import train  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
losses, weights = training_tiny.losses, training_tiny.weights
faces, tiny = training_tiny.faces, training_tiny.tiny  # fixtures


def test_a_run_that_was_killed_goes_on_with_the_same_losses_and_weights(tmp_path: Path, faces: Path) -> None:
    jobs.run(train(load_config(training_faces.config(tmp_path / "whole", faces))))
    killed = load_config(training_faces.config(tmp_path / "killed", faces))
    first = train(killed)
    for event in first:  # past the checkpoint of step 6, so that what was done since is done again
        if isinstance(event, Partial) and event.value["step"] == 9:
            break
    first.close()
    with (tmp_path / "killed" / "run" / LOG).open("a") as log:
        log.write('{"step": 10, "lo')
    result = jobs.run(train(killed))
    assert result.resumed == 6
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    again = jobs.run(train(killed))
    assert (again.resumed, again.steps) == (12, 12)
    assert again.loss == losses(tmp_path / "killed")[-1]


def test_a_run_is_not_taken_up_with_other_numbers(tmp_path: Path, faces: Path) -> None:
    file = training_faces.config(tmp_path, faces, epochs=0.2)
    jobs.run(train(load_config(file)))
    file.write_text(file.read_text().replace("m2 = 0.3", "m2 = 0.4"))
    with pytest.raises(KnownError, match=r"another m2 in \[margin\]"):
        jobs.run(train(load_config(file)))
    with pytest.raises(KnownError, match="holds a run already"):
        jobs.run(train(load_config(file), fresh=True))


def test_several_processes_train_together_and_one_goes_on_alone(tmp_path: Path, faces: Path) -> None:
    """torchrun, two ranks, each with half of the people's centres; a single process does the second half again.

    The network has no batch norms, so twice six pictures must do what twelve do: the same pictures in each step, the
    mean over all of them, and the gradients of both ranks added up.
    """
    file = training_faces.config(tmp_path, faces, network="bundled:arcface", epochs=1)
    text = file.read_text().replace("batch = 8", "batch = 6").replace("[run]", "[run]\nsave_every = 0.5")
    text = text.replace("dimension = 16\ndropout = 0.2", "dimension = 192")
    file.write_text(text.replace("rate = 0.05", "rate = 0.002\nclip = 0.0"))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "facegui", "train", "run", str(file), "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout)
    assert answer["steps"] == 4
    checkpoint = checkpoints.find(tmp_path / "run")
    assert sorted(part.name for part in checkpoint.glob("head-*")) == ["head-0-of-2.pt", "head-1-of-2.pt"]
    parts = checkpoints.load_head(checkpoint)
    assert [(part["start"], part["end"]) for part in parts] == [(0, 3), (3, 6)]
    together = losses(tmp_path), checkpoints.load_network(checkpoint)["average"]
    shutil.rmtree(checkpoint)
    with pytest.raises(KnownError, match=r"12 pictures in a step\. It had 2 times 6; .* 1 times 6\. Set batch = 12"):
        jobs.run(train(load_config(file)))  # half of each step's pictures would be lost, and the rate fall too late
    file.write_text(file.read_text().replace("batch = 6", "batch = 12"))
    alone = jobs.run(train(load_config(file)))
    assert (alone.resumed, alone.steps) == (2, 4)
    assert losses(tmp_path) == pytest.approx(together[0], rel=1e-4)
    average = checkpoints.load_network(checkpoints.find(tmp_path / "run"))["average"]
    moved = max(float((average[name] - values).abs().max()) for name, values in together[1].items())
    assert moved < 1e-4
    assert [part.name for part in checkpoints.find(tmp_path / "run").glob("head-*")] == ["head-0-of-1.pt"]


def test_one_process_trains_with_a_share_of_the_centres_and_goes_on_with_the_same(tmp_path: Path, faces: Path) -> None:
    for name in ("whole", "killed"):
        file = training_faces.config(tmp_path / name, faces)
        file.write_text(file.read_text().replace("m2 = 0.3", "m2 = 0.3\nshare = 0.7"))
        job = train(load_config(file))
        for event in job:
            if name == "killed" and isinstance(event, Partial) and event.value["step"] == 9:
                break
        job.close()
    assert jobs.run(train(load_config(file))).resumed == 6
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_second_run_into_the_same_folder_is_refused_while_the_first_one_lasts(tmp_path: Path, faces: Path) -> None:
    """A killed torchrun leaves its processes running, and they go on writing checkpoints."""
    config = load_config(training_faces.config(tmp_path, faces))
    first = train(config)
    next(first)
    with pytest.raises(KnownError, match="Another process does so already"):
        next(train(config))
    first.close()
    assert jobs.run(train(config)).steps == 12


def test_a_log_that_cannot_be_shortened_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RunLog(tmp_path, None)
    for step in (1, 2, 3):
        log.report({"step": step, "loss": 0.5})

    def full(file: Path, text: str, *_: object) -> None:
        file.write_bytes(text.encode()[:9])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as without_space:
        without_space.setattr(Path, "write_text", full)
        with pytest.raises(KnownError, match="No space left on device"):
            log.trim(2)
    assert len(log.rows()) == 3
    log.trim(2)
    assert [row["step"] for row in log.rows()] == [1, 2]


def test_a_checkpoint_with_code_in_it_is_not_opened(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "owned"),)

    (tmp_path / "network.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(KnownError, match="is no checkpoint"):
        checkpoints.load_network(tmp_path)
    torch.save({"format": 1, "network": Evil(), "config": {}, "step": 1}, tmp_path / "network.pt")
    with pytest.raises(KnownError, match="was not run"):
        checkpoints.load_network(tmp_path)
    assert not (tmp_path / "owned").exists()


def test_a_checkpoint_that_a_power_cut_left_empty_is_told(tmp_path: Path) -> None:
    (tmp_path / "network.pt").touch()
    (tmp_path / "head-0-of-1.pt").touch()
    for load in (checkpoints.load_network, checkpoints.load_head):
        with pytest.raises(KnownError, match=r"is no checkpoint.* Move its folder away"):
            load(tmp_path)


def test_the_parts_of_a_head_come_in_the_order_of_the_ranks(tmp_path: Path) -> None:
    for rank in range(12):
        torch.save({"start": rank}, tmp_path / f"head-{rank}-of-12.pt")
    assert [part["start"] for part in checkpoints.load_head(tmp_path)] == list(range(12))


def test_centres_and_momentum_that_four_ranks_saved_are_those_that_two_ranks_get(tmp_path: Path) -> None:
    centres, momentum = torch.randn(20, 3), torch.randn(20, 3)
    for rank in range(4):
        start, end = class_range(10, rank, 4)
        rows = slice(start * 2, end * 2)
        part = {"start": start, "end": end, "classes": 10, "centres": centres[rows].clone()}
        torch.save(part | {"momentum of centres": momentum[rows].clone()}, tmp_path / f"head-{rank}-of-4.pt")
    parts = checkpoints.load_head(tmp_path)
    for rank in range(2):
        head = Head(10, 3, Margin(), 2)
        head.start, head.end = class_range(10, rank, 2)
        rows = slice(head.start * 2, head.end * 2)
        head.centres = torch.nn.Parameter(torch.zeros(len(centres[rows]), 3))
        head.load_shards(parts)
        assert torch.equal(head.centres, centres[rows])
        assert torch.equal(checkpoints.momentum_of(parts, head)["centres"], momentum[rows])


def test_copies_that_somebody_made_of_a_checkpoint_are_neither_taken_up_nor_removed(tmp_path: Path) -> None:
    for name in ("step-00000006", "step-00000006-best", "step-00000099 (copy)"):
        (tmp_path / name).mkdir()
    assert checkpoints.find(tmp_path).name == "step-00000006"
    for step in (7, 8, 9):
        checkpoints.save(tmp_path, step, {}, {}, 0, 1)
    kept = sorted(place.name for place in tmp_path.iterdir())
    assert kept == ["step-00000006-best", "step-00000008", "step-00000009", "step-00000099 (copy)"]


def test_a_checkpoint_for_which_there_is_no_space_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.save(tmp_path, 1, {}, {}, 0, 1)
    (tmp_path / "step-00000002.part").mkdir()  # of a run that was killed
    save = torch.save

    def full(values: Any, file: Any) -> None:
        if "step" in values:
            file.write(b"half of it")
            raise RuntimeError("unexpected pos 10 vs 5")
        save(values, file)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(KnownError, match="Free some space; earlier checkpoints are kept"):
        checkpoints.save(tmp_path, 3, {}, {"centres": torch.zeros(9)}, 0, 1)
    assert [place.name for place in tmp_path.iterdir()] == ["step-00000001"]


def test_a_checkpoint_is_complete_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "step-00000005").mkdir()
    (tmp_path / "step-00000009.part").mkdir()
    assert [place.name for place in checkpoints.steps_in(tmp_path)] == ["step-00000005"]
    with pytest.raises(KnownError, match="holds no checkpoint"):
        checkpoints.find(tmp_path / "elsewhere")
