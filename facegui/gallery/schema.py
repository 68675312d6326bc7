"""The tables of a gallery.

What is read together lies together: `Face` holds small columns, so that a hundred thousand of them are scanned
quickly; its picture lies in `Crop` and its vectors, one per model, in `Embedding`. Ids are never used twice,
so that an undo can give a row its old id back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from facegui.faces.types import Landmarks, Vector
from facegui.gallery.columns import LandmarksColumn, ModelHash, PathColumn, UtcColumn, VectorColumn

__all__ = [
    "Answer",
    "Base",
    "Cluster",
    "ClusterFace",
    "Crop",
    "Decision",
    "Embedding",
    "Face",
    "Folder",
    "Model",
    "NamedRegion",
    "Person",
    "Photo",
    "ReviewStep",
    "State",
]

NEVER_REUSED = {"sqlite_autoincrement": True}
STATE_ID = 1


class Base(DeclarativeBase):
    """Names of constraints are fixed, so that a migration can find them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class State(Base):
    """One row that tells every process what has changed since it last looked.

    Attributes
    ----------
    epoch : str
        Changes when another database is put in this one's place.
    people, appended, removed, history : int
        Count the changes to enrolled samples, the faces added to the index, the changes to the index that are not
        mere additions, and the changes to the history.
    deletions : int
        Deletions of what should leave no trace since the file was last rewritten.
    written_by : str
        Version of facegui that made or upgraded the file.
    """

    __tablename__ = "state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[str] = mapped_column(String(32))
    people: Mapped[int] = mapped_column(BigInteger)
    appended: Mapped[int] = mapped_column(BigInteger)
    removed: Mapped[int] = mapped_column(BigInteger)
    history: Mapped[int] = mapped_column(BigInteger)
    deletions: Mapped[int] = mapped_column(BigInteger)
    written_by: Mapped[str] = mapped_column(String(64))


class Person(Base):
    """Somebody who is enrolled; `name_key` is the name as it is compared."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("name_key"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(UtcColumn)
    last_seen: Mapped[datetime | None] = mapped_column(UtcColumn)


class Photo(Base):
    """Where faces were found: a file, or a camera by its name.

    `indexed` is set while the photo belongs to a folder index; without it, the row is there only because a
    person's sample came from it. `error` says why an indexed file was skipped. `away` is set while the file cannot be
    reached because its disk is not connected; what is known of it is kept.
    """

    __tablename__ = "photo"
    __table_args__ = (UniqueConstraint("path"), Index(None, "content_hash"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    path: Mapped[str] = mapped_column(PathColumn)
    content_hash: Mapped[str | None] = mapped_column(ModelHash)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    taken: Mapped[datetime | None] = mapped_column(DateTime)
    error: Mapped[str | None] = mapped_column(Text)
    indexed: Mapped[datetime | None] = mapped_column(UtcColumn)
    away: Mapped[datetime | None] = mapped_column(UtcColumn)


class Face(Base):
    """A face in a photo; with a person it is one of their enrolled samples.

    Box and landmarks are in pixels of the upright original. `indexed` says that the folder index found it, so
    that it is ranked among the lookalikes; a sample enrolled from an indexed photo is the same row.
    """

    __tablename__ = "face"
    __table_args__ = (Index(None, "photo_id"), Index(None, "person_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    indexed: Mapped[bool]
    x: Mapped[float] = mapped_column(Float)
    y: Mapped[float] = mapped_column(Float)
    width: Mapped[float] = mapped_column(Float)
    height: Mapped[float] = mapped_column(Float)
    landmarks: Mapped[Landmarks] = mapped_column(LandmarksColumn)
    score: Mapped[float] = mapped_column(Float)
    quality: Mapped[float] = mapped_column(Float)
    reasons: Mapped[list[str]] = mapped_column(JSON)
    measures: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime] = mapped_column(UtcColumn)


class Crop(Base):
    """The aligned face as an encoded picture: PNG for a sample, JPEG for a face of the index."""

    __tablename__ = "crop"

    face_id: Mapped[int] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"), primary_key=True)
    picture: Mapped[bytes] = mapped_column(LargeBinary)


class Model(Base):
    """An embedder: its sha256 and the length of its vectors."""

    __tablename__ = "model"
    __table_args__ = (UniqueConstraint("sha256"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sha256: Mapped[str] = mapped_column(ModelHash)
    dimension: Mapped[int] = mapped_column(Integer)


class Embedding(Base):
    """A face's unit vector by one model."""

    __tablename__ = "embedding"
    __table_args__ = (UniqueConstraint("face_id", "model_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    face_id: Mapped[int] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"))
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"))
    vector: Mapped[Vector] = mapped_column(VectorColumn)


class Decision(Base):
    """One answer that was given: what was compared, the figures, and the outcome."""

    __tablename__ = "decision"
    __table_args__ = (Index(None, "person_id"), Index(None, "runner_up_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    time: Mapped[datetime] = mapped_column(UtcColumn)
    kind: Mapped[str] = mapped_column(String(32))
    outcome: Mapped[str] = mapped_column(String(16))
    probe: Mapped[str] = mapped_column(PathColumn)
    reference: Mapped[str | None] = mapped_column(PathColumn)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    runner_up_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    similarity: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float] = mapped_column(Float)
    target_fmr: Mapped[float] = mapped_column(Float)
    margin: Mapped[float | None] = mapped_column(Float)
    model_id: Mapped[str] = mapped_column(ModelHash)
    provider: Mapped[str] = mapped_column(String(64))
    liveness: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[bytes | None] = mapped_column(LargeBinary)


class Folder(Base):
    """A folder that was read into the index.

    `mount` is the mount point it lay on when it was last read: while that one is not mounted, the folder is away
    and its photos are not gone. `watched` says that changes in it are followed while the program runs.
    """

    __tablename__ = "folder"
    __table_args__ = (UniqueConstraint("path"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    path: Mapped[str] = mapped_column(PathColumn)
    mount: Mapped[str | None] = mapped_column(PathColumn)
    watched: Mapped[bool]
    read: Mapped[datetime | None] = mapped_column(UtcColumn)


class Cluster(Base):
    """Faces that are probably one person.

    Attributes
    ----------
    model_id : int
        The model by whose vectors they were put together.
    person_id : int or None
        Who this is, once the user has said so. Their best faces are enrolled samples; the others are only here.
    name : str or None
        A name that was found for them, in a sidecar for example; not confirmed by the user.
    hidden : datetime or None
        When the user said that this is a stranger who need not be shown.
    postponed : datetime or None
        When the user last skipped the question who this is.
    """

    __tablename__ = "cluster"
    __table_args__ = (Index(None, "person_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    created: Mapped[datetime] = mapped_column(UtcColumn)
    name: Mapped[str | None] = mapped_column(Text)
    hidden: Mapped[datetime | None] = mapped_column(UtcColumn)
    postponed: Mapped[datetime | None] = mapped_column(UtcColumn)


class ClusterFace(Base):
    """Which cluster a face is in; a face that joined none has no row.

    `similarity` is its average cosine to the others, and `seed` whether its quality let it take part in forming the
    cluster. `placed` says that the user put it here, so that no later run moves it.
    """

    __tablename__ = "cluster_face"
    __table_args__ = (Index(None, "cluster_id"),)

    face_id: Mapped[int] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"), primary_key=True)
    cluster_id: Mapped[int] = mapped_column(ForeignKey("cluster.id", ondelete="CASCADE"))
    similarity: Mapped[float] = mapped_column(Float)
    seed: Mapped[bool]
    placed: Mapped[bool]


class Answer(Base):
    """What the user said about one or two faces or people: the same person, or not. Asked once, kept for good.

    One side is a face or a person, so is the other.
    """

    __tablename__ = "answer"
    __table_args__ = (
        Index(None, "face_id"),
        Index(None, "other_face_id"),
        Index(None, "person_id"),
        Index(None, "other_person_id"),
        CheckConstraint("(face_id IS NULL) <> (person_id IS NULL)", name="one_side"),
        CheckConstraint("(other_face_id IS NULL) <> (other_person_id IS NULL)", name="other_side"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    time: Mapped[datetime] = mapped_column(UtcColumn)
    same: Mapped[bool]
    face_id: Mapped[int | None] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    other_face_id: Mapped[int | None] = mapped_column(ForeignKey("face.id", ondelete="CASCADE"))
    other_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))


class ReviewStep(Base):
    """A step of a review that can be taken back, also after the program was closed.

    `rows` is what the step changed: for each row its table, key, and the columns before and after, as JSON.
    """

    __tablename__ = "review_step"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    time: Mapped[datetime] = mapped_column(UtcColumn)
    text: Mapped[str] = mapped_column(Text)
    rows: Mapped[list[Any]] = mapped_column(JSON)


class NamedRegion(Base):
    """A named part of a photo that another program had written: in the file, in a sidecar, in Picasa's list.

    The box is in shares of the upright photo's width and height, left and top first. `face_id` is the indexed face
    that lies there.
    """

    __tablename__ = "named_region"
    __table_args__ = (Index(None, "photo_id"), Index(None, "face_id"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"))
    face_id: Mapped[int | None] = mapped_column(ForeignKey("face.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(32))
    x: Mapped[float] = mapped_column(Float)
    y: Mapped[float] = mapped_column(Float)
    width: Mapped[float] = mapped_column(Float)
    height: Mapped[float] = mapped_column(Float)
