"""Dates are written as people of that language write them, and readably where no language is set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from PySide6.QtCore import QLocale

from facegui.gui.local_text import date_text

MOMENT = datetime(2026, 11, 26, 9, 5)


@pytest.fixture(autouse=True)
def locale() -> Iterator[None]:
    before = QLocale()
    yield
    QLocale.setDefault(before)


@pytest.mark.parametrize(
    ("name", "day", "moment"),
    [
        ("C", "26 Nov 2026", "26 Nov 2026 09:05"),
        ("en_GB", "26/11/2026", "26/11/2026 09:05"),
        ("de_DE", "26.11.26", "26.11.26 09:05"),
    ],
)
def test_dates_follow_the_language(name: str, day: str, moment: str) -> None:
    QLocale.setDefault(QLocale(name))
    assert date_text(MOMENT, day_only=True) == day
    assert date_text(MOMENT).replace("\N{NARROW NO-BREAK SPACE}", " ").replace(", ", " ") == moment
