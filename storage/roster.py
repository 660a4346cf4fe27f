"""The roster: KOCs and their accounts. What it changes makes KOCs dirty; posts are matched by author key when they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, exists, select, tuple_

from storage.codec import clean, us, when
from storage.database import CHUNK, among, chunks, insert, lock
from storage.dirty import EVERY, kocs_by_author, mark
from storage.records import Account, Koc, StoreError
from storage.roster_records import By, KocChange
from storage.tables import account_keys, accounts, koc_changes, kocs, tombstones

FIELDS = ("name", "owner", "tier", "domain", "note", "standing", "title")


def save(connection: Connection, new: Sequence[Koc], by: By | None = None) -> None:
    """Add or replace KOCs with all their accounts. An account moves here from whoever held it; all touched are marked dirty.

    by: who does it; what changes is noted under that name. Raises StoreError for an account that is to be kept out."""
    lock(connection, "roster")  # nobody puts mentions meanwhile, who would not see the new accounts
    wanted = {koc.koc_id: _sorted(koc) for koc in new}
    holders = _holders(wanted.values())
    before = load(connection, wanted)
    changed = {koc_id: koc for koc_id, koc in wanted.items() if before.get(koc_id) != koc}
    if not changed:
        return
    refuse_kept_out(connection, changed.values())
    held = (key for koc in changed.values() for account in koc.accounts for key in keys_of(account))
    losers = kocs_by_author(connection, held)
    touched = {*changed, *(koc_id for key, koc_id in losers.items() if holders.get(key) != koc_id)}
    if by:
        note_changes(connection, {koc_id: before.get(koc_id) for koc_id in changed}, changed, by)
    statement = insert(connection.dialect.name, kocs)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["koc_id"], set_={name: statement.excluded[name] for name in FIELDS}),
        [{"koc_id": koc_id} | {name: clean(getattr(koc, name)) for name in FIELDS} for koc_id, koc in changed.items()],
    )
    _replace_accounts(connection, changed)
    mark(connection, ((koc_id, EVERY) for koc_id in touched))


def _holders(wanted: Iterable[Koc]) -> dict[str, str]:
    """Which KOC holds each author key. Raises StoreError where two of one list claim the same account."""
    holders: dict[str, str] = {}
    for koc in wanted:
        for account in koc.accounts:
            for key in keys_of(account):
                other = holders.setdefault(key, koc.koc_id)
                if other != koc.koc_id:
                    name = f"{account.platform}/{account.account_id}"
                    raise StoreError(f"account {name} is given to both {other} and {koc.koc_id}")
    return holders


def keys_of(account: Account) -> tuple[str, ...]:
    """The author keys under which posts of an account may be stored."""
    return account.author_key, *account.other_keys


def _sorted(koc: Koc) -> Koc:
    """The KOC with its accounts in key order, each once."""
    by_key = {
        (account.platform, account.account_id): replace(account, other_keys=tuple(sorted(set(account.other_keys))))
        for account in koc.accounts
    }
    return replace(koc, accounts=tuple(by_key[key] for key in sorted(by_key)))


def _replace_accounts(connection: Connection, changed: dict[str, Koc]) -> None:
    rows = [
        {
            "platform": account.platform,
            "account_id": account.account_id,
            "koc_id": koc.koc_id,
            "author_key": account.author_key,
            "nickname": clean(account.nickname),
            "url": clean(account.url),
        }
        for koc in changed.values()
        for account in koc.accounts
    ]
    keys = [
        {"author_key": key, "platform": account.platform, "account_id": account.account_id, "koc_id": koc.koc_id}
        for koc in changed.values()
        for account in koc.accounts
        for key in keys_of(account)
    ]
    for ids in chunks(sorted(changed)):
        for table in (accounts, account_keys):
            connection.execute(delete(table).where(among(table.c.koc_id, ids)))
    for some in chunks(rows, CHUNK // 3):  # whoever held them
        connection.execute(delete(accounts).where(among(accounts.c.author_key, [row["author_key"] for row in some])))
        held = [(row["platform"], row["account_id"]) for row in some]
        for table in (accounts, account_keys):
            connection.execute(delete(table).where(tuple_(table.c.platform, table.c.account_id).in_(held)))
    for some in chunks(keys, CHUNK):
        connection.execute(delete(account_keys).where(among(account_keys.c.author_key, [row["author_key"] for row in some])))
    if rows:
        connection.execute(accounts.insert(), rows)
        connection.execute(account_keys.insert(), keys)


def refuse_kept_out(connection: Connection, wanted: Iterable[Koc]) -> None:
    """Raise StoreError where somebody who objected, or was erased, would come onto the roster."""
    named = {key: f"{koc.koc_id}: {a.platform}" for koc in wanted for a in koc.accounts for key in keys_of(a)}
    for keys in chunks(sorted(named)):
        found = connection.execute(select(tombstones.c.author_key).where(among(tombstones.c.author_key, keys))).scalars().all()
        if found:
            who = "、".join(sorted({named[key] for key in found}))
            words = "这些账号已要求不被收录，不能上名单 / these accounts asked to be kept out, they can't be on the roster"
            raise StoreError(f"{words}: {who}")


def note_changes(connection: Connection, before: Mapping[str, Koc | None], after: Mapping[str, Koc], by: By) -> None:
    """Write what differs, field by field. A KOC of whom nothing was, or will be, is one line and its accounts."""
    rows = [
        {
            "koc_id": koc_id,
            "at": us(by.at),
            "who": clean(by.who),
            "via": by.via,
            "field": what,
            "before": clean(old),
            "after": clean(new),
            "note": clean(by.note),
        }
        for koc_id in sorted(before.keys() | after.keys())
        for what, old, new in _differences(before.get(koc_id), after.get(koc_id))
    ]
    if rows:
        connection.execute(koc_changes.insert(), rows)


def _differences(old: Koc | None, new: Koc | None) -> Iterator[tuple[str, str, str]]:
    if old is None and new is not None:
        yield "new", "", new.name
    elif new is None and old is not None:
        yield "removed", old.name, ""
    for name in FIELDS:
        had, has = (str(getattr(koc, name)) if koc else "" for koc in (old, new))
        is_worth = (old and new) or name in ("owner", "tier", "domain")
        if is_worth and had != has:
            yield name, had, has
    held, holds = ({f"{a.platform}:{a.account_id}" for a in koc.accounts} if koc else set() for koc in (old, new))
    for account in sorted(held - holds):
        yield "account", account, ""
    for account in sorted(holds - held):
        yield "account", "", account


def load_changes(connection: Connection, koc_id: str | None) -> list[KocChange]:
    """What changed on the roster, oldest first."""
    query = select(koc_changes).order_by(koc_changes.c.at, koc_changes.c.id)
    if koc_id is not None:
        query = query.where(koc_changes.c.koc_id == koc_id)
    return [
        KocChange(row.koc_id, when(row.at), row.who, row.via, row.field, row.before, row.after, row.note)
        for row in connection.execute(query)
    ]


def remove(connection: Connection, koc_ids: Sequence[str], by: By | None = None) -> None:
    """Take KOCs off the roster. They are marked dirty, so that the next watch takes their alerts back."""
    lock(connection, "roster")
    known = load(connection, koc_ids)
    if by:
        note_changes(connection, known, {}, by)
    mark(connection, ((koc_id, EVERY) for koc_id in known))
    for ids in chunks(sorted(known)):
        for table in (accounts, account_keys):
            connection.execute(delete(table).where(among(table.c.koc_id, ids)))
        connection.execute(delete(kocs).where(among(kocs.c.koc_id, ids)))


def load(connection: Connection, koc_ids: Iterable[str] | None = None) -> dict[str, Koc]:
    """KOCs by id, in key order, each with its accounts in key order; None: all."""
    if koc_ids is None:
        return _load(connection, None)
    found: dict[str, Koc] = {}
    for ids in chunks(sorted(set(koc_ids))):
        found |= _load(connection, ids)
    return found


def _load(connection: Connection, ids: Sequence[str] | None) -> dict[str, Koc]:
    people = select(kocs).order_by(kocs.c.koc_id)
    held = select(accounts).order_by(accounts.c.koc_id, accounts.c.platform, accounts.c.account_id)
    keys = select(account_keys).order_by(account_keys.c.author_key)
    if ids is not None:
        people, held = people.where(among(kocs.c.koc_id, ids)), held.where(among(accounts.c.koc_id, ids))
        keys = keys.where(among(account_keys.c.koc_id, ids))
    by_account: dict[tuple[str, str], list[str]] = {}
    for row in connection.execute(keys):
        by_account.setdefault((row.platform, row.account_id), []).append(row.author_key)
    by_koc: dict[str, list[Account]] = {}
    for row in connection.execute(held):
        others = tuple(key for key in by_account.get((row.platform, row.account_id), ()) if key != row.author_key)
        account = Account(row.platform, row.account_id, row.author_key, row.nickname, row.url, others)
        by_koc.setdefault(row.koc_id, []).append(account)
    return {
        row.koc_id: Koc(row.koc_id, accounts=tuple(by_koc.get(row.koc_id, ())), **{name: getattr(row, name) for name in FIELDS})
        for row in connection.execute(people)
    }


def without_other_keys(connection: Connection) -> list[str]:
    """The ids of KOCs with an account that has no other key than its own, in key order."""
    same = (account_keys.c.platform == accounts.c.platform) & (account_keys.c.account_id == accounts.c.account_id)
    other = exists().where(same, account_keys.c.author_key != accounts.c.author_key)
    return sorted(connection.execute(select(accounts.c.koc_id).where(~other).distinct()).scalars())


def mark_authors_dirty(connection: Connection, author_keys: Sequence[str]) -> None:
    """Mark the KOCs among these authors dirty for every brand."""
    if author_keys:
        lock(connection, "roster", shared=True)
        mark(connection, ((koc_id, EVERY) for koc_id in kocs_by_author(connection, author_keys).values()))
