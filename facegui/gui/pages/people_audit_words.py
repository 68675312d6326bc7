"""How findings of the audit and their mends are written."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from facegui.lookalikes.audit import Kind, Mend
from facegui.matching.wording import format_similarity
from facegui.services.auditing import Case

__all__ = ["dismiss_words", "finding_words", "kind_title", "mend_words"]

translate = QCoreApplication.translate
_LONGEST = 20
"""Letters of a name on a button."""


def kind_title(kind: Kind) -> str:
    """Return what is the matter, as a title."""
    return {
        Kind.MISPLACED: translate("Audit", "Perhaps somebody else's"),
        Kind.OUTLIER: translate("Audit", "Unlike the others"),
        Kind.DUPLICATE: translate("Audit", "The same twice"),
        Kind.WEAK: translate("Audit", "One weak sample"),
        Kind.CONFUSED: translate("Audit", "Easily mixed up"),
    }[kind]


def finding_words(case: Case) -> str:
    """Return what was found, with its numbers."""
    finding = case.finding
    score = format_similarity(finding.similarity)
    if finding.kind is Kind.MISPLACED:
        own = format_similarity(finding.own) if finding.own is not None else "–"
        text = translate("Audit", "This sample of {0} is more like {1} ({2}) than like {0}'s other samples ({3}).")
        return text.format(case.person, case.other, score, own)
    if finding.kind is Kind.OUTLIER:
        text = translate("Audit", "This sample is unlike {0}'s other samples ({1} on average).")
        return text.format(case.person, score)
    if finding.kind is Kind.DUPLICATE:
        text = translate(
            "Audit", "Two samples of {0} are nearly the same ({1}). The left one is the poorer and adds nothing."
        )
        return text.format(case.person, score)
    if finding.kind is Kind.WEAK:
        text = translate("Audit", "{0} has a single sample, and it is poor. {0} would often be missed.")
        return text.format(case.person)
    text = translate(
        "Audit",
        "{0} and {1} are so alike ({2} on average) that one passes for the other. Twins, siblings, or one person?",
    )
    return text.format(case.person, case.other, score)


def mend_words(case: Case, how: Mend) -> str:
    """Return what the button of a mend is called."""
    if how is Mend.MOVE:
        return translate("Audit", "Move to {0}").format(_short(case.other or ""))
    if how is Mend.MERGE:
        return translate("Audit", "They are one: merge into {0}").format(_short(case.person))
    if how is Mend.ADD:
        return translate("Audit", "Add the best of their photos")
    return translate("Audit", "Remove the sample")


def dismiss_words(case: Case) -> str:
    """Return how the user says that all is right."""
    if case.finding.kind is Kind.CONFUSED:
        return translate("Audit", "They are two (N)")
    return translate("Audit", "It is {0} (N)").format(_short(case.person))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
