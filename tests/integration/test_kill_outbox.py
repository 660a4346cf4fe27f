"""The outbox on a real database under random replays, sends, failures and deaths: everybody ends up believing what is true."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from listener.alerts.attempts import failed, told
from listener.alerts.planning import moot, plan
from listener.alerts.reconcile import reconcile
from listener.cases import following as cases
from storage.records import Drift, Level, Message, PostKey, StoredAlert, Verdict
from storage.store import Store
from tests.stored import BRAND, NOW, drift, koc, state, watch_all

LEASE = timedelta(minutes=3)
WITHIN = timedelta(days=14)
Told = tuple[str, str, str, str]  # channel, alert key, kind, delivery key


class DeadError(Exception):
    """The process was killed here."""


def a_drift(tip: int, level: Level) -> Drift:
    """Some are too old to be told one by one."""
    key = PostKey("forum", f"p{tip}")
    return replace(drift("k1", key), level=level, fired_at=NOW - timedelta(days=5 * tip))


RED = a_drift(1, "red")
VERDICTS: tuple[tuple[Drift, ...], ...] = ((), (), (RED,), (RED,), (a_drift(5, "amber"), RED), (a_drift(2, "red"),))


class World:
    """Watchers and senders that may die anywhere, on one database."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        self.store, self.rng, self.now = store, rng, NOW
        self.channels = ["mail"]
        self.wanted: tuple[Drift, ...] = ()
        self.wire: list[Told] = []
        self.in_flight: list[tuple[datetime, list[Message]]] = []
        self.ever_cut: set[str] = set()

    def watch(self, *, dies: bool = False) -> None:
        """Replay with a new verdict; one that dies before its end leaves nothing."""
        wanted = self.rng.choice(VERDICTS)
        self.store.mark_dirty(["k1"])
        try:
            self._replay(wanted, dies=dies)
        except DeadError:
            return
        self.wanted = wanted

    def _replay(self, wanted: tuple[Drift, ...], *, dies: bool = False) -> None:
        with self.store.watching(brands=[BRAND]) as dirty:
            assert dirty is not None
            known = dirty.stored["k1", BRAND]
            rows = [row for one in known for row in dirty.deliveries.get(one.alert.key, ())]
            person = dirty.kocs["k1"]
            verdict = Verdict(state("k1"), wanted)
            changes = reconcile(verdict, stored=known, deliveries=rows, channels=self.channels, koc=person, now=self.now)
            dirty.record(cases.follow(changes, cases=dirty.cases["k1", BRAND], koc=person, now=self.now), at=self.now)
            if dies:
                raise DeadError

    def claim(self) -> None:
        claimed = self.store.claim_due(self.now, lease=LEASE, limit=self.rng.choice([1, 2, 100]))
        self.store.settle(moot(claimed))
        messages = plan(claimed, now=self.now, deliver_within=WITHIN)
        self.in_flight.append((self.now + LEASE, messages))

    def send(self) -> None:
        """One of the claims is sent: taken, refused, or cut before or after the wire. Nobody sends beyond the lease."""
        if not self.in_flight:
            return
        until, messages = self.in_flight.pop(self.rng.randrange(len(self.in_flight)))
        if until <= self.now:
            self.ever_cut |= {row.key for message in messages for row in message.deliveries}
            return
        end = self.rng.choice(["taken", "taken", "refused", "cut before", "cut after"])
        for message in messages:
            if end in ("taken", "cut after"):
                self.wire += [(row.channel, row.alert_key, row.kind, row.key) for row in message.deliveries]
            if end == "taken":
                self.store.settle([told(row, self.now, message.kind) for row in message.deliveries])
            elif end == "refused":
                self.store.settle([failed(row, self.now, "refused") for row in message.deliveries])
            else:
                self.ever_cut |= {row.key for row in message.deliveries}

    def step(self) -> None:
        act = self.rng.choice(["watch", "watch", "claim", "claim", "send", "send", "wait", "dead watch", "settle down"])
        if act in ("watch", "dead watch"):
            self.watch(dies=act == "dead watch")
        elif act == "claim":
            self.claim()
        elif act == "send":
            self.send()
        elif act == "wait":
            self.now += self.rng.choice([timedelta(seconds=1), timedelta(minutes=5), timedelta(days=1)])
        else:
            self.settle_down()

    def settle_down(self) -> None:
        """What the schedule does when nothing disturbs it: replay whoever is dirty, send what is due."""
        for _ in range(12):
            self.now += timedelta(days=2)
            self.in_flight = []
            while self.store.count_dirty():
                self._replay(self.wanted)
            while claimed := self.store.claim_due(self.now, lease=LEASE, limit=100):
                self.store.settle(moot(claimed))
                for message in plan(claimed, now=self.now, deliver_within=WITHIN):
                    self.wire += [(row.channel, row.alert_key, row.kind, row.key) for row in message.deliveries]
                    self.store.settle([told(row, self.now, message.kind) for row in message.deliveries])

    def check(self) -> None:
        rows = self.store.deliveries()
        assert not [row for row in rows if row.state in ("pending", "sending")]
        assert len({row.key for row in rows}) == len(rows)
        keys = [key for *_, key in self.wire]
        assert {key for key in keys if keys.count(key) > 1} <= self.ever_cut
        dead = {row.alert_key for row in rows if row.state == "dead"}
        for one in self.store.alerts(history=True):
            if one.alert.key not in dead:
                self.check_told(one)
        open_cases = [case for case in self.store.cases() if case.state == "open"]
        assert len(open_cases) == bool(self.wanted)

    def check_told(self, one: StoredAlert) -> None:
        heard = list(dict.fromkeys((kind, key) for _, alert, kind, key in self.wire if alert == one.alert.key))
        kinds = [kind for kind, _ in heard]
        if one.state == "current":
            assert kinds[-1:] == ["alert"], "an alert was lost"
        else:
            assert kinds[-1:] != ["alert"], "an alert that is gone was never corrected"
        arrived = {key for _, key in heard}
        rows = [row for row in self.store.deliveries() if row.alert_key == one.alert.key]
        if not any(row.attempts and row.key not in arrived for row in rows) and not self.ever_cut & {row.key for row in rows}:
            assert all(a != b for a, b in pairwise(kinds)), "told twice, or corrected twice"


@pytest.mark.parametrize("seed", range(6))
def test_whoever_dies_wherever_everybody_ends_up_believing_what_is_true(store: Store, seed: int) -> None:
    store.save_kocs([koc("k1", "a")])
    watch_all(store)
    world = World(store, random.Random(seed))
    for _ in range(50):
        world.step()
    world.settle_down()
    world.check()
