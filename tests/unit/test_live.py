"""Live sessions on the real chain: who is in front of the camera, decided over time; the verbs watch and enroll."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegui.cli import main
from facegui.faces.types import Frame, Outcome
from facegui.gallery.store import Gallery
from facegui.services import EnrolSample, Services
from facegui.services.live import LiveSession
from facegui.services.live_enrol import Collector
from facegui.services.live_values import LiveEventKind, LiveView
from facegui.settings import Settings
from facegui.sources.files import read_photo
from facegui.sources.video import frames
from tests.faces import astronaut, group, hopper

PEOPLE = ("d0", "d12", "d3", "d6", "d9")
SIDE = 320


def moving(path: Path, count: int, rate: float = 12.5) -> Iterator[Frame]:
    """A photo before a hand-held camera."""
    pixels = read_photo(path, working_pixels=1600, max_megapixels=200).pixels
    side = min(pixels.shape[:2])
    pixels = cv2.resize(pixels[:side, -side:], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(1)
    for number in range(count):
        shift = np.float32([[1, 0, 3 * np.sin(number)], [0, 1, 3 * np.cos(number)]])
        moved = cv2.warpAffine(pixels, shift, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        noise = rng.integers(-3, 4, moved.shape)
        yield Frame(np.clip(moved.astype(int) + noise, 0, 255).astype(np.uint8), "test", time=number / rate)


def video(path: Path, pictures: Iterator[Frame]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (SIDE, SIDE))
    for frame in pictures:
        writer.write(frame.pixels[:, :, ::-1])
    writer.release()
    return path


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with Services(settings=Settings(provider="cpu"), gallery=tmp_path_factory.mktemp("live") / "g.sqlite") as made:
        for name, path in (("Eileen", astronaut()), ("Grace", hopper())):
            frame = made.read(path)
            made.enroll(name, [EnrolSample(made.probe(frame)[1], frame)])
        yield made


def last_of(session: LiveSession, pictures: Iterator[Frame]) -> tuple[LiveView, list[LiveEventKind]]:
    kinds, view = [], None
    for frame in pictures:
        view = session.step(frame)
        kinds += [event.kind for event in view.events]
    assert view is not None
    return view, kinds


def test_a_face_appears_is_decided_once_and_leaves(services: Services) -> None:
    session = LiveSession(services)
    view, kinds = last_of(session, moving(astronaut(), 12))
    assert view.front is not None
    assert view.front.candidate is not None
    assert view.front.candidate.name == "Eileen"
    assert view.front.outcome is Outcome.MATCH
    assert view.front.margin is not None
    assert view.front.margin > 0.3
    assert len(view.front.moments) == 12
    assert kinds == [LiveEventKind.APPEARED, LiveEventKind.DECIDED]
    blank = np.full((SIDE, SIDE, 3), 90, np.uint8)
    kinds = last_of(session, (Frame(blank, "test", time=1.0 + n) for n in range(5)))[1]
    assert kinds == [LiveEventKind.LEFT]


def test_somebody_else_does_not_match_the_claimed_person(services: Services) -> None:
    grace = services.gallery.person_named("Grace")
    assert grace is not None
    front = last_of(LiveSession(services, person_id=grace.id), moving(astronaut(), 10))[0].front
    assert front is not None
    assert front.candidate is not None
    assert (front.candidate.name, front.outcome) == ("Grace", Outcome.NO_MATCH)


def test_every_face_of_a_group_gets_its_own_track(services: Services) -> None:
    frame = services.read(group())
    session = LiveSession(services)
    for number in range(4):
        view = session.step(Frame(frame.pixels, "test", time=number / 10))
    assert {face.track.id for face in view.faces} == {1, 2, 3, 4, 5, 6}
    assert min(face.track.looks for face in view.faces) >= 1


def test_a_claim_of_a_person_without_samples_stays_open(services: Services) -> None:
    front = last_of(LiveSession(services, person_id=99), moving(astronaut(), 6))[0].front
    assert front is not None
    assert front.candidate is None
    assert not front.decided


def test_each_of_five_people_is_matched_and_no_other(services: Services, shared_data: Path, tmp_path: Path) -> None:
    clips = {name: list(frames(shared_data / "video" / f"{name}.mp4", every=6)) for name in PEOPLE}
    with Services(settings=Settings(provider="cpu"), gallery=tmp_path / "g.sqlite") as five:
        ids = {}
        for name, clip in clips.items():
            samples = [EnrolSample(five.probe(frame)[1], frame) for frame in clip[:2]]
            ids[name] = five.enroll(name, samples)[0]
        for name, clip in clips.items():
            later = clip[-9:]
            for claimed in ("d6", name):
                front = last_of(LiveSession(five, person_id=ids[claimed]), iter(later))[0].front
                assert front is not None
                expected = Outcome.MATCH if claimed == name else Outcome.NO_MATCH
                assert front.outcome is expected, (name, claimed, front.fused)


def test_guided_enrolment_takes_several_poses_of_a_person_who_turns(services: Services, shared_data: Path) -> None:
    collector, session, view = Collector(services), LiveSession(services), None
    for frame in frames(shared_data / "video" / "d3.mp4", every=4):
        front = session.step(frame).front
        view = collector.add(front.track.face if front else None, frame)
    assert view is not None
    assert len(view.taken) >= 3
    assert 0.5 < view.share <= 1
    samples = collector.samples(5)
    assert len(samples) == 5
    vectors = np.stack([s.face.embedding.vector for s in samples if s.face.embedding is not None])
    scores = (vectors @ vectors.T)[np.triu_indices(5, 1)]
    assert scores.max() < 0.95, "no near duplicates"
    assert scores.min() > 0.35, "one person"


def test_watch_gives_a_line_of_json_for_each_event(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = video(tmp_path / "eileen.avi", moving(astronaut(), 40))
    gallery = str(services.gallery.file)
    common = ["watch", "--gallery", gallery, "--camera", str(clip), "--once", "--json"]
    assert main([*common, "--person", "Eileen"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["camera", "appeared", "decided"]
    decided = lines[-1]
    assert decided["decision"] == "match"
    assert decided["person"] == "Eileen"
    assert decided["similarity"] > decided["threshold"]
    assert decided["effective_frames"] < decided["frames"]
    assert main([*common, "--person", "Grace"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["decision"] == "no match"
    kept = services.gallery.decisions()
    assert [record.outcome for record in kept[:2]] == [Outcome.NO_MATCH, Outcome.MATCH]


def test_watch_refuses_a_source_that_cannot_be_opened(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--gallery", str(services.gallery.file), "--camera", "/no/such.mp4"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_enroll_takes_samples_from_a_camera(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = video(tmp_path / "eileen.avi", moving(astronaut(), 12))
    gallery = tmp_path / "new.sqlite"
    assert main(["enroll", "Eileen", "--gallery", str(gallery), "--camera", str(clip), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["saved"] >= 1
    assert document["skipped"] == []
    with Gallery.open(gallery, read_only=True) as opened:
        assert opened.counts().people == 1
    black = video(tmp_path / "black.avi", (Frame(np.zeros((SIDE, SIDE, 3), np.uint8), "", time=0.0) for _ in range(6)))
    assert main(["enroll", "Nobody", "--gallery", str(gallery), "--camera", str(black)]) == 2
    assert "No face was seen" in capsys.readouterr().err
    assert main(["enroll", "Both", str(astronaut()), "--gallery", str(gallery), "--camera", str(clip)]) == 2
