"""Above the people: who else is in the photos, and what there is to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from facegui.gallery.clusters import ClusterRecord
from facegui.gui import theme
from facegui.gui.item_models import FaceRow
from facegui.gui.pages.people_drag import GROUP_MIME, DragGrid
from facegui.gui.pages.people_queue import Ask, ReviewQueue
from facegui.gui.pages.people_review_words import kind_words
from facegui.gui.pages.people_words import photos_text
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import button, column, label, line, row

__all__ = ["GroupTiles", "SuggestionStrip"]

_KINDS: Final = (Ask.WHO, Ask.MORE, Ask.MERGE, Ask.HIDDEN)


class GroupTiles(DragGrid):
    """One line of groups of faces, as many as fit; one dropped on another says that both are one person.

    Signals
    -------
    key(str, int)
        ``skip`` or ``hide`` is wanted of a group.
    """

    mime = GROUP_MIME
    takes = (GROUP_MIME,)
    key = Signal(str, int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(thumbnails, parent)
        self.setAccessibleName(self.tr("People in photos, not yet named"))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._groups: tuple[ClusterRecord, ...] = ()
        tile = self.row_rect(0).height()
        self.setFixedHeight(tile + 2 * self.frameWidth() + theme.size("half"))

    @property
    def ids(self) -> tuple[int, ...]:
        """The groups' ids."""
        return tuple(group.id for group in self._groups[: self.columns])

    def show_groups(self, groups: Sequence[ClusterRecord]) -> None:
        """Show the first of these; the chosen one stays chosen."""
        before = self.currentIndex().row()
        chosen = self._groups[before].id if 0 <= before < len(self._groups) else None
        self._groups = tuple(groups)
        now = next((place for place, number in enumerate(self.ids) if number == chosen), -1)
        self.replace_rows([self._row(group) for group in self._groups[: self.columns]], now)

    def _row(self, group: ClusterRecord) -> FaceRow:
        guess = self.tr("{0}?").format(group.name) if group.name else self.tr("Who is this?")
        return FaceRow(group.cover_face_id, photos_text(group.photos), detail=guess, tip=guess)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.count != len(self.ids):
            self.show_groups(self._groups)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        what = {Qt.Key.Key_S: "skip", Qt.Key.Key_H: "hide"}.get(Qt.Key(event.key()))
        place = self.currentIndex().row()
        if what is not None and 0 <= place < len(self.ids):
            self.key.emit(what, self.ids[place])
        else:
            super().keyPressEvent(event)


class SuggestionStrip(QWidget):
    """Chips for the kinds of questions, a line of unnamed groups; hidden while there is nothing to ask.

    Signals
    -------
    wanted(object, int)
        Questions of a kind (`Ask`) are to be asked, from this group on; -1 for any.
    addWanted, auditWanted
        Photos are to be read; the enrolled people are to be looked through.
    menuWanted(int, QPoint)
        The menu of a group.
    """

    wanted = Signal(object, int)
    addWanted = Signal()
    auditWanted = Signal()
    menuWanted = Signal(int, QPoint)

    def __init__(self, queue: ReviewQueue, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._read_only = False
        self.tiles = GroupTiles(thumbnails)
        self.tiles.opened.connect(lambda place: self.wanted.emit(Ask.WHO, self.tiles.ids[place]))
        self.tiles.menuRequested.connect(lambda place, where: self.menuWanted.emit(self.tiles.ids[place], where))
        self.chips = {ask: Chip() for ask in _KINDS}
        for ask, chip in self.chips.items():
            chip.clicked.connect(lambda _checked=False, ask=ask: self.wanted.emit(ask, -1))
        self._working = label(self.tr("Looking for people…"), "muted")
        self.audit = button(self.tr("Look through"), self.auditWanted.emit, role="quiet", icon="check")
        self.audit.setToolTip(
            self.tr("Find samples in the wrong place, doubled and weak ones, and people easily mixed up")
        )
        self.add = button(self.tr("Add photos…"), self.addWanted.emit, role="quiet", icon="folder")
        self.add.setToolTip(self.tr("See who is in a folder of photos"))
        self._line = line()
        layout = column(gap="half")
        layout.addLayout(row(*self.chips.values(), self._working, None, self.audit, self.add))
        layout.addWidget(self.tiles)
        layout.addWidget(self._line)
        self.setLayout(layout)
        queue.changed.connect(self._show)
        self._show()

    def set_people(self, count: int, *, read_only: bool) -> None:
        """There are so many people; a gallery for reading takes no photos."""
        self._read_only = read_only
        self.audit.setVisible(count > 0)
        self.add.setDisabled(read_only)
        self.tiles.setAcceptDrops(not read_only)

    def _show(self) -> None:
        queue = self._queue
        counts = {
            Ask.WHO: len(queue.open.unknown), Ask.MORE: len(queue.open.known), Ask.MERGE: len(queue.open.merges),
            Ask.HIDDEN: len(queue.open.hidden),
        }  # fmt: skip
        for ask, chip in self.chips.items():
            chip.setText(f"{kind_words(ask)}  {counts[ask]:,}")
            chip.setVisible(counts[ask] > 0)
        self._working.setVisible(queue.grouping)
        groups = queue.open.unknown
        self.tiles.setVisible(bool(groups))
        self._line.setVisible(bool(groups))
        self.tiles.show_groups(groups)
