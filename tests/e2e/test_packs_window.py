"""An added model in the window: chosen in the status strip, and everything embedded anew behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from facegui import jobs
from facegui.faces.packs import add_model, disguised
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.settings_models import ModelCard
from facegui.services import EnrolSample, Services
from facegui.settings import Settings
from tests import faces

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

import pack_networks

WAIT = 30_000
WAY = {"colour": "RGB", "mean": (127.5,) * 3, "scale": (1 / 128,) * 3}


@pytest.fixture
def services(home: Path, tmp_path: Path) -> Iterator[Services]:
    """The services with an added model, and two people enrolled with another one."""
    file = pack_networks.save(pack_networks.resnet(), tmp_path / "small.onnx")
    jobs.run(add_model(file, disguised([]), threads=1, **WAY))  # type: ignore[arg-type]
    settings = Settings(model="arcface", threads=1, provider="cpu")
    with Services(settings=settings, gallery=tmp_path / "people.sqlite") as made:
        for name, path in (("Eileen", faces.astronaut()), ("Grace", faces.hopper())):
            photo, face = made.probe(path)
            made.enroll(name, [EnrolSample(face, photo.frame)])
        yield made


def test_choosing_an_added_model_embeds_the_samples_in_the_background(
    qtbot, window: MainWindow, services: Services
) -> None:
    small = services.catalog.model("small").sha256
    assert services.gallery.pending_count(small) == 2
    window.strip.model_chosen.emit("small")
    qtbot.waitUntil(lambda: services.model.id == "small", timeout=WAIT)
    qtbot.waitUntil(lambda: services.gallery.pending_count(small) == 0, timeout=WAIT)
    probe = services.analyse(faces.astronaut()).faces[0]
    assert services.identify(probe)[0].name == "Eileen"
    assert services.rule() is None
    window.strip.model_chosen.emit("arcface")
    qtbot.waitUntil(lambda: services.model.id == "arcface", timeout=WAIT)
    assert services.rule() is not None


def test_the_settings_page_says_that_it_is_not_calibrated(qtbot, window: MainWindow, services: Services) -> None:
    window.show_page("settings")
    qtbot.waitUntil(lambda: len(window.findChildren(ModelCard)) == 4, timeout=WAIT)
    card = next(card for card in window.findChildren(ModelCard) if card.model.id == "small")
    qtbot.waitUntil(lambda: card.facts["frontal"].value.text() == "unknown", timeout=WAIT)
    texts = [label.text() for label in card.findChildren(QLabel)]
    assert "not calibrated" in texts
    assert any("Inside the file: RGB, (pixel - 127.5) / 128" in text for text in texts)
    assert any("Licence: Not stated" in text for text in texts)
