"""Whose history changed since it was last replayed: the marks that `watch` takes and clears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, exists, func, select, tuple_

from storage.codec import us
from storage.database import CHUNK, AnyRow, among, chunks, insert, is_postgres
from storage.tables import (
    account_keys,
    accounts,
    alerts,
    brand_days,
    calibrations,
    coverage,
    crowd_changes,
    dirty,
    drift_states,
    kocs,
    mentions,
    meta,
    mood_changes,
    posts,
    shift_changes,
)

EVERY = ""  # the brand of a mark that stands for every brand
WHOLE = ""  # the KOC of a mark that stands for the brand itself
CALIBRATED_TO = "calibrated_to"  # the fact up to when calibrations that took effect have marked whom they judge
Pair = tuple[str, str]  # KOC, brand
# Changes of crowds of which no brand's mark tells yet; the brand's replay takes them.
_UNMARKED = ~exists().where(dirty.c.koc_id == WHOLE, dirty.c.brand == crowd_changes.c.brand)
# They wait until no KOC of their brand is left: each batch may bring more, and no KOC's replay reads what comes of them.
_SETTLED = ~exists().where(dirty.c.koc_id != WHOLE, dirty.c.brand.in_([crowd_changes.c.brand, EVERY]))


def mark(connection: Connection, pairs: Iterable[Pair]) -> None:
    """Mark KOCs dirty, in key order as everybody; waits for a watch that is replaying one of them.

    The update makes PostgreSQL wait: a mark that met one being cleared and did nothing would be lost with it."""
    rows = [{"koc_id": koc_id, "brand": brand, "marks": 1} for koc_id, brand in sorted(set(pairs))]
    if rows:
        connection.execute(_one_mark_more(connection.dialect.name), rows)


@cache
def _one_mark_more(dialect: str) -> Any:
    more = {"marks": dirty.c.marks + 1}
    return insert(dialect, dirty).on_conflict_do_update(index_elements=["koc_id", "brand"], set_=more)


def mark_if_clear(connection: Connection, pairs: Iterable[Pair]) -> None:
    """Mark KOCs that are not marked, waiting for no watch."""
    rows = [{"koc_id": koc_id, "brand": brand, "marks": 1} for koc_id, brand in sorted(set(pairs))]
    if rows:
        connection.execute(
            insert(connection.dialect.name, dirty).on_conflict_do_nothing(index_elements=["koc_id", "brand"]), rows
        )


def mark_kocs(connection: Connection, koc_ids: Iterable[str] | None) -> None:
    """Mark KOCs dirty for every brand; None: the whole roster."""
    if koc_ids is None:
        koc_ids = connection.execute(select(kocs.c.koc_id)).scalars().all()
    mark(connection, ((koc_id, EVERY) for koc_id in koc_ids))


def kocs_by_author(connection: Connection, author_keys: Iterable[str]) -> dict[str, str]:
    """Who of the roster these authors are."""
    found: dict[str, str] = {}
    for keys in chunks(sorted(set(author_keys))):
        query = select(account_keys.c.author_key, account_keys.c.koc_id).where(among(account_keys.c.author_key, keys))
        found.update((row.author_key, row.koc_id) for row in connection.execute(query))
    return found


def count(connection: Connection) -> int:
    """How many marks there are; a brand whose mood changed, or that has a new calibration, counts as one until its KOCs are
    marked."""
    marks = connection.execute(select(func.count()).select_from(dirty)).scalar_one()
    marks += len(_newly_in_effect(connection, data_time(connection)))
    marks += connection.execute(select(func.count()).select_from(shift_changes)).scalar_one()
    brands = connection.execute(select(mood_changes.c.brand).union(select(crowd_changes.c.brand).where(_UNMARKED))).all()
    return marks + len(brands)


def mark_judged(connection: Connection, brands: Iterable[str]) -> None:
    """Mark the KOCs that the calibrations of these brands judge; "" is that of every brand."""
    people = connection.execute(select(kocs.c.koc_id)).scalars().all()
    mark(connection, [(koc_id, brand) for brand in brands for koc_id in people])


def data_time(connection: Connection) -> int:
    """When posts were last stored, microseconds UTC; 0 where there is none. Of the newest row, which costs no search."""
    newest = select(posts.c.stored_at).order_by(posts.c.id.desc()).limit(1)
    return connection.execute(newest).scalar() or 0


def _newly_in_effect(connection: Connection, until: int) -> list[str]:
    """The brands of calibrations that have taken effect up to then, and after the last time that was asked for by `spread`."""
    since = connection.execute(select(meta.c.value).where(meta.c.key == CALIBRATED_TO)).scalar()
    query = select(calibrations.c.brand).where(calibrations.c.effective_at <= until).distinct()
    if since is not None:
        query = query.where(calibrations.c.effective_at > int(since))
    return list(connection.execute(query).scalars())


def needs_spreading(connection: Connection) -> bool:
    for_all = exists().where(dirty.c.brand == EVERY)
    crowds = exists().select_from(crowd_changes).where(_UNMARKED, _SETTLED)
    changes = exists().select_from(mood_changes) | exists().select_from(shift_changes)
    if connection.execute(select(for_all | changes | crowds)).scalar():
        return True
    return bool(_newly_in_effect(connection, data_time(connection)))


def spread(connection: Connection, brands: Sequence[str], zone: ZoneInfo) -> None:
    """Turn marks for every brand, changed moods and shifts, and calibrations that take effect, into marks of the KOCs and
    brands that they touch.

    The mood of a day is read by mentions of later local days: a KOC without any is not touched. A brand itself (koc_id "") is
    touched by its mood, and by the roster, whose posts are not the public's; by its crowds when all its KOCs are done."""
    pairs: set[Pair] = set()
    _spread_calibrations(connection)
    everywhere = connection.execute(delete(dirty).where(dirty.c.brand == EVERY).returning(dirty.c.koc_id)).scalars().all()
    pairs.update((koc_id, brand) for koc_id in everywhere for brand in brands)
    if everywhere:
        pairs.update((WHOLE, brand) for brand in connection.execute(select(brand_days.c.brand).distinct()).scalars())
    for ids in chunks(sorted(everywhere)):
        for table in (drift_states, alerts):  # brands that left the configuration leave something to take back
            query = select(table.c.koc_id, table.c.brand).where(among(table.c.koc_id, ids)).distinct()
            pairs.update(_pairs(connection.execute(query)))
    changes = connection.execute(delete(mood_changes).returning(mood_changes.c.brand, mood_changes.c.day)).all()
    pairs.update((WHOLE, brand) for brand, _ in changes)
    moved = connection.execute(delete(shift_changes).returning(shift_changes.c.brand, shift_changes.c.day)).all()
    least: dict[str, int] = {}
    for brand, day in [*changes, *((brand, day - 1) for brand, day in moved)]:
        least[brand] = min(day, least.get(brand, day))
    for brand, day in least.items():
        query = (
            select(account_keys.c.koc_id, mentions.c.brand)
            .join(posts, posts.c.author_key == account_keys.c.author_key)
            .join(mentions, mentions.c.post == posts.c.id)
            .where(mentions.c.brand == brand, mentions.c.is_rival.is_(False))
            .where(posts.c.posted_at >= _end_of(day, zone))
            .distinct()
        )
        pairs.update(_pairs(connection.execute(query)))
    mark(connection, pairs)
    crowds = select(crowd_changes.c.brand).where(_SETTLED).distinct()
    mark(connection, [(WHOLE, brand) for brand in connection.execute(crowds).scalars()])


def _spread_calibrations(connection: Connection) -> None:
    until = data_time(connection)
    if brands := _newly_in_effect(connection, until):
        mark_judged(connection, brands)
        statement = insert(connection.dialect.name, meta).values(key=CALIBRATED_TO, value=str(until))
        connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": str(until)}))


def _pairs(rows: Iterable[AnyRow]) -> list[Pair]:
    return [(row[0], row[1]) for row in rows]


def _end_of(day: int, zone: ZoneInfo) -> int:
    """When that local day ends, microseconds UTC."""
    return us(datetime.combine(date.fromordinal(day + 1), time(), zone))


def mark_silent(connection: Connection, covered: Sequence[Pair]) -> None:
    """Mark the KOCs of these accounts (platform, account id) whose silence has become too long by what is covered now."""
    for some in chunks(sorted(set(covered)), CHUNK // 2):
        touched = select(accounts.c.koc_id).where(tuple_(accounts.c.platform, accounts.c.account_id).in_(some))
        read = (coverage.c.platform == accounts.c.platform) & (coverage.c.account_id == accounts.c.account_id)
        heard_to = (
            select(accounts.c.koc_id, func.min(coverage.c.covered_at).label("at"))
            .outerjoin(coverage, read)
            .where(accounts.c.koc_id.in_(touched))
            .group_by(accounts.c.koc_id)
            .having(func.count() == func.count(coverage.c.covered_at))
            .subquery()
        )
        query = select(drift_states.c.koc_id, drift_states.c.brand).join(heard_to, heard_to.c.koc_id == drift_states.c.koc_id)
        mark(connection, _pairs(connection.execute(query.where(drift_states.c.silent_from <= heard_to.c.at))))


def take(connection: Connection, limit: int) -> list[Pair]:
    """The first marks in key order, locked until the transaction ends; empty only when there is none left to anybody.

    Marks that another process holds are passed over; when there are no others, its end is waited for."""
    first = select(dirty.c.koc_id, dirty.c.brand).where(dirty.c.brand != EVERY).order_by(dirty.c.koc_id, dirty.c.brand)
    while True:
        pairs = _pairs(connection.execute(first.limit(limit).with_for_update(skip_locked=True)))
        if pairs or not is_postgres(connection) or connection.execute(first.limit(1)).first() is None:
            return pairs
        connection.execute(first.limit(1).with_for_update())


def clear(connection: Connection, pairs: Sequence[Pair]) -> None:
    for some in chunks(sorted(pairs), CHUNK // 2):
        connection.execute(delete(dirty).where(tuple_(dirty.c.koc_id, dirty.c.brand).in_(some)))
