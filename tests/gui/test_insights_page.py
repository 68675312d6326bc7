"""The Insights page: sections, plots with the threshold looked at, the map."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages import insights_map, insights_model, insights_reports
from facegui.gui.pages.insights import InsightsPage
from facegui.gui.pages.insights_map import MapSection
from facegui.gui.pages.insights_model import ModelSection
from facegui.gui.pages.insights_reports import ReportsSection
from facegui.gui.pages.rate_panel import RatePanel
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.map_view import MapView
from facegui.jobs import Progress
from facegui.matching.calibration import Calibration
from facegui.matching.decision import rule_for
from facegui.matching.error_curves import of_calibration, of_scores
from facegui.matching.evaluation import evaluate_pairs
from facegui.matching.pairs import assemble
from facegui.matching.protocols import Opened
from facegui.matching.wording import format_share
from facegui.services.insights import GalleryScores, SampleMap
from facegui.services.reports import Evaluated
from facegui.settings import Settings


def sample_map() -> SampleMap:
    rng = np.random.default_rng(0)
    centres = np.array([[0.1, 0.1], [0.9, 0.2], [0.5, 0.9]])
    people = np.repeat([7, 8, 9], 5)
    places = np.clip(centres[np.repeat([0, 1, 2], 5)] + rng.normal(0, 0.02, (15, 2)), 0, 1).astype(np.float32)
    names = {7: "Anna", 8: "Béla", 9: "Cleo"}
    return SampleMap("pca", places, np.arange(100, 115), people, names, 0.41, 15)


@pytest.fixture
def services(calibration: Calibration) -> SimpleNamespace:
    people = [SimpleNamespace(id=7, name="Anna"), SimpleNamespace(id=8, name="Béla")]
    return SimpleNamespace(
        calibrations={"frontal": calibration}, model=SimpleNamespace(title="ArcFace"), settings=Settings(),
        rule=lambda: rule_for(calibration, 1e-3), thumbnail=lambda _key: np.full((112, 112, 3), 200, np.uint8),
        gallery=SimpleNamespace(people=lambda: people), read=unreadable,
    )  # fmt: skip


def unreadable(_path: Path) -> None:
    raise KnownError("It is empty.")


def no_job(value: object) -> object:
    def job(*_args: object) -> object:
        return value
        yield

    return job


@pytest.fixture
def panel(qtbot, calibration: Calibration) -> RatePanel:
    made = RatePanel()
    qtbot.addWidget(made)
    made.resize(1000, 460)
    made.show_curves(of_calibration(calibration), 0.35)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_every_plot_has_its_interval_and_number_of_pairs_under_it(panel: RatePanel) -> None:
    pairs, people, equal = (note.text() for note in panel.notes)
    assert "6,000 pairs of one person, 200,000 of two" in pairs
    assert "200 people and 20,000 pairs of people" in people
    assert "Equal error rate" in equal
    assert "–" in equal
    assert panel.at.text().startswith("At 0.35: ")
    assert "strangers accepted" in panel.at.text()


def test_pointer_and_arrow_keys_on_the_histogram_look_at_another_threshold_everywhere(qtbot, panel: RatePanel) -> None:
    area = panel.scores.area()
    qtbot.mouseMove(panel.scores, panel.scores.at(area, 0.2, 0.5).toPoint())
    assert panel.roc.threshold == panel.det.threshold == panel.scores.threshold == pytest.approx(0.2, abs=0.02)
    assert panel.at.text().startswith("At 0.2")
    panel.look_at(0.2)
    panel.scores.setFocus()
    qtbot.keyClick(panel.scores, Qt.Key.Key_Right)
    assert panel.scores.threshold == pytest.approx(0.21)
    assert "At 0.21" in panel.det.accessibleDescription()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_plots_paint_curve_and_band_in_both_themes(qapp, panel: RatePanel, scheme: str) -> None:
    theme.install(qapp, scheme)
    for plot in panel.plots:
        image = plot.grab().toImage()
        seen = {
            QColor(image.pixelColor(x, y)).name() for x in range(image.width()) for y in range(0, image.height(), 3)
        }
        assert theme.color("accent").name() in seen, plot
        assert len(seen) > 10, plot


def test_in_a_narrow_page_the_third_plot_goes_below(qtbot, panel: RatePanel) -> None:
    assert panel.det.mapTo(panel, QPoint()).y() == panel.roc.mapTo(panel, QPoint()).y()
    panel.resize(600, 700)
    qtbot.waitUntil(lambda: panel.det.mapTo(panel, QPoint()).y() > panel.roc.mapTo(panel, QPoint()).y())


def test_no_stranger_above_the_threshold_is_said_with_what_could_still_be(qtbot) -> None:
    made = RatePanel()
    qtbot.addWidget(made)
    made.show_curves(of_scores(np.full(40, 0.8), np.full(400, 0.1), 10, 45), 0.5)
    assert "no stranger accepted (0–" in made.at.text()


def test_the_model_section_shows_its_calibration_and_the_gallery(qtbot, bridge: Bridge, services, monkeypatch) -> None:
    scores = GalleryScores(of_scores(np.full(9, 0.8), np.full(90, 0.1), 3, 10), 40, 5, 50)
    monkeypatch.setattr(insights_model, "gallery_scores", no_job(scores))
    section = ModelSection(services, bridge)
    qtbot.addWidget(section)
    section.show()
    section.activate()
    assert "2,000 photos of 200 people" in section.words.text()
    assert section.points.text().count("\n") == 2
    section.choose("gallery")
    qtbot.waitUntil(lambda: "40 of 50 samples" in section.words.text())
    assert section.panel.curves is scores.curves


def test_a_gallery_with_too_few_samples_says_what_it_takes(qtbot, bridge: Bridge, services, monkeypatch) -> None:
    monkeypatch.setattr(insights_model, "gallery_scores", no_job(GalleryScores(None, 1, 1, 1)))
    section = ModelSection(services, bridge)
    qtbot.addWidget(section)
    section.show()
    section.activate()
    section.choose("gallery")
    qtbot.waitUntil(lambda: section.is_empty)
    section.choose("frontal")
    assert not section.is_empty
    with qtbot.waitSignal(section.navigate) as asked:
        section.empty.activated.emit()
    assert asked.args == ["enroll", None]


def test_the_map_shows_the_face_under_the_pointer_and_opens_its_person(
    qtbot, bridge: Bridge, services, monkeypatch
) -> None:
    monkeypatch.setattr(insights_map, "map_samples", no_job(sample_map()))
    section = MapSection(services, bridge)
    qtbot.addWidget(section)
    section.resize(900, 600)
    section.show()
    section.activate()
    qtbot.waitUntil(lambda: "15 samples of 3 people" in section.words.text())
    assert "41 %" in section.words.text()
    view = section.view
    qtbot.mouseMove(view, view.place(6).toPoint())
    assert view.under is not None
    assert view.accessibleDescription() == "Béla"
    with qtbot.waitSignal(section.navigate) as asked:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.place(6).toPoint())
    assert asked.args == ["people", services.gallery.people()[1]]
    qtbot.mouseMove(view, QPoint(view.width() // 2, view.height() // 2))
    assert view.under is None


def test_drawing_the_map_can_be_cancelled_and_begun_again(qtbot, bridge: Bridge, services, monkeypatch) -> None:
    ended: list[str] = []

    def endless(_services: object, kind: str) -> object:
        try:
            while True:
                yield Progress(0, 0)
        finally:
            ended.append(kind)

    monkeypatch.setattr(insights_map, "map_samples", endless)
    section = MapSection(services, bridge)
    qtbot.addWidget(section)
    section.show()
    section.activate()
    assert section.cancel.isVisible()
    section.kind.setCurrentIndex(1)  # overtakes the first map, and is not called cancelled for that
    qtbot.waitUntil(lambda: ended == ["tsne"], timeout=5000)
    assert section.cancel.isVisible()
    section.cancel.click()
    qtbot.waitUntil(lambda: "cancelled" in section.words.text(), timeout=5000)
    assert ended == ["tsne", "pca"]
    assert not section.cancel.isVisible()
    monkeypatch.setattr(insights_map, "map_samples", no_job(sample_map()))
    section.again.click()
    qtbot.waitUntil(lambda: "15 samples of 3 people" in section.words.text(), timeout=5000)
    assert not section.again.isVisible()
    monkeypatch.setattr(insights_map, "map_samples", endless)
    section.kind.setCurrentIndex(0)
    section.cancel.click()
    qtbot.waitUntil(section.again.isVisible, timeout=5000)
    assert section.kind.currentData() == "pca"  # the map that is still there
    assert "15 samples" in section.words.text()


def test_the_points_are_drawn_anew_only_when_they_have_to(qtbot, qapp, bridge: Bridge, monkeypatch) -> None:
    view = MapView(Thumbnails(bridge, lambda _key: None))
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show_map(sample_map())
    view.show()
    qtbot.waitExposed(view)
    view.grab()
    drawn: list[int] = []
    real = view._paint_points
    monkeypatch.setattr(view, "_paint_points", lambda painter, rows: (drawn.append(len(rows)), real(painter, rows)))
    plain = view.grab().toImage()
    view._look_at(0)
    chosen = view.grab().toImage()
    assert drawn == [5]
    place = view.place(14).toPoint()  # of somebody else: fainter than before, but there
    assert plain.pixelColor(place) != chosen.pixelColor(place) != theme.color("window")
    view._look_at(None)
    assert view.grab().toImage() == plain
    theme.install(qapp, "dark")
    assert view.grab().toImage() != plain
    view.resize(500, 300)
    view.grab()
    assert drawn == [5, 15, 15]


def test_arrow_keys_go_from_sample_to_sample(qtbot, bridge: Bridge) -> None:
    view = MapView(Thumbnails(bridge, lambda _key: None))
    qtbot.addWidget(view)
    view.show_map(sample_map())
    view.show()
    view.setFocus()
    seen = []
    for _ in range(15):
        qtbot.keyClick(view, Qt.Key.Key_Right)
        seen.append(view.under)
    assert sorted(seen) == list(range(15))
    with qtbot.waitSignal(view.chosen) as chosen:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert chosen.args == [9]


def test_an_empty_gallery_has_no_map_and_says_what_it_takes(qtbot, bridge: Bridge, services, monkeypatch) -> None:
    monkeypatch.setattr(insights_map, "map_samples", no_job(None))
    section = MapSection(services, bridge)
    qtbot.addWidget(section)
    section.show()
    section.activate()
    qtbot.waitUntil(lambda: section.is_empty)


def test_only_the_section_shown_is_filled(qtbot, bridge: Bridge, services, monkeypatch) -> None:
    made: list[int] = []

    def counted(*_args: object) -> object:
        made.append(1)
        return sample_map()
        yield

    monkeypatch.setattr(insights_map, "map_samples", counted)
    page = InsightsPage(services, bridge)
    qtbot.addWidget(page)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: not bridge.busy)
    assert page.title == "Insights"
    assert not made
    page.receive("map")
    qtbot.waitUntil(lambda: bool(made))
    page.refresh()
    qtbot.waitUntil(lambda: len(made) == 2)
    page.show_section("model")
    page.refresh()
    assert len(made) == 2


def evaluated(folder: Path) -> Evaluated:
    """A list of ten photos of five people; the embedding of one fails, one pair is decided wrongly."""
    rows = [(f"{p}a.jpg", f"{p}b.jpg", True) for p in range(5)]
    rows += [(f"{p}a.jpg", f"{q}b.jpg", False) for p in range(5) for q in range(5) if p != q]
    pairs = assemble(rows, None, "mine")
    vectors: list[np.ndarray | None] = [np.eye(5, dtype=np.float32)[int(path[0])] for path in pairs.paths]
    vectors[pairs.paths.index("1b.jpg")] = None
    vectors[pairs.paths.index("2b.jpg")] = np.eye(5, dtype=np.float32)[3]
    report = evaluate_pairs(pairs, vectors, model_id="m", replicates=20)
    model = SimpleNamespace(title="ArcFace")
    return Evaluated(report, Opened("csv", pairs, folder), model, False, None, {"1b.jpg": "It is <empty>."})


@pytest.fixture
def reports(qtbot, bridge: Bridge, services, monkeypatch, tmp_path: Path) -> ReportsSection:
    monkeypatch.setattr(insights_reports, "open_protocol", lambda source: source)
    monkeypatch.setattr(insights_reports, "evaluate", no_job(evaluated(tmp_path)))
    section = ReportsSection(services, bridge)
    qtbot.addWidget(section)
    section.resize(1000, 700)
    section.show()
    return section


def test_a_list_is_measured_shown_and_saved_as_a_page(qtbot, reports: ReportsSection, tmp_path: Path) -> None:
    assert reports.is_empty
    assert not reports.export_button.isEnabled()
    reports.measure(tmp_path / "mine.csv")
    qtbot.waitUntil(lambda: not reports.is_empty)
    assert reports.words.text() == "mine, ArcFace: 10 photos; 1 could not be read"
    assert "5 pairs of one person, 20 of two" in reports.panel.notes[0].text()
    # The list names nobody, so nobody knows whether these are five people.
    assert "as at most 5 people and 10 pairs of people allow" in reports.panel.notes[1].text()
    cells = [cell.text() for cell in reports._cells]
    assert "Photos without a face" in cells
    equal = cells[cells.index("EER") + 1]
    assert f"Equal error rate {equal}".replace("\u00a0", " ") in reports.panel.notes[2].text().replace("\u00a0", " ")
    report = reports.done.report
    missed_share = format_share(float(np.mean(~(report.genuine >= report.miss_threshold))))
    assert f"{missed_share} (" in reports.panel.at.text()
    assert [title.text() for title in reports.titles] == [
        "Two people, taken for one: 1; the worst first", "One person, missed: 2; the worst first",
    ]  # fmt: skip
    false_match, missed = reports.misses
    assert [tile.text for tile in false_match.tiles] == ["1.00"]
    assert false_match.tiles[0].tip == "3a.jpg\n2b.jpg"
    assert {tile.text for tile in missed.tiles} == {"0.00", "no face"}
    with qtbot.waitSignal(reports.navigate) as opened:
        qtbot.mouseClick(false_match, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert opened.args == ["verify", [tmp_path / "3a.jpg", tmp_path / "2b.jpg"]]
    missed.setFocus()
    qtbot.keyClick(missed, Qt.Key.Key_Right)
    with qtbot.waitSignal(missed.chosen) as chosen:
        qtbot.keyClick(missed, Qt.Key.Key_Return)
    assert chosen.args == [1]
    file = tmp_path / "report.html"
    reports.save(file)
    qtbot.waitUntil(lambda: "Saved" in reports.words.text())
    page = file.read_text("utf-8")
    assert "data:image/png;base64,iVBOR" in page
    assert "Photos that could not be read: 1" in page
    assert "It is &lt;empty&gt;." in page
    assert "1.000</td><td><code>3a.jpg" in page


def test_a_list_chosen_meanwhile_overtakes_the_one_before(
    qtbot, reports: ReportsSection, tmp_path: Path, monkeypatch
) -> None:
    def endless(*_args: object) -> object:
        while True:
            yield Progress(0, 0)

    monkeypatch.setattr(insights_reports, "evaluate", endless)
    reports.measure(tmp_path / "slow.csv")
    older = reports._task
    reports.measure(tmp_path / "mine.csv")
    qtbot.waitUntil(lambda: older.finished, timeout=5000)
    assert "mine.csv" in reports.empty._title.text()
    reports._task.cancel()
    qtbot.waitUntil(lambda: "How good" in reports.empty._title.text(), timeout=5000)


def test_a_report_that_cannot_be_saved_says_why(qtbot, reports: ReportsSection, tmp_path: Path) -> None:
    reports.measure(tmp_path / "mine.csv")
    qtbot.waitUntil(lambda: not reports.is_empty)
    reports.save(tmp_path / "nowhere" / "report.html")
    qtbot.waitUntil(lambda: reports.error.error is not None)
    assert "report.html was not written" in str(reports.error.error)


def test_a_list_that_cannot_be_read_says_why_and_another_can_be_chosen(
    qtbot, bridge: Bridge, services, tmp_path: Path
) -> None:
    section = ReportsSection(services, bridge)
    qtbot.addWidget(section)
    section.show()
    section.measure(tmp_path / "missing.csv")
    qtbot.waitUntil(lambda: section.error.error is not None)
    assert section.is_empty
    assert section.empty._action.text() == "Choose a list…"


def test_lists_and_folders_can_be_dropped_photos_are_left_to_the_window(
    qtbot, reports: ReportsSection, tmp_path: Path
) -> None:
    def drop(path: Path) -> QDropEvent:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        made = QDragEnterEvent(
            QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        made.data = mime  # the event does not own it
        return made

    photo, listed = drop(tmp_path / "a.jpg"), drop(tmp_path / "a.csv")
    reports.dragEnterEvent(photo)
    reports.dragEnterEvent(listed)
    assert not photo.isAccepted()
    assert listed.isAccepted()
    reports.dropEvent(listed)
    qtbot.waitUntil(lambda: not reports.is_empty)
