"""One probe of several photos of one person: which faces are meant, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facegui.errors import KnownError
from facegui.faces.types import Face, Photo, Vector
from facegui.jobs import Job, Progress
from facegui.services.searching import fused_probe

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["Fused", "Member", "fuse", "read_photos"]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One photo of those that make a probe.

    Attributes
    ----------
    photo : Photo
    index : int
        Number of the face that is meant.
    odd : bool
        The others do not resemble it: the similarity to their fused probe is below the threshold.
    """

    photo: Photo
    index: int
    odd: bool = False

    @property
    def face(self) -> Face:
        """The face that is meant."""
        return self.photo.faces[self.index]


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Several photos of one person as one probe.

    Attributes
    ----------
    members : tuple of Member
        Best quality first, odd ones last.
    least : float
        The smallest similarity of two of them, -1..1; 1 for a single one.
    without_face : tuple of str
        Sources in which no face was found.
    failed : tuple of KnownError
        What kept other files from being read.
    """

    members: tuple[Member, ...]
    least: float
    without_face: tuple[str, ...] = ()
    failed: tuple[KnownError, ...] = ()

    @property
    def question(self) -> tuple[Face, ...]:
        """What is looked for."""
        return tuple(member.face for member in self.members)


def read_photos(services: Services, paths: Sequence[Path]) -> Job[Fused]:
    """Return the job that finds the one person of several photos.

    In a photo with several faces the one is meant that is most similar to the faces of those photos that have one
    only; where there is none of these, the largest.
    """
    photos, failed = [], []
    for number, path in enumerate(paths):
        yield Progress(number, len(paths), path.name)
        try:
            photos.append(services.analyse(path))
        except KnownError as error:
            failed.append(error)
    yield Progress(len(paths), len(paths))
    without = tuple(photo.frame.source for photo in photos if not photo.faces)
    seen = [photo for photo in photos if photo.faces]
    single = [photo.faces[0] for photo in seen if len(photo.faces) == 1]
    wanted = _unit(fused_probe(services, single)) if single else None
    members = []
    for photo in seen:
        index = 0
        if len(photo.faces) > 1 and wanted is not None:
            index = int(np.argmax([fused_probe(services, [face]) @ wanted for face in photo.faces]))
        members.append(Member(photo, index))
    fused = fuse(services, members)
    return Fused(fused.members, fused.least, without, tuple(failed))


def fuse(services: Services, members: Sequence[Member]) -> Fused:
    """Tell whether faces that are to be one person's agree, and which of them the others do not resemble."""
    faces = [member.face for member in members]
    if len(faces) < 2:
        return Fused(tuple(members), 1.0)
    vectors = np.stack([fused_probe(services, [face]) for face in faces])
    pairs = (vectors @ vectors.T)[np.triu_indices(len(faces), 1)]
    rule = services.rule()
    odd = set()
    for place, vector in enumerate(vectors):
        others = fused_probe(services, [face for other, face in enumerate(faces) if other != place])
        if rule is not None and float(_unit(others) @ vector) < rule.threshold:
            odd.add(place)
    # Of two that disagree, or of many that all do, nobody can say which is the odd one.
    if 2 * len(odd) >= len(faces):
        odd = set()
    judged = [Member(member.photo, member.index, place in odd) for place, member in enumerate(members)]
    judged.sort(key=lambda member: (member.odd, -member.face.quality.score))
    return Fused(tuple(judged), float(np.clip(pairs.min(), -1.0, 1.0)))


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    unit: Vector = vector / length if length > 0 else vector
    return unit
