"""What a change of people means for clusters, answers and the steps of a review."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, or_, select, update

from facegui.gallery import placing
from facegui.gallery.lanes import Write
from facegui.gallery.schema import Answer, Cluster, ClusterFace, ReviewStep
from facegui.gallery.undoing import chunks

__all__ = ["follow_merge", "follow_owner", "leave_people"]


def follow_merge(write: Write, into: int, other: int) -> None:
    """Let clusters and answers of `other` be those of `into`; an answer about the two of them has come true or not."""
    connection = write.connection
    for column in (Answer.person_id, Answer.other_person_id):
        write.changing("answer", connection.scalars(select(Answer.id).where(column.in_([into, other]))).all())
    write.changing("cluster", connection.scalars(select(Cluster.id).where(Cluster.person_id == other)).all())
    connection.execute(update(Cluster).where(Cluster.person_id == other).values(person_id=into))
    connection.execute(update(Answer).where(Answer.person_id == other).values(person_id=into))
    connection.execute(update(Answer).where(Answer.other_person_id == other).values(other_person_id=into))
    connection.execute(delete(Answer).where(Answer.person_id == Answer.other_person_id))


def follow_owner(write: Write, face_ids: Sequence[int], person_id: int) -> None:
    """Take faces that are a person's now out of other people's clusters, into one of that person's if there is any."""
    connection = write.connection
    astray = [
        face
        for some in chunks(face_ids)
        for face in connection.scalars(
            select(ClusterFace.face_id)
            .join(Cluster, Cluster.id == ClusterFace.cluster_id)
            .where(ClusterFace.face_id.in_(some), Cluster.person_id.is_not(None), Cluster.person_id != person_id)
        )
    ]
    if not astray:
        return
    theirs = connection.scalars(select(Cluster.id).where(Cluster.person_id == person_id).order_by(Cluster.id)).first()
    if theirs is None:
        placing.leave(write, astray)
    else:
        placing.move(write, astray, theirs)


def leave_people(write: Write, person_id: int) -> None:
    """Note what goes with a person, and forget the steps of the review, which may hold their name."""
    connection = write.connection
    about = or_(Answer.person_id == person_id, Answer.other_person_id == person_id)
    write.changing("answer", connection.scalars(select(Answer.id).where(about)).all())
    write.changing("cluster", connection.scalars(select(Cluster.id).where(Cluster.person_id == person_id)).all())
    connection.execute(update(Cluster).where(Cluster.person_id == person_id).values(person_id=None, name=None))
    connection.execute(delete(ReviewStep))
