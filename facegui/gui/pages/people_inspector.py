"""Beside the people: who is chosen, what was decided about them, and where to go from there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from facegui.gallery.records import DecisionRecord, PersonRecord
from facegui.gui import theme
from facegui.gui.pages.people_words import decision_rows, person_facts
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.face_card import CropView
from facegui.gui.widgets.inspector_panel import InspectorPanel
from facegui.gui.widgets.parts import button, column, label

__all__ = ["PeopleInspector"]


class PeopleInspector(InspectorPanel):
    """Cover, facts, actions, history of decisions.

    Signals
    -------
    acted(str)
        The buttons: ``open``, ``verify``, ``lookalikes``, ``evidence``.
    """

    acted = Signal(str)

    def __init__(self, photo: QWidget, parent: QWidget | None = None) -> None:
        """`photo` is shown below the person, whenever it is not hidden."""
        super().__init__(parent)
        self._asking = False
        self._person_section = self.tr("Person")
        self._history_section = self.tr("Decisions")
        self._cover = CropView(side=theme.size("tile"))
        self._name = ElidedLabel(font=theme.font("emphasis", bold=True))
        self._open = button(self.tr("Show samples"), lambda: self.acted.emit("open"), icon="faces")
        self._verify = button(self.tr("Verify"), lambda: self.acted.emit("verify"), icon="verify")
        self._lookalikes = button(self.tr("Find lookalikes"), lambda: self.acted.emit("lookalikes"), icon="lookalikes")
        self._shown = QWidget()
        self._shown.setLayout(column(self._cover, self._name, self._open, self._verify, self._lookalikes, gap="unit"))
        self._nobody = label(self.tr("Choose a person to see what is known of them."), "muted", wrap=True)
        holder = QWidget()
        holder.setLayout(column(self._shown, self._nobody, photo, gap="unit"))
        self.set_widget(self._person_section, holder)
        self.show_person(None)

    def show_person(
        self, person: PersonRecord | None, cover: QImage | None = None, decisions: Sequence[DecisionRecord] = ()
    ) -> None:
        """Show a person, or that nobody is chosen."""
        self.decisions = tuple(decisions)
        self._shown.setVisible(person is not None)
        self._nobody.setVisible(person is None and not self._asking)
        if person is None:
            self.remove(self.tr("Facts"))
            self.remove(self._history_section)
            self.remove(self.tr("Kept evidence"))
            return
        self._cover.set_image(cover)
        self._name.show_text(person.name)
        self._verify.setEnabled(person.samples > 0)
        self._lookalikes.setEnabled(person.samples > 0)
        self.set_rows(self.tr("Facts"), person_facts(person))
        if decisions:
            self.set_rows(self._history_section, decision_rows(person.id, decisions))
        else:
            none = label(self.tr("Nobody was compared with {0} yet.").format(person.name), "muted", wrap=True)
            self.set_widget(self._history_section, none)
        self.remove(self.tr("Kept evidence"))
        if any(decision.has_evidence for decision in decisions):
            opening = button(self.tr("Show the evidence…"), lambda: self.acted.emit("evidence"))
            self.set_widget(self.tr("Kept evidence"), opening)

    def set_asking(self, asking: bool) -> None:
        """Leave out what is about choosing a person while questions are asked."""
        self._asking = asking
        self._nobody.setVisible(not self._shown.isVisibleTo(self) and not asking)

    def set_opened(self, opened: bool) -> None:
        """Leave out the buttons that the page itself shows while a person is open."""
        for item in (self._open, self._verify, self._lookalikes):
            item.setHidden(opened)
        self._name.setAlignment(Qt.AlignmentFlag.AlignLeft)
