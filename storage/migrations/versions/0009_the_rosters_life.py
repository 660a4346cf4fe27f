"""The roster's life: changes, agreements, promises, contacts, nominations, whom to keep out; rows that are only added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.append_only import guard, unguard

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ONLY_ADDED = (
    "koc_changes",
    "agreements",
    "agreement_events",
    "promises",
    "promise_events",
    "koc_log",
    "nominations",
    "privacy_log",
)


def upgrade() -> None:
    op.add_column("kocs", sa.Column("standing", sa.Text(), nullable=False, server_default=sa.text("'active'")))
    op.add_column("kocs", sa.Column("title", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "koc_changes",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_koc_changes")),
    )
    op.create_index("ix_koc_changes_koc_id", "koc_changes", ["koc_id"])
    op.create_table(
        "agreements",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("deliverables", sa.Text(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=True),
        sa.Column("ends", sa.Integer(), nullable=True),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_agreements")),
    )
    op.create_index("ix_agreements_koc_id", "agreements", ["koc_id"])
    op.create_table(
        "agreement_events",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("agreement_key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_key"], ["agreements.key"], name=op.f("fk_agreement_events_agreement_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_events")),
    )
    op.create_index("ix_agreement_events_agreement_key", "agreement_events", ["agreement_key"])
    op.create_table(
        "promises",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("to_whom", sa.Text(), nullable=False),
        sa.Column("is_ours", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_promises")),
    )
    op.create_index("ix_promises_koc_id", "promises", ["koc_id"])
    op.create_table(
        "promise_events",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("promise_key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["promise_key"], ["promises.key"], name=op.f("fk_promise_events_promise_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_events")),
    )
    op.create_index("ix_promise_events_promise_key", "promise_events", ["promise_key"])
    op.create_table(
        "koc_log",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_koc_log")),
    )
    op.create_index("ix_koc_log_koc_id", "koc_log", ["koc_id"])
    op.create_table(
        "nominations",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("author_key", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nominations")),
    )
    op.create_index("ix_nominations_author_key", "nominations", ["author_key"])
    op.create_table(
        "tombstones",
        sa.Column("author_key", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("author_key", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "privacy_log",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_log")),
    )
    guard(op.get_bind(), ONLY_ADDED)


def downgrade() -> None:
    unguard(op.get_bind(), ONLY_ADDED)
    op.drop_table("privacy_log")
    op.drop_table("tombstones")
    op.drop_table("nominations")
    op.drop_table("koc_log")
    op.drop_table("promise_events")
    op.drop_table("promises")
    op.drop_table("agreement_events")
    op.drop_table("agreements")
    op.drop_table("koc_changes")
    op.drop_column("kocs", "title")
    op.drop_column("kocs", "standing")
