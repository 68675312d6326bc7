"""The faces that are shown, into a file: table or contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from facegui.faces.types import Face
from facegui.gui.bridge import Bridge
from facegui.gui.contact_pdf import write_pdf
from facegui.gui.images import to_array
from facegui.gui.pages.lookalikes_probe import Probe
from facegui.lookalikes.ranking import Ranking
from facegui.lookalikes.result_files import SUFFIXES, ResultSheet
from facegui.matching.decision import Rule, explain
from facegui.services.exporting import export_results

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Exporter"]


class Exporter(QObject):
    """Asks where to, then writes in the background with progress and cancel in the status strip.

    Signals
    -------
    written(Path)
    failed(object)
        The exception.
    """

    written = Signal(object)
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget) -> None:
        super().__init__(parent)
        self._services, self._bridge, self._window = services, bridge, parent

    def ask(self, probe: Probe, ranking: Ranking, rule: Rule | None, filters: tuple[str, ...]) -> None:
        """Show the dialog that chooses the file; its suffix says what is written."""
        dialog = QFileDialog(self._window, self.tr("Export these faces"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        kinds = {
            ".pdf": self.tr("Contact sheet, PDF ({0})"), ".html": self.tr("Contact sheet, web page ({0})"),
            ".csv": self.tr("Table, CSV ({0})"), ".json": self.tr("Table, JSON ({0})"),
        }  # fmt: skip
        dialog.setNameFilters([words.format(f"*{suffix}") for suffix, words in kinds.items()])
        suffixes = list(kinds)
        dialog.setDefaultSuffix(suffixes[0])
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix(next(s for s in suffixes if f"*{s}" in chosen))
        )
        dialog.selectFile(self.tr("Lookalikes of {0}").format(Path(probe.title).stem))
        dialog.fileSelected.connect(lambda name: self.write(Path(name), probe, ranking, rule, filters))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def write(self, file: Path, probe: Probe, ranking: Ranking, rule: Rule | None, filters: tuple[str, ...]) -> None:
        """Write the faces shown into a file."""
        services = self._services
        if file.suffix.lower() not in SUFFIXES:
            file = file.with_name(f"{file.name}{SUFFIXES[-1]}")
        crop = probe.question.crop if isinstance(probe.question, Face) else None
        if crop is None and probe.crop is not None:
            crop = to_array(probe.crop)
        said = explain(float("nan"), rule, services.calibration)
        sheet = ResultSheet(
            probe.title, crop, services.model.id, rule, f"{said.meaning} {said.caveat}".strip(), ranking.searched,
            len(ranking), filters,
        )  # fmt: skip
        self._bridge.start(
            self._window, export_results(services, ranking, sheet, file, {".pdf": write_pdf}),
            on_done=self.written.emit, on_error=self.failed.emit, title=self.tr("Writing {0}").format(file.name),
        )  # fmt: skip
