from __future__ import annotations

import numpy as np
import pytest

from facegui.matching.discard import discard_curve
from facegui.matching.pairs import PairSet, make_folds


def photos(people: int = 20, each: int = 4) -> tuple[PairSet, np.ndarray, np.ndarray]:
    """Pairs of all photos; the first photo of every second person is bad and matches nothing."""
    who = np.repeat(np.arange(people), each)
    bad = (np.arange(people * each) % (2 * each)) == 0
    left, right = np.triu_indices(len(who), 1)
    same = who[left] == who[right]
    rng = np.random.default_rng(0)
    scores = np.where(same, 0.8, 0.0) + rng.normal(0, 0.03, len(left))
    scores[same & (bad[left] | bad[right])] = 0.0
    names = tuple(f"{n}.jpg" for n in range(len(who)))
    return PairSet(names, left, right, same, make_folds(same), who), scores, bad


def test_a_quality_that_knows_the_bad_photos_leaves_no_misses() -> None:
    pairs, scores, bad = photos()
    curve = discard_curve(pairs, scores, np.where(bad, 0.1, 0.9).tolist(), shares=(0.0, bad.mean(), 0.5))
    assert curve.points[0].fnmr.value == pytest.approx(0.25)
    assert curve.points[1].fnmr.value == 0
    assert curve.points[1].photos == np.sum(~bad)
    assert curve.points[1].quality == 0.9
    assert curve.area < 0.5


def test_a_quality_that_says_nothing_leaves_the_misses_as_they_were() -> None:
    pairs, scores, bad = photos(60)
    quality = np.random.default_rng(1).random(len(bad)).tolist()
    curve = discard_curve(pairs, scores, quality, shares=(0.0, 0.2))
    assert curve.points[1].fnmr.value == pytest.approx(curve.points[0].fnmr.value, abs=0.06)
    assert curve.area == pytest.approx(1, abs=0.15)


def test_a_quality_upside_down_raises_the_misses() -> None:
    pairs, scores, bad = photos()
    quality = np.where(bad, 0.9, np.random.default_rng(2).random(len(bad)) / 2)
    curve = discard_curve(pairs, scores, quality.tolist(), shares=(0.0, 0.4))
    assert curve.points[1].fnmr.value > curve.points[0].fnmr.value
    assert curve.area > 1


def test_photos_without_a_face_are_misses_and_go_first() -> None:
    pairs, scores, bad = photos()
    without = np.where((bad[pairs.left] | bad[pairs.right]), np.nan, scores)
    quality = [None if gone else 0.5 for gone in bad.tolist()]
    curve = discard_curve(pairs, without, quality, shares=(0.0, bad.mean()))
    assert curve.points[0].quality is None
    assert curve.points[0].fnmr.value == pytest.approx(0.25)
    assert curve.points[1].fnmr.value == 0


def test_the_threshold_is_that_of_all_pairs_and_stays() -> None:
    pairs, scores, bad = photos()
    curve = discard_curve(pairs, scores, np.where(bad, 0.1, 0.9).tolist(), fmr=0.01, shares=(0.0, 0.3))
    impostor = scores[~pairs.same]
    assert np.mean(impostor >= curve.threshold) <= 0.01
    assert curve.points[0].fmr == np.mean(impostor >= curve.threshold)


def test_each_rate_lies_in_its_interval() -> None:
    pairs, scores, bad = photos()
    curve = discard_curve(pairs, scores, np.where(bad, 0.1, 0.9).tolist())
    assert all(point.fnmr.low <= point.fnmr.value <= point.fnmr.high for point in curve.points)
    assert curve.points[0].fnmr.low < curve.points[0].fnmr.high
    plain = curve.to_dict()
    assert len(plain["curve"]["share"]) == len(plain["curve"]["fnmr"])
    assert plain["points"][0]["fnmr"]["value"] == curve.points[0].fnmr.value
