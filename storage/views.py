"""Posts as people look at them: texts with their revisions, counters, sources; figures for the status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from storage.codec import media_of, names_of, when
from storage.database import AnyRow, among, chunks
from storage.records import Counts, PostKey, PostView, Revision
from storage.tables import (
    accounts,
    alerts,
    cases,
    deliveries,
    kocs,
    mentions,
    post_counts,
    post_raws,
    post_texts,
    posts,
)

NAMES = ("likes", "comments", "reposts", "views")


def load(connection: Connection, keys: Iterable[PostKey]) -> dict[PostKey, PostView]:
    """The posts that are stored, by key, in key order."""
    found: dict[int, AnyRow] = {}
    by_platform: dict[str, list[str]] = {}
    for key in sorted(set(keys)):
        by_platform.setdefault(key.platform, []).append(key.post_id)
    for platform, post_ids in by_platform.items():
        for ids in chunks(post_ids):
            query = select(posts).where(posts.c.platform == platform, among(posts.c.post_id, ids))
            found.update((row.id, row) for row in connection.execute(query))
    views = _views(connection, found)
    return {view.key: view for view in sorted(views, key=lambda view: view.key)}


def _views(connection: Connection, rows: dict[int, AnyRow]) -> list[PostView]:
    revisions: dict[int, list[AnyRow]] = {}
    counted: dict[int, list[AnyRow]] = {}
    for ids in chunks(list(rows)):
        for row in connection.execute(select(post_texts).where(among(post_texts.c.post, ids))):
            revisions.setdefault(row.post, []).append(row)
        for row in connection.execute(
            select(post_counts).where(among(post_counts.c.post, ids)).order_by(post_counts.c.seen_at)
        ):
            counted.setdefault(row.post, []).append(row)
    return [_view_of(row, revisions.get(row_id, []), counted.get(row_id, [])) for row_id, row in rows.items()]


def _view_of(row: AnyRow, texts: list[AnyRow], counted: list[AnyRow]) -> PostView:
    texts.sort(key=lambda text: (text.first_seen_at, text.text_hash))
    current = max(texts, key=lambda text: (text.last_seen_at, text.text_hash)).text if texts else row.text
    last: dict[str, int] = {}
    for counts in counted:
        last.update((name, getattr(counts, name)) for name in NAMES if getattr(counts, name) is not None)
    return PostView(
        PostKey(row.platform, row.post_id),
        row.kind,
        row.author_key,
        row.url,
        when(row.posted_at),
        when(row.first_seen_at),
        when(row.last_seen_at),
        when(row.stored_at),
        row.text,
        current,
        tuple(Revision(text.text, when(text.first_seen_at), when(text.last_seen_at)) for text in texts),
        Counts(*(last.get(name) for name in NAMES)),
        when(counted[-1].seen_at) if counted else None,
        media_of(row.media),
        row.parent_id,
        row.root_id,
        names_of(row.sources),
        row.raw_sha256,
        row.text_purged,
    )


def at_link(connection: Connection, link: str) -> list[PostKey]:
    """The stored posts of a link, whatever its scheme and a last slash, or of ``platform:id``, in key order."""
    address = link.partition("://")[2].rstrip("/")
    if address:
        urls = [f"{scheme}://{address}{end}" for scheme in ("https", "http") for end in ("", "/")]
        where = among(posts.c.url, urls)
    else:
        platform, _, post_id = link.partition(":")
        where = and_(posts.c.platform == platform, posts.c.post_id == post_id)
    key = (posts.c.platform, posts.c.post_id)
    return [PostKey(*row) for row in connection.execute(select(*key).where(where).order_by(*key))]


def counts_of(connection: Connection, key: PostKey) -> list[tuple[datetime, Counts]]:
    """A post's counters as they were seen, oldest first."""
    query = select(post_counts).join(posts, posts.c.id == post_counts.c.post).where(*_is(key)).order_by(post_counts.c.seen_at)
    return [(when(row.seen_at), Counts(row.likes, row.comments, row.reposts, row.views)) for row in connection.execute(query)]


def raw_of(connection: Connection, key: PostKey) -> bytes | None:
    """The compressed record as first seen; None past its horizon."""
    query = select(post_raws.c.raw).join(posts, posts.c.id == post_raws.c.post).where(*_is(key))
    return connection.execute(query).scalar()


def _is(key: PostKey) -> Sequence[Any]:
    return (posts.c.platform == key.platform, posts.c.post_id == key.post_id)


def counts(connection: Connection) -> dict[str, int]:
    """How much of everything there is; deliveries and cases by state as ``deliveries.pending``, ``cases.open``. Pending are
    those that only have to be sent; ``deliveries.held`` are held back until later, for a reason."""
    figures: dict[str, int] = {}
    for table in (posts, mentions, kocs, accounts, alerts, deliveries, cases):
        figures[table.name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
    for table in (alerts, deliveries, cases):
        for state, n in connection.execute(select(table.c.state, func.count()).group_by(table.c.state).order_by(table.c.state)):
            figures[f"{table.name}.{state}"] = n
    held = select(func.count()).where(deliveries.c.state == "pending", deliveries.c.held != "")
    if n := connection.execute(held).scalar_one():
        figures |= {"deliveries.pending": figures["deliveries.pending"] - n, "deliveries.held": n}
    return figures
