"""Full screen: what it shows is what was decided, sound is asked for, and Escape leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from facegui.faces.liveness import LivenessReport, Verdict
from facegui.faces.liveness_challenge import Action, ChallengeState, ChallengeView
from facegui.faces.types import Outcome
from facegui.gui import theme
from facegui.gui.pages.verify_kiosk import Kiosk
from facegui.services import Services
from facegui.settings import Settings


@pytest.fixture
def kiosk(qtbot, qapp: QApplication, home: Path, tmp_path: Path) -> Iterator[Kiosk]:
    theme.install(qapp, "light")
    parent = QWidget()
    qtbot.addWidget(parent)
    with Services(settings=Settings(), gallery=tmp_path / "g.sqlite") as services:
        made = Kiosk(services, parent)
        made.resize(1280, 800)
        made.show()
        image = QImage(640, 480, QImage.Format.Format_RGB888)
        image.fill(QColor("white"))
        made.show_image(image, mirrored=True)
        yield made


def asked(action: Action | None, done: int = 1) -> LivenessReport:
    state = ChallengeState.ASKED if action is not None else ChallengeState.REST
    return LivenessReport(Verdict.UNDECIDED, "", (), ChallengeView(state, action, done, 4, 5.0))


def colours(kiosk: Kiosk) -> set[str]:
    picture = kiosk.grab().toImage()
    return {picture.pixelColor(x, picture.height() // 3).name() for x in range(picture.width())}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_frame_takes_the_colour_of_the_decision_and_words_say_it_too(kiosk: Kiosk, outcome: Outcome) -> None:
    kiosk.show_state(outcome, "This face matches Ada.", "", None)
    role = {Outcome.MATCH: "match", Outcome.NO_MATCH: "no_match", Outcome.UNSURE: "unsure"}[outcome]
    assert theme.color(role).name() in colours(kiosk)
    assert kiosk.accessibleName() == "This face matches Ada."
    assert kiosk.accessibleDescription()


def test_sound_is_off_until_wanted_and_tells_what_is_new_once(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    bells: list[None] = []
    monkeypatch.setattr(QApplication, "beep", lambda: bells.append(None))
    kiosk.show_state(Outcome.UNSURE, "Turn.", "", asked(Action.LEFT))
    assert not bells
    QTest.mouseClick(kiosk.sound, Qt.MouseButton.LeftButton)
    assert kiosk.sound.text() == "Sound: on"
    bells.clear()
    for action in (None, Action.MOUTH, Action.MOUTH, None):
        kiosk.show_state(Outcome.UNSURE, "Open.", "", asked(action))
    for _ in range(3):
        kiosk.show_state(Outcome.MATCH, "This face matches Ada.", "", None)
    assert len(bells) == 2, "one for the request, one for the decision"


def test_escape_leaves_and_enter_tries_again(qtbot, kiosk: Kiosk) -> None:
    assert kiosk.windowModality() is Qt.WindowModality.ApplicationModal
    with qtbot.waitSignal(kiosk.againWanted):
        QTest.keyClick(kiosk, Qt.Key.Key_Return)
    with qtbot.waitSignal(kiosk.left):
        QTest.keyClick(kiosk, Qt.Key.Key_Escape)
