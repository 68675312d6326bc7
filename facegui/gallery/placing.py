"""The small writes that decisions on faces and clusters are made of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from facegui.errors import KnownError
from facegui.gallery.facerows import now
from facegui.gallery.lanes import Write
from facegui.gallery.people import require_person
from facegui.gallery.schema import Answer, Cluster, ClusterFace, Face, Person
from facegui.gallery.undoing import chunks

__all__ = [
    "Side", "answer", "faces_of", "forget_empty", "gone", "leave", "move", "new_cluster", "part", "place",
    "refuse_another", "spokesman",
]  # fmt: skip

Side = tuple[str, int]
"""``("face" or "person", id)``."""


def gone() -> KnownError:
    """Return the error for faces that are in no group any more."""
    return KnownError(
        "These faces are no longer together.",
        "They were moved or removed in the meantime.",
        "Look at the people again.",
    )


def refuse_another(write: Write, cluster_id: int, person_id: int) -> None:
    """Refuse to give a cluster to a person while it is another one's: two programs may review one gallery."""
    owner = write.connection.execute(
        select(Person.id, Person.name).join(Cluster, Cluster.person_id == Person.id).where(Cluster.id == cluster_id)
    ).first()
    if owner is not None and owner.id != person_id:
        raise KnownError(
            f"These faces are {owner.name} already.",
            "They were named in the meantime, perhaps in another window.",
            "Look at the people again; single faces can be moved from there.",
        )


def faces_of(write: Write, cluster_id: int) -> list[int]:
    """Return the faces of a cluster; there must be some."""
    faces = list(write.connection.scalars(select(ClusterFace.face_id).where(ClusterFace.cluster_id == cluster_id)))
    if not faces:
        raise gone()
    return faces


def spokesman(write: Write, cluster_id: int, without: Sequence[int] = ()) -> int | None:
    """Return the face that answers for a cluster: a sure one of best quality."""
    query = (
        select(ClusterFace.face_id)
        .join(Face, Face.id == ClusterFace.face_id)
        .where(ClusterFace.cluster_id == cluster_id, ClusterFace.face_id.not_in(without))
        .order_by(ClusterFace.placed.desc(), ClusterFace.seed.desc(), Face.quality.desc(), Face.id)
    )
    return write.connection.scalars(query.limit(1)).first()


def answer(write: Write, one: Side, other: Side, *, same: bool) -> None:
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


def place(write: Write, face_ids: Sequence[int]) -> None:
    """Note that the user says that faces are where they belong."""
    write.changing("cluster_face", face_ids)
    write.faces.update(face_ids)
    for some in chunks(face_ids):
        write.connection.execute(update(ClusterFace).where(ClusterFace.face_id.in_(some)).values(placed=True))


def leave(write: Write, face_ids: Sequence[int]) -> None:
    """Take faces out of their clusters."""
    write.changing("cluster_face", face_ids)
    write.faces.update(face_ids)
    for some in chunks(face_ids):
        write.connection.execute(delete(ClusterFace).where(ClusterFace.face_id.in_(some)))
    forget_empty(write)


def move(write: Write, face_ids: Sequence[int], cluster_id: int) -> None:
    """Put faces into a cluster, for good."""
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
    forget_empty(write)


def forget_empty(write: Write) -> None:
    """Delete clusters that no face is in."""
    used = select(ClusterFace.cluster_id).where(ClusterFace.cluster_id == Cluster.id)
    empty = write.connection.scalars(select(Cluster.id).where(~used.exists())).all()
    write.changing("cluster", empty)
    write.connection.execute(delete(Cluster).where(Cluster.id.in_(empty)))


def new_cluster(write: Write, model: int, person_id: int | None = None) -> int:
    """Make an empty cluster and return its id."""
    values = {"model_id": model, "person_id": person_id, "created": now()}
    made = int(write.connection.scalars(insert(Cluster).values(**values).returning(Cluster.id)).one())
    write.added("cluster", [made])
    return made


def part(write: Write, face_ids: Sequence[int]) -> None:
    """Remember that faces are somebody else than those they are in a cluster with, and than whose cluster it is."""
    rows = write.connection.execute(
        select(ClusterFace.face_id, Cluster.id, Cluster.person_id)
        .join(Cluster, Cluster.id == ClusterFace.cluster_id)
        .where(ClusterFace.face_id.in_(face_ids))
    ).all()
    others = {cluster_id: spokesman(write, cluster_id, without=face_ids) for _, cluster_id, _ in rows}
    for face_id, cluster_id, person_id in rows:
        if person_id is not None:
            answer(write, ("face", face_id), ("person", person_id), same=False)
        other = others[cluster_id]
        if other is not None:
            answer(write, ("face", face_id), ("face", other), same=False)
