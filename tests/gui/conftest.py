"""An offscreen application, services without networks, and a watch on widgets left behind."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QAction, QColor, QImage
from PySide6.QtWidgets import QApplication, QLineEdit

from facegui.faces.catalog import Catalog
from facegui.faces.types import Box, Detection, Face, Frame, Photo, Quality, QualityReason
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.page import Page
from facegui.gui.pages.table import PageEntry
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.jobs import Progress
from facegui.matching.calibration import Calibration, Condition, OperatingPoint
from facegui.matching.curves import EDGES, survival
from facegui.settings import Settings, changed

LANDMARKS = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["facegui"]


@pytest.fixture(autouse=True)
def light(qapp: QApplication, home: Path) -> Iterator[None]:
    """Every test begins in the light theme, and leaves no window behind."""
    theme.install(qapp, "light")
    before = set(qapp.topLevelWidgets())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    gc.freeze()  # what is left belongs to the session: the next test's collection need not walk it again
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [type(w).__name__ for w in qapp.topLevelWidgets() if w not in before and w.isVisible()]
    assert not left, f"windows left open: {left}"


@pytest.fixture
def bridge(qapp: QApplication) -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    """A calibration of invented scores: strangers around 0, the same person around 0.65."""
    rng = np.random.default_rng(7)
    impostor = np.histogram(np.clip(rng.normal(0.02, 0.11, 200_000), -1, 1), EDGES)[0]
    genuine = np.histogram(np.clip(rng.normal(0.65, 0.12, 6_000), -1, 0.999), EDGES)[0]
    fmr, fnmr = survival(impostor, 20_000), survival(genuine[::-1], 200)[::-1]

    def make(points: tuple[OperatingPoint, ...]) -> Calibration:
        return Calibration(
            "m", Condition.FRONTAL, "invented", 200, 2_000, 0, 6_000, 200_000, 20_000, points,
            tuple(impostor.tolist()), tuple(genuine.tolist()), tuple((fmr * 0.6).tolist()),
            tuple(np.minimum(1, fmr * 1.7).tolist()), tuple((fnmr * 0.6).tolist()),
            tuple(np.minimum(1, fnmr * 1.6).tolist()), 18.0, -6.0,
        )  # fmt: skip

    rough = make(())
    thresholds = [(rate, rough.threshold_for(rate)) for rate in (1e-2, 1e-3, 1e-4)]
    return make(tuple(OperatingPoint(r, t, t - 0.01, t + 0.01, r * 0.6, r * 1.7, 0.01, True) for r, t in thresholds))


def make_face(x: float = 0, reasons: tuple[QualityReason, ...] = (), shade: int = 120) -> Face:
    """A face of flat colour, 100 pixels square at `x`."""
    quality = Quality(0.4 if reasons else 0.9, reasons, 40, 1, 120, 40, 0, 0, 0, 1)
    shift = np.array([x, 0], np.float32)
    return Face(
        Detection(Box(x, 10, 100, 100), LANDMARKS + shift, 0.9), np.full((112, 112, 3), shade, np.uint8), quality
    )


def make_photo(faces: int = 1, width: int = 400, height: int = 300) -> Photo:
    """A grey photo with some faces side by side."""
    frame = Frame(np.full((height, width, 3), 90, np.uint8), "grey.png")
    return Photo(frame, tuple(make_face(10 + 120.0 * index) for index in range(faces)))


@dataclass
class FakeServices:
    """What the shell asks of the services, without networks."""

    settings: Settings = field(default_factory=Settings)
    report: Any = field(default_factory=lambda: SimpleNamespace(
        requested="auto", active="CPU", device="A processor", reason="No graphics card was found.", warning=None,
        threads=2,
    ))  # fmt: skip
    problem: Exception | None = None
    warm: bool = False
    gate: threading.Event = field(default_factory=threading.Event)
    analysed: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()
        self.catalog = Catalog()
        self.model = SimpleNamespace(id="both", title="ArcFace + SFace", role="embedder")
        self.gallery = SimpleNamespace(counts=lambda: SimpleNamespace(people=12, samples=58))

    def models(self) -> tuple[Any, ...]:
        other = SimpleNamespace(id="arcface", title="ArcFace", role="embedder")
        return self.model, other, SimpleNamespace(id="yunet", title="YuNet", role="detector")

    def warm_up(self) -> Any:
        self.gate.wait(10)
        if self.problem is not None:
            raise self.problem
        self.warm = True
        return self.report

    @property
    def provider(self) -> Any:
        return self.report if self.warm else None

    def change_settings(self, **changes: Any) -> Settings:
        self.settings = changed(self.settings, **changes)
        return self.settings

    def reembed(self) -> Any:
        yield Progress(0, 0)
        return 0

    def analyse_live(self, frame: Frame) -> Photo:
        self.analysed.append(frame)
        return Photo(frame, (make_face(),))

    analyse = analyse_live

    def close(self) -> None:
        pass


@pytest.fixture
def fake_services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def face() -> Callable[..., Face]:
    return make_face


@pytest.fixture
def photo() -> Callable[..., Photo]:
    return make_photo


@pytest.fixture
def pixel() -> Callable[..., QColor]:
    """Return the colour of a pixel of a widget as it is drawn."""

    def look(widget: Any, x: float, y: float) -> QColor:
        return QColor(widget.grab().toImage().pixel(round(x), round(y)))

    return look


def plain_page(page_name: str) -> type[Page]:
    """A page that writes down what happens to it."""

    class Plain(Page):
        name = page_name
        icon = "face"

        @property
        def title(self) -> str:
            return page_name.title()

        def build(self) -> None:
            self.seen: list[object] = []
            self.primary_action = QAction("Go", self)
            self.primary_action.triggered.connect(lambda: self.seen.append("go"))
            self.inspector = InspectorPanel() if page_name == "verify" else None
            self.field = QLineEdit(self.content)
            self.field.setAccessibleName("Name")

        def activate(self) -> None:
            self.seen.append("activate")

        def deactivate(self) -> None:
            self.seen.append("deactivate")

        def open_files(self, paths) -> None:
            self.seen.append(tuple(paths))

        def paste(self, image: QImage) -> None:
            self.seen.append(image.size())

        def receive(self, value: object) -> None:
            self.seen.append(value)

        def refresh(self) -> None:
            self.seen.append("refresh")

        def shortcuts(self) -> list[tuple[str, str]]:
            return [("X", "Do the thing")]

    return Plain


@pytest.fixture
def plain_pages(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A window made now has pages that only write down what happens to them; returns their names."""
    from facegui.gui import main_window

    def entry(name: str) -> PageEntry:
        page = plain_page(name)
        return PageEntry(name, "face", lambda: page)

    names = ("verify", "enroll", "lookalikes", "people", "settings")
    monkeypatch.setattr(main_window, "PAGES", tuple(entry(name) for name in names))
    return names
