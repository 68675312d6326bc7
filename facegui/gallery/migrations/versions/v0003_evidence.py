"""The evidence behind a decision, kept where the user wants it: crops, scores over time, cues.

Revision 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("decision", sa.Column("evidence", sa.LargeBinary(), nullable=True))
