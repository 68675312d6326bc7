"""Photos as the source of samples: a view of one, a list of all, one face chosen from each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from facegui.faces.types import Photo
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.enroll_parts import FaceDetails, PhotoList, line_of
from facegui.gui.pages.enroll_reading import PhotoReader, Pictures, Reading, Sample, Wanted, load_picture
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import button, column, row, tool_button
from facegui.gui.widgets.photo_marks import marks_of
from facegui.gui.widgets.photo_view import PhotoView

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["PhotoPane"]


@dataclass(slots=True, eq=False)
class _Entry:
    """A photo of the list; `chosen` is the number of its face that is a sample, -1 for none."""

    wanted: Wanted
    reading: Reading | None = None
    chosen: int = -1


class PhotoPane(QWidget):
    """Reads photos in the background. The largest face of each is chosen; a click chooses another.

    Signals
    -------
    chosen(Sample)
        A face is a sample now, in place of another face of the same photo.
    left_out(int)
        The photo of that number gives no sample any more.
    looked_at(object)
        The photo and face shown: a pair of `Reading` and number of the face, or None.
    cleared(object)
        The user removed all photos; the callable brings them back.
    wanted
        The user wants to choose files.
    """

    chosen = Signal(object)
    left_out = Signal(int)
    looked_at = Signal(object)
    cleared = Signal(object)
    wanted = Signal()

    def __init__(self, services: Services, bridge: Bridge, numbers: Callable[[], int]) -> None:
        super().__init__()
        self._services, self._bridge = services, bridge
        self.reader = PhotoReader(services, bridge, numbers, self)
        self.reader.expected.connect(self._expect)
        self.reader.arrived.connect(self._arrived)
        self.reader.given_up.connect(self._forget)
        self._entries: dict[int, _Entry] = {}
        self._pictures = Pictures()
        self._shown: int | None = None
        self._by_hand = False
        self.view = PhotoView()
        self.view.faceSelected.connect(self._face_clicked)
        self.view.action.connect(self.wanted)
        self.use = Chip(self.tr("Use this face"), "check", checkable=True)
        self.use.clicked.connect(self._use_clicked)
        self.details = FaceDetails(self.use)
        self.list = PhotoList()
        self.list.chosen.connect(self._line_chosen)
        self._foot = QWidget()
        foot = row(self.details, self.list)
        foot.setStretch(0, 6)
        foot.setStretch(1, 4)
        self._foot.setLayout(foot)
        self._foot.setFixedHeight(self.details.crop.sizeHint().height() + 2 * theme.size("unit"))
        layout = column(self.view, self._foot)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        more = button(self.tr("Choose photos"), self.wanted.emit, icon="open", tip=self.tr("Choose photos (Ctrl+O)"))
        self._clear = tool_button("trash", self.tr("Clear the photos"), self._clear_by_hand)
        self._buttons = (self._clear, more)
        self.tools = QWidget()
        self.tools.setLayout(row(None, *self._buttons))
        self._show_empty()

    # --- photos in ----------------------------------------------------------------------------------------

    @property
    def reading(self) -> bool:
        """Tell whether photos are being read."""
        return self.reader.busy

    def _expect(self, wanted: Sequence[Wanted]) -> None:
        for item in wanted:
            self._entries[item.number] = _Entry(item)
            self._put_line(item.number)
        self._by_hand = self._by_hand and self._shown is not None
        self._show_foot()

    def _forget(self, wanted: Sequence[Wanted]) -> None:
        """Remove the photos that were not read."""
        for item in wanted:
            entry = self._entries.get(item.number)
            if entry is not None and entry.reading is None:
                del self._entries[item.number]
        self._rebuild_list()

    def _arrived(self, reading: Reading) -> None:
        number = reading.wanted.number
        entry = self._entries.get(number)
        if entry is None:  # cleared in the meantime
            return
        entry.reading = reading
        if reading.image is not None:
            self._pictures.keep(number, reading.image)
            entry.reading = replace(reading, image=None)
        if reading.faces:
            self._choose(entry, 0)
        self._put_line(number)
        shown = self._entries.get(self._shown) if self._shown is not None else None
        nothing_good = shown is None or shown.reading is None or bool(shown.reading.problem)
        if (nothing_good and not self._by_hand and (shown is None or not reading.problem)) or number == self._shown:
            self.show_photo(number)

    def _clear_by_hand(self) -> None:
        entries = {number: entry for number, entry in self._entries.items() if entry.reading is not None}
        self.clear()
        self.cleared.emit(lambda: self._restore(entries))

    def _restore(self, entries: dict[int, _Entry]) -> None:
        self._entries = {**entries, **self._entries}
        for entry in entries.values():
            if entry.chosen >= 0:
                self._choose(entry, entry.chosen)
        self._rebuild_list()
        self._show_foot()
        if entries and self._shown is None:
            self.show_photo(next(iter(entries)))

    def clear(self) -> None:
        """Forget all photos."""
        self.reader.cancel()
        numbers = [number for number, entry in self._entries.items() if entry.chosen >= 0]
        self._entries.clear()
        self._pictures.clear()
        self.list.clear()
        self._shown, self._by_hand = None, False
        self._show_empty()
        for number in numbers:
            self.left_out.emit(number)

    # --- choosing faces -----------------------------------------------------------------------------------

    def _choose(self, entry: _Entry, face: int) -> None:
        assert entry.reading is not None
        assert entry.reading.frame is not None
        entry.chosen = face
        self.chosen.emit(
            Sample(entry.wanted.number, entry.wanted.title, entry.reading.faces[face], entry.reading.frame)
        )

    def leave_out(self, number: int) -> None:
        """Take a photo's face out of the samples; the photo stays in the list."""
        entry = self._entries.get(number)
        if entry is None or entry.chosen < 0:
            return
        entry.chosen = -1
        self._put_line(number)
        if number == self._shown:
            self._show_faces(entry)

    def _face_clicked(self, face: int) -> None:
        entry = self._current()
        if entry is not None:
            self._choose(entry, face)
            self._put_line(entry.wanted.number)
            self._show_faces(entry, face)

    def _use_clicked(self, checked: bool) -> None:
        entry = self._current()
        if entry is None:
            return
        if checked:
            self._face_clicked(max(0, self.view.selected))
        else:
            self.leave_out(entry.wanted.number)
            self.left_out.emit(entry.wanted.number)

    def _current(self) -> _Entry | None:
        entry = self._entries.get(self._shown) if self._shown is not None else None
        return entry if entry is not None and entry.reading is not None and entry.reading.faces else None

    # --- showing ------------------------------------------------------------------------------------------

    def _line_chosen(self, number: int) -> None:
        self._by_hand = True
        self.show_photo(number)

    def show_photo(self, number: int) -> None:
        """Show a photo of the list."""
        entry = self._entries.get(number)
        if entry is None:
            return
        self._shown = number
        self.list.select(number)
        reading = entry.reading
        if reading is None:
            self.view.set_empty("photo", entry.wanted.title, self.tr("This photo is being read."))
        elif reading.frame is None:
            words = f"{reading.problem} {reading.advice}".strip()
            self.view.set_empty("warning", entry.wanted.title, words, self.tr("Choose other photos"))
        elif (kept := self._pictures.get(number)) is not None:
            self._show_picture(entry, kept)
        else:
            wanted = entry.wanted
            self._bridge.run(
                self, lambda: load_picture(self._services, wanted), lambda image: self._loaded(number, image),
                newest="picture",
            )  # fmt: skip
        self._show_faces(entry)

    def look_again(self) -> None:
        """Say once more what is shown."""
        if self._shown is not None:
            self.show_photo(self._shown)

    def _loaded(self, number: int, image: QImage) -> None:
        self._pictures.keep(number, image)
        entry = self._entries.get(number)
        if entry is not None and number == self._shown:
            self._show_picture(entry, image)
            self._show_faces(entry)

    def _show_picture(self, entry: _Entry, image: QImage) -> None:
        reading = entry.reading
        assert reading is not None
        assert reading.frame is not None
        self._pictures.keep(entry.wanted.number, image)
        self.view.set_image(image, (reading.frame.width, reading.frame.height))
        advice = self.tr("No face found. Try a photo where the face is larger or turned to the camera.")
        self.view.set_caption("" if reading.faces else advice)

    def _show_faces(self, entry: _Entry, face: int = -1) -> None:
        """Show boxes, crop and words for the face at hand: the one given, the chosen one, or the largest."""
        reading = entry.reading
        if reading is None or not reading.faces or reading.frame is None:
            self.view.set_marks(())
            self.details.set_face(None, entry.wanted.title, self._no_face_words(reading))
            self.use.setVisible(False)
            self.looked_at.emit(None)
            return
        at = face if face >= 0 else max(entry.chosen, 0)
        count = len(reading.faces)
        marks = list(marks_of(Photo(reading.frame, reading.faces)))
        if entry.chosen >= 0 and count > 1 and not marks[entry.chosen].bad:
            marks[entry.chosen] = replace(marks[entry.chosen], caption=self.tr("chosen"))
        if self.view.has_image:
            self.view.set_marks(marks, at)
        title = self.tr("Face {0} of {1}").format(at + 1, count) if count > 1 else self.tr("Aligned face")
        self.details.set_face(reading.faces[at], title)
        self.use.setVisible(True)
        self.use.setChecked(entry.chosen == at)
        self.looked_at.emit((reading, at))

    def _no_face_words(self, reading: Reading | None) -> str:
        if reading is None:
            return self.tr("Reading…")
        if reading.frame is None:
            return self.tr("This file cannot be used.")
        return self.tr("No face found in this photo.")

    def _put_line(self, number: int) -> None:
        entry = self._entries[number]
        self.list.put(line_of(entry.wanted, entry.reading, entry.chosen >= 0))

    def _rebuild_list(self) -> None:
        self.list.clear()
        for number in self._entries:
            self._put_line(number)
        if not self._entries:
            self._shown = None
            self._show_empty()
        elif self._shown in self._entries:
            self.list.select(self._shown)

    def _show_empty(self) -> None:
        self.view.set_empty(
            "photo", self.tr("Who shall facegui know?"),
            self.tr("Drop photos of one person here, paste one, or choose files. Several in different light, and from "
                    "slightly different sides, are better than one."),
            self.tr("Choose photos"),
        )  # fmt: skip
        self.view.set_caption("")
        self.looked_at.emit(None)
        self._show_foot()

    def _show_foot(self) -> None:
        there = bool(self._entries)
        self._foot.setVisible(there)
        for item in self._buttons:
            item.setVisible(there)
