"""The experiments, whole but small: on pictures made for the purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

from facegui import jobs  # noqa: E402
from facegui.cli import main  # noqa: E402
from facegui.errors import KnownError  # noqa: E402
from facegui.matching import lab  # noqa: E402
from facegui.training import margins  # noqa: E402
from facegui.training.experiments import (  # noqa: E402
    drawing,
    figures,
    losses,
    measures,
    networks,
    pictures,
    report,
    running,
    table,
    tsne,
)  # fmt: skip
from facegui.training.experiments.keeping import kept  # noqa: E402
from facegui.training.experiments.learning import Frame, Plan, learn  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small are slower on several threads, and far slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files, in the layouts of the real ones: ten patterns with noise."""
    folder = tmp_path_factory.mktemp("benchmarks")
    rng = np.random.default_rng(0)
    patterns = cv2.resize(rng.integers(0, 256, (10 * 7, 7), np.uint8), (28, 280), interpolation=cv2.INTER_NEAREST)
    patterns = patterns.reshape(10, 28, 28).astype(np.int64)

    def some(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.permutation(np.arange(count) % 10)
        return np.clip(patterns[labels] + rng.normal(0, 60, (count, 28, 28)), 0, 255).astype(np.uint8), labels

    (train, train_labels), (test, test_labels) = some(384), some(160)
    np.savez(
        folder / "mnist.npz", x_train=train, y_train=train_labels.astype(np.uint8), x_test=test,
        y_test=test_labels.astype(np.uint8),
    )  # fmt: skip
    arrays = {"names": np.array([f"thing {k}" for k in range(10)])}
    for part, (grey, labels) in (("train", (train, train_labels)), ("test", (test, test_labels))):
        files = [cv2.imencode(".jpg", cv2.resize(cv2.merge([g, g // 2, 255 - g]), (32, 32)))[1] for g in grey]
        arrays |= {f"jpeg_{part}": np.concatenate(files), f"end_{part}": np.cumsum([len(f) for f in files])}
        arrays |= {f"y_{part}": labels.astype(np.uint8)}
    np.savez(folder / "cifar10_jpeg.npz", **arrays)
    return folder


@pytest.fixture(scope="module")
def out(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `all --quick` leaves."""
    folder = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "_STEPS", 1)  # each picture of the animation takes a tenth of a second to draw
        patch.setattr(figures, "_PAUSE", 1)
        patch.setattr(tsne, "_QUICK_STEPS", 250)  # the least that it takes
        jobs.run(running.run("all", data, folder, quick=True))
    return folder


def test_the_animation_keeps_the_colour_of_every_class(out: Path) -> None:
    seen = set()
    with Image.open(out / "sphere.gif") as animation:
        for number in range(animation.n_frames):
            animation.seek(number)
            seen |= {rgb for _, rgb in animation.convert("RGB").getcolors(1 << 20)}
    assert {tuple(bytes.fromhex(colour[1:])) for colour in drawing.COLOURS} <= seen


def test_pictures_are_read_and_normalised(data: Path) -> None:
    for name, channels in (("mnist", 1), ("cifar10", 3)):
        found = pictures.load(data, name)
        assert found.train.shape[:2] == (384, channels)
        assert found.train.is_contiguous(memory_format=torch.channels_last)
        assert abs(float(found.train.mean())) < 1e-4
        assert float(found.train.std()) == pytest.approx(1, abs=0.01)
        assert len(found.classes) == 10
    assert found.classes[3] == "thing 3"
    with pytest.raises(KnownError, match="was not found"):
        pictures.load(data / "none", "mnist")


def test_changed_pictures_are_moved_or_mirrored_and_nothing_else() -> None:
    batch = torch.arange(3 * 32 * 32, dtype=torch.float32).reshape(1, 3, 32, 32).repeat(64, 1, 1, 1)
    changed = pictures.moved(batch, torch.Generator().manual_seed(0))
    assert changed.shape == batch.shape
    inner = changed[:, :, 8:24, 8:24]
    steps = inner[:, 0, 0, 1] - inner[:, 0, 0, 0]
    assert set(steps.tolist()) == {1.0, -1.0}
    assert set((inner[:, 0, 1, 0] - inner[:, 0, 0, 0]).tolist()) == {32.0}
    assert len({tuple(picture.flatten().tolist()) for picture in inner}) > 40


def test_angles_are_measured_as_the_paper_says() -> None:
    centres = np.eye(3, dtype=np.float32)
    labels = np.array([0, 0, 1, 1, 2, 2])
    turned = np.radians(10)
    rows = np.array(
        [
            [np.cos(turned), np.sin(turned), 0], [np.cos(turned), -np.sin(turned), 0], [0, 5, 0], [0, 2, 0],
            [0, 0, 1], [0, 0, 3],
        ],
        np.float32,
    )  # fmt: skip
    found = measures.angles(rows, labels, centres)
    assert found.within == pytest.approx(10 / 3, abs=1e-3)
    assert found.between == found.between_centres == pytest.approx(90)
    assert found.centre_to_mean == pytest.approx(0, abs=1e-3)
    assert measures.pair_eer(rows, labels) == 0


@pytest.mark.parametrize("item", losses.LOSSES, ids=lambda item: item.name)
def test_every_loss_learns(data: Path, item: losses.Loss) -> None:
    digits = pictures.load(data, "mnist")
    torch.manual_seed(0)
    run = jobs.run(learn(networks.digit_network(3), losses.loss(item.name, 16.0), 3, digits, Plan(6, 64, 0.1), 0))
    assert run.frames[-1].test_accuracy > 0.5 > run.frames[0].test_accuracy
    assert run.frames[-1].loss < run.frames[1].loss


def test_a_run_is_the_same_with_the_same_seed(data: Path) -> None:
    digits = pictures.load(data, "mnist").part(256, 100)

    def ends(seed: int) -> np.ndarray:
        torch.manual_seed(seed)
        chosen = losses.loss("arcface", 16.0)
        return jobs.run(learn(networks.digit_network(3), chosen, 3, digits, Plan(1), seed)).frames[-1].features

    np.testing.assert_array_equal(ends(1), ends(1))
    assert not np.allclose(ends(1), ends(2))


def test_a_margin_that_grows_is_nothing_at_first_and_whole_in_the_end(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[float] = []
    whole = margins.margin_loss

    def watched(cosine: torch.Tensor, labels: torch.Tensor, margin: margins.Margin) -> torch.Tensor:
        used.append(margin.m2)
        return whole(cosine, labels, margin)

    monkeypatch.setattr(margins, "margin_loss", watched)
    digits = pictures.load(data, "mnist").part(320, 100)
    plan = Plan(2, 32, growth=(0.2, 0.6))
    jobs.run(learn(networks.digit_network(3), losses.loss("arcface", 16.0), 3, digits, plan, 0))
    assert used[:5] == [0.0] * 5
    assert used[5:12] == sorted(used[5:12])
    assert used[8] == pytest.approx(0.25)
    assert used[12:] == [0.5] * 8


def test_a_loss_that_is_no_number_is_explained(data: Path) -> None:
    digits = pictures.load(data, "mnist").part(256, 100)
    chosen = losses.Loss("x", "x", margins.Margin(1e38))
    with pytest.raises(KnownError, match="no number"):
        jobs.run(learn(networks.digit_network(3), chosen, 3, digits, Plan(1, rate=1e30), 0))


def test_all_of_them_leave_their_files_and_pictures(out: Path) -> None:
    for name in ("sphere.png", "angles.png", "maps.png", "sweep.png"):
        assert min(cv2.imread(str(out / name)).shape[:2]) > 300
    assert (out / "sphere.gif").read_bytes()[:3] == b"GIF"
    recording = lab.load(out / "sphere.npz")
    assert [run.name for run in recording.runs] == [item.name for item in losses.LOSSES]
    assert recording.about["quick"]
    shipped = {run.name for run in lab.load(out / "lab.npz").runs}
    assert shipped == {run.name for run in lab.load().runs}
    assert len(kept(out / "table.json")) == 7
    assert len(kept(out / "sweep.json")) == 8
    assert not list(out.glob("*.part"))


def test_the_large_network_has_lines_of_its_own_and_as_many_seeds_as_they_ask_for(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = table.Entry("cifar10", "softmax", large=True), table.Entry("cifar10", "arcface", large=True, seeds=1)
    monkeypatch.setattr(table, "ENTRIES", entries)
    monkeypatch.setattr(table, "SEEDS", (0, 1))
    monkeypatch.setattr(networks, "_WIDTHS", (8, 12, 16, 24))  # it is large, for a test
    plan = table._PLANS["cifar10"]
    monkeypatch.setitem(table._PLANS, "cifar10", replace(plan, epochs=5, batch=32, rate=0.02, change=None))
    jobs.run(table.run_table(data, tmp_path, quick=False))
    rows = kept(tmp_path / table.FILE)
    assert [(row.loss, row.seed) for row in rows] == [("softmax", 0), ("softmax", 1), ("arcface", 0)]
    assert all(row.core_seconds > 0 for row in rows)
    assert min(row.test_accuracy for row in rows[:2]) > 0.5
    assert {row.clip for row in rows} == {table.CLIP}
    assert [len(table.rows_of(entry, rows)) for entry in entries] == [2, 1]
    assert "softmax; large network" in report.tables(tmp_path)


def test_gradients_are_cut_where_the_plan_says_so(data: Path) -> None:
    digits = pictures.load(data, "mnist")

    def moved(clip: float) -> float:
        torch.manual_seed(0)
        net = networks.digit_network(3)
        before = [p.detach().clone() for p in net.parameters()]
        jobs.run(learn(net, losses.loss("softmax", 1.0), 3, digits, Plan(1, 64, decay=0.0, clip=clip), 0))
        return max(float((p.detach() - q).abs().max()) for p, q in zip(net.parameters(), before, strict=True))

    assert moved(1e-6) < 1e-5
    assert moved(0.0) > 1e-3


def test_a_run_recorded_at_its_ends_only_is_the_same_run(data: Path) -> None:
    digits = pictures.load(data, "mnist")

    def run(*, ends_only: bool) -> list[Frame]:
        torch.manual_seed(0)
        chosen, plan = losses.loss("arcface", 16.0), Plan(3, 64, ends_only=ends_only)
        return jobs.run(learn(networks.digit_network(3), chosen, 3, digits, plan, 0)).frames

    every, ends = run(ends_only=False), run(ends_only=True)
    assert [frame.epoch for frame in ends] == [0, 3]
    assert ends[-1].loss == every[-1].loss
    assert ends[-1].train_accuracy == every[-1].train_accuracy
    np.testing.assert_array_equal(ends[-1].features, every[-1].features)


def test_runs_that_were_made_are_not_made_again(data: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facegui.training.experiments import sphere, sweep

    def never(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(table, "learn", never)
    monkeypatch.setattr(sweep, "learn", never)
    monkeypatch.setattr(sphere, "learn", never)
    for name, file in (("table", "table.json"), ("sweep", "sweep.json"), ("sphere", "sphere.npz")):
        assert out / file in jobs.run(running.run(name, data, out, quick=True))


def test_a_sphere_that_was_broken_off_goes_on_with_the_losses_that_lack(
    data: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.training.experiments import recording, sphere

    names = [item.name for item in losses.LOSSES]
    kept_names = [name for name in names if name not in ("normalised", "triplet")]
    recording.keep_runs(out / sphere.FILE, kept_names, tmp_path / sphere.FILE)
    trained = []

    def learn_and_count(net: torch.nn.Module, chosen: losses.Loss, *rest: object) -> object:
        trained.append(chosen.name)
        return learn(net, chosen, *rest)

    monkeypatch.setattr(sphere, "learn", learn_and_count)
    jobs.run(sphere.run_sphere(data, tmp_path, quick=True))
    assert trained == ["normalised", "triplet"]
    assert [run.name for run in lab.load(tmp_path / sphere.FILE).runs] == names


def test_the_tables_go_between_the_marks_of_a_readme(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    assert main(["train", "experiment", "report", "--out", str(out), "--readme", str(readme), "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    text = readme.read_text()
    assert tables in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| MNIST | ArcFace, m2 = 0.5 | 97 / 97 % |" in text
    assert "| CIFAR-10 | softmax | 72 / 63 % |" in text
    assert "| CIFAR-10 | ArcFace, m2 = 0.2, growing | 77 / 80 % |" in text
    readme.write_text("nothing")
    assert main(["train", "experiment", "report", "--out", str(out), "--readme", str(readme)]) == 2


def test_a_sweep_that_was_broken_off_is_told_by_the_seeds_that_all_margins_have(out: Path, tmp_path: Path) -> None:
    rows = json.loads((out / "sweep.json").read_text())
    assert len(rows) == 8
    more = rows[0] | {"seed": 1, "test_accuracy": 0.0}
    (tmp_path / "sweep.json").write_text(json.dumps([*rows, more]))
    assert report.tables(tmp_path) == report.tables(out).rpartition("\n\n")[0].rpartition("\n\n")[2] + (
        "\n\n" + report.tables(out).rpartition("\n\n")[2]
    )


def test_wrong_names_and_empty_folders_are_explained(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "experiment", "nothing", "--out", str(tmp_path)]) == 2
    assert "sphere, animation" in capsys.readouterr().err
    assert main(["train", "experiment", "report", "--out", str(tmp_path)]) == 2
    assert "holds no results" in capsys.readouterr().err
    assert main(["train", "experiment", "sphere", "--out", str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "mnist.npz" in capsys.readouterr().err
