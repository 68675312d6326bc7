"""Error curves of a calibration and of scores; what the Insights page asks of a gallery."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import sample

from facegui import jobs
from facegui.faces.types import Embedding
from facegui.matching import metrics
from facegui.matching.error_curves import of_calibration, of_scores
from facegui.matching.intervals import clopper_pearson
from facegui.services import Services, insights
from facegui.services.insights import gallery_scores, map_samples


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Services(gallery=tmp_path / "gallery.sqlite") as made:
        yield made


def enroll(services: Services, name: str, vectors: np.ndarray) -> None:
    for vector in vectors:
        number = services.gallery.counts().samples + 1
        one = sample(number, f"/{number}.jpg", vector=vector)
        services.gallery.enroll(
            name, [replace(one, face=replace(one.face, embedding=Embedding(vector, services.model.sha256)))]
        )


def near(axis: int, count: int, spread: float, seed: int) -> np.ndarray:
    rows = np.zeros((count, 320)) + np.random.default_rng(seed).normal(0, spread, (count, 320))
    rows[:, axis] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_curves_of_a_calibration_are_its_rates_and_intervals() -> None:
    calibration = Services().calibration
    assert calibration is not None
    curves = of_calibration(calibration)
    threshold = calibration.threshold_for(1e-3)
    fmr, expected = curves.fmr.at(curves.thresholds, threshold), calibration.fmr_at(threshold)
    assert fmr.value == pytest.approx(expected.value, rel=0.02)
    assert fmr.low <= fmr.value <= fmr.high
    rate, equal = curves.eer()
    assert rate.value == pytest.approx(calibration.fmr_at(equal).value, rel=0.05)
    assert rate.value == pytest.approx(calibration.fnmr_at(equal).value, rel=0.05)
    assert curves.smallest_claim == pytest.approx(3 / calibration.identity_pairs)


def test_the_curves_of_scores_agree_with_the_metrics_and_their_intervals_count_people_not_photos() -> None:
    rng = np.random.default_rng(0)
    genuine, impostor = rng.normal(0.6, 0.15, 900), rng.normal(0, 0.15, 9000)
    genuine[:5] = np.nan
    curves = of_scores(genuine, impostor, people=20, identity_pairs=190)
    for threshold in (0.0, 0.3, 0.5):
        assert curves.fnmr.at(curves.thresholds, threshold).value == pytest.approx(
            float(metrics.fnmr(genuine, threshold))
        )
        assert curves.fmr.at(curves.thresholds, threshold).value == pytest.approx(
            float(metrics.fmr(impostor, threshold))
        )
    assert curves.eer()[0].value == pytest.approx(metrics.eer(genuine, impostor)[0], abs=0.003)
    at = curves.fmr.at(curves.thresholds, 0.8)
    assert (at.value, at.low) == (0, 0)
    assert at.high == clopper_pearson(0, 190).high
    width = curves.similarity[1] - curves.similarity[0]
    assert curves.genuine.sum() * width == pytest.approx(1)


def test_samples_are_compared_all_with_all_within_and_between_people(services: Services, monkeypatch) -> None:
    monkeypatch.setattr(insights, "_BLOCK", 3)
    enroll(services, "Anna", near(0, 4, 0.01, 1))
    enroll(services, "Béla", near(1, 3, 0.01, 2))
    enroll(services, "Cleo", near(2, 1, 0.01, 3))
    found = jobs.run(gallery_scores(services))
    curves = found.curves
    assert curves is not None
    assert (curves.genuine_pairs, curves.impostor_pairs) == (6 + 3, 4 * 3 + 4 + 3)
    assert (curves.people, curves.identity_pairs) == (2, 3)
    assert (found.samples, found.people, found.all_samples) == (8, 3, 8)
    assert curves.fmr.at(curves.thresholds, 0.5).value == 0
    assert curves.fnmr.at(curves.thresholds, 0.5).value == 0


def test_a_large_gallery_is_drawn_from_and_says_so(services: Services, monkeypatch) -> None:
    enroll(services, "Anna", near(0, 6, 0.01, 1))
    enroll(services, "Béla", near(1, 6, 0.01, 2))
    monkeypatch.setattr(insights, "MOST_SCORED", 5)
    monkeypatch.setattr(insights, "MOST_MAPPED", 7)
    found = jobs.run(gallery_scores(services))
    assert (found.samples, found.all_samples) == (5, 12)
    made = jobs.run(map_samples(services, "pca"))
    assert made is not None
    assert (len(made.places), made.all_samples) == (7, 12)


@pytest.mark.parametrize("people", [{}, {"Anna": 1}, {"Anna": 3}, {"Anna": 1, "Béla": 1}])
def test_too_few_samples_give_no_scores(services: Services, people: dict[str, int]) -> None:
    for axis, (name, count) in enumerate(people.items()):
        enroll(services, name, near(axis, count, 0.01, axis))
    assert jobs.run(gallery_scores(services)).curves is None


@pytest.mark.parametrize("kind", ["pca", "tsne"])
def test_the_map_keeps_people_together(services: Services, kind: insights.MapKind) -> None:
    for axis, name in enumerate(("Anna", "Béla", "Cleo")):
        enroll(services, name, near(axis, 6, 0.01, axis))
    made = jobs.run(map_samples(services, kind))
    assert made is not None
    assert made.kind == kind
    assert np.isnan(made.variance) == (kind == "tsne")
    assert made.places.min() >= 0
    assert made.places.max() <= 1
    middles = {p: made.places[made.person_ids == p].mean(0) for p in made.names}
    for place, person in zip(made.places, made.person_ids.tolist(), strict=True):
        nearest = min(middles, key=lambda p: float(np.linalg.norm(place - middles[p])))
        assert nearest == person


def test_a_map_that_is_no_longer_wanted_is_ended_at_once(services: Services) -> None:
    for axis, name in enumerate(("Anna", "Béla", "Cleo")):
        enroll(services, name, near(axis, 6, 0.01, axis))
    job = map_samples(services, "tsne")
    next(job)  # the samples are read
    next(job)  # the other process is at work
    assert multiprocessing.active_children()
    job.close()
    assert not multiprocessing.active_children()


def test_two_samples_make_no_map(services: Services) -> None:
    enroll(services, "Anna", near(0, 2, 0.01, 1))
    assert jobs.run(map_samples(services, "tsne")) is None
