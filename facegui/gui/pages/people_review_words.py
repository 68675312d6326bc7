"""What the review says and asks, and what its buttons are called."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from facegui.gui.pages.people_queue import Ask, Question
from facegui.gui.pages.people_words import photos_text
from facegui.services.review import Open

__all__ = ["done_words", "heading_words", "kind_words", "no_words", "yes_words"]

translate = QCoreApplication.translate
_LONGEST = 16
"""Letters of a name on a button."""


def kind_words(ask: Ask) -> str:
    """Return what the chip of a kind of questions is called."""
    return {
        Ask.WHO: translate("Review", "Who is this?"), Ask.MORE: translate("Review", "New photos"),
        Ask.MERGE: translate("Review", "The same person?"), Ask.HIDDEN: translate("Review", "Strangers"),
    }.get(ask, "")  # fmt: skip


def heading_words(question: Question, known: Open, who: str) -> str:
    """Return the question itself; `who` is the person whom it is about."""
    group = known.groups.get(question.group) or next((one for one in known.hidden if one.id == question.group), None)
    count = photos_text(group.photos if group is not None else 0)
    if question.ask is Ask.WHO:
        return translate("Review", "Who is this? {0}").format(count)
    if question.ask is Ask.MORE:
        waiting = photos_text(len(known.unconfirmed.get(question.group, ())))
        return translate("Review", "Is this {0}? {1}").format(who, waiting)
    if question.ask is Ask.MERGE:
        return translate("Review", "Are these one person?")
    if question.ask is Ask.HIDDEN:
        return translate("Review", "A stranger, hidden. {0}").format(count)
    return translate("Review", "Photos of {0}").format(who)


def yes_words(ask: Ask, name: str) -> str:
    """Return what the button of Enter is called; `name` is what was typed."""
    if ask is Ask.WHO and name:
        short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        return translate("Review", "This is {0} (Enter)").format(short)
    return {
        Ask.WHO: translate("Review", "Name… (Enter)"), Ask.MORE: translate("Review", "Yes (Enter)"),
        Ask.MERGE: translate("Review", "The same (Enter)"), Ask.HIDDEN: translate("Review", "Show again (Enter)"),
        Ask.THEIRS: translate("Review", "All right (Enter)"),
    }[ask]  # fmt: skip


def no_words(chosen: int) -> str:
    """Return what the button of N is called while so many faces are chosen."""
    if not chosen:
        return translate("Review", "Not the same (N)")
    return translate("Review", "Not this one (N)") if chosen == 1 else translate("Review", "Not these (N)")


def done_words(*, working: bool, skipped: bool) -> tuple[str, str, str]:
    """Return title, text and action for when there is nothing to ask."""
    if working:
        text = translate("Review", "Questions appear here as soon as the faces are grouped.")
        return translate("Review", "Looking for people"), text, ""
    if skipped:
        return translate("Review", "Nothing else to ask"), "", translate("Review", "Ask again what was skipped")
    text = translate("Review", "New questions come with new photos.")
    return translate("Review", "Nothing to ask"), text, translate("Review", "Show everybody")
