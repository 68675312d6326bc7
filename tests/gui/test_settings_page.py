from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QSpinBox

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.types import Embedding, Outcome
from facegui.gallery.records import Counts, DecisionKind, NewDecision, NewSample
from facegui.gui.bridge import Bridge
from facegui.gui.pages import settings as settings_module
from facegui.gui.pages.settings import SettingsPage
from facegui.gui.pages.settings_models import accuracy_of
from facegui.gui.pages.settings_storage import size_text
from facegui.services import Services
from facegui.settings import Settings, load, table
from facegui.sources.camera import CameraInfo
from tests.gui.conftest import make_face, make_photo

WAIT = 30_000


@pytest.fixture
def services(monkeypatch) -> Iterator[Services]:
    """The real services with a gallery of their own; the networks stay unloaded."""
    report = SimpleNamespace(requested="auto", active="CPU", device="A processor", reason="No card.", warning=None)
    monkeypatch.setattr(Services, "warm_up", lambda _self: report)
    with Services() as services:
        yield services


@pytest.fixture
def page(qtbot, services: Services, bridge: Bridge, monkeypatch) -> SettingsPage:
    monkeypatch.setattr(settings_module, "list_cameras", lambda: (CameraInfo("usb-1", "Desk camera"),))
    page = SettingsPage(services, bridge)
    qtbot.addWidget(page)
    page.resize(840, 560)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.storage._stored is not None, timeout=WAIT)
    return page


def saved() -> dict[str, object]:
    return tomllib.loads(paths.config_file().read_text("utf-8"))


def enroll(services: Services, name: str = "Ada") -> int:
    vector = np.eye(1, services.model.dimension, dtype=np.float32)[0]
    face, frame = make_face(), make_photo().frame
    sample = NewSample.of(replace(face, embedding=Embedding(vector, services.model.sha256)), frame)
    return services.gallery.enroll(name, [sample])[0]


def decide(services: Services) -> None:
    services.gallery.record(
        NewDecision(
            kind=DecisionKind.VERIFY_PAIR, outcome=Outcome.MATCH, probe="a.jpg", reference="b.jpg", similarity=0.5,
            threshold=0.4, target_fmr=1e-3, model_id=services.model.sha256, provider="CPU",
        )
    )  # fmt: skip


def test_there_is_a_line_for_every_setting_with_its_effect(page: SettingsPage) -> None:
    assert set(page.rows) == set(table()) - {"model"}
    for name, line in page.rows.items():
        widget = line.editor.widget
        assert widget.accessibleName() == table()[name].label
        assert widget.accessibleDescription() == table()[name].effect
        assert line.editor.value == getattr(Settings(), name)


def test_a_choice_is_saved_at_once_and_can_be_undone(qtbot, page: SettingsPage, services: Services) -> None:
    box = page.rows["face_policy"].editor.widget
    assert isinstance(box, QComboBox)
    with (
        qtbot.waitSignal(page.undo_offered, timeout=WAIT) as offered,
        qtbot.waitSignal(page.settings_changed, timeout=WAIT),
    ):
        box.setFocus()
        QTest.keyClick(box, Qt.Key.Key_Down)
        box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: not page.bridge.busy)
    assert saved() == {"face_policy": "central"}
    assert services.settings.face_policy == "central"
    assert offered.args[0] == "Several faces in a photo: The most central"
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        offered.args[1]()
    assert load()[0] == Settings()
    assert box.currentData() == "largest"


def test_strangers_are_counted_as_one_in_so_many(qtbot, page: SettingsPage, services: Services) -> None:
    line = page.rows["target_fmr"]
    box = line.editor.widget
    assert isinstance(box, QSpinBox)
    assert box.text() == "1 in 1,000"
    assert (box.minimum(), box.maximum()) == (100, 10_000)
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        box.setValue(10_000)
    assert services.settings.target_fmr == pytest.approx(1e-4)
    assert saved() == {"target_fmr": pytest.approx(1e-4)}
    assert services.calibration is not None
    assert not services.calibration.supports(1e-4)
    assert line.note.isVisible()
    assert "extrapolated" in line.note.text()


def test_a_number_is_saved_once_typing_has_come_to_rest(qtbot, page: SettingsPage, services: Services) -> None:
    box = page.rows["working_pixels"].editor.widget
    told: list[bool] = []
    page.settings_changed.connect(lambda: told.append(True))
    box.setFocus()
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        for value in (2000, 2100, 2200):
            box.setValue(value)
    assert services.settings.working_pixels == 2200, "the first value saved is the last one typed"
    qtbot.waitUntil(lambda: not page.bridge.busy)
    assert told == [True]


def test_a_line_can_be_set_back_to_its_default(qtbot, page: SettingsPage, services: Services) -> None:
    line = page.rows["mirror_preview"]
    assert not line._back.isVisible()
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        line.editor.widget.click()
    assert services.settings.mirror_preview is False
    assert line._back.isVisible()
    assert line._back.toolTip() == "Set back to on"
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        line._back.click()
    assert services.settings.mirror_preview is True
    assert saved() == {}


def test_what_cannot_be_saved_is_shown_as_it_was(qtbot, page: SettingsPage, services: Services, monkeypatch) -> None:
    def refuse(**_changes: object) -> None:
        raise KnownError("The settings could not be saved.", "The disk is full.", "Make room.")

    monkeypatch.setattr(services, "change_settings", refuse)
    page.rows["keep_history"].editor.widget.click()
    qtbot.waitUntil(lambda: page._error.error is not None, timeout=WAIT)
    assert page.rows["keep_history"].editor.value is True


def test_a_change_made_elsewhere_is_shown(page: SettingsPage, services: Services) -> None:
    services.change_settings(camera_height=1080)
    page.refresh()
    assert page.rows["camera_height"].editor.value == 1080


def test_the_wheel_scrolls_the_page_and_changes_nothing(page: SettingsPage) -> None:
    box = page.rows["provider"].editor.widget
    event = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    page.search.setFocus()
    QApplication.sendEvent(box, event)
    assert page.rows["provider"].editor.value == "auto"
    assert not event.isAccepted()


def test_a_search_leaves_what_contains_all_words(page: SettingsPage) -> None:
    page.search.setText("photo LARGER")
    assert [name for name, line in page.rows.items() if line.isVisible()] == ["max_megapixels", "working_pixels"]
    assert not page.sections["Appearance"].isVisible()
    page.search.setText("backup history")
    assert page.storage.isVisible()
    page.search.setText("zebra")
    assert page._nothing.isVisible()
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert all(line.isVisible() for line in page.rows.values())


def test_a_chip_leads_to_its_section(page: SettingsPage) -> None:
    chip = next(b for b in page.findChildren(QAbstractButton) if b.text() == "Camera")
    chip.click()
    assert not page.rows["camera"].visibleRegion().isEmpty()
    assert page.rows["theme"].visibleRegion().isEmpty()


def test_cameras_are_offered_by_name(qtbot, page: SettingsPage) -> None:
    box = page.rows["camera"].editor.widget
    qtbot.waitUntil(lambda: box.count() == 2, timeout=WAIT)
    assert [box.itemText(i) for i in range(2)] == ["The first one", "Desk camera"]


def test_models_show_licence_training_and_the_accuracy_of_their_calibration(
    qtbot, page: SettingsPage, services: Services
) -> None:
    calibration = services.calibration
    assert calibration is not None
    rate = calibration.fnmr_at(calibration.threshold_for(1e-3))
    card = page.models.cards[services.model.id]
    qtbot.waitUntil(lambda: card.facts["frontal"].value.text() == f"{rate.value * 100:.1f} %", timeout=WAIT)
    assert {item.condition for item in accuracy_of(services.model)} == {"frontal", "profile"}
    for model_id, item in page.models.cards.items():
        model = services.catalog.model(model_id)
        words = " ".join(part.text() for part in item.findChildren(type(card.facts["size"].value)))
        assert model.licence in words
        assert model.training_data.rstrip(".") in words
    assert card.accessibleDescription() == "In use"
    assert not card.use.isVisible()


def test_another_model_is_used_from_then_on(qtbot, page: SettingsPage, services: Services) -> None:
    with qtbot.waitSignal(page.undo_offered, timeout=WAIT) as offered:
        page.models.cards["sface"].use.click()
    assert services.model.id == "sface"
    assert saved() == {"model": "sface"}
    assert offered.args[0] == "Model: SFace"
    assert page.models.cards["sface"].accessibleDescription() == "In use"
    with qtbot.waitSignal(page.settings_changed, timeout=WAIT):
        offered.args[1]()
    assert services.model.id == "arcface+sface"


def test_model_files_are_checked(qtbot, page: SettingsPage, services: Services) -> None:
    page.models._check.click()
    qtbot.waitUntil(lambda: "files are what they should be" in page.models.result().text(), timeout=WAIT)


def test_a_card_that_is_not_used_is_said_with_the_mend(page: SettingsPage) -> None:
    warning = "The graphics card is not used. Install facegui[cuda]."
    page.provider.show_report(
        SimpleNamespace(requested="cuda", active="CPU", device="A processor", reason="", warning=warning, threads=2)
    )
    assert page.provider._reason.text() == warning


def test_places_are_shown_with_what_lies_there(page: SettingsPage, services: Services, home: Path) -> None:
    assert page.storage.places["gallery"].path == services.gallery.file
    assert page.storage.places["settings"].path == paths.config_file()
    assert all(str(home) in str(place.path) for place in page.storage.places.values())
    assert page.storage.places["gallery"].amount.text().endswith("kB")


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (5e12, "5.0 TB")]
)
def test_sizes_are_short(size: float, words: str) -> None:
    assert size_text(int(size)) == words


def test_a_backup_is_restored_and_that_is_undone(qtbot, page: SettingsPage, services: Services, tmp_path) -> None:
    enroll(services)
    target = tmp_path / "backup.sqlite"
    page.storage.back_up(target)
    qtbot.waitUntil(lambda: page.storage.result.text() == f"✓ Backed up to {target}", timeout=WAIT)
    enroll(services, "Grace")
    with qtbot.waitSignal(page.undo_offered, timeout=WAIT) as offered:
        page.storage.restore(target)
    assert [person.name for person in services.gallery.people()] == ["Ada"]
    with qtbot.waitSignal(page.gallery_changed, timeout=WAIT):
        offered.args[1]()
    assert [person.name for person in services.gallery.people()] == ["Ada", "Grace"]


def test_what_is_no_backup_is_refused(qtbot, page: SettingsPage, services: Services, tmp_path) -> None:
    enroll(services)
    wrong = tmp_path / "notes.sqlite"
    wrong.write_text("not a gallery " * 100)
    page.storage.restore(wrong)
    qtbot.waitUntil(lambda: page._error.error is not None, timeout=WAIT)
    assert [person.name for person in services.gallery.people()] == ["Ada"]


def test_the_history_is_deleted_only_after_a_question(qtbot, page: SettingsPage, services: Services) -> None:
    assert not page.storage.clear_button.isEnabled()
    decide(services)
    page.refresh()
    qtbot.waitUntil(page.storage.clear_button.isEnabled, timeout=WAIT)
    page.storage.clear_button.click()
    assert page.storage._question.text() == "Delete 1 decision for good? This cannot be undone."
    page.storage.keep.click()
    assert len(services.gallery.decisions()) == 1
    page.storage.clear_button.click()
    with qtbot.waitSignal(page.gallery_changed, timeout=WAIT):
        page.storage.clear_now.click()
    assert services.gallery.decisions() == []


def test_everything_is_erased_only_after_a_question(qtbot, page: SettingsPage, services: Services) -> None:
    enroll(services)
    decide(services)
    page.refresh()
    row = page.storage.erase
    qtbot.waitUntil(lambda: row._counts.people == 1, timeout=WAIT)
    row.ask_button.click()
    assert row._question.text() == (
        "People: 1, faces of photos: 0, decisions: 1. Erase all of it for good? This cannot be undone."
    )
    assert row.keep.hasFocus() or not page.isActiveWindow()
    row.keep.click()
    assert not row.erase_now.isVisible()
    assert len(services.gallery.people()) == 1
    row.ask_button.click()
    with qtbot.waitSignals([page.undo_ended, page.gallery_changed], timeout=WAIT):
        row.erase_now.click()
    assert services.gallery.counts() == Counts(0, 0, 0, 0, 0)
    assert page.storage.result.text() == "✓ Everything about people was erased."


def test_what_could_not_be_erased_is_not_called_erased(
    qtbot, page: SettingsPage, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise KnownError("Everything was erased, but traces of it may be left in the file.")

    monkeypatch.setattr(services.gallery, "erase_everything", fails)
    page.storage.erase.erase_now.click()
    qtbot.waitUntil(lambda: page._error.error is not None, timeout=WAIT)
    assert page.storage.result.text() == ""


def test_nothing_is_erased_while_faces_are_being_read(qtbot, page: SettingsPage, services: Services) -> None:
    enroll(services)
    go_on = threading.Event()
    page.bridge.run(page, lambda: go_on.wait(WAIT), title="Reading photos")
    page.storage.erase.erase_now.click()
    qtbot.waitUntil(lambda: page._error.error is not None, timeout=WAIT)
    go_on.set()
    qtbot.waitUntil(lambda: not page.bridge.working, timeout=WAIT)
    assert len(services.gallery.people()) == 1


def test_every_control_has_a_name(page: SettingsPage) -> None:
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox)
    shown = [item for kind in kinds for item in page.findChildren(kind) if item.isVisible()]
    nameless = [item for item in shown if not (item.accessibleName() or getattr(item, "text", str)())]
    inner = (QLineEdit, QAbstractSpinBox, QComboBox)
    assert [item for item in nameless if not isinstance(item.parent(), inner)] == []
