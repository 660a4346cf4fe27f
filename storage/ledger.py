"""The ledger's door: agreements, promises, what was done for KOCs, and what people did with strangers. Rows are only added.

What is true of a promise or an agreement is the sum of its entries; two people who write at once never lose each other's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select

from storage.codec import clean, dumps, us, when
from storage.database import AnyRow, Database, among, chunks, insert, lock
from storage.records import PostKey, StoreError
from storage.roster_records import (
    Agreement,
    AgreementEvent,
    LogEntry,
    LogKind,
    Nomination,
    Promise,
    PromiseEvent,
)
from storage.tables import agreement_events, agreements, koc_log, nominations, promise_events, promises

FEN = Decimal("0.01")
Entry = TypeVar("Entry", Promise, Agreement)


class Ledger:
    """What the team and its KOCs owe each other, and have done for each other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def promises(self, *, koc: str | None = None) -> list[Promise]:
        """Promises with their entries, by the day they were to be kept on at first."""
        return self._database.read(lambda c: _load_promises(c, koc))

    def add_promises(self, new: Sequence[Promise]) -> list[Promise]:
        """Write promises; returns them with their keys. One that stands already, word by word, is not written twice."""
        return self._database.write(lambda c: _add_promises(c, new))

    def note_promise(self, was: Promise, event: PromiseEvent) -> Promise:
        """Add an entry. was: the promise as whoever decided saw it; StoreError if it is not so any more."""
        return self._database.write(lambda c: _note_promise(c, was, event))

    def agreements(self, *, koc: str | None = None) -> list[Agreement]:
        """Agreements with their entries, by when they were made."""
        return self._database.read(lambda c: _load_agreements(c, koc))

    def add_agreement(self, new: Agreement, owed: Sequence[Promise] = ()) -> tuple[Agreement, list[Promise]]:
        """Write an agreement and the promises that it holds, whose source it becomes; returns them with their keys."""

        def work(connection: Connection) -> tuple[Agreement, list[Promise]]:
            made = _add_agreement(connection, new)
            return made, _add_promises(connection, [replace(one, source=f"agreement:{made.key}") for one in owed])

        return self._database.write(work)

    def note_agreement(
        self, was: Agreement, event: AgreementEvent, settled: Sequence[tuple[Promise, PromiseEvent]] = ()
    ) -> Agreement:
        """Add an entry, and in the same transaction those of the promises that it settles. was: as for `note_promise`."""

        def work(connection: Connection) -> Agreement:
            for promise, entry in settled:
                _note_promise(connection, promise, entry)
            return _note_agreement(connection, was, event)

        return self._database.write(work)

    def log(self, entries: Sequence[LogEntry]) -> None:
        """Write what happened with KOCs."""
        self._database.write(lambda c: write_log(c, entries))

    def entries(self, *, koc: str | None = None, kinds: Iterable[LogKind] | None = None) -> list[LogEntry]:
        """What happened with KOCs, oldest first."""
        query = select(koc_log).order_by(koc_log.c.at, koc_log.c.id)
        if koc is not None:
            query = query.where(koc_log.c.koc_id == koc)
        if kinds is not None:
            query = query.where(koc_log.c.kind.in_(sorted(kinds)))
        return self._database.read(lambda c: [_entry_of(row) for row in c.execute(query)])

    def nominate(self, new: Nomination) -> None:
        """Write what somebody did with a stranger."""
        self._database.write(lambda c: write_nomination(c, new))

    def nominations(self) -> list[Nomination]:
        """What people did with strangers, oldest first."""
        query = select(nominations).order_by(nominations.c.at, nominations.c.id)
        return self._database.read(lambda c: [_nomination_of(row) for row in c.execute(query)])


def write_log(connection: Connection, entries: Sequence[LogEntry]) -> None:
    rows = [
        {
            "koc_id": one.koc_id,
            "brand": one.brand,
            "at": us(one.at),
            "kind": one.kind,
            "who": clean(one.who),
            "made_at": us(one.made_at),
            "note": clean(one.note),
            "link": clean(one.link),
            "about": one.about,
        }
        for one in entries
    ]
    if rows:
        connection.execute(koc_log.insert(), rows)


def write_nomination(connection: Connection, new: Nomination) -> None:
    row = {
        "author_key": new.author_key,
        "platform": new.post.platform,
        "post_id": new.post.post_id,
        "brand": new.brand,
        "at": us(new.at),
        "act": new.act,
        "who": clean(new.who),
        "reason": clean(new.reason),
        "koc_id": new.koc_id,
    }
    connection.execute(nominations.insert(), row)


# ------------------------------------------------------------------------------------------------------- promises


def _key_of(*said: object) -> str:
    return hashlib.sha256(dumps(said).encode("utf-8", "replace")).hexdigest()[:16]


def _add_promises(connection: Connection, new: Sequence[Promise]) -> list[Promise]:
    made = []
    for one in new:
        row = {
            "koc_id": one.koc_id,
            "brand": one.brand,
            "what": clean(one.what),
            "by_whom": clean(one.by_whom),
            "to_whom": clean(one.to_whom),
            "is_ours": one.is_ours,
            "due": one.first_due.toordinal(),
            "source": one.source,
            "about": one.about,
            "made_at": us(one.made_at),
            "who": clean(one.who),
            "note": clean(one.note),
        }
        key = _key_of("promise", *row.values())
        _insert_once(connection, promises, {"key": key, **row})
        made.append(replace(one, key=key, events=()))
    return made


def _insert_once(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    connection.execute(insert(connection.dialect.name, table).on_conflict_do_nothing(index_elements=["key"]), row)


def _note_promise(connection: Connection, was: Promise, event: PromiseEvent) -> Promise:
    lock(connection, "ledger")
    _refuse_if_changed(was, _load_promises(connection, was.koc_id))
    row = {
        "promise_key": was.key,
        "at": us(event.at),
        "who": clean(event.who),
        "act": event.act,
        "reason": clean(event.reason),
        "due": event.due.toordinal() if event.due else None,
    }
    connection.execute(promise_events.insert(), row)
    return was.having(event)


def _refuse_if_changed(was: Entry, now: Sequence[Entry]) -> None:
    found = next((one for one in now if one.key == was.key), None)
    if found is None:
        raise StoreError(f"没有 {was.key} / there is no {was.key}")
    if found.events != was.events:
        words = "刚被别人改过，请再看一遍 / somebody has changed it meanwhile, look at it again"
        raise StoreError(f"{was.key} {words}")


def _load_promises(connection: Connection, koc_id: str | None) -> list[Promise]:
    query = select(promises).order_by(promises.c.due, promises.c.made_at, promises.c.key)
    rows = connection.execute(query if koc_id is None else query.where(promises.c.koc_id == koc_id)).all()
    events: dict[str, list[PromiseEvent]] = {}
    for row in _events_of(connection, promise_events, promise_events.c.promise_key, [row.key for row in rows]):
        due = date.fromordinal(row.due) if row.due is not None else None
        events.setdefault(row.promise_key, []).append(PromiseEvent(when(row.at), row.who, row.act, row.reason, due))
    return [
        Promise(
            row.key,
            row.koc_id,
            row.brand,
            row.what,
            row.by_whom,
            row.to_whom,
            row.is_ours,
            date.fromordinal(row.due),
            row.source,
            row.about,
            when(row.made_at),
            row.who,
            row.note,
            tuple(events.get(row.key, ())),
        )
        for row in rows
    ]


def _events_of(connection: Connection, table: Table, column: Any, keys: Sequence[str]) -> list[AnyRow]:
    """The entries of these keys, in the order they were written."""
    found: list[AnyRow] = []
    for some in chunks(keys):
        found += connection.execute(select(table).where(among(column, some)).order_by(table.c.id)).all()
    return found


# ----------------------------------------------------------------------------------------------------- agreements


def fen_of(amount: Decimal) -> int:
    """Hundredths of a yuan, exactly. Raises StoreError for what is finer than that.

    >>> fen_of(Decimal("1200.50"))
    120050
    """
    if amount != amount.quantize(FEN):
        raise StoreError(f"金额最多两位小数 / an amount has two places at most: {amount}")
    return int(amount.quantize(FEN).scaleb(2))


def _yuan_of(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _add_agreement(connection: Connection, new: Agreement) -> Agreement:
    row = {
        "koc_id": new.koc_id,
        "brand": new.brand,
        "deliverables": clean(new.deliverables),
        "starts": new.starts.toordinal() if new.starts else None,
        "ends": new.ends.toordinal() if new.ends else None,
        "fen": fen_of(new.amount),
        "made_at": us(new.made_at),
        "who": clean(new.who),
        "note": clean(new.note),
    }
    key = _key_of("agreement", *row.values())
    _insert_once(connection, agreements, {"key": key, **row})
    return replace(new, key=key, events=())


def _note_agreement(connection: Connection, was: Agreement, event: AgreementEvent) -> Agreement:
    lock(connection, "ledger")
    _refuse_if_changed(was, _load_agreements(connection, was.koc_id))
    row = {
        "agreement_key": was.key,
        "at": us(event.at),
        "who": clean(event.who),
        "act": event.act,
        "fen": fen_of(event.amount),
        "note": clean(event.note),
    }
    connection.execute(agreement_events.insert(), row)
    return was.having(event)


def _load_agreements(connection: Connection, koc_id: str | None) -> list[Agreement]:
    query = select(agreements).order_by(agreements.c.made_at, agreements.c.key)
    rows = connection.execute(query if koc_id is None else query.where(agreements.c.koc_id == koc_id)).all()
    events: dict[str, list[AgreementEvent]] = {}
    for row in _events_of(connection, agreement_events, agreement_events.c.agreement_key, [row.key for row in rows]):
        event = AgreementEvent(when(row.at), row.who, row.act, _yuan_of(row.fen), row.note)
        events.setdefault(row.agreement_key, []).append(event)
    return [
        Agreement(
            row.key,
            row.koc_id,
            row.brand,
            row.deliverables,
            date.fromordinal(row.starts) if row.starts is not None else None,
            date.fromordinal(row.ends) if row.ends is not None else None,
            _yuan_of(row.fen),
            when(row.made_at),
            row.who,
            row.note,
            tuple(events.get(row.key, ())),
        )
        for row in rows
    ]


# -------------------------------------------------------------------------------------------- contacts, nominations


def _entry_of(row: AnyRow) -> LogEntry:
    return LogEntry(row.koc_id, when(row.at), row.kind, row.who, when(row.made_at), row.note, row.link, row.about, row.brand)


def _nomination_of(row: AnyRow) -> Nomination:
    post = PostKey(row.platform, row.post_id)
    return Nomination(row.author_key, post, row.brand, when(row.at), row.act, row.who, row.reason, row.koc_id)
