from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyledItemDelegate

from facegui.gui.widgets.tile_view import TileView

TILE, GAP = QSize(80, 50), QSize(10, 10)
BAND = 30


class Painted(QStyledItemDelegate):
    """Remembers which rows were painted."""

    def __init__(self, parent: TileView) -> None:
        super().__init__(parent)
        self.rows: list[int] = []

    def paint(self, painter, option, index) -> None:  # type: ignore[no-untyped-def]
        self.rows.append(index.row())


@pytest.fixture
def view(qtbot) -> TileView:
    view = TileView()
    qtbot.addWidget(view)
    model = QStandardItemModel(view)
    for number in range(25):
        model.appendRow(QStandardItem(str(number)))
    view.setModel(model)
    view.setItemDelegate(Painted(view))
    view.set_cell(TILE, GAP)
    view.resize(4 * 90 + view._beside, 200)
    with qtbot.waitExposed(view):
        view.show()
    assert view.columns == 4
    return view


def test_tiles_lie_in_lines_and_only_those_seen_are_painted(view: TileView) -> None:
    assert view.row_rect(0) == QRect(0, 0, 80, 50)
    assert view.row_rect(5) == QRect(90, 60, 80, 50)
    assert view.indexAt(QPoint(95, 65)).row() == 5
    assert not view.indexAt(QPoint(85, 10)).isValid(), "between two tiles"
    assert view.rows_in(QRect(0, 0, 400, 115)) == list(range(8))
    painted = view.itemDelegate()
    painted.rows.clear()
    view.grab()
    assert set(painted.rows) == set(range(16))


def test_after_the_band_a_new_line_begins(view: TileView) -> None:
    view.set_break(6, BAND)
    assert view.row_rect(5).y() == 60
    assert view.row_rect(6) == QRect(0, 120 + BAND, 80, 50)
    assert view.band_rect().top() == 120
    assert view.rows_in(view.rect()) == list(range(10))
    assert view.verticalScrollBar().maximum() == 7 * 60 + BAND - view.viewport().height()
    view.set_break(0, BAND)
    assert view.row_rect(0).y() == BAND
    view.set_break(25, BAND)
    assert view.band_rect().top() == 7 * 60
    view.set_break(-1, 0)
    assert view.band_rect().isEmpty()


@pytest.mark.parametrize(
    ("start", "keys", "end"),
    [
        (0, [Qt.Key.Key_Right, Qt.Key.Key_Down], 5),
        (1, [Qt.Key.Key_Down], 5),
        (3, [Qt.Key.Key_Down], 5),  # the line before the band is short: its last tile
        (5, [Qt.Key.Key_Down], 7),  # over the band, in the same column
        (7, [Qt.Key.Key_Up], 5),
        (9, [Qt.Key.Key_Up], 5),
        (2, [Qt.Key.Key_Up], 2),
        (5, [Qt.Key.Key_Right], 6),
        (24, [Qt.Key.Key_Down], 24),
        (21, [Qt.Key.Key_Down], 24),
        (6, [Qt.Key.Key_End], 24),
        (20, [Qt.Key.Key_Home], 0),
        (0, [Qt.Key.Key_PageDown], 7 + 3),
    ],
)
def test_the_arrows_cross_the_band(view: TileView, start: int, keys: list[Qt.Key], end: int) -> None:
    view.set_break(6, BAND)
    view.setCurrentIndex(view.model().index(start, 0))
    for key in keys:
        QTest.keyClick(view, key)
    assert view.currentIndex().row() == end
    assert view.viewport().rect().intersects(view.visualRect(view.currentIndex()))


def test_a_row_can_be_scrolled_to_and_is_whole_then(view: TileView) -> None:
    view.set_break(6, BAND)
    view.scrollTo(view.model().index(24, 0))
    assert view.viewport().rect().contains(view.row_rect(24))
    view.place_row(12, 0)
    assert view.row_rect(12).top() == 0


def test_a_rectangle_chooses_what_it_touches(view: TileView) -> None:
    view.setSelectionMode(view.SelectionMode.ExtendedSelection)
    view.setSelection(QRect(5, 5, 100, 70), view.selectionModel().SelectionFlag.ClearAndSelect)
    assert sorted(index.row() for index in view.selectedIndexes()) == [0, 1, 4, 5]
    region = view.visualRegionForSelection(view.selectionModel().selection())
    assert region.contains(QPoint(100, 70))
    assert not region.contains(QPoint(200, 10))


def test_another_width_keeps_the_place(view: TileView) -> None:
    view.place_row(12, 0)
    view.resize(2 * 90 + view._beside, 200)
    assert view.columns == 2
    assert 12 in view.rows_in(view.viewport().rect())


def test_the_tile_under_the_pointer_is_known(view: TileView) -> None:
    view.point_at(QPoint(95, 65))
    assert view.hovered == 5
    view.point_at(None)
    assert view.hovered == -1
