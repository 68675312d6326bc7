"""The Verify page with services that only count what is asked of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from facegui.errors import KnownError
from facegui.faces.types import Box, Face, Photo, QualityReason, Timings
from facegui.gallery.records import DecisionKind, DecisionRecord, PersonRecord, SampleRecord
from facegui.gui.bridge import Bridge
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.page import State
from facegui.gui.pages.verify import VerifyPage
from facegui.gui.pages.verify_asking import Question, Recorded, Settling, default_face
from facegui.gui.widgets.drop_overlay import Dropped
from facegui.matching.calibration import Calibration
from facegui.matching.decision import Outcome, Rule
from facegui.services import Candidate, Comparison

NOW = datetime(2025, 1, 1, tzinfo=UTC)
ADA, GRACE = (PersonRecord(number, name, 1, number, NOW, None) for number, name in ((1, "Ada"), (2, "Grace")))
SCORES = {"same.png": 0.7, "near.png": 0.4, "other.png": 0.05}


@dataclass
class FakeGallery:
    enrolled: list[PersonRecord] = field(default_factory=lambda: [ADA, GRACE])
    kept: list[DecisionRecord] = field(default_factory=list)
    read_only: bool = False

    def people(self) -> list[PersonRecord]:
        return list(self.enrolled)

    def counts(self) -> Any:
        return SimpleNamespace(people=len(self.enrolled), samples=len(self.enrolled))

    def samples(self, person_id: int) -> list[SampleRecord]:
        crop = np.full((112, 112, 3), 60 * person_id, np.uint8)
        quality = SimpleNamespace(score=0.9, reasons=(), eye_distance=50.0)
        return [SampleRecord(person_id, person_id, "gone.jpg", quality, crop, Box(0, 0, 1, 1), np.zeros((5, 2)), NOW)]

    def decisions(self, limit: int | None = None, person_id: int | None = None) -> list[DecisionRecord]:
        found = [entry for entry in reversed(self.kept) if person_id in (None, entry.person_id)]
        return found[:limit]


class Verifier:
    """Adds to the services of a test what the page asks of them."""

    def __init__(self, services: Any, calibration: Calibration, make_photo: Any) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.reading = threading.Event()
        self.reading.set()
        self.faces: dict[str, int] = {}
        self.problem: KnownError | None = None
        self.make_photo = make_photo
        self.gallery = services.gallery = FakeGallery()
        services.calibration, services.model.sha256 = calibration, "0" * 64
        self.services = services
        for name in ("analyse", "read", "compare", "compare_person", "identify", "record", "thumbnail"):
            setattr(services, name, getattr(self, name))

    def analyse(self, source: Any) -> Photo:
        self.asked.append(("analyse", source))
        self.reading.wait(10)
        name = source.name if isinstance(source, Path) else str(getattr(source, "source", source))
        if name == "broken.jpg":
            raise KnownError("broken.jpg cannot be used.", "The file is empty.", "Copy or download it again.")
        photo = self.make_photo(self.faces.get(name, 1))
        return Photo(replace(photo.frame, source=name), photo.faces, Timings(1.0, 20.0, 3.0, 4.0))

    def read(self, path: str) -> Any:
        raise KnownError("It is gone.")

    def _comparison(self, left: Face | None, right: Face, person: PersonRecord | None) -> Comparison:
        score = self.scores.pop(0) if (self.scores) else 0.7
        return Comparison(
            score, left, right, person.id if person else None, person.name if person else None,
            person.cover_face_id if person else None,
            Candidate(2, "Grace", 0.2, 2, 1) if person else None, score - 0.2 if person else None, Timings(),
            self.services.model, self.services.report, self.services.calibration,
        )  # fmt: skip

    scores: list[float] = []  # noqa: RUF012

    def compare(self, left: Face, right: Face, timings: Timings) -> Comparison:
        self.asked.append(("compare", (left, right)))
        return self._comparison(left, right, None)

    def compare_person(self, person_id: int, probe: Face, timings: Timings) -> Comparison:
        self.asked.append(("compare_person", person_id))
        if self.problem is not None:
            raise self.problem
        return self._comparison(None, probe, next(p for p in self.gallery.enrolled if p.id == person_id))

    def identify(self, probe: Face, top: int) -> tuple[Candidate, ...]:
        self.asked.append(("identify", top))
        score = self.scores.pop(0) if self.scores else 0.71
        return (Candidate(1, "Ada", score, 1, 1),) if self.gallery.enrolled else ()

    def record(
        self,
        comparison: Comparison,
        outcome: Outcome,
        rule: Rule,
        probe: str,
        reference: str,
        life: str | None,
        _card: bytes | None,
    ) -> int:
        self.gallery.kept.append(DecisionRecord(
            kind=DecisionKind.VERIFY_PAIR, outcome=outcome, probe=probe, reference=reference or None,
            person_id=comparison.person_id, similarity=comparison.similarity, threshold=rule.threshold,
            target_fmr=1e-3, model_id="m", provider="CPU", time=NOW, id=len(self.gallery.kept),
            person_name=comparison.person_name, runner_up_name=None,
        ))  # fmt: skip
        return len(self.gallery.kept)

    def thumbnail(self, face_id: int) -> Any:
        return np.full((112, 112, 3), 90, np.uint8)

    def count(self, *names: str) -> int:
        return sum(name in names for name, _value in self.asked)


@pytest.fixture
def verifier(fake_services, calibration: Calibration, photo) -> Verifier:
    made = Verifier(fake_services, calibration, photo)
    made.scores = []
    return made


@pytest.fixture
def page(qtbot, verifier: Verifier, bridge: Bridge) -> VerifyPage:
    page = VerifyPage(verifier.services, bridge)
    qtbot.addWidget(page)
    page.resize(860, 720)
    with qtbot.waitExposed(page):
        page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.claim.picker.isEnabled() or not verifier.gallery.enrolled)
    return page


def compared(qtbot, page: VerifyPage) -> float:
    qtbot.waitUntil(lambda: page.result.comparison is not None and not page.comparing.working)
    assert page.result.comparison is not None
    return page.result.comparison.similarity


def two_photos(qtbot, page: VerifyPage, right: str = "b.png") -> float:
    page.open_files([Path("a.png"), Path(right)])
    return compared(qtbot, page)


def test_two_photos_are_compared_once_and_written_down_once(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    assert two_photos(qtbot, page) == 0.7
    assert page.result.outcome is Outcome.MATCH
    assert page.result.sentence.full == "These two faces match."
    assert (page.claim.kind, page.probe.kind) == ("photo", "photo")
    assert (page.claim.strip.caption, page.probe.strip.caption) == ("a.png", "b.png")
    qtbot.waitUntil(lambda: len(verifier.gallery.kept) == 1)
    kept = verifier.gallery.kept[0]
    assert (kept.probe, kept.reference, kept.outcome) == ("b.png", "a.png", Outcome.MATCH)
    assert kept.threshold == page.result.scale.threshold
    assert verifier.count("compare") == 1


def test_moving_the_threshold_re_decides_without_asking_anything(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    two_photos(qtbot, page)
    qtbot.waitUntil(lambda: len(verifier.gallery.kept) == 1)
    before = list(verifier.asked)
    page.result.scale.spin.setValue(0.75)
    assert page.result.outcome is Outcome.UNSURE
    assert "may or may not" in page.result.sentence.full
    page.result.scale.canvas.setFocus()
    for _step in range(40):
        QTest.keyClick(page.result.scale.canvas, Qt.Key.Key_Right)
    assert page.result.outcome is Outcome.NO_MATCH
    assert "No match" in page.probe.strip.accessibleDescription()
    assert page.result.sentence.full == "These two faces do not match."
    QTest.keyClick(page.result.scale.canvas, Qt.Key.Key_Home)
    assert page.result.outcome is Outcome.MATCH
    qtbot.wait(50)
    assert verifier.asked == before
    assert len(verifier.gallery.kept) == 1


def test_swapping_the_photos_changes_neither_the_score_nor_the_history(
    qtbot, page: VerifyPage, verifier: Verifier
) -> None:
    two_photos(qtbot, page)
    qtbot.waitUntil(lambda: len(verifier.gallery.kept) == 1)
    page.swap.click()
    assert compared(qtbot, page) == 0.7
    assert (page.claim.strip.caption, page.probe.strip.caption) == ("b.png", "a.png")
    qtbot.wait(50)
    assert len(verifier.gallery.kept) == 1


def test_nothing_is_compared_while_a_photo_is_still_being_read(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    two_photos(qtbot, page)
    verifier.asked.clear()
    page.open_files([Path("c.png"), Path("d.png")])
    compared(qtbot, page)
    qtbot.waitUntil(lambda: page.probe.strip.caption == "d.png" and page.result.comparison is not None)
    assert verifier.count("compare") == 1


def test_another_face_of_a_photo_can_be_chosen(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    verifier.faces["group.png"] = 3
    two_photos(qtbot, page, "group.png")
    assert "3 faces" in page.probe.strip.note
    assert page.probe.photo.view.selected == 0
    view = page.probe.photo.view
    place = view.viewport().rect(view.marks[2].box).center().toPoint()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    compared(qtbot, page)
    (_left, _first), (_left_again, chosen) = (value for name, value in verifier.asked if name == "compare")
    assert chosen is page.probe.photo.shown.photo.faces[2]
    qtbot.waitUntil(lambda: len(verifier.gallery.kept) == 2)


def test_settings_say_which_face_counts_at_first(photo) -> None:
    three = photo(3)  # in a picture whose middle is at x = 200; the faces' middles are at 60, 180 and 300
    assert default_face(three, "largest") == 0
    assert default_face(three, "central") == 1
    assert default_face(three, "refuse") == -1
    assert default_face(photo(1), "refuse") == 0
    assert default_face(photo(0), "largest") == -1


def test_refusing_photos_with_several_faces_asks_for_a_click(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    verifier.services.change_settings(face_policy="refuse")
    verifier.faces["group.png"] = 2
    page.open_files([Path("a.png"), Path("group.png")])
    qtbot.waitUntil(lambda: "Click the one" in page.probe.strip.note)
    assert verifier.count("compare") == 0
    page.probe.photo.view.faceSelected.emit(1)
    compared(qtbot, page)


def test_a_photo_without_a_face_or_one_that_cannot_be_read_says_so_in_its_place(
    qtbot, page: VerifyPage, verifier: Verifier
) -> None:
    verifier.faces["wall.png"] = 0
    page.open_files([Path("a.png"), Path("wall.png")])
    qtbot.waitUntil(lambda: page.probe.strip.note.startswith("No face found"))
    assert page.result.outcome is None
    page.open_files([Path("a.png"), Path("broken.jpg")])
    qtbot.waitUntil(lambda: page.probe.photo.view.accessibleName() == "broken.jpg cannot be used.")
    assert not page.probe.photo.view.has_image


def test_the_most_similar_person_is_offered_and_a_click_compares(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    page.open_files([Path("a.png")])
    qtbot.waitUntil(lambda: page.claim.chooser.suggestion.isVisible())
    assert page.claim.chooser.suggestion.text() == "Looks most like: Ada  0.71"
    assert page.result.comparison is None
    assert not verifier.gallery.kept
    page.claim.chooser.suggestion.click()
    assert compared(qtbot, page) == 0.7
    assert page.claim.person == ADA
    assert page.result.sentence.full == "This face matches Ada."
    assert ("compare_person", 1) in verifier.asked
    qtbot.waitUntil(lambda: len(verifier.gallery.kept) == 1)


def test_a_face_that_nobody_enrolled_has_is_not_called_alike(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    verifier.scores = [0.1]
    page.open_files([Path("a.png")])
    qtbot.waitUntil(lambda: page.claim.chooser.suggestion.isVisible())
    assert page.claim.chooser.suggestion.text() == "Nearest: Ada  0.10"
    assert page.result.sentence.full == "Nobody enrolled matches this face."
    page.result.scale.spin.setValue(0.05)
    assert page.claim.chooser.suggestion.text().startswith("Looks most like")


def test_a_person_is_chosen_by_face_or_name_and_let_go_again(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    grid = page.claim.chooser.grid
    assert [grid.row(i).title for i in range(grid.count)] == ["Ada", "Grace"]
    grid.opened.emit(1)
    assert page.claim.person == GRACE
    assert page.claim.picker.text() == "Grace"
    qtbot.waitUntil(lambda: page.claim.portrait.has_image)
    page.claim.picker.setText("Ada")
    assert page.claim.person == ADA
    page.claim.picker.clear()
    assert page.claim.person is None
    assert page.claim.strip.caption == ""


def test_enter_takes_the_person_who_is_offered(qtbot, page: VerifyPage) -> None:
    page.open_files([Path("a.png")])
    qtbot.waitUntil(lambda: page.claim.chooser.suggestion.isVisible())
    QTest.keyClick(page, Qt.Key.Key_Return)
    assert page.claim.person == ADA


def test_a_person_without_comparable_samples_says_so_beside_their_face(
    qtbot, page: VerifyPage, verifier: Verifier
) -> None:
    verifier.problem = KnownError("This person has no sample that can be compared.", "", "Add a photo of them.")
    page.receive(GRACE.id)
    page.open_files([Path("a.png")])
    qtbot.waitUntil(lambda: "no sample" in page.claim.strip.note)
    assert page.result.outcome is None
    verifier.problem = None
    page.refresh()
    compared(qtbot, page)
    assert "no sample" not in page.claim.strip.note


def test_a_person_who_was_removed_is_let_go(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    page.receive(ADA)
    verifier.gallery.enrolled.remove(ADA)
    page.refresh()
    qtbot.waitUntil(lambda: page.claim.person is None)
    assert page.claim.picker.text() == ""


def test_a_model_without_calibration_gives_a_score_and_no_decision(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    verifier.services.calibration = None
    page.refresh()
    two_photos(qtbot, page)
    assert page.result.outcome is None
    assert page.result.scale.outcome is None
    assert page.result.sentence.full == "Not calibrated: a score, but no decision."
    qtbot.wait(50)
    assert not verifier.gallery.kept


def test_a_threshold_that_was_moved_stays_until_the_calibration_changes(
    qtbot, page: VerifyPage, verifier: Verifier, calibration: Calibration
) -> None:
    page.result.scale.spin.setValue(0.6)
    page.refresh()
    assert page.result.scale.threshold == 0.6
    verifier.services.change_settings(target_fmr=1e-2)
    page.refresh()
    assert page.result.scale.threshold == pytest.approx(calibration.threshold_for(1e-2))


def test_a_gallery_for_reading_only_and_a_switched_off_history_keep_nothing(
    qtbot, page: VerifyPage, verifier: Verifier
) -> None:
    verifier.services.change_settings(keep_history=False)
    two_photos(qtbot, page)
    verifier.services.change_settings(keep_history=True)
    verifier.gallery.read_only = True
    page.refresh()
    qtbot.waitUntil(lambda: page.state is State.READ_ONLY)
    two_photos(qtbot, page, "c.png")
    qtbot.wait(50)
    assert not verifier.gallery.kept


def test_slow_reading_says_so_after_a_moment_and_escape_stops_it(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    two_photos(qtbot, page)
    verifier.reading.clear()
    page.probe.photo.load(Path("slow.png"))
    assert page.probe.photo.name == "b.png"
    qtbot.waitUntil(lambda: page.probe.photo.view.accessibleName() == "Looking for faces…")
    assert page.state is State.WORKING
    assert page.result.comparison is None
    assert page.result.sentence.full == "Looking for faces…"
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert page.state is State.READY
    verifier.reading.set()
    qtbot.wait(50)
    assert page.probe.photo.shown is None


def test_nothing_moves_when_an_answer_arrives(qtbot, page: VerifyPage) -> None:
    page.claim.set_kind("photo")
    parts = [page.claim.places, page.claim.strip, page.probe.places, page.probe.strip, page.result, page.swap]
    before = [part.geometry() for part in parts]
    two_photos(qtbot, page)
    qtbot.wait(20)
    assert [part.geometry() for part in parts] == before


def test_where_the_room_is_low_the_crops_stand_beside_the_pictures(qtbot, page: VerifyPage) -> None:
    two_photos(qtbot, page)

    def left(part: QWidget) -> int:
        return part.mapTo(page, QPoint(0, 0)).x()

    assert left(page.claim.strip) == left(page.claim.places)
    page.resize(830, 530)
    qtbot.waitUntil(lambda: left(page.claim.strip) > left(page.claim.places))
    assert left(page.claim.places) < left(page.claim.strip) < left(page.probe.strip) < left(page.probe.places)
    assert page.claim.strip.crop.size() == page.claim.strip.crop.sizeHint()


def test_photos_go_where_they_are_dropped_or_to_the_free_side(qtbot, page: VerifyPage) -> None:
    image = QImage(40, 40, QImage.Format.Format_RGB888)
    image.fill(0)
    page.intake.drop(page.claim, Dropped((Path("left.png"),)))
    qtbot.waitUntil(lambda: page.claim.photo.name == "left.png")
    page.paste(image)
    qtbot.waitUntil(lambda: page.probe.photo.name == "Pasted picture")
    page.claim.clear()
    page.paste(image)
    qtbot.waitUntil(lambda: page.claim.photo.name == "Pasted picture")
    page.intake.drop(page.probe, Dropped((Path("one.png"), Path("two.png"))))
    qtbot.waitUntil(lambda: (page.claim.photo.name, page.probe.photo.name) == ("one.png", "two.png"))


def test_more_than_two_photos_and_folders_are_answered_in_words(qtbot, page: VerifyPage, tmp_path: Path) -> None:
    page.open_files([tmp_path])
    assert page._error.error.what == "A folder cannot be compared."
    page.open_files([Path("a.png"), Path("b.png"), Path("c.png")])
    assert page._error.error.what == "The first two of 3 photos are compared."
    compared(qtbot, page)


def test_an_empty_gallery_begins_with_two_photos(qtbot, verifier: Verifier, bridge: Bridge) -> None:
    verifier.gallery.enrolled.clear()
    page = VerifyPage(verifier.services, bridge)
    qtbot.addWidget(page)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.claim.kind == "photo")
    assert page.result.sentence.full == "Two photos: is it the same person?"
    page.claim.chips["person"].click()
    with qtbot.waitSignal(page.navigate) as told:
        page.claim.chooser._nobody.activated.emit()
    assert told.args == ["enroll", None]


def test_the_inspector_shows_margin_quality_times_model_calibration_and_history(
    qtbot, page: VerifyPage, verifier: Verifier
) -> None:
    def shown() -> dict[str, str]:
        return {
            name: "\n".join(f"{entry[0]}: {entry[1]}" for entry in rows) for name, rows in page.evidence._rows.items()
        }

    sections = list(shown())
    page.receive(ADA)
    page.open_files([Path("a.png")])
    compared(qtbot, page)
    qtbot.waitUntil(lambda: "Match 0.70" in shown()["History"])
    assert "0.50 above Grace (0.20)" in shown()["Decision"]
    assert "same person" in shown()["Decision"]
    assert "Right: good quality (0.90)" in shown()["Quality"]
    qtbot.waitUntil(lambda: "Left: good quality" in shown()["Quality"])
    assert "find" in shown()["Time"]
    assert "CPU: A processor" in shown()["Model"]
    assert "No graphics card was found." in shown()["Model"]
    assert "200 people" in shown()["Calibration"]
    assert list(shown()) == sections


def test_a_bad_face_is_said_in_one_line_with_what_to_do(qtbot, page: VerifyPage, verifier: Verifier, face) -> None:
    make = verifier.make_photo

    def blurred(count: int) -> Photo:
        return Photo(make(count).frame, (face(10.0, (QualityReason.BLURRED,)),))

    verifier.make_photo = blurred
    two_photos(qtbot, page)
    assert page.result.advice.full in ("Left: blurred. Use a sharper photo.", "Right: blurred. Use a sharper photo.")
    assert "blurred" in page.probe.strip.accessibleDescription()


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(qtbot, page: VerifyPage) -> None:
    two_photos(qtbot, page)
    reached = set()
    widget: QWidget = page
    for _step in range(200):
        widget = widget.nextInFocusChain()
        if widget is page:
            break
        if widget.isVisibleTo(page) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            reached.add(widget)
    assert {page.swap, page.claim.open, page.probe.open, page.result.scale.canvas, page.claim.photo.view} <= reached
    unnamed = [
        widget for widget in reached
        if not widget.accessibleName() and not getattr(widget, "text", lambda: "")() and not _inside_named(widget)
    ]  # fmt: skip
    assert not unnamed


def _inside_named(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    return isinstance(widget, QLineEdit) and parent is not None and bool(parent.accessibleName())


def test_the_page_stands_in_the_window_and_its_action_follows(qtbot, verifier: Verifier, bridge: Bridge) -> None:
    window = MainWindow(verifier.services, bridge)
    qtbot.addWidget(window)
    window.show_page("verify")
    page = window.page
    assert isinstance(page, VerifyPage)
    assert page.primary_action.text() == "Open photos"
    window._hand_over(page, Dropped((Path("a.png"), Path("b.png"))))
    compared(qtbot, page)


def test_the_resolution_is_chosen_in_the_list_of_cameras(qtbot, page: VerifyPage, verifier: Verifier) -> None:
    bar = page.probe.bar
    entries = {bar._sources.itemText(index): index for index in range(bar._sources.count())}
    assert {"Video file…", "Network address…", "Look for cameras again", "480 lines", "1080 lines"} <= set(entries)
    bar._sources.activated.emit(entries["1080 lines"])
    assert bar.height_lines == 1080
    assert bar._sources.currentText() != "1080 lines"
    qtbot.waitUntil(lambda: verifier.services.settings.camera_height == 1080)


# --- what needs no window -----------------------------------------------------------------------------------


def test_a_live_outcome_is_kept_when_it_has_held_and_is_news() -> None:
    settling = Settling()
    kept = [seconds for seconds in np.arange(100, 110, 0.1) if settling.add(Outcome.MATCH, float(seconds))]
    assert kept == [pytest.approx(101.5, abs=0.11)]
    assert not any(settling.add(Outcome.NO_MATCH if n % 2 else Outcome.MATCH, 110 + n / 10) for n in range(50))
    kept = [n for n in range(30) if settling.add(Outcome.NO_MATCH, 120 + n / 10)]
    assert len(kept) == 1


def test_a_face_that_was_gone_for_a_while_is_news_again_and_for_a_moment_is_not() -> None:
    def matches(settling: Settling, start: float) -> int:
        return sum(settling.add(Outcome.MATCH, start + n / 10) for n in range(30))

    settling = Settling()
    assert matches(settling, 0) == 1
    assert not settling.add(None, 3.1)
    assert not settling.lost(3.1)
    assert matches(settling, 3.2) == 0
    assert not settling.add(None, 10.0)
    assert settling.lost(10.0)
    assert matches(settling, 10.1) == 1


def test_the_same_comparison_is_not_written_twice_but_a_changed_person_is(face) -> None:
    recorded, left, right = Recorded(), face(), face()
    assert recorded.is_new(Question(right, left), 0.5)
    assert not recorded.is_new(Question(right, left), 0.5)
    assert not recorded.is_new(Question(left, right), 0.5)
    assert recorded.is_new(Question(right, person_id=1), 0.5)
    assert not recorded.is_new(Question(right, person_id=1), 0.5)
    assert recorded.is_new(Question(right, person_id=1), 0.6)
    assert recorded.is_new(Question(right, person_id=2), 0.6)
