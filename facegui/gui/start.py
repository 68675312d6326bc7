"""From nothing to a window: application, theme, missing libraries, uncaught errors."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from facegui import paths
from facegui.errors import KnownError

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from facegui.gui.main_window import MainWindow
    from facegui.services import Services

__all__ = ["check_libraries", "has_screen", "main", "make_app", "run_window"]

logger = logging.getLogger(__name__)

# Qt aborts the process when one of these is missing, so they are tried first. Debian's package beside each.
LIBRARIES: Final = {
    "libEGL.so.1": "libegl1", "libGL.so.1": "libgl1", "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3", "libfontconfig.so.1": "libfontconfig1", "libglib-2.0.so.0": "libglib2.0-0",
}  # fmt: skip
XCB_LIBRARIES: Final = {
    "libxcb-cursor.so.0": "libxcb-cursor0", "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1", "libxcb-image.so.0": "libxcb-image0",
    "libxcb-render-util.so.0": "libxcb-render-util0", "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1", "libxcb-sync.so.1": "libxcb-sync1", "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-xfixes.so.0": "libxcb-xfixes0", "libxcb-render.so.0": "libxcb-render0",
    "libxcb-randr.so.0": "libxcb-randr0", "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}  # fmt: skip
LOG_BYTES: Final = 1 << 20
SETTLED_MS: Final = 5000
"""Milliseconds after which the window has loaded what it starts with."""
SCREENLESS: Final = ("offscreen", "minimal", "vnc")


def has_screen() -> bool:
    """Tell whether a window could be seen: on Linux, whether an X server or a Wayland compositor answers."""
    if _screenless():
        return False
    if not sys.platform.startswith("linux"):
        return True
    return _wayland_answers() or _x_answers()


def _screenless() -> bool:
    return os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in SCREENLESS


def _x_answers() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # not known; `check_libraries` says what is missing
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed


def _wayland_answers() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as compositor:
        try:
            compositor.connect(str(Path(os.environ.get("XDG_RUNTIME_DIR", "")) / name))
        except OSError:
            return False
    return True


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check_libraries(loads: Callable[[str], bool] = _loads) -> None:
    """Look for the system libraries that Qt needs, before Qt aborts for want of them.

    Raises
    ------
    KnownError
        Some are missing; names Debian's packages.
    """
    if not sys.platform.startswith("linux"):
        return
    needed = dict(LIBRARIES)
    if not _screenless() and os.environ.get("QT_QPA_PLATFORM") != "wayland":
        needed |= XCB_LIBRARIES
    missing = [package for library, package in needed.items() if not loads(library)]
    if missing:
        raise KnownError(
            "The window cannot open.",
            "Libraries of the system that Qt needs are missing.",
            f"On Debian or Ubuntu: sudo apt-get install {' '.join(missing)}",
        )


def make_app(theme_setting: str = "system") -> QApplication:
    """Return the application, made if need be, with name, icon and theme.

    Raises
    ------
    KnownError
        Libraries of the system are missing, or there is no screen; Qt would abort the process.
    """
    check_libraries()
    if not _screenless() and not has_screen():
        raise KnownError(
            "The window cannot open.",
            "There is no screen here, or it does not answer.",
            "Log in at a desktop, or use the command line: facegui --help.",
        )
    # OpenCV's build with a window system points Qt at its own plugins and fonts when it is imported.
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        os.environ.pop(name, None)
    from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
    from PySide6.QtGui import QGuiApplication, QIcon
    from PySide6.QtWidgets import QApplication

    from facegui.gui import theme

    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("facegui")
    app.setApplicationDisplayName("facegui")
    QGuiApplication.setDesktopFileName("facegui")
    app.setWindowIcon(QIcon(str(paths.assets_dir() / "facegui.svg")))
    for catalogue, folder in (
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
        ("facegui", str(paths.assets_dir() / "translations")),
    ):
        translator = QTranslator(app)
        if translator.load(QLocale(), catalogue, "_", folder):
            app.installTranslator(translator)
    theme.install(app, theme_setting)
    return app


def _log_to_file() -> Callable[[], None]:
    """Write the program's log to a file, and what a crash in native code leaves; return how to stop."""
    handler = RotatingFileHandler(
        paths.log_dir() / "facegui.log", maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("facegui")
    root.addHandler(handler)
    crashes = None
    if not faulthandler.is_enabled():
        crashes = (paths.log_dir() / "crash.log").open("w", encoding="utf-8")
        faulthandler.enable(crashes)

    def stop() -> None:
        root.removeHandler(handler)
        handler.close()
        if crashes is not None:
            faulthandler.disable()
            crashes.close()

    return stop


def _close_on_interrupt(window: MainWindow) -> Callable[[], None]:
    """Let Ctrl+C in the terminal close the window; return how to undo that.

    Python runs a signal's handler only between its own instructions, and there are none while Qt waits: the
    signal's byte on a socket wakes it.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    from PySide6.QtCore import QSocketNotifier

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(lambda: ours.recv(1))
    before = signal.signal(signal.SIGINT, lambda *_: window.close())
    before_fd = signal.set_wakeup_fd(theirs.fileno())

    def restore() -> None:
        notifier.setEnabled(False)
        signal.set_wakeup_fd(before_fd)
        signal.signal(signal.SIGINT, before)
        ours.close()
        theirs.close()

    return restore


def _catch_errors(window: MainWindow) -> Callable[[], None]:
    """Send what nobody caught to the log and the window; return how to undo that."""
    from PySide6.QtCore import QObject, Signal

    class Relay(QObject):
        caught = Signal(object)

    relay = Relay(window)
    relay.caught.connect(window.show_error)
    before, before_threads = sys.excepthook, threading.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)
            return
        logger.critical("Uncaught error", exc_info=(kind, error, trace))
        relay.caught.emit(error)

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        hook(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)

    sys.excepthook, threading.excepthook = hook, thread_hook

    def restore() -> None:
        sys.excepthook, threading.excepthook = before, before_threads

    return restore


def look_through(window: MainWindow, source: str) -> None:
    """Open a camera, a stream or a video file on the Verify page."""
    from facegui.gui.pages.verify import VerifyPage

    window.show_page("verify")
    page = window.page
    assert isinstance(page, VerifyPage)
    page.probe.open_source(source)


def run_window(services_factory: Callable[[], Services], on_shown: Callable[[MainWindow], None] | None = None) -> int:
    """Open the window and stay until it is closed; returns the exit status.

    Parameters
    ----------
    services_factory : callable
        Makes the services quickly; models and gallery are loaded in the background.
    on_shown : callable or None
        Called with the window once it is on the screen.

    Raises
    ------
    KnownError
        Libraries of the system are missing, or the services cannot be made.
    """
    app = make_app()
    from PySide6.QtCore import QTimer

    from facegui.gui import theme
    from facegui.gui.bridge import Bridge
    from facegui.gui.main_window import MainWindow

    services = services_factory()
    stop_log = _log_to_file()
    try:
        theme.install(app, services.settings.theme)
        bridge = Bridge()
        window = MainWindow(services, bridge)
        restore = _catch_errors(window)
        try:
            window.show()
            interrupts = _close_on_interrupt(window)
            # What is there by then stays for good, and looking through it stops the window for 90 ms at a time
            # (tests/benchmarks/live_window.py).
            QTimer.singleShot(SETTLED_MS, window, gc.freeze)
            if on_shown is not None:
                QTimer.singleShot(0, window, lambda: on_shown(window))
            return int(app.exec())
        finally:
            gc.unfreeze()
            restore()
            interrupts()
            bridge.close()
            window.deleteLater()
    finally:
        services.close()
        stop_log()


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window on the user's own gallery; the entry point of ``facegui-window``.

    Parameters
    ----------
    argv : sequence of str, optional
        Photos or folders, as a file manager hands them over; those of the process by default. The window asks
        what to do with them.
    """
    files = [Path(item) for item in (sys.argv[1:] if argv is None else argv)]
    from facegui.services import Services

    try:
        return run_window(Services, (lambda window: window.offer(files)) if files else None)
    except KnownError as error:
        print(error, file=sys.stderr)
        return 2
