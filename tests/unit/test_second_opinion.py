from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from facegui.errors import KnownError
from facegui.faces.catalog import Catalog, Part
from facegui.faces.embed import Embedder
from facegui.faces.session import OnnxNetwork
from facegui.faces.types import Face, Frame, Outcome
from facegui.matching.decision import Rule, decide
from facegui.matching.derivation import derive
from facegui.matching.opinion_bands import BandPoint, OpinionLimits, band_at, bands_from, bands_text, derive_bands
from facegui.matching.second_opinion import Band, fused, judge, part_of, settle, trade_off, weights_of
from facegui.services import EnrolSample, Services
from facegui.services.opinion import SecondOpinion
from facegui.sources.files import read_photo
from tests.faces import astronaut, group, hopper, real_pipeline

RULE = Rule(0.35, 0.25)
BAND = Band(0.3, 0.6)


def refuse() -> float:
    raise AssertionError("nobody asked")


@pytest.mark.parametrize(("fast", "outcome"), [(0.29, Outcome.NO_MATCH), (0.6, Outcome.MATCH), (0.9, Outcome.MATCH)])
def test_a_clear_score_decides_and_the_second_network_is_not_asked(fast: float, outcome: Outcome) -> None:
    opinion = judge(fast, refuse, BAND, RULE)
    assert opinion.outcome is outcome
    assert not opinion.asked


@pytest.mark.parametrize(
    ("similarity", "outcome"), [(0.2, Outcome.NO_MATCH), (0.3, Outcome.UNSURE), (0.5, Outcome.MATCH)]
)
def test_in_doubt_the_fused_score_decides(similarity: float, outcome: Outcome) -> None:
    for fast in (0.3, 0.45, float("nan")):
        opinion = judge(fast, lambda: similarity, BAND, RULE)
        assert opinion.outcome is outcome
        assert opinion.similarity == similarity


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    pipeline = real_pipeline("arcface")
    photos = [pipeline.analyse(read_photo(path), embed=False) for path in (astronaut(), group(), hopper())]
    return np.stack([face.crop for photo in photos for face in photo.faces])


def test_a_part_of_a_fused_template_is_what_its_own_model_gives(crops: np.ndarray) -> None:
    catalog = Catalog()
    vectors = {
        model.id: Embedder(OnnxNetwork(model.file, provider="cpu"), model.sha256).embed_array(crops)
        for model in catalog.models("embedder")
    }
    both = catalog.model("arcface+sface")
    whole = vectors[both.id]
    for part in both.parts:
        own = vectors[part.model]
        assert np.sum(part_of(whole, part) * own, axis=1).min() > 0.99999
        assert np.allclose(part_of(whole[0], part), part_of(whole, part)[0])
    joined = fused([vectors[part.model] for part in both.parts], weights_of(whole[0], both.parts))
    assert np.sum(joined * whole, axis=1).min() > 0.99999


@pytest.mark.parametrize("part", [Part("a", 0, 0), Part("a", 3, 9), Part("a", -1, 2)])
def test_a_part_that_is_not_there_is_refused(part: Part) -> None:
    with pytest.raises(ValueError, match="no part"):
        part_of(np.ones((2, 8), np.float32), part)


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing in this part"):
        part_of(np.array([[1, 0, 0, 0]], np.float32), Part("b", 2, 4))


def scores(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Genuine and impostor scores of a fast model and of a better one that agrees with it partly."""
    rng = np.random.default_rng(seed)
    result = []
    for count, centre in ((4000, 0.7), (40000, 0.05)):
        shared = rng.normal(centre, 0.09, count)
        result += [shared + rng.normal(0, 0.08, count), shared + rng.normal(0, 0.04, count)]
    return tuple(result)  # type: ignore[return-value]


def test_without_any_allowance_no_error_is_added() -> None:
    known = scores(1)
    threshold = float(np.quantile(known[3], 1 - 1e-3))
    trade = trade_off(*known, threshold, settle(*known, threshold, lost=0, let_in=0))
    assert trade.fmr <= (known[3] >= threshold).mean()
    assert trade.fnmr <= (known[1] < threshold).mean()
    assert trade.changed < 1e-3
    assert 0 < trade.asked_impostor < 0.5


def test_a_larger_allowance_asks_less_and_keeps_to_it() -> None:
    known = scores(2)
    threshold = float(np.quantile(known[3], 1 - 1e-3))
    before = None
    for lost, let_in in ((0, 0), (1e-3, 1e-4), (1e-2, 1e-3)):
        trade = trade_off(*known, threshold, settle(*known, threshold, lost=lost, let_in=let_in))
        assert trade.fmr <= 1e-3 + let_in + 1e-9
        assert trade.fnmr <= (known[1] < threshold).mean() + lost + 1e-9
        if before is not None:
            assert trade.asked_genuine <= before.asked_genuine
            assert trade.asked_impostor <= before.asked_impostor
        assert trade.cost(2.0, 6.0) <= (before.cost(2.0, 6.0) if before else 8.0)
        before = trade


def test_the_cost_lies_between_the_fast_network_and_both() -> None:
    known = scores(3)
    trade = trade_off(*known, 0.4, Band(0.3, 0.6))
    assert 2.0 < trade.cost(2.0, 6.0) < 8.0
    assert trade.cost(2.0, 6.0, genuine_share=1.0) == pytest.approx(2.0 + 6.0 * trade.asked_genuine)
    everything = trade_off(*known, 0.4, Band(-2.0, 2.0))
    assert everything.cost(2.0, 6.0) == 8.0
    assert everything.changed == 0


def test_a_band_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="band"):
        Band(0.5, 0.4)


# --- bands, and the service that uses them --------------------------------------------------------------------


def point(fmr: float, threshold: float, low: float, high: float) -> BandPoint:
    return BandPoint(fmr, threshold, low, high, 0.1, 0.1, fmr, 0.01, 0.01)


POINTS = (point(1e-2, 0.26, 0.2, 0.4), point(1e-3, 0.35, 0.3, 0.5))


def test_between_two_points_the_band_holds_both_and_outside_nothing_is_known() -> None:
    assert band_at(POINTS, 0.35) == Band(0.3, 0.5)
    assert band_at(POINTS, 0.3) == Band(0.2, 0.5)
    assert band_at(POINTS, 0.2) is None
    assert band_at(POINTS, 0.5) is None
    assert band_at((), 0.3) is None


def test_bands_come_back_from_the_text_of_a_manifest() -> None:
    table = tomllib.loads(bands_text(POINTS, "[opinion]"))["opinion"]
    assert bands_from(table) == POINTS
    assert bands_from({}) == ()
    del table["points"][0]["low"]
    with pytest.raises(KeyError):
        bands_from(table)


def test_bands_found_on_vectors_keep_the_errors_near_the_whole_models() -> None:
    rng = np.random.default_rng(5)
    people = np.repeat(np.arange(60), 8)
    parts = []
    for size, noise in ((32, 0.9), (64, 0.6)):
        centres = rng.normal(size=(60, size))
        share = centres[people] + rng.normal(0, noise, (len(people), size))
        parts.append(share / np.linalg.norm(share, axis=1, keepdims=True))
    whole = fused([each.astype(np.float32) for each in parts], (0.45, np.sqrt(1 - 0.45**2)))
    whole[7] = np.nan
    calibration = derive(whole, people, model_id="m", source="s", fmrs=(1e-2,), replicates=20)
    (found,) = derive_bands(whole, people, Part("fast", 0, 32), calibration, OpinionLimits(1e-3, 0.1, 5000))
    assert found.threshold == calibration.operating_points[0].threshold
    assert found.fmr_reached <= 1e-2 * 1.1 + 1e-4
    assert found.fnmr <= found.fnmr_alone + 1e-3 + 1e-9
    assert 0 < found.asked_impostor < 1


@pytest.fixture(scope="module")
def photos() -> dict[str, Frame]:
    return {path.stem: read_photo(path) for path in (astronaut(), hopper())}


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as made:
        yield made


def runs(opinion: SecondOpinion, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which networks of the second opinion run."""
    ran: list[str] = []
    for name, embedder in opinion._embedders.items():
        inner = embedder.embed_array
        monkeypatch.setattr(embedder, "embed_array", lambda crops, n=name, f=inner: (ran.append(n), f(crops))[1])
    return ran


def faces_of(services: Services, photos: dict[str, Frame]) -> list[Face]:
    """The astronaut, the astronaut blurred, the admiral; not embedded."""
    first = photos["astronaut"]
    dull = replace(first, pixels=cv2.GaussianBlur(first.pixels, (0, 0), 1.5))
    frames = (first, dull, photos["grace_hopper"])
    return [services.probe(frame, embed=False)[1] for frame in frames]


def test_clear_pairs_never_run_the_slow_network(
    services: Services, photos: dict[str, Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    opinion = SecondOpinion(services)
    ran = runs(opinion, monkeypatch)
    one, copy, other = faces_of(services, photos)
    rule = services.rule()
    assert rule is not None
    same, strangers = opinion.compare(one, copy, rule), opinion.compare(one, other, rule)
    assert (same.opinion.outcome, strangers.opinion.outcome) == (Outcome.MATCH, Outcome.NO_MATCH)
    assert not same.opinion.asked
    assert not strangers.opinion.asked
    assert set(ran) == {services.catalog.model("arcface").sha256}
    assert same.comparison.model.id == "arcface"
    assert same.rule.threshold == same.band.high


def test_in_doubt_the_answer_is_the_whole_models(services: Services, photos: dict[str, Frame]) -> None:
    opinion = SecondOpinion(services)
    rule = services.rule()
    assert rule is not None
    opinion._points = (replace(opinion._points[-1], low=-1.0, high=1.0),)
    one, copy, other = faces_of(services, photos)
    for left, right in ((one, copy), (one, other)):
        answer, alone = opinion.compare(left, right, rule), services.compare(left, right)
        assert answer.opinion.asked
        assert answer.comparison.similarity == pytest.approx(alone.similarity, abs=2e-5)
        assert answer.opinion.outcome is decide(alone.similarity, rule)
        assert answer.comparison.model.id == "arcface+sface"
        assert answer.rule == rule


def test_against_a_person_enrolled_by_the_whole_model(
    services: Services, photos: dict[str, Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, copy, other = faces_of(services, photos)
    eileen, _ = services.enroll("Eileen Collins", [EnrolSample(one, photos["astronaut"])])
    grace, _ = services.enroll("Grace Hopper", [EnrolSample(other, photos["grace_hopper"])])
    opinion = SecondOpinion(services)
    ran = runs(opinion, monkeypatch)
    rule = services.rule()
    assert rule is not None
    answer = opinion.compare_person(eileen, copy, rule)
    assert answer.opinion.outcome is Outcome.MATCH
    assert answer.comparison.person_name == "Eileen Collins"
    assert answer.comparison.next_best is not None
    assert answer.comparison.next_best.name == "Grace Hopper"
    assert opinion.compare_person(grace, copy, rule).opinion.outcome is Outcome.NO_MATCH
    assert set(ran) == {services.catalog.model("arcface").sha256}
    opinion._points = (replace(opinion._points[-1], low=-1.0, high=1.0),)
    asked = opinion.compare_person(eileen, copy, rule)
    assert asked.comparison.similarity == pytest.approx(services.compare_person(eileen, copy).similarity, abs=2e-5)
    with pytest.raises(KnownError, match="no sample"):
        opinion.compare_person(999, copy, rule)


def test_what_cannot_be_answered_in_two_steps_is_said(services: Services) -> None:
    opinion = SecondOpinion(services)
    with pytest.raises(KnownError, match="no second opinion at the threshold"):
        opinion.band(Rule(0.7, 0.6))
    services.change_settings(precision="best")
    with pytest.raises(KnownError, match="saves time"):
        SecondOpinion(services)
    services.change_settings(precision="balanced", model="sface")
    with pytest.raises(KnownError, match="not made of two networks"):
        SecondOpinion(services)
