"""The Insights page: what stands behind the numbers. Its first section is the margin lab."""

from __future__ import annotations

from facegui.gui.pages.margin_lab import MarginLab
from facegui.gui.pages.page import Page, State, StateWords
from facegui.gui.widgets.parts import column
from facegui.matching.lab import Recording, load

__all__ = ["InsightsPage"]


class InsightsPage(Page):
    """Shows the margin lab; the recorded runs are read when the page is first shown."""

    name = "insights"
    icon = "insights"

    @property
    def title(self) -> str:
        return self.tr("Insights")

    def build(self) -> None:
        self.lab: MarginLab | None = None
        self._layout = column()
        self.content.setLayout(self._layout)
        self.define_state(
            State.ERROR,
            StateWords(
                "warning", self.tr("The margin lab cannot be shown"), self.tr("The message above says why."),
                self.tr("Try again"), self._load,
            ),
        )  # fmt: skip

    def activate(self) -> None:
        if self.lab is None:
            self._load()

    def deactivate(self) -> None:
        if self.lab is not None:
            self.lab.stop()

    def shortcuts(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Arrow keys"), self.tr("Turn the sphere, move a slider")),
            (self.tr("Home"), self.tr("Turn the sphere back")),
        ]

    def _load(self) -> None:
        self.clear_error()
        self.set_state(State.WORKING)
        self.bridge.run(self, load, self._loaded, self._failed, newest="recording")

    def _loaded(self, recording: Recording) -> None:
        if self.lab is None:
            self.lab = MarginLab(recording)
            self._layout.addWidget(self.lab)
        self.set_state(State.READY)

    def _failed(self, error: Exception) -> None:
        self.show_error(error)
        self.set_state(State.ERROR)
