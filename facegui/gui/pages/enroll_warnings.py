"""What is to be known before samples are saved: one line each, with what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from facegui.faces.types import Image
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.enroll_reading import Sample
from facegui.gui.widgets.empty_state import Drawing
from facegui.gui.widgets.face_card import CropView
from facegui.gui.widgets.parts import button, card, column, label, row, scrolled
from facegui.gui.widgets.photo_marks import reason_text
from facegui.matching.enrolment import SampleCheck, WarningKind
from facegui.matching.wording import format_similarity

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Doubt", "WarningCards", "doubts_of"]

ORDER: Final = (
    WarningKind.LOOKS_LIKE_ANOTHER, WarningKind.UNLIKE_OWN, WarningKind.NEAR_DUPLICATE, WarningKind.POOR_QUALITY,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """The samples that have one thing in common.

    Attributes
    ----------
    kind : WarningKind
    places : tuple of int
        Places of the samples in the tray, from 0.
    similarity : float or None
        The most telling one of them.
    worst : int
        Place of the sample that it belongs to.
    person_id, person_name : int, str or None
        Whom they look like.
    """

    kind: WarningKind
    places: tuple[int, ...]
    similarity: float | None
    worst: int
    person_id: int | None = None
    person_name: str | None = None


def doubts_of(checks: Sequence[SampleCheck]) -> list[Doubt]:
    """Gather the warnings of all samples: those of one kind, about one person, become one."""
    found: dict[tuple[WarningKind, int | None], list[tuple[int, float | None, str | None]]] = {}
    for check in checks:
        for warning in check.warnings:
            key = (warning.kind, warning.person_id)
            found.setdefault(key, []).append((check.face_index, warning.similarity, warning.person_name))
    result = []
    for (kind, person_id), items in sorted(found.items(), key=lambda pair: ORDER.index(pair[0][0])):
        unlike = kind is WarningKind.UNLIKE_OWN
        scored = [item for item in items if item[1] is not None] or items
        worst = (min if unlike else max)(scored, key=lambda item: item[1] or 0.0)
        places = tuple(item[0] for item in items)
        result.append(Doubt(kind, places, worst[1], worst[0], person_id, worst[2]))
    return result


class _Comparison(QWidget):
    """The sample beside the most similar sample of the other person, and what can be done."""

    def __init__(self, cards: WarningCards, doubt: Doubt, sample: Sample) -> None:
        super().__init__()
        side = theme.size("crop") - 2 * theme.size("unit")
        self.theirs = CropView(side=side)
        mine = CropView(side=side)
        mine.set_image(sample.face.crop)
        mine.setAccessibleName(self.tr("The new sample"))
        name = doubt.person_name or ""
        self.theirs.setAccessibleName(self.tr("The most similar sample of {0}").format(name))
        left = column(mine, label(self.tr("New"), "small"), gap="half")
        right = column(self.theirs, label(name, "small"), gap="half")
        pair = row(gap="unit")
        pair.addLayout(left)
        pair.addLayout(right)
        pair.addStretch(1)
        join = button(self.tr("Add to {0}").format(name), lambda: cards.add_to.emit(doubt.person_id))
        out = button(self.tr("Leave out"), lambda: cards.leave_out.emit(doubt.places), role="quiet")
        body = column(gap="unit")
        body.addLayout(pair)
        body.addLayout(row(join, out, None))
        self.setLayout(body)

    def show_theirs(self, crop: Image | None) -> None:
        """Show the other person's sample, once it was read."""
        self.theirs.set_image(crop)


class WarningCards(QWidget):
    """The warnings, worst first; as high as they need, up to half of what holds them, and scrolled beyond that.

    Signals
    -------
    leave_out(tuple of int)
        Places of samples that the user does not want any more.
    look_at(int)
        Place of a sample to be shown.
    add_to(int)
        The samples are of this enrolled person.
    """

    leave_out = Signal(object)
    look_at = Signal(int)
    add_to = Signal(int)

    def __init__(self, services: Services, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._doubts: list[Doubt] = []
        self._samples: tuple[Sample, ...] = ()
        self._open: tuple[WarningKind, int | None] | None = None
        self._note = ""
        self._inner = QWidget()
        self._column = column(gap="half")
        self._inner.setLayout(self._column)
        self._inner.installEventFilter(self)
        self._area: QScrollArea = scrolled(self._inner, self.tr("Warnings"))
        self._area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setLayout(column(self._area))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.hide()

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What is shown."""
        return tuple(self._doubts)

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines, as they are read."""
        return tuple(self._text(doubt) for doubt in self._doubts)

    def set_checks(self, checks: Sequence[SampleCheck], samples: Sequence[Sample], note: str = "") -> None:
        """Show the warnings of these samples, and a note on what was not checked."""
        self._doubts = doubts_of(checks)
        self._samples = tuple(samples)
        if self._open not in {(doubt.kind, doubt.person_id) for doubt in self._doubts}:
            self._open = None
        self._note = note
        self._fill()

    def _fill(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for doubt in self._doubts:
            self._column.addWidget(self._card(doubt))
        if self._note:
            self._column.addWidget(label(self._note, "small", wrap=True))
        self.setVisible(bool(self._doubts or self._note))
        self._fit()

    def _fit(self) -> None:
        """Be as high as the lines need at this width, up to a limit."""
        width = max(1, self._area.viewport().width())
        self._column.invalidate()
        wanted = self._column.totalHeightForWidth(width) if self._column.hasHeightForWidth() else -1
        height = max(wanted, self._column.totalSizeHint().height() if wanted < 0 else 0)
        above = self.parentWidget()
        most = above.height() // 2 if above is not None else height
        self._area.setFixedHeight(min(height, max(most, 2 * theme.size("control"))))

    def refit(self) -> None:
        """What holds the warnings has another height now."""
        if self.isVisible():
            self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._fit()
        return super().eventFilter(watched, event)

    def _card(self, doubt: Doubt) -> QFrame:
        sign = Drawing("warning", "unsure")
        sign.setFixedSize(theme.size("badge"), theme.size("badge"))
        text = label(self._text(doubt), wrap=True)
        line = row(sign, gap="unit")
        line.addWidget(text, 1)
        if doubt.kind is WarningKind.LOOKS_LIKE_ANOTHER:
            opened = self._open == (doubt.kind, doubt.person_id)
            words = self.tr("Hide") if opened else self.tr("Show")
            act = button(words, lambda: self._toggle(doubt), role="link")
        elif doubt.kind is WarningKind.UNLIKE_OWN:
            act = button(self.tr("Show"), lambda: self.look_at.emit(doubt.worst), role="link")
        else:
            act = button(self.tr("Leave out"), lambda: self.leave_out.emit(doubt.places), role="link")
        act.setAccessibleName(f"{act.text()}: {text.text()}")
        line.addWidget(act)
        result = card(role="warning-bar", margin="half")
        body = result.layout()
        assert body is not None
        body.setContentsMargins(theme.size("unit"), theme.size("half"), theme.size("half"), theme.size("half"))
        holder = QWidget()
        holder.setLayout(line)
        body.addWidget(holder)
        if doubt.kind is WarningKind.LOOKS_LIKE_ANOTHER and self._open == (doubt.kind, doubt.person_id):
            body.addWidget(self._comparison(doubt))
        return result

    def _toggle(self, doubt: Doubt) -> None:
        key = (doubt.kind, doubt.person_id)
        self._open = None if self._open == key else key
        self._fill()

    def _comparison(self, doubt: Doubt) -> _Comparison:
        sample = self._samples[doubt.worst]
        result = _Comparison(self, doubt, sample)

        def read() -> Image | None:
            for candidate in self._services.identify(sample.face, top=len(self._services.gallery.people())):
                if candidate.person_id == doubt.person_id:
                    return self._services.crop(candidate.nearest_face_id)
            return None

        self._bridge.run(result, read, result.show_theirs)
        return result

    def _text(self, doubt: Doubt) -> str:
        one = len(doubt.places) == 1
        who = self.tr("Sample {0}").format(doubt.places[0] + 1) if one else str(len(doubt.places))
        score = format_similarity(doubt.similarity) if doubt.similarity is not None else ""
        if doubt.kind is WarningKind.LOOKS_LIKE_ANOTHER:
            text = self.tr("{0} looks like {1} ({2})") if one else self.tr("{0} samples look like {1} ({2})")
            return text.format(who, doubt.person_name, score)
        if doubt.kind is WarningKind.UNLIKE_OWN:
            text = self.tr("{0} is unlike the others ({1})") if one else self.tr("{0} samples are unlike others ({1})")
            return text.format(who, score)
        if doubt.kind is WarningKind.NEAR_DUPLICATE:
            text = self.tr("{0} nearly repeats another ({1})") if one else self.tr("{0} samples nearly repeat others")
            return text.format(who, score)
        if one:
            reasons = ", ".join(reason_text(r) for r in self._samples[doubt.places[0]].face.quality.reasons[:2])
            return self.tr("{0} is of poor quality: {1}").format(who, reasons or self.tr("hard to compare"))
        return self.tr("{0} samples are of poor quality").format(who)
