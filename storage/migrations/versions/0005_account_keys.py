"""Under which author keys the posts of an account may be stored: other tools hash the ids of authors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_keys",
        sa.Column("author_key", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("koc_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["koc_id"], ["kocs.koc_id"], name=op.f("fk_account_keys_koc_id_kocs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("author_key", name=op.f("pk_account_keys")),
    )
    op.create_index("ix_account_keys_koc_id", "account_keys", ["koc_id"])
    op.create_index("ix_account_keys_platform_account_id", "account_keys", ["platform", "account_id"])
    op.execute(
        "INSERT INTO account_keys (author_key, platform, account_id, koc_id)"
        " SELECT author_key, platform, account_id, koc_id FROM accounts"
    )


def downgrade() -> None:
    op.drop_table("account_keys")
