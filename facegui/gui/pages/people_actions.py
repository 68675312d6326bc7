"""What can be done with people: every change runs off the UI thread and can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from facegui.gallery.records import Change, PersonRecord, Undo
from facegui.gui.bridge import Bridge
from facegui.gui.pages.people_undo import UndoStack
from facegui.lookalikes.audit import Finding, Mend
from facegui.services.auditing import mend

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["PeopleActions"]


class PeopleActions(QObject):
    """Writes to the gallery on behalf of the page.

    Signals
    -------
    changed(Change)
        The gallery was changed.
    undoOffered(str, object)
        Words of the change, and a callable that takes it back.
    exported(Path)
        Where people were written.
    failed(object)
        The exception.
    """

    changed = Signal(object)
    undoOffered = Signal(str, object)
    exported = Signal(object)
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, undos: UndoStack, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge, self._undos = services, bridge, undos

    def rename(self, person_id: int, name: str) -> None:
        """Give a person another name."""
        self._write(lambda: self._services.gallery.rename(person_id, name))

    def merge(self, into: int, other: int) -> None:
        """Give all of one person's samples to another, whose name stays."""
        self._write(lambda: self._services.gallery.merge(into, other))

    def delete(self, person_id: int) -> None:
        """Delete a person with everything of theirs."""
        self._write(lambda: self._services.gallery.delete_person(person_id))

    def move_samples(self, face_ids: Sequence[int], name: str) -> None:
        """Give samples to the person of a name, who is made when there is none."""

        def move() -> Change:
            gallery = self._services.gallery
            person = gallery.person_named(name)
            if person is not None and len(face_ids) == 1:
                return gallery.move_sample(face_ids[0], person.id)
            return gallery.enroll_faces(name, face_ids)[1]

        self._write(move)

    def remove_samples(self, face_ids: Sequence[int]) -> None:
        """Take samples away from their person."""
        self._write(lambda: self._services.gallery.remove_samples(face_ids))

    def mend(self, finding: Finding, how: Mend) -> None:
        """Do what a finding of the audit proposes."""
        self._write(lambda: mend(self._services, finding, how))

    def ask_export(self, people: Sequence[PersonRecord]) -> None:
        """Ask for a folder and write people there."""
        parent = self.parent()
        dialog = QFileDialog(None)
        dialog.setWindowTitle(self.tr("Export to a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.export(people, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        if parent is not None:
            parent.destroyed.connect(dialog.deleteLater)
        dialog.open()

    def export(self, people: Sequence[PersonRecord], folder: Path) -> None:
        """Write people into a new folder inside this one."""
        ids = [person.id for person in people]

        def write() -> Path:
            from facegui.gallery.export import export_people

            return export_people(self._services.gallery, ids, _free_name(folder))

        self._bridge.run(self, write, self.exported.emit, self.failed.emit, title=self.tr("Exporting"))

    def _write(self, change: Callable[[], Change]) -> None:
        self._bridge.run(self, change, self._done, self.failed.emit, lane="write")

    def _done(self, change: Change) -> None:
        if change.undo is not None:
            undo = change.undo
            # Erased pictures must not stay in memory longer than the question before it says.
            erased = any(row.table == "crop" and row.after is None for row in undo.rows)
            act = self._undos.put(lambda: self._take_back(undo), lasting=not erased)
            self.undoOffered.emit(change.text, act)
        self.changed.emit(change)

    def _take_back(self, undo: Undo) -> None:
        self._bridge.run(
            self, lambda: self._services.gallery.undo(undo), self._taken_back, self.failed.emit, lane="write"
        )

    def _taken_back(self, change: Change) -> None:
        if change.undo is not None:
            undo = change.undo
            self.undoOffered.emit(change.text, lambda: self._take_back(undo))
        self.changed.emit(change)


def _free_name(folder: Path) -> Path:
    """Return a name in a folder that nothing has yet."""
    for number in count(1):
        target = folder / ("facegui export" if number == 1 else f"facegui export {number}")
        if not target.exists():
            return target
    raise AssertionError("there is always another number")
