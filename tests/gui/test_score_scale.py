from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from facegui.gui.widgets.score_scale import ScoreScale
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Outcome, rule_for

TARGET = 1e-3


@pytest.fixture
def scale(qtbot, calibration: Calibration) -> ScoreScale:
    scale = ScoreScale()
    scale.set_calibration(calibration, TARGET)
    qtbot.addWidget(scale)
    scale.resize(900, 220)
    with qtbot.waitExposed(scale):
        scale.show()
    return scale


def drag(scale: ScoreScale, to: float) -> None:
    canvas = scale.canvas
    start = canvas.threshold_point()
    assert start is not None
    x = next(x for x in range(canvas.width()) if canvas.similarity_at(x) >= to)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start.toPoint())
    QTest.mouseMove(canvas, QPoint(x, start.toPoint().y()))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(x, start.toPoint().y()))


def test_the_threshold_starts_where_the_setting_says(scale: ScoreScale, calibration: Calibration) -> None:
    assert scale.threshold == pytest.approx(calibration.threshold_for(TARGET))


def test_dragging_the_threshold_re_decides_at_once(qtbot, scale: ScoreScale) -> None:
    scale.set_similarity(0.5)
    assert scale.outcome is Outcome.MATCH
    told: list[float] = []
    decided: list[Outcome | None] = []
    scale.thresholdChanged.connect(told.append)
    scale.outcomeChanged.connect(decided.append)
    drag(scale, 0.52)
    assert scale.outcome is Outcome.UNSURE
    drag(scale, 0.9)
    assert scale.outcome is Outcome.NO_MATCH
    drag(scale, 0.3)
    assert scale.outcome is Outcome.MATCH
    assert told[-1] == scale.threshold == pytest.approx(0.3, abs=0.01)
    assert decided == [Outcome.UNSURE, Outcome.NO_MATCH, Outcome.MATCH]


def test_a_press_away_from_the_handle_moves_nothing(scale: ScoreScale) -> None:
    before = scale.threshold
    QTest.mouseClick(scale.canvas, Qt.MouseButton.LeftButton, pos=QPoint(30, 60))
    assert scale.threshold == before


def test_arrow_keys_move_the_threshold_and_home_puts_it_back(scale: ScoreScale, calibration: Calibration) -> None:
    start = calibration.threshold_for(TARGET)
    scale.canvas.setFocus()
    QTest.keyClick(scale.canvas, Qt.Key.Key_Right)
    assert scale.threshold == pytest.approx(start + 0.01)
    QTest.keyClick(scale.canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert scale.threshold == pytest.approx(start + 0.009)
    QTest.keyClick(scale.canvas, Qt.Key.Key_PageUp)
    assert scale.threshold == pytest.approx(start + 0.059)
    QTest.keyClick(scale.canvas, Qt.Key.Key_Home)
    assert scale.rule == rule_for(calibration, TARGET)


def test_the_threshold_can_be_typed_and_stays_on_the_scale(scale: ScoreScale) -> None:
    scale.set_similarity(0.5)
    scale.spin.setValue(0.7)
    assert scale.threshold == pytest.approx(0.7)
    assert scale.outcome is Outcome.NO_MATCH
    for _ in range(50):
        QTest.keyClick(scale.canvas, Qt.Key.Key_PageUp)
    assert scale.threshold == 1.0


def test_setting_the_threshold_by_program_tells_nobody(qtbot, scale: ScoreScale) -> None:
    with qtbot.assertNotEmitted(scale.thresholdChanged):
        scale.set_threshold(0.6)
    assert scale.threshold == 0.6


def test_without_a_calibration_it_claims_nothing(scale: ScoreScale) -> None:
    scale.set_calibration(None, TARGET)
    scale.set_similarity(0.8)
    assert scale.outcome is None
    assert scale.threshold is None
    assert not scale.spin.isEnabled()
    assert "not calibrated" in scale._meaning.text()
    QTest.keyClick(scale.canvas, Qt.Key.Key_Right)
    assert scale.threshold is None
    scale.grab()


def test_without_a_score_it_is_empty(scale: ScoreScale) -> None:
    scale.set_similarity(0.5)
    scale.set_similarity(None)
    assert scale.outcome is None
    assert scale._score.text() == "–"
    assert scale.canvas.accessibleDescription().startswith("No score yet")


def test_numbers_are_written_with_two_decimals_and_a_true_minus(scale: ScoreScale) -> None:
    scale.set_similarity(-0.034)
    assert scale._score.text() == "−0.03"
    assert scale.canvas.accessibleDescription().startswith("Similarity −0.03, threshold")
    assert "No match" in scale.canvas.accessibleDescription()


def test_hovering_tells_both_error_rates(scale: ScoreScale) -> None:
    words = scale.canvas.words_at(0.4)
    assert "FMR" in words
    assert "FNMR" in words


def test_the_decision_has_its_colour_and_the_marker_its_place(scale: ScoreScale, pixel) -> None:
    from facegui.gui import theme

    scale.set_similarity(0.8)
    canvas = scale.canvas
    x = next(x for x in range(canvas.width()) if canvas.similarity_at(x) >= 0.8)
    y = canvas.threshold_point().y()
    assert pixel(canvas, x, y) == theme.color("match")


def test_the_compact_form_shows_and_does_not_take_focus(qtbot, calibration: Calibration) -> None:
    scale = ScoreScale(compact=True)
    qtbot.addWidget(scale)
    scale.set_calibration(calibration, TARGET)
    scale.set_similarity(0.2)
    assert scale.canvas.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert scale.sizeHint().height() < 40
    scale.grab()
