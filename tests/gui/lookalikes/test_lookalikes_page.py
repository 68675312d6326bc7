from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from painted import SIDE, PaintedPipeline, paint, painted_services
from painted_lookalikes import WAIT, names, quiet
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.gallery.tables import FaceTable
from facegui.gui.bridge import Bridge
from facegui.gui.face_records import FaceRecords
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.gui.pages.lookalikes_results import ResultsView
from facegui.gui.pages.lookalikes_rows import Part
from facegui.gui.thumbnails import Thumbnails
from facegui.lookalikes.filters import Sieve
from facegui.lookalikes.ranking import Ranking
from facegui.matching.calibration import Calibration
from facegui.services import EnrolSample, Services


def test_the_page_begins_with_the_question_whose_lookalikes(qtbot, page: LookalikesPage, bridge: Bridge) -> None:
    assert page.panels.currentWidget() is page.start
    assert not page.top.isVisible()
    assert page.primary_action is not None
    assert not page.primary_action.isVisible()


def test_a_photo_and_a_folder_give_the_order_of_all_faces(qtbot, searched: LookalikesPage) -> None:
    page = searched
    assert page.results.words == "11 faces in 10 photos"
    found = names(page, qtbot)
    assert set(found[:3]) == {"one 1.png", "one 2.png", "both.png"}
    assert len(found) == 11
    similarities = page.results.rows.similarities
    assert (np.diff(similarities) <= 0).all()
    assert similarities[2] > 0.6 > 0.5 > similarities[3]
    assert page.results.grid.above == 3
    assert "above: probably the same person, 3, below: lookalikes, 8" in page.results.grid.accessibleDescription()


def test_the_best_face_is_compared_side_by_side_at_once(qtbot, searched: LookalikesPage) -> None:
    assert searched.results.grid.currentIndex().row() == 0
    assert searched.compare.score.text() == f"{searched.results.rows.similarities[0]:.2f}"
    assert searched.compare.badge.accessibleName() == "Match"
    searched.results.grid.select_row(5)
    qtbot.waitUntil(lambda: searched.compare.badge.accessibleName() == "No match", timeout=WAIT)


def test_a_second_visit_shows_the_old_results_and_reads_nothing(
    qtbot, searched: LookalikesPage, bridge: Bridge, services: Services, pipeline: PaintedPipeline
) -> None:
    runs = pipeline.runs
    again = LookalikesPage(services, bridge)
    qtbot.addWidget(again)
    assert again.top.folders.folders == searched.top.folders.folders, "the folders are remembered"
    again.receive(services.analyse(Path(searched.top.folders.folders[0]) / "one 1.png"))
    qtbot.waitUntil(lambda: len(again.results.rows) == 11, timeout=WAIT)
    qtbot.waitUntil(lambda: "in 10 photos" in again.results.words, timeout=WAIT)
    assert pipeline.runs == runs + 1, "only the probe was looked at"


def test_results_appear_while_the_folder_is_read_and_can_be_stopped_and_taken_up(
    qtbot, page: LookalikesPage, bridge: Bridge, tmp_path: Path, pipeline: PaintedPipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from facegui.lookalikes import indexer

    monkeypatch.setattr(indexer, "_SECONDS", 0.0)
    many = tmp_path / "many"
    for number in range(1, 21):
        paint(many / f"{number:02d}.png", (number, 1))
    held = threading_gate(pipeline, after=6)
    page.receive(probe_of(page, paint(tmp_path / "probe.png", (1, 7))))
    page.top.folders.add([many])
    qtbot.waitUntil(lambda: len(page.results.rows) == 5, timeout=WAIT)
    page.search.index.cancel()
    held.set()
    qtbot.waitUntil(lambda: "Stopped before all photos were read" in page.results.words, timeout=WAIT)
    stopped_at = len(page.results.rows)
    assert 5 <= stopped_at < 20
    page.results.resumeWanted.emit()
    qtbot.waitUntil(lambda: page.results.words == "20 faces in 20 photos", timeout=WAIT)
    qtbot.waitUntil(lambda: len(page.results.rows) == 20, timeout=WAIT)
    under_way = 3  # photos in the stages when it was stopped
    assert pipeline.runs <= 1 + 20 + under_way, "what was read before the stop was kept"


def threading_gate(pipeline: PaintedPipeline, after: int):  # type: ignore[no-untyped-def]
    """Let some photos pass, then hold the next until the event returned is set."""
    import threading

    gate = threading.Event()

    class Gate:
        def wait(self, seconds: float) -> bool:
            return gate.wait(seconds) if pipeline.runs >= after else True

    pipeline.gate = Gate()  # type: ignore[assignment]
    return gate


def probe_of(page: LookalikesPage, path: Path) -> object:
    return page.services.analyse(path)


def test_the_least_similarity_filters_at_once_without_asking_again(
    qtbot, searched: LookalikesPage, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "lookalikes", lambda *_args, **_options: pytest.fail("nothing is computed anew"))
    everything = len(searched.results.rows)
    searched.results.filters.least.set_value(0.5)
    assert len(searched.results.rows) == 3
    assert searched.results.filters.least.text() == "Similarity from 0.50"
    searched.results.filters.clear()
    assert len(searched.results.rows) == everything
    assert searched.results.filters.least.text() == "Similarity"
    searched.results.filters.show_part(Part.LOOKALIKES)
    assert len(searched.results.rows) == 8
    assert searched.results.grid.currentIndex().row() == 0
    searched.results.filters.show_part(Part.SAME)
    assert len(searched.results.rows) == 3
    searched.results.filters.least.set_value(1.0)
    assert searched.results._stack.currentWidget() is searched.results._empty


def test_one_face_per_photo_on_wish(qtbot, searched: LookalikesPage) -> None:
    searched.results.filters.one_per.choose("photo")
    assert len(searched.results.rows) == 10
    assert names(searched, qtbot).count("both.png") == 1
    searched.results.filters.one_per.choose("")
    assert len(searched.results.rows) == 11


def test_enter_opens_the_photo_with_the_box_and_escape_goes_back(qtbot, searched: LookalikesPage) -> None:
    grid = searched.results.grid
    row = names(searched, qtbot).index("both.png")
    grid.setFocus()
    grid.select_row(row)
    QTest.keyClick(grid, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: searched.viewer.view.has_image, timeout=WAIT)
    assert searched.panels.currentWidget() is searched.viewer
    view = searched.viewer.view
    box = view.marks[0].box
    assert (box.x, box.y, box.width) == (140, 40, SIDE)
    assert len(view.marks) == 2, "the other face of the photo is drawn thin"
    area = view.viewport()
    shown = view.grab().toImage()
    inside = shown.pixelColor(area.point(*box.center).toPoint())
    assert (inside.red(), inside.blue()) == (10, 200), "the box lies on person 1"
    QTest.keyClick(view, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: searched.viewer.heading.full != "both.png", timeout=WAIT)
    assert grid.currentIndex().row() == row + 1
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert searched.panels.currentWidget() is searched.results


def test_a_photo_that_was_deleted_says_so_in_the_viewer(qtbot, searched: LookalikesPage, folder: Path) -> None:
    row = names(searched, qtbot).index("one 1.png")
    (folder / "one 1.png").unlink()
    searched.results.opened.emit(row)
    qtbot.waitUntil(lambda: "cannot be read" in searched.viewer.view.accessibleName(), timeout=WAIT)


def test_files_that_were_skipped_are_listed_with_the_reason(
    qtbot, searched: LookalikesPage, folder: Path, bridge: Bridge
) -> None:
    assert searched.results._skipped.text() == "1 file skipped"
    searched.results._skipped.click()
    model = searched.skipped.table.model()
    assert (model.index(0, 0).data(), model.index(0, 1).data()) == (
        "broken.jpg", "The file is empty. Copy or download it again.",
    )  # fmt: skip
    paint(folder / "broken.jpg", (1, 9))
    searched.skipped.retryWanted.emit()
    qtbot.waitUntil(lambda: searched.results.words == "12 faces in 11 photos", timeout=WAIT)
    assert not searched.results._skipped.isVisible()


@pytest.mark.parametrize(
    ("make", "title"),
    [
        (lambda path: None, "The folder is not there"),
        (lambda path: path.mkdir(), "No photos in this folder"),
        (lambda path: paint(path / "wall.png"), "No face found in these photos"),
        (lambda path: path.mkdir() or (path / "x.jpg").write_bytes(b""), "None of the photos can be used"),
    ],
)
def test_a_folder_without_faces_says_why(
    qtbot, page: LookalikesPage, tmp_path: Path, make: Callable[[Path], object], title: str
) -> None:
    make(tmp_path / "folder")
    page.receive(probe_of(page, paint(tmp_path / "probe.png", (1, 7))))
    assert page.results._empty.accessibleName() == "Where shall facegui look?"
    page.top.folders.add([tmp_path / "folder"])
    qtbot.waitUntil(lambda: page.results._empty.accessibleName() == title, timeout=WAIT)


def test_a_folder_that_went_away_still_shows_the_faces_of_the_last_visit(
    qtbot, searched: LookalikesPage, folder: Path, tmp_path: Path
) -> None:
    folder.rename(tmp_path / "away")
    searched.top.folders.readWanted.emit()
    qtbot.waitUntil(lambda: "is not there: faces of the last visit" in searched.results.words, timeout=WAIT)
    assert len(searched.results.rows) == 11


def test_of_several_faces_the_largest_is_taken_and_another_can_be(
    qtbot, searched: LookalikesPage, tmp_path: Path
) -> None:
    searched.open_files([paint(tmp_path / "two.png", (1, 7), (3, 7))])
    qtbot.waitUntil(lambda: searched.top.other_face.text() == "Face 1 of 2", timeout=WAIT)
    searched.top.other_face.click()
    assert searched.panels.currentWidget() is searched.chooser
    searched.chooser.view.faceActivated.emit(1)
    qtbot.waitUntil(lambda: names(searched, qtbot)[0] == "other 3.png", timeout=WAIT)
    assert searched.top.other_face.text() == "Face 2 of 2"


def test_a_photo_without_a_face_leaves_the_results_and_says_what_to_do(
    qtbot, searched: LookalikesPage, tmp_path: Path
) -> None:
    searched.open_files([paint(tmp_path / "wall.png")])
    qtbot.waitUntil(lambda: searched._error.error is not None, timeout=WAIT)
    assert "No face found" in str(searched._error.error)
    assert len(searched.results.rows) == 11


def test_a_face_of_poor_quality_is_named_where_the_eyes_are(qtbot, searched: LookalikesPage, tmp_path: Path) -> None:
    searched.open_files([paint(tmp_path / "turned.png", (1, 24))])
    qtbot.waitUntil(lambda: searched.results._warning.isVisible(), timeout=WAIT)
    assert searched.results._warning.full == "The face looked for is turned away."


def test_somebody_enrolled_can_be_looked_for(
    qtbot, searched: LookalikesPage, services: Services, folder: Path, bridge: Bridge
) -> None:
    photo = services.analyse(folder / "other 5.png")
    services.enroll("Ada", [EnrolSample(photo.faces[0], photo.frame)])
    searched.refresh()
    quiet(qtbot, bridge)
    searched.start.grid.opened.emit(0)
    qtbot.waitUntil(lambda: searched.top.probe.text() == "Ada", timeout=WAIT)
    qtbot.waitUntil(lambda: names(searched, qtbot)[0] == "other 5.png", timeout=WAIT)
    qtbot.waitUntil(lambda: searched.compare._hit_name.full == "Ada", timeout=WAIT)


def test_a_hit_can_be_looked_for_in_turn(qtbot, searched: LookalikesPage) -> None:
    row = names(searched, qtbot).index("other 6.png")
    searched.results.grid.select_row(row)
    qtbot.waitUntil(lambda: searched.compare._hit_name.full == "other 6.png", timeout=WAIT)
    searched.compare.searchFace.emit()
    qtbot.waitUntil(lambda: names(searched, qtbot)[0] == "other 6.png", timeout=WAIT)
    assert searched.top.probe.text() == "other 6.png"


def test_the_chosen_face_and_its_folder_can_be_shown_outside(
    qtbot, searched: LookalikesPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facegui.gui.pages import lookalikes_hit, lookalikes_viewer

    shown: list[str] = []
    monkeypatch.setattr(lookalikes_hit, "reveal", lambda path: shown.append(path.name))
    monkeypatch.setattr(lookalikes_viewer, "open_file", lambda path: shown.append(f"open {path.name}"))
    first = names(searched, qtbot)[0]
    searched.compare.revealPhoto.emit()
    searched.results.opened.emit(0)
    qtbot.waitUntil(lambda: searched.panels.currentWidget() is searched.viewer, timeout=WAIT)
    QTest.keyClick(searched.viewer.view, Qt.Key.Key_O)
    assert shown == [first, f"open {first}"]


def test_a_gallery_for_reading_only_shows_what_it_knows(
    qtbot, searched: LookalikesPage, bridge: Bridge, services: Services, calibration: Calibration, folder: Path
) -> None:
    where = services.gallery.file
    with painted_services(where, calibration, read_only=True) as reading:
        page = LookalikesPage(reading, bridge)
        qtbot.addWidget(page)
        page.receive(reading.analyse(folder / "one 1.png"))
        qtbot.waitUntil(lambda: "reading only" in page.results.words, timeout=WAIT)
        qtbot.waitUntil(lambda: len(page.results.rows) == 11, timeout=WAIT)
        quiet(qtbot, bridge)


# --- the grid while results arrive --------------------------------------------------------------------------


def ranking(ids: list[int], similarities: list[float]) -> Sieve:
    order = np.argsort(-np.array(similarities), kind="stable")
    faces = np.array(ids, np.int64)[order]
    numbers, nobody = np.zeros(len(ids), np.float32), np.full(len(ids), -1)
    table = FaceTable(
        np.sort(faces), np.sort(faces), numbers, numbers, np.full(len(ids), "NaT", "datetime64[s]"), nobody, nobody,
        np.zeros(len(ids), np.int32), ("/photos",),
    )  # fmt: skip
    return Sieve(Ranking(faces, faces, np.array(similarities, np.float32)[order], len(ids)), table)


@pytest.fixture
def results(qtbot, bridge: Bridge, calibration: Calibration) -> Iterator[ResultsView]:
    from PySide6.QtWidgets import QWidget

    owner = QWidget()
    qtbot.addWidget(owner)
    view = ResultsView(
        Thumbnails(bridge, lambda _key: np.zeros((8, 8, 3), np.uint8), parent=owner),
        FaceRecords(bridge, lambda _ids: [], owner), owner,
    )  # fmt: skip
    owner.resize(700, 500)
    view.resize(700, 500)
    with qtbot.waitExposed(owner):
        owner.show()
    view.set_calibration(calibration, 1e-3)
    yield view
    owner.close()


def test_what_is_under_the_pointer_stays_while_better_faces_wait(
    results: ResultsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, scores = list(range(100)), np.linspace(0.8, 0.1, 100).tolist()
    results.set_sieve(ranking(ids, scores), anew=True)
    viewport = results.grid.viewport()
    monkeypatch.setattr(type(viewport), "underMouse", lambda _self: True)
    QTest.mouseMove(viewport, results.grid.row_rect(3).center())
    seen = results.grid.rows_in(viewport.rect())
    before = [(int(results.rows.face_ids[n]), results.grid.row_rect(n)) for n in seen]
    better = ranking([*ids, 500, 501, 502], [*scores, 0.9, 0.75, 0.11])
    results.set_sieve(better, anew=False)
    assert [(int(results.rows.face_ids[n]), results.grid.row_rect(n)) for n in seen] == before
    assert results.pending == 2
    assert results.rows.find(502) > 0, "what belongs further down has come"
    assert results._fresh.text() == "2 more similar faces: show them"
    results._rest.timeout.emit()  # the pointer was left where it is
    assert (results.pending, int(results.rows.face_ids[0])) == (0, 500)
    assert not results._fresh.isVisible()


def test_what_was_scrolled_to_stays_in_view(results: ResultsView) -> None:
    ids, scores = list(range(2000)), np.linspace(0.3, 0.0, 2000).tolist()
    results.set_sieve(ranking(ids, scores), anew=True)
    results.grid.verticalScrollBar().setValue(5000)
    top = results.grid.rows_in(results.grid.viewport().rect())[0]
    face, place = int(results.rows.face_ids[top]), results.grid.row_rect(top).top()
    results.set_sieve(ranking([*ids, *range(5000, 5100)], [*scores, *[0.35] * 100]), anew=False)
    assert results.grid.row_rect(results.rows.find(face)).top() == place


def test_the_chosen_face_stays_chosen_when_better_ones_come(results: ResultsView) -> None:
    results.set_sieve(ranking([1, 2, 3], [0.5, 0.3, 0.2]), anew=True)
    results.grid.select_row(1)
    moves: list[int] = []
    results.currentMoved.connect(moves.append)
    results.set_sieve(ranking([1, 2, 3, 4], [0.5, 0.3, 0.2, 0.4]), anew=False)
    assert results.grid.currentIndex().row() == 2
    assert moves == [], "the side-by-side view does not flicker"


def test_a_hundred_thousand_faces_are_shown_at_once_and_few_are_read(results: ResultsView, qtbot) -> None:
    count = 100_000
    asked: list[int] = []
    results._records._load = lambda ids: asked.extend(ids) or []  # type: ignore[func-returns-value]
    many = ranking(list(range(count)), np.linspace(0.9, -0.2, count).tolist())
    start = time.perf_counter()
    results.set_sieve(many, anew=True)
    results.grid.grab()
    assert time.perf_counter() - start < 1, "measured 0.03 s on an idle machine"
    start = time.perf_counter()
    results.set_sieve(ranking(list(range(count + 1)), np.linspace(0.9, -0.2, count + 1).tolist()), anew=False)
    results.grid.grab()
    assert time.perf_counter() - start < 1, "measured 0.03 s on an idle machine"
    qtbot.waitUntil(lambda: len(asked) > 0 and not results._records._busy, timeout=WAIT)
    assert len(asked) < 300
