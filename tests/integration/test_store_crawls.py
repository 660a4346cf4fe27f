"""What was listened to, when it was heard, and who may do a thing that only one may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from storage.records import Crawl, Heard, Lease, StoreError
from storage.store import Store
from tests.stored import NOW, at, koc, listen, post


def crawl(number: int, source: str = "s", **fields: object) -> Crawl:
    return replace(Crawl(f"c{number}", source, "forum", at(number), None, "running", 0, ""), **fields)


def ended(one: Crawl, **fields: object) -> Crawl:
    return replace(one, ended_at=one.started_at + timedelta(hours=1), outcome="done", **fields)


def test_a_crawl_is_written_when_it_starts_and_when_it_ends(store: Store) -> None:
    store.start_crawl(crawl(1))
    store.start_crawl(crawl(2))
    store.start_crawl(crawl(3, "t"))
    assert store.crawls("s", since=at(0)) == [crawl(1), crawl(2)]
    done = ended(crawl(1), items=7, error="一行坏了", covered=(("forum", "a"), ("forum", "a")))
    store.end_crawl(done)
    assert store.crawls("s", last=False) == [done, crawl(2)]
    assert store.crawls() == [crawl(2), crawl(3, "t")]


def test_of_each_source_those_crawls_are_read_that_tell_how_it_fares(store: Store) -> None:
    outcomes = ("done", "done", "blocked", "failed", "cut", "running", "running")
    for source in ("s", "t"):
        for number, outcome in enumerate(outcomes):
            store.start_crawl(replace(crawl(number, source, outcome=outcome), crawl_id=f"{source}{number}"))
    store.start_crawl(crawl(1, "u", outcome="failed"))
    store.start_crawl(replace(crawl(6, "s"), crawl_id="s6b"))  # started at the same instant

    def found(**how: object) -> list[str]:
        return [one.crawl_id for one in store.crawls(**how)]  # type: ignore[arg-type]

    assert found() == ["s6b", "t6", "c1"]
    assert found(last=False) == ["s1", "s2", "s4", "s6b", "t1", "t2", "t4", "t6", "c1"]
    assert found(last=False, source="t") == ["t1", "t2", "t4", "t6"]  # t2: since when it has failed
    assert found(last=False, source="t", since=at(3)) == ["t1", "t2", "t3", "t4", "t5", "t6"]
    assert found(source="t", since=at(5)) == ["t5", "t6"]
    assert found(source="v") == []


def test_old_crawls_are_forgotten_but_those_that_tell_how_their_source_fares(store: Store) -> None:
    outcomes = ("done", "done", "failed", "running", "blocked")
    for number, outcome in enumerate(outcomes):
        store.start_crawl(crawl(number, outcome=outcome))
    store.start_crawl(crawl(91, outcome="failed"))
    store.start_crawl(replace(crawl(0, "t", outcome="failed"), crawl_id="t"))

    def purged(days: float) -> int:
        return store.purge(at(days), raw_days_strangers=1, raw_days_kocs=1, text_days=1).crawls

    assert purged(92.5) == 1
    assert [one.crawl_id for one in store.crawls(since=at(0))] == ["c1", "c2", "c3", "c4", "c91", "t"]
    assert purged(200) == 1
    assert [one.crawl_id for one in store.crawls(since=at(0))] == ["c1", "c2", "c3", "c91", "t"]
    assert purged(200) == 0


def test_a_crawl_that_never_started_can_not_end(store: Store) -> None:
    with pytest.raises(StoreError, match="unknown crawl 'c9'"):
        store.end_crawl(ended(crawl(9)))


def test_a_crawl_is_started_once(store: Store) -> None:
    store.start_crawl(crawl(1))
    with pytest.raises(StoreError):
        store.start_crawl(crawl(1))


def test_crawls_of_a_killed_process_were_cut(store: Store) -> None:
    store.start_crawl(crawl(1))
    store.start_crawl(crawl(2))
    store.end_crawl(ended(crawl(2)))
    assert store.cut_crawls(NOW) == 1
    assert store.crawls(since=at(0))[0] == replace(crawl(1), outcome="cut", ended_at=NOW)
    assert store.cut_crawls(NOW) == 0


def test_an_account_was_heard_when_it_was_covered_or_a_post_of_it_was_seen(store: Store) -> None:
    store.save_kocs([koc("k1", "a", "b"), koc("k2", "c", "d")])
    listen(store, [post(1, posted_at=at(1), seen_at=at(2)), post(2, posted_at=at(0.5)), post(3, by="b", posted_at=at(3))])
    for number, accounts in ((5, (("forum", "a"), ("forum", "c"))), (4, (("forum", "c"),))):
        store.start_crawl(crawl(number))
        store.end_crawl(ended(crawl(number), covered=accounts))
    later = at(5)  # when the crawl began: what was posted while it ran may have been missed
    assert store.heard() == [
        Heard("forum", "a", later, at(1), 2, later),
        Heard("forum", "b", at(3), at(3), 1, None),
        Heard("forum", "c", later, None, 0, later),
        Heard("forum", "d", None, None, 0, None),
    ]


def test_a_blocked_crawl_covers_what_it_read(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    store.start_crawl(crawl(1))
    store.end_crawl(replace(ended(crawl(1)), outcome="blocked", covered=(("forum", "a"),)))
    assert store.heard()[0].covered_at == at(1)


def test_a_lease_is_held_by_one_until_it_runs_out(store: Store) -> None:
    minute = timedelta(minutes=1)
    assert store.lease("run") is None
    assert store.take_lease("run", "a", NOW, minute)
    assert not store.take_lease("run", "b", NOW, minute)
    assert store.take_lease("other", "b", NOW, minute)
    assert store.take_lease("run", "a", NOW + minute / 2, minute)
    assert store.lease("run") == Lease("run", "a", NOW + 1.5 * minute)
    assert not store.take_lease("run", "b", NOW + 1.4 * minute, minute)
    assert store.take_lease("run", "b", NOW + 1.5 * minute, minute)
    store.drop_lease("run", "a")
    assert store.lease("run") == Lease("run", "b", NOW + 2.5 * minute)
    store.drop_lease("run", "b")
    assert store.lease("run") is None


def test_the_status_counts_what_there_is(store: Store) -> None:
    store.save_kocs([koc("k1", "a")])
    store.add([post(1)], stored_at=NOW)
    figures = store.counts()
    assert {name: figures[name] for name in ("posts", "mentions", "kocs", "accounts", "stale", "dirty")} == {
        "posts": 1,
        "mentions": 0,
        "kocs": 1,
        "accounts": 1,
        "stale": 1,
        "dirty": 1,
    }
