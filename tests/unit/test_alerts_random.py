"""Random verdicts, sends, failures and crashes: nothing lost, nothing double, keys stable."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from listener.alerts.attempts import failed, told
from listener.alerts.making import alerts_of
from listener.alerts.planning import moot, plan
from listener.alerts.reconcile import reconcile
from listener.cases import following as cases
from storage.records import (
    Case,
    CaseStep,
    Delivery,
    Drift,
    DriftState,
    Evidence,
    Level,
    Message,
    PostKey,
    Share,
    StoredAlert,
    Verdict,
)

START = datetime(2026, 5, 1, tzinfo=UTC)
LEASE = timedelta(minutes=3)
WITHIN = timedelta(days=14)


def a_drift(tip: int, level: Level) -> Drift:
    """Few tips, so that alerts vanish and come back; half of them are too old to be told one by one."""
    at = START - timedelta(days=tip * 5)
    key = PostKey("weibo", f"p{tip}")
    evidence = Evidence(9, 0.8, 9, -0.5, 7, 9, 8, 7, 0.9, "cooled", at, at, (Share(key, 1.0),), 1.0, "c1")
    return Drift("K1", "星澜", level, at, key, at, evidence)


NONE: tuple[Drift, ...] = ()
RED = (a_drift(1, "red"),)
FEW = st.sampled_from([NONE, NONE, RED, RED, (a_drift(5, "amber"), *RED), (a_drift(2, "red"),)])


class Outbox(RuleBasedStateMachine):
    """A store in memory with a wire: two senders that crash, a watcher, a channel that appears late."""

    @initialize(channels=st.sets(st.sampled_from(["mail", "hook"])))
    def start(self, channels: set[str]) -> None:
        self.channels = sorted(channels)
        self.now = START
        self.stored: dict[str, StoredAlert] = {}
        self.rows: dict[str, Delivery] = {}
        self.cases: dict[str, Case] = {}
        self.steps: list[CaseStep] = []
        self.wanted: tuple[Drift, ...] = ()
        self.wire: list[tuple[str, str, str, str]] = []  # channel, alert key, kind, delivery key
        self.cut: set[str] = set()  # delivery keys of which an attempt was cut
        self.due: set[tuple[str, str]] = set()  # (channel, alert key) that somebody has to hear of while it is current
        self.in_flight: list[tuple[Message, ...]] = []

    def record(self, drifts: tuple[Drift, ...]) -> None:
        state = DriftState("K1", "星澜", "critic", 9, 0.8, -0.5, START, 0.9, "turned", (), "c1")
        changes = reconcile(
            Verdict(state, drifts),
            stored=list(self.stored.values()),
            deliveries=list(self.rows.values()),
            channels=self.channels,
            koc=None,
            now=self.now,
        )
        changes = cases.follow(changes, cases=list(self.cases.values()), koc=None, now=self.now)
        for alert in changes.alerts:
            known = self.stored.get(alert.key)
            if known is None or known.state == "superseded":
                self.due |= {(channel, alert.key) for channel in self.channels}
            self.stored[alert.key] = StoredAlert(alert, "current", known.recorded_at if known else self.now, None)
        for key in changes.superseded:
            assert self.stored[key].state == "current"
            self.stored[key] = replace(self.stored[key], state="superseded", superseded_at=self.now)
        for row in changes.deliveries:
            assert row.key not in self.rows or self.rows[row.key].state == "cancelled"
            self.rows[row.key] = row
        for key in changes.cancelled:
            assert self.rows[key].state == "pending"
            self.rows[key] = replace(self.rows[key], state="cancelled")
        self.cases |= {case.key: case for case in changes.cases}
        self.steps += changes.steps
        self.wanted = drifts

    @rule(drifts=FEW)
    def watch(self, drifts: tuple[Drift, ...]) -> None:
        self.record(drifts)

    @rule(drifts=FEW)
    def watch_is_idempotent(self, drifts: tuple[Drift, ...]) -> None:
        self.record(drifts)
        before = (dict(self.stored), dict(self.rows), dict(self.cases), list(self.steps))
        self.now += timedelta(seconds=1)
        self.record(drifts)
        assert before == (self.stored, self.rows, self.cases, self.steps)

    @rule(drifts=FEW)
    def watch_is_killed_before_it_commits(self, drifts: tuple[Drift, ...]) -> None:
        """Its transaction never was."""

    @rule()
    def add_channel(self) -> None:
        self.channels = ["hook", "mail"]

    @rule(seconds=st.sampled_from([1, 60, 300, 3600, 90_000]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def deliver(self) -> None:
        self.now += timedelta(days=2)
        self.in_flight = []
        for message in self.claimed(100):
            self.wire += [(one.channel, one.alert_key, one.kind, one.key) for one in message.deliveries]
            self.settle([told(one, self.now, message.kind) for one in message.deliveries])

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        self.in_flight.append(tuple(self.claimed(limit)))

    @rule(drifts=FEW, works=st.booleans(), crash=st.sampled_from(["no", "no", "before", "after"]), another=st.booleans())
    def watch_while_sending(self, drifts: tuple[Drift, ...], works: bool, crash: str, another: bool) -> None:
        """A replay between the claim and the sending; perhaps another sender claims before the first one sends."""
        self.in_flight = [tuple(self.claimed(100))]
        self.record(drifts)
        if another:
            self.in_flight.append(tuple(self.claimed(100)))
            self.in_flight.reverse()
            self.send(True, "no")
        self.send(works, crash)

    def claimed(self, limit: int) -> list[Message]:
        for row in self.rows.values():
            if row.state == "sending" and row.claimed_until and row.claimed_until <= self.now:
                self.cut.add(row.key)  # its sender is dead
        self.in_flight = [ms for ms in self.in_flight if not any(one.key in self.cut for m in ms for one in m.deliveries)]
        ready = [
            row
            for row in self.rows.values()
            if (row.state == "pending" and row.next_try_at and row.next_try_at <= self.now)
            or (row.state == "sending" and row.claimed_until and row.claimed_until <= self.now)
        ][:limit]
        pairs = []
        for row in ready:
            cut = row.in_doubt or row.state == "sending"
            taken = replace(row, state="sending", attempts=row.attempts + 1, claimed_until=self.now + LEASE, in_doubt=cut)
            self.rows[row.key] = taken
            pairs.append((taken, self.stored[row.alert_key]))
        for row in moot(pairs):
            self.rows[row.key] = row
        return plan(pairs, now=self.now, deliver_within=WITHIN)

    @rule(works=st.booleans(), crash=st.sampled_from(["no", "no", "before", "after"]))
    def send(self, works: bool, crash: str) -> None:
        if not self.in_flight:
            return
        for message in self.in_flight.pop(0):
            if crash == "before":
                continue
            if not works:
                self.settle([failed(one, self.now, "refused") for one in message.deliveries])
                continue
            self.wire += [(one.channel, one.alert_key, one.kind, one.key) for one in message.deliveries]
            if crash != "after":
                self.settle([told(one, self.now, message.kind) for one in message.deliveries])

    def settle(self, rows: list[Delivery]) -> None:
        for row in rows:
            assert self.rows[row.key].state == "sending"
            self.rows[row.key] = row

    @invariant()
    def one_case_is_open_at_most(self) -> None:
        open_cases = [case for case in self.cases.values() if case.state == "open"]
        assert len(open_cases) == bool([one for one in self.stored.values() if one.state == "current"])

    @invariant()
    def the_current_alerts_are_the_wanted(self) -> None:
        current = {key for key, one in self.stored.items() if one.state == "current"}
        wanted = alerts_of(Verdict(DriftState("K1", "星澜", "critic", 9, 0, 0, None, 0, "", (), ""), self.wanted))
        assert current == {alert.key for alert in wanted}

    @invariant()
    def only_what_was_cut_is_on_the_wire_twice(self) -> None:
        keys = [key for *_, key in self.wire]
        doubled = {key for key in keys if keys.count(key) > 1}
        assert doubled <= self.cut

    def teardown(self) -> None:
        """Let the world become quiet: everything is sent. Then everybody believes what is true."""
        if not hasattr(self, "rows"):
            return
        for _ in range(12):
            self.deliver()
        gone = {(one.channel, one.alert_key) for one in self.rows.values() if one.state == "dead"}
        for channel, key in sorted(self.due - gone):
            self.check(channel, key)
        assert not [one for one in self.rows.values() if one.state in ("pending", "sending")]

    def check(self, channel: str, key: str) -> None:
        heard: list[tuple[str, str]] = []  # kind and key, without the repeats that a crash makes
        for where, alert_key, kind, row in self.wire:
            if (where, alert_key) == (channel, key) and (kind, row) not in heard:
                heard.append((kind, row))
        kinds = [kind for kind, _ in heard]
        is_current = self.stored[key].state == "current"
        # What was just being sent when the world changed may have been heard: nobody knows at that instant, so the other
        # side of it follows. Without such a doubt telling and correcting take turns.
        arrived = {row for _, row in heard}
        rows = [row for row in self.rows.values() if (row.channel, row.alert_key) == (channel, key)]
        in_doubt = any(row.attempts and row.key not in arrived for row in rows)
        if not in_doubt and not self.cut & {row.key for row in rows}:
            assert all(a != b for a, b in pairwise(kinds)), "told twice, or corrected twice"
            assert kinds[:1] != ["correction"], "corrected, and never told"
        if is_current:
            assert kinds[-1:] == ["alert"], "an alert was lost"
        else:
            assert kinds[-1:] != ["alert"], "an alert that is gone was never corrected"


Outbox.TestCase.settings = settings(max_examples=500, stateful_step_count=25, deadline=None)
TestRandomOrders = Outbox.TestCase
