"""Acknowledgements, mutes, and what was held back and why: rows that are only added."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, select, update

from storage.codec import clean, dumps, us, when
from storage.database import among, chunks, insert, lock
from storage.outbox import load_alerts, load_deliveries, write_deliveries
from storage.policy_records import Acknowledgement, Hold, Mute, Sent
from storage.records import Delivery, StoredAlert, StoreError
from storage.tables import acknowledgements, alerts, deliveries, delivery_holds, mutes

Owed = Callable[[Sequence[StoredAlert], Mapping[str, Sequence[Delivery]]], Sequence[Delivery]]


def acknowledge(connection: Connection, keys: Iterable[str], who: str, at: datetime, note: str) -> list[str]:
    """Note who took these alerts on; the keys of those that nobody had before. StoreError for a key that no alert has."""
    wanted = sorted(set(keys))
    known = known_of(connection, wanted)
    if missing := [key for key in wanted if key not in known]:
        raise StoreError(f"没有预警 {missing[0]!r}：listener alerts / there is no alert {missing[0]!r}; see: listener alerts")
    rows = [{"alert_key": key, "at": us(at), "who": clean(who), "note": clean(note)} for key in wanted]
    before = load_acknowledgements(connection, wanted)
    if rows:
        statement = insert(connection.dialect.name, acknowledgements).on_conflict_do_nothing(index_elements=["alert_key"])
        connection.execute(statement, rows)
    return [key for key in wanted if key not in before]


def known_of(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of these keys that an alert has: an erasure takes the alerts of a KOC also from cases that were merged."""
    known: set[str] = set()
    for some in chunks(keys):
        known.update(connection.execute(select(alerts.c.key).where(among(alerts.c.key, some))).scalars())
    return known


def load_acknowledgements(connection: Connection, keys: Iterable[str] | None = None) -> dict[str, Acknowledgement]:
    """By alert; None: of all alerts."""
    if keys is None:
        rows = list(connection.execute(select(acknowledgements)))
    else:
        mine = [among(acknowledgements.c.alert_key, some) for some in chunks(sorted(set(keys)))]
        rows = [row for one in mine for row in connection.execute(select(acknowledgements).where(one))]
    return {row.alert_key: Acknowledgement(row.alert_key, when(row.at), row.who, row.note) for row in rows}


def mute(connection: Connection, new: Mute) -> Mute:
    """Write a mute; returns it with its key. One that covers the same and ends at the same time is returned as it is."""
    for known in load_mutes(connection):
        same = (known.koc_id, known.brand, known.kind, known.until) == (new.koc_id, new.brand, new.kind, new.until)
        if same and known.lifted_at is None:
            return known
    said = [new.koc_id, new.brand, new.kind, us(new.at), us(new.until), new.reason, new.who]
    made = replace(new, key=hashlib.sha256(dumps(said).encode("utf-8", "replace")).hexdigest()[:16])
    connection.execute(mutes.insert(), [_mute_row(made)])
    return made


def unmute(connection: Connection, key: str, who: str, at: datetime) -> Mute:
    """End a mute now, and let what it held back be looked at again. StoreError where none of that key stands."""
    found = next((one for one in load_mutes(connection) if one.key == key), None)
    if found is None:
        raise StoreError(f"没有免打扰 {key!r}：listener alerts mutes / there is no mute {key!r}; see: listener alerts mutes")
    if found.lifted_at is not None:
        raise StoreError(f"免打扰 {key} 已由 {found.lifted_by} 解除 / mute {key} was ended by {found.lifted_by}")
    connection.execute(
        mutes.insert(), [_mute_row(found) | {"key": f"{key}-lifted", "at": us(at), "who": clean(who), "lifts": key}]
    )
    release(connection, us(at), "muted")
    return replace(found, lifted_at=at, lifted_by=clean(who))


def load_mutes(connection: Connection) -> list[Mute]:
    """Every mute there ever was, by (at, key)."""
    rows = list(connection.execute(select(mutes).order_by(mutes.c.at, mutes.c.key)))
    ends = {row.lifts: row for row in rows if row.lifts is not None}
    return [
        Mute(
            row.key,
            row.koc_id,
            row.brand,
            row.kind,
            when(row.at),
            when(row.until),
            row.reason,
            row.who,
            when(ends[row.key].at) if row.key in ends else None,
            ends[row.key].who if row.key in ends else "",
        )
        for row in rows
        if row.lifts is None
    ]


def release(connection: Connection, at: int, reason: str | None = None) -> int:
    """Let what is held back, for this reason or for any, be looked at again now. Returns how many deliveries."""
    held = deliveries.c.held != "" if reason is None else deliveries.c.held == reason
    waiting = update(deliveries).where(deliveries.c.state == "pending", held, deliveries.c.next_try_at > at)
    return connection.execute(waiting.values(next_try_at=at)).rowcount


def load_holds(connection: Connection, keys: Iterable[str]) -> list[Hold]:
    """What was held back of these deliveries, oldest first."""
    found = [
        Hold(row.delivery_key, when(row.at), row.reason, when(row.until))
        for some in chunks(sorted(set(keys)))
        for row in connection.execute(select(delivery_holds).where(among(delivery_holds.c.delivery_key, some)))
    ]
    return sorted(found, key=lambda one: (one.at, one.delivery_key))


def load_sent(connection: Connection, since: int) -> list[Sent]:
    """Deliveries that were received since then, oldest first."""
    query = (
        select(deliveries, alerts.c.koc_id, alerts.c.brand, alerts.c.kind.label("alert_kind"), alerts.c.severity)
        .join(alerts, alerts.c.key == deliveries.c.alert_key)
        .where(deliveries.c.sent_at >= since, deliveries.c.state.in_(("sent", "summarized")))
        .order_by(deliveries.c.sent_at, deliveries.c.key)
    )
    return [
        Sent(
            row.alert_key,
            row.channel,
            row.kind,
            row.told_in,
            when(row.sent_at),
            row.koc_id,
            row.brand,
            row.alert_kind,
            row.severity,
        )
        for row in connection.execute(query)
    ]


def unanswered(connection: Connection, since: int) -> list[StoredAlert]:
    """Current alerts, fired since then, that nobody has taken on."""
    taken = exists().where(acknowledgements.c.alert_key == alerts.c.key)
    return load_alerts(connection, [alerts.c.state == "current", alerts.c.fired_at >= since, ~taken])


def owe(connection: Connection, decide: Owed, since: int) -> int:
    """Add the deliveries that ``decide`` finds owed for current alerts, fired since then, that nobody has taken on. Returns how
    many; one that exists stays as it is, but where ``decide`` has it wait no more. Why, as ``held`` says, is noted for good."""
    lock(connection, "escalations")
    found = unanswered(connection, since)
    told = load_deliveries(connection, [one.alert.key for one in found])
    known = {one.key for rows in told.values() for one in rows}
    owed = decide(found, told)
    new = [one for one in owed if one.key not in known]
    write_deliveries(connection, new, [])
    freed = [one for one in owed if one.key in known and one.held and one.next_try_at and _free(connection, one)]
    notes = [
        {"delivery_key": one.key, "at": at, "reason": one.held, "until": at}
        for one in (*new, *freed)
        if one.held and one.next_try_at
        for at in [us(one.next_try_at)]
    ]
    if notes:
        connection.execute(delivery_holds.insert(), notes)
    return len(new) + len(freed)


def _free(connection: Connection, one: Delivery) -> bool:
    """Let a delivery that waits wait until its new time alone; False where another process has taken it meanwhile."""
    assert one.next_try_at
    waiting = update(deliveries).where(deliveries.c.key == one.key, deliveries.c.state == "pending", deliveries.c.held != "")
    return connection.execute(waiting.values(held=one.held, next_try_at=us(one.next_try_at))).rowcount == 1


def _mute_row(one: Mute) -> dict[str, Any]:
    return {
        "key": one.key,
        "koc_id": one.koc_id,
        "brand": one.brand,
        "kind": one.kind,
        "at": us(one.at),
        "until": us(one.until),
        "reason": clean(one.reason),
        "who": clean(one.who),
        "lifts": None,
    }
