from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from painted import PaintedPipeline
from painted_lookalikes import WAIT, names, quiet
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtPdf import QPdfDocument
from PySide6.QtTest import QTest

from facegui.faces.align import ARCFACE_TEMPLATE
from facegui.gui.bridge import Bridge
from facegui.gui.pages import lookalikes_hit
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.gui.pages.lookalikes_rows import Part


def test_the_points_of_both_faces_are_shown_on_wish(qtbot, searched: LookalikesPage) -> None:
    compare = searched.compare
    assert compare.probe._points is None
    compare.points.click()
    for side in (compare.probe, compare.hit):
        assert side._points is not None
        assert np.abs(side._points - ARCFACE_TEMPLATE).max() < 20, "near where the embedder wants them"
    drawn = compare.hit.grab().toImage()
    x, y = (compare.hit._points[0] * compare.hit.width() / 112).round().astype(int).tolist()
    assert drawn.pixelColor(x, y).lightness() > 230, "a light point on a dark square"
    compare.points.click()
    assert compare.hit._points is None


def test_the_chosen_face_is_copied_as_file_and_as_picture(
    qtbot, searched: LookalikesPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = names(searched, qtbot)[0]
    searched.results.focus_grid()
    QTest.keyClick(searched.results.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    data = QGuiApplication.clipboard().mimeData()
    assert Path(data.urls()[0].toLocalFile()).name == first
    assert data.text().endswith(first)
    assert data.hasImage()
    shown: list[str] = []
    monkeypatch.setattr(lookalikes_hit, "open_file", lambda path: shown.append(path.name))
    QTest.keyClick(searched.results.grid, Qt.Key.Key_O)
    assert shown == [first]
    QGuiApplication.clipboard().clear()


@pytest.mark.parametrize("suffix", [".csv", ".json", ".html", ".pdf"])
def test_what_is_shown_is_exported_and_nothing_else(
    qtbot, searched: LookalikesPage, tmp_path: Path, bridge: Bridge, pipeline: PaintedPipeline, suffix: str
) -> None:
    searched.results.filters.show_part(Part.LOOKALIKES)
    searched.results.filters.threshold.spin.setValue(0.5)
    runs, file = pipeline.runs, tmp_path / f"found{suffix}"
    shown, filters = searched.results.shown, searched.results.filters
    assert shown is not None
    assert searched._probe is not None
    searched.exporter.write(file, searched._probe, shown, filters.threshold.rule, filters.words)
    quiet(qtbot, bridge)
    qtbot.waitUntil(lambda: searched.results.written.isVisible(), timeout=WAIT)
    assert pipeline.runs == runs
    if suffix == ".csv":
        assert len(file.read_text().splitlines()) == 1 + 8
    elif suffix == ".json":
        found = json.loads(file.read_text())
        assert (len(found["rows"]), found["filters"], found["threshold"]) == (8, ["without the same person"], 0.5)
    elif suffix == ".html":
        assert file.read_text().count("<figure") == 8
    else:
        document = QPdfDocument()
        assert document.load(str(file)) == QPdfDocument.Error.None_
        text = document.getAllText(0).text()
        assert "Lookalikes of probe.png" in text
        assert "Match from 0.50" in text
        assert text.count("✕") + text.count("?") == 8
        document.close()


def test_a_folder_that_cannot_be_written_says_so(
    qtbot, searched: LookalikesPage, tmp_path: Path, bridge: Bridge
) -> None:
    shown = searched.results.shown
    assert shown is not None
    assert searched._probe is not None
    for suffix in (".pdf", ".csv"):
        searched.exporter.write(tmp_path / "nowhere" / f"x{suffix}", searched._probe, shown, None, ())
        qtbot.waitUntil(lambda: searched._error.error is not None, timeout=WAIT)
        assert "could not be written" in str(searched._error.error)
        searched.clear_error()
    quiet(qtbot, bridge)


def test_a_full_disk_leaves_the_old_contact_sheet_and_says_why(
    qtbot, searched: LookalikesPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bridge: Bridge
) -> None:
    def full(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "x.pdf").write_text("old")
    monkeypatch.setattr(Path, "write_bytes", full)
    shown = searched.results.shown
    assert shown is not None
    assert searched._probe is not None
    searched.exporter.write(tmp_path / "x.pdf", searched._probe, shown, None, ())
    qtbot.waitUntil(lambda: searched._error.error is not None, timeout=WAIT)
    assert "No space left on device" in str(searched._error.error)
    assert (tmp_path / "x.pdf").read_text() == "old"
    assert not list(tmp_path.glob(".x.pdf*"))
    quiet(qtbot, bridge)
