"""Erasing everything that is remembered of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from facegui.errors import KnownError
from facegui.gallery.records import Counts
from facegui.gui.bridge import Bridge
from facegui.gui.widgets.parts import button, column, label, row

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["EraseRow"]


class EraseRow(QWidget):
    """What would go and what stays, a button, and the question before it happens.

    Signals
    -------
    erased
        Everything is gone.
    failed(Exception)
        Something of it is left, or all of it.
    """

    erased = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge) -> None:
        super().__init__()
        self._services, self._bridge = services, bridge
        self._counts = Counts(0, 0, 0, 0, 0)
        words = self.tr(
            "Everybody enrolled, all faces of photos, history, thumbnails, search index and log. Your photos, "
            "settings, models and backups stay."
        )
        self.ask_button = button(self.tr("Erase everything…"), lambda: self.ask(True), icon="trash")
        self._question = label("", "problem", wrap=True)
        self.erase_now = button(self.tr("Erase for good"), self._erase, role="danger")
        self.keep = button(self.tr("Keep"), lambda: self.ask(False))
        self._sure = QWidget()
        sure = row(gap="unit")
        sure.addWidget(self._question, 1)
        sure.addWidget(self.erase_now)
        sure.addWidget(self.keep)
        self._sure.setLayout(sure)
        across = row(gap="unit")
        across.addLayout(
            column(label(self.tr("Everything about people"), "emphasis"), label(words, "muted", wrap=True), gap="half"),
            1,
        )
        across.addWidget(self.ask_button)
        layout = column(gap="unit")
        layout.addLayout(across)
        layout.addWidget(self._sure)
        self.setLayout(layout)
        self.ask(False)

    def show_counts(self, counts: Counts, *, read_only: bool) -> None:
        """Say how much there is."""
        self._counts = counts
        self.ask_button.setEnabled(not read_only)

    def ask(self, sure: bool) -> None:
        """Ask whether it shall happen, or ask no more."""
        counts = self._counts
        self._question.setText(
            self.tr(
                "People: {0}, faces of photos: {1}, decisions: {2}. Erase all of it for good? This cannot be undone."
            ).format(f"{counts.people:,}", f"{counts.faces:,}", f"{counts.decisions:,}")
        )
        self._sure.setVisible(sure)
        self.ask_button.setVisible(not sure)
        if sure:
            self.keep.setFocus()

    def _erase(self) -> None:
        if self._bridge.working:
            self.failed.emit(
                KnownError(
                    self.tr("Nothing was erased."), self.tr("Something else is going on that may add faces."),
                    self.tr("Cancel it at the bottom of the window or wait for it, then erase."),
                )
            )  # fmt: skip
            return
        self.ask(False)

        def work() -> None:
            from facegui.services.erasing import erase_everything

            erase_everything(self._services)

        self._bridge.run(
            self, work, lambda _: self.erased.emit(), self.failed.emit, lane="write",
            title=self.tr("Erasing everything"),
        )  # fmt: skip
