"""Reports: the model in use measured on a list of pairs, shown, and written into a page."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QWidget

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.bridge import Task
from facegui.gui.images import to_qimage
from facegui.gui.pages.insights_section import Section
from facegui.gui.pages.rate_panel import RatePanel
from facegui.gui.thumbnails import Thumbnails
from facegui.gui.widgets.pair_tiles import PairTile, PairTiles
from facegui.gui.widgets.parts import button, card, column, label, row, scrolled
from facegui.jobs import Job
from facegui.matching.calibration import Rate
from facegui.matching.error_curves import ErrorCurves, of_scores
from facegui.matching.protocols import open_protocol
from facegui.matching.report import Miss
from facegui.matching.report_page import page_of, write_page
from facegui.matching.wording import format_similarity
from facegui.services.reports import Evaluated, evaluate

__all__ = ["ReportsSection", "can_be_measured"]

Measured: TypeAlias = tuple[Evaluated, ErrorCurves]
_SHOWN = 8
"""Wrong pairs of each kind that are listed."""


class ReportsSection(Section):
    """Asks for a list, measures, shows the figures."""

    def build(self) -> None:
        self.done: Evaluated | None = None
        self._measured: Measured | None = None
        self._task: Task | None = None
        self._cells: list[QLabel] = []
        self.words = label("", "muted", wrap=True)
        self.file_button = button(self.tr("Choose a list…"), self.ask_for_list, icon="open")
        self.folder_button = button(self.tr("Choose a folder…"), self.ask_for_folder, icon="folder")
        self.export_button = button(self.tr("Save report…"), self.ask_where, icon="export")
        self.export_button.setEnabled(False)
        self.panel = RatePanel()
        self.panel.setMinimumHeight(3 * theme.size("plot"))
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(2 * theme.size("unit"))
        self._rows.setVerticalSpacing(theme.size("half"))
        figures = card(label(self.tr("Figures"), "emphasis"), role="card")
        figures.layout().addLayout(self._rows)  # type: ignore[union-attr]
        self.thumbnails = Thumbnails(self.bridge, self._picture, parent=self)
        self.none = label("", "muted", wrap=True)
        self.misses = tuple(PairTiles(self.thumbnails) for _ in range(2))
        self.titles = tuple(label("", "small") for _ in self.misses)
        wrong = card(label(self.tr("Wrong pairs"), "emphasis"), self.none, role="card")
        for title, tiles in zip(self.titles, self.misses, strict=True):
            tiles.setAccessibleName(self.tr("Wrong pairs"))
            tiles.chosen.connect(lambda number, tiles=tiles: self._open_pair(tiles.tiles[number]))
            wrong.layout().addWidget(title)  # type: ignore[union-attr]
            wrong.layout().addWidget(tiles)  # type: ignore[union-attr]
        inner = QWidget()
        inner.setLayout(column(self.panel, figures, wrong, None))
        head = row(self.words, self.file_button, self.folder_button, self.export_button)
        head.setStretch(0, 1)
        body = column()
        body.addLayout(head)
        body.addWidget(scrolled(inner, self.tr("Report")), 1)
        self.content.setLayout(body)
        self.setAcceptDrops(True)
        self.empty.activated.connect(self.ask_for_list)
        self._invite()

    def _invite(self) -> None:
        self.show_empty(
            "insights", self.tr("How good is it on your photos?"),
            self.tr("Choose a list of pairs (a CSV file with the header path1,path2,same), or drop one here. "
                    "Lists and folders of LFW, CFP, AgeDB-30, CALFW and CPLFW, .bin sets and folders with one folder "
                    "per person will do, too."),
            self.tr("Choose a list…"),
        )  # fmt: skip

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take lists and folders; photos are the window's."""
        if len(_lists_of(event)) == 1:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.measure(_lists_of(event)[0])

    def refresh(self) -> None:
        """A report of another model stays, with its name on it."""

    # --- choosing -----------------------------------------------------------------------------------------

    def ask_for_list(self) -> None:
        """Ask for a file with pairs."""
        dialog = QFileDialog(self, self.tr("Open a list of pairs"))
        dialog.setNameFilter(self.tr("Lists of pairs (*.csv *.txt *.bin)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._open_with(dialog)

    def ask_for_folder(self) -> None:
        """Ask for a folder of a protocol, or with one folder per person."""
        dialog = QFileDialog(self, self.tr("Open a folder of pairs or people"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._open_with(dialog)

    def _open_with(self, dialog: QFileDialog) -> None:
        dialog.fileSelected.connect(lambda name: self.measure(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # --- measuring ----------------------------------------------------------------------------------------

    def measure(self, source: Path) -> None:
        """Measure the model in use on a list or folder; the newest wish counts."""
        self.error.dismiss()
        services = self.services

        def job() -> Job[Measured]:
            done = yield from evaluate(services, open_protocol(source))
            report = done.report
            curves = of_scores(
                report.genuine, report.impostor, _people(done), report.identity_pairs, [report.miss_threshold]
            )
            return done, curves

        self._name(self.tr("Measuring on {name}…").format(name=source.name), busy=True)
        self._task = task = self.bridge.start(
            self, job(), on_done=self._show, on_error=self._failed, on_cancelled=lambda: self._cancelled(task),
            newest="report", title=self.tr("Measuring on {name}").format(name=source.name),
        )  # fmt: skip

    def _name(self, words: str, *, busy: bool) -> None:
        self.words.setText(words)
        self.export_button.setEnabled(not busy and self.done is not None)
        if busy and self.is_empty:
            self.show_empty("insights", words, self.tr("The strip below shows how far it is, and stops it."))

    def _failed(self, error: Exception) -> None:
        self.show_error(error)
        self._go_back()

    def _cancelled(self, task: Task) -> None:
        if task is self._task:  # not where a newer one overtook it
            self._go_back()

    def _go_back(self) -> None:
        if self._measured is not None:
            self._show(self._measured)
        else:
            self._invite()

    def _show(self, measured: Measured) -> None:
        self.done, curves = self._measured = measured
        done, report = self.done, self.done.report
        words = self.tr("{name}, {model}: {photos:,} photos").format(
            name=report.name or done.opened.root.name, model=done.model.title, photos=report.photos
        )
        if done.unreadable:
            words += self.tr("; {count:,} could not be read").format(count=len(done.unreadable))
        if done.opened.without_crop:
            words += self.tr("; {count:,} more had no face to crop").format(count=done.opened.without_crop)
        self._name(words, busy=False)
        limit = report.miss_threshold
        equal = report.figures.eer
        self.panel.show_curves(
            curves, limit, Rate(equal.value, equal.low, equal.high), at_most=not report.people_named
        )  # fmt: skip
        for old in self._cells:
            self._rows.removeWidget(old)
            old.deleteLater()
        self._cells = []
        for number, line in enumerate(report.rows()):
            for place, (text, role) in enumerate(((line.label, ""), (line.value, ""), (line.note, "muted"))):
                # A number and its sign stay on one line.
                cell = label(text.replace(" %", "\u00a0%"), role, wrap=place == 2, selectable=True)
                self._rows.addWidget(cell, number, place)
                self._cells.append(cell)
        self._rows.setColumnStretch(2, 1)
        self.none.setText(self.tr("None at {threshold}.").format(threshold=format_similarity(limit, 3)))
        self.none.setVisible(not report.false_match_count and not report.false_non_match_count)
        self.thumbnails.clear()
        sides = (
            (self.tr("Two people, taken for one"), report.false_matches, report.false_match_count),
            (self.tr("One person, missed"), report.false_non_matches, report.false_non_match_count),
        )
        for title, tiles, (words, misses, count) in zip(self.titles, self.misses, sides, strict=True):
            title.setText(self.tr("{what}: {count:,}; the worst first").format(what=words, count=count))
            tiles.show_pairs(self._tiles(misses))
            title.setVisible(bool(count))
            tiles.setVisible(bool(count))
        self.show_content()

    def _tiles(self, misses: tuple[Miss, ...]) -> list[PairTile]:
        assert self.done is not None
        places = {path: place for place, path in enumerate(self.done.opened.pairs.paths)}
        return [
            PairTile(
                places[miss.path1], places[miss.path2],
                self.tr("no face") if miss.score is None else format_similarity(miss.score),
                f"{miss.path1}\n{miss.path2}",
            )
            for miss in misses[:_SHOWN]
        ]  # fmt: skip

    def _picture(self, key: Hashable) -> QImage | None:
        """Read a photo of the list, small; None where it cannot be read."""
        done = self.done
        if done is None or not isinstance(key, int) or key >= len(done.opened.files):
            return None
        file, pictures = done.opened.files[key], done.opened.pictures
        try:
            frame = self.services.read(file) if pictures is None else self.services.read_bytes(pictures[key], file.name)
        except KnownError:
            return None
        side = 2 * theme.size("tile")
        return to_qimage(frame.pixels).scaled(
            side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
        )

    def _open_pair(self, tile: PairTile) -> None:
        """Compare the two photos on the Verify page."""
        if self.done is not None and self.done.opened.pictures is None:
            files = self.done.opened.files
            self.navigate.emit("verify", [files[tile.left], files[tile.right]])

    # --- saving -------------------------------------------------------------------------------------------

    def ask_where(self) -> None:
        """Ask where the report shall be saved."""
        dialog = QFileDialog(self, self.tr("Save the report"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("Pages (*.html)"))
        dialog.setDefaultSuffix("html")
        dialog.fileSelected.connect(lambda name: self.save(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save(self, file: Path) -> None:
        """Write the report with the plots as they are on the screen."""
        if self.done is None:
            return
        done, pictures = self.done, self._pictures()

        def write() -> Path:
            write_page(page_of(done.report, done.model.title, pictures, done.unreadable), file)
            return file

        self.bridge.run(
            self, write, lambda path: self.words.setText(self.tr("Saved: {path}").format(path=path)), self.show_error,
            lane="io",
        )  # fmt: skip

    def _pictures(self) -> Mapping[str, bytes]:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.panel.grab().save(buffer, "PNG")
        return {self.tr("Scores, ROC and DET"): bytes(buffer.data().data())}


def can_be_measured(path: Path) -> bool:
    """Tell a list or a folder from photos."""
    return path.is_dir() or path.suffix.lower() in (".csv", ".txt", ".bin")


def _lists_of(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if can_be_measured(path)]


def _people(done: Evaluated) -> int:
    """Return how many people the genuine pairs are of."""
    pairs = done.opened.pairs
    return len(set(pairs.people[pairs.left[pairs.same]].tolist()))
