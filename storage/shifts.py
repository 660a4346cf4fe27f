"""Brand-wide shifts as rows, the public's mood that they are found in, and the posts that made them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select

from storage.database import among, chunks, insert_all
from storage.histories import koc_mention_of, mention_columns
from storage.moods import SUMS
from storage.records import BrandShift, KocMention, MoodDay, PostKey
from storage.tables import account_keys, brand_days, brand_shifts, mentions, posts, shift_changes

SEEN = 4  # times as many of the loudest posts are read as are wanted: copies of one text are left out


def load(connection: Connection, brands: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """The shifts of each brand as (first, last) ordinals of days, in order."""
    found: dict[str, list[tuple[int, int]]] = {brand: [] for brand in brands}
    for row in connection.execute(select(brand_shifts).where(among(brand_shifts.c.brand, brands))):
        found[row.brand].append((row.first, row.last))
    return {brand: sorted(spans) for brand, spans in found.items()}


def write(connection: Connection, brand: str, new: Sequence[BrandShift]) -> None:
    """Replace a brand's shifts; where they changed, remember from which day on, for `storage.dirty.spread`."""
    before = load(connection, [brand])[brand]
    after = sorted((shift.first.toordinal(), shift.last.toordinal()) for shift in new)
    if before == after:
        return
    connection.execute(delete(brand_shifts).where(brand_shifts.c.brand == brand))
    insert_all(connection, brand_shifts, [{"brand": brand, "first": first, "last": last} for first, last in after])
    changed = set(before) ^ set(after)
    connection.execute(shift_changes.insert(), [{"brand": brand, "day": min(first for first, _ in changed)}])


def public_moods(connection: Connection, brand: str, as_of: int | None = None) -> list[MoodDay]:
    """The mood of the public day by day: of everybody whose account is on nobody's roster."""
    of_roster = [mentions.c.brand == brand, mentions.c.day.is_not(None)]
    everybody = select(brand_days.c.day, brand_days.c.n, brand_days.c.against, brand_days.c.none, brand_days.c.favor)
    everybody = everybody.where(brand_days.c.brand == brand)
    if as_of is not None:
        known = and_(posts.c.stored_at <= as_of, posts.c.posted_at <= as_of)
        of_roster.append(known)
        counted = select(mentions.c.day, *SUMS).join(posts, posts.c.id == mentions.c.post)
        everybody = counted.where(mentions.c.brand == brand, mentions.c.day.is_not(None), known).group_by(mentions.c.day)
    own = (
        select(mentions.c.day, *SUMS)
        .select_from(account_keys)
        .join(posts, posts.c.author_key == account_keys.c.author_key)
        .join(mentions, mentions.c.post == posts.c.id)
        .where(*of_roster)
        .group_by(mentions.c.day)
    )
    less = {day: [int(x) for x in sums] for day, *sums in connection.execute(own)}
    found = []
    for day, *sums in connection.execute(everybody):
        n, against, none, favor = (int(all_) - own for all_, own in zip(sums, less.get(day, (0, 0, 0, 0)), strict=True))
        if n:
            found.append(MoodDay(date.fromordinal(day), n, against, none, favor))
    return sorted(found, key=lambda mood: mood.day)


def loudest(connection: Connection, brand: str, first: date, last: date, most: int) -> list[KocMention]:
    """The posts of the public on these days that are most surely against a brand, each text once, in order of time."""
    query = (
        select(*mention_columns())
        .select_from(mentions)
        .join(posts, posts.c.id == mentions.c.post)
        .outerjoin(account_keys, account_keys.c.author_key == posts.c.author_key)
        .where(mentions.c.brand == brand, mentions.c.is_rival.is_(False), account_keys.c.koc_id.is_(None))
        .where(mentions.c.day.between(first.toordinal(), last.toordinal()))
        .order_by(mentions.c.against.desc(), posts.c.posted_at, func.length(posts.c.post_id), posts.c.post_id)
        .limit(most * SEEN)
    )
    found = [koc_mention_of(row) for row in connection.execute(query)]
    found.sort(key=lambda one: (-one.mention.against, one.posted_at, one.mention.key))
    chosen: dict[Any, KocMention] = {}
    for one in found:
        chosen.setdefault(one.mention.fingerprint, one)
    return sorted(list(chosen.values())[:most], key=lambda one: (one.posted_at, one.mention.key))


def said(connection: Connection, keys: Sequence[PostKey], brand: str) -> list[KocMention]:
    """These posts with what they say of a brand, whoever wrote them, in order of time."""
    by_platform: dict[str, list[str]] = {}
    for key in sorted(set(keys)):
        by_platform.setdefault(key.platform, []).append(key.post_id)
    found = []
    for platform, post_ids in by_platform.items():
        for ids in chunks(post_ids):
            query = select(*mention_columns()).select_from(mentions).join(posts, posts.c.id == mentions.c.post)
            query = query.where(posts.c.platform == platform, among(posts.c.post_id, ids))
            rows = connection.execute(query.where(mentions.c.brand == brand, mentions.c.is_rival.is_(False)))
            found += [koc_mention_of(row) for row in rows]
    return sorted(found, key=lambda one: (one.posted_at, one.mention.key))
