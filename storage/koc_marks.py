"""What the team says of KOCs by hand: rows that are only added; a mark that is taken back stays, with who took it back."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, select

from storage.codec import clean, dumps, us, when
from storage.database import AnyRow
from storage.records import KocMark, StoreError
from storage.tables import koc_marks

TAKEN_BACK = "taken-back"  # the kind of a row that ends another


def key_of(mark: KocMark) -> str:
    """The key of a mark, 16 hex digits: a hash of what it says, who said it and when."""
    said = [mark.koc_id, mark.brand, mark.kind, us(mark.at), mark.alert_key, mark.who, us(mark.made_at), mark.note]
    return hashlib.sha256(dumps(said).encode("utf-8", "replace")).hexdigest()[:16]


def add(connection: Connection, mark: KocMark) -> KocMark:
    """Write a mark; returns it with its key. One that stands already and says the same is returned as it is."""
    for known in load(connection, mark.koc_id, mark.brand):
        if (known.kind, known.at, known.alert_key) == (mark.kind, mark.at, mark.alert_key):
            return known
    key = key_of(mark)
    row = {
        "key": key,
        "koc_id": mark.koc_id,
        "brand": mark.brand,
        "kind": mark.kind,
        "at": us(mark.at),
        "alert_key": mark.alert_key,
        "who": clean(mark.who),
        "made_at": us(mark.made_at),
        "note": clean(mark.note),
        "takes_back": None,
    }
    connection.execute(koc_marks.insert(), [row])
    return next(known for known in load(connection, mark.koc_id, mark.brand) if known.key == key)


def take_back(connection: Connection, key: str, who: str, at: datetime, note: str) -> KocMark:
    """End a mark that stands. Raises StoreError where there is none of that key, or it was taken back before."""
    row = connection.execute(select(koc_marks).where(koc_marks.c.key == key, koc_marks.c.kind != TAKEN_BACK)).first()
    if row is None:
        raise StoreError(f"没有标记 {key!r}：listener koc marks / there is no mark {key!r}; see: listener koc marks")
    ended = connection.execute(select(koc_marks).where(koc_marks.c.takes_back == key)).first()
    if ended is not None:
        raise StoreError(f"标记 {key} 已由 {ended.who} 撤回 / mark {key} was taken back by {ended.who}")
    said = {"koc_id": row.koc_id, "brand": row.brand, "kind": TAKEN_BACK, "at": row.at, "alert_key": row.alert_key}
    ends = {"key": f"{key}-{TAKEN_BACK}", "who": clean(who), "made_at": us(at), "note": clean(note), "takes_back": key}
    connection.execute(koc_marks.insert(), [said | ends])
    return _mark_of(row, connection.execute(select(koc_marks).where(koc_marks.c.takes_back == key)).one())


def load(
    connection: Connection, koc_id: str | None = None, brand: str | None = None, *, history: bool = False
) -> list[KocMark]:
    """Marks by (koc, brand, at, kind, key): those that stand; with ``history`` also those taken back."""
    query = select(koc_marks)
    if koc_id is not None:
        query = query.where(koc_marks.c.koc_id == koc_id)
    if brand is not None:
        query = query.where(koc_marks.c.brand == brand)
    rows = connection.execute(query).all()
    ends = {row.takes_back: row for row in rows if row.takes_back is not None}
    found = [_mark_of(row, ends.get(row.key)) for row in rows if row.takes_back is None and (history or row.key not in ends)]
    return sorted(found, key=lambda mark: (mark.koc_id, mark.brand, mark.at, mark.kind, mark.key))


def _mark_of(row: AnyRow, ended: AnyRow | None) -> KocMark:
    return KocMark(
        key=row.key,
        koc_id=row.koc_id,
        brand=row.brand,
        kind=row.kind,
        at=when(row.at),
        alert_key=row.alert_key,
        who=row.who,
        made_at=when(row.made_at),
        note=row.note,
        taken_back_at=when(ended.made_at) if ended is not None else None,
        taken_back_by=ended.who if ended is not None else "",
    )
