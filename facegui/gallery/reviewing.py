"""The user's decisions on who is who: each one write, remembered for good, and undone even after a restart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select, update

from facegui.errors import KnownError
from facegui.gallery import steps
from facegui.gallery.facerows import now
from facegui.gallery.lanes import Lanes, Write
from facegui.gallery.people import clean_name, require_person
from facegui.gallery.records import Change
from facegui.gallery.rows import give, person_for
from facegui.gallery.schema import Answer, Cluster, ClusterFace, Face, ReviewStep
from facegui.gallery.undoing import chunks

__all__ = ["Reviewing"]

Side = tuple[str, int]


class Reviewing(Lanes):
    """Writes of the review. Every method is one step for `undo_review`."""

    def confirm(
        self, cluster_id: int, name: str, *, samples: Sequence[int] = (), faces: Sequence[int] | None = None
    ) -> tuple[int, Change]:
        """Say who a cluster is.

        Parameters
        ----------
        cluster_id : int
        name : str
            The person is made when nobody has this name.
        samples : sequence of int
            Faces of the cluster that become enrolled samples: their best ones.
        faces : sequence of int, optional
            Only these faces were confirmed; all of the cluster by default.

        Returns
        -------
        tuple of int and Change
            The person's id and what changed.

        Raises
        ------
        KnownError
            The name is empty, or cluster or samples are no longer there.
        """
        name = clean_name(name)
        with self._write(undoable=True) as write:
            inside = _faces_of(write, cluster_id)
            sure = inside if faces is None else sorted(set(inside) & set(faces))
            person_id = person_for(write, name)
            write.changing("cluster", [cluster_id])
            write.connection.execute(
                update(Cluster).where(Cluster.id == cluster_id).values(person_id=person_id, hidden=None, postponed=None)
            )
            _place(write, sure)
            if samples:
                give(write, samples, person_id)
            write.people.add(person_id)
            steps.keep(write, f"{len(sure)} faces are {name}" if len(sure) != 1 else f"A face is {name}")
        return person_id, write.change

    def confirm_faces(self, face_ids: Sequence[int]) -> Change:
        """Say that faces are rightly in the clusters they are in; they are not asked about again."""
        with self._write(undoable=True) as write:
            _place(write, face_ids)
            steps.keep(write, "Confirmed faces")
        return write.change

    def reject_faces(self, face_ids: Sequence[int]) -> Change:
        """Say that faces do not belong to their clusters: they leave, and are never suggested for them again."""
        with self._write(undoable=True) as write:
            connection = write.connection
            for face_id in face_ids:
                row = connection.execute(
                    select(Cluster.id, Cluster.person_id)
                    .join(ClusterFace, ClusterFace.cluster_id == Cluster.id)
                    .where(ClusterFace.face_id == face_id)
                ).first()
                if row is None:
                    continue
                other = _spokesman(write, row.id, without=face_ids)
                if row.person_id is not None:
                    _answer(write, ("face", face_id), ("person", row.person_id), same=False)
                if other is not None:
                    _answer(write, ("face", face_id), ("face", other), same=False)
            _leave(write, face_ids)
            steps.keep(write, "Not the same person")
        return write.change

    def join_clusters(self, into: int, others: Sequence[int]) -> Change:
        """Say that clusters are one person."""
        with self._write(undoable=True) as write:
            connection = write.connection
            spokesman = _spokesman(write, into)
            for other in others:
                faces = _faces_of(write, other)
                theirs = _spokesman(write, other)
                if spokesman is not None and theirs is not None:
                    _answer(write, ("face", spokesman), ("face", theirs), same=True)
                write.changing("cluster_face", faces)
                write.faces.update(faces)
                for some in chunks(faces):
                    connection.execute(update(ClusterFace).where(ClusterFace.face_id.in_(some)).values(cluster_id=into))
                write.changing("cluster", [other])
                connection.execute(delete(Cluster).where(Cluster.id == other))
            steps.keep(write, "These are one person")
        return write.change

    def keep_apart(self, one: int, other: int) -> Change:
        """Say that two clusters are not one person; it is not asked again."""
        with self._write(undoable=True) as write:
            sides = []
            for cluster_id in (one, other):
                face = _spokesman(write, cluster_id)
                if face is None:
                    raise _gone()
                sides.append(face)
            _answer(write, ("face", sides[0]), ("face", sides[1]), same=False)
            steps.keep(write, "These are two people")
        return write.change

    def answer(self, one: Side, other: Side, *, same: bool) -> Change:
        """Remember what the user says of two faces or people, each ``("face" or "person", id)``."""
        with self._write(undoable=True) as write:
            _answer(write, one, other, same=same)
            steps.keep(write, "The same person" if same else "Not the same person")
        return write.change

    def people_apart(self) -> frozenset[tuple[int, int]]:
        """Return the pairs of people, the smaller id first, of whom the user said that they are two."""
        query = select(Answer.person_id, Answer.other_person_id).where(
            Answer.person_id.is_not(None), Answer.other_person_id.is_not(None), ~Answer.same
        )
        with self._read() as connection:
            return frozenset(
                (min(one, other), max(one, other))
                for one, other in connection.execute(query)
                if one is not None and other is not None
            )

    def split(self, face_ids: Sequence[int]) -> tuple[int, Change]:
        """Take faces out of their cluster into a new one of their own; return its id.

        Raises
        ------
        KnownError
            They are in no cluster.
        """
        with self._write(undoable=True) as write:
            connection = write.connection
            rows = connection.execute(
                select(ClusterFace.cluster_id, Cluster.model_id)
                .join(Cluster, Cluster.id == ClusterFace.cluster_id)
                .where(ClusterFace.face_id.in_(face_ids))
                .distinct()
            ).all()
            if not rows:
                raise _gone()
            for row in rows:
                stays = _spokesman(write, row.cluster_id, without=face_ids)
                if stays is not None:
                    _answer(write, ("face", min(face_ids)), ("face", stays), same=False)
            values = {"model_id": rows[0].model_id, "created": now()}
            made = int(connection.scalars(insert(Cluster).values(**values).returning(Cluster.id)).one())
            write.added("cluster", [made])
            _move(write, face_ids, made)
            steps.keep(write, "Split off faces")
        return made, write.change

    def move_faces(self, face_ids: Sequence[int], cluster_id: int) -> Change:
        """Put faces into a cluster, for good."""
        with self._write(undoable=True) as write:
            _faces_of(write, cluster_id)
            _move(write, face_ids, cluster_id)
            steps.keep(write, "Moved faces")
        return write.change

    def hide_clusters(self, cluster_ids: Iterable[int], *, hidden: bool = True) -> Change:
        """Hide clusters of strangers, or show them again."""
        return self._mark(cluster_ids, "hidden", hidden, "Hid a stranger" if hidden else "Shown again")

    def postpone_clusters(self, cluster_ids: Iterable[int]) -> Change:
        """Note that the user skipped the question who these are."""
        return self._mark(cluster_ids, "postponed", True, "Skipped")

    def _mark(self, cluster_ids: Iterable[int], column: str, wanted: bool, text: str) -> Change:
        with self._write(undoable=True) as write:
            ids = list(cluster_ids)
            write.changing("cluster", ids)
            for some in chunks(ids):
                values = {column: now() if wanted else None}
                write.connection.execute(update(Cluster).where(Cluster.id.in_(some)).values(**values))
            steps.keep(write, text)
        return write.change

    def review_steps(self, last: int = 20) -> list[str]:
        """Return what the last steps did, newest first."""
        query = select(ReviewStep.text).order_by(ReviewStep.id.desc()).limit(last)
        with self._read() as connection:
            return list(connection.scalars(query))

    def undo_review(self) -> Change | None:
        """Take back the newest step; None when there is none.

        Raises
        ------
        KnownError
            What it changed has been changed again since; the step is forgotten.
        """
        with self._write() as write:
            problem = steps.take_back(write)
        if problem is not None:
            raise problem
        return write.change if write.text else None


def _gone() -> KnownError:
    return KnownError(
        "These faces are no longer together.",
        "They were moved or removed in the meantime.",
        "Look at the people again.",
    )


def _faces_of(write: Write, cluster_id: int) -> list[int]:
    faces = list(write.connection.scalars(select(ClusterFace.face_id).where(ClusterFace.cluster_id == cluster_id)))
    if not faces:
        raise _gone()
    return faces


def _spokesman(write: Write, cluster_id: int, without: Sequence[int] = ()) -> int | None:
    """Return the face that answers for a cluster: a sure one of best quality."""
    query = (
        select(ClusterFace.face_id)
        .join(Face, Face.id == ClusterFace.face_id)
        .where(ClusterFace.cluster_id == cluster_id, ClusterFace.face_id.not_in(without))
        .order_by(ClusterFace.placed.desc(), ClusterFace.seed.desc(), Face.quality.desc(), Face.id)
    )
    return write.connection.scalars(query.limit(1)).first()


def _answer(write: Write, one: Side, other: Side, *, same: bool) -> None:
    """Store an answer in the place of an earlier one about the same two."""
    if (one[0], other[0]) == ("person", "face") or (one[0] == other[0] and one[1] > other[1]):
        one, other = other, one  # each question is written one way only
    if one == other:
        return
    for kind, key in (one, other):
        if kind == "person":
            require_person(write.connection, key)
    values = {
        "face_id": one[1] if one[0] == "face" else None,
        "person_id": one[1] if one[0] == "person" else None,
        "other_face_id": other[1] if other[0] == "face" else None,
        "other_person_id": other[1] if other[0] == "person" else None,
    }
    columns = Answer.__table__.c
    asked = [columns[name] == value if value is not None else columns[name].is_(None) for name, value in values.items()]
    earlier = write.connection.scalars(select(Answer.id).where(*asked)).all()
    write.changing("answer", earlier)
    write.connection.execute(delete(Answer).where(Answer.id.in_(earlier)))
    row = {**values, "same": same, "time": now()}
    write.added("answer", [int(write.connection.scalars(insert(Answer).values(**row).returning(Answer.id)).one())])


def _place(write: Write, face_ids: Sequence[int]) -> None:
    write.changing("cluster_face", face_ids)
    write.faces.update(face_ids)
    for some in chunks(face_ids):
        write.connection.execute(update(ClusterFace).where(ClusterFace.face_id.in_(some)).values(placed=True))


def _leave(write: Write, face_ids: Sequence[int]) -> None:
    write.changing("cluster_face", face_ids)
    write.faces.update(face_ids)
    for some in chunks(face_ids):
        write.connection.execute(delete(ClusterFace).where(ClusterFace.face_id.in_(some)))
    _forget_empty(write)


def _move(write: Write, face_ids: Sequence[int], cluster_id: int) -> None:
    write.changing("cluster_face", face_ids)
    write.faces.update(face_ids)
    for some in chunks(face_ids):
        write.connection.execute(delete(ClusterFace).where(ClusterFace.face_id.in_(some)))
    rows = [
        {"face_id": key, "cluster_id": cluster_id, "similarity": 1.0, "seed": False, "placed": True}
        for key in sorted(set(face_ids))
    ]
    if rows:
        write.connection.execute(insert(ClusterFace), rows)
    _forget_empty(write)


def _forget_empty(write: Write) -> None:
    used = select(ClusterFace.cluster_id).where(ClusterFace.cluster_id == Cluster.id)
    empty = write.connection.scalars(select(Cluster.id).where(~used.exists())).all()
    write.changing("cluster", empty)
    write.connection.execute(delete(Cluster).where(Cluster.id.in_(empty)))
