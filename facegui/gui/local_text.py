"""Dates and sizes as the user's language writes them."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QDate, QDateTime, QLocale, QTime

__all__ = ["date_text", "size_text"]

_DAY = "d MMM yyyy"


def size_text(count: int) -> str:
    """Return a number of bytes, such as ``2.4 MB``."""
    return QLocale().formattedDataSize(count, 1, QLocale.DataSizeFormat.DataSizeTraditionalFormat)


def date_text(moment: datetime, *, day_only: bool = False) -> str:
    """Return a day and a time; an aware moment in local time."""
    local = moment.astimezone() if moment.tzinfo is not None else moment
    day = QDate(local.year, local.month, local.day)
    locale, short = QLocale(), QLocale.FormatType.ShortFormat
    if locale.language() == QLocale.Language.C:  # its short form is "26 11 2026", which nobody writes
        return locale.toString(QDateTime(day, QTime(local.hour, local.minute)), _DAY if day_only else f"{_DAY} HH:mm")
    if day_only:
        return locale.toString(day, short)
    return locale.toString(QDateTime(day, QTime(local.hour, local.minute)), short)
