"""The Lookalikes page on photos, with real models: the folder is indexed, the same person comes first."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from facegui.gallery.facerows import overlap
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.gui.pages.lookalikes_rows import Part
from facegui.services import EnrolSample, Services
from tests import faces

WAIT = 120_000
MANY = 48
"""Photos that take long enough to be read for a click to come in between, on a fast machine, too."""
ALIKE = 0.5
"""Overlap from which two boxes mark one face."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eileen Collins twice (once turned, darker and in a folder below), Grace Hopper, and a group of six."""
    folder = tmp_path_factory.mktemp("holiday")
    (folder / "below").mkdir()
    (folder / "hopper.jpg").write_bytes(faces.hopper().read_bytes())
    (folder / "group.jpg").write_bytes(faces.group().read_bytes())
    (folder / "astronaut.png").write_bytes(faces.astronaut().read_bytes())
    original = cv2.imread(str(faces.astronaut()))
    height, width = original.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -10, 0.7)
    cv2.imwrite(
        str(folder / "below" / "turned.jpg"),
        cv2.convertScaleAbs(cv2.warpAffine(original, turn, (width, height)), alpha=0.8),
    )
    (folder / "not a photo.jpg").write_text("<html>")
    return folder


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eileen Collins once more: mirrored and softened."""
    path = tmp_path_factory.mktemp("probe") / "mirrored.jpg"
    picture = cv2.GaussianBlur(cv2.flip(cv2.imread(str(faces.astronaut())), 1), (0, 0), 1.2)
    cv2.imwrite(str(path), picture)
    return path


@pytest.fixture
def page(window: MainWindow) -> LookalikesPage:
    window.show_page("lookalikes")
    page = window.page
    assert isinstance(page, LookalikesPage)
    return page


def indexed(qtbot, page: LookalikesPage) -> None:
    qtbot.waitUntil(lambda: page.search.report is not None and not page.bridge._tasks, timeout=WAIT)


def hits(page: LookalikesPage, qtbot, count: int) -> list[str]:
    rows = page.results.rows
    qtbot.waitUntil(lambda: all(rows[n].title for n in range(count)), timeout=WAIT)
    return [rows[n].title for n in range(count)]


def test_a_folder_is_indexed_and_the_same_person_comes_first(
    qtbot, page: LookalikesPage, folder: Path, probe: Path
) -> None:
    page.open_files([probe, folder])
    indexed(qtbot, page)
    assert set(hits(page, qtbot, 2)) == {"astronaut.png", "turned.jpg"}
    assert len(page.results.rows) == faces.GROUP_SIZE + 3
    assert page.results.grid.above == 2, "the line falls between the person and the others"
    assert "9 faces in 4 photos" in page.results.words
    assert page.results._skipped.text() == "1 file skipped"
    qtbot.waitUntil(lambda: page.compare.badge.accessibleName() == "Match", timeout=WAIT)


def test_filters_need_no_network_and_a_second_visit_only_that_for_the_probe(
    qtbot, page: LookalikesPage, folder: Path, probe: Path, network_runs: Callable[[], int], services: Services
) -> None:
    photo = services.analyse(probe)
    before = network_runs()
    page.top.folders.set_folders([folder])
    page.receive(photo)
    qtbot.waitUntil(lambda: len(page.results.rows) == faces.GROUP_SIZE + 3, timeout=WAIT)
    indexed(qtbot, page)
    page.results.filters.show_part(Part.LOOKALIKES)
    assert len(page.results.rows) == faces.GROUP_SIZE + 1
    page.results.filters.show_part(Part.ALL)
    page.results.filters.least.set_value(0.35)
    assert len(page.results.rows) == 2
    page.results.filters.clear()
    page.results.filters.one_per.choose("photo")
    assert len(page.results.rows) == 4
    page.results.filters.clear()
    assert len(page.results.rows) == faces.GROUP_SIZE + 3
    assert network_runs() == before


def test_a_double_click_shows_the_photo_with_the_box_on_the_face(
    qtbot, page: LookalikesPage, folder: Path, probe: Path, services: Services
) -> None:
    page.open_files([probe, folder])
    indexed(qtbot, page)
    row = hits(page, qtbot, 2).index("turned.jpg")
    place = page.results.grid.row_rect(row).center()
    QTest.mouseClick(page.results.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(page.results.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: page.panels.currentWidget() is page.viewer and page.viewer.view.has_image, timeout=WAIT)
    assert page.viewer.heading.full == "turned.jpg"
    (mark,) = page.viewer.view.marks
    (found,) = services.analyse(folder / "below" / "turned.jpg").faces
    assert overlap(mark.box, found.detection.box) > ALIKE
    # The eyes lie where the photo has them: about 10 degrees off level, as it was turned.
    assert mark.landmarks is not None
    across = mark.landmarks[1] - mark.landmarks[0]
    assert 4 < abs(np.degrees(np.arctan2(across[1], across[0]))) < 20
    QTest.keyClick(page.viewer.view, Qt.Key.Key_Escape)
    assert page.panels.currentWidget() is page.results


def test_somebody_enrolled_is_found_from_the_people_page(
    qtbot, window: MainWindow, page: LookalikesPage, folder: Path, services: Services
) -> None:
    photo, face = services.probe(faces.hopper())
    services.enroll("Grace", [EnrolSample(face, photo.frame)])
    page.top.folders.set_folders([folder])
    window.show_page("people")
    people = window.page
    qtbot.waitUntil(lambda: bool(people.everybody.people), timeout=WAIT)  # type: ignore[attr-defined]
    people.everybody.grid.select_row(0)  # type: ignore[attr-defined]
    people.facts.acted.emit("lookalikes")  # type: ignore[attr-defined]
    assert window.page is page
    qtbot.waitUntil(lambda: page.top.probe.text() == "Grace", timeout=WAIT)
    qtbot.waitUntil(lambda: len(page.results.rows) > 0, timeout=WAIT)
    assert hits(page, qtbot, 1) == ["hopper.jpg"]
    indexed(qtbot, page)


def test_the_window_stays_lively_while_a_folder_is_read(
    qtbot, page: LookalikesPage, folder: Path, probe: Path, services: Services, tmp_path: Path
) -> None:
    """Clicks are answered while photos are decoded, searched, embedded and stored."""
    many = tmp_path / "many"
    many.mkdir()
    for number in range(MANY):
        (many / f"{number}.jpg").write_bytes((folder / "group.jpg").read_bytes() + bytes([number]))
    page.receive(services.analyse(probe))
    page.top.folders.set_folders([many])
    qtbot.waitUntil(lambda: len(page.results.rows) >= faces.GROUP_SIZE, timeout=WAIT)
    assert page.search.index.running
    QTest.mouseClick(
        page.results.grid.viewport(),
        Qt.MouseButton.LeftButton,
        pos=page.results.grid.row_rect(3).center() - QPoint(0, 9),
    )
    assert page.results.grid.currentIndex().row() == 3
    indexed(qtbot, page)
    assert page.results.words == f"{MANY * faces.GROUP_SIZE} faces in {MANY} photos"


def test_real_photos_put_the_same_person_above_the_line(
    qtbot, page: LookalikesPage, shared_data: Path, services: Services
) -> None:
    photos = shared_data / "photos"
    with (photos / "pairs.csv").open(encoding="utf-8", newline="") as file:
        same = [{row["path1"], row["path2"]} for row in csv.DictReader(file) if row["same"] == "1"]
    person = {"img1.jpg"}
    while more := {name for pair in same if pair & person for name in pair} - person:
        person |= more
    page.open_files([photos / "img1.jpg", photos])
    indexed(qtbot, page)
    sieve = page.results.sieve
    assert sieve is not None
    found = [Path(hit.path).name for hit in sieve.ranking.hits(services.gallery)]
    line = page.results.grid.above
    strangers = {name for pair in same if not pair & person for name in pair}
    assert len(person) > 5
    assert person <= set(found[:line])
    assert strangers <= set(found[line:])
    assert not strangers & set(found[:line])
    assert page.results.words.endswith("in 65 photos")


def test_a_frame_of_the_camera_is_looked_for(
    qtbot, page: LookalikesPage, folder: Path, shared_data: Path, services: Services
) -> None:
    page.top.folders.set_folders([folder])
    page.top.cameraWanted.emit()
    panel = page.camera
    assert panel is not None
    assert page.panels.currentWidget() is panel
    panel.bar.choose(str(shared_data / "video" / "d9.mp4"))
    qtbot.waitUntil(lambda: panel.camera.frame is not None, timeout=WAIT)
    QTest.keyClick(panel, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.top.probe.text() == "Camera", timeout=WAIT)
    assert page.panels.currentWidget() is page.results
    qtbot.waitUntil(lambda: len(page.results.rows) > 0, timeout=WAIT)
    indexed(qtbot, page)
    assert page.results.grid.above == 0, "nobody of these photos is the person in the video"
    assert panel.camera.state == "closed", "the camera was given back"


def test_doubles_of_several_real_photos_are_filtered_exported_and_put_on_a_board(
    qtbot, page: LookalikesPage, shared_data: Path, services: Services, tmp_path: Path,
    network_runs: Callable[[], int],
) -> None:  # fmt: skip
    photos = shared_data / "photos"
    page.top.folders.set_folders([photos])
    indexed(qtbot, page)
    page.open_files([photos / name for name in ("img1.jpg", "img2.jpg", "img4.jpg", "img13.jpg")])
    qtbot.waitUntil(lambda: page.top.probe.text() == "4 photos", timeout=WAIT)
    assert "img13.jpg does not look like the others" in page.results._warning.full
    page.results._mend.click()
    qtbot.waitUntil(lambda: page.top.probe.text() == "3 photos", timeout=WAIT)
    assert "they agree" in page.results._warning.full
    qtbot.waitUntil(lambda: len(page.results.rows) > 60 and not page.bridge._tasks, timeout=WAIT)
    before = network_runs()
    same = page.results.grid.above
    everything = len(page.results.rows)
    page.results.filters.show_part(Part.LOOKALIKES)
    assert len(page.results.rows) == everything - same
    page.results.filters.threshold.spin.setValue(0.2)
    page.results.filters.date.set_range(date(2010, 1, 1), None)
    dated = len(page.results.rows)
    assert 0 < dated < 20, "few of these photos have a date"
    page.results.filters.clear()
    page.results.filters.face_size.set_value(300)
    large = len(page.results.rows)
    assert 10 < large < everything - same
    shown, filters = page.results.shown, page.results.filters
    assert shown is not None
    assert page._probe is not None
    page.exporter.write(tmp_path / "x.html", page._probe, shown, filters.threshold.rule, filters.words)
    qtbot.waitUntil(lambda: page.results.written.isVisible(), timeout=WAIT)
    text = (tmp_path / "x.html").read_text("utf-8")
    assert text.count("<figure") == large
    assert "Filters: without the same person, Face from 300 px." in text
    page.board.kind.choose("pca")
    page.top.board.click()
    qtbot.waitUntil(lambda: page.board.board is not None, timeout=WAIT)
    assert page.board.board is not None
    assert len(page.board.board.items) == large
    qtbot.waitUntil(lambda: not page.bridge._tasks, timeout=WAIT)
    assert network_runs() == before, "nothing of this needs a network"
