from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from facegui.gui.bridge import Bridge
from facegui.gui.item_models import FaceRow
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.face_grid import FaceGrid

MANY = 100_000


class Falling:
    """Rows of falling similarity that are made when asked for."""

    def __init__(self, count: int) -> None:
        self.count, self.asked = count, set()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> FaceRow:
        self.asked.add(index)
        return FaceRow(index, f"photo {index}.jpg", 1 - index / self.count, tip=f"/photos/photo {index}.jpg")


@pytest.fixture
def loads() -> list[object]:
    return []


@pytest.fixture
def thumbnails(bridge: Bridge, loads: list[object]) -> Thumbnails:
    def load(key: object) -> np.ndarray:
        loads.append(key)
        return np.full((112, 112, 3), 77, np.uint8)

    return Thumbnails(bridge, load, capacity=60)


@pytest.fixture
def grid(qtbot, thumbnails: Thumbnails) -> FaceGrid:
    grid = FaceGrid(thumbnails, name="Lookalikes")
    qtbot.addWidget(grid)
    grid.resize(800, 600)
    with qtbot.waitExposed(grid):
        grid.show()
    return grid


def test_a_hundred_thousand_rows_paint_at_once_and_few_are_made(qtbot, grid: FaceGrid, loads: list[object]) -> None:
    rows = Falling(MANY)
    start = time.perf_counter()
    grid.set_rows(rows)
    grid.set_threshold(0.5)
    grid.grab()
    took = time.perf_counter() - start
    assert took < 2, "measured 0.3 s on an idle machine"
    assert len(rows.asked) < 200
    start = time.perf_counter()
    grid.scrollToBottom()
    grid.grab()
    assert time.perf_counter() - start < 0.5
    assert MANY - 1 in rows.asked
    qtbot.waitUntil(lambda: MANY - 1 in loads)


def test_only_faces_that_are_seen_are_loaded_and_few_are_kept(
    qtbot, grid: FaceGrid, thumbnails: Thumbnails, loads: list[object]
) -> None:
    grid.set_rows(Falling(MANY))
    bar = grid.verticalScrollBar()
    for step in range(6):
        bar.setValue(step * 3000)
        with qtbot.waitSignal(thumbnails.loaded):
            grid.grab()
    qtbot.waitUntil(lambda: not thumbnails._busy)
    assert len(loads) < 400
    assert len(thumbnails._store) <= 60


def test_the_pictures_that_are_wished_last_come_first(qtbot, bridge: Bridge) -> None:
    order: list[object] = []

    def load(key: object) -> None:
        order.append(key)

    store = Thumbnails(bridge, load)
    with qtbot.waitSignals([store.loaded, store.loaded]):
        for key in range(40):
            store.get(key)
    qtbot.waitUntil(lambda: len(order) == 40)
    assert order[1] == 39
    assert store.get(0) is None, "a face without a picture is not asked for again and again"
    assert len(order) == 40


def test_a_picture_that_cannot_be_read_is_told_and_the_others_still_come(qtbot, bridge: Bridge) -> None:
    def load(key: object) -> np.ndarray:
        if key == 0:
            raise OSError("gone")
        return np.zeros((8, 8, 3), np.uint8)

    store = Thumbnails(bridge, load)
    with qtbot.waitSignal(bridge.failed):
        store.get(0)
    with qtbot.waitSignal(store.loaded):
        store.get(1)
    assert store.get(1) is not None


def test_the_line_falls_between_match_and_no_match(grid: FaceGrid) -> None:
    grid.set_rows(Falling(1000))
    grid.set_threshold(0.9)
    assert grid.above == 101
    grid.set_threshold(2.0)
    assert grid.above == 0
    grid.set_threshold(-2.0)
    assert grid.above == 1000
    grid.set_threshold(None)
    assert grid.above == 0
    grid.grab()


def test_arrows_move_and_enter_opens(qtbot, grid: FaceGrid) -> None:
    grid.set_rows(Falling(50))
    grid.select_row(0)
    QTest.keyClick(grid, Qt.Key.Key_Right)
    assert grid.current_row == FaceRow(1, "photo 1.jpg", 0.98, tip="/photos/photo 1.jpg")
    QTest.keyClick(grid, Qt.Key.Key_Down)
    below = grid.currentIndex().row()
    assert below > 3
    with qtbot.waitSignal(grid.opened) as told:
        QTest.keyClick(grid, Qt.Key.Key_Return)
    assert told.args == [below]


def test_the_screen_reader_hears_name_and_score(grid: FaceGrid) -> None:
    grid.set_rows([FaceRow(1, "Ada", 0.4711), FaceRow(2, "Grace", detail="4 samples")])
    model = grid.model()
    assert model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "Ada, similarity 0.47"
    assert model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "Grace, 4 samples"
    assert grid.accessibleName() == "Lookalikes"


def test_new_rows_do_not_move_what_is_looked_at(grid: FaceGrid) -> None:
    grid.set_rows(Falling(2000))
    grid.select_row(500)
    grid.scrollTo(grid.currentIndex())
    top = grid.visualRect(grid.currentIndex()).top()
    grid.replace_rows(Falling(2400), moved_to=700)
    assert grid.currentIndex().row() == 700
    assert grid.visualRect(grid.currentIndex()).top() == top


def test_several_rows_can_be_selected(qtbot, thumbnails: Thumbnails) -> None:
    grid = FaceGrid(thumbnails, multiple=True)
    qtbot.addWidget(grid)
    grid.set_rows(Falling(10))
    grid.selectAll()
    assert grid.selected_rows() == list(range(10))
