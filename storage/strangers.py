"""Authors off the roster who speak for a brand: found by sums in the database, then read post by post. Keys, never names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Integer, and_, bindparam, cast, exists, func, select

from storage.codec import cues_of, us, when
from storage.database import AnyRow, Database, among, chunks
from storage.records import PostKey
from storage.roster_records import Author, Said
from storage.tables import account_keys, mentions, nominations, post_counts, posts, tombstones

SHRUNK = 4  # posts of a stance of nought that a mean is shrunk by, so that few posts do not come first
MOST_POSTS = 60  # of an author that are read, the newest
FETCHED = 50_000  # fingerprints at a time
_PUBLIC = (posts.c.url != "", posts.c.text_purged.is_(False))


class Strangers:
    """The authors off the roster, as a database holds them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def favorable(
        self, brand: str, *, least: int = 3, most: int = 400, platform: str | None = None, since: datetime | None = None
    ) -> list[str]:
        """Keys of authors off the roster who have at least so many mentions since then and are, in the mean, for the brand;
        those that are most surely so first. Of who asked to be kept out, or was dropped or admitted by a person, none."""
        start = us(since) if since else 0
        return self._database.read(lambda c: favorable(c, brand, least=least, most=most, platform=platform, since=start))

    def authors(self, brand: str, keys: Sequence[str]) -> list[Author]:
        """These authors with their newest public posts, in the order given; those that keep none are left out."""
        return self._database.read(lambda c: authors(c, brand, keys))

    def fingerprints(self, brand: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of every mention of the brand by whomever: the post's row and its content's fingerprint, both of one length."""
        return self._database.read(lambda c: fingerprints(c, brand))

    def author_at(self, url: str) -> tuple[str, PostKey] | None:
        """Who wrote the post that stands at a public address, while it is kept: the author's key and the post."""
        return self._database.read(lambda c: author_at(c, url))

    def keeps_out(self, author_key: str) -> bool:
        """Whether an author asked to be kept out."""
        return self._database.read(lambda c: keeps_out(c, author_key))


def favorable(connection: Connection, brand: str, *, least: int, most: int, platform: str | None, since: int) -> list[str]:
    """Keys of authors off the roster with at least so many mentions since then that are for the brand, in the mean; those that
    are most surely so first. Of who asked to be kept out, or was dropped by a person, none."""
    total = func.sum(mentions.c.favor - mentions.c.against)
    query = (
        select(posts.c.author_key)
        .select_from(mentions)
        .join(posts, posts.c.id == mentions.c.post)
        .where(*_counts(brand), posts.c.posted_at >= since)
        .group_by(posts.c.author_key)
        .having(func.count() >= least, total > 0)
        .order_by((total / (func.count() + SHRUNK)).desc(), posts.c.author_key)
    )
    if platform is not None:
        query = query.where(posts.c.platform == platform)
    public = select(posts.c.id).where(posts.c.author_key == bindparam("author"), *_PUBLIC).limit(1)
    found: list[str] = []
    for some in chunks(list(connection.execute(query).scalars())):  # in order; those who may be none are few
        out = _kept_out(connection, some)
        for key in some:
            if key not in out and connection.execute(public, {"author": key}).first():
                found.append(key)
                if len(found) == most:
                    return found
    return found


def _counts(brand: str) -> Sequence[ColumnElement[bool]]:
    """The mentions that a stance is counted from."""
    own = and_(mentions.c.own_words.is_(True), mentions.c.unscored.is_(None), mentions.c.is_rival.is_(False))
    return mentions.c.brand == brand, own


def _kept_out(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of the roster, under a tombstone, or dropped or admitted by a person."""
    out: set[str] = set()
    for table in (account_keys, tombstones):
        out.update(connection.execute(select(table.c.author_key).where(among(table.c.author_key, keys))).scalars())
    acts = select(nominations.c.author_key, nominations.c.act).where(among(nominations.c.author_key, keys))
    last = {row.author_key: row.act for row in connection.execute(acts.order_by(nominations.c.id))}
    return out | {key for key, act in last.items() if act != "nominated"}


def authors(connection: Connection, brand: str, keys: Sequence[str]) -> list[Author]:
    """These authors with their newest public posts, in the order given; those that keep none are left out."""
    newest = select(posts.c.id).where(posts.c.author_key == bindparam("author"), *_PUBLIC)
    newest = newest.order_by(posts.c.posted_at.desc(), posts.c.id.desc()).limit(MOST_POSTS)  # by the index, author by author
    ids = [row for key in dict.fromkeys(keys) for row in connection.execute(newest, {"author": key}).scalars()]
    own = and_(mentions.c.post == posts.c.id, *_counts(brand))
    fields = (
        posts.c.id, posts.c.author_key, posts.c.platform, posts.c.post_id, posts.c.kind, posts.c.url, posts.c.posted_at,
        posts.c.text, mentions.c.favor, mentions.c.against, mentions.c.constructive, mentions.c.cues, mentions.c.fingerprint,
        _engagement(posts.c.id).label("engagement"),
    )  # fmt: skip
    by_author: dict[str, list[AnyRow]] = {}
    for some in chunks(sorted(ids)):
        query = select(*fields).outerjoin(mentions, own).where(among(posts.c.id, some))
        for row in connection.execute(query):
            by_author.setdefault(row.author_key, []).append(row)
    return [_author_of(key, by_author[key]) for key in dict.fromkeys(keys) if key in by_author]


def _engagement(row: Any) -> ColumnElement[Any]:
    """What a post's counters sum up to when they were last seen; null where none was shown."""
    some = func.coalesce(post_counts.c.likes, post_counts.c.comments, post_counts.c.reposts).is_not(None)
    total = sum(
        (func.coalesce(post_counts.c[name], 0) for name in ("comments", "reposts")), func.coalesce(post_counts.c.likes, 0)
    )
    counted = select(cast(total, Integer)).where(post_counts.c.post == row, some).order_by(post_counts.c.seen_at.desc())
    return counted.limit(1).scalar_subquery()


def _author_of(key: str, rows: Sequence[AnyRow]) -> Author:
    ordered = sorted(rows, key=lambda row: (row.posted_at, row.id))
    return Author(key, ordered[-1].platform, tuple(_said_of(row) for row in ordered))


def _said_of(row: AnyRow) -> Said:
    is_mention = row.favor is not None
    return Said(
        row=row.id,
        key=PostKey(row.platform, row.post_id),
        url=row.url,
        kind=row.kind,
        posted_at=when(row.posted_at),
        text=row.text,
        engagement=row.engagement,
        is_mention=is_mention,
        favor=row.favor / 10_000 if is_mention else 0.0,
        against=row.against / 10_000 if is_mention else 0.0,
        constructive=bool(row.constructive),
        cues=tuple(cue.code for cue in cues_of(row.cues)) if is_mention else (),
        fingerprint=row.fingerprint or 0,
    )


def fingerprints(connection: Connection, brand: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of every mention of the brand by whomever: the post's row and its content's fingerprint, both of one length."""
    query = select(mentions.c.post, mentions.c.fingerprint).where(*_counts(brand), mentions.c.fingerprint != 0)
    result = connection.execute(query)
    cursor, parts = result.cursor, []
    assert cursor is not None  # a row for each of a million posts is too dear here: the driver's own tuples do
    while some := cursor.fetchmany(FETCHED):
        parts.append(np.array(some, np.int64))
    result.close()
    every = np.concatenate(parts) if parts else np.empty((0, 2), np.int64)
    return every[:, 0].copy(), every[:, 1].copy()


def author_at(connection: Connection, url: str) -> tuple[str, PostKey] | None:
    """Who wrote the post that stands at a public address (its scheme and last slash aside), while it is kept: the author's key
    and the post."""
    address = url.partition("://")[2].rstrip("/")
    urls = [f"{scheme}://{address}{end}" for scheme in ("https", "http") for end in ("", "/")] if address else []
    kept = and_(among(posts.c.url, urls), posts.c.text_purged.is_(False))
    row = connection.execute(
        select(posts.c.author_key, posts.c.platform, posts.c.post_id).where(kept).order_by(posts.c.id)
    ).first()
    return (row.author_key, PostKey(row.platform, row.post_id)) if row else None


def keeps_out(connection: Connection, author_key: str) -> bool:
    """Whether an author asked to be kept out."""
    return bool(connection.execute(select(exists().where(tombstones.c.author_key == author_key))).scalar())
