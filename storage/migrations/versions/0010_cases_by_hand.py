"""Cases opened and led by hand; their logs chained by hashes and closed to changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.append_only import guard, unguard
from storage.chains import hash_of

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CASE_TEXTS = ("owner", "reason", "platform", "post_id", "verdict", "merged_into", "log_head")
STEP_TEXTS = ("link", "before", "hash")


def upgrade() -> None:
    for name in CASE_TEXTS:
        op.add_column("cases", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("cases", sa.Column("members", sa.Text(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("cases", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.add_column("cases", sa.Column("closed_at", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("entries", sa.Integer(), nullable=False, server_default=sa.text("0")))
    for name in STEP_TEXTS:
        op.add_column("case_steps", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("case_steps", sa.Column("data", sa.Text(), nullable=False, server_default=sa.text("'{}'")))
    _chain(op.get_bind())
    guard(op.get_bind(), ["case_steps"])


def downgrade() -> None:
    unguard(op.get_bind(), ["case_steps"])
    for name in ("data", *reversed(STEP_TEXTS)):
        op.drop_column("case_steps", name)
    for name in ("entries", "closed_at", "urgent", "members", *reversed(CASE_TEXTS)):
        op.drop_column("cases", name)


def _chain(connection: sa.Connection) -> None:
    """Give the entries that there are their hashes, case by case in the order in which they were written."""
    steps = sa.table("case_steps", *map(sa.column, ("id", "case_key", "at", "who", "step", "note", "before", "hash")))
    cases = sa.table("cases", *map(sa.column, ("key", "state", "next_step", "closed_at", "log_head", "entries")))
    heads: dict[str, tuple[str, int, int]] = {}
    for row in connection.execute(sa.select(steps).order_by(steps.c.id)).all():
        before, count, _ = heads.get(row.case_key, ("", 0, 0))
        entry = {name: getattr(row, name) for name in ("case_key", "at", "who", "step", "note")} | {"link": "", "data": "{}"}
        made = hash_of(before, entry)
        connection.execute(steps.update().where(steps.c.id == row.id).values(before=before, hash=made))
        heads[row.case_key] = (made, count + 1, row.at)
    for key, (head, count, _) in heads.items():
        connection.execute(cases.update().where(cases.c.key == key).values(log_head=head, entries=count))
    closed = {key: at for key, (_, _, at) in heads.items()}
    for row in connection.execute(sa.select(cases.c.key).where(cases.c.state == "closed")).all():
        connection.execute(cases.update().where(cases.c.key == row.key).values(closed_at=closed.get(row.key)))
