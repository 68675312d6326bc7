"""What may be wrong among the enrolled people, with the pictures and a mend for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QStackedWidget, QWidget

from facegui.faces.types import Image
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.people_audit_words import dismiss_words, finding_words, kind_title, mend_words
from facegui.gui.widgets.elided_label import ElidedLabel
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.face_card import CropView
from facegui.gui.widgets.parts import button, column, label, row, scrolled
from facegui.gui.widgets.titled_panel import TitledPanel
from facegui.lookalikes.audit import Kind
from facegui.services.auditing import Case, cases

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["AuditPanel", "CaseCard"]

_AT_ONCE: Final = 30


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    cases: tuple[Case, ...]
    crops: dict[int, Image]


class CaseCard(QFrame):
    """One finding. Enter mends it, N says that all is right.

    Signals
    -------
    mendWanted(object, object)
        The case and the mend.
    dismissed(object)
        The case in which all is right.
    opened(int)
        The photo of a sample is wanted.
    moreWanted(int)
        Samples are to be added to a person by hand.
    stepped(int)
        The next card (1) or the one before (-1) is wanted.
    """

    mendWanted = Signal(object, object)
    dismissed = Signal(object)
    opened = Signal(int)
    moreWanted = Signal(int)
    stepped = Signal(int)

    def __init__(self, case: Case, crops: dict[int, Image], *, read_only: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.case = case
        self._read_only = read_only
        theme.set_role(self, "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        finding = case.finding
        words = finding_words(case)
        self.setAccessibleName(f"{kind_title(finding.kind)}. {words}")
        pictures = row(gap="unit")
        owners = [case.person, case.other or case.person]
        for face_id, owner in zip(finding.face_ids, owners, strict=False):
            crop = CropView(side=theme.size("crop") - 2 * theme.size("unit"))
            crop.set_image(crops.get(face_id))
            crop.setAccessibleName(owner)
            name = ElidedLabel("small")
            name.setFixedWidth(theme.size("crop") - 2 * theme.size("unit"))
            name.show_text(owner)
            pictures.addLayout(column(crop, name, gap="half"))
        holder = QWidget()
        holder.setLayout(pictures)
        holder.setFixedWidth(2 * theme.size("crop") - 3 * theme.size("unit"))
        pictures.addStretch(1)
        acts = row(gap="unit")
        self.buttons = []
        for place, how in enumerate(case.mends):
            act = button(
                mend_words(case, how), partial(self.mendWanted.emit, case, how), role="" if place else "primary"
            )
            self.buttons.append(act)
        if finding.kind is Kind.WEAK:
            self.buttons.append(button(self.tr("Add samples…"), lambda: self.moreWanted.emit(finding.person_id)))
        if case.dismissable:
            self.buttons.append(button(dismiss_words(case), lambda: self.dismissed.emit(case), role="quiet"))
        for act in self.buttons:
            act.setDisabled(read_only)
            acts.addWidget(act)
        acts.addStretch(1)
        text = column(label(kind_title(finding.kind), "emphasis"), label(words, wrap=True), gap="half")
        text.addStretch(1)
        text.addLayout(acts)
        across = row(holder, gap="unit", margin="unit")
        across.addLayout(text, 1)
        self.setLayout(across)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if key in steps:
            self.stepped.emit(steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.case.mends and not self._read_only:
            self.mendWanted.emit(self.case, self.case.mends[0])
        elif key == Qt.Key.Key_N and self.case.dismissable and not self._read_only:
            self.dismissed.emit(self.case)
        elif key == Qt.Key.Key_O:
            self.opened.emit(self.case.finding.face_ids[0])
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(self.case.finding.face_ids[0])

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        theme.set_role(self, "chosen-card")

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        theme.set_role(self, "card")


class AuditPanel(TitledPanel):
    """The findings as cards, the gravest first.

    Signals
    -------
    mendWanted(object, object), dismissed(object), opened(int), moreWanted(int)
        As of the cards.
    """

    mendWanted = Signal(object, object)
    dismissed = Signal(object)
    opened = Signal(int)
    moreWanted = Signal(int)
    failed = Signal(object)

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Looking through the people"), parent)
        self._services, self._bridge = services, bridge
        self._read_only = False
        self._found = _Found((), {})
        self.cards: list[CaseCard] = []
        self._place = QWidget()
        self._column = column(gap="unit")
        self._more = button("", lambda: self._fill(len(self._found.cases)), role="link")
        body = column(gap="unit")
        body.addLayout(self._column)
        body.addWidget(self._more)
        body.addStretch(1)
        self._place.setLayout(body)
        self._area = scrolled(self._place, self.tr("Findings"))
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.done = EmptyState("check")
        self.done.activated.connect(self.left)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._area)
        self._stack.addWidget(self.done)
        self.body.addWidget(self._stack, 1)

    def set_read_only(self, read_only: bool) -> None:
        """Offer no mends in a gallery for reading."""
        self._read_only = read_only

    def look(self) -> None:
        """Look through all samples, and show what is found; again after each change."""
        services = self._services

        def read() -> _Found:
            found = cases(services)
            return _Found(found, services.gallery.crops(key for case in found for key in case.finding.face_ids[:2]))

        def failed(error: Exception) -> None:
            self._take(_Found((), {}))
            self.done.show_state("warning", self.tr("The people could not be looked through"), "", role="unsure")
            self.failed.emit(error)

        self._bridge.run(self, read, self._take, failed, newest="audit")

    def _take(self, found: _Found) -> None:
        focused = next((place for place, card in enumerate(self.cards) if card.hasFocus()), 0)
        shown = max(_AT_ONCE, len(self.cards))
        self._clear()
        self._found = found
        count = len(found.cases)
        self.heading.show_text(self.tr("1 finding") if count == 1 else self.tr("{0} findings").format(f"{count:,}"))
        self.done.show_state(
            "check", self.tr("All samples look right"),
            self.tr("None is nearer to somebody else, odd, doubled or weak, and nobody is easily mixed up."),
            self.tr("Show everybody"),
        )  # fmt: skip
        self._stack.setCurrentWidget(self._area if count else self.done)
        self._fill(shown)
        if self.cards and self.isVisible() and not isinstance(QApplication.focusWidget(), QLineEdit):
            self.cards[min(focused, len(self.cards) - 1)].setFocus(Qt.FocusReason.OtherFocusReason)

    def _fill(self, count: int) -> None:
        for case in self._found.cases[len(self.cards) : count]:
            card = CaseCard(case, self._found.crops, read_only=self._read_only)
            card.mendWanted.connect(self.mendWanted)
            card.dismissed.connect(self.dismissed)
            card.opened.connect(self.opened)
            card.moreWanted.connect(self.moreWanted)
            card.stepped.connect(lambda step, card=card: self._step(card, step))
            self._column.addWidget(card)
            card.show()  # now, not with the next layout, so that it can take the keys
            self.cards.append(card)
        self._more.setText(self.tr("Show all {0}").format(f"{len(self._found.cases):,}"))
        self._more.setVisible(len(self.cards) < len(self._found.cases))

    def _step(self, card: CaseCard, step: int) -> None:
        place = self.cards.index(card) + step
        if 0 <= place < len(self.cards):
            self.cards[place].setFocus(Qt.FocusReason.OtherFocusReason)
            self._area.ensureWidgetVisible(self.cards[place])

    def _clear(self) -> None:
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
