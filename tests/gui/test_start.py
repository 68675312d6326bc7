from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from facegui.errors import KnownError
from facegui.gui import start

pytestmark = pytest.mark.usefixtures("plain_pages")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_a_screen_is_there_when_a_display_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not start.has_screen()
    monkeypatch.setenv("DISPLAY", ":941")
    assert not start.has_screen(), "nobody answers there"
    monkeypatch.setenv("WAYLAND_DISPLAY", str(tmp_path / "compositor"))
    assert not start.has_screen()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as compositor:
        compositor.bind(str(tmp_path / "compositor"))
        compositor.listen()
        assert start.has_screen()
        monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
        assert not start.has_screen()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_without_a_screen_the_entry_point_says_so_instead_of_aborting(home: Path) -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    code = "import sys; from facegui.gui.start import main; sys.exit(main())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert result.returncode == 2
    assert "The window cannot open." in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Debian's packages")
def test_missing_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"libxcb-cursor.so.0", "libEGL.so.1"}
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    with pytest.raises(KnownError) as caught:
        start.check_libraries(lambda name: name not in missing)
    assert "apt-get install libegl1 libxcb-cursor0" in caught.value.do
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    start.check_libraries(lambda name: name != "libxcb-cursor.so.0")


def test_opencvs_own_qt_plugins_are_forgotten(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/cv2/qt/fonts")
    assert start.make_app("dark") is qapp
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert "QT_QPA_FONTDIR" not in os.environ
    assert not qapp.windowIcon().isNull()


def run(fake_services, qapp: QApplication, act) -> int:
    """Open the window, do something in it, close it."""

    def shown(window) -> None:
        act(window)
        window.close()

    return start.run_window(lambda: fake_services, shown)


def test_the_window_opens_and_closes(fake_services, qapp: QApplication) -> None:
    titles: list[str] = []
    assert run(fake_services, qapp, lambda window: titles.append(window.windowTitle())) == 0
    assert titles == ["facegui"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("facegui-")]


def test_photos_handed_over_by_a_file_manager_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[list[Path]] = []

    def run_window(_services, on_shown=None) -> int:
        if on_shown is not None:
            on_shown(SimpleNamespace(offer=offered.append))
        return 0

    monkeypatch.setattr(start, "run_window", run_window)
    assert start.main([]) == 0
    assert offered == []
    assert start.main(["/photos/a b.jpg", "/photos"]) == 0
    assert offered == [[Path("/photos/a b.jpg"), Path("/photos")]]


def test_the_window_asks_what_to_do_with_offered_files(fake_services, qapp: QApplication) -> None:
    asked: list[bool] = []

    def act(window) -> None:
        window.offer([Path("/photos/a.jpg")])
        asked.append(window._drop.card.isVisible())

    assert run(fake_services, qapp, act) == 0
    assert asked == [True]


def test_ctrl_c_in_the_terminal_closes_the_window(fake_services, qapp: QApplication) -> None:
    before = signal.getsignal(signal.SIGINT)
    closed: list[bool] = []

    def shown(window) -> None:
        QTimer.singleShot(20, window, lambda: os.kill(os.getpid(), signal.SIGINT))
        QTimer.singleShot(4000, window, lambda: (closed.append(False), window.close()))

    assert start.run_window(lambda: fake_services, shown) == 0
    assert closed == []
    assert signal.getsignal(signal.SIGINT) is before


def test_errors_are_found_in_the_log_file(fake_services, qapp: QApplication, home: Path) -> None:
    run(fake_services, qapp, lambda window: window.show_error(ZeroDivisionError("for the log")))
    assert "for the log" in (home / "log" / "facegui.log").read_text("utf-8")


def test_an_uncaught_error_is_logged_and_shown_and_the_window_lives(fake_services, qapp, caplog) -> None:
    seen: list[object] = []
    problem = ZeroDivisionError("in a thread")
    hooks = sys.excepthook, threading.excepthook

    def act(window) -> None:
        sys.excepthook(ZeroDivisionError, problem, None)
        seen.extend([window.errors.error, window.isVisible()])

    assert run(fake_services, qapp, act) == 0
    assert seen == [problem, True]
    assert "in a thread" in caplog.text
    assert (sys.excepthook, threading.excepthook) == hooks


def test_importing_the_entry_point_loads_neither_qt_nor_networks() -> None:
    code = "import sys, facegui.gui.start; print(sorted({'PySide6', 'onnxruntime', 'cv2'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
