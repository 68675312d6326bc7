"""The real window with the real models, for tests that drive it as a person would."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from facegui.faces.session import OnnxNetwork
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.main_window import MainWindow
from facegui.services import Services
from facegui.settings import Settings


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["facegui"]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services of one test file: its own gallery, the default model on one thread, nothing of the user's."""
    folder: Path = tmp_path_factory.mktemp("gallery")
    with Services(settings=Settings(threads=1, provider="cpu"), gallery=folder / "people.sqlite") as made:
        made.warm_up()
        yield made


@pytest.fixture
def window(qtbot, qapp: QApplication, services: Services, home: Path) -> Iterator[MainWindow]:
    """The window, shown, on the Verify page."""
    theme.install(qapp, "light")
    bridge = Bridge()
    window = MainWindow(services, bridge)
    window.resize(1280, 800)
    with qtbot.waitActive(window):  # keys reach the window's shortcuts only while it is the active one
        window.show()
        window.activateWindow()
    window.show_page("verify")
    yield window
    window.close()
    bridge.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    gc.freeze()


@pytest.fixture
def network_runs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count how often any network has run."""
    runs: list[int] = []
    run = OnnxNetwork.run

    def counted(self: OnnxNetwork, *args: object, **kwargs: object) -> object:
        runs.append(1)
        return run(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(OnnxNetwork, "run", counted)
    return lambda: len(runs)
