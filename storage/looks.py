"""Posts that are looked at again: which there are, and which are there no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, select, tuple_

from storage.codec import dumps, when, when_or_none
from storage.database import among, chunks, insert
from storage.records import PostKey, Watched
from storage.tables import failed_looks, gone_posts, mentions, posts

MOST = 5000  # the newest: more than any budget of looks gets through


def watched(connection: Connection, source: str, since: int) -> list[Watched]:
    """Posts and reposts of a source, newest first; gone ones too."""
    against = exists().where(
        mentions.c.post == posts.c.id,
        mentions.c.is_rival.is_(False),
        mentions.c.against > mentions.c.favor,
        mentions.c.against > mentions.c.none,
    )
    query = (
        select(
            posts.c.platform,
            posts.c.post_id,
            posts.c.url,
            posts.c.posted_at,
            posts.c.last_seen_at,
            gone_posts.c.gone_at,
            failed_looks.c.failed_at,
            failed_looks.c.failures,
            against.label("is_negative"),
        )
        .outerjoin(gone_posts, gone_posts.c.post == posts.c.id)
        .outerjoin(failed_looks, (failed_looks.c.post == posts.c.id) & (failed_looks.c.failed_at > posts.c.last_seen_at))
        .where(posts.c.posted_at >= since, posts.c.kind != "comment")
        .where(posts.c.sources.contains(dumps([source])[1:-1], autoescape=True))
        .order_by(posts.c.posted_at.desc(), posts.c.id)
        .limit(MOST)
    )
    return [
        Watched(
            row.platform,
            row.post_id,
            row.url,
            when(row.posted_at),
            when(row.last_seen_at),
            when_or_none(row.gone_at) if row.gone_at and row.gone_at > row.last_seen_at else None,
            bool(row.is_negative),
            row.failures or 0,
            when_or_none(row.failed_at),
        )
        for row in connection.execute(query)
    ]


def note_gone(connection: Connection, keys: Sequence[PostKey], at: int) -> int:
    rows = [{"post": row, "gone_at": at} for row, *_ in _rows(connection, keys)]
    if rows:
        statement = insert(connection.dialect.name, gone_posts)
        new = {"gone_at": statement.excluded.gone_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["post"], set_=new), rows)
    return len(rows)


def note_failed(connection: Connection, keys: Sequence[PostKey], since: int, at: int) -> int:
    """Note which of these posts were neither seen since then nor found to be gone. What failed before a post was last seen
    counts no more."""
    failed = [(row, seen_at) for row, _, _, seen_at in _rows(connection, keys) if seen_at < since]
    wanted = [row for row, _ in failed]
    known: dict[int, tuple[int, int]] = {}
    gone_now: set[int] = set()
    for ids in chunks(wanted):
        for found in connection.execute(select(failed_looks).where(among(failed_looks.c.post, ids))):
            known[found.post] = (found.failed_at, found.failures)
        gone_now.update(
            connection.execute(
                select(gone_posts.c.post).where(among(gone_posts.c.post, ids), gone_posts.c.gone_at >= since)
            ).scalars()
        )
    rows = []
    for row, seen_at in failed:
        failed_at, failures = known.get(row, (0, 0))
        if row not in gone_now:
            rows.append({"post": row, "failed_at": at, "failures": 1 + (failures if failed_at > seen_at else 0)})
    if rows:
        statement = insert(connection.dialect.name, failed_looks)
        new = {name: statement.excluded[name] for name in ("failed_at", "failures")}
        connection.execute(statement.on_conflict_do_update(index_elements=["post"], set_=new), rows)
    return len(rows)


def gone(connection: Connection, keys: Sequence[PostKey]) -> dict[PostKey, datetime]:
    found = {}
    for row, platform, post_id, seen_at in _rows(connection, keys):
        at = connection.execute(select(gone_posts.c.gone_at).where(gone_posts.c.post == row)).scalar()
        if at is not None and at > seen_at:
            found[PostKey(platform, post_id)] = when(at)
    return found


def _rows(connection: Connection, keys: Sequence[PostKey]) -> list[tuple[int, str, str, int]]:
    """(row, platform, post id, last seen) of those that are stored."""
    found: list[tuple[int, str, str, int]] = []
    for some in chunks([(key.platform, key.post_id) for key in keys]):
        query = select(posts.c.id, posts.c.platform, posts.c.post_id, posts.c.last_seen_at)
        pair = tuple_(posts.c.platform, posts.c.post_id).in_(list(some))
        found += [tuple(row) for row in connection.execute(query.where(pair).order_by(posts.c.id))]
    return found
