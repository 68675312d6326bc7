"""Small parts of the Enroll page: the chosen face beside its photo, and the list of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QListView, QSizePolicy, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from facegui.faces.types import Face, Quality
from facegui.gui import theme
from facegui.gui.pages.enroll_reading import Reading, Wanted
from facegui.gui.widgets.face_card import CropView, QualityBar
from facegui.gui.widgets.parts import column, label, row
from facegui.gui.widgets.photo_marks import quality_text, reason_advice, reason_text

__all__ = ["FaceDetails", "PhotoList", "PhotoRow", "line_of", "sentence"]

ROW: Final = int(Qt.ItemDataRole.UserRole) + 1
BAD_SHARE: Final = 0.6
GOOD_SHARE: Final = 0.5
"""Of a line, what the words at its right may take at most."""
Index = QModelIndex | QPersistentModelIndex


def sentence(text: str) -> str:
    """Return a text that begins with a capital."""
    return text[:1].upper() + text[1:]


class FaceDetails(QWidget):
    """The exact aligned crop with its quality in words; more widgets may stand below the words."""

    def __init__(self, *below: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.crop = CropView()
        self._title = label("", "emphasis")
        self._bar = QualityBar()
        self._words = label("", wrap=True)
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(policy)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._column = column(self._title, self._bar, self._words, gap="half")
        self._column.setStretch(2, 1)
        for widget in below:
            self._column.addWidget(widget)
        layout = row(self.crop, gap="unit")
        layout.addLayout(self._column, 1)
        layout.setAlignment(self.crop, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setLayout(layout)
        self.set_face(None)

    def set_face(self, face: Face | None, title: str = "", empty: str = "") -> None:
        """Show a face; without one, an outline and the words `empty`."""
        self.crop.set_image(face.crop if face is not None else None)
        quality: Quality | None = face.quality if face is not None else None
        self._title.setText(title)
        self._bar.set_quality(quality)
        self._bar.setVisible(quality is not None)
        words = empty
        if quality is not None and quality.reasons:
            # Only the worst, with what to do; the inspector and the tooltip have all.
            worst = quality.reasons[0]
            words = f"{sentence(reason_text(worst))}. {reason_advice(worst)}"
        elif quality is not None:
            words = sentence(quality_text(quality)) + "."
        self._words.setText(words)
        self._words.setToolTip(quality_text(quality) if quality is not None else "")
        theme.set_role(self._words, "warning" if quality is not None and quality.reasons else "muted")
        self.setAccessibleName(title or self.tr("Aligned face"))
        self.setAccessibleDescription(words)

    @property
    def words(self) -> str:
        """What is said of the face."""
        return self._words.text()


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """One line: name, what was found, icon and its colour role; `bad` lines are pale."""

    number: int
    title: str
    detail: str
    icon: str
    role: str
    bad: bool = False
    tip: str = ""


class PhotoRows(QAbstractListModel):
    """The photos in the order in which they were given."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[PhotoRow] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        item = self.rows[index.row()]
        if role == ROW:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.tip or f"{item.title}\n{item.detail}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{item.title}, {item.detail}"
        return None

    def put(self, item: PhotoRow) -> None:
        """Replace the line of that number, or append it."""
        for place, old in enumerate(self.rows):
            if old.number == item.number:
                self.rows[place] = item
                self.dataChanged.emit(self.index(place), self.index(place))
                return
        self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows))
        self.rows.append(item)
        self.endInsertRows()

    def clear(self) -> None:
        """Remove all lines."""
        self.beginResetModel()
        self.rows = []
        self.endResetModel()


class _Line(QStyledItemDelegate):
    """Icon, name at the left, what was found at the right."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(0, theme.size("control"))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item: PhotoRow = index.data(ROW)
        half, unit = theme.size("half"), theme.size("unit")
        area = QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(theme.color("accent") if state & QStyle.StateFlag.State_HasFocus else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft"))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), theme.size("small_radius"), theme.size("small_radius"))
        length = theme.size("small_icon")
        icon = theme.pixmap(item.icon, item.role, length, painter.device().devicePixelRatioF())
        place = QRectF(area.left() + unit, area.center().y() - length / 2, length, length)
        painter.drawPixmap(place, icon, QRectF(icon.rect()))
        text = area.adjusted(length + 2 * unit, 0, -unit, 0)
        painter.setFont(theme.font("small"))
        metrics = painter.fontMetrics()
        wanted = metrics.horizontalAdvance(item.detail)
        room = min(wanted, int(text.width() * (BAD_SHARE if item.bad else GOOD_SHARE)))
        painter.setPen(theme.color("unsure" if item.bad else "muted"))
        right = text.adjusted(text.width() - room - half, 0, 0, 0)
        shown = metrics.elidedText(item.detail, Qt.TextElideMode.ElideRight, room + half)
        painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(theme.font())
        painter.setPen(theme.color("muted" if item.bad else "text"))
        left = text.adjusted(0, 0, -room - unit - half, 0)
        shown = painter.fontMetrics().elidedText(item.title, Qt.TextElideMode.ElideMiddle, int(left.width()))
        painter.drawText(left, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


class PhotoList(QListView):
    """The photos given, one line each.

    Signals
    -------
    chosen(int)
        Number of the photo that is current now.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = PhotoRows(self)
        self.setModel(self._rows)
        self.setItemDelegate(_Line(self))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Photos"))
        self.selectionModel().currentChanged.connect(self._moved)

    def put(self, item: PhotoRow) -> None:
        """Replace the line of that number, or append it."""
        self._rows.put(item)

    def clear(self) -> None:
        """Remove all lines."""
        self._rows.clear()

    @property
    def lines(self) -> Sequence[PhotoRow]:
        """All lines."""
        return tuple(self._rows.rows)

    def select(self, number: int) -> None:
        """Make a photo current without telling."""
        for place, item in enumerate(self._rows.rows):
            if item.number == number:
                blocked = self.blockSignals(True)
                self.setCurrentIndex(self._rows.index(place))
                self.blockSignals(blocked)

    def _moved(self, now: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(self._rows.rows[now.row()].number)


def line_of(wanted: Wanted, reading: Reading | None, chosen: bool) -> PhotoRow:
    """Return the line of a photo: waiting, useless and why, or how many faces and whether one is a sample."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("PhotoList", text)

    number, title = wanted.number, wanted.title
    tip = str(wanted.source) if isinstance(wanted.source, Path) else title
    if reading is None:
        return PhotoRow(number, title, tr("waiting"), "photo", "disabled", tip=tip)
    if reading.problem:
        icon = "no-face" if reading.frame is not None else "warning"
        return PhotoRow(number, title, reading.problem, icon, "unsure", True, f"{tip}\n{reading.problem}")
    words = tr("1 face") if len(reading.faces) == 1 else tr("{0} faces").format(len(reading.faces))
    if chosen:
        return PhotoRow(number, title, words, "check", "match", tip=tip)
    return PhotoRow(number, title, tr("{0}, left out").format(words), "minus", "muted", tip=tip)
