"""How far posts against a brand reach: their counters over time, those of others to compare with, who took them up, copies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, or_, select

from storage.codec import us, when
from storage.database import AnyRow, among, chunks
from storage.records import Look, Pickup, PostKey, Reached
from storage.tables import hard_posts, post_counts, posts

_FIELDS = (
    hard_posts.c.post, hard_posts.c.at, hard_posts.c.platform, hard_posts.c.author_key, hard_posts.c.fingerprint,
    posts.c.post_id,
)  # fmt: skip

_SHOWN = or_(post_counts.c.likes.is_not(None), post_counts.c.comments.is_not(None), post_counts.c.reposts.is_not(None))


def reached(connection: Connection, brand: str, since: datetime, least: int) -> list[Reached]:
    """The posts against a brand since then that some look saw with so many interactions, in order of time, with all looks."""
    query = _hard(brand).where(hard_posts.c.at >= us(since), hard_posts.c.reach >= least)
    return _with_looks(connection, connection.execute(query).all())


def peers(connection: Connection, brand: str, platform: str, first: datetime, last: datetime, before: int) -> list[Reached]:
    """The posts against a brand on a platform whose counters were ever shown: those between two times, and so many before."""
    is_shown = (hard_posts.c.platform == platform, hard_posts.c.reach.is_not(None))
    earlier = select(hard_posts.c.at).where(hard_posts.c.brand == brand, hard_posts.c.is_comment.is_(False), *is_shown)
    earlier = earlier.where(hard_posts.c.at < us(first)).order_by(hard_posts.c.at.desc()).limit(before)
    start = min(connection.execute(earlier).scalars(), default=us(first))  # with all of its very instant: no order decides
    return _with_looks(
        connection, connection.execute(_hard(brand).where(*is_shown, hard_posts.c.at.between(start, us(last)))).all()
    )


def of_author(connection: Connection, author: str, before: datetime, most: int) -> list[tuple[datetime, tuple[Look, ...]]]:
    """The last posts of an author before a time whose counters were ever shown, whatever about, with their looks."""
    is_shown = exists().where(post_counts.c.post == posts.c.id, _SHOWN)
    own = (posts.c.author_key == author, posts.c.posted_at < us(before), posts.c.kind != "comment", is_shown)
    times = select(posts.c.posted_at).where(*own).order_by(posts.c.posted_at.desc()).limit(most)
    start = min(connection.execute(times).scalars(), default=us(before))
    query = select(posts.c.id, posts.c.posted_at, posts.c.platform, posts.c.post_id).where(*own, posts.c.posted_at >= start)
    rows = sorted(connection.execute(query), key=lambda row: (row.posted_at, row.platform, row.post_id))[-most:]
    looks = _looks(connection, [row.id for row in rows])
    return [(when(row.posted_at), looks.get(row.id, ())) for row in rows]


def pickups(connection: Connection, brand: str, who: Collection[str], since: datetime) -> list[Pickup]:
    """Posts of these authors that answer or repost a post against a brand, in order of time."""
    found: list[Pickup] = []
    picked = posts.alias("picked")
    for some in chunks(sorted(who)):
        is_it = (picked.c.platform == posts.c.platform) & picked.c.post_id.in_([posts.c.parent_id, posts.c.root_id])
        query = (
            select(posts.c.platform, posts.c.post_id, posts.c.posted_at, posts.c.author_key, picked.c.post_id.label("of"))
            .add_columns(hard_posts.c.at)
            .join(picked, is_it)
            .join(hard_posts, hard_posts.c.post == picked.c.id)
            .where(among(posts.c.author_key, some), posts.c.posted_at >= us(since), hard_posts.c.brand == brand)
            .where(picked.c.author_key != posts.c.author_key)
        )
        for row in connection.execute(query):
            of, by = PostKey(row.platform, row.of), PostKey(row.platform, row.post_id)
            found.append(Pickup(of, when(row.at), by, when(row.posted_at), row.author_key))
    return sorted(found, key=lambda one: (one.at, one.by, one.of))


def copied(connection: Connection, brand: str, since: datetime, platforms: int, authors: int) -> list[list[Reached]]:
    """Posts against a brand in the same words, where those since then come from so many platforms and authors; of each text all
    that there are, in order of time."""
    of_brand = (hard_posts.c.brand == brand, hard_posts.c.is_comment.is_(False), hard_posts.c.fingerprint != 0)
    many = func.count(hard_posts.c.author_key.distinct()) >= authors
    spread = func.count(hard_posts.c.platform.distinct()) >= platforms
    query = select(hard_posts.c.fingerprint).where(*of_brand, hard_posts.c.at >= us(since))
    texts = connection.execute(query.group_by(hard_posts.c.fingerprint).having(many & spread)).scalars().all()
    found: dict[int, list[Reached]] = {}
    for some in chunks(sorted(texts)):
        rows = connection.execute(_hard(brand).where(among(hard_posts.c.fingerprint, some))).all()
        for one in _sorted(_reached_of(row, ()) for row in rows):
            found.setdefault(one.fingerprint, []).append(one)
    return [found[text] for text in sorted(found)]


def _hard(brand: str) -> Select[Any]:
    joined = select(*_FIELDS).join(posts, posts.c.id == hard_posts.c.post)
    return joined.where(hard_posts.c.brand == brand, hard_posts.c.is_comment.is_(False))


def _with_looks(connection: Connection, rows: Sequence[AnyRow]) -> list[Reached]:
    looks = _looks(connection, [row.post for row in rows])
    return _sorted(_reached_of(row, looks.get(row.post, ())) for row in rows)


def _sorted(found: Iterable[Reached]) -> list[Reached]:
    return sorted(found, key=lambda one: (one.at, one.key))


def _reached_of(row: AnyRow, looks: tuple[Look, ...]) -> Reached:
    key = PostKey(row.platform, row.post_id)
    return Reached(when(row.at), key, row.author_key, row.fingerprint, looks)


def _looks(connection: Connection, rows: Sequence[int]) -> dict[int, tuple[Look, ...]]:
    found: dict[int, list[Look]] = {}
    c = post_counts.c
    total = func.coalesce(c.likes, 0) + func.coalesce(c.comments, 0) + func.coalesce(c.reposts, 0)
    for ids in chunks(rows):
        query = select(c.post, c.seen_at, total.label("total")).where(among(c.post, ids), _SHOWN).order_by(c.post, c.seen_at)
        for row in connection.execute(query):
            found.setdefault(row.post, []).append(Look(when(row.seen_at), int(row.total)))
    return {row: tuple(some) for row, some in found.items()}
