"""How people, their samples and their decisions are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from facegui.faces.types import Outcome
from facegui.gallery.records import DecisionRecord, PersonRecord
from facegui.gui.local_text import date_text
from facegui.gui.widgets.decision_badge import outcome_word
from facegui.matching.wording import format_similarity
from facegui.sources.files import shown_name

__all__ = [
    "decision_rows",
    "delete_question",
    "fold",
    "person_detail",
    "person_facts",
    "photos_text",
    "samples_text",
    "seen_text",
]

_SIGNS = {Outcome.MATCH: "✓", Outcome.UNSURE: "?", Outcome.NO_MATCH: "✕"}
translate = QCoreApplication.translate
_ROLES = {Outcome.MATCH: "good", Outcome.UNSURE: "warning", Outcome.NO_MATCH: "problem"}


def fold(text: str) -> str:
    """Return a text as names are searched: case and accents do not count."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def samples_text(count: int) -> str:
    """Return a number of samples in words."""
    return translate("People", "1 sample") if count == 1 else translate("People", "{0} samples").format(f"{count:,}")


def photos_text(count: int) -> str:
    """Return a number of photos in words."""
    return translate("People", "1 photo") if count == 1 else translate("People", "{0} photos").format(f"{count:,}")


def seen_text(moment: datetime, today: date | None = None) -> str:
    """Return a day as near as it is: today, yesterday, a day of this year, a month of another."""
    day = moment.astimezone().date()
    today = today or datetime.now().astimezone().date()
    if day == today:
        return translate("People", "today")
    if (today - day).days == 1:
        return translate("People", "yesterday")
    pattern = "d MMM" if day.year == today.year else "MMM yyyy"
    return QLocale().toString(QDate(day.year, day.month, day.day), pattern)


def person_detail(person: PersonRecord) -> str:
    """Return the second line of a person's tile."""
    words = samples_text(person.samples)
    return f"{words} · {seen_text(person.last_seen)}" if person.last_seen is not None else words


def person_facts(person: PersonRecord) -> list[tuple[str, str]]:
    """Return what is known of a person as rows of the inspector."""
    seen = date_text(person.last_seen) if person.last_seen is not None else translate("People", "Not yet")
    return [
        (translate("People", "Samples"), f"{person.samples:,}"),
        (translate("People", "Enrolled"), date_text(person.created)),
        (translate("People", "Last seen"), seen),
    ]


def decision_rows(person_id: int, decisions: Sequence[DecisionRecord]) -> list[tuple[str, str, str]]:
    """Return decisions as rows of the inspector: when; sign, word, score and what was compared; role of the colour."""
    rows = []
    for decision in decisions:
        words = f"{_SIGNS[decision.outcome]} {outcome_word(decision.outcome)} {format_similarity(decision.similarity)}"
        if decision.person_id == person_id:
            words = f"{words}\n{shown_name(decision.probe)}"
            role = _ROLES[decision.outcome]
        else:
            words = (
                translate("People", "Next best after {0}").format(decision.person_name or "–")
                + f"\n{shown_name(decision.probe)}"
            )
            role = "muted"
        rows.append((date_text(decision.time) if decision.time else "", words, role))
    return rows


def delete_question(person: PersonRecord, decisions: int) -> str:
    """Return what deleting a person means."""
    parts = [samples_text(person.samples)]
    if decisions:
        parts.append(
            translate("People", "1 decision")
            if decisions == 1
            else translate("People", "{0} decisions").format(f"{decisions:,}")
        )
    what = translate("People", " and ").join(parts)
    return " ".join([
        translate("People", "Delete {0} with {1}?").format(person.name, what),
        translate("People", "You can undo it for some seconds; then it is gone for good."),
        translate("People", "Your photo files stay. Backups and exports made earlier keep what they hold."),
    ])  # fmt: skip
