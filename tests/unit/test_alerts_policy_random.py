"""Whatever the clocks, mutes and faults: every alert is told in the end, once a channel, and what waits says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from listener.alerts.attempts import failed, given_up, handed_back, told
from listener.alerts.owing import Ladder, owed
from listener.alerts.planning import moot
from listener.alerts.policy import Kept, Known, Policy, decide
from listener.alerts.routing import Directory, Person, Shift, on_call
from listener.alerts.severities import SEVERITIES, severity_of
from listener.keys import delivery_key
from listener.working_days import Hours
from storage.policy_records import Acknowledgement, Mute, Sent
from storage.records import Alert, Delivery, StoredAlert

START = datetime(2026, 9, 28, tzinfo=UTC)  # 国庆 and its 调休 lie ahead, and the end of summer time in Berlin
HOUR = timedelta(hours=1)
CHANNELS = ("mail", "wang", "li")
TEAM = Directory(
    CHANNELS, (Person("王敏", ("wang",)), Person("李雷", ("li",))), rota=(Shift("李雷", hours=(time(20), time(9))),)
)
LONG = timedelta(days=40)  # after the last event, in steps: every hold has ended by then

policies = st.builds(
    lambda quiet, holidays, digest, cool_down, storm, berlin, rota: Policy(
        hours=Hours("Asia/Shanghai", quiet, holidays),
        own_hours={"wang": Hours("Europe/Berlin", (time(22), time(7)), "weekends")} if berlin else {},
        digest=digest,
        cool_down=cool_down * HOUR,
        storm=storm,
        on_call=(lambda now: on_call(TEAM, now)) if rota else (lambda now: ()),
    ),
    st.sampled_from([None, (time(22), time(8)), (time(12), time(14)), (time(1), time(0))]),
    st.sampled_from(["china", "weekends", "none"]),
    st.sampled_from([(), (time(9),), (time(9), time(17, 30)), (time(23),)]),
    st.sampled_from([0, 1, 12, 48]),
    st.sampled_from([0, 1, 3, 20]),
    st.booleans(),
    st.booleans(),
)
kinds = st.sampled_from(sorted(SEVERITIES, key=str))
events = st.lists(
    st.one_of(
        st.tuples(st.just("alert"), kinds, st.sampled_from(["K1", "K2", "K3", ""]), st.integers(0, 500)),
        st.tuples(st.just("mute"), st.sampled_from(["K1", "K2", ""]), st.sampled_from(["", "drift"]), st.integers(1, 400)),
        st.tuples(st.just("unmute"), st.integers(0, 9)),
        st.tuples(st.just("ack"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.integers(1, 2000)),
        st.tuples(st.just("fault"), st.sampled_from(CHANNELS)),
        st.tuples(st.just("die")),
    ),
    min_size=1,
    max_size=40,
)


class World:
    """A store's rows, and processes that come and go."""

    def __init__(self, policy: Policy, ladder: Ladder) -> None:
        self.policy, self.ladder, self.now = policy, ladder, START
        self.alerts: dict[str, StoredAlert] = {}
        self.rows: dict[str, Delivery] = {}
        self.mutes: list[Mute] = []
        self.taken: dict[str, Acknowledgement] = {}
        self.sent: list[Sent] = []
        self.down: set[str] = set()
        self.arrivals: list[str] = []

    def fire(self, kind: tuple[str, str | None], koc: str, age: int) -> None:
        name, level = kind
        key = f"{len(self.alerts):032x}"
        severity = severity_of(name, level, "核心" if koc == "K1" else "")
        alert = Alert(key, name, level, severity, koc, "星澜", self.now - age * HOUR, None, {}, ())  # type: ignore[arg-type]
        self.alerts[key] = StoredAlert(alert, "current", self.now, None)
        for channel in CHANNELS[: 1 + age % 3]:
            row = Delivery(
                delivery_key(key, channel, "alert"), key, channel, "alert", "pending", self.now, next_try_at=self.now
            )
            self.rows[row.key] = row

    def escalate(self) -> None:
        rows: dict[str, list[Delivery]] = {}
        for one in self.rows.values():
            rows.setdefault(one.alert_key, []).append(one)
        open_ones = [one for one in self.alerts.values() if one.alert.key not in self.taken]
        made = owed(
            open_ones, rows, now=self.now, policy=self.policy, directory=TEAM, ladder=self.ladder, kocs={}, mutes=self.mutes
        )
        for one in made:
            assert one.key not in self.rows, "owed once"
            self.rows[one.key] = one

    def deliver(self, die_after: int | None = None) -> None:
        self.escalate()
        for _ in range(50):
            claimed = self.claim()
            if not claimed:
                return
            for row in moot(claimed, self.taken):
                self.rows[row.key] = row
            left = [pair for pair in claimed if self.rows[pair[0].key].state == "sending"]
            made = decide(left, now=self.now, policy=self.policy, known=Known(self.mutes, self.taken, self.sent))
            decided = [one.key for message in made.messages for one in message.deliveries] + [one.key for one in made.held]
            assert sorted(decided) == sorted(one.key for one, _ in left), "each is sent or held, and once"
            for row in made.held:
                assert row.held in set(Kept), "what waits says why"
                assert row.next_try_at is not None
                assert row.next_try_at > self.now, "and until when"
                self.rows[row.key] = row
            for number, message in enumerate(made.messages):
                if die_after is not None and number >= die_after:
                    return  # killed: the rest stays claimed until the lease ends
                self.send(message.channel, message.kind, message.deliveries)
        raise AssertionError("a delivery is held again and again")

    def claim(self) -> list[tuple[Delivery, StoredAlert]]:
        """As `storage.outbox.claim_due`: what is due, with all that waits in its group."""

        def group(one: Delivery) -> tuple[str, str, str]:
            alert = self.alerts[one.alert_key].alert
            return one.channel, alert.koc_id, alert.brand

        def is_due(one: Delivery) -> bool:
            if one.state == "sending":
                return one.claimed_until is not None and one.claimed_until < self.now
            return one.state == "pending" and (one.next_try_at is None or one.next_try_at <= self.now)

        busy = {
            group(one)
            for one in self.rows.values()
            if one.state == "sending" and one.claimed_until and one.claimed_until >= self.now
        }
        groups = {group(one) for one in self.rows.values() if is_due(one)} - busy
        taken = [one for one in self.rows.values() if one.state in ("pending", "sending") and group(one) in groups]
        for one in taken:
            claim = replace(one, state="sending", claimed_until=self.now + HOUR / 6, attempts=one.attempts + 1)
            self.rows[one.key] = replace(claim, in_doubt=one.in_doubt or one.state == "sending")
        return [(self.rows[one.key], self.alerts[one.alert_key]) for one in taken]

    def send(self, channel: str, kind: str, deliveries: tuple[Delivery, ...]) -> None:
        for one in deliveries:
            if channel in self.down:
                after = failed(one, self.now, "refused")
                self.rows[one.key] = after if after.state != "dead" else handed_back(given_up(one, "refused"))
                continue
            self.arrivals.append(one.key)
            self.rows[one.key] = told(one, self.now, kind)
            alert = self.alerts[one.alert_key].alert
            about = (alert.koc_id, alert.brand, alert.kind, alert.severity)
            self.sent.append(Sent(one.alert_key, channel, one.kind, kind, self.now, *about))

    def do(self, event: tuple[object, ...]) -> None:
        match event:
            case ("alert", kind, koc, age):
                self.fire(kind, koc, age)  # type: ignore[arg-type]
            case ("mute", koc, kind, hours):
                until = self.now + hours * HOUR  # type: ignore[operator]
                self.mutes.append(Mute(f"m{len(self.mutes)}", koc, "", kind, self.now, until, "x", "王敏"))  # type: ignore[arg-type]
            case ("unmute", int(number)) if number < len(self.mutes) and not self.mutes[number].lifted_at:
                self.mutes[number] = replace(self.mutes[number], lifted_at=self.now, lifted_by="王敏")
                for key, one in self.rows.items():
                    if one.held == "muted" and one.state == "pending":
                        self.rows[key] = replace(one, next_try_at=self.now)
            case ("ack", int(number)) if number < len(self.alerts):
                key = sorted(self.alerts)[number]
                self.taken.setdefault(key, Acknowledgement(key, self.now, "王敏"))
            case ("wait", int(minutes)):
                self.now += timedelta(minutes=minutes)
            case ("fault", str(channel)):
                self.down ^= {channel}
            case ("die",):
                self.deliver(die_after=1)
                self.now += HOUR / 4


@settings(max_examples=250, deadline=None)
@given(policies, events, st.sampled_from([(), (("李雷",),), (("li",), ("mail", "wang"))]))
def test_every_alert_is_told_once_on_each_channel_in_the_end_and_what_waits_says_why(
    policy: Policy, happened: list[tuple[object, ...]], steps: tuple[tuple[str, ...], ...]
) -> None:
    world = World(policy, Ladder({"urgent": HOUR / 2, "important": 4 * HOUR}, steps))
    for event in happened:
        world.do(event)
        world.deliver()
        for one in world.rows.values():
            if one.state == "pending" and one.channel not in world.down:
                assert one.next_try_at is None or one.next_try_at > world.now, "nothing that is due is left lying"
                assert one.held or one.error, (one, "what waits has a reason, or was tried")
    world.down.clear()
    end = world.now + LONG
    while world.now < end:
        waiting = [one.next_try_at for one in world.rows.values() if one.state == "pending" and one.next_try_at]
        waiting += [one.claimed_until + HOUR for one in world.rows.values() if one.state == "sending" and one.claimed_until]
        if not waiting:
            break
        world.now = max(world.now + timedelta(seconds=1), min(waiting))
        world.deliver()
    left = [one for one in world.rows.values() if one.state not in ("sent", "summarized", "cancelled")]
    assert left == [], "every alert is told in the end"
    cancelled = [one for one in world.rows.values() if one.state == "cancelled"]
    assert all(one.kind == "escalation" and one.alert_key in world.taken for one in cancelled)
    assert len(world.arrivals) == len(set(world.arrivals)), "nothing twice"
    taken_first = {(one.alert_key, one.channel) for one in world.rows.values() if one.kind == "alert"}
    assert {key for key, _ in taken_first} == set(world.alerts)
