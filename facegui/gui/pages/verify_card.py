"""The evidence card in a window of its own: of a decision that was kept, with a way to save it as one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QTextBrowser, QWidget

from facegui.errors import KnownError
from facegui.gallery.records import DecisionRecord
from facegui.gui import theme
from facegui.gui.local_text import date_text
from facegui.gui.widgets.decision_badge import outcome_word
from facegui.gui.widgets.parts import button, column, label, row
from facegui.matching.wording import format_similarity
from facegui.services.evidence import EvidenceCard
from facegui.services.evidence_page import SheetColours, html_of

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["EvidenceWindow"]


def _themed() -> SheetColours:
    """Return the colours of the theme for the sheet in the window; the file is for paper."""
    roles = ("panel", "text", "muted", "sunken", "unsure_soft", "match", "no_match", "unsure")
    return SheetColours(*(theme.color(role).name() for role in roles))


class EvidenceWindow(QDialog):
    """Shows the cards of some decisions, one at a time, the newest first."""

    def __init__(self, services: Services, decisions: Sequence[DecisionRecord], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._decisions = [decision for decision in decisions if decision.has_evidence]
        self._html = ""
        theme.manager().changed.connect(self._show)
        self.setWindowTitle(self.tr("Evidence"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("Decision"))
        for decision in self._decisions:
            when = date_text(decision.time) if decision.time is not None else ""
            words = f"{outcome_word(decision.outcome)} {format_similarity(decision.similarity)}"
            self.choice.addItem(f"{when} · {words} · {decision.person_name or self.tr('two faces')}")
        self.choice.currentIndexChanged.connect(self._show)
        self.browser = QTextBrowser()
        self.browser.setAccessibleName(self.tr("Evidence card"))
        self.save = button(self.tr("Save as a file…"), self._ask, icon="export")
        self.problem = label("", "problem", wrap=True)
        self.problem.hide()
        layout = column(self.choice, gap="unit", margin="unit")
        layout.addWidget(self.browser, 1)
        layout.addWidget(self.problem)
        layout.addLayout(row(None, self.save, button(self.tr("Close"), self.close, role="quiet")))
        self.setLayout(layout)
        self.resize(2 * theme.size("inspector"), 2 * theme.size("inspector"))
        self._show()

    def write(self, path: Path) -> None:
        """Write the card that is shown into one HTML file."""
        try:
            path.write_text(self._html, encoding="utf-8")
        except OSError as error:
            self._tell(self.tr("{0} could not be written: {1}").format(path.name, error.strerror or str(error)))

    def _show(self) -> None:
        index = self.choice.currentIndex()
        if not 0 <= index < len(self._decisions):
            return
        decision = self._decisions[index]
        self._html = shown = ""
        try:
            data = self._services.gallery.evidence_of(decision.id)
            if data is not None:
                card = EvidenceCard.from_bytes(data)
                self._html, shown = html_of(card, decision), html_of(card, decision, _themed())
        except KnownError as error:
            self._tell(str(error))
        else:
            self._tell("" if self._html else self.tr("This evidence was deleted in the meantime."))
        self.browser.setHtml(shown)
        self.save.setEnabled(bool(self._html))

    def _tell(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _ask(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Save the evidence"), "evidence.html", "HTML (*.html)")
        if path:
            self.write(Path(path))
