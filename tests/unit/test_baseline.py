from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.matching import baseline
from facegui.matching.evaluation import evaluate_pairs
from facegui.matching.pairs import PairSet, assemble

PEOPLE = 60


def listed(people: int = PEOPLE) -> PairSet:
    """Each person with themselves, and with the next one."""
    same = [(f"{n}/a.jpg", f"{n}/b.jpg", True) for n in range(people)]
    different = [(f"{n}/a.jpg", f"{(n + 1) % people}/b.jpg", False) for n in range(people)]
    return assemble(same + different, None, "people")


def figures(pairs: PairSet, noise: float, missing: int = 0) -> baseline.Baseline:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((PEOPLE, 16))
    vectors: list[np.ndarray | None] = []
    for path in pairs.paths:
        vector = centres[int(path.split("/")[0])] + noise * rng.standard_normal(16)
        vectors.append((vector / np.linalg.norm(vector)).astype(np.float32))
    for place in range(missing):
        vectors[place] = None
    report = evaluate_pairs(pairs, vectors, model_id="m" * 64, replicates=20)
    return baseline.of_report(report, pairs, "a model")


def test_the_same_evaluation_has_not_fallen_and_survives_the_file(tmp_path: Path) -> None:
    pairs = listed()
    made = figures(pairs, 0.5)
    file = tmp_path / "baseline.json"
    baseline.save(made, file)
    changes = baseline.changes(baseline.load(file), figures(pairs, 0.5), 0.0)
    assert len(changes) >= 5
    assert not any(change.fell for change in changes)


def test_a_worse_model_falls_and_a_better_one_does_not() -> None:
    pairs = listed()
    good, bad = figures(pairs, 0.5), figures(pairs, 1.5)
    assert any(change.fell for change in baseline.changes(good, bad, 0.0))
    assert not any(change.fell for change in baseline.changes(bad, good, 0.0))


def test_a_small_fall_may_be_allowed() -> None:
    made = figures(listed(), 0.5)
    lower = replace(made, figures={name: value - 0.004 for name, value in made.figures.items()})
    assert all(change.fell for change in baseline.changes(made, lower, 0.003))
    assert not any(change.fell for change in baseline.changes(made, lower, 0.005))


def test_faces_that_are_no_longer_found_are_a_fall() -> None:
    pairs = listed()
    changes = baseline.changes(figures(pairs, 0.2), figures(pairs, 0.2, missing=3), 0.0)
    assert {change.figure: change.fell for change in changes}["photos with a face"]


def test_a_figure_that_is_gone_is_a_fall() -> None:
    made = figures(listed(), 0.5)
    fewer = replace(made, figures={"AUC": 1.0})
    gone = [change for change in baseline.changes(made, fewer, 0.0) if change.now is None]
    assert gone
    assert all(change.fell for change in gone)


def test_other_pairs_are_not_compared() -> None:
    with pytest.raises(KnownError, match="other pairs"):
        baseline.changes(figures(listed(), 0.5), figures(listed(PEOPLE - 1), 0.5), 0.0)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 99}', "path1,path2,same\n"])
def test_a_file_that_is_no_baseline_is_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    with pytest.raises(KnownError, match="no baseline") as error:
        baseline.load(file)
    assert "--save-baseline" in error.value.do


def test_a_missing_baseline_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="cannot be read"):
        baseline.load(tmp_path / "gone.json")
    with pytest.raises(KnownError, match="cannot be written"):
        baseline.save(figures(listed(), 0.5), tmp_path / "nowhere" / "file.json")
