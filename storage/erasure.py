"""What is kept of one person: handed out, or taken away for good, with a stone that keeps the person out of later imports.

A person is a KOC with all accounts, or one account of anybody. What belongs to the person is found by the tables' own columns,
so that a table that comes later is neither forgotten by an erasure nor by an export.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, false, func, or_, select

from storage import mentions as mention_rows
from storage.append_only import ERASING
from storage.codec import EPOCH, clean, dumps, us, when
from storage.database import AnyRow, Database, among, chunks, insert, lock
from storage.dirty import WHOLE, mark
from storage.posts import stale_children
from storage.records import StoreError
from storage.roster import keys_of, load
from storage.roster_records import By, Erased, PrivacyEntry, Tombstone, Wish
from storage.tables import (
    account_keys,
    accounts,
    alerts,
    brand_days,
    case_steps,
    cases,
    coverage,
    deliveries,
    delivery_holds,
    koc_changes,
    kocs,
    marks,
    meta,
    metadata,
    posts,
    privacy_log,
    tombstones,
)
from storage.tombstones import kept_out
from storage.traces import forget_in_alerts

HELD_BACK = frozenset({"tombstones", "privacy_log"})  # what says that somebody is to be kept out, and who did it
FIRST = (delivery_holds, case_steps, cases)  # they hang on deliveries and posts by no key that the database knows
OF_POSTS = "post"  # the column of tables that hold parts of posts


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom it is about: the KOC, "" for who is on nobody's roster, the accounts (platform, account id), the author keys with
    their platforms."""

    koc_id: str
    accounts: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """What the privacy log calls the person: the first letters of the keys, no name and no account."""
        return " ".join(sorted(key[:12] for key, _ in self.keys)) or "–"


class Privacy:
    """What a database keeps of single people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def koc(self, koc_id: str) -> Subject:
        """A KOC of the roster; StoreError where there is none."""

        def work(connection: Connection) -> Subject:
            found = load(connection, [koc_id]).get(koc_id)
            if found is None:
                raise StoreError(f"名单里没有 {koc_id} / {koc_id} is not on the roster")
            held = tuple((one.platform, one.account_id) for one in found.accounts)
            return Subject(koc_id, held, tuple((key, one.platform) for one in found.accounts for key in keys_of(one)))

        return self._database.read(work)

    def former(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """KOCs who were taken off the roster, with the accounts (platform, account id) that they had then."""
        query = select(koc_changes).where(koc_changes.c.field.in_(("removed", "account"))).order_by(koc_changes.c.id)

        def work(connection: Connection) -> dict[str, tuple[tuple[str, str], ...]]:
            left: dict[str, tuple[int, list[tuple[str, str]]]] = {}
            for row in connection.execute(query.where(koc_changes.c.after == "")):
                if row.field == "removed":
                    left[row.koc_id] = (row.at, [])
                elif row.koc_id in left and left[row.koc_id][0] == row.at:
                    platform, _, account_id = row.before.partition(":")
                    left[row.koc_id][1].append((platform, account_id))
            here = set(connection.execute(select(kocs.c.koc_id)).scalars())
            return {koc_id: tuple(held) for koc_id, (_, held) in left.items() if koc_id not in here}

        return self._database.read(work)

    def export(self, subject: Subject, by: By) -> dict[str, list[dict[str, Any]]]:
        """All that is kept of a person, table by table, times as ISO 8601; that it was handed out is noted."""

        def work(connection: Connection) -> dict[str, list[dict[str, Any]]]:
            found = {
                table.name: [_readable(row) for row in connection.execute(select(table).where(which))]
                for table, which in _rows_of(connection, subject)
            }
            kept = {name: rows for name, rows in found.items() if rows}
            _note(connection, "exported", subject, by, {name: len(rows) for name, rows in kept.items()})
            return kept

        return self._database.write(work)

    def erase(self, subject: Subject, wish: Wish, by: By) -> Erased:
        """Take all of it away and keep the person out from now on. What others said is judged anew without it."""
        return self._database.write(lambda c: _erase(c, subject, wish, by))

    def tombstones(self) -> list[Tombstone]:
        """Who is kept out, by when that was asked for."""
        query = select(tombstones).order_by(tombstones.c.at, tombstones.c.author_key)
        return self._database.read(
            lambda c: [Tombstone(row.author_key, row.platform, when(row.at), row.why, row.who) for row in c.execute(query)]
        )

    def kept_out(self, keys: Sequence[str]) -> set[str]:
        """Which of these authors are to be kept out."""
        return self._database.read(lambda c: kept_out(c, keys))

    def allow(self, keys: Sequence[str], by: By) -> int:
        """Let authors in again who changed their mind; returns how many were kept out until now."""

        def work(connection: Connection) -> int:
            lock(connection, "roster")
            gone = connection.execute(delete(tombstones).where(among(tombstones.c.author_key, list(keys)))).rowcount
            if gone:
                _note(connection, "allowed", Subject("", (), tuple((key, "") for key in keys)), by, {"tombstones": gone})
            return gone

        return self._database.write(work)

    def log(self) -> list[PrivacyEntry]:
        """Who handed out, erased or let in again, oldest first."""
        query = select(privacy_log).order_by(privacy_log.c.at, privacy_log.c.id)
        return self._database.read(
            lambda c: [
                PrivacyEntry(when(row.at), row.who, row.act, row.subject, row.reason, json.loads(row.counts))
                for row in c.execute(query)
            ]
        )


def _erase(connection: Connection, subject: Subject, wish: Wish, by: By) -> Erased:
    lock(connection, "posts")
    lock(connection, "roster")
    connection.execute(meta.insert(), {"key": ERASING, "value": subject.name})
    counts = {
        table.name: connection.execute(select(func.count()).select_from(table).where(which)).scalar_one()
        for table, which in _rows_of(connection, subject)
    }
    rows_of = list(_rows_of(connection, subject))
    for table, which in rows_of[: len(FIRST)]:
        connection.execute(delete(table).where(which))
    named = forget_in_alerts(connection, subject.koc_id, {key for key, _ in subject.keys})
    _forget_posts(connection, [key for key, _ in subject.keys])
    for table, which in rows_of[len(FIRST) :]:
        connection.execute(delete(table).where(which))
    rows = [
        {"author_key": key, "platform": platform, "at": us(by.at), "why": wish, "who": clean(by.who)}
        for key, platform in sorted(set(subject.keys))
    ]
    if rows:
        statement = insert(connection.dialect.name, tombstones)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["author_key"]), rows)
    brands = connection.execute(select(brand_days.c.brand).distinct()).scalars()
    mark(connection, [(WHOLE, brand) for brand in brands])  # whose posts are the public's has changed
    gone = {name: count for name, count in (counts | {"alerts of others": named}).items() if count}
    _note(connection, wish, subject, by, gone)
    connection.execute(delete(meta).where(meta.c.key == ERASING))
    return Erased(tuple(sorted(gone.items())))


def _forget_posts(connection: Connection, keys: Sequence[str]) -> None:
    for some in chunks(sorted(set(keys))):
        found = connection.execute(select(posts.c.id, posts.c.platform, posts.c.post_id).where(among(posts.c.author_key, some)))
        rows = found.all()
        stale_children(connection, [(row.platform, row.post_id) for row in rows], {row.id for row in rows})
        mention_rows.forget(connection, [row.id for row in rows])


def _rows_of(connection: Connection, subject: Subject) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Each table with which of its rows are the person's, those that hang on others first."""
    keys = sorted({key for key, _ in subject.keys})
    others = (table for table in reversed(metadata.sorted_tables) if table.name not in HELD_BACK and table not in FIRST)
    for table in (*FIRST, *others):
        yield table, or_(false(), *_conditions(table, subject, keys))


def _conditions(table: Table, subject: Subject, keys: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    if subject.koc_id and "koc_id" in table.c and table.c.koc_id.type.python_type is str:
        yield table.c.koc_id == subject.koc_id
    if "author_key" in table.c:
        yield table.c.author_key.in_(keys)
    if OF_POSTS in table.c:
        yield table.c[OF_POSTS].in_(select(posts.c.id).where(posts.c.author_key.in_(keys)))
    for key in table.foreign_keys:
        owner = key.column.table
        if subject.koc_id and "koc_id" in owner.c and "koc_id" not in table.c:
            yield key.parent.in_(select(key.column).where(owner.c.koc_id == subject.koc_id))
    if table is coverage or table is accounts or table is account_keys:
        yield or_(false(), *(and_(table.c.platform == p, table.c.account_id == a) for p, a in subject.accounts))
    if table is koc_changes:  # of a KOC who stays with other accounts, or to whom the account was given
        yield or_(koc_changes.c.before.in_(held := [f"{p}:{a}" for p, a in subject.accounts]), koc_changes.c.after.in_(held))
    about = _about_posts(keys)
    if table is cases:
        yield about
    if table is case_steps:
        yield table.c.case_key.in_(select(cases.c.key).where(about))
    if table is delivery_holds and subject.koc_id:
        told = select(deliveries.c.key).join(alerts, alerts.c.key == deliveries.c.alert_key)
        yield table.c.delivery_key.in_(told.where(alerts.c.koc_id == subject.koc_id))
    if table is marks:
        yield table.c.subject.in_([f"timeline:{account_id}" for _, account_id in subject.accounts])


def _about_posts(keys: Sequence[str]) -> ColumnElement[bool]:
    """Cases about a single post of theirs, opened while they were on nobody's roster."""
    own = and_(posts.c.platform == cases.c.platform, posts.c.post_id == cases.c.post_id, posts.c.author_key.in_(keys))
    return and_(cases.c.koc_id == "", cases.c.post_id != "", exists().where(own))


def _readable(row: AnyRow) -> dict[str, Any]:
    """A row as JSON can hold it: times in words, bytes left out."""
    return {name: _plain(name, value) for name, value in row._mapping.items() if not isinstance(value, bytes)}


def _plain(name: str, value: Any) -> Any:
    if (
        isinstance(value, int)
        and (name == "at" or name.endswith("_at"))
        and value > us(datetime(1980, 1, 1, tzinfo=EPOCH.tzinfo))
    ):
        return when(value).isoformat()
    return value


def _note(connection: Connection, act: str, subject: Subject, by: By, counts: dict[str, int]) -> None:
    row = {
        "at": us(by.at),
        "who": clean(by.who),
        "act": act,
        "subject": subject.name,
        "reason": clean(by.note),
        "counts": dumps(counts),
    }
    connection.execute(privacy_log.insert(), row)
