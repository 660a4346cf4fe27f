"""Channels that rest after failures, and that may send so often only: on a real database, shared by processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener import pipeline
from listener.channels.door import ChannelError
from listener.channels.resting import FAILURES, rest_of
from listener.text.views import AlertView
from storage.records import Account, Koc, Message
from storage.store import Store
from tests.desks import Bench
from tests.integration.test_pipeline_deliver import BRAND, NOW, posts


@dataclass
class Receiver:
    """A channel whose receiver the test decides about: `refuses` says why a message is not taken, by its KOC."""

    name: str = "robot"
    refuses: dict[str, ChannelError] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def send(self, message: Message, views: Sequence[AlertView], now: datetime) -> None:
        who = views[0].alert.koc_id
        self.tried.append(who)
        if error := self.refuses.get(who) or self.refuses.get("*"):
            raise error
        self.taken.append(who)

    def test(self, now: datetime) -> None:
        raise NotImplementedError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'a.db'}") as opened:
        yield opened


def bench_of(store: Store, channels: Mapping[str, Receiver], *kocs: str) -> Bench:
    bench = Bench(store, (BRAND,), channels, clock=NOW)
    bench.roster([Koc(name, name, (Account("forum", name, ""),)) for name in kocs])
    for koc in kocs:
        bench.take(posts(koc))
    return bench


def run_until(bench: Bench, end: datetime, step: timedelta = timedelta(minutes=1)) -> None:
    """What the schedule does: a delivery each minute of a frozen clock."""
    while bench.clock < end:
        pipeline.deliver(bench.desk())
        bench.clock += step


def test_an_outage_of_two_hours_loses_nothing_and_spends_three_attempts(store: Store) -> None:
    robot = Receiver(refuses={"*": ChannelError("connection refused")})
    bench = bench_of(store, {"robot": robot}, "甲", "乙", "丙")
    run_until(bench, NOW + timedelta(hours=2))
    assert robot.taken == []
    assert len(robot.tried) < 20, "a channel that rests is not asked every minute"
    assert sum(one.attempts for one in store.deliveries()) <= 3 * 2 * 3
    robot.refuses.clear()
    run_until(bench, NOW + timedelta(hours=2, minutes=12))
    assert sorted(robot.taken) == sorted(["甲", "乙", "丙"])
    assert {one.state for one in store.deliveries()} <= {"sent", "cancelled"}, "what a later post took away is not sent"


def test_what_a_receiver_never_takes_does_not_keep_the_rest_waiting(store: Store) -> None:
    robot = Receiver(refuses={"甲": ChannelError("500 for this one alone")})
    bench = bench_of(store, {"robot": robot}, "甲", "乙", "丙")
    run_until(bench, NOW + timedelta(hours=1))
    assert sorted(robot.taken) == sorted(["乙", "丙"])
    stuck = [one for one in store.deliveries() if one.state not in ("sent", "cancelled")]
    assert stuck
    assert {one.error for one in stuck} == {"500 for this one alone"}


def test_a_wait_that_the_receiver_asks_for_holds_for_the_whole_channel_and_every_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    with Store.open(url) as one, Store.open(url) as other:
        robot = Receiver(refuses={"*": ChannelError("too fast", retry_after=timedelta(minutes=10))})
        bench = bench_of(one, {"robot": robot}, "甲", "乙")
        pipeline.deliver(bench.desk())
        robot.refuses.clear()
        bench.store, bench.clock = other, NOW + timedelta(minutes=9)
        assert pipeline.deliver(bench.desk()) == pipeline.Delivered()
        assert len(robot.tried) == 1
        bench.clock = NOW + timedelta(minutes=12)
        pipeline.deliver(bench.desk())
        assert sorted(robot.taken) == sorted(["甲", "乙"])


def test_a_channel_that_may_not_send_for_now_spends_no_attempt_and_counts_no_failure(store: Store) -> None:
    full = ChannelError("full", retry_after=timedelta(seconds=40), is_untried=True)
    robot = Receiver(refuses={"*": full})
    bench = bench_of(store, {"robot": robot}, "甲")
    pipeline.deliver(bench.desk())
    assert {(one.state, one.attempts, one.next_try_at) for one in store.deliveries()} == {
        ("pending", 0, NOW + timedelta(seconds=40))
    }
    assert store.channel_states() == {}


def test_what_is_refused_for_good_is_no_failure_of_the_channel(store: Store) -> None:
    robot = Receiver(refuses={"甲": ChannelError("410", permanent=True)})
    bench = bench_of(store, {"robot": robot}, "甲", "乙")
    pipeline.deliver(bench.desk())
    assert robot.taken == ["乙"]
    assert store.channel_states()["robot"].failures == 0


def test_one_channel_that_rests_keeps_no_other_waiting(store: Store) -> None:
    down, up = Receiver("down", refuses={"*": ChannelError("refused")}), Receiver("up")
    bench = bench_of(store, {"down": down, "up": up}, "甲")
    run_until(bench, NOW + timedelta(minutes=30))
    bench.take(posts("乙x"))
    assert up.taken == ["甲"]
    state = store.channel_states()["down"]
    assert state.failures >= FAILURES
    assert (state.error, state.rests_until is not None) == ("refused", True)


def test_slots_are_shared_and_come_back_when_the_window_has_passed(database_url: str) -> None:
    limits = ((3, timedelta(seconds=60)), (2, timedelta(seconds=10)))
    at = datetime(2026, 7, 1, tzinfo=UTC)
    with Store.open(database_url, migrate=True) as one, Store.open(database_url) as other:
        assert one.take_slots("r", limits, 2, at) == timedelta(0)
        assert other.take_slots("r", limits, 1, at + timedelta(seconds=4)) == timedelta(seconds=6)
        assert other.take_slots("r", limits, 1, at + timedelta(seconds=10)) == timedelta(0)
        assert one.take_slots("r", limits, 1, at + timedelta(seconds=11)) == timedelta(seconds=49)
        assert one.take_slots("r", limits, 9, at + timedelta(seconds=60)) == timedelta(seconds=10), "too many wait for none"
        assert one.take_slots("other", limits, 1, at) == timedelta(0)
        assert one.take_slots("r", limits, 1, at - timedelta(hours=1)) == timedelta(0), "a clock that was wrong blocks nobody"


def test_a_state_counts_failures_in_a_row_and_forgets_them(database_url: str) -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    with Store.open(database_url, migrate=True) as store:
        for n in range(FAILURES):
            state = store.channel_failed("r", f"no {n}", at + timedelta(minutes=n), rest_of)
        assert (state.failures, state.error) == (FAILURES, f"no {FAILURES - 1}")
        assert state.rests_until == at + timedelta(minutes=FAILURES - 1) + timedelta(minutes=2)
        store.channel_answered("r", at + timedelta(hours=1))
        fine = store.channel_states()["r"]
        assert (fine.failures, fine.rests_until, fine.error, fine.sent_at) == (0, None, "", at + timedelta(hours=1))
