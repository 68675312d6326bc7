"""Which faces are together, what the user said about them, and what else is known for telling people apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from facegui.gallery.facerows import now
from facegui.gallery.lanes import Lanes, Write
from facegui.gallery.records import Change
from facegui.gallery.schema import Answer, Cluster, ClusterFace, Face, Model, NamedRegion, Person
from facegui.gallery.undoing import chunks

__all__ = ["ClusterRecord", "Clusters", "Evidence", "Grouped"]

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of the indexed and enrolled faces beside their vectors, one row per face, by ascending id.

    Attributes
    ----------
    face_ids, photo_ids : ndarray of int64, shape (n,)
    quality : ndarray of float32, shape (n,)
    person_ids : ndarray of int64, shape (n,)
        The person whose sample a face is, or whose cluster the user put it into; -1 for nobody.
    clusters : ndarray of int64, shape (n,)
        Where the face is now, -1 for nowhere.
    placed : ndarray of bool, shape (n,)
        Whether the user put it there.
    same, different : ndarray of int64, shape (p, 2)
        Answers about two faces, by face id.
    not_person : ndarray of int64, shape (q, 2)
        Face id and the person whom the user said it is not.
    """

    face_ids: Ids
    photo_ids: Ids
    quality: NDArray[np.float32]
    person_ids: Ids
    clusters: Ids
    placed: NDArray[np.bool_]
    same: Ids
    different: Ids
    not_person: Ids


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """A clustering to be stored, one row per face; -1 in `clusters` is a face by itself.

    Numbers that exist in the gallery stay, others (negative from -2 on, or unknown) become new clusters.
    """

    face_ids: Ids
    clusters: Ids
    similarities: NDArray[np.float32]
    seeds: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """Faces that are probably one person.

    Attributes
    ----------
    id : int
    faces : int
    photos : int
    cover_face_id : int
        The seed of best quality.
    person_id, person : int, str or None
        Who they are, once confirmed.
    name : str or None
        A name found in photos or sidecars, not confirmed.
    hidden, postponed : datetime or None
    """

    id: int
    faces: int
    photos: int
    cover_face_id: int
    person_id: int | None
    person: str | None
    name: str | None
    hidden: datetime | None
    postponed: datetime | None


class Clusters(Lanes):
    """Reading and storing clusters."""

    def evidence(self) -> Evidence:
        """Return what is known of all faces of the index and all samples."""
        query = (
            select(
                Face.id, Face.photo_id, Face.quality, Face.person_id,
                ClusterFace.cluster_id, ClusterFace.placed, Cluster.person_id,
            )
            .outerjoin(ClusterFace, ClusterFace.face_id == Face.id)
            .outerjoin(Cluster, Cluster.id == ClusterFace.cluster_id)
            .where(Face.indexed | Face.person_id.is_not(None))
            .order_by(Face.id)
        )  # fmt: skip
        with self._read() as connection:
            rows = connection.execute(query).all()
            answers = connection.execute(
                select(Answer.same, Answer.face_id, Answer.other_face_id, Answer.other_person_id).where(
                    Answer.face_id.is_not(None)
                )
            ).all()
        owners = [own if own is not None else (theirs if placed else None) for *_, own, _, placed, theirs in rows]
        pairs = {
            said: [(a.face_id, a.other_face_id) for a in answers if a.same == said and a.other_face_id is not None]
            for said in (True, False)
        }
        strangers = [(a.face_id, a.other_person_id) for a in answers if not a.same and a.other_person_id is not None]
        return Evidence(
            _ids([row[0] for row in rows]),
            _ids([row[1] for row in rows]),
            np.array([row[2] for row in rows], np.float32),
            _ids([-1 if owner is None else owner for owner in owners]),
            _ids([-1 if row[4] is None else row[4] for row in rows]),
            np.array([bool(row[5]) for row in rows], bool),
            _pairs(pairs[True]),
            _pairs(pairs[False]),
            _pairs(strangers),
        )

    def store_clusters(self, model_id: str, grouped: Grouped, owners: Mapping[int, int]) -> Change:
        """Store a clustering; faces that the user has placed, or that changed hands meanwhile, stay where they are.

        Parameters
        ----------
        model_id : str
            sha256 of the model that made it.
        grouped : Grouped
        owners : mapping of int to int
            The enrolled people that groups belong to, by the numbers of `grouped`.
        """
        with self._write() as write:
            connection = write.connection
            model = connection.scalars(select(Model.id).where(Model.sha256 == model_id)).first()
            if model is None:
                return write.change
            known = set(connection.scalars(select(Cluster.id)))
            wanted = grouped.clusters
            fresh = [number for number in np.unique(wanted)[::-1].tolist() if number != -1 and number not in known]
            numbers = _new_clusters(connection, model, len(fresh))
            renamed = dict(zip(fresh, numbers, strict=True))
            before = {row.face_id: row for row in connection.execute(select(ClusterFace))}
            present = set(connection.scalars(select(Face.id)))
            rows = []
            gone = []
            for face, number, similarity, seed in zip(
                grouped.face_ids.tolist(), wanted.tolist(), grouped.similarities.tolist(), grouped.seeds.tolist(),
                strict=True,
            ):  # fmt: skip
                old = before.get(face)
                if face not in present or (old is not None and old.placed):
                    continue
                target = renamed.get(number, number)
                if target == -1:
                    gone += [face] if old is not None else []
                elif old is None or (old.cluster_id, old.seed) != (target, seed) or old.similarity != similarity:
                    rows.append(
                        {"face_id": face, "cluster_id": target, "similarity": similarity, "seed": seed, "placed": False}
                    )
            _replace(write, gone, rows)
            people = set(connection.scalars(select(Person.id)))
            for number, person in owners.items():
                if person in people:
                    mine = Cluster.id == renamed.get(number, number)
                    connection.execute(update(Cluster).where(mine).values(person_id=person))
            _drop_empty(write)
            write.text = "Grouped faces"
        return write.change

    def clusters(self, *, hidden: bool = False) -> list[ClusterRecord]:
        """Return the clusters of two faces and more, and all that are somebody; largest first.

        Parameters
        ----------
        hidden : bool
            Those that the user has hidden, instead of the others.
        """
        several = (func.count(ClusterFace.face_id) > 1) | Cluster.person_id.is_not(None)
        return self._clusters(several, Cluster.hidden.is_not(None) if hidden else Cluster.hidden.is_(None))

    def cluster(self, cluster_id: int) -> ClusterRecord | None:
        """Return a cluster, however small, or None when it is no longer there."""
        return next(iter(self._clusters(func.count(ClusterFace.face_id) > 0, Cluster.id == cluster_id)), None)

    def clusters_of(self, person_id: int) -> list[int]:
        """Return the clusters that are a person, largest first."""
        found = self._clusters(func.count(ClusterFace.face_id) > 0, Cluster.person_id == person_id)
        return [record.id for record in found]

    def unconfirmed(self) -> dict[int, list[int]]:
        """Return the faces that runs have put into clusters of enrolled people, by cluster; the most typical first.

        The user has not said of any of them that it is rightly there, and none is a sample.
        """
        query = (
            select(ClusterFace.cluster_id, ClusterFace.face_id)
            .join(Cluster, Cluster.id == ClusterFace.cluster_id)
            .join(Face, Face.id == ClusterFace.face_id)
            .where(Cluster.person_id.is_not(None), ~ClusterFace.placed, Face.person_id.is_(None))
            .order_by(ClusterFace.cluster_id, ClusterFace.similarity.desc(), ClusterFace.face_id)
        )
        found: dict[int, list[int]] = {}
        with self._read() as connection:
            for cluster_id, face_id in connection.execute(query):
                found.setdefault(cluster_id, []).append(face_id)
        return found

    def _clusters(self, having: ColumnElement[bool], *wanted: ColumnElement[bool]) -> list[ClusterRecord]:
        cover = (
            select(Face.id)
            .join(ClusterFace, ClusterFace.face_id == Face.id)
            .where(ClusterFace.cluster_id == Cluster.id)
            .order_by(ClusterFace.seed.desc(), Face.quality.desc(), Face.id)
            .limit(1)
            .correlate(Cluster)
            .scalar_subquery()
        )
        faces = func.count(ClusterFace.face_id)
        query = (
            select(
                Cluster.id, faces, func.count(Face.photo_id.distinct()), cover, Cluster.person_id, Person.name,
                Cluster.name, Cluster.hidden, Cluster.postponed,
            )
            .join(ClusterFace, ClusterFace.cluster_id == Cluster.id)
            .join(Face, Face.id == ClusterFace.face_id)
            .outerjoin(Person, Person.id == Cluster.person_id)
            .where(*wanted)
            .group_by(Cluster.id)
            .having(having)
            .order_by(faces.desc(), Cluster.id)
        )  # fmt: skip
        with self._read() as connection:
            return [ClusterRecord(*row) for row in connection.execute(query)]

    def cluster_faces(self, cluster_id: int) -> list[int]:
        """Return the faces of a cluster, the most typical first."""
        query = (
            select(ClusterFace.face_id)
            .where(ClusterFace.cluster_id == cluster_id)
            .order_by(ClusterFace.seed.desc(), ClusterFace.similarity.desc(), ClusterFace.face_id)
        )
        with self._read() as connection:
            return list(connection.scalars(query))

    def confirmed(self, cluster_id: int) -> list[int]:
        """Return the faces of a cluster that the user said are rightly there, the most typical first."""
        query = (
            select(ClusterFace.face_id)
            .where(ClusterFace.cluster_id == cluster_id, ClusterFace.placed)
            .order_by(ClusterFace.similarity.desc(), ClusterFace.face_id)
        )
        with self._read() as connection:
            return list(connection.scalars(query))

    def found_names(self) -> dict[int, str]:
        """Return the names that other programs had given to faces of the index, by face id."""
        query = select(NamedRegion.face_id, NamedRegion.name).where(NamedRegion.face_id.is_not(None))
        with self._read() as connection:
            return {face: name for face, name in connection.execute(query) if face is not None}

    def suggest_names(self, names: dict[int, str | None]) -> Change:
        """Give clusters names that were found, not confirmed; by cluster id."""
        with self._write() as write:
            rows = [{"known_id": key, "name": name} for key, name in names.items()]
            if rows:
                write.connection.execute(update(Cluster.__table__).where(Cluster.id == bindparam("known_id")), rows)  # type: ignore[arg-type]
            write.text = "Took names from photos"
        return write.change


def _ids(values: Sequence[int]) -> Ids:
    return np.array(values, np.int64)


def _pairs(values: Sequence[tuple[int, int | None]]) -> Ids:
    return np.array(values, np.int64).reshape(-1, 2)


def _new_clusters(connection: Connection, model: int, count: int) -> list[int]:
    if not count:
        return []
    values = {"model_id": model, "person_id": None, "created": now(), "name": None, "hidden": None, "postponed": None}
    made = insert(Cluster).returning(Cluster.id, sort_by_parameter_order=True)
    return list(connection.scalars(made, [values] * count))


def _replace(write: Write, gone: list[int], rows: list[dict[str, object]]) -> None:
    """Take faces out of their clusters and put others into theirs."""
    leaving = [*gone, *(int(str(row["face_id"])) for row in rows)]
    for some in chunks(leaving):
        write.connection.execute(delete(ClusterFace).where(ClusterFace.face_id.in_(some)))
    if rows:
        write.connection.execute(insert(ClusterFace), rows)
    write.faces.update(leaving)


def _drop_empty(write: Write) -> None:
    """Delete clusters that no face is in any more."""
    used = select(ClusterFace.cluster_id).where(ClusterFace.cluster_id == Cluster.id)
    write.connection.execute(delete(Cluster).where(~used.exists()))
