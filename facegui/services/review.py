"""The review of people in photos: what there is to ask, and what is to be known before an answer is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from facegui.faces.types import Detection, Embedding, Face
from facegui.gallery.clusters import ClusterRecord
from facegui.gallery.records import Change, PersonRecord
from facegui.matching.enrolment import Enrolled, WarningKind, check
from facegui.services.people import MergeQuestion, best_samples, may_be_one

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = [
    "Doubt", "GroupCheck", "Likeness", "Open", "check_faces", "confirm_group", "likenesses", "name_faces",
    "open_questions",
]  # fmt: skip

_USELESS = frozenset({WarningKind.NEAR_DUPLICATE, WarningKind.UNLIKE_OWN})
SAMPLES = 5
"""Samples that a person gets from photos: from five on, more hardly lower the misses."""


@dataclass(frozen=True, slots=True)
class Open:
    """What there is to ask.

    Attributes
    ----------
    unknown : tuple of ClusterRecord
        Groups of whom nobody has said who they are: those that were skipped come last, large ones first.
    known : tuple of ClusterRecord
        Groups of enrolled people with faces that nobody has confirmed.
    unconfirmed : mapping of int to tuple of int
        These faces, by group.
    merges : tuple of MergeQuestion
        Pairs of groups that may be one person.
    hidden : tuple of ClusterRecord
        Strangers who are not shown.
    groups : mapping of int to ClusterRecord
        All groups that are shown, by id.
    """

    unknown: tuple[ClusterRecord, ...] = ()
    known: tuple[ClusterRecord, ...] = ()
    unconfirmed: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    merges: tuple[MergeQuestion, ...] = ()
    hidden: tuple[ClusterRecord, ...] = ()
    groups: Mapping[int, ClusterRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Likeness:
    """An enrolled person whom faces are like: average similarity of the faces to them."""

    person_id: int
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """Faces look like another person, or are unlike the one whom they are said to be; with their average similarity."""

    kind: WarningKind
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class GroupCheck:
    """What is to be known before faces become somebody's.

    Attributes
    ----------
    samples : tuple of int
        The faces that would become enrolled samples.
    doubts : tuple of Doubt
        Why they may be somebody else, the gravest first.
    weak : bool
        The person would have poor samples only.
    """

    samples: tuple[int, ...]
    doubts: tuple[Doubt, ...]
    weak: bool


def open_questions(services: Services, *, merges: bool = True) -> Open:
    """Return what there is to ask of the indexed faces as they are grouped now; pairs only if wanted."""
    gallery = services.gallery
    groups = gallery.clusters()
    unknown = sorted((one for one in groups if one.person_id is None), key=lambda one: one.postponed is not None)
    waiting = {key: tuple(faces) for key, faces in gallery.unconfirmed().items()}
    known = tuple(one for one in groups if one.id in waiting)
    pairs = tuple(may_be_one(services)) if merges and unknown else ()
    return Open(
        tuple(unknown), known, waiting, pairs, tuple(gallery.clusters(hidden=True)), {one.id: one for one in groups}
    )


def likenesses(services: Services, face_ids: Sequence[int], top: int = 9) -> tuple[Likeness, ...]:
    """Return the enrolled people whom faces may be, the most similar first.

    Those of whom the user said that they are somebody else, and those who are no more alike than strangers, are left
    out.
    """
    least = _least(services)
    asked = set(face_ids)
    refused = {person for face, person in services.gallery.faces_and_people(same=False) if face in asked}
    found = [one for one in _scores(services, face_ids) if one.similarity >= least and one.person_id not in refused]
    return tuple(found[:top])


def _scores(services: Services, face_ids: Sequence[int]) -> list[Likeness]:
    """Return how similar faces are to each enrolled person, on average; the most similar first."""
    gallery, model_id = services.gallery, services.model.sha256
    vectors = gallery.embeddings(face_ids).get(model_id, {})
    matrix = gallery.template_matrix(model_id)
    if not vectors or not len(matrix.people):
        return []
    shrink = float(services.catalog.tables["enrolment"]["template_shrink"])
    people = matrix.means * (matrix.agreement ** np.float32(shrink))[:, None]
    scores = people @ np.stack(list(vectors.values())).mean(0)
    ids = matrix.people.tolist()
    return [Likeness(ids[n], matrix.names[ids[n]], float(scores[n])) for n in np.argsort(-scores).tolist()]


def check_faces(services: Services, name: str, face_ids: Sequence[int]) -> GroupCheck:
    """Choose samples among faces that are to become somebody's, and see whether they may be somebody else.

    Samples are checked as enrolment does, one by one. Whether the faces are like the person or like another is judged
    by all of them together, which is surer than the most similar pair of many.
    """
    gallery, tables, rule = services.gallery, services.catalog.tables, services.rule()
    person = gallery.person_named(name) if name.strip() else None
    wanted = SAMPLES - (person.samples if person is not None else 0)
    ids = best_samples(services, face_ids, SAMPLES) if wanted > 0 else []
    matrix = gallery.template_matrix(services.model.sha256)
    poor, near = float(tables["quality"]["poor"]), float(tables["enrolment"]["near_duplicate"])
    checks = check(
        _faces(services, ids), person.id if person else None,
        Enrolled(matrix.vectors, matrix.person_ids, matrix.names), rule, poor=poor, near_duplicate=near,
    )  # fmt: skip
    kinds = [{warning.kind for warning in one.warnings} for one in checks]
    new = [key for key, found in zip(ids, kinds, strict=True) if not found & _USELESS]
    good = [key for key, found in zip(ids, kinds, strict=True) if not found & (_USELESS | {WarningKind.POOR_QUALITY})]
    has_samples = person is not None and person.samples > 0
    chosen = good or ([] if has_samples else new or ids)
    return GroupCheck(
        tuple(chosen[: max(wanted, 0)]),
        _doubts(services, person, face_ids),
        wanted > 0 and not good and not has_samples,
    )


def _doubts(services: Services, person: PersonRecord | None, face_ids: Sequence[int]) -> tuple[Doubt, ...]:
    rule = services.rule()
    if rule is None:
        return ()
    least = _least(services)
    found = []
    for one in _scores(services, face_ids):
        own = person is not None and one.person_id == person.id
        if own and one.similarity < least:
            found.append(Doubt(WarningKind.UNLIKE_OWN, one.name, one.similarity))
        elif not own and one.similarity >= rule.threshold:
            found.append(Doubt(WarningKind.LOOKS_LIKE_ANOTHER, one.name, one.similarity))
    return tuple(found)


def _least(services: Services) -> float:
    """Return the average similarity below which nobody is taken for somebody; 1 for a model that is not calibrated."""
    if services.calibration is None:
        return 1.0
    return services.calibration.threshold_for(float(services.catalog.tables["clusters"]["ask_fmr"]))


def confirm_group(services: Services, cluster_id: int, name: str) -> Change:
    """Say who a group is; its best faces become samples of theirs."""
    faces = services.gallery.cluster_faces(cluster_id)
    return services.gallery.confirm(cluster_id, name, samples=check_faces(services, name, faces).samples)[1]


def name_faces(services: Services, face_ids: Sequence[int], name: str) -> Change:
    """Say who some faces are, wherever they are; the best become samples of theirs."""
    return services.gallery.name_faces(face_ids, name, check_faces(services, name, face_ids).samples)[1]


def _faces(services: Services, face_ids: Sequence[int]) -> list[Face]:
    """Return stored faces as the chain makes them, in this order."""
    gallery, model_id = services.gallery, services.model.sha256
    records = {record.face_id: record for record in gallery.faces(face_ids)}
    crops, vectors = gallery.crops(face_ids), gallery.embeddings(face_ids).get(model_id, {})
    return [
        Face(
            Detection(records[key].box, records[key].landmarks, records[key].score), crops[key],
            records[key].quality, Embedding(vectors[key], model_id),
        )
        for key in face_ids
    ]  # fmt: skip
