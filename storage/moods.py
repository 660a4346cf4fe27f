"""The brands' moods, kept by differences of integers, so that no order of arrival can change a sum.

A mood is what everybody's mentions of a brand on one local day sum up to: how many, and their stance in units of 1e-4.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, case, delete, func, select, tuple_, update

from storage.codec import when
from storage.database import CHUNK, among, chunks, insert, lock
from storage.records import QUIET_DAYS, MoodDay
from storage.tables import brand_days, brand_shifts, mentions, mood_changes, posts

Sums: TypeAlias = tuple[int, int, int, int]  # n, against, none, favor
Differences: TypeAlias = dict[tuple[str, int], Sums]  # by (brand, day)

SUMS = (func.count(), func.sum(mentions.c.against), func.sum(mentions.c.none), func.sum(mentions.c.favor))


def add(differences: Differences, key: tuple[str, int], more: Sums) -> None:
    """
    >>> found = {("星澜", 7): (1, 10, 20, 30)}
    >>> add(found, ("星澜", 7), (-1, -10, -20, -30))
    >>> found
    {('星澜', 7): (0, 0, 0, 0)}
    """
    n, against, none, favor = differences.get(key, (0, 0, 0, 0))
    differences[key] = (n + more[0], against + more[1], none + more[2], favor + more[3])


def write(connection: Connection, differences: Differences) -> None:
    """Add differences to the moods, and remember the least day of each brand that changed."""
    changed = {key: sums for key, sums in sorted(differences.items()) if any(sums)}
    if not changed:
        return
    rows = [
        {"brand": brand, "day": day, "n": n, "against": against, "none": none, "favor": favor}
        for (brand, day), (n, against, none, favor) in changed.items()
    ]
    connection.execute(_add_sums(connection.dialect.name), rows)
    least: dict[str, int] = {}
    for brand, day in changed:
        least[brand] = min(day, least.get(brand, day))
    days = [{"brand": brand, "day": day} for brand, day in sorted(least.items())]
    connection.execute(_keep_least_day(connection.dialect.name), days)


@cache
def _add_sums(dialect: str) -> Any:
    statement = insert(dialect, brand_days)
    sums = {name: brand_days.c[name] + statement.excluded[name] for name in ("n", "against", "none", "favor")}
    return statement.on_conflict_do_update(index_elements=["brand", "day"], set_=sums)


@cache
def _keep_least_day(dialect: str) -> Any:
    statement = insert(dialect, mood_changes)
    new, old = statement.excluded, mood_changes.c
    least = case((new.day < old.day, new.day), else_=old.day)
    return statement.on_conflict_do_update(index_elements=["brand"], set_={"day": least})


def recount(connection: Connection, zone: ZoneInfo) -> None:
    """Count every mention under its day of another time zone."""
    lock(connection, "roster")  # nobody puts mentions meanwhile
    counted = select(mentions.c.post, mentions.c.brand, mentions.c.target, posts.c.posted_at).join(posts)
    by_day: dict[int, list[tuple[int, str, str]]] = {}
    for row in connection.execute(counted.where(mentions.c.day.is_not(None))):
        by_day.setdefault(when(row.posted_at).astimezone(zone).toordinal(), []).append((row.post, row.brand, row.target))
    for day, keys in by_day.items():
        for some in chunks(keys, CHUNK // 3):
            key = tuple_(mentions.c.post, mentions.c.brand, mentions.c.target)
            connection.execute(update(mentions).where(key.in_(some)).values(day=day))
    connection.execute(delete(brand_days))
    sums = select(mentions.c.brand, mentions.c.day, *SUMS).where(mentions.c.day.is_not(None))
    rows = connection.execute(sums.group_by(mentions.c.brand, mentions.c.day))
    write(connection, {(brand, day): (n, int(a), int(o), int(f)) for brand, day, n, a, o, f in rows})


def load(connection: Connection, brands: Sequence[str]) -> dict[str, list[MoodDay]]:
    """The mood of each brand, day by day, and whether the day lies in a brand-wide shift. Days without a mention are left
    out."""
    found: dict[str, list[MoodDay]] = {brand: [] for brand in brands}
    shifted: dict[str, set[int]] = {brand: set() for brand in brands}
    for row in connection.execute(select(brand_shifts).where(among(brand_shifts.c.brand, brands))):
        shifted[row.brand].update(range(row.first, row.last + QUIET_DAYS + 1))
    query = select(brand_days).where(among(brand_days.c.brand, brands), brand_days.c.n != 0)
    for row in connection.execute(query.order_by(brand_days.c.brand, brand_days.c.day)):
        is_shifted = row.day in shifted[row.brand]
        found[row.brand].append(MoodDay(date.fromordinal(row.day), row.n, row.against, row.none, row.favor, is_shifted))
    return found


def count(connection: Connection, brand: str, as_of: int | None = None) -> list[MoodDay]:
    """The same, counted from the mentions; with ``as_of`` from what was stored and posted until then."""
    where: list[ColumnElement[bool]] = [mentions.c.brand == brand, mentions.c.day.is_not(None)]
    if as_of is not None:
        where += [posts.c.stored_at <= as_of, posts.c.posted_at <= as_of]
    query = select(mentions.c.day, *SUMS).join(posts, posts.c.id == mentions.c.post).where(*where)
    rows = connection.execute(query.group_by(mentions.c.day).order_by(mentions.c.day))
    return [MoodDay(date.fromordinal(day), n, int(against), int(none), int(favor)) for day, n, against, none, favor in rows]
