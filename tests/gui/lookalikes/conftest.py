"""The Lookalikes page on painted photos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from painted import PaintedPipeline, paint, painted_services
from painted_lookalikes import WAIT, quiet

from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.matching.calibration import Calibration
from facegui.services import Services


@pytest.fixture
def services(tmp_path: Path, calibration: Calibration) -> Iterator[Services]:
    with painted_services(tmp_path / "gallery.sqlite", calibration) as made:
        yield made


@pytest.fixture
def pipeline(services: Services) -> PaintedPipeline:
    pipeline = services.pipeline
    assert isinstance(pipeline, PaintedPipeline)
    return pipeline


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Person 1 on three photos, once beside person 2; persons 3 to 9 once each; one file that cannot be used."""
    folder = tmp_path / "photos"
    for variation in (1, 2):
        paint(folder / f"one {variation}.png", (1, variation))
    paint(folder / "below" / "both.png", (2, 1), (1, 3))
    for person in range(3, 10):
        paint(folder / f"other {person}.png", (person, 1))
    (folder / "broken.jpg").write_bytes(b"")
    return folder


@pytest.fixture
def page(qtbot, services: Services, bridge: Bridge) -> LookalikesPage:
    page = LookalikesPage(services, bridge)
    qtbot.addWidget(page)
    page.resize(900, 640)
    with qtbot.waitExposed(page):
        page.show()
    page.activate()
    return page


@pytest.fixture
def searched(qtbot, page: LookalikesPage, bridge: Bridge, folder: Path, tmp_path: Path) -> LookalikesPage:
    """The page after a search for person 1."""
    page.open_files([paint(tmp_path / "probe.png", (1, 7)), folder])
    qtbot.waitUntil(lambda: "in 10 photos" in page.results.words, timeout=WAIT)
    quiet(qtbot, bridge)
    return page
