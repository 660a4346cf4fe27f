"""A database that the first version wrote, with a row in every table, becomes one that this version reads and guards."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, create_engine, select, text

from storage import schema
from storage.codec import us
from storage.database import Database, url_of
from storage.records import Koc, PostKey, StoreError
from storage.roster_records import By
from storage.store import Store, upgrade
from tests.stored import BRAND, NOW, at, author, koc, post, score_all, sha, watch_all

pytest_plugins = ["tests.postgres"]

POST = {
    "platform": "forum",
    "kind": "post",
    "author_key": author("甲"),
    "parent_id": None,
    "root_id": None,
    "media": "[]",
    "raw_sha256": "r",
    "first_seen_at": us(at(1)),
    "last_seen_at": us(at(2)),
    "stored_at": us(at(2)),
    "sources": '["file"]',
    "edited": False,
    "text_purged": False,
    "version": 1,
    "scored_version": 1,
}
MENTION = {
    "brand": BRAND,
    "target": BRAND,
    "is_rival": False,
    "via": "named",
    "neg": 1000,
    "neu": 2000,
    "pos": 7000,
    "favor": 6000,
    "against": 1000,
    "none": 3000,
    "cues": "[]",
    "constructive": False,
    "own_words": True,
    "unscored": None,
    "model": "m1",
}
EVIDENCE = (
    '{"before_n":10,"before_mean":0.7,"after_n":5,"after_mean":-0.4,"after_against":4,"log_odds_advocate":3.25,"log_odds_never":2.5,'
    '"log_odds_cooled":1.125,"posterior":0.97,"closest":"cooled","turn_low":1767326400000000,"turn_high":1767412800000000,'
    '"shares":[["forum","p1",0.3]],"promise_per_1000_koc_years":1.0,"calibration":"c1"}'
)

# What the first version had written, table by table; columns that came later are not here.
OLD: dict[str, list[dict[str, Any]]] = {
    "meta": [{"key": "brands", "value": "b1"}, {"key": "model", "value": "m1"}, {"key": "timezone", "value": "Asia/Shanghai"}],
    "posts": [
        POST
        | {"id": n, "post_id": f"p{n}", "url": f"https://f.example/{n}", "posted_at": us(at(n))}
        | {"text": f"星澜 {n}", "text_hash": sha(f"星澜 {n}")}
        for n in (1, 2, 3)
    ],
    "post_raws": [{"post": 1, "stored_at": us(at(2)), "raw": zlib.compress(b"{}")}],
    "post_texts": [
        {"post": 1, "text_hash": sha(words), "text": words, "first_seen_at": us(at(n)), "last_seen_at": us(at(n))}
        for n, words in ((1, "星澜 1"), (2, "星澜 1，改过"))
    ],
    "post_counts": [{"post": 1, "seen_at": us(at(2)), "likes": 7, "comments": None, "reposts": 0, "views": None}],
    "mentions": [MENTION | {"post": n, "day": at(n).date().toordinal(), "fingerprint": n} for n in (1, 2, 3)],
    "brand_days": [
        {"brand": BRAND, "day": at(n).date().toordinal(), "n": 1, "against": 1000, "none": 3000, "favor": 6000}
        for n in (1, 2, 3)
    ],
    "kocs": [{"koc_id": "K1", "name": "阿澜", "owner": "小王", "tier": "A", "domain": "public", "note": ""}],
    "accounts": [
        {"platform": "forum", "account_id": "甲", "koc_id": "K1", "author_key": author("甲"), "nickname": "甲甲", "url": ""}
    ],
    "dirty": [],
    "mood_changes": [],
    "calibrations": [{"brand": BRAND, "version": "c1", "effective_at": us(at(0)), "parameters": "{}"}],
    "drift_states": [
        {
            "koc_id": "K1",
            "brand": BRAND,
            "status": "critic",
            "mentions": 3,
            "baseline": 0.5,
            "recent": -0.25,
            "last_at": us(at(3)),
            "posterior": 0.9,
            "reason": "turned",
            "changes": f'[[{us(at(3))},"critic","turned"]]',
            "calibration": "c1",
        }
    ],
    "drifts": [
        {
            "koc_id": "K1",
            "brand": BRAND,
            "number": 0,
            "level": "red",
            "fired_at": us(at(3)),
            "platform": "forum",
            "post_id": "p3",
            "turned_at": us(at(2)),
            "evidence": EVIDENCE,
        }
    ],
    "alerts": [
        {
            "key": "A1",
            "kind": "drift",
            "level": "red",
            "severity": "important",
            "koc_id": "K1",
            "brand": BRAND,
            "fired_at": us(at(3)),
            "turned_at": us(at(2)),
            "evidence": EVIDENCE,
            "posts": '[["forum","p3"]]',
            "state": "current",
            "recorded_at": us(NOW),
            "superseded_at": None,
        }
    ],
    "deliveries": [
        {
            "key": "D1",
            "alert_key": "A1",
            "channel": "mail",
            "kind": "alert",
            "state": "sent",
            "created_at": us(NOW),
            "attempts": 1,
            "next_try_at": None,
            "claimed_until": None,
            "sent_at": us(NOW),
            "error": "",
        }
    ],
    "cases": [
        {
            "key": "C1",
            "brand": BRAND,
            "koc_id": "K1",
            "variant": "public",
            "state": "open",
            "opened_at": us(NOW),
            "opened_by": "A1",
            "next_step": "route",
            "alerts": '["A1"]',
        }
    ],
    "case_steps": [{"id": 1, "case_key": "C1", "at": us(NOW), "who": "小王", "step": "acknowledge", "note": "已致谢"}],
    "crawls": [
        {
            "crawl_id": "w1",
            "source": "论坛",
            "platform": "forum",
            "started_at": us(NOW),
            "ended_at": us(NOW),
            "outcome": "done",
            "items": 3,
            "error": "",
            "covered": '[["forum","甲"]]',
        }
    ],
    "marks": [{"source": "论坛", "subject": "timeline:甲", "posted_at": us(at(3)), "state": "{}"}],
    "coverage": [{"platform": "forum", "account_id": "甲", "covered_at": us(NOW)}],
    "leases": [{"name": "crawl", "holder": "x", "until": us(NOW)}],
}


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url_of(url))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.fixture
def old_url(database_url: str) -> str:
    """A database as the first version left it."""
    database = Database(database_url)
    database.write(lambda c: command.upgrade(schema.config_of(c), "0001"))
    database.close()
    with connected(database_url) as connection:
        tables = MetaData()
        tables.reflect(connection)
        assert set(tables.tables) == {*OLD, "alembic_version"}, "a row for every table of the first version"
        for table in tables.sorted_tables:
            if rows := OLD.get(table.name):
                assert set(rows[0]) == {column.name for column in table.columns}, table.name
                connection.execute(table.insert(), rows)
    return database_url


def test_every_row_of_the_first_version_is_kept_as_it_was(old_url: str) -> None:
    with pytest.raises(StoreError, match=r"of an older version \(0001"):
        Store.open(old_url)
    assert upgrade(old_url) == schema.head()
    with connected(old_url) as connection:
        tables = MetaData()
        tables.reflect(connection)
        for name, rows in OLD.items():
            if not rows:
                continue
            table = tables.tables[name]
            kept = [row._mapping for row in connection.execute(select(*[table.c[column] for column in rows[0]]))]
            assert sorted(map(repr, map(dict, kept))) == sorted(map(repr, rows)), name


def test_the_doors_of_this_version_read_it(old_url: str) -> None:
    upgrade(old_url)
    with Store.open(old_url) as store:
        (found,) = store.kocs()
        assert (found.name, found.standing, found.title, found.accounts[0].author_key) == ("阿澜", "active", "", author("甲"))
        history = store.history("K1", BRAND)
        assert [one.mention.key.post_id for one in history.mentions] == ["p1", "p2", "p3"]
        assert history.mentions[0].mention.causes == ()
        views = store.posts_of([PostKey("forum", "p1")])
        assert [one.text for one in views[PostKey("forum", "p1")].revisions] == ["星澜 1", "星澜 1，改过"]
        assert store.states()[0].changes[0].before is None
        assert store.drifts()[0].evidence.after_n == 5
        assert [one.alert.key for one in store.alerts()] == ["A1"]
        assert store.deliveries()[0].in_doubt is False
        (case,) = store.cases()
        assert (case.next_step, case.members, case.urgent, case.owner) == ("route", (), False, "")
        assert [one.note for one in store.steps("C1")] == ["已致谢"]
        assert [(audit.entries, audit.faults) for audit in store.audit()] == [(1, ())]
        assert (store.ledger.promises(), store.koc_changes(), store.privacy.tombstones()) == ([], [], [])


def test_it_goes_on_from_there(old_url: str) -> None:
    upgrade(old_url)
    with Store.open(old_url) as store:
        store.prepare("b1", "m1")
        store.add(
            [post("p4", "星澜 4", by="甲", posted_at=at(4)), post("p1", "星澜 1，又改", by="甲", seen_at=at(9))], stored_at=NOW
        )
        score_all(store)
        replayed = [(koc_id, posts) for koc_id, _, posts in watch_all(store)]
        assert replayed == [("K1", ("p1", "p2", "p3", "p4"))]
        store.save_kocs(
            [Koc("K1", "阿澜", (*store.kocs()[0].accounts, *koc("x", "乙").accounts), tier="S")], by=By("小王", NOW)
        )
        assert [one.field for one in store.koc_changes()] == ["owner", "tier", "account"]
        store.privacy.erase(store.privacy.koc("K1"), "erased", By("法务", NOW, note="来信"))
        assert store.counts()["posts"] == 0
        assert store.kocs() == []


def test_its_logs_are_guarded_from_then_on(old_url: str) -> None:
    upgrade(old_url)
    with pytest.raises(Exception, match="only added"), connected(old_url) as connection:
        connection.execute(text("UPDATE case_steps SET note = 'x'"))
