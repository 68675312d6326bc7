"""Two groups side by side, which may be one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from facegui.gallery.clusters import ClusterRecord
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.item_models import FaceRow
from facegui.gui.pages.people_group import FACES_SHOWN, face_rows
from facegui.gui.pages.people_words import photos_text
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.decision_badge import DecisionBadge
from facegui.gui.widgets.face_grid import FaceGrid
from facegui.gui.widgets.parts import column, label, line, row
from facegui.gui.widgets.score_scale import ScoreScale
from facegui.matching.decision import decide
from facegui.matching.wording import format_similarity

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["PairView"]


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    rows: list[FaceRow]
    faces: list[int]


class PairView(QWidget):
    """Both groups with all their faces, and their average similarity on the scale.

    Signals
    -------
    opened(int)
        Double click: the photo of this face is wanted.
    faceMoved(object)
        Another face is looked at: its id, or None.
    """

    opened = Signal(int)
    faceMoved = Signal(object)

    def __init__(
        self, services: Services, bridge: Bridge, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._sides: tuple[_Side, ...] = ()
        self.titles = (label("", "emphasis"), label("", "emphasis"))
        self.grids = tuple(FaceGrid(thumbnails, name=self.tr("Faces of one group")) for _ in range(2))
        across = row(gap="unit")
        for place, (title, grid) in enumerate(zip(self.titles, self.grids, strict=True)):
            grid.currentMoved.connect(lambda row, place=place: self._look(place, row))
            grid.doubleClicked.connect(lambda index, place=place: self._open(place, index.row()))
            side = column(title, gap="half")
            side.addWidget(grid, 1)
            across.addLayout(side, 1)
        self._score = label("", "score")
        self._score.setFont(theme.font("score", bold=True, tabular=True))
        self._badge = DecisionBadge(kind="emphasis")
        self.scale = ScoreScale(compact=True)
        self._words = label("", "muted", wrap=True)
        verdict = column(self.scale, self._words, gap="half")
        below = row(self._score, self._badge, gap="unit")
        below.addSpacing(theme.size("unit"))
        below.addLayout(verdict, 1)
        layout = column(gap="unit")
        layout.addLayout(across, 1)
        layout.addWidget(line())
        layout.addLayout(below)
        self.setLayout(layout)

    def show_pair(self, one: ClusterRecord, other: ClusterRecord, similarity: float) -> None:
        """Show two groups."""
        services = self._services
        for title, record in zip(self.titles, (one, other), strict=True):
            who = record.person or (f"{record.name}?" if record.name else self.tr("Somebody unknown"))
            title.setText(f"{who} · {photos_text(record.photos)}")
        for grid in self.grids:
            grid.set_rows(())
        rule = services.rule()
        self.scale.set_calibration(services.calibration, services.settings.target_fmr)
        self.scale.set_similarity(similarity)
        self._score.setText(format_similarity(similarity))
        self._badge.set_outcome(decide(similarity, rule) if rule is not None else None)
        self._words.setText(
            self.tr(
                "Average over all pairs of faces. One person in other light, turned away or at another age may well "
                "score below the threshold for single pairs."
            )
        )

        def read() -> tuple[_Side, ...]:
            sides = []
            for record in (one, other):
                faces = services.gallery.cluster_faces(record.id)[:FACES_SHOWN]
                rows = face_rows(services, faces)
                sides.append(_Side(rows, [int(str(row.key)) for row in rows]))
            return tuple(sides)

        self._bridge.run(self, read, self._take, newest="pair")

    def focus_faces(self) -> None:
        """Give the keys to the faces at the left."""
        self.grids[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def _take(self, sides: Sequence[_Side]) -> None:
        self._sides = tuple(sides)
        for grid, side in zip(self.grids, sides, strict=True):
            grid.set_rows(side.rows)
        # The smaller group is the one in doubt.
        smaller = min(sides, key=lambda side: len(side.faces))
        self.faceMoved.emit(smaller.faces[0] if smaller.faces else None)

    def _look(self, place: int, row: int) -> None:
        faces = self._sides[place].faces if self._sides else []
        if 0 <= row < len(faces):
            self.faceMoved.emit(faces[row])

    def _open(self, place: int, index: int) -> None:
        self.opened.emit(self._sides[place].faces[index])
