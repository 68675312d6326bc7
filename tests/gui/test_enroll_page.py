from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.dense_shape import MeanHead, five_points
from facegui.faces.types import DenseLandmarks, Face, Frame, Photo, QualityReason
from facegui.gallery.records import Change, PersonRecord, Undo
from facegui.gui.bridge import Bridge
from facegui.gui.pages.enroll import EnrollPage
from facegui.gui.pages.enroll_camera import CameraPane
from facegui.gui.pages.enroll_inspector import face_rows
from facegui.gui.pages.enroll_warnings import doubts_of
from facegui.gui.pages.page import State
from facegui.gui.widgets.camera_view import CameraView
from facegui.gui.widgets.parts import label
from facegui.matching.decision import Rule
from facegui.matching.enrolment import SampleCheck, SampleWarning, WarningKind
from facegui.sources.camera import FeedState, FeedStatus
from tests.gui.conftest import FakeServices, make_face, make_photo

WAIT = 30_000


@dataclass
class FakeGallery:
    """Ada is enrolled with two samples."""

    read_only: bool = False
    undone: list[Undo] = field(default_factory=list)

    def people(self) -> list[PersonRecord]:
        return [PersonRecord(7, "Ada", 2, 1, None, None)]  # type: ignore[arg-type]

    def person(self, person_id: int) -> PersonRecord:
        return PersonRecord(person_id, "Ada", 4, 1, None, None)  # type: ignore[arg-type]

    def samples(self, person_id: int) -> list[Any]:
        shades = (40, 200)
        return [SimpleNamespace(crop=np.full((112, 112, 3), s, np.uint8), quality=make_face().quality) for s in shades]

    def undo(self, undo: Undo) -> Change:
        self.undone.append(undo)
        return Change()

    def counts(self) -> Any:
        return SimpleNamespace(people=1, samples=2)


@dataclass
class Chain(FakeServices):
    """A chain whose answers the file names decide on: ``2.png`` has two faces, ``bad.png`` cannot be read."""

    enrolled: list[tuple[str, list[Any]]] = field(default_factory=list)
    checks: dict[int, list[SampleWarning]] = field(default_factory=dict)
    checked: threading.Event = field(default_factory=threading.Event)
    calibrated: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.gallery: Any = FakeGallery()
        self.pipeline: Any = SimpleNamespace(add_dense=lambda _frame, faces: list(faces))
        self.checked.set()

    def read(self, path: Path) -> Frame:
        if path.stem == "bad":
            raise KnownError("bad.png cannot be used.", "The file is empty.", "Copy it again.")
        return Frame(np.full((300, 400, 3), 90, np.uint8), str(path))

    def analyse(self, frame: Frame) -> Photo:
        self.gate.wait(10)
        stem = Path(frame.source).stem
        photo = make_photo(int(stem) if stem.isdigit() else 1)
        return replace(photo, frame=frame)

    def check_samples(self, name: str, faces: Sequence[Face]) -> tuple[SampleCheck, ...]:
        self.checked.wait(10)
        return tuple(SampleCheck(i, tuple(self.checks.get(i, ()))) for i in range(len(faces)))

    def rule(self) -> Rule | None:
        return Rule(0.4, 0.3) if self.calibrated else None

    def enroll(self, name: str, samples: Sequence[Any]) -> tuple[int, Change]:
        self.enrolled.append((name, list(samples)))
        return 7, Change(text="Enrolled", undo=Undo("Enrolled", (), ""))

    def identify(self, face: Face, top: int = 5) -> tuple[Any, ...]:
        return (SimpleNamespace(person_id=7, nearest_face_id=3),)

    def thumbnail(self, face_id: int) -> np.ndarray:
        return np.full((112, 112, 3), face_id, np.uint8)


@pytest.fixture
def services() -> Chain:
    return Chain()


@pytest.fixture
def page(qtbot, services: Chain, bridge: Bridge) -> EnrollPage:
    page = EnrollPage(services, bridge)
    qtbot.addWidget(page, before_close_func=lambda page: page.deactivate())
    page.resize(840, 560)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.tray.name.completer().completionModel().sourceModel().rowCount() == 1)
    return page


def give(qtbot, page: EnrollPage, *names: str) -> None:
    page.open_files([Path(name) for name in names])
    qtbot.waitUntil(lambda: len(page.photos.list.lines) >= len(names) and not page.photos.reading, timeout=WAIT)
    qtbot.waitUntil(lambda: page.saving.checked, timeout=WAIT)


def warn(kind: WarningKind, similarity: float | None = None, person: bool = False) -> SampleWarning:
    return SampleWarning(kind, "", similarity, 7 if person else None, "Ada" if person else None)


def test_each_photo_gives_its_largest_face_and_a_useless_one_gives_the_reason(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "2.png", "0.png", "bad.png", "1.png")
    assert [sample.title for sample in page.tray.samples] == ["2.png", "1.png"]
    assert [(line.title, line.detail, line.bad) for line in page.photos.list.lines] == [
        ("2.png", "2 faces", False), ("0.png", "No face found", True), ("bad.png", "The file is empty.", True),
        ("1.png", "1 face", False),
    ]  # fmt: skip
    assert page.photos.view.selected == 0
    assert page.photos.view.accessibleName() == "Photo, 2 faces, face 1 chosen"


def test_a_click_on_another_face_takes_it_instead(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "3.png")
    view = page.photos.view
    place = view.viewport().rect(view.marks[2].box).center().toPoint()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    (sample,) = page.tray.samples
    assert sample.face.detection.box.x == 250
    assert view.selected == 2
    assert view.marks[2].caption == "chosen"


def test_a_face_can_be_left_out_and_used_again(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "1.png")
    assert page.photos.use.isChecked()
    page.photos.use.click()
    assert page.tray.samples == ()
    assert page.photos.list.lines[0].detail == "1 face, left out"
    page.photos.use.click()
    assert len(page.tray.samples) == 1


def test_a_photo_without_a_face_says_so_where_the_eyes_are(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "0.png")
    assert "No face found" in page.photos.view.accessibleName()
    assert page.photos.details.words == "No face found in this photo."
    assert page.tray.samples == ()


def test_a_file_that_cannot_be_read_says_why_and_what_to_do(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "bad.png")
    assert page.photos.view._empty.accessibleDescription() == "The file is empty. Copy it again."


def test_a_sample_taken_out_can_be_brought_back(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "1.png", "2.png")
    with qtbot.waitSignal(page.undo_offered) as offered:
        QTest.keyClick(page.tray.cards[0], Qt.Key.Key_Delete)
    assert [sample.title for sample in page.tray.samples] == ["2.png"]
    assert page.photos.list.lines[0].detail == "1 face, left out"
    offered.args[1]()
    assert {sample.title for sample in page.tray.samples} == {"1.png", "2.png"}


def test_cleared_photos_can_be_brought_back(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "1.png", "2.png")
    with qtbot.waitSignal(page.undo_offered) as offered:
        page.photos._clear.click()
    assert page.tray.samples == ()
    assert page.photos.list.lines == ()
    offered.args[1]()
    assert len(page.tray.samples) == 2
    assert len(page.photos.list.lines) == 2


def test_cancelling_forgets_what_was_not_read(qtbot, page: EnrollPage, services: Chain) -> None:
    services.gate.clear()
    page.open_files([Path("1.png"), Path("2.png"), Path("3.png")])
    qtbot.waitUntil(lambda: page.photos.reading)
    QTest.keyClick(page, Qt.Key.Key_Escape)
    services.gate.set()
    qtbot.waitUntil(lambda: not page.photos.list.lines, timeout=WAIT)
    assert page.tray.samples == ()


def test_nothing_is_saved_without_a_face_and_a_name(qtbot, page: EnrollPage, services: Chain) -> None:
    action = page.primary_action
    assert not action.isEnabled()
    assert action.toolTip() == "Choose a photo, or take a picture with the camera."
    give(qtbot, page, "1.png")
    assert not action.isEnabled()
    assert action.toolTip() == "Type a name."
    page.saving.save()
    assert services.enrolled == []
    page.tray.name.setText("Joan")
    assert action.isEnabled()
    assert page.tray.labels()[0].text() == "A new person."


def test_enter_saves_empties_the_page_and_offers_undo(qtbot, page: EnrollPage, services: Chain) -> None:
    give(qtbot, page, "1.png", "2.png")
    page.tray.name.setText("Joan")
    qtbot.waitUntil(lambda: page.saving.checked)
    told: list[bool] = []
    page.gallery_changed.connect(lambda: told.append(True))
    with qtbot.waitSignal(page.undo_offered, timeout=WAIT) as offered:
        QTest.keyClick(page.tray.name, Qt.Key.Key_Return)
    ((name, samples),) = services.enrolled
    assert name == "Joan"
    assert [Path(sample.frame.source).name for sample in samples] == ["1.png", "2.png"]
    assert samples[0].frame.original_size == (400, 300)
    assert page.tray.samples == ()
    assert page.tray.name.text() == ""
    assert page.photos.list.lines == ()
    assert page.tray.labels()[2].text() == "Ada now has 4 samples."
    assert told
    offered.args[1]()
    qtbot.waitUntil(lambda: bool(services.gallery.undone), timeout=WAIT)
    qtbot.waitUntil(lambda: not page.tray.saved.isVisible())


def test_after_saving_the_person_can_be_verified(qtbot, page: EnrollPage) -> None:
    page.tray.show_saved(7, "Ada now has 4 samples.")
    verify = next(b for b in page.tray.saved.findChildren(QAbstractButton) if b.text() == "Verify")
    with qtbot.waitSignal(page.navigate) as asked:
        verify.click()
    assert asked.args == ["verify", 7]


def test_warnings_come_before_saving_even_when_enter_is_faster(qtbot, page: EnrollPage, services: Chain) -> None:
    services.checks = {0: [warn(WarningKind.LOOKS_LIKE_ANOTHER, 0.48, person=True)]}
    give(qtbot, page, "1.png")
    services.checked.clear()
    page.tray.name.setText("Joan")
    QTest.keyClick(page.tray.name, Qt.Key.Key_Return)
    services.checked.set()
    qtbot.waitUntil(lambda: page.saving.checked, timeout=WAIT)
    assert page.tray.warnings.texts == ("Sample 1 looks like Ada (0.48)",)
    assert page.tray.labels()[0].text() == "Look at the warnings, then save."
    assert services.enrolled == []
    with qtbot.waitSignal(page.undo_offered, timeout=WAIT):
        QTest.keyClick(page.tray.name, Qt.Key.Key_Return)
    assert len(services.enrolled) == 1


def test_without_warnings_a_fast_enter_saves(qtbot, page: EnrollPage, services: Chain) -> None:
    give(qtbot, page, "1.png")
    services.checked.clear()
    page.tray.name.setText("Joan")
    QTest.keyClick(page.tray.name, Qt.Key.Key_Return)
    services.checked.set()
    qtbot.waitUntil(lambda: bool(services.enrolled), timeout=WAIT)


def test_repeated_samples_are_left_out_together(qtbot, page: EnrollPage, services: Chain) -> None:
    services.checks = {1: [warn(WarningKind.NEAR_DUPLICATE, 0.97)], 2: [warn(WarningKind.NEAR_DUPLICATE, 0.99)]}
    give(qtbot, page, "1.png", "2.png", "3.png")
    assert page.tray.warnings.texts == ("2 samples nearly repeat others",)
    services.checks = {}
    leave = next(b for b in page.tray.warnings.findChildren(QAbstractButton) if b.text() == "Leave out")
    leave.click()
    assert [sample.title for sample in page.tray.samples] == ["1.png"]
    qtbot.waitUntil(lambda: not page.tray.warnings.isVisible(), timeout=WAIT)


def test_a_likeness_can_be_looked_at_and_its_name_taken(qtbot, page: EnrollPage, services: Chain) -> None:
    services.checks = {0: [warn(WarningKind.LOOKS_LIKE_ANOTHER, 0.48, person=True)]}
    give(qtbot, page, "1.png")
    cards = page.tray.warnings
    next(b for b in cards.findChildren(QAbstractButton) if b.text() == "Show").click()
    join = next(b for b in cards.findChildren(QAbstractButton) if b.text() == "Add to Ada")
    services.checks = {}
    join.click()
    assert page.tray.name.text() == "Ada"
    qtbot.waitUntil(lambda: page.tray.labels()[0].text() == "Enrolled already, with 2 samples.", timeout=WAIT)


def test_warnings_of_one_kind_are_gathered_and_the_worst_comes_first() -> None:
    checks = [
        SampleCheck(0, (warn(WarningKind.POOR_QUALITY),)),
        SampleCheck(1, (warn(WarningKind.LOOKS_LIKE_ANOTHER, 0.41, True), warn(WarningKind.UNLIKE_OWN, 0.1))),
        SampleCheck(2, (warn(WarningKind.LOOKS_LIKE_ANOTHER, 0.55, True), warn(WarningKind.UNLIKE_OWN, -0.1))),
    ]
    likeness, unlike, poor = doubts_of(checks)
    assert (likeness.kind, likeness.places, likeness.similarity, likeness.worst) == (
        WarningKind.LOOKS_LIKE_ANOTHER, (1, 2), 0.55, 2,
    )  # fmt: skip
    assert (unlike.similarity, unlike.worst) == (-0.1, 2)
    assert poor.places == (0,)
    assert doubts_of([]) == []


def test_a_model_without_calibration_is_said(qtbot, page: EnrollPage, services: Chain) -> None:
    services.calibrated = False
    give(qtbot, page, "1.png")
    words = [part.text() for part in page.tray.warnings.findChildren(type(label()))]
    assert "Likeness to others was not checked: this model is not calibrated." in words


def test_an_enrolled_person_shows_the_samples_there_are(qtbot, page: EnrollPage) -> None:
    page.receive(7)
    qtbot.waitUntil(lambda: page.tray.labels()[0].text() == "Enrolled already, with 2 samples.", timeout=WAIT)
    assert page.tray._own.isVisible()
    page.tray.name.setText("Adam")
    assert page.tray.labels()[0].text() == "A new person."
    assert not page.tray._own.isVisible()


def test_a_gallery_for_reading_only_is_said_and_takes_nothing(qtbot, page: EnrollPage, services: Chain) -> None:
    services.gallery.read_only = True
    page.refresh()
    qtbot.waitUntil(lambda: page.state is State.READ_ONLY, timeout=WAIT)
    give(qtbot, page, "1.png")
    page.tray.name.setText("Joan")
    assert not page.primary_action.isEnabled()
    page.saving.save()
    assert services.enrolled == []


def test_a_failed_save_keeps_everything(qtbot, page: EnrollPage, services: Chain, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise KnownError("The gallery is locked.", "Another program writes.", "Try again.")

    monkeypatch.setattr(services, "enroll", refuse)
    give(qtbot, page, "1.png")
    page.tray.name.setText("Joan")
    qtbot.waitUntil(lambda: page.saving.checked)
    page.saving.save()
    qtbot.waitUntil(lambda: page._error.error is not None, timeout=WAIT)
    assert len(page.tray.samples) == 1
    assert page.primary_action.isEnabled()


def test_a_pasted_picture_and_a_face_from_another_page_are_taken(qtbot, page: EnrollPage) -> None:
    page.paste(QImage(40, 30, QImage.Format.Format_RGB32))
    qtbot.waitUntil(lambda: len(page.tray.samples) == 1, timeout=WAIT)
    photo = make_photo(2)
    page.receive((photo, photo.faces[1]))
    assert page.tray.samples[1].face is photo.faces[1]


def test_the_tray_keeps_no_pictures_of_whole_photos(qtbot, page: EnrollPage) -> None:
    give(qtbot, page, "1.png")
    frame = page.tray.samples[0].frame
    assert frame.pixels.shape == (300, 400, 3)
    assert frame.pixels.strides[:2] == (0, 0)


def test_every_control_has_a_name(qtbot, page: EnrollPage, services: Chain) -> None:
    services.checks = {0: [warn(WarningKind.NEAR_DUPLICATE, 0.97)]}
    give(qtbot, page, "2.png", "bad.png")
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox)
    shown = [item for kind in kinds for item in page.findChildren(kind) if item.isVisible()]
    nameless = [item for item in shown if not (item.accessibleName() or getattr(item, "text", str)())]
    assert [item for item in nameless if not isinstance(item.parent(), QLineEdit)] == []
    assert nameless == []
    assert page.tray.cards[0].accessibleName() == "Sample 1, 2.png"


class FakeFeed:
    """A camera that shows the frames that a test gives it."""

    def __init__(self) -> None:
        self.status = FeedStatus(FeedState.OPENING)
        self._changed = threading.Condition()
        self._frames: list[Frame] = []

    def give(self, shade: int) -> None:
        with self._changed:
            self._frames.append(Frame(np.full((90, 120, 3), shade, np.uint8), "webcam"))
            self.status = FeedStatus(FeedState.LIVE, size=(120, 90))
            self._changed.notify_all()

    def wait(self, after: int, timeout: float) -> tuple[int, Frame] | None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._frames) > after, timeout)
            return (len(self._frames), self._frames[-1]) if len(self._frames) > after else None

    def close(self) -> None:
        pass


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed()


@pytest.fixture
def pane(qtbot, services: Chain, bridge: Bridge, feed: FakeFeed) -> CameraPane:
    def analyse(frame: Frame) -> Photo:
        shade = int(frame.pixels[0, 0, 0])
        if not shade:
            return Photo(frame, ())
        face = make_face(shade=shade)
        return Photo(frame, (replace(face, quality=replace(face.quality, score=shade / 255)),))

    services.analyse_live = analyse  # type: ignore[method-assign]
    services.analyse = analyse  # type: ignore[method-assign]
    camera = CameraView(services, bridge, make_feed=lambda _source, _height: feed)  # type: ignore[arg-type,return-value]
    pane = CameraPane(services, bridge, iter(range(1, 99)).__next__, camera)
    qtbot.addWidget(pane, before_close_func=lambda pane: pane.stop())
    pane.show()
    pane.bar.choose("camera-1", "A camera")
    return pane


def seen(qtbot, pane: CameraPane, feed: FakeFeed, shade: int) -> None:
    with qtbot.waitSignal(pane.looked_at, timeout=WAIT):
        feed.give(shade)


def test_the_best_of_the_newest_pictures_is_taken(qtbot, pane: CameraPane, feed: FakeFeed) -> None:
    for shade in (100, 200, 150):
        seen(qtbot, pane, feed, shade)
    with qtbot.waitSignal(pane.chosen) as taken:
        pane.take_button.click()
    assert taken.args[0].face.crop[0, 0, 0] == 200
    assert taken.args[0].frame.source == "webcam"
    assert pane.hint.text().startswith("Taken. Turn your head a little")


def test_one_picture_gives_one_sample(qtbot, pane: CameraPane, feed: FakeFeed) -> None:
    taken: list[object] = []
    pane.chosen.connect(taken.append)
    seen(qtbot, pane, feed, 200)
    pane.take()
    seen(qtbot, pane, feed, 90)
    pane.take()
    assert [int(sample.face.crop[0, 0, 0]) for sample in taken] == [200, 90]
    assert taken[0].number != taken[1].number


def test_the_preview_is_a_mirror_and_the_sample_is_not(qtbot, pane: CameraPane, feed: FakeFeed) -> None:
    seen(qtbot, pane, feed, 200)
    view = pane.camera.view
    with qtbot.waitSignal(pane.chosen) as taken:
        pane.take()
    box = taken.args[0].face.detection.box
    assert box.x == 0
    assert view.viewport().rect(box).center().x() > view.viewport().target.center().x()


def test_a_picture_without_a_face_is_not_taken(qtbot, pane: CameraPane, feed: FakeFeed) -> None:
    seen(qtbot, pane, feed, 0)
    assert pane.details.words == "No face found. Look towards the camera."
    pane.take()
    qtbot.waitUntil(lambda: pane.hint.text().startswith("No face found."), timeout=WAIT)


def test_space_takes_the_picture_but_not_while_a_name_is_typed(qtbot, page: EnrollPage, monkeypatch) -> None:
    taken: list[bool] = []
    monkeypatch.setattr(page.camera, "start", lambda: None)
    monkeypatch.setattr(page.camera, "take", lambda: taken.append(True))
    page.camera_mode.click()
    QApplication.sendEvent(page, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier))
    assert taken == [True]
    QTest.keyClicks(page.tray.name, "A b")
    assert page.tray.name.text() == "A b"
    assert taken == [True]


def test_a_folder_without_photos_says_so(qtbot, page: EnrollPage, bridge: Bridge, tmp_path: Path) -> None:
    with qtbot.waitSignal(bridge.failed, timeout=WAIT) as told:
        page.open_files([tmp_path])
    assert told.args[1].what == "No photos found."


def test_a_model_that_is_missing_is_no_fault_of_the_photos(qtbot, page, services: Chain, bridge, monkeypatch) -> None:
    def missing(_frame: Frame) -> Photo:
        raise KnownError("The model file is missing.", "", "Install facegui again.")

    monkeypatch.setattr(services, "analyse", missing)
    with qtbot.waitSignal(bridge.failed, timeout=WAIT) as told:
        page.open_files([Path("1.png"), Path("2.png")])
    assert told.args[1].what == "The model file is missing."
    assert page.photos.list.lines == ()


def test_a_photo_pasted_into_the_name_field_is_a_photo(qtbot, page: EnrollPage) -> None:
    clipboard = QApplication.clipboard()
    clipboard.setImage(QImage(40, 30, QImage.Format.Format_RGB32))
    QTest.keySequence(page.tray.name, QKeySequence(QKeySequence.StandardKey.Paste))
    qtbot.waitUntil(lambda: len(page.tray.samples) == 1, timeout=WAIT)
    assert page.tray.name.text() == ""
    clipboard.setText("Joan")
    QTest.keySequence(page.tray.name, QKeySequence(QKeySequence.StandardKey.Paste))
    assert page.tray.name.text() == "Joan"
    clipboard.clear()


def test_enter_on_a_face_of_the_photo_saves_nothing_by_itself(qtbot, page: EnrollPage, services: Chain) -> None:
    give(qtbot, page, "2.png")
    page.tray.name.setText("Joan")
    qtbot.waitUntil(lambda: page.saving.checked, timeout=WAIT)
    QTest.keyClick(page.photos.view, Qt.Key.Key_Right)
    assert page.tray.samples[0].face.detection.box.x == 130
    QTest.keyClick(page.photos.view, Qt.Key.Key_Return)
    assert services.enrolled == []


# --- what the landmark network says ------------------------------------------------------------------------------


def test_the_inspector_tells_of_eyes_and_mouth_where_the_network_sees_a_face() -> None:
    plain = make_face()
    head = MeanHead.load(paths.models_dir() / "mean_head.csv").shape.astype(np.float32)
    dense = DenseLandmarks(head, five_points(head), 1.0, 0.01, 4.0, -3.0, 0.0, 0.31, 0.29, 0.05)
    seen = replace(plain, dense=dense, quality=replace(plain.quality, yaw=4.0))
    rows = {row[0]: row[1] for row in face_rows(seen)}
    assert rows["Eyes"] == "0.31 and 0.29 open"
    assert rows["Mouth"] == "0.05 open"
    asleep = replace(seen, quality=replace(seen.quality, reasons=(QualityReason.EYES_CLOSED,)))
    assert dict(row[:2] for row in face_rows(asleep))["Eyes"] == "closed"
    unseen = replace(seen, quality=replace(plain.quality, yaw=50.0))
    assert dict(row[:2] for row in face_rows(unseen))["Eyes"] == dict(row[:2] for row in face_rows(None))["Eyes"]
