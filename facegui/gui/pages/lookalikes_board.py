"""Who looks like whom: some faces compared all with all, as a table, a heat map and a map, in place of the grid."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QMenu, QStackedWidget, QWidget

from facegui.errors import KnownError
from facegui.faces.types import Image
from facegui.gallery.records import PersonRecord
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.thumbnails import face_thumbnails
from facegui.gui.widgets.board_plots import HeatMap, PlaceMap
from facegui.gui.widgets.board_table import BoardTable
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.decision_badge import DecisionBadge
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.face_card import CropView
from facegui.gui.widgets.filter_chips import ChoiceChip
from facegui.gui.widgets.parts import button, column, label, row
from facegui.gui.widgets.people_chip import PeopleChip
from facegui.gui.widgets.titled_panel import TitledPanel
from facegui.gui.widgets.written_link import WrittenLink
from facegui.jobs import Job
from facegui.lookalikes.board import Board
from facegui.lookalikes.board_files import colours_of, write_board
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_similarity
from facegui.services.boards import MOST, board_of_faces, board_of_folder, board_of_people, board_of_photos

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["BoardPanel"]

_NEAREST = (3, 5, 8, 12)
Made = tuple[Board, Mapping[int, Image]]


def _alone(job: Job[Board]) -> Job[Made]:
    """Return the job with no faces of its own: those of the gallery are shown."""
    return (yield from job), {}


class BoardPanel(TitledPanel):
    """Chooses what is compared, shows the board in three ways, and writes it into a file.

    Signals
    -------
    failed(object)
        The exception.
    """

    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Who looks like whom"), parent=parent)
        self._services, self._bridge = services, bridge
        self._crops: Mapping[int, Image] = {}
        self._shown: tuple[int, ...] = ()
        self._folders: tuple[Path, ...] = ()
        self._root: Path | None = None
        self._make: Callable[[], Job[Made]] | None = None
        self._rule: Rule | None = None
        self.board: Board | None = None
        self._thumbnails = face_thumbnails(services, bridge, self, self._own)
        self.source = Chip(self.tr("Choose faces"), "faces")
        self._menu = QMenu(self.source)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.source.setMenu(self._menu)
        self.nearest = ChoiceChip(
            self.tr("Rows"), [(count, self.tr("{0} most similar").format(count)) for count in _NEAREST]
        )
        kinds = [("tsne", "t-SNE"), ("pca", "PCA")]
        if importlib.util.find_spec("umap") is not None:
            kinds.append(("umap", "UMAP"))
        self.kind = ChoiceChip(self.tr("Map"), kinds)
        for chip in (self.nearest, self.kind):
            chip.changed.connect(self.remake)
        self.table = BoardTable(self._thumbnails)
        self.heat = HeatMap()
        self.map = PlaceMap(self._thumbnails)
        self.views = QStackedWidget()
        group = QButtonGroup(self)
        self.tabs = []
        for words, view in (
            (self.tr("Table"), self.table), (self.tr("Heat map"), self.heat), (self.tr("Map"), self.map),
        ):  # fmt: skip
            self.views.addWidget(view)
            tab = Chip(words, checkable=True)
            tab.clicked.connect(lambda _checked=False, view=view: self.views.setCurrentWidget(view))
            group.addButton(tab)
            self.tabs.append(tab)
        self.tabs[0].setChecked(True)
        self._export = button(self.tr("Export"), self.ask, role="link", icon="export")
        self._export.setToolTip(self.tr("Write the board into a web page, a picture or a table"))
        self._words = ElidedLabel("muted")
        self._empty = EmptyState(
            "faces", self.tr("Who looks like whom?"),
            self.tr("Choose photos, a folder or the enrolled people. All faces are compared with each other."),
        )  # fmt: skip
        self._content = QWidget()
        across = row(gap="unit")
        across.addWidget(self.views, 1)
        across.addWidget(self._make_aside())
        self._content.setLayout(across)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._content)
        self.people = PeopleChip()
        self.people.changed.connect(self.remake)
        self.people.hide()
        line = row(self.source, self.people, *self.tabs, self.nearest, self.kind, gap="unit")
        line.addWidget(self._words, 1)
        self.written = WrittenLink()
        self.head.addWidget(self.written)
        self.head.addWidget(self._export)
        self.body.addLayout(line)
        self.body.addWidget(self._stack, 1)
        self.table.pairChosen.connect(self._show_pair)
        self.heat.pairChosen.connect(self._show_pair)
        self.map.chosen.connect(self._show_nearest)
        self._show_board(None)

    def _make_aside(self) -> QWidget:
        self._sides = []
        layout = column(gap="half")
        for _ in range(2):
            crop, name, who = CropView(), ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle), ElidedLabel("small")
            self._sides.append((crop, name, who))
            for item in (crop, name, who):
                layout.addWidget(item)
            layout.addSpacing(theme.size("unit"))
        self._score = label("", "score")
        self._score.setFont(theme.font("score", bold=True, tabular=True))
        self._badge = DecisionBadge(kind="emphasis")
        layout.insertWidget(layout.count() - 5, self._score)
        layout.insertWidget(layout.count() - 5, self._badge)
        layout.addStretch(1)
        aside = QWidget()
        aside.setLayout(layout)
        aside.setFixedWidth(theme.size("tile") + 2 * theme.size("unit"))
        return aside

    def offer(self, shown: Sequence[int], folders: Sequence[Path], rule: Rule | None, root: Path | None = None) -> None:
        """Say what may be compared: the faces shown in the grid and the folders searched; and by which rule.

        Where nobody knows who the faces shown are, the folders right below `root` stand for people.
        """
        self._shown, self._folders, self._rule, self._root = tuple(shown[:MOST]), tuple(folders), rule, root
        if self.board is None and self._shown:
            self._take(self._words_shown(), self._of_shown())
        elif self.board is not None:
            self._show_board(self.board)

    def remake(self) -> None:
        """Make the board anew, with another number of neighbours or another map."""
        if self._make is not None:
            self._bridge.start(
                self, self._make(), on_done=self._made, on_error=self._not_made, newest="board",
                title=self.tr("Comparing faces"),
            )  # fmt: skip

    # --- what is compared ---------------------------------------------------------------------------------

    def _fill_menu(self) -> None:
        self._menu.clear()
        entries: list[tuple[str, str, Callable[[], object]]] = []
        if self._shown:
            words = self._words_shown()
            entries.append(("lookalikes", words, lambda: self._take(words, self._of_shown())))
        entries.append(("people", self.tr("Enrolled people"), self.take_people))
        entries += [
            ("folder", str(folder), lambda folder=folder: self._take(folder.name or str(folder), self._of(folder)))  # type: ignore[misc]
            for folder in self._folders
        ]
        entries.append(("photo", self.tr("Photos…"), self._ask_photos))
        for icon, words, act in entries:
            action = QAction(words, self._menu)
            theme.set_icon(action, icon)
            action.triggered.connect(lambda _checked=False, act=act: act())
            self._menu.addAction(action)

    def _words_shown(self) -> str:
        count = len(self._shown)
        return self.tr("The first {0} faces shown").format(count) if count == MOST else self.tr(
            "The {0} faces shown").format(count)  # fmt: skip

    def _options(self) -> dict[str, object]:
        return {"top": self.nearest.value, "map_kind": self.kind.value}

    def _of_shown(self) -> Callable[[], Job[Made]]:
        faces, root = self._shown, self._root
        return lambda: _alone(board_of_faces(self._services, faces, root=root, **self._options()))  # type: ignore[arg-type]

    def _of(self, folder: Path) -> Callable[[], Job[Made]]:
        return lambda: _alone(board_of_folder(self._services, folder, **self._options()))  # type: ignore[arg-type]

    def _ask_photos(self) -> None:
        dialog = QFileDialog(self, self.tr("Photos to compare"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.take_photos([Path(name) for name in names]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def take_photos(self, paths: Sequence[Path]) -> None:
        """Compare the largest faces of these files."""
        words = self.tr("{0} photos").format(len(paths))
        self._take(words, lambda: board_of_photos(self._services, paths, **self._options()))  # type: ignore[arg-type]

    def take_people(self) -> None:
        """Compare the enrolled people, or those of them who are chosen then."""
        services, chip = self._services, self.people

        def make() -> Job[Made]:
            return _alone(board_of_people(services, chip.value, **self._options()))  # type: ignore[arg-type]

        def known(people: list[PersonRecord]) -> None:
            chip.set_people([(person.id, person.name) for person in people])

        self._bridge.run(self, lambda: services.gallery.people(), known, newest="people")
        self._take(self.tr("Enrolled people"), make)
        chip.show()

    def _take(self, words: str, make: Callable[[], Job[Made]]) -> None:
        self.source.setText(self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, theme.size("inspector")))
        self._make = make
        self.people.hide()
        self.remake()

    # --- what is shown ------------------------------------------------------------------------------------

    def _made(self, made: Made) -> None:
        board, self._crops = made
        self._thumbnails.clear()
        self._show_board(board)

    def _not_made(self, error: Exception) -> None:
        self._show_board(None)
        if isinstance(error, KnownError):
            self._empty.show_state("warning", error.what, " ".join(part for part in (error.why, error.do) if part))
        else:
            self.failed.emit(error)

    def _show_board(self, board: Board | None) -> None:
        self.board = board
        shown = board is not None
        self._stack.setCurrentWidget(self._content if shown else self._empty)
        for item in (*self.tabs, self.nearest, self.kind, self._export):
            item.setVisible(shown)
        colours = colours_of(board) if board is not None else {}
        self.table.show_board(board, self._rule)
        self.heat.show_board(board)
        self.map.show_board(board, colours)
        if board is None:
            self._words.show_text("")
            return
        people = len({item.person for item in board.items} - {""})
        words = self.tr("{0} faces").format(f"{len(board.items):,}")
        if people:
            words += self.tr(", {0} people").format(f"{people:,}")
        self._words.show_text(words)
        best = max(range(len(board.items)), key=lambda place: board.nearest[place][0].similarity)
        self._show_nearest(best)

    def _own(self, key: object) -> Image | None:
        """Return the crop of a face that is not in the gallery; called in a worker thread."""
        return self._crops.get(key) if isinstance(key, int) else None

    def _crop(self, key: int) -> Image | None:
        own = self._own(key)
        return own if own is not None else self._services.crop(key)

    def _show_nearest(self, place: int) -> None:
        if self.board is not None:
            self._show_pair(place, self.board.nearest[place][0].row)

    def _show_pair(self, one: int, other: int) -> None:
        board = self.board
        if board is None:
            return
        for (crop, name, who), place in zip(self._sides, (one, other), strict=True):
            item = board.items[place]
            name.show_text(item.name, item.path)
            who.show_text(item.person if item.person != item.name else "")
            self._bridge.run(crop, lambda key=item.face_id: self._crop(key), crop.set_image, newest="picture")  # type: ignore[misc]
        similarity = float(board.similarities[one, other])
        self._score.setText(format_similarity(similarity))
        self._badge.set_outcome(decide(similarity, self._rule) if self._rule is not None and one != other else None)

    # --- into a file --------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Show the dialog that chooses the file; its suffix says what is written."""
        dialog = QFileDialog(self, self.tr("Export the board"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        kinds = {
            ".html": self.tr("Web page ({0})"), ".png": self.tr("Picture ({0})"), ".csv": self.tr("Tables ({0})"),
        }  # fmt: skip
        dialog.setNameFilters([words.format(f"*{suffix}") for suffix, words in kinds.items()])
        dialog.setDefaultSuffix(".html")
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix(next(suffix for suffix in kinds if f"*{suffix}" in chosen))
        )
        dialog.selectFile(self.heading.full)
        dialog.fileSelected.connect(lambda name: self.write(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def write(self, file: Path) -> None:
        """Write the board into a file."""
        board, own, services = self.board, self._crops, self._services
        title, rule = f"{self.heading.full}: {self.source.text()}", self._rule
        if board is None:
            return

        def work() -> Path:
            stored = services.gallery.crops([item.face_id for item in board.items if item.face_id not in own])
            write_board(board, {**stored, **own}, rule, file, title)
            return file

        self._bridge.run(
            self, work, self.written.show_file, self.failed.emit, title=self.tr("Writing {0}").format(file.name)
        )
