"""What of a ranking is shown: a side of the threshold, and chips for folder, date, size, quality and the like."""

from __future__ import annotations

from datetime import datetime, time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QWidget

from facegui.gui import theme
from facegui.gui.pages.lookalikes_rows import Part, View
from facegui.gui.pages.lookalikes_threshold import ThresholdStrip
from facegui.gui.widgets.chip import Chip
from facegui.gui.widgets.filter_chips import ChoiceChip, DateChip, FilterChip, LeastChip
from facegui.gui.widgets.flow_layout import FlowLayout
from facegui.gui.widgets.folder_chip import FolderChip
from facegui.gui.widgets.parts import button, column
from facegui.lookalikes.filters import Filters, Sieve
from facegui.matching.calibration import Calibration
from facegui.matching.wording import format_similarity

__all__ = ["FilterBar"]

_LARGEST_FACE = 600.0
_FACE_STEP = 10.0
_HUNDREDTH = 0.01
_QUALITY_STEP = 0.05


class FilterBar(QWidget):
    """The score scale and a line of chips. Nothing of it needs a network to run again.

    Signals
    -------
    changed
        `view` is another one now.
    thresholdMoved
        The threshold, and with it `view`, is another one now.
    """

    changed = Signal()
    thresholdMoved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._person: int | None = None
        self.threshold = ThresholdStrip()
        self.threshold.moved.connect(self.thresholdMoved)
        self._parts = {part: Chip(checkable=True) for part in Part}
        group = QButtonGroup(self)
        for chip in self._parts.values():
            group.addButton(chip)
            chip.clicked.connect(lambda _checked=False: self.changed.emit())
        self._parts[Part.ALL].setChecked(True)
        self.folder = FolderChip()
        self.date = DateChip()
        self.face_size = LeastChip(
            self.tr("Face"), self.tr("The face's shorter side, at least"), _LARGEST_FACE, _FACE_STEP,
            lambda value: self.tr("{0} px").format(round(value)),
        )  # fmt: skip
        self.quality = LeastChip(
            self.tr("Quality"),
            self.tr("Quality, at least"),
            1.0,
            _QUALITY_STEP,
            lambda value: f"{round(value * 100)} %",
        )
        self.least = LeastChip(
            self.tr("Similarity"), self.tr("Similarity, at least"), 1.0, _HUNDREDTH, format_similarity
        )
        self.one_per = ChoiceChip(
            self.tr("Faces"),
            (("", self.tr("Every face")), ("photo", self.tr("One per photo")), ("person", self.tr("One per person"))),
        )
        self.one_per.setToolTip(self.tr("Of each photo or person, show only the most similar face"))
        self._chips: tuple[FilterChip, ...] = (
            self.folder, self.date, self.face_size, self.quality, self.least, self.one_per,
        )  # fmt: skip
        self.clear_link = button(self.tr("Clear filters"), self.clear, role="link")
        chips = QWidget()
        flow = FlowLayout(theme.size("unit"), chips)
        for item in (*self._parts.values(), *self._chips):
            flow.addWidget(item)
        for one in self._chips:
            one.changed.connect(self._filtered)
        self.setLayout(column(self.threshold, chips, gap="half"))
        self.set_calibration(None, 0.0)
        self.set_counts(0, 0, 0, known=0)
        self.clear_link.setVisible(False)

    @property
    def view(self) -> View:
        """What is to be shown."""
        part = next(part for part, chip in self._parts.items() if chip.isChecked())
        rule = self.threshold.rule
        return View(part, rule.threshold if rule is not None else None, self.filters, self._person)

    @property
    def filters(self) -> Filters:
        """What the chips leave out."""
        since, until = self.date.range
        return Filters(
            least=self.least.value if self.least.active else -1.0,
            folder=self.folder.value,
            since=datetime.combine(since, time.min) if since is not None else None,
            until=datetime.combine(until, time.max) if until is not None else None,
            face_size=self.face_size.value,
            quality=self.quality.value,
            one_per=self.one_per.value,  # type: ignore[arg-type]
        )

    @property
    def active(self) -> bool:
        """Whether a chip leaves something out."""
        return any(chip.active for chip in self._chips)

    @property
    def words(self) -> tuple[str, ...]:
        """What is left out, in words."""
        part = () if self._parts[Part.ALL].isChecked() else (self.view.part,)
        said = {Part.SAME: self.tr("only the same person"), Part.LOOKALIKES: self.tr("without the same person")}
        return (*(said[one] for one in part), *(chip.text() for chip in self._chips if chip.active))

    def set_calibration(self, calibration: Calibration | None, target_fmr: float) -> None:
        """Part the faces at the threshold of a false match rate; without a calibration they are all one."""
        self.threshold.set_calibration(calibration, target_fmr)
        for part in (Part.SAME, Part.LOOKALIKES):
            self._parts[part].setVisible(calibration is not None)
        if calibration is None:
            self._parts[Part.ALL].setChecked(True)

    def set_person(self, person_id: int | None) -> None:
        """Say who the probe is, if that is somebody enrolled: they are no lookalike of themselves."""
        self._person = person_id

    def set_sieve(self, sieve: Sieve) -> None:
        """Offer the folders and years of these faces."""
        self.folder.set_folders(sieve.folders)
        self.date.set_years(sieve.years, sieve.dated, len(sieve.ranking))

    def set_counts(self, everything: int, same: int, below: int, *, known: int) -> None:
        """Say how many faces there are, in all and on each side; `known` of those below are the same person."""
        self.threshold.set_counts(below, same)
        self._parts[Part.ALL].setText(self.tr("All {0}").format(f"{everything:,}"))
        self._parts[Part.SAME].setText(self.tr("Same person"))
        self._parts[Part.SAME].setToolTip(self.tr("At or above the threshold: probably the same person"))
        self._parts[Part.LOOKALIKES].setText(self.tr("Lookalikes"))
        words = self.tr("Below the threshold: probably other people. The same person is hidden.")
        if known > 0:
            words += " " + self.tr("So are {0} faces below it that are known to be theirs.").format(f"{known:,}")
        self._parts[Part.LOOKALIKES].setToolTip(words)

    def show_part(self, part: Part) -> None:
        """Show a side of the threshold, or both."""
        self._parts[part].setChecked(True)
        self.changed.emit()

    def clear(self) -> None:
        """Show everything again."""
        for chip in self._chips:
            chip.clear()
        self._filtered()

    def _filtered(self) -> None:
        self.clear_link.setVisible(self.active)
        self.changed.emit()
