"""Hosts that are crawled: one budget of requests for all processes, and who asked us to stay away. Posts that are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.BigInteger()),
        sa.Column("refused_at", sa.BigInteger()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
    )
    op.create_table(
        "gone_posts",
        sa.Column("post", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name=op.f("fk_gone_posts_post_posts"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post", name=op.f("pk_gone_posts")),
    )
    no_comment = sa.text("kind != 'comment'")
    op.create_index("ix_posts_posted_at", "posts", ["posted_at"], sqlite_where=no_comment, postgresql_where=no_comment)


def downgrade() -> None:
    op.drop_index("ix_posts_posted_at", table_name="posts")
    op.drop_table("gone_posts")
    op.drop_table("hosts")
