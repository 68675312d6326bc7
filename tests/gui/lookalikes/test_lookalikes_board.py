from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from painted import PaintedPipeline, paint
from painted_lookalikes import WAIT, quiet
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.gui.pages.lookalikes_board import BoardPanel
from facegui.services import EnrolSample, Services


@pytest.fixture
def board(qtbot, searched: LookalikesPage, bridge: Bridge) -> BoardPanel:
    """The board of the eleven faces that the grid shows."""
    panel = searched.board
    panel.kind.choose("pca")  # t-SNE takes seconds to load
    searched.top.board.click()
    qtbot.waitUntil(lambda: panel.board is not None, timeout=WAIT)
    quiet(qtbot, bridge)
    return panel


def test_the_faces_shown_are_compared_all_with_all(
    qtbot, board: BoardPanel, searched: LookalikesPage, pipeline: PaintedPipeline
) -> None:
    assert searched.panels.currentWidget() is board
    assert board.board is not None
    assert len(board.board.items) == 11
    assert board.source.text() == "The 11 faces shown"
    model = board.table.model()
    assert (model.rowCount(), model.columnCount()) == (11, 4)
    one = next(row for row in range(11) if model.index(row, 0).data() == "one 1.png")
    assert {model.index(one, column).data().split(",")[0] for column in (1, 2)} == {"one 2.png", "both.png"}
    assert model.index(one, 1).data().endswith("Match")
    board.table.setCurrentIndex(model.index(one, 1))
    assert board._badge.accessibleName() == "Match"
    assert board._sides[0][1].full == "one 1.png"
    qtbot.waitUntil(lambda: board._sides[1][0].image is not None, timeout=WAIT)
    QTest.keyClick(board.table, Qt.Key.Key_Escape)
    assert searched.panels.currentWidget() is searched.results


def test_the_heat_map_shows_alike_faces_as_a_bright_square_and_tells_each_pair(qtbot, board: BoardPanel) -> None:
    board.tabs[1].click()
    assert board.views.currentWidget() is board.heat
    assert board.board is not None
    image, scores = board.heat._image, board.board.similarities
    bright = np.array([[image.pixelColor(x, y).lightness() for x in range(11)] for y in range(11)])
    assert np.corrcoef(bright.ravel(), scores.ravel())[0, 1] > 0.8
    pairs: list[tuple[int, int]] = []
    board.heat.pairChosen.connect(lambda row, column: pairs.append((row, column)))
    area = board.heat._area()
    cell = area.width() / 11
    QTest.mouseMove(board.heat, (area.topLeft() + area.bottomRight() * 0).toPoint())
    QTest.mouseMove(board.heat, area.topLeft().toPoint() + _point(4.5 * cell, 2.5 * cell))
    assert pairs[-1] == (2, 4)
    QTest.keyClick(board.heat, Qt.Key.Key_Right)
    assert pairs[-1] == (2, 5)
    assert board._score.text() == f"{scores[2, 5]:.2f}".replace("-", "−")


def _point(x: float, y: float) -> QPoint:
    return QPoint(round(x), round(y))


def test_the_map_shows_the_face_under_the_pointer(qtbot, board: BoardPanel) -> None:
    board.tabs[2].click()
    place = board.map
    assert board.board is not None
    place.resize(500, 400)
    QTest.mouseMove(place, place.point_of(3).toPoint() + _point(1, 1))
    near = place._current
    away = [(place.point_of(row) - place.point_of(3)).manhattanLength() for row in range(11)]
    assert away[near] < 6
    assert board._sides[0][1].full == board.board.items[near].name
    other = board.board.items[board.board.nearest[near][0].row]
    assert board._sides[1][1].full == other.name, "beside the one that looks most like it"
    QTest.keyClick(place, Qt.Key.Key_Right)
    assert place._current == (near + 1) % 11
    place.grab()


def test_another_number_of_neighbours_or_another_map_makes_the_board_anew(
    qtbot, board: BoardPanel, bridge: Bridge
) -> None:
    board.nearest.choose(5)
    qtbot.waitUntil(lambda: board.table.model().columnCount() == 6, timeout=WAIT)
    board.kind.choose("tsne")
    qtbot.waitUntil(lambda: board.board is not None and board.board.map_kind == "tsne", timeout=6 * WAIT)
    quiet(qtbot, bridge)


@pytest.mark.parametrize("name", ["board.html", "board.csv"])
def test_the_board_is_written_into_files(qtbot, board: BoardPanel, tmp_path: Path, name: str) -> None:
    board.write(tmp_path / name)
    qtbot.waitUntil(lambda: board.written.isVisible(), timeout=6 * WAIT)
    assert board.written.text() == f"Written: {name}"
    assert (tmp_path / name).stat().st_size > 500


def test_photos_outside_of_the_index_and_enrolled_people_can_be_compared(
    qtbot, board: BoardPanel, services: Services, tmp_path: Path, bridge: Bridge, folder: Path
) -> None:
    files = [paint(tmp_path / f"{n}.png", (n, 1)) for n in (1, 11, 12)]
    files += [paint(tmp_path / "wall.png"), paint(tmp_path / "again.png", (1, 2))]
    board.take_photos(files)
    qtbot.waitUntil(lambda: board.board is not None and len(board.board.items) == 4, timeout=WAIT)
    model = board.table.model()
    row = next(row for row in range(4) if model.index(row, 0).data() == "again.png")
    assert model.index(row, 1).data().startswith("1.png")
    quiet(qtbot, bridge)
    board.take_people()
    qtbot.waitUntil(lambda: board._empty.accessibleName() == "A board needs at least two faces.", timeout=WAIT)
    for name, file in (("Ada", "one 1.png"), ("Grace", "other 5.png")):
        photo = services.analyse(folder / file)
        services.enroll(name, [EnrolSample(photo.faces[0], photo.frame)])
    board.take_people()
    qtbot.waitUntil(lambda: board.board is not None and len(board.board.items) == 2, timeout=WAIT)
    assert board._words.full == "2 faces, 2 people"
    quiet(qtbot, bridge)
    assert board.people.isVisible()
    photo = services.analyse(folder / "other 7.png")
    services.enroll("Edith", [EnrolSample(photo.faces[0], photo.frame)])
    board.take_people()
    qtbot.waitUntil(lambda: board.board is not None and len(board.board.items) == 3, timeout=WAIT)
    quiet(qtbot, bridge)
    board.people.popup.popup(board.people.mapToGlobal(QPoint(0, 0)))
    assert [item.text() for item in board.people._items()] == ["Ada", "Edith", "Grace"]
    for item in board.people._items():
        if item.text() != "Ada":
            item.setCheckState(Qt.CheckState.Checked)
    board.people.popup.close()
    qtbot.waitUntil(lambda: board.board is not None and len(board.board.items) == 2, timeout=WAIT)
    assert board.board is not None
    assert {item.name for item in board.board.items} == {"Edith", "Grace"}
    assert board.people.accessibleName() == "Everybody: 2 people"
    board.take_photos(files)
    assert not board.people.isVisible()
    quiet(qtbot, bridge)
