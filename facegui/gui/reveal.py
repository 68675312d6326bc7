"""Showing a file in the system's own viewer or file manager."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

__all__ = ["open_file", "reveal"]


def open_file(path: Path) -> bool:
    """Open a file with the program that the system has for it; return whether there is one."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def reveal(path: Path) -> bool:
    """Show a file in its folder, chosen if the file manager can do that; return whether something opened."""
    if sys.platform == "darwin":
        return _start("open", "-R", str(path))
    if sys.platform == "win32":
        return _start("explorer", f"/select,{path}")
    return _ask_file_manager(path) or open_file(path if path.is_dir() else path.parent)


def _start(*command: str) -> bool:
    try:
        subprocess.Popen(command)  # noqa: S603 - fixed programs of the system, the path is one argument
    except OSError:
        return False
    return True


def _ask_file_manager(path: Path) -> bool:
    """Ask the desktop's file manager by its D-Bus interface; return whether one answers to it."""
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    service = "org.freedesktop.FileManager1"
    if not bus.isConnected():
        return False
    names = bus.interface()
    if not (names.isServiceRegistered(service).value() or service in names.activatableServiceNames().value()):
        return False
    call = QDBusMessage.createMethodCall(service, "/org/freedesktop/FileManager1", service, "ShowItems")
    call.setArguments([[QUrl.fromLocalFile(str(path)).toString()], ""])
    return bus.send(call)
