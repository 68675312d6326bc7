from __future__ import annotations

from pathlib import Path

import numpy as np
from painted import paint
from painted_lookalikes import WAIT, names, quiet

from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.gui.pages.lookalikes_rows import Part


def test_several_photos_of_one_person_make_one_probe(
    qtbot, searched: LookalikesPage, tmp_path: Path, bridge: Bridge
) -> None:
    photos = [paint(tmp_path / f"again {n}.png", (1, n)) for n in (7, 8)]
    photos.append(paint(tmp_path / "beside.png", (4, 9), (1, 9)))
    alone = searched.results.rows.similarities.copy()
    searched.open_files(photos)
    qtbot.waitUntil(lambda: searched.top.probe.text() == "3 photos", timeout=WAIT)
    quiet(qtbot, bridge)
    found = names(searched, qtbot)
    assert set(found[:3]) == {"one 1.png", "one 2.png", "both.png"}
    assert np.abs(searched.results.rows.similarities - alone).max() > 0.01, "another probe than any single photo"
    said = searched.results._warning.full
    assert said.startswith("3 photos make one probe, and they agree (least similarity 0.7"), said
    assert "beside.png" in searched.results._warning.toolTip()
    assert searched._probe is not None
    assert searched._probe.fused is not None
    beside = next(m for m in searched._probe.fused.members if "beside" in m.photo.frame.source)
    assert beside.face.crop[56, 56].tolist()[0] == 10, "of two faces the one that the other photos show"
    assert not searched.results._mend.isVisible()


def test_a_photo_of_somebody_else_is_named_and_can_be_left_out(
    qtbot, searched: LookalikesPage, tmp_path: Path, bridge: Bridge
) -> None:
    photos = [paint(tmp_path / f"again {n}.png", (1, n)) for n in (7, 8, 9)]
    photos += [paint(tmp_path / "stranger.png", (5, 1)), paint(tmp_path / "wall.png"), tmp_path / "empty.jpg"]
    photos[-1].write_bytes(b"")
    searched.open_files(photos)
    qtbot.waitUntil(lambda: searched.top.probe.text() == "4 photos", timeout=WAIT)
    said = searched.results._warning.full
    assert "stranger.png does not look like the others" in said
    assert "No face found in wall.png" in said
    assert "1 could not be read" in said
    searched.results._mend.click()
    qtbot.waitUntil(lambda: searched.top.probe.text() == "3 photos", timeout=WAIT)
    assert "they agree" in searched.results._warning.full
    assert not searched.results._mend.isVisible()
    quiet(qtbot, bridge)


def test_photos_without_any_face_leave_the_results(
    qtbot, searched: LookalikesPage, tmp_path: Path, bridge: Bridge
) -> None:
    searched.open_files([paint(tmp_path / f"wall {n}.png") for n in (1, 2)])
    qtbot.waitUntil(lambda: searched._error.error is not None, timeout=WAIT)
    assert "No face found in these photos" in str(searched._error.error)
    assert len(searched.results.rows) == 11
    quiet(qtbot, bridge)


def test_a_face_clicked_in_a_photo_becomes_the_probe(qtbot, searched: LookalikesPage, bridge: Bridge) -> None:
    searched.results.opened.emit(names(searched, qtbot).index("both.png"))
    qtbot.waitUntil(lambda: searched.panels.currentWidget() is searched.viewer, timeout=WAIT)
    qtbot.waitUntil(lambda: len(searched.viewer.view.marks) == 2, timeout=WAIT)
    searched.viewer.view.select(1)
    searched.viewer._look.click()
    qtbot.waitUntil(lambda: searched.top.probe.text() == "both.png", timeout=WAIT)
    assert searched.panels.currentWidget() is searched.results
    quiet(qtbot, bridge)
    assert searched.compare.score.text() == "1.00"
    crop = searched.services.crop(int(searched.results.rows.face_ids[0]))
    assert crop is not None
    assert abs(int(np.asarray(crop)[56, 56, 0]) - 20) < 4, "person 2, who stands beside person 1"


def test_the_threshold_that_was_dragged_stays_when_the_gallery_changes(
    qtbot, searched: LookalikesPage, bridge: Bridge
) -> None:
    searched.results.filters.threshold.spin.setValue(0.2)
    searched.results.filters.show_part(Part.SAME)
    shown = len(searched.results.rows)
    searched.refresh()
    quiet(qtbot, bridge)
    assert searched.results.filters.threshold.spin.value() == 0.2
    assert len(searched.results.rows) == shown
