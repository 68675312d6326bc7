"""The audit of the enrolled people, and its mends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegui.errors import KnownError
from facegui.gallery.records import Change
from facegui.lookalikes.audit import AuditLimits, Finding, Mend, audit

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["audit_gallery", "dismiss", "mend"]


def audit_gallery(services: Services) -> tuple[Finding, ...]:
    """Look through all samples of the model in use.

    Raises
    ------
    KnownError
        The model is not calibrated.
    """
    rule = services.rule()
    if rule is None:
        raise KnownError(
            f"People enrolled with {services.model.title} cannot be looked through.",
            "This model is not calibrated: the similarity from which two faces are one person is not known.",
            "Use another model, or calibrate it with `facegui calibrate`.",
        )
    tables = services.catalog.tables
    limits = AuditLimits(
        match=rule.threshold,
        no_match=rule.unsure_low,
        near_duplicate=float(tables["enrolment"]["near_duplicate"]),
        poor=float(tables["quality"]["poor"]),
    )
    gallery = services.gallery
    return audit(gallery.template_matrix(services.model.sha256), limits, gallery.people_apart())


def mend(services: Services, finding: Finding) -> Change:
    """Do what a finding proposes; the change can be undone.

    Raises
    ------
    ValueError
        It proposes nothing that can be done without the user, such as adding samples.
    KnownError
        Sample or person is no longer there.
    """
    gallery = services.gallery
    if finding.mend is Mend.MOVE and finding.other_id is not None:
        return gallery.move_sample(finding.face_ids[0], finding.other_id)
    if finding.mend is Mend.REMOVE:
        return gallery.remove_samples([finding.face_ids[0]])
    if finding.mend is Mend.MERGE and finding.other_id is not None:
        return gallery.merge(finding.person_id, finding.other_id)
    raise ValueError(f"{finding.mend} needs the user")


def dismiss(services: Services, finding: Finding) -> Change:
    """Remember that two people who are hard to tell apart are two, so that it is not told again."""
    if finding.other_id is None:
        raise ValueError("only a finding about two people can be dismissed")
    return services.gallery.answer(("person", finding.person_id), ("person", finding.other_id), same=False)
