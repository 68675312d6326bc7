from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF

from facegui.gui import theme
from facegui.gui.widgets.score_trace import TRACE_SECONDS, ScoreTrace
from facegui.matching.decision import Rule

AREA = QRectF(0, 0, 200, 60)


@pytest.fixture
def trace(qtbot) -> ScoreTrace:
    trace = ScoreTrace()
    qtbot.addWidget(trace)
    trace.resize(200, 60)
    return trace


def test_it_keeps_the_last_ten_seconds(trace: ScoreTrace) -> None:
    for second in range(30):
        trace.add(second / 100, float(second))
    assert TRACE_SECONDS == 10
    assert trace.scores == pytest.approx([second / 100 for second in range(19, 30)])


def test_the_newest_score_is_at_the_right_and_higher_scores_are_higher(trace: ScoreTrace) -> None:
    trace.add(0.1, 100.0)
    trace.add(0.9, 100.5)
    (line,) = trace.lines(AREA)
    assert line[1].x() == AREA.right() > line[0].x()
    assert line[1].y() < line[0].y()


@pytest.mark.parametrize("pause", [(None, 0.2), (0.5, 3.0)])
def test_a_missing_face_or_a_pause_leaves_a_gap(trace: ScoreTrace, pause: tuple[float | None, float]) -> None:
    score, wait = pause
    trace.add(0.5, 10.0)
    trace.add(0.5, 10.2)
    trace.add(score, 10.2 + wait)
    trace.add(0.5, 10.4 + wait)
    assert len(list(trace.lines(AREA))) == 2


def test_scores_off_the_drawn_range_stay_inside(trace: ScoreTrace) -> None:
    trace.add(-1.0, 1.0)
    trace.add(1.0, 1.2)
    (line,) = trace.lines(AREA)
    assert AREA.top() <= line[1].y() <= line[0].y() <= AREA.bottom()


def test_the_screen_reader_is_told_the_last_score_and_its_range(trace: ScoreTrace) -> None:
    assert trace.accessibleName()
    assert trace.accessibleDescription() == "No score yet"
    trace.set_rule(Rule(0.4, 0.3))
    for seconds, score in enumerate((0.2, 0.6, 0.5)):
        trace.add(score, float(seconds))
    assert trace.accessibleDescription() == "now 0.50, lowest 0.20, highest 0.60, Match"
    trace.set_rule(Rule(0.55, 0.45))
    assert trace.accessibleDescription().endswith("Unsure")
    trace.clear()
    assert trace.accessibleDescription() == "No score yet"


def test_the_last_point_has_the_colour_of_its_decision(trace: ScoreTrace, pixel) -> None:
    trace.set_rule(Rule(0.4, 0.3))
    for score, role in ((0.7, "match"), (0.35, "unsure"), (0.0, "no_match")):
        trace.clear()
        trace.add(score, 1.0)
        (line,) = trace.lines(QRectF(4.5, 4.5, 189, 51))
        assert pixel(trace, line[0].x(), line[0].y()).name() == theme.color(role).name()
