"""People in photos: all faces put together, and what the review needs to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.gallery.clusters import ClusterRecord, Evidence
from facegui.jobs import Job, Progress
from facegui.lookalikes.clusters import ClusterLimits, group
from facegui.matching.calibration import Calibration

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["GroupSummary", "MergeQuestion", "all_faces", "best_samples", "cluster_limits", "group_faces", "may_be_one"]


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """What a run of the grouping found.

    Attributes
    ----------
    faces : int
        Faces that were looked at.
    groups : tuple of ClusterRecord
        Groups of two and more, and people, largest first; hidden ones left out.
    alone : int
        Faces that are in no group.
    seconds : float
        Without reading the database.
    """

    faces: int
    groups: tuple[ClusterRecord, ...]
    alone: int
    seconds: float


@dataclass(frozen=True, slots=True)
class MergeQuestion:
    """Two groups that may be one person.

    Attributes
    ----------
    one, other : int
        Cluster ids.
    similarity : float
        Their average similarity.
    """

    one: int
    other: int
    similarity: float


def cluster_limits(services: Services, calibration: Calibration | None = None) -> ClusterLimits:
    """Return the numbers of the manifest as similarities of the model in use.

    Raises
    ------
    KnownError
        The model is not calibrated, so nobody knows from which similarity two faces are one person.
    """
    calibration = calibration or services.calibration
    if calibration is None:
        raise KnownError(
            f"Faces cannot be grouped with {services.model.title}.",
            "This model is not calibrated: the similarity from which two faces are one person is not known.",
            "Use another model, or calibrate it with `facegui calibrate`.",
        )
    table = services.catalog.tables["clusters"]
    return ClusterLimits(
        join=calibration.threshold_for(float(table["join_fmr"])),
        attach=calibration.threshold_for(float(table["attach_fmr"])),
        seed=float(table["seed_quality"]),
        neighbours=int(table["neighbours"]),
    )


def all_faces(services: Services) -> tuple[NDArray[np.float32], Evidence]:
    """Return the vectors of all indexed and enrolled faces by the model in use, and what else is known of each."""
    gallery, model_id = services.gallery, services.model.sha256
    evidence = gallery.evidence()
    faces, samples = gallery.face_matrix(model_id), gallery.template_matrix(model_id)
    ids = np.concatenate([faces.face_ids, samples.face_ids])
    ids, place = np.unique(ids, return_index=True)
    ids, place = ids[known := np.isin(ids, evidence.face_ids)], place[known]
    vectors = np.empty((len(ids), faces.vectors.shape[1] or samples.vectors.shape[1]), np.float32)
    indexed = place < len(faces.face_ids)
    for mine, source, shift in ((indexed, faces.vectors, 0), (~indexed, samples.vectors, len(faces.face_ids))):
        if mine.any():  # a matrix without rows may be without columns, too
            vectors[mine] = source[place[mine] - shift]
    rows = np.searchsorted(evidence.face_ids, ids)
    return vectors, replace(
        evidence,
        face_ids=ids,
        photo_ids=evidence.photo_ids[rows],
        quality=evidence.quality[rows],
        person_ids=evidence.person_ids[rows],
        clusters=evidence.clusters[rows],
        placed=evidence.placed[rows],
    )


def group_faces(services: Services, *, anew: bool = False) -> Job[GroupSummary]:
    """Return the job that puts all faces together to people and stores the result.

    Faces that are together stay so, new ones join them; with `anew`, only what the user said is kept.

    Raises
    ------
    KnownError
        The model is not calibrated, or the gallery cannot be written.
    """
    limits = cluster_limits(services)
    yield Progress(0, 3, "Reading faces")
    vectors, evidence = all_faces(services)
    yield Progress(1, 3, "Grouping faces")
    start = perf_counter()
    grouped, owners = group(vectors, evidence, limits, anew=anew)
    seconds = perf_counter() - start
    yield Progress(2, 3, "Storing groups")
    gallery = services.gallery
    gallery.store_clusters(services.model.sha256, grouped, owners)
    _take_found_names(services)
    yield Progress(3, 3)
    return GroupSummary(len(vectors), tuple(gallery.clusters()), int((grouped.clusters == -1).sum()), seconds)


def _take_found_names(services: Services) -> None:
    """Suggest for each unnamed group the name that most of its named regions carry."""
    gallery = services.gallery
    found = gallery.found_names()
    if not found:
        return
    names: dict[int, str | None] = {}
    for record in (*gallery.clusters(), *gallery.clusters(hidden=True)):
        votes = Counter(found[face] for face in gallery.cluster_faces(record.id) if face in found)
        best = votes.most_common(1)[0][0] if votes else None
        if record.name != best:
            names[record.id] = best
    gallery.suggest_names(names)


def best_samples(services: Services, faces: Sequence[int], count: int = 5) -> list[int]:
    """Return the faces, all of one person, that would make the best samples: good, typical, and different."""
    gallery = services.gallery
    records = {record.face_id: record for record in gallery.faces(faces)}
    vectors = gallery.embeddings(faces).get(services.model.sha256, {})
    rows = [face for face in faces if face in records and face in vectors]
    if not rows:
        return []
    poor = float(services.catalog.tables["quality"]["poor"])
    good = [face for face in rows if records[face].quality.score >= poor] or rows
    near = float(services.catalog.tables["enrolment"]["near_duplicate"])
    matrix = np.stack([vectors[face] for face in good])
    centre = matrix.mean(0)
    worth = (matrix @ centre) * np.array([max(records[face].quality.score, 0.05) for face in good])
    chosen: list[int] = []
    for place in np.argsort(-worth).tolist():
        if all(float(matrix[place] @ matrix[other]) < near for other in chosen):
            chosen.append(place)
        if len(chosen) == count:
            break
    return [good[place] for place in chosen]


def may_be_one(services: Services, most: int = 20) -> list[MergeQuestion]:
    """Return pairs of groups that are similar, yet not enough to be joined, and about which the user was not asked.

    The most similar come first. Two large groups that are one person would have been joined nearly always, so they
    have to be more similar than a pair with a small one.
    """
    if services.calibration is None:
        return []
    table = services.catalog.tables["clusters"]
    small = services.calibration.threshold_for(float(table["ask_fmr"]))
    large = services.calibration.threshold_for(float(table["ask_large_fmr"]))
    vectors, evidence = all_faces(services)
    inside = np.flatnonzero(evidence.clusters >= 0)
    if not len(inside):
        return []
    shown = {record.id: record for record in services.gallery.clusters()}
    numbers, labels = np.unique(evidence.clusters[inside], return_inverse=True)
    sums = np.zeros((len(numbers), vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors[inside])
    sizes = np.bincount(labels)
    scores = (sums @ sums.T) / (sizes[:, None] * sizes)
    big = sizes >= int(table["large"])
    one, other = np.nonzero(np.triu(scores >= np.where(big[:, None] & big, large, small), 1))
    apart = _apart(evidence, dict(zip(numbers.tolist(), range(len(numbers)), strict=True)), shown)
    questions = []
    for place in np.argsort(-scores[one, other]).tolist():
        a, b = int(one[place]), int(other[place])
        left, right = shown.get(int(numbers[a])), shown.get(int(numbers[b]))
        if left is None or right is None or (a, b) in apart or (left.person_id and right.person_id):
            continue
        if set(evidence.photo_ids[inside[labels == a]]) & set(evidence.photo_ids[inside[labels == b]]):
            continue
        questions.append(MergeQuestion(left.id, right.id, float(scores[a, b])))
        if len(questions) == most:
            break
    return questions


def _apart(evidence: Evidence, rows: dict[int, int], records: Mapping[int, ClusterRecord]) -> set[tuple[int, int]]:
    """Return the pairs of groups of which the user said that they are not one."""
    where = dict(zip(evidence.face_ids.tolist(), evidence.clusters.tolist(), strict=True))
    theirs: dict[int, list[int]] = {}
    for record in records.values():
        if record.person_id is not None:
            theirs.setdefault(record.person_id, []).append(record.id)
    pairs = [(where.get(one, -1), where.get(other, -1)) for one, other in evidence.different.tolist()]
    for face, person in evidence.not_person.tolist():
        pairs += [(where.get(face, -1), number) for number in theirs.get(person, ())]
    found = set()
    for one, other in pairs:
        a, b = rows.get(one), rows.get(other)
        if a is not None and b is not None:
            found.add((min(a, b), max(a, b)))
    return found
