from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from painted import SIDE, PaintedPipeline
from painted_lookalikes import WAIT, names, quiet
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.gui.pages.lookalikes_rows import Part
from facegui.services import EnrolSample, Services


def test_a_threshold_that_is_dragged_decides_everything_again_at_once(
    qtbot, searched: LookalikesPage, services: Services, pipeline: PaintedPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "lookalikes", lambda *_args, **_options: pytest.fail("nothing is computed anew"))
    runs, strip = pipeline.runs, searched.results.filters.threshold
    assert searched.compare.badge.accessibleName() == "Match"
    before = strip.canvas.threshold_point()
    assert before is not None
    press, canvas = before.toPoint(), strip.canvas
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=press)
    QTest.mouseMove(canvas, canvas.rect().topRight() + QPoint(-12, press.y()))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton)
    assert strip.rule is not None
    assert strip.rule.threshold > 0.95
    assert searched.results.grid.above == 0
    assert (strip._below.text(), strip._above.text()) == ("11", "0")
    assert searched.compare.badge.accessibleName() != "Match"
    assert searched.hit.rule == strip.rule
    strip._reset.click()
    assert (strip._below.text(), strip._above.text()) == ("8", "3")
    assert searched.compare.badge.accessibleName() == "Match"
    strip.spin.setValue(-1.0)
    assert searched.results.grid.above == 11
    searched.results.filters.show_part(Part.LOOKALIKES)
    assert searched.results._empty.accessibleName() == "Nobody is below the threshold"
    assert pipeline.runs == runs


def test_chips_keep_to_a_folder_a_size_a_quality_and_days(
    qtbot, searched: LookalikesPage, folder: Path, services: Services
) -> None:
    filters, rows = searched.results.filters, lambda: len(searched.results.rows)
    filters.folder.popup.aboutToShow.emit()
    top = filters.folder.tree.topLevelItem(0)
    assert (top.text(0), top.text(1), top.child(0).text(0), top.child(0).text(1)) == ("photos", "11", "below", "2")
    filters.folder.tree.itemClicked.emit(top.child(0), 0)
    assert rows() == 2
    assert filters.folder.text() == "In below"
    assert filters.clear_link.isVisible()
    filters.clear_link.click()
    assert rows() == 11
    filters.face_size.set_value(SIDE)
    assert rows() == 11
    filters.face_size.set_value(SIDE + 10)
    assert rows() == 0
    assert searched.results._empty.accessibleName() == "No face passes the filters"
    searched.results._empty.activated.emit()
    assert rows() == 11, "its button clears the filters"
    filters.quality.set_value(0.95)
    assert rows() == 0, "the painted faces have a quality of 0.9"
    filters.clear()
    filters.date.set_range(date(2020, 1, 1), None)
    assert rows() == 0, "painted photos have no date"
    assert filters.date.text() == "Since 2020-01-01"
    assert "0 of 11 faces" in filters.date._note.text()


def test_somebody_enrolled_is_no_lookalike_of_themselves(
    qtbot, searched: LookalikesPage, services: Services, folder: Path, bridge: Bridge
) -> None:
    """A sample that the model does not recognise, as a profile, is hidden because one knows who it is."""
    for name in ("one 1.png", "other 5.png"):
        photo = services.analyse(folder / name)
        services.enroll("Ada", [EnrolSample(photo.faces[0], photo.frame)])
    searched.refresh()
    quiet(qtbot, bridge)
    searched.start.grid.opened.emit(0)
    qtbot.waitUntil(lambda: searched.top.probe.text() == "Ada", timeout=WAIT)
    quiet(qtbot, bridge)
    searched.results.filters.threshold.spin.setValue(0.99)
    everything = len(searched.results.rows)
    searched.results.filters.show_part(Part.LOOKALIKES)
    shown = names(searched, qtbot)
    assert len(shown) == everything - 2
    assert not {"one 1.png", "other 5.png"} & set(shown)
    searched.results.filters.one_per.choose("person")
    assert len(searched.results.rows) == len(shown), "nobody else is known"
