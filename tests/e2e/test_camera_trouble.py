"""A camera that is unplugged and comes back, and two windows that want the same one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from facegui.cli import main
from facegui.faces.guide import GuidePose
from facegui.gui.bridge import Bridge
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.enroll import EnrollPage
from facegui.gui.pages.verify import VerifyPage
from facegui.gui.pages.verify_probe import CAMERA
from facegui.gui.widgets.camera_view import CameraView
from facegui.matching.decision import Outcome
from facegui.services import EnrolSample, Services
from facegui.services import live as live_services
from facegui.sources import camera as camera_module
from facegui.sources.camera import CameraFeed, FeedState, frames
from tests.film_camera import FilmCamera

WAIT = 30_000


@pytest.fixture
def film(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> FilmCamera:
    """The only camera of this computer; it shows d9.mp4."""
    made = FilmCamera(shared_data / "video" / "d9.mp4")
    monkeypatch.setattr(live_services, "CameraFeed", partial(CameraFeed, opener=made.open))
    monkeypatch.setattr(camera_module, "_RETRY_SECONDS", (0.1,))
    return made


@pytest.fixture(scope="module")
def person(services: Services, shared_data: Path) -> int:
    for frame in frames(shared_data / "video" / "d9.mp4", every=40):
        face = services.probe(frame)[1]
        return services.enroll("Dee", [EnrolSample(face, frame)])[0]
    raise AssertionError("the film is empty")


def test_verify_says_that_the_camera_is_gone_and_decides_again_when_it_is_back(
    qtbot, window: MainWindow, services: Services, person: int, film: FilmCamera
) -> None:
    page = window.page
    assert isinstance(page, VerifyPage)
    qtbot.waitUntil(lambda: not page._first, timeout=WAIT)
    page.receive(person)
    page.refresh()
    page.probe.set_kind(CAMERA)
    page.probe.camera.open("0", 480)
    qtbot.waitUntil(lambda: page.result.outcome is Outcome.MATCH, timeout=WAIT)
    film.plugged = False
    qtbot.waitUntil(lambda: page.probe.camera.state is FeedState.LOST, timeout=WAIT)
    assert page.probe.camera._card.accessibleName() == "The camera is gone"
    said = page.probe.camera._card.accessibleDescription()
    assert said.startswith("The camera 0 ")
    assert "unplugged" in said or "not connected" in said
    qtbot.waitUntil(lambda: page.result.outcome is None, timeout=WAIT)  # an old decision must not stand
    film.plugged = True
    qtbot.waitUntil(lambda: page.result.outcome is Outcome.MATCH, timeout=WAIT)
    page.probe.camera.close_feed()


def test_the_guide_waits_for_a_lost_camera_and_keeps_what_it_took(
    qtbot, services: Services, film: FilmCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = Bridge()
    page = EnrollPage(services, bridge)
    qtbot.addWidget(page, before_close_func=lambda page: page.deactivate())
    page.resize(900, 640)
    page.show()
    pane = page.camera
    monkeypatch.setattr(pane, "start", lambda: None)
    page.camera_mode.click()
    pane._open("0", 480)
    qtbot.waitUntil(pane.guide_button.isEnabled, timeout=WAIT)
    pane.guide_button.click()
    qtbot.waitUntil(lambda: len(page.tray.samples) >= 1, timeout=WAIT)
    taken = page.tray.samples
    film.plugged = False
    qtbot.waitUntil(lambda: "does not answer" in pane.guided.sentence.text(), timeout=WAIT)
    assert pane.guided.active
    assert page.tray.samples[: len(taken)] == taken
    film.plugged = True
    qtbot.waitUntil(lambda: pane.camera.state is FeedState.LIVE, timeout=WAIT)
    qtbot.waitUntil(lambda: "does not answer" not in pane.guided.sentence.text(), timeout=WAIT)
    offered: list[tuple[str, object]] = []
    page.undo_offered.connect(lambda text, undo: offered.append((text, undo)))
    pane.guided.cancel()
    assert page.tray.samples == ()
    text, undo = offered[-1]
    assert text == "Pictures of the guide left out"
    undo()  # type: ignore[operator]
    assert {sample.title for sample in page.tray.samples} >= {"Straight"}
    assert GuidePose.FRONTAL not in pane.guided._samples
    page.deactivate()
    qtbot.waitUntil(lambda: not bridge.busy, timeout=WAIT)
    bridge.close()


@pytest.fixture
def views(qtbot, services: Services) -> Iterator[tuple[CameraView, CameraView]]:
    bridges = Bridge(), Bridge()
    made = CameraView(services, bridges[0]), CameraView(services, bridges[1])
    for view in made:
        view.set_analysing(False)
        qtbot.addWidget(view, before_close_func=lambda view: view.close_feed())
        view.show()
    yield made
    for view, bridge in zip(made, bridges, strict=True):
        view.close_feed()
        qtbot.waitUntil(lambda bridge=bridge: not bridge.busy, timeout=WAIT)
        bridge.close()


def test_the_second_window_says_that_the_camera_is_taken_and_gets_it_when_it_is_free(
    qtbot, views: tuple[CameraView, CameraView], film: FilmCamera
) -> None:
    first, second = views
    first.open("0", 480)
    qtbot.waitUntil(lambda: first.state is FeedState.LIVE, timeout=WAIT)
    second.open("0", 480)
    qtbot.waitUntil(lambda: second.state is FeedState.FAILED, timeout=WAIT)
    assert "Another program may be using it" in second._card.accessibleDescription()
    assert first.state is FeedState.LIVE
    first.close_feed()
    qtbot.waitUntil(lambda: second.state is FeedState.LIVE, timeout=WAIT)


def test_watch_tells_that_the_camera_went_and_came_back(
    services: Services,
    person: int,
    film: FilmCamera,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[str] = []
    real = live_services.follow

    def followed(feed, session, seconds):  # type: ignore[no-untyped-def]
        for news in real(feed, session, seconds):
            yield news
            state = feed.status.state.value
            if not states or states[-1] != state:
                states.append(state)
            if states == ["live"] and getattr(news, "seconds", 0) > 0.5:
                film.plugged = False
                threading.Timer(0.5, lambda: setattr(film, "plugged", True)).start()

    monkeypatch.setattr(live_services, "follow", followed)
    gallery = str(services.gallery.file)
    assert main(["watch", "--gallery", gallery, "--camera", "0", "--person", "Dee", "--json", "--seconds", "4"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line["state"] for line in lines if line["event"] == "camera"]
    assert told[:3] == ["live", "lost", "live"]
    assert [line["decision"] for line in lines if line["event"] == "decided"][-1] == "match"


def test_watch_ends_in_time_although_the_camera_stays_away(
    services: Services, person: int, film: FilmCamera, capsys: pytest.CaptureFixture[str]
) -> None:
    threading.Timer(1.5, lambda: setattr(film, "plugged", False)).start()
    gallery = str(services.gallery.file)
    main(["watch", "--gallery", gallery, "--camera", "0", "--person", "Dee", "--json", "--seconds", "3"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines if line["event"] == "camera"][-1] == "lost"
