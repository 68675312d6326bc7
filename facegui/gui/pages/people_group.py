"""The faces of one group, who they may be, and the field for their name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QWidget

from facegui.gallery.records import PersonRecord
from facegui.gui import images, theme
from facegui.gui.bridge import Bridge
from facegui.gui.item_models import FaceRow
from facegui.gui.keys import takes_escape
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.face_card import CropView
from facegui.gui.widgets.face_grid import FaceGrid
from facegui.gui.widgets.flow_layout import FlowLayout
from facegui.gui.widgets.parts import card, column, label, row
from facegui.gui.widgets.person_picker import PersonPicker
from facegui.matching.enrolment import WarningKind
from facegui.matching.wording import format_similarity
from facegui.services.review import Doubt, Likeness, likenesses
from facegui.sources.files import shown_name

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["FACES_SHOWN", "GroupView", "NameField", "face_rows"]

FACES_SHOWN: Final = 5000
"""Faces of one group that are listed at most: nobody looks through more."""


class NameField(PersonPicker):
    """Takes Esc before the panel does.

    Signals
    -------
    left
        Esc was pressed.
    """

    left = Signal()

    def event(self, event: QEvent) -> bool:
        """Take Esc before a shortcut of the panel does."""
        return takes_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    rows: list[FaceRow]
    likely: tuple[Likeness, ...]
    pictures: list[QImage | None]
    cover: QImage | None


def face_rows(services: Services, face_ids: Sequence[int]) -> list[FaceRow]:
    """Return the tiles of faces, in this order."""
    records = {record.face_id: record for record in services.gallery.faces(face_ids)}
    return [
        FaceRow(
            key, shown_name(records[key].path), detail=shown_name(Path(records[key].path).parent), tip=records[key].path
        )
        for key in face_ids
        if key in records
    ]


class GroupView(QWidget):
    """Faces as tiles, several to choose; beside them the person whom they may be.

    Signals
    -------
    chosenMoved
        `chosen` is another.
    faceMoved(object)
        Another face is looked at: its id, or None.
    opened(int)
        Double click: the photo of this face is wanted.
    likenessChosen(str)
        They are this person, one of those who look like them.
    nameTyped
        The name is another.
    loaded
        The faces of the group are shown.
    """

    chosenMoved = Signal()
    faceMoved = Signal(object)
    opened = Signal(int)
    likenessChosen = Signal(str)
    nameTyped = Signal()
    loaded = Signal()

    def __init__(
        self, services: Services, bridge: Bridge, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._faces: tuple[int, ...] = ()
        self._likely: tuple[Likeness, ...] = ()
        self._pictures: list[QImage | None] = []
        self.grid = FaceGrid(thumbnails, name=self.tr("Faces of this group"), multiple=True)
        self.grid.selectionMoved.connect(lambda _rows: self.chosenMoved.emit())
        self.grid.currentMoved.connect(
            lambda place: self.faceMoved.emit(self._faces[place]) if 0 <= place < len(self._faces) else None
        )
        self.grid.doubleClicked.connect(lambda index: self.opened.emit(self._faces[index.row()]))
        self.cover = CropView()
        self._owner = ElidedLabel(font=theme.font("emphasis", bold=True))
        self._owner.setFixedWidth(theme.size("crop"))
        self._beside = QWidget()
        self._beside.setLayout(column(self.cover, self._owner, None, gap="half"))
        self.name = NameField(self.tr("Name"))
        self.name.setMaximumWidth(theme.size("inspector"))
        self.name.setMinimumWidth(theme.size("tile"))
        self.name.textChanged.connect(lambda _text: self.nameTyped.emit())
        self.name.left.connect(self.focus_faces)
        self._like = QWidget()
        self._flow = FlowLayout(theme.size("half"), self._like)
        self._doubts = label("", wrap=True)
        self.doubt = card(self._doubts, role="warning-bar", margin="unit")
        self.doubt.hide()
        across = row(gap="unit")
        across.addWidget(self._beside)
        across.addSpacing(theme.size("unit"))
        across.addWidget(self.grid, 1)
        layout = column(gap="unit")
        layout.addLayout(across, 1)
        layout.addWidget(self.doubt)
        layout.addWidget(self._like)
        self.setLayout(layout)

    @property
    def faces(self) -> tuple[int, ...]:
        """The faces shown, the most typical first."""
        return self._faces

    @property
    def chosen(self) -> list[int]:
        """The faces chosen."""
        return [self._faces[place] for place in self.grid.selected_rows() if place < len(self._faces)]

    def choose_none(self) -> None:
        """Choose no face."""
        self.grid.clearSelection()

    def focus_faces(self) -> None:
        """Give the keys to the faces."""
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_people(self, people: Sequence[PersonRecord]) -> None:
        """Complete these names."""
        self.name.set_people([(person.id, person.name) for person in people])

    def clear(self) -> None:
        """Show no faces: those of the question before must not be taken for those of the next."""
        self._faces = ()
        self.grid.set_rows(())
        self._show_likely((), [])

    def show_faces(
        self, face_ids: Sequence[int], *, owner: PersonRecord | None = None, names: bool = True, keep: bool = False
    ) -> None:
        """Show faces.

        Parameters
        ----------
        owner : PersonRecord or None
            Whose they are said to be.
        names : bool
            Look for enrolled people whom they are like.
        keep : bool
            It is the same group as before: what was chosen and typed stays.
        """
        services = self._services
        wanted = tuple(face_ids[:FACES_SHOWN])
        if not keep:
            self.clear()
        self._beside.setVisible(owner is not None)
        if owner is not None:
            self._owner.show_text(owner.name)
            self.cover.set_image(None)

        def read() -> _Found:
            likely = likenesses(services, wanted) if names else ()
            covers = services.gallery.crops(self._covers(likely)) if likely else {}
            by_person = {person.id: person.cover_face_id for person in services.gallery.people()} if likely else {}
            pictures = [covers.get(by_person.get(one.person_id) or -1) for one in likely]
            cover = services.crop(owner.cover_face_id) if owner is not None and owner.cover_face_id else None
            return _Found(
                face_rows(services, wanted), likely,
                [images.to_qimage(one) if one is not None else None for one in pictures],
                images.to_qimage(cover) if cover is not None else None,
            )  # fmt: skip

        self._bridge.run(self, read, lambda found: self._take(found, keep=keep), newest="faces")

    def _covers(self, likely: Sequence[Likeness]) -> list[int]:
        wanted = {one.person_id for one in likely}
        people = self._services.gallery.people()
        return [one.cover_face_id for one in people if one.id in wanted and one.cover_face_id is not None]

    def _take(self, found: _Found, *, keep: bool) -> None:
        before = set(self.chosen)
        place = self.grid.currentIndex().row()
        self._faces = tuple(int(str(one.key)) for one in found.rows)
        self.cover.set_image(found.cover)
        if keep:
            stays = any(face in before for face in self._faces)
            self.grid.replace_rows(found.rows, min(place, len(found.rows) - 1) if stays else -1)
        else:
            self.grid.set_rows(found.rows)
        self._show_likely(found.likely, found.pictures)
        place = max(0, self.grid.currentIndex().row())
        self.faceMoved.emit(self._faces[place] if place < len(self._faces) else None)
        self.chosenMoved.emit()
        self.loaded.emit()

    def like(self, number: int) -> Likeness | None:
        """Return the person behind a number key."""
        return self._likely[number] if 0 <= number < len(self._likely) else None

    def _show_likely(self, likely: Sequence[Likeness], pictures: Sequence[QImage | None]) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._likely = tuple(likely)
        for number, (one, picture) in enumerate(zip(likely, pictures, strict=True), 1):
            chip = Chip(f"{number}  {one.name} {format_similarity(one.similarity)}", "face")
            if picture is not None:
                chip.set_picture(picture)
            said = self.tr("This is {0}, similarity {1}. Key {2}.")
            chip.setToolTip(said.format(one.name, format_similarity(one.similarity), number))
            chip.setAccessibleName(chip.toolTip())
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            chip.clicked.connect(lambda _checked=False, name=one.name: self.likenessChosen.emit(name))
            self._flow.addWidget(chip)
        self._like.setVisible(bool(likely))
        self._like.updateGeometry()

    def show_doubts(self, doubts: Sequence[Doubt], name: str, *, weak: bool = False) -> None:
        """Say why the faces may be somebody else, or that no sample of theirs is good; nothing takes it away."""
        lines = []
        for doubt in doubts:
            score = format_similarity(doubt.similarity)
            if doubt.kind is WarningKind.LOOKS_LIKE_ANOTHER:
                lines.append(self.tr("They look like {0} ({1}), who is enrolled.").format(doubt.name, score))
            else:
                lines.append(self.tr("They do not look like the samples of {0} ({1}).").format(doubt.name, score))
        if weak:
            lines.append(self.tr("All of them are of poor quality: {0} would be hard to recognise.").format(name))
        if lines:
            lines.append(self.tr("Press Enter once more if this is {0} all the same.").format(name))
        self._doubts.setText(" ".join(lines))
        self.doubt.setVisible(bool(lines))
