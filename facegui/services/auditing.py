"""The audit of the enrolled people, and its mends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facegui.errors import KnownError
from facegui.gallery.records import Change
from facegui.lookalikes.audit import AuditLimits, Finding, Kind, Mend, audit
from facegui.services.review import check_faces

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["Case", "audit_gallery", "cases", "dismiss", "mend", "spare_faces"]

_MENDS = {
    Kind.MISPLACED: (Mend.MOVE, Mend.REMOVE),
    Kind.OUTLIER: (Mend.REMOVE,),
    Kind.DUPLICATE: (Mend.REMOVE,),
    Kind.WEAK: (Mend.ADD,),
    Kind.CONFUSED: (Mend.MERGE,),
}
_DISMISSED = frozenset({Kind.MISPLACED, Kind.OUTLIER, Kind.CONFUSED})


@dataclass(frozen=True, slots=True)
class Case:
    """A finding as it is shown.

    Attributes
    ----------
    finding : Finding
    person : str
    other : str or None
        The other person's name.
    mends : tuple of Mend
        What can be done at once, the best first; empty for a weak sample of somebody without photos to add.
    dismissable : bool
        Whether the user may say that all is right.
    """

    finding: Finding
    person: str
    other: str | None
    mends: tuple[Mend, ...]
    dismissable: bool


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
    sure = gallery.faces_and_people(same=True)
    return audit(gallery.template_matrix(services.model.sha256), limits, gallery.people_apart(), sure)


def cases(services: Services) -> tuple[Case, ...]:
    """Look through all samples, and return what was found with names and with what can be done about it."""
    names = services.gallery.template_matrix(services.model.sha256).names
    found = []
    for finding in audit_gallery(services):
        mends = _MENDS[finding.kind]
        if finding.kind is Kind.WEAK and not spare_faces(services, finding.person_id):
            mends = ()
        other = names.get(finding.other_id, "") if finding.other_id is not None else None
        found.append(Case(finding, names[finding.person_id], other, mends, finding.kind in _DISMISSED))
    return tuple(found)


def spare_faces(services: Services, person_id: int) -> tuple[int, ...]:
    """Return confirmed faces in photos that would make good samples of a person."""
    gallery = services.gallery
    person = gallery.person(person_id)
    if person is None:
        return ()
    mine = {sample.face_id for sample in gallery.samples(person_id)}
    faces = [face for key in gallery.clusters_of(person_id) for face in gallery.confirmed(key) if face not in mine]
    return check_faces(services, person.name, faces).samples if faces else ()


def mend(services: Services, finding: Finding, how: Mend | None = None) -> Change:
    """Do what a finding proposes, or another mend that suits it; the change can be undone.

    Raises
    ------
    ValueError
        It proposes nothing of the kind.
    KnownError
        Sample or person is no longer there, or there is no photo to add.
    """
    gallery = services.gallery
    how = how or finding.mend
    if how is Mend.MOVE and finding.other_id is not None:
        return gallery.move_sample(finding.face_ids[0], finding.other_id)
    if how is Mend.REMOVE:
        return gallery.remove_samples([finding.face_ids[0]])
    if how is Mend.MERGE and finding.other_id is not None:
        return gallery.merge(finding.person_id, finding.other_id)
    if how is Mend.ADD:
        person, faces = gallery.person(finding.person_id), spare_faces(services, finding.person_id)
        if person is None or not faces:
            raise KnownError(
                "There is no photo to add.",
                "None that was confirmed as this person's is good enough, or all are samples already.",
                "Add samples on the Enroll page.",
            )
        return gallery.enroll_faces(person.name, faces)[1]
    raise ValueError(f"{how} does not suit {finding.kind}")


def dismiss(services: Services, finding: Finding) -> Change:
    """Remember that all is right, so that it is not told again: two people are two, a sample is its person's."""
    if finding.kind not in _DISMISSED:
        raise ValueError("only a finding about two people or a sample in doubt can be dismissed")
    if finding.kind is Kind.CONFUSED:
        other = ("person", finding.other_id or 0)
        return services.gallery.answer(("person", finding.person_id), other, same=False)
    return services.gallery.answer(("face", finding.face_ids[0]), ("person", finding.person_id), same=True)
