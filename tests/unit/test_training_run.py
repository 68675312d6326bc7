"""Training: the loop, half precision, what is verified, the schedule, and clear errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

sys.path.insert(0, str(Path(__file__).resolve().parent))

import training_faces  # noqa: E402
import training_tiny  # noqa: E402

from facegui import jobs  # noqa: E402
from facegui.cli import main  # noqa: E402
from facegui.errors import KnownError  # noqa: E402
from facegui.jobs import Partial  # noqa: E402
from facegui.training import backbones, checkpoints  # noqa: E402
from facegui.training import train as train_module  # noqa: E402
from facegui.training.config import Config, Optimizer, load_config  # noqa: E402
from facegui.training.heads import ParallelHead  # noqa: E402
from facegui.training.logs import RunLog  # noqa: E402
from facegui.training.schedule import rate_at  # noqa: E402
from facegui.training.train import train  # noqa: E402

Tiny, losses, weights = training_tiny.Tiny, training_tiny.losses, training_tiny.weights
faces, tiny = training_tiny.faces, training_tiny.tiny  # fixtures


def test_a_network_learns_to_tell_people_apart_and_is_verified_on_others(tmp_path: Path, faces: Path) -> None:
    others = training_faces.make(tmp_path / "others", 12, 3, seed=9)
    result = jobs.run(train(load_config(training_faces.config(tmp_path, faces, others, epochs=12))))
    curve = losses(tmp_path)
    assert result.steps == len(curve) == 72
    assert sum(curve[-6:]) < 0.5 * sum(curve[:6])
    figures = result.verified["others"].figures
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
    assert result.verified["others"].photos_without_face == ("person-05/1.png",)
    assert result.verified["others"].failed_pairs > 0
    assert [row["unreadable"] for row in RunLog(tmp_path / "run", None).rows() if "eer" in row] == [1]


def test_several_sets_of_pairs_are_verified_each_under_its_name(
    tmp_path: Path, faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = [training_faces.make(tmp_path / place, 3, 2, seed=9) for place in ("a/lfw", "a/cfp", "b/cfp")]
    file = training_faces.config(tmp_path, faces, epochs=0.2)
    file.write_text(file.read_text().replace('verify = ""', f"verify = {[str(place) for place in sets]}"))
    assert main(["train", "run", str(file), "--json"]) == 0
    names = ["lfw", str(sets[1]), str(sets[2])]
    assert list(json.loads(capsys.readouterr().out)["verified"]) == names
    rows = [row for row in RunLog(tmp_path / "run", None).rows() if "loss" not in row]
    assert [[key for key in row if key.endswith("/eer")] for row in rows] == [[f"{name}/eer"] for name in names]


def test_the_average_of_the_weights_is_what_is_verified(
    tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[dict[str, torch.Tensor]] = []
    verify = train_module.verify

    def watched(network: torch.nn.Module, *others: Any) -> Any:
        verified.append({name: values.clone() for name, values in network.state_dict().items()})
        return verify(network, *others)

    monkeypatch.setattr(train_module, "verify", watched)
    others = training_faces.make(tmp_path / "others", 3, 2, seed=9)
    jobs.run(train(load_config(training_faces.config(tmp_path, faces, others, epochs=1))))
    saved = checkpoints.load_network(checkpoints.find(tmp_path / "run"))
    assert all(torch.equal(verified[-1][name], values) for name, values in saved["average"].items())
    assert not torch.equal(saved["network"]["0.weight"], saved["average"]["0.weight"])


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_the_gradient_is_cut_to_the_length_that_was_asked_for(tmp_path: Path, faces: Path, precision: str) -> None:
    moved = []
    for clip in (0.0, 1e-3):
        file = training_faces.config(tmp_path / str(clip), faces, epochs=1)
        text = file.read_text().replace("rate = 0.05", f"rate = 0.05\nclip = {clip}\ndecay = 0.0\nmomentum = 0.0")
        file.write_text(text.replace("average = 0.5", f'precision = "{precision}"'))
        config = load_config(file)
        torch.manual_seed(config.run.seed)
        fresh = Tiny(16, 0.2)
        jobs.run(train(config))
        saved = checkpoints.load_network(checkpoints.find(tmp_path / str(clip) / "run"))["network"]
        change = [(saved[name] - weights.detach()).norm() for name, weights in fresh.named_parameters()]
        moved.append(float(torch.stack(change).norm()))
    assert moved[1] <= 6 * 0.05 * 1e-3  # six steps
    assert moved[0] > 10 * moved[1] > 0


def test_a_margin_grows_over_the_first_rounds_also_when_taken_up_again(
    tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[float] = []
    forward = ParallelHead.forward

    def watched(self: ParallelHead, features: torch.Tensor, labels: torch.Tensor) -> Any:
        used.append(round(self.margin.m2, 6))
        return forward(self, features, labels)

    monkeypatch.setattr(ParallelHead, "forward", watched)
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


def test_an_earlier_run_can_be_begun_with(tmp_path: Path, faces: Path) -> None:
    jobs.run(train(load_config(training_faces.config(tmp_path / "a", faces, epochs=1))))
    before = weights(tmp_path / "a")
    file = training_faces.config(tmp_path / "b", faces, epochs=0.2)
    text = file.read_text().replace("dropout = 0.2", f'dropout = 0.2\nstart = "{tmp_path / "a" / "run"}"')
    file.write_text(text.replace("rate = 0.05", "rate = 0.000001"))
    jobs.run(train(load_config(file)))
    assert torch.allclose(weights(tmp_path / "b")["0.weight"], before["average 0.weight"], atol=1e-3)


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


@pytest.mark.parametrize(("clip", "what"), [(0.0, "A weight"), (5.0, "The gradient")])
def test_weights_that_are_no_numbers_are_not_saved(
    tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch, clip: float, what: str
) -> None:
    """They would be taken up again, and the run fail again, until somebody finds out why."""
    forward = Tiny.forward

    def steep(self: Tiny, pictures: torch.Tensor) -> torch.Tensor:
        features = forward(self, pictures)
        features.register_hook(lambda gradient: gradient * torch.inf)
        return features

    monkeypatch.setattr(Tiny, "forward", steep)
    file = training_faces.config(tmp_path, faces)
    text = file.read_text().replace("rate = 0.05", f"rate = 0.05\nclip = {clip}")
    file.write_text(text.replace("[run]", "[run]\nsave_every = 0.1"))
    with pytest.raises(KnownError, match=f"{what} is not a number any more, at step 1"):
        jobs.run(train(load_config(file)))
    assert not checkpoints.steps_in(tmp_path / "run")


def test_a_picture_that_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    faces = training_faces.make(tmp_path / "faces", 3, 4)
    (faces / "person-01" / "2.png").write_bytes(b"broken")
    result = jobs.run(train(load_config(training_faces.config(tmp_path, faces, epochs=3))))
    assert result.unreadable >= 1


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
        (("batch = 8", "batch = 8\nkind = 5"), "kind .* It must be a text"),
        (('verify = ""', "verify = [1]"), "verify .* It must be a text or a list of texts"),
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
