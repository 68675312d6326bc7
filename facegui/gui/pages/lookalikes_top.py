"""Who is looked for, and where: the chips above the results."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from facegui.gui import theme
from facegui.gui.pages.lookalikes_folders import FolderBar
from facegui.gui.pages.lookalikes_probe import Probe
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.parts import button, label, row

__all__ = ["TopBar"]


class TopBar(QWidget):
    """A chip with the probe's face, one for another face of its photo, one for each folder.

    Signals
    -------
    photoWanted, cameraWanted, personWanted
        Another probe.
    faceWanted
        Another face of the probe's photo.
    boardWanted
        The faces compared all with all.
    """

    photoWanted = Signal()
    cameraWanted = Signal()
    personWanted = Signal()
    faceWanted = Signal()
    boardWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.probe = Chip()
        menu = QMenu(self.probe)
        for icon, words, wanted in (
            ("photo", self.tr("A photo…"), self.photoWanted), ("camera", self.tr("The camera…"), self.cameraWanted),
            ("people", self.tr("Somebody enrolled…"), self.personWanted),
        ):  # fmt: skip
            action = QAction(words, menu)
            theme.set_icon(action, icon)
            action.triggered.connect(lambda _checked=False, wanted=wanted: wanted.emit())
            menu.addAction(action)
        self.probe.setMenu(menu)
        self.other_face = Chip("", "faces")
        self.other_face.setToolTip(self.tr("This photo has several faces; the largest is taken first"))
        self.other_face.clicked.connect(lambda _checked=False: self.faceWanted.emit())
        self.folders = FolderBar()
        self._in = label(self.tr("in"), "muted")
        self.board = button(self.tr("Who looks like whom"), self.boardWanted.emit, role="link", icon="insights")
        self.board.setToolTip(self.tr("Compare photos or people all with all: table, heat map and map (Ctrl+B)"))
        self.setLayout(row(self.probe, self.other_face, self._in, self.folders, None, self.board))
        self.folders.changed.connect(lambda: self.show_probe(self._shown))
        self.show_probe(None)

    def show_probe(self, probe: Probe | None) -> None:
        """Show who is looked for; without a probe, the folders alone, if there are any."""
        self._shown = probe
        self.setVisible(probe is not None or bool(self.folders.folders))
        self._in.setText(self.tr("in") if probe is not None else self.tr("Search in"))
        self.probe.setVisible(probe is not None)
        faces = len(probe.photo.faces) if probe is not None and probe.photo is not None else 0
        self.other_face.setVisible(faces > 1)
        if probe is None:
            return
        self.other_face.setText(self.tr("Face {0} of {1}").format(probe.index + 1, faces))
        widest = theme.size("inspector") // 2
        self.probe.setText(self.probe.fontMetrics().elidedText(probe.title, Qt.TextElideMode.ElideMiddle, widest))
        self.probe.setToolTip(self.tr("Lookalikes of {0}. Click for another face.").format(probe.title))
        self.probe.setAccessibleName(self.tr("Looked for: {0}").format(probe.title))
        if probe.crop is not None:
            self.probe.set_picture(probe.crop)
        else:
            theme.set_icon(self.probe, "face", "muted")
