"""Filters, the line about the folders, and the grid of faces, which keeps its place while results arrive."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from facegui.gui import theme
from facegui.gui.face_records import FaceRecords
from facegui.gui.pages.lookalikes_filters import FilterBar
from facegui.gui.pages.lookalikes_rows import HitRows, Part, held_back
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.face_grid import FaceGrid
from facegui.gui.widgets.parts import button, column, label
from facegui.gui.widgets.written_link import WrittenLink
from facegui.lookalikes.filters import Sieve
from facegui.lookalikes.ranking import Ranking
from facegui.matching.calibration import Calibration

__all__ = ["ResultsView"]


class ResultsView(QWidget):
    """Shows a ranking. A newer one replaces it without moving what is under the pointer or looked at.

    Signals
    -------
    currentMoved(int)
        Row of the chosen face; -1 for none.
    opened(int)
        A face was opened: its photo is wanted.
    thresholdMoved
        The user moved the threshold: `filters.threshold.rule` is another one now.
    skippedWanted, resumeWanted, mendWanted, exportWanted, action
        The links of the line above the grid, and the button of the empty state.
    """

    currentMoved = Signal(int)
    opened = Signal(int)
    thresholdMoved = Signal()
    skippedWanted = Signal()
    resumeWanted = Signal()
    mendWanted = Signal()
    exportWanted = Signal()
    action = Signal()

    def __init__(self, thumbnails: Thumbnails, records: FaceRecords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._records = records
        self._sieve: Sieve | None = None
        self._rows = HitRows(np.empty(0, np.int64), np.empty(0, np.float32), records)
        self._follow = True
        self._pending = 0
        # Runs while the pointer is in use over the grid: no tile moves under it then.
        self._rest = QTimer(self, singleShot=True, interval=theme.time("rest"))
        self._rest.timeout.connect(self.release)
        self.filters = FilterBar()
        self.filters.changed.connect(lambda: self._arrange(hold=False))
        self.filters.thresholdMoved.connect(self._move_line)
        self._words = label("", "muted")
        self._words.setAccessibleName(self.tr("Folders"))
        self._fresh = button("", self.release, role="link")
        self._skipped = button("", self.skippedWanted.emit, role="link")
        self._resume = button(self.tr("Go on"), self.resumeWanted.emit, role="link")
        info = QHBoxLayout()
        self._warning = ElidedLabel("warning")
        self._mend = button("", self.mendWanted.emit, role="link")
        for item in (self._words, self._skipped, self._resume):
            info.addWidget(item)
        info.addSpacing(theme.size("unit"))
        info.addWidget(self._warning, 1)
        info.addWidget(self._mend)
        info.addStretch(0)
        info.addWidget(self._fresh)
        info.addWidget(self.filters.clear_link)
        self.written = WrittenLink()
        info.addWidget(self.written)
        self.export = button(self.tr("Export"), self.exportWanted.emit, role="link", icon="export")
        self.export.setToolTip(self.tr("Write the faces shown into a table or a contact sheet (Ctrl+E)"))
        info.addWidget(self.export)
        self.grid = FaceGrid(thumbnails, name=self.tr("Faces by similarity"))
        self.grid.currentMoved.connect(self._moved)
        self.grid.opened.connect(self.opened)
        self.grid.viewport().installEventFilter(self)
        records.loaded.connect(self.grid.viewport().update)
        self._empty = EmptyState()
        self._filtered_out = False
        self._empty.activated.connect(self._act)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.grid)
        self._stack.addWidget(self._empty)
        layout = column(gap="half")
        layout.addWidget(self.filters)
        layout.addLayout(info)
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)
        self.show_words("")
        self.show_warning("")
        self._show_pending()

    @property
    def rows(self) -> HitRows:
        """What the grid shows."""
        return self._rows

    @property
    def sieve(self) -> Sieve | None:
        """The newest ranking with what it is filtered by."""
        return self._sieve

    @property
    def shown(self) -> Ranking | None:
        """The faces that pass the filters, those that still wait above the pointer included."""
        return self.filters.view.of(self._sieve) if self._sieve is not None else None

    @property
    def pending(self) -> int:
        """Faces that wait above what is under the pointer."""
        return self._pending

    @property
    def words(self) -> str:
        """The line about the folders."""
        return self._words.text()

    def show_words(self, text: str, skipped: int = 0, *, resumable: bool = False) -> None:
        """Write the line about the folders, with a link to the files skipped and one that goes on reading."""
        self._words.setText(text)
        self._skipped.setVisible(skipped > 0)
        self._skipped.setText(
            self.tr("1 file skipped") if skipped == 1 else self.tr("{0} files skipped").format(f"{skipped:,}")
        )
        self._resume.setVisible(resumable)

    def show_warning(self, text: str, tip: str = "", mend: str = "", *, warns: bool = True) -> None:
        """Say what is to be known of the probe, such as why the order is less sure, with a link that mends it."""
        theme.set_role(self._warning, "warning" if warns else "muted")
        self._warning.show_text(text, tip)
        self._warning.setVisible(bool(text))
        self._mend.setText(mend)
        self._mend.setVisible(bool(mend))

    def show_empty(self, drawing: str, title: str, text: str, action: str = "", role: str = "accent") -> None:
        """Show words in place of the grid."""
        self._filtered_out = False
        self._empty.show_state(drawing, title, text, action, role)
        self._stack.setCurrentWidget(self._empty)
        self.filters.setVisible(self._sieve is not None)

    def set_calibration(self, calibration: Calibration | None, target_fmr: float) -> None:
        """Draw the line at the threshold of a false match rate."""
        self.filters.set_calibration(calibration, target_fmr)
        self._arrange(hold=False)

    def set_sieve(self, sieve: Sieve, *, anew: bool) -> None:
        """Show a ranking: another question's (`anew`) from the top, a newer one of the same in place."""
        self._sieve = sieve
        self.filters.set_sieve(sieve)
        if anew:
            self._follow = True
            self._show_nothing()
        self._arrange(hold=True)

    def clear(self) -> None:
        """Show no ranking."""
        self._sieve = None
        self.export.hide()
        self._show_nothing()
        self.filters.set_counts(0, 0, 0, known=0)

    def _show_nothing(self) -> None:
        self._rows = HitRows(np.empty(0, np.int64), np.empty(0, np.float32), self._records)
        self.grid.set_rows(self._rows)

    def release(self) -> None:
        """Show the faces that waited."""
        if self._pending:
            self._arrange(hold=False)

    def step(self, by: int) -> None:
        """Choose a neighbour of the chosen face."""
        wanted = self.grid.currentIndex().row() + by
        if 0 <= wanted < len(self._rows):
            self._follow = False
            self.grid.select_row(wanted)

    def _move_line(self) -> None:
        self._arrange(hold=False)
        self.thresholdMoved.emit()

    def _arrange(self, *, hold: bool) -> None:
        sieve = self._sieve
        if sieve is None:
            return
        view = self.filters.view
        found = {part: view.of(sieve, part) for part in (Part if view.threshold is not None else (Part.ALL,))}
        everything, same = len(found[Part.ALL]), len(found.get(Part.SAME, ()))
        lookalikes = len(found.get(Part.LOOKALIKES, ()))
        below = lookalikes if view.part is Part.LOOKALIKES else everything - same
        self.filters.set_counts(everything, same, below, known=everything - same - lookalikes)
        self.filters.show()
        ranking = found[view.part]
        face_ids, similarities = ranking.face_ids, ranking.similarities
        seen = self.grid.rows_in(self.grid.viewport().rect()) if len(self._rows) else []
        self._pending = 0
        if hold and seen and self._pointer_in_use():
            wait = held_back(self._rows, seen[-1], face_ids, similarities)
            self._pending = int(wait.sum())
            face_ids, similarities = face_ids[~wait], similarities[~wait]
        rows = HitRows(face_ids, similarities, self._records)
        current = self.grid.currentIndex().row()
        moved_to = rows.find(int(self._rows.face_ids[current])) if 0 <= current < len(self._rows) else -1
        anchor = None
        if seen and self.grid.verticalOffset():
            anchor = seen[0], rows.find(int(self._rows.face_ids[seen[0]]))
        elif self._follow:
            anchor = 0, -1  # the top stays the top, however many come above the chosen face
        self._rows = rows
        self.grid.set_threshold(view.threshold)
        self.grid.replace_rows(rows, moved_to, anchor)
        self._say_line(same, below)
        self.export.setVisible(len(ranking) > 0)
        self._show_pending()
        if len(rows):
            self._stack.setCurrentWidget(self.grid)
            top = self._follow and not self._pending and not self.grid.verticalOffset()
            if top or moved_to < 0:
                self.grid.select_row(0)
                self._follow = True
        else:
            self._say_filtered_out(view.part)

    def _say_filtered_out(self, part: Part) -> None:
        """Say in the grid's place which filter leaves nothing."""
        self._filtered_out = self.filters.active
        if self._filtered_out:
            words = self.tr("No face passes the filters"), self.tr("Change some of them."), self.tr("Clear filters")
        elif part is Part.SAME:
            words = self.tr("Nobody reaches the threshold"), self.tr("Show all: the most similar come first."), ""
        else:
            words = self.tr("Nobody is below the threshold"), self.tr("All faces are probably the same person's."), ""
        self._empty.show_state("filter", *words)
        self._stack.setCurrentWidget(self._empty)

    def _act(self) -> None:
        if self._filtered_out:
            self.filters.clear()
        else:
            self.action.emit()

    def _say_line(self, same: int, others: int) -> None:
        self.grid.set_band_words(
            self.tr("above: probably the same person, {0}").format(f"{same:,}"),
            self.tr("below: lookalikes, {0}").format(f"{others:,}"),
        )

    def _show_pending(self) -> None:
        self._fresh.setVisible(self._pending > 0)
        self._fresh.setText(
            self.tr("1 more similar face: show it") if self._pending == 1
            else self.tr("{0} more similar faces: show them").format(f"{self._pending:,}")
        )  # fmt: skip

    def _moved(self, index: int) -> None:
        if index > 0 or self.grid.hasFocus():
            self._follow = False
        known = 0 <= index < len(self._rows)
        self.filters.threshold.show_similarity(float(self._rows.similarities[index]) if known else None)
        self.currentMoved.emit(index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel):
            self._rest.start()
        elif event.type() == QEvent.Type.Leave:
            self._rest.stop()
            self.release()
        return super().eventFilter(watched, event)

    def _pointer_in_use(self) -> bool:
        """Tell whether the pointer was moved over the grid a moment ago."""
        return self._rest.isActive() and self.grid.viewport().underMouse()

    def focus_grid(self) -> None:
        """Give the keys to the grid."""
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)
