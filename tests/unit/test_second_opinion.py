from __future__ import annotations

import numpy as np
import pytest

from facegui.faces.catalog import Catalog, Part
from facegui.faces.embed import Embedder
from facegui.faces.session import OnnxNetwork
from facegui.faces.types import Outcome
from facegui.matching.decision import Rule
from facegui.matching.second_opinion import Band, fused, judge, part_of, settle, trade_off, weights_of
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
