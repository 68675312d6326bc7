"""Evaluation of pair lists: counts, failures, misses, table, JSON and picture."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.matching import metrics
from facegui.matching.calibration import Calibration
from facegui.matching.derivation import derive
from facegui.matching.evaluation import FMRS, evaluate_pairs
from facegui.matching.metrics import Roc
from facegui.matching.pairs import PairSet, assemble
from facegui.matching.plots import plot
from facegui.matching.report import Report, thinned

MODEL = "ab" * 32


def simulated(people: int = 40, photos: int = 4, noise: float = 0.9, seed: int = 0) -> tuple[PairSet, np.ndarray]:
    """Every genuine pair and as many impostor pairs, with unit vectors by place in the list."""
    rng = np.random.default_rng(seed)
    center = rng.normal(size=(people, 1, 32))
    center /= np.linalg.norm(center, axis=-1, keepdims=True)
    vectors = center + rng.normal(size=(people, photos, 32)) * noise / np.sqrt(32)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    rows, owners = [], {f"{p}/{k}.jpg": str(p) for p in range(people) for k in range(photos)}
    for p in range(people):
        for a in range(photos):
            for b in range(a + 1, photos):
                rows.append((f"{p}/{a}.jpg", f"{p}/{b}.jpg", True))
                other = (p + 1 + int(rng.integers(people - 1))) % people
                rows.append((f"{p}/{a}.jpg", f"{other}/{b}.jpg", False))
    pairs = assemble(rows, None, "simulated", owners)
    places = [tuple(map(int, path.removesuffix(".jpg").split("/"))) for path in pairs.paths]
    return pairs, np.stack([vectors[p, k] for p, k in places]).astype(np.float32)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    pairs, vectors = simulated(people=60, seed=1)
    return derive(vectors, pairs.people, model_id=MODEL, source="simulated", replicates=100)


@pytest.fixture(scope="module")
def report(calibration: Calibration) -> Report:
    pairs, vectors = simulated()
    return evaluate_pairs(pairs, list(vectors), model_id=MODEL, calibration=calibration, replicates=100)


def test_a_list_that_names_nobody_says_that_people_may_be_counted_twice(report: Report) -> None:
    pairs, vectors = simulated()
    rows = [
        (pairs.paths[a], pairs.paths[b], same)
        for a, b, same in zip(pairs.left.tolist(), pairs.right.tolist(), pairs.same.tolist(), strict=True)
        if not same or (a + b) % 3  # not every photo of a person is linked to the others
    ]
    unnamed = assemble(rows, None, "unnamed")
    places = {path: place for place, path in enumerate(pairs.paths)}
    found = evaluate_pairs(unnamed, [vectors[places[p]] for p in unnamed.paths], model_id=MODEL, replicates=20)
    people = {row.label: row for row in found.rows()}["People"]
    assert found.people > report.people == 40
    assert people.value == f"at most {found.people}"
    assert "too narrow" in people.note
    assert found.to_dict()["people_named"] is False
    named = {row.label: row for row in report.rows()}["People"]
    assert (named.value, named.note) == ("40", "")
    assert report.to_dict()["people_named"] is True


def test_figures_are_those_of_the_metrics(report: Report) -> None:
    pairs, vectors = simulated()
    scores = np.sum(vectors[pairs.left] * vectors[pairs.right], axis=1)
    genuine, impostor = metrics.split(scores, pairs.same)
    figures = report.figures
    assert (figures.genuine_pairs, figures.impostor_pairs) == (240, 240)
    assert figures.best.value == metrics.best_accuracy(genuine, impostor).value
    assert figures.auc == pytest.approx(metrics.auc(genuine, impostor))
    assert figures.eer.value == pytest.approx(metrics.eer(genuine, impostor)[0])
    assert figures.folds is not None
    assert figures.folds.mean == metrics.fold_accuracy(scores, pairs.same, pairs.folds).mean
    assert len(figures.folds.accuracies) == 10
    for tar, fmr in zip(figures.tar, FMRS, strict=True):
        assert tar.fmr == fmr
        assert tar.tar.value == pytest.approx(metrics.tar_at_fmr(genuine, impostor, fmr))
        assert tar.tar.low <= tar.tar.value <= tar.tar.high
    assert report.failed_pairs == 0
    assert report.figures_without_failures is None


def test_only_rates_with_enough_pairs_of_people_are_supported(report: Report) -> None:
    assert report.identity_pairs < 240
    assert [tar.supported for tar in report.figures.tar] == [True, False, False, False]
    notes = {row.label: row.note for row in report.rows()}
    assert notes["TAR at FMR 1e-1"] == ""
    assert f"not supported by {report.identity_pairs} pairs of people" in notes["TAR at FMR 1e-3"]


def test_the_calibrated_thresholds_are_judged(report: Report, calibration: Calibration) -> None:
    assert [at.target_fmr for at in report.at_thresholds] == [1e-2, 1e-3, 1e-4]
    for at in report.at_thresholds:
        assert at.threshold == calibration.threshold_for(at.target_fmr)
        assert at.fmr.value == np.mean(report.impostor >= at.threshold)
        assert at.fnmr.value == np.mean(report.genuine < at.threshold)
        right = np.sum(report.genuine >= at.threshold) + np.sum(report.impostor < at.threshold)
        assert at.accuracy.value == pytest.approx(right / report.pairs)
        band = (report.genuine >= at.unsure_low) & (report.genuine < at.threshold)
        assert at.genuine_unsure == band.sum()
        assert at.fmr.low <= at.fmr.value <= at.fmr.high
        # No false match seen is no proof that there are none.
        assert at.fmr.high > 0
    assert report.miss_threshold == calibration.threshold_for(1e-3)


def test_the_users_own_target_is_judged_too(calibration: Calibration) -> None:
    pairs, vectors = simulated(people=12)
    found = evaluate_pairs(
        pairs, list(vectors), model_id=MODEL, calibration=calibration, target_fmr=3e-3, replicates=20
    )
    assert [at.target_fmr for at in found.at_thresholds] == [1e-2, 3e-3, 1e-3, 1e-4]


def test_misses_are_listed_worst_first(report: Report) -> None:
    misses = report.false_non_matches
    assert report.false_non_match_count == np.sum(report.genuine < report.miss_threshold)
    assert 0 < len(misses) <= 20
    scores = [miss.score for miss in misses]
    assert scores == sorted(scores)  # type: ignore[type-var]
    assert scores[0] == report.genuine.min()
    assert all(miss.same and miss.path1.split("/")[0] == miss.path2.split("/")[0] for miss in misses)


def test_a_photo_without_a_face_is_counted_and_its_pairs_fail(calibration: Calibration) -> None:
    pairs, vectors = simulated(people=12, noise=0.3)
    missing = 5
    embeddings = {k: v for k, v in enumerate(vectors) if k != missing}
    failed = (pairs.left == missing) | (pairs.right == missing)
    found = evaluate_pairs(pairs, embeddings, model_id=MODEL, calibration=calibration, replicates=30)
    assert found.photos_without_face == (pairs.paths[missing],)
    assert found.failed_pairs == failed.sum() > 0
    without = found.figures_without_failures
    assert without is not None
    assert found.figures.genuine_pairs == pairs.same.sum()
    assert without.genuine_pairs == (pairs.same & ~failed).sum()
    assert without.best.value == 1.0
    assert found.figures.best.value == pytest.approx(1 - (pairs.same & failed).sum() / len(pairs))
    assert {miss.score for miss in found.false_non_matches} == {None}
    labels = [row.label for row in found.rows()]
    assert "Photos without a face" in labels
    assert labels.count("EER") == 2


def test_no_errors_leave_room_for_doubt() -> None:
    pairs, vectors = simulated(people=12, noise=0.2)
    found = evaluate_pairs(pairs, list(vectors), model_id=MODEL, replicates=30)
    assert found.figures.best.value == 1
    assert found.figures.best_interval.low < 1
    assert found.figures.eer.value == 0
    assert found.figures.eer.high > 0
    assert found.at_thresholds == ()
    assert found.miss_threshold == found.figures.best.threshold


def test_the_report_is_valid_json_even_when_everything_failed(calibration: Calibration) -> None:
    pairs, _ = simulated(people=4)
    found = evaluate_pairs(pairs, {}, model_id=MODEL, calibration=calibration, replicates=10)
    assert len(found.photos_without_face) == len(pairs.paths)
    assert found.figures.best.value == 0.5
    assert found.figures_without_failures is None
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["failed_pairs"] == len(pairs)


def test_the_json_document_has_the_figures_and_no_raw_scores(report: Report) -> None:
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert document["figures"]["best"]["value"] == report.figures.best.value
    assert document["figures"]["tar"][2]["supported"] is False
    assert document["at_thresholds"][1]["fmr"]["high"] > 0
    assert "genuine" not in document
    assert len(document["roc"]["fmr"]) == len(document["roc"]["tar"]) == len(document["roc"]["threshold"])


def test_a_thinned_curve_keeps_its_corners_and_ends() -> None:
    rng = np.random.default_rng(0)
    curve = metrics.roc(rng.normal(1, 1, 500), rng.normal(0, 1, 5000))
    corners = thinned(curve, 10_000)
    np.testing.assert_allclose(np.trapezoid(corners.tar, corners.fmr), np.trapezoid(curve.tar, curve.fmr), rtol=1e-9)
    few: Roc = thinned(curve, 100)
    assert len(few.fmr) <= 100
    assert (few.fmr[0], few.tar[0]) == (0, 0)
    assert (few.fmr[-1], few.tar[-1]) == (1, 1)


def test_a_list_of_one_kind_and_a_foreign_calibration_are_refused(calibration: Calibration) -> None:
    pairs = assemble([("a", "b", True)], None, "one")
    vector = np.array([1, 0], np.float32)
    with pytest.raises(KnownError, match="one kind"):
        evaluate_pairs(pairs, [vector, vector], model_id=MODEL)
    with pytest.raises(ValueError, match="another model"):
        evaluate_pairs(pairs, [vector, vector], model_id="cd" * 32, calibration=calibration)


def test_a_tiny_list_gives_what_it_can() -> None:
    pairs = assemble([("a", "b", True), ("a", "c", False)], None, "tiny")
    vectors = [np.array(v, np.float32) for v in ([1, 0], [0.8, 0.6], [0, 1])]
    found = evaluate_pairs(pairs, vectors, model_id=MODEL, replicates=20)
    assert found.figures.best.value == 1
    assert found.figures.folds is None
    assert not any(tar.supported for tar in found.figures.tar)


def test_the_picture_is_drawn(report: Report, tmp_path: Path) -> None:
    from PIL import Image

    file = tmp_path / "report.png"
    plot(report, file)
    with Image.open(file) as image:
        assert image.width > 1500
        assert len(image.convert("RGB").getcolors(1 << 22) or []) > 50
    with pytest.raises(KnownError, match="not written"):
        plot(report, tmp_path / "none" / "report.png")


def test_a_page_holds_picture_figures_and_the_worst_pairs_and_nothing_from_elsewhere(
    report: Report, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    plot(report, file, model="ArcFace & SFace", problems={"<a>.jpg": "It is empty."})
    page = file.read_text("utf-8")
    assert "ArcFace &amp; SFace" in page
    assert "data:image/png;base64,iVBOR" in page
    assert all(escape(row.value) in page for row in report.rows())
    assert report.false_non_matches[0].path1 in page
    assert "&lt;a&gt;.jpg" in page
    assert not re.search(r"https?:|<script|<link", page)
    with pytest.raises(KnownError, match="not written"):
        plot(report, tmp_path / "none" / "report.html")


def test_the_picture_of_failures_only_is_drawn(tmp_path: Path) -> None:
    pairs, _ = simulated(people=4)
    plot(evaluate_pairs(pairs, {}, model_id=MODEL, replicates=10), tmp_path / "empty.png")
    assert (tmp_path / "empty.png").stat().st_size > 0
