"""The search itself: the folders' index is brought up to date while its faces are put in order again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes_index import FolderIndex, IndexReport
from facegui.lookalikes.filters import Sieve
from facegui.lookalikes.scan import Skipped
from facegui.services.browsing import Question, browse, prepare

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Nothing", "Search"]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why there is no face to show: drawing, title, text, words of the button that adds a folder."""

    drawing: str
    title: str
    text: str
    action: str = ""
    role: str = "accent"


class Search(QObject):
    """Asks for the order of the faces whenever the probe, the folders or their index change.

    Signals
    -------
    ranked(Sieve, bool)
        A new order with what it is filtered by; True when it answers another question than the one before.
    asked
        Another question was put; `ranked`, `nothing` or `failed` follows.
    nothing(Nothing)
        There is no face to show.
    said
        `words`, `skipped`, `resumable` or `missing` are others now.
    failed(object)
        The exception.
    """

    ranked = Signal(object, bool)
    asked = Signal()
    nothing = Signal(object)
    said = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._question: Question | None = None
        self._folders: tuple[Path, ...] = ()
        self._anew = True
        self._faces = self._ranked_faces = 0
        self._stopped = False
        self._read_for: tuple[Path, ...] | None = None
        self.report: IndexReport | None = None
        self._again = QTimer(self, singleShot=True, interval=2 * theme.time("tick"))
        self._again.timeout.connect(self.rank)
        self.index = FolderIndex(services, bridge, self)
        self.index.grew.connect(lambda: self._again.isActive() or self._again.start())
        self.index.progressed.connect(self.said)
        self.index.finished.connect(self._finished)
        self.index.stopped.connect(self._was_stopped)
        self.index.failed.connect(self._index_failed)

    def ask(self, question: Question) -> None:
        """Put the faces in the order of their similarity to this face, this person, or these faces of one person."""
        self._question, self._anew = question, True
        if self._read_for != self._folders:
            self.read()
        self.rank()

    def set_folders(self, folders: Sequence[Path], *, read: bool = True) -> None:
        """Search these folders; their index is brought up to date."""
        self._folders = tuple(folders)
        self.report = None
        self._faces = self._ranked_faces = 0
        self._anew = True
        if read:
            self.read()
        self.rank()

    def prepare(self) -> None:
        """Read what a search needs in the background, while the user still looks for a face."""
        folders = self._folders
        if folders:
            # What goes wrong is told when a face is asked for.
            self._bridge.run(
                self, lambda: prepare(self._services, folders), on_error=lambda _error: None, newest="prepare"
            )

    def read(self, *, retry_skipped: bool = False) -> None:
        """Look for new and changed photos in the folders."""
        self._read_for, self._stopped = self._folders, False
        if self._folders:
            self.index.start(self._folders, retry_skipped=retry_skipped)
        else:
            self.index.cancel(quietly=True)
        self.said.emit()

    def model_changed(self) -> None:
        """Another model is in use: its vectors are made from the stored crops."""
        self._anew = True
        if self._read_for is not None:
            self.read()
        self.rank()

    def rank(self) -> None:
        """Ask for the order anew."""
        question, folders = self._question, self._folders
        self._again.stop()
        if question is None:
            return
        if not folders:
            self.nothing.emit(
                Nothing(
                    "folder", self.tr("Where shall facegui look?"),
                    self.tr("Add a folder of photos. They are read in the background and stay on this computer."),
                    self.tr("Add a folder"),
                )
            )  # fmt: skip
            return
        if self._anew:
            self.asked.emit()
        near = self.index.running  # all of them once no more are added
        self._bridge.run(
            self, lambda: browse(self._services, question, folders, near=near), self._ranked, self.failed.emit,
            newest="rank",
        )  # fmt: skip

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Files that could not be used."""
        return self.report.summary.skipped if self.report is not None and self.report.summary is not None else ()

    @property
    def missing(self) -> tuple[Path, ...]:
        """Folders that are not there."""
        return self.report.missing if self.report is not None else ()

    @property
    def resumable(self) -> bool:
        """Whether the folders were not read to their end."""
        return self._stopped

    @property
    def words(self) -> str:
        """One line on how far the folders were read."""
        done, total = self.index.progress
        if self.index.running:
            if not total:
                return self.tr("Looking for new photos…")
            reading = self.tr("Reading photos: {0} of {1}").format(f"{done:,}", f"{total:,}")
            return reading if self._complete else f"{reading} · {self._shown_faces}"
        faces = self._shown_faces
        if self._stopped:
            return self.tr("Stopped before all photos were read; {0} so far").format(faces)
        if self.report is None:
            return faces if self._faces else ""
        parts = []
        if self.report.summary is not None:
            count = self.report.summary.photos - len(self.report.summary.skipped)
            photos = self.tr("1 photo") if count == 1 else self.tr("{0} photos").format(f"{count:,}")
            parts.append(self.tr("{0} in {1}").format(faces, photos))
        if self.report.missing and self._faces:
            names = ", ".join(str(folder) for folder in self.report.missing)
            parts.append(self.tr("{0} is not there: faces of the last visit are shown").format(names))
        if self.report.read_only:
            parts.append(self.tr("The gallery is open for reading only: new photos are not read"))
        return " · ".join(parts)

    @property
    def _complete(self) -> bool:
        return self._ranked_faces == self._faces

    @property
    def _shown_faces(self) -> str:
        """How many faces are put in order; of very many, not all while photos are being read."""
        faces = self.tr("1 face") if self._faces == 1 else self.tr("{0} faces").format(f"{self._faces:,}")
        if self._complete:
            return faces
        return self.tr("the {0} most similar of {1}").format(f"{self._ranked_faces:,}", faces)

    def _ranked(self, sieve: Sieve) -> None:
        self._faces, self._ranked_faces = sieve.ranking.searched, len(sieve.ranking)
        if self._ranked_faces:
            anew, self._anew = self._anew, False
            self.ranked.emit(sieve, anew)
        else:
            self._anew = True
            self.nothing.emit(self._why_nothing())
        self.said.emit()

    def _why_nothing(self) -> Nothing:
        another = self.tr("Add a folder")
        if self.index.running or (self.report is None and not self._stopped):
            return Nothing(
                "search", self.tr("Reading the photos"), self.tr("Faces appear here as soon as they are found.")
            )
        if self.missing:
            return Nothing(
                "warning", self.tr("The folder is not there"),
                self.tr("{0} was moved, renamed or deleted, or its disk is not connected.").format(self.missing[0]),
                another, "unsure",
            )  # fmt: skip
        summary = self.report.summary if self.report is not None else None
        if summary is not None and not summary.photos:
            return Nothing(
                "photo", self.tr("No photos in this folder"),
                self.tr("facegui looks for JPEG, PNG, WebP, HEIC, TIFF and others, in subfolders, too."), another,
            )  # fmt: skip
        if summary is not None and len(summary.skipped) == summary.photos:
            return Nothing(
                "warning", self.tr("None of the photos can be used"), self.tr("The list of skipped files says why."),
                another, "unsure",
            )  # fmt: skip
        return Nothing(
            "no-face", self.tr("No face found in these photos"),
            self.tr("Faces need about 20 pixels to be found. Try another folder."), another,
        )  # fmt: skip

    def _finished(self, report: IndexReport) -> None:
        self.report, self._stopped = report, False
        self.rank()
        self.said.emit()

    def _was_stopped(self) -> None:
        self._stopped = True
        self.rank()
        self.said.emit()

    def _index_failed(self, error: Exception) -> None:
        self._stopped = True
        self.failed.emit(error)
        self.rank()
        self.said.emit()
