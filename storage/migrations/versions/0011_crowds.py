"""Posts clearly against a brand by place and with their reach, what signals of crowds were found, looks that failed.

What is stored already is brought in: from the mentions as they are, so that nobody has to score again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Posts in their own words, read, not mild, more probably against than anything else.
_HARD = "m.own_words AND NOT m.is_rival AND m.unscored IS NULL AND NOT m.constructive AND m.against >= 5000"
_REACH = (
    "(SELECT max(coalesce(c.likes, 0) + coalesce(c.comments, 0) + coalesce(c.reposts, 0)) FROM post_counts c "
    "WHERE c.post = p.id AND NOT (c.likes IS NULL AND c.comments IS NULL AND c.reposts IS NULL))"
)
_FILL_HARD = (
    "INSERT INTO hard_posts (brand, post, at, platform, author_key, is_comment, fingerprint, against, reach) "  # noqa: S608
    f"SELECT m.brand, p.id, p.posted_at, p.platform, p.author_key, p.kind = 'comment', m.fingerprint, m.against, {_REACH} "
    f"FROM mentions m JOIN posts p ON p.id = m.post WHERE {_HARD}"
)
_IN_GROUP = {
    "sqlite": "rtrim(rtrim(p.post_id, replace(p.post_id, '/', '')), '/')",
    "postgresql": "regexp_replace(p.post_id, '/[^/]*$', '')",
}
_SOURCES = {
    "sqlite": "JOIN json_each(p.sources) s",
    "postgresql": "CROSS JOIN LATERAL json_array_elements_text(p.sources::json) AS s(value)",
}
_PLACE = "INSERT INTO crowd_posts (brand, place, at, post) SELECT h.brand, {place}, h.at, h.post FROM hard_posts h JOIN posts p"
_STARTS = (
    "INSERT INTO crowd_starts (brand, place, first_at, post) SELECT brand, place, posted_at, id FROM ("
    "SELECT m.brand AS brand, {place} AS place, p.posted_at AS posted_at, p.id AS id, "
    "row_number() OVER (PARTITION BY m.brand, {place} ORDER BY p.posted_at, p.id) AS number "
    "FROM mentions m JOIN posts p ON p.id = m.post {join} WHERE NOT m.is_rival AND {which}) AS ranked WHERE number = 1"
)
_CHANGES = "INSERT INTO crowd_changes (brand, place, at) SELECT brand, place, min(at) FROM crowd_posts GROUP BY brand, place"
_REACHES = "INSERT INTO crowd_changes (brand, place, at) SELECT brand, '', min(at) FROM hard_posts GROUP BY brand"


def upgrade() -> None:
    op.create_table(
        "hard_posts",
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("post", _ROW, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("author_key", sa.Text(), nullable=False),
        sa.Column("is_comment", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("against", sa.Integer(), nullable=False),
        sa.Column("reach", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name=op.f("fk_hard_posts_post"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("brand", "post", name=op.f("pk_hard_posts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "crowd_posts",
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("post", _ROW, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name=op.f("fk_crowd_posts_post"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("brand", "place", "at", "post", name=op.f("pk_crowd_posts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "crowd_starts",
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("post", _ROW, nullable=False),
        sa.PrimaryKeyConstraint("brand", "place", name=op.f("pk_crowd_starts")),
    )
    op.create_table(
        "crowd_changes",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crowd_changes")),
    )
    op.create_table(
        "crowd_finds",
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("brand", "kind", "place", "at", name=op.f("pk_crowd_finds")),
    )
    op.create_table(
        "failed_looks",
        sa.Column("post", _ROW, autoincrement=False, nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["post"], ["posts.id"], name=op.f("fk_failed_looks_post"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post", name=op.f("pk_failed_looks")),
    )
    _fill(op.get_bind().dialect.name)
    op.create_index("ix_hard_posts_post", "hard_posts", ["post"])
    op.create_index("ix_hard_posts_author_key", "hard_posts", ["author_key"])
    op.create_index("ix_hard_posts_brand_at", "hard_posts", ["brand", "at"])
    op.create_index("ix_hard_posts_brand_fingerprint", "hard_posts", ["brand", "fingerprint"])
    op.create_index("ix_crowd_posts_post", "crowd_posts", ["post"])
    op.create_index("ix_crowd_changes_brand_place", "crowd_changes", ["brand", "place"])


def _fill(dialect: str) -> None:
    source, group = "'s:' || s.value", f"'g:' || {_IN_GROUP[dialect]}"
    thread = "'t:' || p.platform || ':' || coalesce(p.root_id, p.parent_id)"
    joined, open_place = _SOURCES[dialect], "p.platform <> 'group'"
    on = f"{_PLACE} ON p.id = h.post"
    op.execute(_FILL_HARD)
    op.execute(f"{on.format(place=source)} {joined} WHERE {open_place}")
    op.execute(f"{on.format(place=group)} WHERE NOT {open_place}")
    answered = "(p.root_id IS NOT NULL OR p.parent_id IS NOT NULL)"
    op.execute(f"{on.format(place=thread)} WHERE {open_place} AND {answered}")
    op.execute(_STARTS.format(place=source, join=joined, which=open_place))
    op.execute(_STARTS.format(place=group, join="", which=f"NOT {open_place}"))
    op.execute(_CHANGES)
    op.execute(_REACHES)


def downgrade() -> None:
    for name in ("failed_looks", "crowd_finds", "crowd_changes", "crowd_starts", "crowd_posts", "hard_posts"):
        op.drop_table(name)
