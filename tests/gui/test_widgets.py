from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.decision_badge import DecisionBadge, outcome_word
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.error_card import ErrorCard
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.person_picker import PersonPicker
from facegui.gui.widgets.status_strip import StatusStrip, time_left
from facegui.jobs import Job, Progress
from facegui.matching.decision import Outcome

WAIT = 30_000
REPORT = SimpleNamespace(active="CPU", device="A processor", reason="No graphics card was found.", warning=None)


def shown(widget: QWidget) -> list[str]:
    """Return the texts that can be read, from top to bottom and left to right."""
    labels = [label for label in widget.findChildren(QLabel) if label.isVisibleTo(widget) and label.text()]
    places = {label: label.mapTo(widget, label.rect().topLeft()) for label in labels}
    return [label.text() for label in sorted(labels, key=lambda label: (places[label].y(), places[label].x()))]


def test_a_known_error_says_what_why_and_what_to_do(qtbot) -> None:
    card = ErrorCard()
    qtbot.addWidget(card)
    card.show_error(KnownError("This photo cannot be read.", "It is damaged.", "Save it again."))
    assert shown(card) == ["This photo cannot be read.", "It is damaged.", "Save it again."]
    assert card.accessibleName() == "This photo cannot be read."
    card.copy_details()
    assert "It is damaged." in QGuiApplication.clipboard().text()
    assert "Traceback" not in QGuiApplication.clipboard().text()


def test_the_details_of_a_bug_hold_its_traceback(qtbot) -> None:
    card = ErrorCard()
    qtbot.addWidget(card)
    try:
        raise ZeroDivisionError("division by zero")
    except ZeroDivisionError as error:
        card.show_error(error)
    assert "ZeroDivisionError: division by zero" in shown(card)[1]
    card.copy_details()
    assert "test_widgets.py" in QGuiApplication.clipboard().text()
    with qtbot.waitSignal(card.dismissed):
        card.dismiss()
    assert card.isHidden()
    assert card.error is None


def test_an_empty_state_keeps_its_words_inside(qtbot) -> None:
    state = EmptyState("photo", "A title that is rather long for so narrow a place", "And a text " * 8, "Go on")
    qtbot.addWidget(state)
    for width in (200, 900):
        state.resize(width, 400)
        state.show()
        for label in state.findChildren(QLabel):
            assert state.rect().contains(label.geometry())
            assert label.height() >= label.heightForWidth(label.width())
    state.resize(900, 150)
    assert state._drawing.isHidden(), "where room is short the words and the action stay"
    state.resize(900, 400)
    assert not state._drawing.isHidden()
    with qtbot.waitSignal(state.activated):
        QTest.mouseClick(state._action, Qt.MouseButton.LeftButton)


def test_sections_of_the_inspector_keep_their_order(qtbot) -> None:
    panel = InspectorPanel()
    qtbot.addWidget(panel)
    panel.resize(304, 500)
    panel.show()
    panel.set_rows("Margin", [("Next", "Grace")])
    panel.set_rows("Time", [("Detect", "12 ms")])
    panel.set_rows("Margin", [("Next", "Ada", "good")])
    qtbot.waitUntil(lambda: len(shown(panel)) == 6, timeout=WAIT)
    assert shown(panel) == ["Margin", "Next", "Ada", "Time", "Detect", "12 ms"]
    panel.set_rows("Margin", [])
    assert shown(panel) == ["Time", "Detect", "12 ms"]
    panel.clear()
    assert shown(panel) == []


def test_a_name_is_found_whatever_its_case_and_spaces(qtbot) -> None:
    field = PersonPicker("Name of the person")
    qtbot.addWidget(field)
    field.set_people([(7, "Ada Lovelace"), (8, "Grace Hopper")])
    picked: list[int] = []
    field.picked.connect(picked.append)
    field.setText("  ada   lovelace ")
    assert field.person_id == 7
    assert field.name == "ada lovelace"
    field.setText("Somebody new")
    assert field.person_id is None
    field.set_person(8)
    assert field.text() == "Grace Hopper"
    assert picked == [7, 8]
    with qtbot.waitSignal(field.confirmed) as told:
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert told.args == ["Grace Hopper"]
    field.set_person(None)
    assert field.text() == ""


def test_the_down_key_lists_everybody(qtbot) -> None:
    field = PersonPicker()
    qtbot.addWidget(field)
    field.set_people([(1, "Ada"), (2, "Grace")])
    with qtbot.waitExposed(field):
        field.show()
    QTest.keyClick(field, Qt.Key.Key_Down)
    popup = field.completer().popup()
    assert popup.isVisible()
    assert popup.model().rowCount() == 2
    popup.hide()


def test_each_decision_has_its_own_shape(qtbot) -> None:
    badge = DecisionBadge()
    qtbot.addWidget(badge)
    badge.resize(badge.sizeHint())
    pictures = []
    for outcome in Outcome:
        badge.set_outcome(outcome)
        assert badge.accessibleName() == outcome_word(outcome)
        image = badge.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        length = theme.size("badge")
        pictures.append([image.pixelColor(x, y).value() < 200 for x in range(length) for y in range(length)])
    assert pictures[0] != pictures[1] != pictures[2] != pictures[0]
    badge.set_outcome(None)
    assert badge.accessibleName() == ""


def test_a_chip_shows_a_picture_in_place_of_its_icon(qtbot) -> None:
    chip = Chip("Probe", "photo", checkable=True)
    qtbot.addWidget(chip)
    image = QImage(10, 10, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.red)
    chip.set_picture(image)
    assert chip.icon().pixmap(24, 24).toImage().pixelColor(10, 12).red() == 255
    QTest.keyClick(chip, Qt.Key.Key_Space)
    assert chip.isChecked()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (44.6, "45 s"), (61, "1 min"), (3599, "60 min"), (7800, "2 h 10 min")]
)
def test_time_left_is_coarse(seconds: float, words: str) -> None:
    assert time_left(seconds).replace("1 h 00 min", "60 min") == words


@pytest.fixture
def strip(qtbot, bridge: Bridge) -> StatusStrip:
    strip = StatusStrip(bridge)
    qtbot.addWidget(strip)
    strip.resize(1100, 44)
    strip.show()
    return strip


def test_the_strip_says_where_the_networks_run_and_why(strip: StatusStrip) -> None:
    assert strip._provider.text() == "Loading models…"
    strip.set_provider(REPORT)
    assert strip._provider.text() == "CPU"
    assert strip._provider.toolTip() == REPORT.reason
    gpu = SimpleNamespace(active="CUDA", device="NVIDIA H200", reason="", warning=None)
    strip.set_provider(gpu)
    assert strip._provider.text() == "NVIDIA H200 ✓"
    lost = replace_report(warning="The graphics card is not used. Install facegui[cuda].")
    strip.set_provider(lost)
    assert "not used" in strip._provider.toolTip()
    assert strip._provider.accessibleDescription() == lost.warning
    assert strip._provider.property("themeIcon").startswith("warning")


def replace_report(**changes: object) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(REPORT), **changes})


def test_the_strip_counts_people_and_samples(strip: StatusStrip) -> None:
    strip.set_counts(1, 1)
    assert strip._counts.text() == "1 person, 1 sample"
    strip.set_counts(1234, 5678, read_only=True)
    assert strip._counts.text() == "1,234 people, 5,678 samples · read-only"


def test_a_model_can_be_chosen(qtbot, strip: StatusStrip) -> None:
    strip.set_models([("a", "ArcFace"), ("b", "Both")], "b")
    assert strip._model.text() == "Both"
    first = strip._model.menu().actions()[0]
    with qtbot.waitSignal(strip.model_chosen) as told:
        first.trigger()
    assert told.args == ["a"]


def test_undo_is_offered_once_and_can_be_taken(strip: StatusStrip) -> None:
    done: list[str] = []
    strip.offer_undo("Ada deleted", lambda: done.append("back"))
    assert "Ada deleted" in shown(strip)
    assert strip.can_undo
    strip.undo()
    strip.undo()
    assert done == ["back"]
    assert not strip.can_undo


def test_long_work_shows_after_a_while_with_a_way_to_stop_it(qtbot, strip: StatusStrip, bridge: Bridge) -> None:
    gate, owner, ended = threading.Event(), QObject(), []

    def job() -> Job[None]:
        for done in range(1, 1001):
            yield Progress(done, 1000)
            if done == 410:
                gate.wait(5)

    strip._busy_timer.setInterval(1)
    bridge.start(owner, job(), title="Indexing Holidays", on_cancelled=lambda: ended.append(True))
    qtbot.waitUntil(lambda: strip._bar.isVisible(), timeout=WAIT)
    assert strip._note.full.startswith("Indexing Holidays")
    assert strip._bar.maximum() in (0, 1000)
    QTest.mouseClick(strip._cancel, Qt.MouseButton.LeftButton)
    gate.set()
    qtbot.waitUntil(lambda: bool(ended), timeout=WAIT)
    qtbot.waitUntil(lambda: not strip._bar.isVisible(), timeout=WAIT)


def test_short_work_is_not_shown(qtbot, strip: StatusStrip, bridge: Bridge) -> None:
    owner, ended = QObject(), []

    def job() -> Job[None]:
        yield Progress(1, 1)

    bridge.start(owner, job(), title="Quick", on_done=lambda _none: ended.append(True))
    qtbot.waitUntil(lambda: bool(ended), timeout=WAIT)
    assert not strip._bar.isVisible()
    assert strip._note.full == ""
