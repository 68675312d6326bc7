"""The margin lab's mathematics and its recorded runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facegui import paths
from facegui.errors import KnownError
from facegui.matching import lab, metrics
from facegui.matching.lab import Margin

MARGINS = [
    Margin(), Margin(m1=1.35), Margin(m2=0.5), Margin(m3=0.35), Margin(m1=1.0, m2=0.3, m3=0.2), Margin(m1=2.0, m2=0.9),
    Margin(m1=1.5, m2=0.2, m3=0.4),
]  # fmt: skip


@pytest.mark.parametrize("margin", MARGINS)
def test_the_curves_are_those_that_training_uses(margin: Margin) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from facegui.training import margins

    theta = np.linspace(0.01, np.pi - 0.01, 200)
    trained = margins.Margin(1.0, margin.m1, margin.m2, margin.m3)
    expected = margins.target_cosine(torch.from_numpy(np.cos(theta)), trained).numpy()
    np.testing.assert_allclose(lab.target_cosine(theta, margin), expected, atol=1e-9)


def test_without_a_margin_nothing_is_taken() -> None:
    theta = np.linspace(0, np.pi, 50)
    np.testing.assert_allclose(lab.target_cosine(theta, Margin()), np.cos(theta))
    np.testing.assert_allclose(lab.boundary(theta, Margin()), theta)


def test_an_additive_angle_moves_the_boundary_by_itself() -> None:
    theta = np.radians([0, 20, 60])
    np.testing.assert_allclose(np.degrees(lab.boundary(theta, Margin(m2=np.radians(30)))), [30, 50, 90])
    assert np.isnan(lab.boundary(np.array([np.pi * 0.9]), Margin(m2=0.5)))


def test_regions_shrink_as_the_margin_grows() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5000, 3))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    centres = np.eye(3)
    shares = []
    for margin in (Margin(), Margin(m2=0.2), Margin(m2=0.5), Margin(m2=1.0)):
        nearest, kept = lab.regions(rows, centres, margin)
        np.testing.assert_array_equal(nearest, (rows @ centres.T).argmax(axis=1))
        shares.append(float((kept > 0).mean()))
    assert shares[0] == pytest.approx(1, abs=0.01)
    assert shares == sorted(shares, reverse=True)
    assert lab.regions(centres, centres, Margin(m2=0.5))[1] == pytest.approx(np.cos(0.5))


@pytest.fixture(scope="module")
def recording() -> lab.Recording:
    return lab.load()


def test_the_recorded_runs_come_with_the_program_and_are_small(recording: lab.Recording) -> None:
    assert (paths.assets_dir() / "lab" / "runs.npz").stat().st_size < 400_000
    names = [run.name for run in recording.runs]
    assert {"softmax", "normalised", "sphereface", "arcface", "cosface", "combined"} <= set(names)
    assert recording.about["set"] == "MNIST"
    assert not recording.about["quick"]
    for run in recording.runs:
        assert len(run.frames) == len(recording.runs[0].frames) > 8
        for frame in run.frames:
            np.testing.assert_allclose(np.linalg.norm(frame.points, axis=1), 1, atol=1e-5)
            assert frame.points.shape == (len(recording.labels), 3)
            assert frame.own_angles.sum() == pytest.approx(1)
        last = run.frames[-1]
        assert last.epoch == recording.about["epochs"]
        assert last.test_accuracy > 0.95
        assert run.frames[0].test_accuracy < 0.3


def test_a_threshold_tells_pairs_apart_only_after_training(recording: lab.Recording) -> None:
    run = next(run for run in recording.runs if run.name == "arcface")
    first, last = (lab.pair_scores(recording, run.frames[k]) for k in (0, -1))
    assert first.eer > 0.3
    assert last.eer < 0.06
    a, b, same = recording.pairs
    cosine = (run.frames[-1].points @ run.frames[-1].points.T)[a, b]
    exact = metrics.eer(*metrics.split(cosine, same))
    assert last.eer == pytest.approx(exact[0], abs=2e-3)
    assert last.threshold == pytest.approx(exact[1], abs=2e-3)
    assert last.same.sum() == pytest.approx(1)
    assert last.different.sum() == pytest.approx(1)
    assert len(last.same) == lab.PAIR_BINS == len(last.edges) - 1


def test_the_margin_draws_classes_together(recording: lab.Recording) -> None:
    end = {run.name: run.frames[-1] for run in recording.runs}
    # Beside the same loss without a margin; what the captions say.
    assert end["arcface"].within < end["normalised"].within
    assert end["arcface"].between > end["normalised"].between


@pytest.mark.parametrize("damage", ["missing", "text", "form"])
def test_a_damaged_recording_is_explained(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "runs.npz"
    if damage == "text":
        file.write_text("no archive")
    elif damage == "form":
        about = json.dumps({"runs": [{"name": "x", "title": "x"}]})
        np.savez(file, about=np.array(about), labels=np.zeros(3, np.uint8))
    with pytest.raises(KnownError, match="cannot be shown"):
        lab.load(file)
