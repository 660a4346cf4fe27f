"""Brand-wide shifts, when a KOC falls silent, and when a case's cause was over. Everybody is replayed once, to find them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

EVERY_KOC = "INSERT INTO dirty (koc_id, brand, marks) SELECT koc_id, '', 1 FROM kocs WHERE koc_id NOT IN ({marked})"
MARKED = "SELECT koc_id FROM dirty WHERE brand = ''"


def upgrade() -> None:
    op.create_table(
        "brand_shifts",
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("brand", "first", name=op.f("pk_brand_shifts")),
    )
    op.create_table(
        "shift_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_changes")),
    )
    op.add_column("drift_states", sa.Column("silent_from", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("recovered_at", sa.BigInteger(), nullable=True))
    op.execute(EVERY_KOC.format(marked=MARKED))


def downgrade() -> None:
    op.drop_column("cases", "recovered_at")
    op.drop_column("drift_states", "silent_from")
    op.drop_table("shift_changes")
    op.drop_table("brand_shifts")
