"""Several processes at once, and processes killed at any instant: nothing is lost, nothing is done twice."""

from __future__ import annotations

import multiprocessing
import random
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import database
from storage.codec import us
from storage.database import Database
from storage.records import Counts, Post, StoreError
from storage.store import Store
from tests.stored import (
    BRAND,
    NOW,
    alert,
    at,
    changes,
    contents,
    delivery,
    koc,
    listen,
    post,
    score_all,
    stance_of,
    state,
    watch_all,
)

SPAWN = multiprocessing.get_context("spawn")
PEOPLE = [koc(f"k{n}", f"n{n}") for n in range(12)]


def season(number: int) -> list[Post]:
    """Posts of KOCs and strangers, some edited, some answering each other, in no order."""
    dice = random.Random(3)
    found = []
    for n in range(number):
        words = dice.choice(("星澜好用", "今天下雨", f"星澜一般 {n}"))
        parent = str(dice.randrange(number)) if dice.random() < 0.4 else None
        one = post(n, words, by=f"n{dice.randrange(20)}", posted_at=at(dice.randrange(30), hours=n % 24), parent=parent)
        found.append(one)
        if dice.random() < 0.3:
            later = post(n, words + "（改）", by="n1", posted_at=one.posted_at, seen_at=at(40), parent=parent, counts=Counts(n))
            found.append(later)
    dice.shuffle(found)
    return found


def listen_and_watch(url: str, items: Sequence[Post], size: int) -> None:
    """What an import does, in small steps so that two of them meet often."""
    with Store.open(url) as store:
        for start in range(0, len(items), size):
            store.add(items[start : start + size], stored_at=NOW)
            score_all(store, limit=size)
            watch_all(store, limit=3)
        score_all(store)
        watch_all(store)


def finish(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def start(target: object, *args: object) -> BaseProcess:
    process = SPAWN.Process(target=target, args=args, daemon=True)  # type: ignore[arg-type]
    process.start()
    return process


def alone(tmp_path: Path, items: Sequence[Post]) -> str:
    """The URL of a store that one process filled in one go."""
    url = f"sqlite:///{tmp_path / 'alone.db'}"
    with Store.open(url) as store:
        store.save_kocs(PEOPLE)
        listen(store, items)
        watch_all(store)
    return url


def assert_same(url: str, other: str) -> None:
    """Both hold the same, and no KOC's state misses a mention."""
    assert contents(url) == contents(other)
    with Store.open(url) as store, Store.open(other) as usual:
        assert (store.count_stale(), store.count_dirty()) == (0, 0)
        assert store.states() == usual.states()
        assert store.moods(BRAND) == store.moods(BRAND, as_of=at(10_000)) == usual.moods(BRAND)
        for one in store.states():
            assert one.mentions == len(store.history(one.koc_id, BRAND).mentions)


def test_two_importers_leave_what_one_leaves(store_url: str, tmp_path: Path) -> None:
    items = season(240)
    with Store.open(store_url) as store:
        store.save_kocs(PEOPLE)
    halves = items[: len(items) * 2 // 3], items[len(items) // 3 :]  # a third is seen by both
    finish([start(listen_and_watch, store_url, half, size) for half, size in zip(halves, (17, 11), strict=True)])
    assert_same(store_url, alone(tmp_path, items))


def test_four_threads_that_share_one_store_leave_what_one_leaves(store_url: str, tmp_path: Path) -> None:
    items = season(160)
    meet = threading.Barrier(4, timeout=30)

    def listen_all(store: Store, start: int) -> None:
        meet.wait()
        for batch in range(start, len(items), 4 * 10):
            store.add(items[batch : batch + 15], stored_at=NOW)  # the next thread's first five too
            score_all(store, limit=7)
            watch_all(store, limit=3)
            assert store.count_stale() >= 0
        score_all(store)
        watch_all(store)

    with Store.open(store_url) as store:
        store.prepare("b", "m1")
        store.save_kocs(PEOPLE)
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(listen_all, store, start) for start in range(0, 40, 10)]:
                done.result(120)
    assert_same(store_url, alone(tmp_path, items))


def test_threads_that_bring_the_first_posts_of_the_same_sources_leave_the_first_of_each(store_url: str) -> None:
    sources = [f"论坛 {n}" for n in range(25)]
    meet = threading.Barrier(4, timeout=30)

    def bring(store: Store, thread: int) -> None:
        for n, source in enumerate(sources):
            store.add([post(f"{n}-{thread}", source=source, posted_at=at(n, hours=(thread + n) % 4))], stored_at=NOW)
            meet.wait()
            score_all(store, limit=1)

    with Store.open(store_url) as store:
        store.prepare("b", "m1")
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(bring, store, thread) for thread in range(4)]:
                done.result(120)
    starts = {(BRAND, f"s:{source}", us(at(n))) for n, source in enumerate(sources)}
    assert set(contents(store_url)["starts"]) == starts


def test_threads_that_ask_for_stale_posts_at_once_get_each_hint_once(store_url: str) -> None:
    with Store.open(store_url) as store:
        store.add([post(n) for n in range(300)], stored_at=NOW)
        with ThreadPoolExecutor(4) as threads:
            asked = [threads.submit(store.stale, 7) for _ in range(40)]
        found = [one.row for done in asked for one in done.result()]
        assert len(found) == len(set(found)) == 280


@pytest.mark.slow
def test_an_importer_that_is_killed_again_and_again_loses_and_doubles_nothing(store_url: str, tmp_path: Path) -> None:
    items = season(160)
    with Store.open(store_url) as store:
        store.save_kocs(PEOPLE)
    dice = random.Random(11)
    for _ in range(8):
        process = start(listen_and_watch, store_url, items, 5)
        process.join(0.7 + dice.random() * 1.2)  # it takes about 0.6 s to start
        if process.is_alive():
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
    finish([start(listen_and_watch, store_url, items, 50)])
    assert_same(store_url, alone(tmp_path, items))


def claim_all(url: str, results: multiprocessing.Queue[list[str]]) -> None:
    from datetime import timedelta

    claimed = []
    with Store.open(url) as store:
        while found := store.claim_due(NOW, lease=timedelta(minutes=5), limit=3):
            claimed += [one.key for one, _ in found]
    results.put(claimed)


def test_two_senders_never_claim_the_same(store_url: str) -> None:
    keys = [f"A{number:03}" for number in range(120)]
    with Store.open(store_url) as store:
        store.save_kocs(PEOPLE[:1])
        with store.watching(brands=[BRAND]) as watch:
            assert watch is not None
            alerts = tuple(alert(key, key) for key in keys)  # each of another KOC: one KOC's are claimed together
            watch.record(changes("k0", alerts=alerts, deliveries=tuple(delivery(f"D{key}", key) for key in keys)), at=NOW)
    results: multiprocessing.Queue[list[str]] = SPAWN.Queue()
    senders = [start(claim_all, store_url, results) for _ in range(2)]
    claimed = sorted(results.get(timeout=60) + results.get(timeout=60))
    finish(senders)
    assert claimed == [f"D{key}" for key in keys]


def test_a_mention_put_while_its_koc_is_watched_is_seen_by_the_next_watch(store_url: str) -> None:
    with Store.open(store_url) as store, Store.open(store_url) as other:
        store.save_kocs(PEOPLE[:1])
        store.add([post(1, by="n0")], stored_at=NOW)
        made = [(one, stance_of(one)) for one in store.stale()]
        with store.watching(brands=[BRAND]) as watch:
            assert watch is not None
            assert watch.histories[0].mentions == ()
            writer = threading.Thread(target=other.put, args=(made,))
            writer.start()
            time.sleep(0.2)
            assert writer.is_alive()  # it waits: its mark would be cleared with the one that is being replayed
            watch.record(changes("k0", state=state("k0", mentions=0)), at=NOW)
        writer.join(30)
        assert watch_all(store) == [("k0", BRAND, ("1",))]


@pytest.mark.postgres
def test_two_watchers_replay_different_kocs_and_none_ends_before_the_other(postgres_url: str) -> None:
    with Store.open(postgres_url, migrate=True) as store, Store.open(postgres_url) as other:
        store.save_kocs(PEOPLE[:3])
        with store.watching(brands=[BRAND], limit=2) as mine, other.watching(brands=[BRAND]) as theirs:
            assert mine is not None
            assert theirs is not None
            assert [history.koc_id for history in mine.histories] == ["k0", "k1"]
            assert [history.koc_id for history in theirs.histories] == ["k2"]
            theirs.record(changes("k2"), at=NOW)
        found: list[list[str]] = []
        waiting = threading.Thread(target=lambda: found.append([koc_id for koc_id, _, _ in watch_all(other)]))
        with store.watching(brands=[BRAND]) as mine:
            assert mine is not None
            waiting.start()
            time.sleep(0.2)
            assert waiting.is_alive()  # k0 and k1 are still dirty: it must not say that nothing is
            mine.record(changes("k0"), at=NOW)
        waiting.join(30)
        assert found == [["k1"]]
        assert store.count_dirty() == 0


def test_a_child_and_its_parent_that_come_in_two_processes_find_each_other(store_url: str) -> None:
    children = [post(f"c{n}", "同意", parent=f"p{n}", by="n0") for n in range(60)]
    parents = [post(f"p{n}", "星澜好用", by="n1") for n in range(60)]
    with Store.open(store_url) as store:
        store.save_kocs(PEOPLE[:2])
        finish([start(listen_and_watch, store_url, posts, 2) for posts in (children, parents)])
        assert {one.koc_id: one.mentions for one in store.states()} == {"k0": 60, "k1": 60}


@pytest.mark.postgres
def test_of_two_writers_that_wait_for_each_other_both_get_through(postgres_url: str) -> None:
    with Store.open(postgres_url, migrate=True) as store:
        store.mark_dirty(["a", "b"])
        both_hold_one = threading.Barrier(2, timeout=20)
        first_try = {"ab", "ba"}

        def write(order: str) -> None:
            def work(connection: object) -> None:
                for koc_id in order:
                    statement = text("UPDATE dirty SET marks = marks + 1 WHERE koc_id = :koc_id")
                    connection.execute(statement, {"koc_id": koc_id})  # type: ignore[attr-defined]
                    if order in first_try:
                        first_try.remove(order)
                        both_hold_one.wait()

            store._database.write(work)

        threads = [threading.Thread(target=write, args=(order,)) for order in ("ab", "ba")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        with store._database.reading() as connection:
            assert connection.execute(text("SELECT marks FROM dirty")).scalars().all() == [3, 3]


def test_a_database_that_is_locked_for_too_long_is_a_store_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path / 'x.db'}"
    with Store.open(url) as store:
        holder = Database(url)
        with holder.writing(), pytest.raises(StoreError, match="database is locked"):
            store.add([post(1)], stored_at=NOW)
        holder.close()
        assert store.kocs() == []
        assert store.add([post(1)], stored_at=NOW).new == 1


def test_readers_are_not_kept_waiting_by_a_writer(store_url: str) -> None:
    with Store.open(store_url) as store, Store.open(store_url) as other:
        store.save_kocs(PEOPLE[:1])
        with store.watching(brands=[BRAND]) as watch:
            assert watch is not None
            watch.record(changes("k0"), at=NOW)
            assert other.states() == []
            assert store.counts()["kocs"] == 1
        assert len(other.states()) == 1
