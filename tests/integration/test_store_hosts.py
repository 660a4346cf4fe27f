"""Hosts and looks in either database: turns, pauses, posts that are followed or gone, posts a day."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from storage.records import PostKey
from storage.store import Store
from tests.stored import NOW, at, listen, post

DELAY = timedelta(seconds=2)
HOUR = timedelta(hours=1)


def test_turns_come_one_delay_after_another_and_hosts_apart(store: Store) -> None:
    assert [store.take_turn("a.example", DELAY, NOW)[1] for _ in range(3)] == [timedelta(), DELAY, 2 * DELAY]
    assert store.take_turn("b.example", DELAY, NOW)[1] == timedelta()
    assert store.take_turn("a.example", DELAY, NOW + HOUR)[1] == timedelta()


def test_no_two_threads_get_the_same_turn(store: Store) -> None:
    waits: list[timedelta] = []
    threads = [threading.Thread(target=lambda: waits.append(store.take_turn("a.example", DELAY, NOW)[1])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [number * DELAY for number in range(8)]


def test_a_turn_that_a_wrong_clock_took_keeps_nobody_waiting(store: Store) -> None:
    store.take_turn("a.example", DELAY, NOW + 300 * HOUR)
    assert [store.take_turn("a.example", DELAY, NOW)[1] for _ in range(2)] == [timedelta(), DELAY]
    store.take_turn("slow.example", 9 * HOUR, NOW)
    assert [store.take_turn("slow.example", 9 * HOUR, NOW)[1] for _ in range(2)] == [9 * HOUR, 18 * HOUR]


def test_a_host_that_refuses_is_paused_and_forgotten_once_it_answers(store: Store) -> None:
    for times in range(1, 4):
        now = NOW + times * 5 * HOUR
        host = store.host_refused("a.example", "s", "HTTP 403", now, lambda n: n * HOUR)
        assert (host.refusals, host.paused_until) == (times, now + times * HOUR)
        again = store.host_refused("a.example", "t", "HTTP 429", now, lambda n: n * HOUR)
        assert (again.refusals, again.reason) == (times, "HTTP 429")
    assert store.refusing_hosts() == [again]
    assert store.take_turn("a.example", DELAY, NOW)[0].paused_until == again.paused_until
    store.host_answered("a.example")
    store.host_answered("never.example")
    assert store.refusing_hosts() == []


def test_posts_are_followed_by_source_and_noted_as_gone(store: Store) -> None:
    listen(store, [post("1", posted_at=at(0), source="微博 a"), post("2", posted_at=at(5), source="微博 a")])
    listen(store, [post("3", posted_at=at(5), source="微博 a", kind="comment", parent="1"), post("4", source="a")])
    keys = [PostKey("forum", "1"), PostKey("forum", "2")]
    assert [one.post_id for one in store.watched("微博 a", at(0))] == ["2", "1"]
    assert [one.post_id for one in store.watched("微博 a", at(3))] == ["2"]
    assert [one.post_id for one in store.watched("a", at(-99))] == ["4"]
    assert store.note_gone([keys[0], PostKey("forum", "nowhere")], NOW + 999 * HOUR) == 1
    assert store.gone(keys) == {keys[0]: NOW + 999 * HOUR}
    assert [one.gone_at is None for one in store.watched("微博 a", at(0))] == [True, False]


def test_posts_are_counted_by_source_and_day(store: Store) -> None:
    times = (at(0), at(0, hours=1), at(2))
    listen(store, [post(str(number), posted_at=on, source="s") for number, on in enumerate(times)])
    counts = store.posts_by_day(at(0), timedelta(hours=8))["s"]
    first = (at(0) - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert counts == {first: 2, first + 2: 1}
