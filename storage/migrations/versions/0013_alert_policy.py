"""Alert policy: who took alerts on, what is muted, what was held back and why, and in what kind of message each was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.append_only import guard, unguard

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ONLY_ADDED = ("acknowledgements", "mutes", "delivery_holds")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("held", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("deliveries", sa.Column("told_in", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_deliveries_sent_at", "deliveries", ["sent_at"])
    op.create_table(
        "acknowledgements",
        sa.Column("alert_key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_key"], ["alerts.key"], name=op.f("fk_acknowledgements_alert_key")),
        sa.PrimaryKeyConstraint("alert_key", name=op.f("pk_acknowledgements")),
    )
    op.create_table(
        "mutes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("lifts", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mutes")),
    )
    op.create_index("uq_mutes_lifts", "mutes", ["lifts"], unique=True)
    op.create_table(
        "delivery_holds",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("delivery_key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_holds")),
    )
    op.create_index("ix_delivery_holds_delivery_key", "delivery_holds", ["delivery_key"])
    guard(op.get_bind(), ONLY_ADDED)


def downgrade() -> None:
    unguard(op.get_bind(), ONLY_ADDED)
    op.drop_table("delivery_holds")
    op.drop_table("mutes")
    op.drop_table("acknowledgements")
    op.drop_index("ix_deliveries_sent_at", table_name="deliveries")
    op.drop_column("deliveries", "told_in")
    op.drop_column("deliveries", "held")
