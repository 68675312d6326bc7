"""The user's decisions on who is who: each one write, remembered for good, and undone even after a restart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from facegui.errors import KnownError
from facegui.gallery import placing, steps
from facegui.gallery.facerows import now
from facegui.gallery.lanes import Lanes
from facegui.gallery.people import clean_name
from facegui.gallery.placing import Side
from facegui.gallery.records import Change
from facegui.gallery.rows import give, person_for
from facegui.gallery.schema import Answer, Cluster, ClusterFace, ReviewStep
from facegui.gallery.undoing import chunks

__all__ = ["Reviewing"]


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
            The name is empty, cluster or samples are no longer there, or somebody else was named in the meantime.
        """
        name = clean_name(name)
        with self._write(undoable=True) as write:
            inside = placing.faces_of(write, cluster_id)
            sure = inside if faces is None else sorted(set(inside) & set(faces))
            person_id = person_for(write, name)
            placing.refuse_another(write, cluster_id, person_id)
            write.changing("cluster", [cluster_id])
            write.connection.execute(
                update(Cluster).where(Cluster.id == cluster_id).values(person_id=person_id, hidden=None, postponed=None)
            )
            placing.place(write, sure)
            if samples:
                give(write, samples, person_id)
            write.people.add(person_id)
            steps.keep(write, f"{len(sure)} faces are {name}" if len(sure) != 1 else f"A face is {name}")
        return person_id, write.change

    def confirm_faces(self, face_ids: Sequence[int]) -> Change:
        """Say that faces are rightly in the clusters they are in; they are not asked about again."""
        with self._write(undoable=True) as write:
            placing.place(write, face_ids)
            steps.keep(write, "Confirmed faces")
        return write.change

    def reject_faces(self, face_ids: Sequence[int]) -> Change:
        """Say that faces do not belong to their clusters: they leave, and are never suggested for them again."""
        with self._write(undoable=True) as write:
            placing.part(write, face_ids)
            placing.leave(write, face_ids)
            steps.keep(write, "Not the same person")
        return write.change

    def join_clusters(self, into: int, others: Sequence[int]) -> Change:
        """Say that clusters are one person; when it is known who, that is known of all their faces from now on.

        Raises
        ------
        KnownError
            The clusters are those of two enrolled people, who would have to be merged.
        """
        with self._write(undoable=True) as write:
            connection = write.connection
            named = connection.execute(
                select(Cluster.id, Cluster.person_id)
                .where(Cluster.id.in_([into, *others]), Cluster.person_id.is_not(None))
                .order_by(Cluster.id != into, Cluster.id)
            ).all()
            if len({row.person_id for row in named}) > 1:
                raise KnownError(
                    "These are two enrolled people.", "Each of them has samples of their own.", "Merge the two people."
                )
            if named and named[0].id != into:
                into, others = named[0].id, [into, *(one for one in others if one != named[0].id)]
            spokesman = placing.spokesman(write, into)
            moved: list[int] = []
            for other in others:
                faces = placing.faces_of(write, other)
                moved += faces
                theirs = placing.spokesman(write, other)
                if spokesman is not None and theirs is not None:
                    placing.answer(write, ("face", spokesman), ("face", theirs), same=True)
                write.changing("cluster_face", faces)
                write.faces.update(faces)
                for some in chunks(faces):
                    connection.execute(update(ClusterFace).where(ClusterFace.face_id.in_(some)).values(cluster_id=into))
                write.changing("cluster", [other])
                connection.execute(delete(Cluster).where(Cluster.id == other))
            if named:
                placing.place(write, moved)
            steps.keep(write, "These are one person")
        return write.change

    def keep_apart(self, one: int, other: int) -> Change:
        """Say that two clusters are not one person; it is not asked again."""
        with self._write(undoable=True) as write:
            sides = []
            for cluster_id in (one, other):
                face = placing.spokesman(write, cluster_id)
                if face is None:
                    raise placing.gone()
                sides.append(face)
            placing.answer(write, ("face", sides[0]), ("face", sides[1]), same=False)
            steps.keep(write, "These are two people")
        return write.change

    def answer(self, one: Side, other: Side, *, same: bool) -> Change:
        """Remember what the user says of two faces or people, each ``("face" or "person", id)``."""
        with self._write(undoable=True) as write:
            placing.answer(write, one, other, same=same)
            steps.keep(write, "The same person" if same else "Not the same person")
        return write.change

    def faces_and_people(self, *, same: bool) -> frozenset[tuple[int, int]]:
        """Return the pairs of face and person of which the user said that the one is of the other, or is not."""
        query = select(Answer.face_id, Answer.other_person_id).where(
            Answer.face_id.is_not(None), Answer.other_person_id.is_not(None), Answer.same if same else ~Answer.same
        )
        with self._read() as connection:
            rows = connection.execute(query).all()
        return frozenset((face, person) for face, person in rows if face is not None and person is not None)

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
                select(Cluster.model_id)
                .join(ClusterFace, ClusterFace.cluster_id == Cluster.id)
                .where(ClusterFace.face_id.in_(face_ids))
                .distinct()
            ).all()
            if not rows:
                raise placing.gone()
            placing.part(write, face_ids)
            made = placing.new_cluster(write, rows[0].model_id)
            placing.move(write, face_ids, made)
            steps.keep(write, "Split off faces")
        return made, write.change

    def move_faces(self, face_ids: Sequence[int], cluster_id: int) -> Change:
        """Put faces into a cluster, for good."""
        with self._write(undoable=True) as write:
            placing.faces_of(write, cluster_id)
            here = select(ClusterFace.face_id).where(ClusterFace.cluster_id == cluster_id)
            inside = set(write.connection.scalars(here))
            placing.part(write, [face for face in face_ids if face not in inside])
            placing.move(write, face_ids, cluster_id)
            steps.keep(write, "Moved faces")
        return write.change

    def name_faces(self, face_ids: Sequence[int], name: str, samples: Sequence[int] = ()) -> tuple[int, Change]:
        """Say whose faces these are, wherever they are now; the others of their clusters are somebody else.

        Parameters
        ----------
        face_ids : sequence of int
        name : str
            The person is made when nobody has this name.
        samples : sequence of int
            Those of the faces that become enrolled samples.

        Returns
        -------
        tuple of int and Change
            The person's id and what changed.

        Raises
        ------
        KnownError
            The name is empty, or the faces are in no cluster.
        """
        name = clean_name(name)
        with self._write(undoable=True) as write:
            connection = write.connection
            rows = connection.execute(
                select(Cluster.model_id, Cluster.person_id, ClusterFace.face_id)
                .join(ClusterFace, ClusterFace.cluster_id == Cluster.id)
                .where(ClusterFace.face_id.in_(face_ids))
            ).all()
            if not rows:
                raise placing.gone()
            person_id = person_for(write, name)
            placing.part(write, [row.face_id for row in rows if row.person_id != person_id])
            theirs = connection.scalars(
                select(Cluster.id)
                .join(ClusterFace, ClusterFace.cluster_id == Cluster.id)
                .where(Cluster.person_id == person_id)
                .group_by(Cluster.id)
                .order_by(func.count().desc(), Cluster.id)
            ).first()
            target = theirs if theirs is not None else placing.new_cluster(write, rows[0].model_id, person_id)
            placing.move(write, face_ids, target)
            if samples:
                give(write, samples, person_id)
            write.people.add(person_id)
            steps.keep(write, f"{len(face_ids)} faces are {name}" if len(face_ids) != 1 else f"A face is {name}")
        return person_id, write.change

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
        try:
            with self._write() as write:
                problem = steps.take_back(write)
        except IntegrityError:  # somebody who was named in the step has samples or decisions from elsewhere by now
            with self._write() as write:
                problem = steps.give_up(write)
        if problem is not None:
            raise problem
        return write.change if write.text else None
