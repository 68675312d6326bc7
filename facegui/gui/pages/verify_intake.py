"""Where photos and videos that are opened, dropped or pasted go on the Verify page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from facegui.errors import KnownError
from facegui.gui.pages.verify_claim import ClaimSide
from facegui.gui.pages.verify_probe import VIDEO_SUFFIXES, ProbeSide
from facegui.gui.widgets.drop_overlay import Dropped

__all__ = ["Intake"]

PHOTO = "photo"


class Intake(QObject):
    """Two photos go left and right, one to the empty left side or else to the right, a video to the camera's place.

    Signals
    -------
    begun
        A photo is being taken in.
    told(KnownError)
        Something was not taken, and why.
    """

    begun = Signal()
    told = Signal(object)

    def __init__(self, claim: ClaimSide, probe: ProbeSide, parent: QWidget) -> None:
        super().__init__(parent)
        self._claim, self._probe, self._window = claim, probe, parent
        for side in (claim, probe):
            side.openWanted.connect(partial(self.choose, side))
            side.photo.dropped.connect(partial(self.drop, side))
        claim.portrait.dropped.connect(partial(self.drop, claim))
        probe.camera.view.dropped.connect(partial(self.drop, probe))

    def open_files(self, paths: Sequence[Path]) -> None:
        """Take files that belong to no side in particular."""
        videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES]
        photos = [path for path in paths if path not in videos and not path.is_dir()]
        if not videos and not photos:
            self._tell(self.tr("A folder cannot be compared."), self.tr("Drop one photo or two, or open Lookalikes."))
        elif videos:
            self._probe.open_video(videos[0])
            if photos:
                self.load(self._claim, photos[0])
        elif len(photos) == 1:
            self.load(self._free_side(), photos[0])
        else:
            self.load(self._claim, photos[0])
            self.load(self._probe, photos[1])
            if len(photos) > 2:
                self._tell(
                    self.tr("The first two of {0} photos are compared.").format(len(photos)),
                    self.tr("Drop another photo on the left or on the right to change one."),
                )

    def paste(self, image: QImage) -> None:
        """Take a picture from the clipboard."""
        self.load(self._free_side(), image)

    def load(self, side: ClaimSide | ProbeSide, photo: Path | QImage) -> None:
        """Show a photo on a side."""
        self.begun.emit()
        if side.kind != PHOTO:
            side.set_kind(PHOTO)
            side.changed.emit()
        if isinstance(photo, Path):
            side.photo.load(photo)
        else:
            side.photo.load_image(photo, self.tr("Pasted picture"))

    def drop(self, side: ClaimSide | ProbeSide, dropped: Dropped) -> None:
        """Take what was dropped on a side: one photo stays there."""
        if dropped.image is not None:
            self.load(side, dropped.image)
        elif len(dropped.paths) == 1 and not _special(dropped.paths[0]):
            self.load(side, dropped.paths[0])
        elif dropped.paths:
            self.open_files(dropped.paths)

    def choose(self, side: ClaimSide | ProbeSide) -> None:
        """Ask for a photo for a side."""
        dialog = QFileDialog(self._window, self.tr("Open a photo"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.load(side, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _free_side(self) -> ClaimSide | ProbeSide:
        return self._claim if self._claim.kind == PHOTO and self._claim.photo.shown is None else self._probe

    def _tell(self, what: str, mend: str) -> None:
        self.told.emit(KnownError(what, "", mend))


def _special(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES
