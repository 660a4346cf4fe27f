"""What the detector reads: each KOC's mentions in event order, the brands' moods, the calibrations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, FromClause, and_, func, select

from storage.codec import cues_of, json_of, json_text, us, when
from storage.database import AnyRow, among, chunks, insert
from storage.dirty import data_time, mark_judged
from storage.records import ACCUSATION, Answer, Calibration, History, KocMention, Mention, PostKey
from storage.tables import account_keys, accounts, calibrations, coverage, mentions, posts

Pair = tuple[str, str]  # KOC, brand

_MENTION = (
    mentions.c.brand, mentions.c.target, mentions.c.is_rival, mentions.c.via, mentions.c.neg, mentions.c.neu, mentions.c.pos,
    mentions.c.favor, mentions.c.against, mentions.c.none, mentions.c.cues, mentions.c.constructive, mentions.c.own_words,
    mentions.c.unscored, mentions.c.fingerprint, mentions.c.model, mentions.c.causes,
)  # fmt: skip
_HISTORY = (
    account_keys.c.koc_id, account_keys.c.platform, account_keys.c.account_id, posts.c.post_id, posts.c.posted_at, posts.c.kind,
    posts.c.url, posts.c.text, posts.c.platform.label("post_platform"), *_MENTION,
)  # fmt: skip
_WIDTH = len(_HISTORY) - 1  # columns that `koc_mention_of` reads


def mention_columns() -> tuple[Any, ...]:
    """The columns that `koc_mention_of` reads of a post that may be anybody's."""
    return (*_columns_of(posts), *_MENTION)


def _columns_of(table: FromClause) -> tuple[Any, ...]:
    """What `koc_mention_of` reads of the posts in a table, beside the mention; the account is the author's key."""
    c = table.c
    return (
        c.platform,
        c.author_key.label("account_id"),
        c.post_id,
        c.posted_at,
        c.kind,
        c.url,
        c.text,
        c.platform.label("post_platform"),
    )


def koc_mention_of(row: AnyRow) -> KocMention:
    """Of a row that ends with `mention_columns`, read by place: by name it would take twice as long."""
    platform, account_id, post_id, posted_at, kind, url, text, post_platform = row[-_WIDTH : -len(_MENTION)]
    mention = mention_of(PostKey(post_platform, post_id), row)
    return KocMention(when(posted_at), mention, kind, url, text, (platform, account_id))


def mention_of(key: PostKey, row: AnyRow) -> Mention:
    """Of a row that ends with the columns of `_MENTION`."""
    (
        brand, target, is_rival, via, neg, neu, pos, favor, against, none, cues, constructive, own_words, unscored, fingerprint,
        model, causes,
    ) = row[-len(_MENTION) :]  # fmt: skip
    return Mention(
        key,
        brand,
        target,
        is_rival,
        via,
        neg / 10_000,
        neu / 10_000,
        pos / 10_000,
        favor / 10_000,
        against / 10_000,
        none / 10_000,
        cues_of(cues),
        constructive,
        own_words,
        unscored,
        fingerprint,
        model,
        tuple(causes.split()),
    )


def load(connection: Connection, pairs: Sequence[Pair], as_of: int | None = None) -> list[History]:
    """The history of each (KOC, brand), in the order given; with ``as_of`` only what was stored and posted until then."""
    found: dict[Pair, list[KocMention]] = {pair: [] for pair in pairs}
    rivals: dict[Pair, list[KocMention]] = {pair: [] for pair in pairs}
    brands = sorted({brand for _, brand in pairs})
    for ids in chunks(sorted({koc_id for koc_id, _ in pairs})):
        query = (
            select(*_HISTORY)
            .join(posts, posts.c.author_key == account_keys.c.author_key)
            .join(mentions, mentions.c.post == posts.c.id)
            .where(among(account_keys.c.koc_id, ids), among(mentions.c.brand, brands))
        )
        if as_of is not None:
            query = query.where(posts.c.stored_at <= as_of, posts.c.posted_at <= as_of)
        for row in connection.execute(query).all():
            pair = (row.koc_id, row.brand)
            if pair in found:
                (rivals if row.is_rival else found)[pair].append(koc_mention_of(row))
    answers = _accusations(connection, pairs, as_of)
    heard = heard_to(connection, sorted({koc_id for koc_id, _ in pairs}))
    until = None if as_of is None else when(as_of)
    return [
        History(
            *pair,
            tuple(sorted(found[pair], key=_event_order)),
            _earlier(heard.get(pair[0]), until),
            tuple(sorted(rivals[pair], key=_event_order)),
            tuple(sorted(answers.get(pair, ()), key=lambda one: (*_event_order(one.said), one.to))),
        )
        for pair in pairs
    ]


def _accusations(connection: Connection, pairs: Sequence[Pair], as_of: int | None) -> dict[Pair, list[Answer]]:
    """What others answered to posts of these KOCs that accuses, found by the posts it answers; not what a KOC says itself."""
    answers, own = posts.alias("answers"), account_keys.alias("own")
    columns = (*_columns_of(answers), *_MENTION)
    who = (account_keys.c.koc_id, posts.c.post_id.label("answered"))
    found: dict[Pair, list[Answer]] = {}
    wanted = set(pairs)
    for ids in chunks(sorted({koc_id for koc_id, _ in pairs})):
        query = (
            select(*who, *columns)
            .select_from(account_keys)
            .join(posts, posts.c.author_key == account_keys.c.author_key)
            .join(answers, and_(answers.c.platform == posts.c.platform, answers.c.parent_id == posts.c.post_id))
            .join(mentions, mentions.c.post == answers.c.id)
            .outerjoin(own, and_(own.c.author_key == answers.c.author_key, own.c.koc_id == account_keys.c.koc_id))
            .where(among(account_keys.c.koc_id, ids), own.c.koc_id.is_(None))
            .where(mentions.c.is_rival.is_(False), mentions.c.cues.contains(f'["{ACCUSATION}'))
        )
        if as_of is not None:
            query = query.where(answers.c.stored_at <= as_of, answers.c.posted_at <= as_of, posts.c.stored_at <= as_of)
        for row in connection.execute(query):
            if (pair := (row.koc_id, row.brand)) in wanted:
                found.setdefault(pair, []).append(Answer(koc_mention_of(row), PostKey(row.post_platform, row.answered)))
    return found


def _earlier(heard: datetime | None, as_of: datetime | None) -> datetime | None:
    return heard if heard is None or as_of is None else min(heard, as_of)


def heard_to(connection: Connection, koc_ids: Sequence[str]) -> dict[str, datetime]:
    """Up to when nothing of these KOCs is missing: the least of when each of their accounts was read to its end; left out is
    who has an account that never was."""
    found: dict[str, datetime] = {}
    for ids in chunks(koc_ids):
        read = and_(coverage.c.platform == accounts.c.platform, coverage.c.account_id == accounts.c.account_id)
        query = (
            select(accounts.c.koc_id, func.min(coverage.c.covered_at))
            .outerjoin(coverage, read)
            .where(among(accounts.c.koc_id, ids))
            .group_by(accounts.c.koc_id)
            .having(func.count() == func.count(coverage.c.covered_at))
        )
        found.update((koc_id, when(at)) for koc_id, at in connection.execute(query))
    return found


def _event_order(mention: KocMention) -> tuple[Any, ...]:
    # Sorted here: a database orders texts by its own collation.
    return (mention.posted_at, mention.mention.key, mention.mention.target)


def mentions_of(
    connection: Connection, keys: Iterable[PostKey], brand: str, rival: str | None = None
) -> dict[PostKey, Mention]:
    """What these posts say of a brand of ours, in key order; rival: of this rival of it instead."""
    whom = mentions.c.is_rival.is_(False) if rival is None else and_(mentions.c.is_rival, mentions.c.target == rival)
    found: dict[PostKey, Mention] = {}
    by_platform: dict[str, list[str]] = {}
    for key in sorted(set(keys)):
        by_platform.setdefault(key.platform, []).append(key.post_id)
    for platform, post_ids in by_platform.items():
        for ids in chunks(post_ids):
            query = select(posts.c.post_id, *_MENTION).join(mentions, mentions.c.post == posts.c.id)
            query = query.where(posts.c.platform == platform, among(posts.c.post_id, ids))
            for row in connection.execute(query.where(mentions.c.brand == brand, whom)):
                key = PostKey(platform, row.post_id)
                found[key] = mention_of(key, row)
    return {key: found[key] for key in sorted(found)}


def load_calibrations(connection: Connection, brands: Sequence[str], at: int | None = None) -> dict[str, Calibration]:
    """The calibration of each brand that has one in effect: its own, else that for every brand; the newest of several.

    at: in effect at that time; None: when posts were last stored. One that takes effect later judges nothing yet."""
    newest: dict[str, Calibration] = {}
    until = data_time(connection) if at is None else at
    query = select(calibrations).where(calibrations.c.brand.in_([*brands, ""]), calibrations.c.effective_at <= until)
    for row in connection.execute(query):
        found = Calibration(row.version, row.brand, when(row.effective_at), json_of(row.parameters))
        other = newest.get(row.brand)
        if other is None or (other.effective_at, other.version) < (found.effective_at, found.version):
            newest[row.brand] = found
    return {brand: newest.get(brand, newest.get("")) for brand in brands if brand in newest or "" in newest}  # type: ignore[misc]


def save_calibration(connection: Connection, new: Calibration) -> None:
    """Add or replace a calibration and mark whom it judges dirty; if it takes effect later, `storage.dirty.spread` will."""
    row = {
        "brand": new.brand,
        "version": new.version,
        "effective_at": us(new.effective_at),
        "parameters": json_text(new.parameters),
    }
    statement = insert(connection.dialect.name, calibrations).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["brand", "version"], set_=row))
    mark_judged(connection, [new.brand])
