"""The Insights page: what stands behind the numbers, in sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QStackedWidget, QTabBar

from facegui.gui.pages.insights_lab import LabSection
from facegui.gui.pages.insights_map import MapSection
from facegui.gui.pages.insights_model import ModelSection
from facegui.gui.pages.insights_reports import ReportsSection, can_be_measured
from facegui.gui.pages.insights_section import Section
from facegui.gui.pages.page import Page
from facegui.gui.widgets.parts import column

__all__ = ["InsightsPage"]


class InsightsPage(Page):
    """Shows one section at a time; each reads its data when it is first shown."""

    name = "insights"
    icon = "insights"

    @property
    def title(self) -> str:
        return self.tr("Insights")

    def build(self) -> None:
        self.sections: dict[str, Section] = {}
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(self.tr("Sections"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self._stack = QStackedWidget()
        for name, words, kind in (
            ("model", self.tr("Model"), ModelSection),
            ("map", self.tr("Map"), MapSection),
            ("reports", self.tr("Reports"), ReportsSection),
            ("lab", self.tr("Margin lab"), LabSection),
        ):
            section = kind(self.services, self.bridge)
            section.navigate.connect(self.navigate)
            self.sections[name] = section
            self.tabs.addTab(words)
            self._stack.addWidget(section)
        self._active = False
        self.tabs.currentChanged.connect(self._turned)
        self.content.setLayout(column(self.tabs, self._stack))

    @property
    def section(self) -> Section:
        """The section shown."""
        return list(self.sections.values())[self._stack.currentIndex()]

    def show_section(self, name: str) -> None:
        """Show a section by name."""
        self.tabs.setCurrentIndex(list(self.sections).index(name))

    def activate(self) -> None:
        self._active = True
        self.section.activate()

    def deactivate(self) -> None:
        self._active = False
        self.section.deactivate()

    def receive(self, value: object) -> None:
        if isinstance(value, str) and value in self.sections:
            self.show_section(value)

    def open_files(self, paths: Sequence[Path]) -> None:
        """Measure the model on a list or folder of pairs that was dropped."""
        reports = self.sections["reports"]
        lists = [path for path in paths if can_be_measured(path)]
        if lists and isinstance(reports, ReportsSection):
            self.show_section("reports")
            reports.measure(lists[0])

    def choose_files(self) -> None:
        reports = self.sections["reports"]
        if isinstance(reports, ReportsSection):
            self.show_section("reports")
            reports.ask_for_list()

    def refresh(self) -> None:
        for section in self.sections.values():
            section.refresh()

    def shortcuts(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Arrow keys"), self.tr("Turn the sphere, move a slider, a threshold, a place on the map")),
            (self.tr("Home"), self.tr("Turn the sphere back")),
        ]

    def _turned(self, index: int) -> None:
        before = self.section
        self._stack.setCurrentIndex(index)
        if self._active and before is not self.section:
            before.deactivate()
            self.section.activate()
