"""People in photos: clusters, answers, steps that can be undone, folders, names found in photos; photos that are away.

Revision 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the column."""
    op.add_column("photo", sa.Column("away", sa.DateTime(), nullable=True))
    op.create_table(
        "folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("mount", sa.Text(), nullable=True),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("read", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder")),
        sa.UniqueConstraint("path", name=op.f("uq_folder_path")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "cluster",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("hidden", sa.DateTime(), nullable=True),
        sa.Column("postponed", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_cluster_model_id_model")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_cluster_person_id_person"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_cluster_person_id"), "cluster", ["person_id"], unique=False)
    op.create_table(
        "cluster_face",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("cluster_id", sa.Integer(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("seed", sa.Boolean(), nullable=False),
        sa.Column("placed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["cluster.id"], name=op.f("fk_cluster_face_cluster_id_cluster"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["face_id"], ["face.id"], name=op.f("fk_cluster_face_face_id_face"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("face_id", name=op.f("pk_cluster_face")),
    )
    op.create_index(op.f("ix_cluster_face_cluster_id"), "cluster_face", ["cluster_id"], unique=False)
    _answers()
    op.create_table(
        "review_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("time", sa.DateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_step")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "named_region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_id"], ["face.id"], name=op.f("fk_named_region_face_id_face"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photo.id"], name=op.f("fk_named_region_photo_id_photo"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_named_region")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_named_region_face_id"), "named_region", ["face_id"], unique=False)
    op.create_index(op.f("ix_named_region_photo_id"), "named_region", ["photo_id"], unique=False)


def _answers() -> None:
    sides = [("face_id", "face"), ("other_face_id", "face"), ("other_person_id", "person"), ("person_id", "person")]
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("time", sa.DateTime(), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        *(sa.Column(side, sa.Integer(), nullable=True) for side, _ in sides),
        sa.CheckConstraint("(face_id IS NULL) <> (person_id IS NULL)", name=op.f("ck_answer_one_side")),
        sa.CheckConstraint("(other_face_id IS NULL) <> (other_person_id IS NULL)", name=op.f("ck_answer_other_side")),
        *(
            sa.ForeignKeyConstraint([side], [f"{table}.id"], name=op.f(f"fk_answer_{side}_{table}"), ondelete="CASCADE")
            for side, table in sides
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sqlite_autoincrement=True,
    )
    for side, _ in sides:
        op.create_index(op.f(f"ix_answer_{side}"), "answer", [side], unique=False)
