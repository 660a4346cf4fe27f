"""What the team says of KOCs by hand, and every try to calibrate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calibration_runs",
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("brand", "made_at", name=op.f("pk_calibration_runs")),
    )
    op.create_table(
        "koc_marks",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("alert_key", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("takes_back", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_koc_marks")),
    )
    op.create_index("ix_koc_marks_koc_id_brand", "koc_marks", ["koc_id", "brand"])
    op.create_index("uq_koc_marks_takes_back", "koc_marks", ["takes_back"], unique=True)


def downgrade() -> None:
    op.drop_table("koc_marks")
    op.drop_table("calibration_runs")
