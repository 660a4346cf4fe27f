"""The ledger in a real database: what is written comes back, nothing can be changed or taken, two writers never overwrite."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from storage.database import url_of
from storage.records import Account, Koc, PostKey, StoreError
from storage.roster_records import (
    Agreement,
    AgreementEvent,
    By,
    LogEntry,
    Nomination,
    Promise,
    PromiseEvent,
)
from storage.store import Store
from tests.stored import NOW, author, koc

pytest_plugins = ["tests.postgres"]

PROMISE = Promise("", "K1", "星澜", "寄新泵头\x00", "小王", "阿澜", True, date(2026, 6, 3), "hand", "other", NOW, "小王", "急")
AGREEMENT = Agreement("", "K1", "星澜", "两篇测评", date(2026, 6, 1), None, Decimal("1200.50"), NOW, "小李")
ENTRY = LogEntry("K1", NOW - timedelta(days=1), "contact", "小王", NOW, "电话聊了 20 分钟", "", "", "星澜")
BY = By("小王", NOW, note="季度评估")


def test_promises_and_their_entries_come_back_as_they_were_written(store: Store) -> None:
    (one,) = store.ledger.add_promises([PROMISE])
    assert store.ledger.promises() == [replace(one, what="寄新泵头")]
    held = store.ledger.promises()[0]
    moved = store.ledger.note_promise(held, PromiseEvent(NOW, "小王", "moved", "缺货", date(2026, 6, 9)))
    kept = store.ledger.note_promise(moved, PromiseEvent(NOW, "小李", "kept"))
    assert store.ledger.promises(koc="K1") == [kept]
    assert (kept.due, kept.first_due, kept.state) == (date(2026, 6, 9), date(2026, 6, 3), "kept")
    assert store.ledger.promises(koc="K2") == []


def test_the_same_promise_written_twice_is_one(store: Store) -> None:
    assert store.ledger.add_promises([PROMISE]) == store.ledger.add_promises([PROMISE])
    assert len(store.ledger.promises()) == 1


def test_of_two_who_decide_on_the_same_sight_the_second_is_told_to_look_again(store: Store) -> None:
    store.ledger.add_promises([PROMISE])
    (seen,) = store.ledger.promises()
    store.ledger.note_promise(seen, PromiseEvent(NOW, "小王", "kept"))
    with pytest.raises(StoreError, match="刚被别人改过"):
        store.ledger.note_promise(seen, PromiseEvent(NOW, "小李", "broken", "忘了"))
    with pytest.raises(StoreError, match="没有 nope"):
        store.ledger.note_promise(replace(seen, key="nope"), PromiseEvent(NOW, "小李", "kept"))
    assert store.ledger.promises()[0].state == "kept"


def test_an_agreement_is_written_with_its_promises_and_settles_them_in_one_transaction(store: Store) -> None:
    one, (owed,) = store.ledger.add_agreement(AGREEMENT, [replace(PROMISE, about="payment")])
    assert owed.source == f"agreement:{one.key}"
    (stale,) = store.ledger.promises()
    store.ledger.note_promise(stale, PromiseEvent(NOW, "小王", "moved", "缺货", date(2026, 6, 9)))
    paid = AgreementEvent(NOW, "小李", "paid", Decimal("1200.50"))
    with pytest.raises(StoreError, match="刚被别人改过"):
        store.ledger.note_agreement(one, paid, [(stale, PromiseEvent(NOW, "小李", "kept"))])
    assert store.ledger.agreements() == [one]  # nothing of it was written
    done = store.ledger.note_agreement(one, paid, [(store.ledger.promises()[0], PromiseEvent(NOW, "小李", "kept"))])
    assert store.ledger.agreements(koc="K1") == [done]
    assert (done.paid, done.owed) == (Decimal("1200.50"), Decimal(0))
    assert store.ledger.promises()[0].state == "kept"


def test_the_log_and_the_nominations_come_back_in_order_of_time(store: Store) -> None:
    earlier = replace(ENTRY, at=NOW - timedelta(days=9), kind="honor")
    store.ledger.log([ENTRY, earlier, replace(ENTRY, koc_id="K2")])
    store.ledger.log([])
    assert store.ledger.entries(koc="K1") == [earlier, ENTRY]
    assert store.ledger.entries(kinds=["honor"]) == [earlier]
    act = Nomination(author("生人"), PostKey("forum", "1"), "星澜", NOW, "nominated", "小王", "写得中肯")
    store.ledger.nominate(act)
    assert store.ledger.nominations() == [act]


def test_every_change_of_the_roster_is_noted_field_by_field(store: Store) -> None:
    store.save_kocs([koc("K1", "a", tier="B")], by=BY)
    changed = replace(koc("K1", "a", "b", tier="S", owner="小李"), title="首席体验官")
    store.save_kocs([changed], by=BY)
    store.save_kocs([changed], by=BY)  # nothing changes, nothing is noted
    store.remove_kocs(["K1"], by=By("小张", NOW))
    said = [(one.field, one.before, one.after) for one in store.koc_changes("K1")]
    assert said == [
        ("new", "", "某K1"),
        ("tier", "", "B"),
        ("domain", "", "public"),
        ("account", "", "forum:a"),
        ("owner", "", "小李"),
        ("tier", "B", "S"),
        ("title", "", "首席体验官"),
        ("account", "", "forum:b"),
        ("removed", "某K1", ""),
        ("owner", "小李", ""),
        ("tier", "S", ""),
        ("domain", "public", ""),
        ("account", "forum:a", ""),
        ("account", "forum:b", ""),
    ]
    assert {one.who for one in store.koc_changes()} == {"小王", "小张"}
    assert store.koc_changes()[0].note == "季度评估"


def test_standing_and_title_are_kept_with_the_koc(store: Store) -> None:
    alumna = replace(koc("K1", "a"), standing="alumni", title="荣誉体验官")
    store.save_kocs([alumna])
    assert store.kocs() == [alumna]


@pytest.mark.parametrize(
    "table",
    ["koc_changes", "agreements", "agreement_events", "promises", "promise_events", "koc_log", "nominations", "privacy_log"],
)
def test_the_database_itself_refuses_to_change_or_take_a_row(store: Store, store_url: str, table: str) -> None:
    store.save_kocs([Koc("K1", "阿澜", (Account("forum", "a", author("a")),))], by=BY)
    one, _ = store.ledger.add_agreement(AGREEMENT, [PROMISE])
    store.ledger.note_agreement(one, AgreementEvent(NOW, "小李", "delivered"))
    store.ledger.note_promise(store.ledger.promises()[0], PromiseEvent(NOW, "小李", "kept"))
    store.ledger.log([ENTRY])
    store.ledger.nominate(Nomination(author("生人"), PostKey("forum", "1"), "", NOW, "nominated", "小王", "好"))
    engine = create_engine(url_of(store_url))
    with engine.begin() as connection:
        row = "(at, who, act, subject, reason, counts) VALUES (1, 'x', 'export', 'K1', '', '{}')"
        connection.execute(text(f"INSERT INTO privacy_log {row}"))
    for statement in (f"UPDATE {table} SET who = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="only added"), engine.begin() as connection:
            connection.execute(text(statement))
    with engine.connect() as connection:
        assert connection.execute(
            text(
                f"SELECT count(*) FROM {table} WHERE who <> 'x' OR act = 'export'"
                if table == "privacy_log"
                else f"SELECT count(*) FROM {table} WHERE who <> 'x'"
            )
        ).scalar()
    engine.dispose()
