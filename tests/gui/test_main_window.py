from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.page import State, StateWords
from facegui.gui.pages.table import PAGES

WAIT = 30_000


@pytest.fixture
def open_window(qtbot, fake_services, bridge: Bridge, plain_pages: tuple[str, ...]) -> Callable[[], MainWindow]:
    def make() -> MainWindow:
        window = MainWindow(fake_services, bridge)
        qtbot.addWidget(window)
        with qtbot.waitExposed(window):
            window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=WAIT)
        return window

    return make


@pytest.fixture
def window(open_window) -> MainWindow:
    return open_window()


def test_the_window_is_there_before_the_models(qtbot, fake_services, open_window) -> None:
    fake_services.gate.clear()
    start = time.perf_counter()
    window = open_window()
    assert time.perf_counter() - start < 1.5
    assert window.strip._provider.text() == "Loading models…"
    fake_services.gate.set()
    qtbot.waitUntil(lambda: window.strip._provider.text() == "CPU", timeout=WAIT)
    qtbot.waitUntil(lambda: window.strip._counts.text() == "12 people, 58 samples", timeout=WAIT)


def test_models_that_cannot_be_loaded_are_told_without_a_dialog(qtbot, fake_services, open_window) -> None:
    fake_services.problem = KnownError("The model file is missing.", "", "Install facegui again.")
    window = open_window()
    qtbot.waitUntil(lambda: not window.errors.isHidden(), timeout=WAIT)
    assert window.strip._provider.text() == "Models not loaded"


def test_pages_are_made_when_they_are_first_shown(window: MainWindow) -> None:
    assert set(window._pages) == {"verify"}
    QTest.keyClick(window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    assert set(window._pages) == {"verify", "people"}
    assert window.page.name == "people"
    assert window._title.text() == "People"
    assert window._pages["verify"].seen[:2] == ["activate", "deactivate"]
    assert window.rail._buttons["people"].isChecked()


def test_a_page_can_open_another_and_hand_it_a_value(window: MainWindow) -> None:
    window.page.navigate.emit("enroll", {"name": "Ada"})
    assert window.page.name == "enroll"
    assert window.page.seen == ["activate", {"name": "Ada"}]


def test_every_control_that_takes_the_focus_has_a_name(window: MainWindow, plain_pages) -> None:
    window.errors.show_error(KnownError("No.", "Why.", "Do."))
    window.strip.offer_undo("Ada deleted", lambda: None)
    window.show_keys()
    nameless = []
    for name in plain_pages:
        window.show_page(name)
        window.page.show_error(KnownError("No."))
        for widget in window.findChildren(QWidget):
            if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or not widget.isVisibleTo(window):
                continue
            text = widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""
            if not (widget.accessibleName() or text):
                nameless.append(f"{name}: {type(widget).__name__} in {type(widget.parent()).__name__}")
    assert not nameless


def test_the_keyboard_reaches_the_rail_the_page_and_the_strip(window: MainWindow) -> None:
    seen = set()
    for _ in range(60):
        window.focusNextChild()
        seen.add(window.focusWidget())
    assert set(window.rail._buttons.values()) & seen
    assert window.page.field in seen
    assert window.strip._model in seen
    assert window.strip._provider in seen


def test_the_primary_action_is_a_button_at_the_title(window: MainWindow) -> None:
    assert window._primary.text() == "Go"
    QTest.mouseClick(window._primary, Qt.MouseButton.LeftButton)
    assert window.page.seen[-1] == "go"
    window.page.primary_action.setEnabled(False)
    assert not window._primary.isEnabled()
    window.page.primary_action.setText("Stop")
    assert window._primary.text() == "Stop"


def test_the_inspector_folds_away_in_a_narrow_window_and_comes_back_on_demand(window: MainWindow) -> None:
    window.resize(1280, 800)
    assert window._inspectors.isVisible()
    window.resize(1000, 700)
    assert not window._inspectors.isVisible()
    window.toggle_inspector()
    assert window._inspectors.isVisible()
    window.toggle_inspector()
    assert not window._inspectors.isVisible()
    window.resize(1280, 800)
    assert window._inspectors.isVisible()
    window.show_page("people")
    assert not window._inspectors.isVisible()
    assert not window._fold.isVisible()


def test_the_smallest_window_holds_every_page(window: MainWindow) -> None:
    assert (window.minimumWidth(), window.minimumHeight()) == (960, 640)
    window.resize(960, 640)
    assert (window.width(), window.height()) == (960, 640)


def test_geometry_and_page_are_remembered(qtbot, open_window, home: Path) -> None:
    first = open_window()
    first.resize(1111, 700)
    first.show_page("lookalikes")
    first.close()
    assert (home / "config" / "window.ini").is_file()
    second = open_window()
    assert second.height() == 700, "the width is limited by the offscreen screen of 800 pixels"
    assert second.page.name == "lookalikes"


def test_a_damaged_state_file_is_no_reason_to_fail(qtbot, open_window, home: Path) -> None:
    file = home / "config" / "window.ini"
    file.parent.mkdir(parents=True)
    file.write_text("[General]\npage=nowhere\ngeometry=12\n")
    assert open_window().page.name == "verify"


def drop(window: MainWindow, *names: str) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(name) for name in names])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(300, 300), copy, mime, left, none))


def test_photos_dropped_anywhere_ask_what_to_do(window: MainWindow) -> None:
    drop(window, "/a.jpg", "/b.jpg")
    assert window._drop.isVisible()
    assert "2 files" in window._drop._question.text()
    QTest.keyClick(window._drop, Qt.Key.Key_Escape)
    assert not window._drop.isVisible()
    drop(window, "/a.jpg")
    QTest.mouseClick(window._drop._buttons[1], Qt.MouseButton.LeftButton)
    assert window.page.name == "enroll"
    assert window.page.seen[-1] == (Path("/a.jpg"),)


def test_a_pasted_picture_goes_to_the_page_and_a_pasted_text_to_the_field(window: MainWindow) -> None:
    image = QImage(12, 8, QImage.Format.Format_RGB888)
    image.fill(0)
    QGuiApplication.clipboard().setImage(image)
    window._paste()
    assert window.page.seen[-1] == image.size()
    QGuiApplication.clipboard().setText("Ada")
    window.page.field.setFocus()
    window._paste()
    assert window.page.field.text() == "Ada"


def test_all_keys_are_shown_and_escape_hides_them(window: MainWindow) -> None:
    window.show_keys()
    texts = [label.text() for label in window._keys.findChildren(QLabel)]
    assert {"Ctrl+O", "Ctrl+V", "Do the thing"} <= set(texts)
    QTest.keyClick(window._keys, Qt.Key.Key_Escape)
    assert not window._keys.isVisible()


def test_an_error_of_a_task_is_shown_on_its_page(qtbot, window: MainWindow, bridge: Bridge) -> None:
    problem = KnownError("This photo cannot be read.")

    def fail() -> None:
        raise problem

    bridge.run(window.page, fail)
    qtbot.waitUntil(lambda: window.page._error.error is problem, timeout=WAIT)
    assert window.errors.isHidden()
    bridge.run(window, fail)
    qtbot.waitUntil(lambda: window.errors.error is problem, timeout=WAIT)


def test_choosing_a_model_loads_it_and_tells_the_pages(qtbot, window: MainWindow, fake_services) -> None:
    window.strip.model_chosen.emit("arcface")
    qtbot.waitUntil(lambda: "refresh" in window.page.seen, timeout=WAIT)
    assert fake_services.settings.model == "arcface"


def test_ctrl_z_takes_back_the_last_change(window: MainWindow) -> None:
    done: list[bool] = []
    window.page.undo_offered.emit("Ada deleted", lambda: done.append(True))
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert done == [True]


def test_saved_settings_change_the_theme_and_reach_the_other_pages(window: MainWindow, fake_services) -> None:
    first = window.page
    window.show_page("settings")
    fake_services.change_settings(theme="dark")
    window.page.settings_changed.emit()
    assert theme.is_dark()
    assert first.seen[-1] == "refresh"
    assert "refresh" not in window.page.seen


def test_the_focus_stays_in_what_covers_the_window_and_comes_back(window: MainWindow) -> None:
    window.page.field.setFocus()
    drop(window, "/a.jpg")
    for _ in range(9):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert window._drop.isAncestorOf(QApplication.focusWidget())
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Backtab)
    assert window._drop.isAncestorOf(QApplication.focusWidget())
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is window.page.field


def test_a_change_of_the_gallery_is_counted_again(qtbot, window: MainWindow, fake_services) -> None:
    fake_services.gallery.counts = lambda: SimpleNamespace(people=13, samples=60)
    window.page.gallery_changed.emit()
    qtbot.waitUntil(lambda: window.strip._counts.text() == "13 people, 60 samples", timeout=WAIT)


def test_a_page_shows_content_or_the_card_of_its_state(qtbot, window: MainWindow) -> None:
    page, acted = window.page, []
    for state in State:
        page.set_state(state)
        content = state in (State.READY, State.WORKING, State.READ_ONLY)
        assert page.content.isVisible() == content, state
        assert page._empty.isVisible() == (not content)
        if not content and state not in (State.EMPTY, State.FIRST_USE):
            assert page._empty.accessibleName()
    page.define_state(State.EMPTY, StateWords("face", "Nobody yet", "Enroll.", "Enroll", lambda: acted.append(1)))
    page.set_state(State.EMPTY)
    page._empty.activated.emit()
    assert acted == [1]


def test_a_busy_line_appears_only_after_a_while(qtbot, window: MainWindow) -> None:
    page = window.page
    page._busy_timer.setInterval(30)
    page.set_state(State.WORKING)
    assert not page._busy.isVisible()
    qtbot.waitUntil(lambda: page._busy.isVisible(), timeout=WAIT)
    page.show_error(KnownError("No."))
    assert page.state is State.READY
    assert not page._busy.isVisible()
    page.clear_error()
    assert page._error.isHidden()


def test_the_rail_and_the_pages_agree() -> None:
    for entry in PAGES:
        page = entry.load()
        assert (page.name, page.icon) == (entry.name, entry.icon)


def test_the_window_imports_no_page_but_the_first() -> None:
    code = "import sys, facegui.gui.main_window; print([m for m in sys.modules if m.endswith(('.people', '.verify'))])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
