"""A contact sheet of lookalikes as PDF: painted page by page, in whatever thread writes it."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODeviceBase, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPageLayout, QPageSize, QPainter, QPainterPath, QPdfWriter

from facegui.faces.types import Image, Outcome
from facegui.gui import images, theme
from facegui.lookalikes.result_files import ResultRow, ResultSheet, decision_of, not_written, parts_of
from facegui.matching.wording import format_similarity

__all__ = ["write_pdf"]

_POINTS = 72
"""Of an inch; all lengths below are in points."""
_FINER = 10
"""Dots of the paper in a point, so that letters keep their places."""
_MARGIN, _GAP, _RADIUS = 36.0, 9.0, 5.0
_COLUMNS = 6
_TITLE, _TEXT, _SMALL, _SCORE = 16, 9, 7, 10
_MARKS = {Outcome.MATCH: ("✓", "match"), Outcome.UNSURE: ("?", "unsure"), Outcome.NO_MATCH: ("✕", "no_match")}


def write_pdf(sheet: ResultSheet, rows: Iterable[ResultRow], file: Path) -> Generator[None]:
    """Write a contact sheet; yields after each row. The file is in its place when the iterator is exhausted.

    Raises
    ------
    KnownError
        The file cannot be written.
    """
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.touch()  # a folder that is not there is told before anything is painted
        # Painted into memory, some 15 MB for the largest sheet: Qt does not tell of a disk that is full.
        device = QBuffer()
        device.open(QIODeviceBase.OpenModeFlag.WriteOnly)
        paper = _Paper(device, sheet)
        try:
            for words, row in parts_of(rows, sheet.rule):
                if words:
                    paper.heading(words)
                paper.face(row)
                yield
        finally:
            paper.end()
        beside.write_bytes(device.data().data())
        beside.replace(file)
    except OSError as error:
        raise not_written(file, error) from error
    finally:
        beside.unlink(missing_ok=True)


class _Paper:
    """Pages of A4 that are filled from the top."""

    def __init__(self, device: QBuffer, sheet: ResultSheet) -> None:
        self._sheet = sheet
        self._writer = QPdfWriter(device)
        self._writer.setResolution(_POINTS * _FINER)
        self._writer.setTitle(f"Lookalikes of {sheet.probe}")
        self._writer.setCreator("facegui")
        self._writer.setPageLayout(
            QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF())
        )
        size: QSizeF = self._writer.pageLayout().fullRectPoints().size().toSizeF()
        self._area = QRectF(_MARGIN, _MARGIN, size.width() - 2 * _MARGIN, size.height() - 2 * _MARGIN - 2 * _SMALL)
        self._side = (self._area.width() - (_COLUMNS - 1) * _GAP) / _COLUMNS
        self._painter = QPainter(self._writer)
        self._painter.scale(_FINER, _FINER)
        self._page, self._column = 1, 0
        self._y = self._area.top()
        self._head()

    def end(self) -> None:
        """Finish the last page and close the file."""
        self._foot()
        self._painter.end()

    def heading(self, words: str) -> None:
        """Begin a part."""
        self._new_line()
        if self._y + 2 * _TITLE + self._height > self._area.bottom():
            self._turn()
        self._y += _GAP
        self._text(QRectF(self._area.left(), self._y, self._area.width(), _TITLE + _GAP), words, 12, bold=True)
        self._y += _TITLE + _GAP

    def face(self, row: ResultRow) -> None:
        """Put a face into the next place."""
        if self._column == _COLUMNS:
            self._new_line()
        if self._y + self._height > self._area.bottom():
            self._turn()
        x = self._area.left() + self._column * (self._side + _GAP)
        self._picture(QRectF(x, self._y, self._side, self._side), row.crop)
        outcome = decision_of(row.similarity, self._sheet.rule)
        sign, role = _MARKS[outcome] if outcome is not None else ("", "text")
        score = f"{format_similarity(row.similarity)} {sign}".strip()
        below = QRectF(x, self._y + self._side + 2, self._side, _SCORE + 4)
        self._text(below, score, _SCORE, role, bold=True)
        name = row.person or Path(row.path).name
        self._text(below.translated(0, _SCORE + 3), name, _SMALL, "muted", middle=True)
        self._column += 1

    @property
    def _height(self) -> float:
        return self._side + _SCORE + _SMALL + 10

    def _head(self) -> None:
        area = QRectF(self._area)
        if self._sheet.crop is not None:
            self._picture(QRectF(area.left(), area.top(), self._side, self._side), self._sheet.crop)
            area.setLeft(area.left() + self._side + _GAP)
        self._text(QRectF(area.left(), area.top(), area.width(), _TITLE + 6), f"Lookalikes of {self._sheet.probe}",
                   _TITLE, bold=True, middle=True)  # fmt: skip
        y = area.top() + _TITLE + 10
        for line in self._sheet.lines():
            wrapped = QRectF(area.left(), y, area.width(), 10 * _TEXT)
            y += self._text(wrapped, line, _TEXT, "muted", wrap=True) + 3
        self._y = max(y, self._area.top() + self._side) + _GAP

    def _foot(self) -> None:
        place = QRectF(self._area.left(), self._area.bottom() + _SMALL, self._area.width(), 2 * _SMALL)
        self._text(place, f"facegui · {self._page}", _SMALL, "muted")

    def _new_line(self) -> None:
        if self._column:
            self._y += self._height + _GAP
            self._column = 0

    def _turn(self) -> None:
        self._foot()
        self._writer.newPage()
        self._page += 1
        self._y, self._column = self._area.top(), 0

    def _picture(self, area: QRectF, crop: Image | None) -> None:
        path = QPainterPath()
        path.addRoundedRect(area, _RADIUS, _RADIUS)
        colors = theme.tokens().colors["light"]
        self._painter.fillPath(path, colors["sunken"])
        if crop is not None:
            image: QImage = images.to_qimage(crop)
            self._painter.save()
            self._painter.setClipPath(path)
            self._painter.drawImage(area, image)
            self._painter.restore()

    def _text(
        self, area: QRectF, words: str, points: int, role: str = "text", *, bold: bool = False, wrap: bool = False,
        middle: bool = False,
    ) -> float:  # fmt: skip
        """Write words and return the height that they take; `middle` leaves out what does not fit in the middle."""
        font = QFont(self._painter.font())
        font.setPixelSize(points)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        font.setBold(bold)
        self._painter.setFont(font)
        self._painter.setPen(theme.tokens().colors["light"][role])
        words = words.encode("utf-8", "replace").decode()
        if middle:
            words = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideMiddle, area.width())
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        flag = int(flags) | (int(Qt.TextFlag.TextWordWrap) if wrap else 0)
        taken = self._painter.boundingRect(area, flag, words)
        self._painter.drawText(area, flag, words)
        return math.ceil(taken.height())
