"""Training: configuration, the loop, taking a run up again exactly, several processes, and clear errors."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

sys.path.insert(0, str(Path(__file__).resolve().parent))

import training_faces  # noqa: E402

from facegui import jobs  # noqa: E402
from facegui.cli import main  # noqa: E402
from facegui.errors import KnownError  # noqa: E402
from facegui.jobs import Partial  # noqa: E402
from facegui.training import backbones, checkpoints  # noqa: E402
from facegui.training.config import Config, Optimizer, load_config  # noqa: E402
from facegui.training.heads import Head  # noqa: E402
from facegui.training.logs import LOG, RunLog  # noqa: E402
from facegui.training.schedule import rate_at  # noqa: E402
from facegui.training.train import train  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


class Tiny(torch.nn.Sequential):
    """A network that trains in no time."""

    def __init__(self, dimension: int, dropout: float) -> None:
        nn = torch.nn
        super().__init__(
            nn.Conv2d(3, 8, 7, 4), nn.BatchNorm2d(8), nn.PReLU(8), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
            nn.Dropout(dropout), nn.Linear(128, dimension), nn.BatchNorm1d(dimension),
        )  # fmt: skip


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(backbones.BACKBONES, "tiny", Tiny)
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as small as it is, threads would only wait for each other
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_faces.make(tmp_path_factory.mktemp("faces") / "train", 6, 8)


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in RunLog(folder / "run", None).rows() if "loss" in row]


def weights(folder: Path) -> dict[str, Any]:
    checkpoint = checkpoints.find(folder / "run")
    saved = checkpoints.load_network(checkpoint)
    head = checkpoints.load_head(checkpoint)[0]
    average = {f"average {k}": v for k, v in saved["average"].items()}
    return saved["network"] | average | {"centres": head["centres"], "momentum": head["momentum of centres"]}


def test_a_network_learns_to_tell_people_apart_and_is_verified_on_others(tmp_path: Path, faces: Path) -> None:
    others = training_faces.make(tmp_path / "others", 12, 3, seed=9)
    result = jobs.run(train(load_config(training_faces.config(tmp_path, faces, others, epochs=12))))
    curve = losses(tmp_path)
    assert result.steps == len(curve) == 72
    assert sum(curve[-6:]) < 0.5 * sum(curve[:6])
    assert result.verified is not None
    figures = result.verified.figures
    assert figures.folds is not None
    assert figures.folds.mean > 0.85
    reports = [row for row in RunLog(tmp_path / "run", None).rows() if "eer" in row]
    assert reports[-1]["accuracy"] == figures.folds.mean
    assert reports[-1]["eer_low"] <= reports[-1]["eer"] == figures.eer.value <= reports[-1]["eer_high"]
    claimed = {f"tar_at_fmr_{tar.fmr:g}" for tar in figures.tar if tar.supported}
    assert claimed == {name for name in reports[-1] if name.startswith("tar") and not name.endswith(("_low", "_high"))}
    assert not any(tar.supported for tar in figures.tar if tar.fmr < 0.1)  # there are too few people for that
    assert [row["step"] for row in reports] == list(range(6, 73, 6))
    assert [place.name for place in checkpoints.steps_in(tmp_path / "run")] == ["step-00000066", "step-00000072"]


def test_a_damaged_held_out_crop_does_not_end_the_training_and_is_counted(tmp_path: Path, faces: Path) -> None:
    others = training_faces.make(tmp_path / "others", 12, 3, seed=9)
    (others / "person-05" / "1.png").write_bytes(b"damaged")
    result = jobs.run(train(load_config(training_faces.config(tmp_path, faces, others, epochs=0.5))))
    assert result.verified is not None
    assert result.verified.photos_without_face == ("person-05/1.png",)
    assert result.verified.failed_pairs > 0
    assert [row["unreadable"] for row in RunLog(tmp_path / "run", None).rows() if "eer" in row] == [1]


def test_a_margin_grows_over_the_first_rounds_also_when_taken_up_again(
    tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[float] = []
    forward = Head.forward

    def watched(self: Head, features: torch.Tensor, labels: torch.Tensor) -> Any:
        used.append(round(self.margin.m2, 6))
        return forward(self, features, labels)

    monkeypatch.setattr(Head, "forward", watched)
    file = training_faces.config(tmp_path, faces)
    file.write_text(file.read_text().replace("[margin]", "[margin]\ngrow = 1.5"))
    job = train(load_config(file))
    for event in job:
        if isinstance(event, Partial) and event.value["step"] == 7:
            break
    job.close()
    jobs.run(train(load_config(file)))
    steps = [*range(7), *range(6, 12)]  # it goes on from the checkpoint of step 6
    assert used == [round(0.3 * min(1.0, step / 9), 6) for step in steps]


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


def test_an_earlier_run_can_be_begun_with(tmp_path: Path, faces: Path) -> None:
    jobs.run(train(load_config(training_faces.config(tmp_path / "a", faces, epochs=1))))
    before = weights(tmp_path / "a")
    file = training_faces.config(tmp_path / "b", faces, epochs=0.2)
    text = file.read_text().replace("dropout = 0.2", f'dropout = 0.2\nstart = "{tmp_path / "a" / "run"}"')
    file.write_text(text.replace("rate = 0.05", "rate = 0.000001"))
    jobs.run(train(load_config(file)))
    assert torch.allclose(weights(tmp_path / "b")["0.weight"], before["average 0.weight"], atol=1e-3)


def test_several_processes_train_together_and_one_goes_on_alone(tmp_path: Path, faces: Path) -> None:
    """torchrun, two ranks, each with half of the people's centres; then a single process takes the run up."""
    file = training_faces.config(tmp_path, faces, network="mobilefacenet", epochs=1)
    file.write_text(file.read_text().replace("batch = 8", "batch = 6").replace("[run]", "[run]\nsave_every = 0.5"))
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
    shutil.rmtree(checkpoint)
    with pytest.raises(KnownError, match=r"12 pictures in a step\. It had 2 times 6; .* 1 times 6\. Set batch = 12"):
        jobs.run(train(load_config(file)))  # half of each step's pictures would be lost, and the rate fall too late
    file.write_text(file.read_text().replace("batch = 6", "batch = 12"))
    alone = jobs.run(train(load_config(file)))
    assert (alone.resumed, alone.steps) == (2, 4)
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


def test_a_process_without_a_card_of_its_own_is_told_so(
    tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    file = training_faces.config(tmp_path, faces)
    file.write_text(file.read_text().replace('"cpu"', '"cuda"'))
    with pytest.raises(KnownError, match=r"Process 2 .* no graphics card\. .* --nproc-per-node 1"):
        jobs.run(train(load_config(file)))


def test_a_full_card_is_told_in_words(tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

    monkeypatch.setattr(Tiny, "forward", full)
    with pytest.raises(KnownError, match=r"Tried to allocate 2 GiB\. Make batch in \[data\] smaller"):
        jobs.run(train(load_config(training_faces.config(tmp_path, faces))))


def in_precision(folder: Path, faces: Path, precision: str, epochs: float = 2) -> Config:
    file = training_faces.config(folder, faces, epochs=epochs)
    text = file.read_text().replace("rate = 0.05", f'rate = 0.05\nprecision = "{precision}"')
    file.write_text(text.replace("dropout = 0.2", "dropout = 0.0"))  # it draws other numbers in half precision
    return load_config(file)


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """The types in which the network answered while it was trained."""
    found: set[Any] = set()

    class Watched(Tiny):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            features = super().forward(pictures)
            found.add(features.dtype)
            return features

    monkeypatch.setitem(backbones.BACKBONES, "tiny", Watched)
    return found


def test_bfloat16_gives_nearly_the_losses_of_float32(tmp_path: Path, faces: Path, kinds: set[Any]) -> None:
    """The network computes in half precision; the head and what is kept do not."""
    for name in ("bfloat16", "float32"):
        jobs.run(train(in_precision(tmp_path / name, faces, name)))
        assert kinds == {getattr(torch, name)}
        kinds.clear()
        kept = weights(tmp_path / name).values()
        assert {value.dtype for value in kept if value.is_floating_point()} == {torch.float32}
    half, full = losses(tmp_path / "bfloat16"), losses(tmp_path / "float32")
    assert half == pytest.approx(full, rel=0.1)
    assert half != full


def test_float16_scales_its_gradients_and_is_taken_up_again_exactly(
    tmp_path: Path, faces: Path, kinds: set[Any]
) -> None:
    jobs.run(train(in_precision(tmp_path / "whole", faces, "float16", 5)))
    assert kinds == {torch.float16}
    curve = losses(tmp_path / "whole")
    assert sum(curve[-6:]) < 0.5 * sum(curve[:6])
    killed = in_precision(tmp_path / "killed", faces, "float16", 5)
    first = train(killed)
    for event in first:
        if isinstance(event, Partial) and event.value["step"] == 9:
            break
    first.close()
    scale = checkpoints.load_network(checkpoints.find(tmp_path / "killed" / "run"))["scaler"]["scale"]
    assert 1 < scale < 65536  # too large at first: it was halved until no gradient was endless
    assert jobs.run(train(killed)).resumed == 6
    assert losses(tmp_path / "killed") == curve


def test_a_loss_that_is_no_number_stops_the_run_and_says_what_to_do(tmp_path: Path, faces: Path) -> None:
    file = training_faces.config(tmp_path, faces, epochs=40)
    file.write_text(file.read_text().replace("rate = 0.05", "rate = 1e38\nclip = 0.0"))
    with pytest.raises(KnownError, match="not a number any more") as error:
        jobs.run(train(load_config(file)))
    assert "Lower rate" in error.value.do


def test_a_picture_that_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    faces = training_faces.make(tmp_path / "faces", 3, 4)
    (faces / "person-01" / "2.png").write_bytes(b"broken")
    result = jobs.run(train(load_config(training_faces.config(tmp_path, faces, epochs=3))))
    assert result.unreadable >= 1


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


class TestSchedule:
    """Rates over 10 rounds of 100 steps."""

    def rates(self, **values: object) -> list[float]:
        how = Optimizer(rate=1.0, epochs=10, **values)
        return [rate_at(step, 100, 1000, how) for step in range(1000)]

    def test_steps_divide_where_they_are_told_to(self) -> None:
        found = self.rates(schedule="steps", at=(5.0, 7.5))
        assert [found[n] for n in (0, 499, 500, 749, 750, 999)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])

    def test_cosine_and_polynomial_fall_to_nothing(self) -> None:
        assert self.rates(schedule="cosine")[500] == pytest.approx(0.5)
        assert self.rates(schedule="polynomial", power=2.0)[500] == pytest.approx(0.25)
        assert max(self.rates(schedule=name)[-1] for name in ("cosine", "polynomial")) < 1e-5

    def test_the_warm_up_rises_evenly(self) -> None:
        found = self.rates(schedule="steps", warmup=2.0)
        assert [found[n] for n in (0, 99, 199, 200)] == pytest.approx([0.005, 0.5, 1, 1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[data]", "[date]"), r"\[date\], which does not exist.* Did you mean data"),
        (("m2 = 0.3", "m5 = 0.3"), r"m5 in \[margin\], which does not exist.* There are scale, m1"),
        (("batch = 8", "batch = 0"), "batch .* It must be above 0"),
        (("batch = 8", 'batch = "8"'), "batch .* It must be a whole number"),
        (('"cosine"', '"sine"'), "schedule .* Say steps, cosine, polynomial"),
        (("blur = 0.5", "blur = 1.5"), r"\[augment\] .* share from 0 to 1"),
        (("batch = 8", "batch 8"), "is not TOML"),
        (("dropout = 0.2", "dropout = 1.0"), "dropout .* from 0 to below 1"),
        (("m2 = 0.3", "m2 = 9.0"), r"\[margin\] cannot be used.* an angle"),
        (('"tiny"', '"vgg"'), r"\[network\] cannot be used.* There are"),
        (("batch = 8", "batch = 800"), "batch of 800 pictures cannot be filled"),
        (('device = "cpu"', 'device = "cuda"'), "no graphics card"),
        (("rate = 0.05", "rate = inf"), "rate .* It must be a finite number"),
        (("epochs = 2.0", "epochs = nan"), "epochs .* It must be a finite number"),
        (("warmup = 0.5", "at = [-1.0]"), r"at .* It must be 0 or more"),
        (("warmup = 0.5", "at = [true]"), r"at .* It must be a list of numbers"),
        (("m2 = 0.3", "share = 0.0"), r"share .* It must be above 0 and at most 1"),
        (("[run]", "[run]\nseed = 99999999999"), "seed .* It must be at most"),
        (("batch = 8", "batch = 1"), "batch .* cannot be 1.* batch norms"),
        (("scale = 16.0\nm2 = 0.3", "normalised = false\nm2 = 0.0"), "plain softmax takes neither scale nor margin"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_in_words(
    tmp_path: Path, faces: Path, change: tuple[str, str], words: str
) -> None:
    if "cuda" in change[1] and torch.cuda.is_available():
        pytest.skip("there is a graphics card")
    file = training_faces.config(tmp_path, faces)
    text = file.read_text()
    assert change[0] in text
    file.write_text(text.replace(*change))
    with pytest.raises(KnownError, match=f"(?i){words}"):
        jobs.run(train(load_config(file)))


def test_the_verb_answers_in_json_and_in_words(tmp_path: Path, faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = training_faces.config(tmp_path, faces, epochs=0.2)
    assert main(["train", "run", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 1
    assert main(["train", "run", str(file)]) == 0
    assert "Taken up at step 1" in capsys.readouterr().out
    assert main(["train", "run", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
