"""The margin lab as a section; the recorded runs are read when it is first shown."""

from __future__ import annotations

from facegui.gui.pages.insights_section import Section
from facegui.gui.pages.margin_lab import MarginLab
from facegui.gui.widgets.parts import column
from facegui.matching.lab import Recording, load

__all__ = ["LabSection"]


class LabSection(Section):
    """Shows the margin lab, or why it cannot be shown."""

    def build(self) -> None:
        self.lab: MarginLab | None = None
        self._layout = column()
        self.content.setLayout(self._layout)
        self.empty.activated.connect(self._load)

    def activate(self) -> None:
        if self.lab is None:
            self._load()

    def deactivate(self) -> None:
        if self.lab is not None:
            self.lab.stop()

    def _load(self) -> None:
        self.error.dismiss()
        self.bridge.run(self, load, self._loaded, self._failed, newest="recording")

    def _loaded(self, recording: Recording) -> None:
        if self.lab is None:
            self.lab = MarginLab(recording)
            self._layout.addWidget(self.lab)
        self.show_content()

    def _failed(self, error: Exception) -> None:
        self.show_error(error)
        self.show_empty(
            "warning", self.tr("The margin lab cannot be shown"), self.tr("The message above says why."),
            self.tr("Try again"),
        )  # fmt: skip
