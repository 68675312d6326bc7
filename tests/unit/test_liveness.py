"""Proof of life: the challenge in a random order, depth from movement, cues in single pictures, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sample_pictures import PICTURE

from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.faces.liveness import Cue, CueKind, CueState, LivenessMode, LivenessReport, Verdict, judge
from facegui.faces.liveness_challenge import (
    Action,
    Challenge,
    ChallengeLimits,
    ChallengeState,
    ChallengeView,
    Signs,
    draw,
)
from facegui.faces.liveness_geometry import homography_residuals, similarity_residuals
from facegui.faces.liveness_image import border, glare, moire
from facegui.faces.liveness_model import ADDON, PassiveNetwork
from facegui.faces.session import OnnxNetwork
from facegui.faces.types import Box, Detection, Face, Frame, Outcome, Quality
from facegui.services import EnrolSample, Services
from facegui.services.live import LiveSession, passive_model
from facegui.settings import Settings
from facegui.sources.video import frames
from tests.benchmarks.attacks import ATTACKS, attack
from tests.benchmarks.puppet import MOVES, RATE, Puppet

LIMITS = ChallengeLimits.from_table(Catalog().tables["challenge"])
REST = Signs(0.0, 2.0, 5.0, 0.3, 0.05, 200.0)
STEP = 0.08


def doing(action: Action | None, share: float, seconds: float) -> Signs:
    """A face that makes a movement, `share` of what is asked."""
    signs = replace(REST, seconds=seconds)
    if action is None:
        return signs
    moved = {
        Action.LEFT: {"yaw": REST.yaw + LIMITS.turn * share},
        Action.RIGHT: {"yaw": REST.yaw - LIMITS.turn * share},
        Action.UP: {"pitch": REST.pitch + LIMITS.nod * share},
        Action.DOWN: {"pitch": REST.pitch - LIMITS.nod * share},
        Action.BLINK: {"eyes": REST.eyes * (1 - (1 - LIMITS.eyes) * share)},
        Action.MOUTH: {"mouth": REST.mouth + LIMITS.mouth * share},
        Action.CLOSER: {"size": REST.size * (1 + (LIMITS.closer - 1) * share)},
        Action.FARTHER: {"size": REST.size * (1 - (1 - LIMITS.farther) * share)},
    }
    return replace(signs, **moved[action])


def session(
    challenge: Challenge, answer=lambda action: action, reaction: float = 0.4
) -> tuple[ChallengeView, list[Signs]]:  # type: ignore[no-untyped-def]
    """Somebody who does as asked, or what `answer` makes of it; the view at the end, and what a recorder saw."""
    seen: list[Signs] = []
    view = challenge.add(doing(None, 0, 0.0))
    since, done = None, -1
    for number in range(1, 700):
        now = number * STEP
        if view.state is ChallengeState.ASKED and view.done != done:
            done, action, since = view.done, answer(view.action), now + reaction
        moving = since is not None and since <= now < since + 0.8
        seen.append(doing(action if moving else None, 1.3, now))
        view = challenge.add(seen[-1])
        if view.state in (ChallengeState.PASSED, ChallengeState.FAILED):
            break
    return view, seen


@pytest.mark.parametrize("seed", range(8))
def test_whoever_does_as_asked_passes(seed: int) -> None:
    challenge = Challenge(LIMITS, Random(seed))
    view, _ = session(challenge)
    assert view.state is ChallengeState.PASSED, view.reason
    assert [name for name, _, _ in view.measured] == [action.value for action in challenge.actions]


def test_the_order_is_drawn_anew_and_always_holds_a_turn() -> None:
    drawn = [draw(LIMITS.actions) for _ in range(4000)]
    assert all({Action.LEFT, Action.RIGHT} & set(actions) for actions in drawn)
    assert all(len(set(actions)) == LIMITS.actions for actions in drawn)
    assert len(set(drawn)) > 1200, "of 1,320"
    both = sum({Action.LEFT, Action.RIGHT} <= set(actions) for actions in drawn)
    assert 0.23 < both / len(drawn) < 0.32, "15 of 55 sets hold both turns: none is drawn more often than another"
    assert set(Counter(action for actions in drawn for action in actions)) == set(Action)


def looped(recording: list[Signs], start: int) -> Iterator[Signs]:
    """A recording that is played again and again from some place on."""
    length = recording[-1].seconds + STEP
    for step in range(2 * len(recording)):
        rounds, place = divmod(start + step, len(recording))
        yield replace(recording[place], seconds=recording[place].seconds + rounds * length)


def test_a_recording_of_another_session_fails() -> None:
    chance, passed = Random(5), 0
    for _ in range(40):
        recording = session(Challenge(LIMITS, chance))[1]
        for _ in range(25):
            challenge = Challenge(LIMITS, chance)
            views = [challenge.add(signs) for signs in looped(recording, chance.randrange(len(recording)))]
            passed += views[-1].state is ChallengeState.PASSED
    assert passed <= 5, "of 1,000: the same order by chance"


def test_the_same_order_fails_where_its_pauses_do_not_fit() -> None:
    """What is left to a recording of the very order is that its movements come when they are asked for."""
    passed = 0
    for seed in range(40):
        recording = session(Challenge(LIMITS, Random(seed)))[1]
        challenge = Challenge(LIMITS, Random(1000 + seed))
        challenge.actions = Challenge(LIMITS, Random(seed)).actions
        views = [challenge.add(signs) for signs in recording]
        passed += views[-1].state is ChallengeState.PASSED
    assert passed < 20


def asked_next(challenge: Challenge, moved: Action | None = None, share: float = 1.3, after: float = 0.5) -> str:
    """Bring a challenge to its first request while a movement is made in the pause; the reason if that fails it."""
    start, seconds = None, 0.0
    view = challenge.add(REST)
    while view.state is ChallengeState.REST:
        seconds += STEP
        if challenge._base is not None and start is None:
            start = seconds
        moving = start is not None and start + after <= seconds < start + after + 0.4
        view = challenge.add(doing(moved if moving else None, share, seconds))
    return view.reason


class Longest(Random):
    """Every pause is the longest."""

    def uniform(self, a: float, b: float) -> float:
        return b


@pytest.mark.parametrize("moved", [Action.LEFT, Action.RIGHT, Action.CLOSER, Action.FARTHER])
def test_a_movement_that_nobody_asked_for_fails_and_is_named(moved: Action) -> None:
    assert asked_next(Challenge(LIMITS, Longest(1)), moved) == (
        f"Nothing was asked for, but there was a movement: {moved.value}."
    )


def test_blinks_words_nods_small_movements_and_a_head_that_swings_past_its_rest_fail_nobody() -> None:
    assert asked_next(Challenge(LIMITS, Longest(1))) == ""
    for of_itself in (Action.BLINK, Action.MOUTH, Action.UP, Action.DOWN):
        assert asked_next(Challenge(LIMITS, Longest(1)), of_itself) == "", "people blink, speak and nod while they wait"
    assert asked_next(Challenge(LIMITS, Longest(1)), Action.LEFT, share=0.9) == ""
    assert asked_next(Challenge(LIMITS, Longest(1)), Action.LEFT, after=0.0) == "", "before the rest has lasted"


def test_lids_that_follow_a_lowered_head_are_not_closed_eyes() -> None:
    for lowered, done in ((0.8, 0), (0.3, 1)):
        challenge = Challenge(LIMITS, Random(0))
        challenge.actions = (Action.BLINK, Action.LEFT, Action.RIGHT, Action.MOUTH)
        view, seconds = challenge.add(REST), 0.0
        while view.state is ChallengeState.REST:
            seconds += STEP
            view = challenge.add(doing(None, 0, seconds))
        for number in range(12):
            signs = doing(Action.BLINK, 1.3 if number > 4 else 0, seconds + number * STEP)
            view = challenge.add(replace(signs, pitch=REST.pitch - LIMITS.nod * lowered))
        assert view.done == done


@pytest.mark.parametrize(
    ("answer", "reaction", "words"),
    [
        (lambda action: Action.RIGHT if action is not Action.RIGHT else Action.LEFT, 0.4, "but the movement was"),
        (lambda action: None, 0.4, "nothing was seen"),
        (lambda action: action, 0.0, "before it was asked for"),
    ],
)
def test_a_wrong_a_missing_and_a_foretold_movement_fail_and_say_so(answer, reaction: float, words: str) -> None:  # type: ignore[no-untyped-def]
    limits = replace(LIMITS, reaction=0.2)
    view, _ = session(Challenge(limits, Random(4)), answer, reaction)
    assert view.state is ChallengeState.FAILED
    assert words in view.reason


def test_a_face_that_was_out_of_sight_may_be_another_one() -> None:
    challenge = Challenge(LIMITS, Random(1))
    view, now = challenge.add(REST), 0.0
    assert challenge.add(doing(None, 0, 5.0)).state is ChallengeState.REST, "nothing was asked yet"
    while view.state is not ChallengeState.ASKED:
        now += STEP
        view = challenge.add(doing(None, 0, 5.0 + now))
    assert challenge.add(doing(None, 0, 5.0 + now + LIMITS.gap + 0.1)).state is ChallengeState.FAILED


def test_natural_blinks_are_no_answer_to_being_asked_to_close_the_eyes() -> None:
    challenge = Challenge(LIMITS, Random(0))
    challenge.actions = (Action.BLINK, Action.LEFT, Action.RIGHT)
    view = challenge.add(REST)
    for number in range(1, 60):
        closed = number % 12 < 3  # a quarter of a second, once a second
        view = challenge.add(doing(Action.BLINK if closed else None, 1.5, number * STEP))
    assert view.state is ChallengeState.ASKED
    assert view.done == 0


HEAD = np.random.default_rng(3).normal(size=(80, 3)) * [60, 80, 25]


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    turn = np.radians(degrees)
    about = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    placed = points @ about.T + [0, 0, 600]
    return placed[:, :2] / placed[:, 2:] * 800


def test_a_plane_moves_as_a_homography_and_a_head_does_not() -> None:
    flat = HEAD * [1, 1, 0]
    for points, low, high in ((flat, 0, 1e-6), (HEAD, 0.4, 2)):
        one, other = turned(points, -10), turned(points, 15)
        ratio = np.sqrt((homography_residuals(one, other) ** 2).mean()) / np.sqrt(
            (similarity_residuals(one, other) ** 2).mean()
        )
        assert low <= ratio <= high


def test_the_grid_of_a_screen_the_edge_of_a_print_and_a_lamp_are_seen() -> None:
    height, width = PICTURE.shape[:2]
    large = cv2.resize(PICTURE, (2 * width, 2 * height))
    box = Box(width * 0.6, height * 0.2, width * 0.8, height)
    shown = {name: next(attack(iter([Frame(large, "x")]), how)).pixels for name, how in ATTACKS.items()}
    assert moire(shown["screen, replay, tight crop"], box) > moire(large, box) + 0.2
    paper = np.full((480, 640, 3), 120, np.uint8)
    paper[60:420, 180:460] = 235
    assert border(paper, Box(270, 160, 100, 140)) == 4
    assert border(np.full((480, 640, 3), 120, np.uint8), Box(270, 160, 100, 140)) == 0
    bright = PICTURE.copy()
    face = Box(10, 10, 100, 100)
    cv2.circle(bright, (60, 60), 20, (255, 255, 255), -1)
    assert glare(bright, face) > 0.1


def cue(kind: CueKind, value: float, strong: bool) -> Cue:
    return Cue.measured(kind, value, 0.5, above=True, strong=strong, text=f"{kind.value} failed")


PASSED = ChallengeView(ChallengeState.PASSED, None, 4, 4, 0.0)


@pytest.mark.parametrize(
    ("cues", "challenge", "verdict"),
    [
        ([cue(CueKind.DEPTH, 0.8, True)], PASSED, Verdict.LIVE),
        ([cue(CueKind.DEPTH, 0.2, True)], PASSED, Verdict.ATTACK),
        ([cue(CueKind.DEPTH, float("nan"), True)], PASSED, Verdict.UNDECIDED),
        ([cue(CueKind.DEPTH, 0.8, True), cue(CueKind.MOIRE, 0.1, False)], PASSED, Verdict.LIVE),
        ([cue(CueKind.DEPTH, 0.8, True)], None, Verdict.UNDECIDED),
        ([], replace(PASSED, state=ChallengeState.FAILED, reason="no"), Verdict.ATTACK),
        ([], replace(PASSED, state=ChallengeState.ASKED), Verdict.UNDECIDED),
    ],
)
def test_the_verdict_follows_from_the_cues_by_the_stated_rule(
    cues: list[Cue], challenge: ChallengeView | None, verdict: Verdict
) -> None:
    report = judge(cues, challenge)
    assert report.verdict is verdict
    assert report.reason
    assert report.summary().startswith(verdict.value)


# --- the whole, on real faces -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip(shared_data: Path) -> list[Frame]:
    return list(frames(shared_data / "video" / "d3.mp4"))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, clip: list[Frame]) -> Iterator[Services]:
    with Services(settings=Settings(provider="cpu"), gallery=tmp_path_factory.mktemp("life") / "g.sqlite") as made:
        made.enroll("Dee", [EnrolSample(made.probe(clip[n])[1], clip[n]) for n in (0, 150)])
        yield made


def play(
    session: LiveSession, pictures: Iterator[Frame], newest: list[LivenessReport]
) -> tuple[Outcome, list[Outcome]]:
    decided = []
    for frame in pictures:
        view = session.step(frame)
        newest[:] = [view.liveness] if view.liveness is not None else newest
        decided += [event.face.outcome for event in view.events if event.kind.value == "decided"]
        if newest and newest[-1].verdict is not Verdict.UNDECIDED:
            break
    assert view.front is not None
    return view.front.outcome, decided


def test_a_living_person_who_does_as_asked_is_matched_and_not_before(services: Services, clip: list[Frame]) -> None:
    newest: list[LivenessReport] = []
    rest, moves = MOVES["d3"]
    puppet = Puppet(clip, rest, moves, lambda: newest[-1].challenge if newest else None)
    seed = next(n for n in range(100) if set(draw(LIMITS.actions, Random(n))) <= puppet.able)
    session = LiveSession(services, liveness=LivenessMode.REQUIRE, random=Random(seed))
    outcome, decided = play(session, puppet.frames(40), newest)
    assert newest[-1].verdict is Verdict.LIVE, newest[-1]
    assert outcome is Outcome.MATCH
    assert decided == [Outcome.MATCH]
    depth = next(cue for cue in newest[-1].cues if cue.kind is CueKind.DEPTH)
    assert depth.state is CueState.LIVE


@pytest.mark.parametrize("name", ["print held still", "print waved, tight crop"])
def test_a_photo_of_an_enrolled_person_is_refused(services: Services, clip: list[Frame], name: str) -> None:
    photo = (Frame(clip[0].pixels, "photo", time=n / RATE) for n in range(300))
    session = LiveSession(services, liveness=LivenessMode.REQUIRE, random=Random(4))
    newest: list[LivenessReport] = []
    outcome, decided = play(session, attack(photo, ATTACKS[name]), newest)
    assert newest[-1].verdict is Verdict.ATTACK
    assert outcome is Outcome.UNSURE
    assert Outcome.MATCH not in decided


def test_observing_shows_the_cues_and_changes_no_decision(services: Services, clip: list[Frame]) -> None:
    session = LiveSession(services, liveness=LivenessMode.OBSERVE)
    for frame in clip[:40:3]:
        view = session.step(frame)
    assert view.liveness is not None
    assert {cue.kind for cue in view.liveness.cues} >= {CueKind.DEPTH, CueKind.MOIRE, CueKind.BORDER, CueKind.GLARE}
    assert view.front is not None
    assert view.front.outcome is Outcome.MATCH


# --- the passive model ----------------------------------------------------------------------------------------------


def liveness_network(path: Path) -> Path:
    """A network that takes the mean of the picture for the probability."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 80, 80])
    live = helper.make_tensor_value_info("live", TensorProto.FLOAT, [1])
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0, noop_with_empty_axes=0),
        helper.make_node("Reshape", ["mean", "shape"], ["live"]),
    ]
    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [1])
    graph = helper.make_graph(nodes, "liveness", [picture], [live], [shape])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return path


ENTRY = {
    "role": "liveness", "input_size": [80, 80], "colour": "RGB", "mean": 0.0, "scale": 1 / 255, "outside": 0.3,
    "limit": 0.8, "output": "probability",
    "points": [32.03, 38.06, 47.89, 37.98, 40.01, 47.08, 33.5, 56.36, 46.63, 56.29],
}  # fmt: skip
POINTS = np.array([[100, 100], [140, 100], [120, 122], [104, 146], [136, 146]], np.float32)


def test_a_passive_model_of_the_manifest_answers_a_probability(home: Path) -> None:
    from facegui.faces.catalog import file_sha256
    from facegui.faces.packs_manifest import add_entry, models_folder

    folder = models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = liveness_network(folder / "life.onnx")
    add_entry(folder, {"id": "life", "file": file.name, "sha256": file_sha256(file), **ENTRY})
    with Services(settings=Settings(provider="cpu")) as services:
        model = passive_model(services)
    assert model is not None
    assert model.limit == 0.8
    pixels = np.full((240, 240, 3), 204, np.uint8)
    quality = Quality(1, (), 40, 0.5, 0.5, 0.3, 0, 0, 0, 1)
    inside = Face(Detection(Box(80, 70, 80, 100), POINTS, 0.9), np.zeros((112, 112, 3), np.uint8), quality)
    outside = replace(inside, detection=replace(inside.detection, landmarks=POINTS - 100))
    assert model(Frame(pixels, "x"), inside) == pytest.approx(0.8, abs=1e-3)
    assert model(Frame(pixels, "x"), outside) != model(Frame(pixels, "x"), outside), "too near the edge: not a number"
    info = Catalog().model("life", "liveness")
    with pytest.raises(KnownError, match="incomplete"):
        PassiveNetwork(replace(info, liveness={}), OnnxNetwork(file, provider="cpu"), "picture")


def test_the_add_on_asks_for_its_licence_and_refuses_another_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from facegui.cli import main

    other = liveness_network(tmp_path / "other.onnx")
    assert main(["models", "add-liveness", str(other)]) == 2
    assert "non-commercial" in capsys.readouterr().err
    assert main(["models", "add-liveness", str(other), "--accept-licence"]) == 2
    assert "sha256 differs" in capsys.readouterr().err
    assert not Catalog().has(ADDON)
