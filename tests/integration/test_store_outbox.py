"""Alerts, deliveries and cases: written once, claimed once, settled by what really happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.alerts.reminding import reminders
from storage.records import Alert, Delivery, Reminders, StoredAlert, StoreError
from storage.store import Store
from tests.stored import BRAND, NOW, alert, at, case, changes, delivery, koc, step, watch_all

LEASE = timedelta(minutes=5)


@pytest.fixture
def store(store: Store) -> Store:
    store.save_kocs([koc("k1", "a"), koc("k2", "b")])
    watch_all(store)
    return store


def record(store: Store, koc_id: str = "k1", *, now: datetime = NOW, **fields: object) -> None:
    store.mark_dirty([koc_id])
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        watch.record(changes(koc_id, **fields), at=now)


def claim(store: Store, now: datetime = NOW, limit: int = 500) -> list[Delivery]:
    return [one for one, _ in store.claim_due(now, lease=LEASE, limit=limit)]


def raise_alerts(store: Store, *keys: str, **fields: object) -> None:
    record(
        store,
        alerts=tuple(alert(key, "k1") for key in keys),
        deliveries=tuple(delivery(f"D{key}", key, **fields) for key in keys),
    )


def states(store: Store) -> dict[str, str]:
    return {one.key: one.state for one in store.deliveries()}


def keys(found: Sequence[Delivery]) -> list[str]:
    return [one.key for one in found]


def test_alerts_come_in_order_of_time_and_key(store: Store) -> None:
    record(
        store,
        alerts=(
            alert("B", "k1", fired_at=at(2)),
            alert("A", "k1", fired_at=at(2)),
            alert("C", "k1", fired_at=at(1), level=None, turned_at=None),
        ),
    )
    record(store, "k2", alerts=(alert("D", "k2", fired_at=at(0)),))
    assert [one.alert.key for one in store.alerts()] == ["D", "C", "A", "B"]
    assert [one.alert.key for one in store.alerts(koc="k1", brand=BRAND)] == ["C", "A", "B"]
    assert store.alerts(brand="墨羽") == []
    assert store.alerts()[1].alert == alert("C", "k1", fired_at=at(1), level=None, turned_at=None)


def test_an_alert_that_comes_back_keeps_when_it_was_first_recorded(store: Store) -> None:
    record(store, alerts=(alert("A", "k1"),))
    record(store, superseded=("A",), now=NOW + LEASE)
    (gone,) = store.alerts(history=True)
    assert (gone.state, gone.superseded_at) == ("superseded", NOW + LEASE)
    record(store, superseded=("A",), now=NOW + 2 * LEASE)
    assert store.alerts(history=True) == [gone]
    other = alert("A", "k1", evidence={"n": 7}, severity="watch")
    record(store, alerts=(other,), now=NOW + 3 * LEASE)
    (back,) = store.alerts()
    assert (back.alert, back.state, back.recorded_at, back.superseded_at) == (other, "current", NOW, None)


def test_a_delivery_is_due_once(store: Store) -> None:
    raise_alerts(store, "A", "B")
    ((one, about), _) = found = store.claim_due(NOW, lease=LEASE)
    assert about == store.alerts()[0]
    assert one == delivery("DA", "A", state="sending", attempts=1, claimed_until=NOW + LEASE)
    assert len(found) == 2
    assert claim(store) == []
    assert keys(claim(store, NOW + LEASE + timedelta(microseconds=1))) == ["DA", "DB"]


def test_deliveries_are_claimed_in_order_of_their_time_up_to_a_limit(store: Store) -> None:
    for number in (3, 1, 2):
        key = f"A{number}"
        row = delivery(f"D{key}", key, next_try_at=NOW - timedelta(seconds=number))
        record(store, f"k{number}", alerts=(alert(key, f"k{number}"),), deliveries=(row,))
    assert keys(claim(store, limit=2)) == ["DA3", "DA2"]
    assert keys(claim(store)) == ["DA1"]


def test_what_one_channel_is_told_of_one_koc_is_claimed_together(store: Store) -> None:
    raise_alerts(store, "B", "A", next_try_at=NOW)
    record(
        store,
        "k2",
        alerts=(alert("C", "k2"), alert("E", "k2")),
        deliveries=(
            delivery("DC", "C", next_try_at=NOW + timedelta(seconds=1)),
            delivery("DE", "E", next_try_at=NOW - timedelta(seconds=1)),
        ),
    )
    taken = claim(store, limit=1)
    assert keys(taken) == ["DE", "DC"], "what is not due yet comes along, so that it can't arrive later than it should"
    record(store, "k2", alerts=(*[alert(k, "k2") for k in "CE"], alert("F", "k2")), deliveries=(delivery("DF", "F"),))
    assert keys(claim(store)) == ["DA", "DB"], "nothing more of k2 while that is being sent"
    store.settle([replace(one, state="sent", sent_at=NOW, claimed_until=None) for one in taken])
    assert keys(claim(store)) == ["DF"]


def test_a_claim_from_a_long_queue_does_not_look_at_all_of_it_for_each(tmp_path: Path) -> None:
    def steps_with(number: int) -> int:
        """Steps of the database's machine that a claim takes while as many are waiting, and half as many are being sent."""
        with Store.open(f"sqlite:///{tmp_path / str(number)}.db") as store:
            names = [f"A{n}" for n in range(number)]
            record(store, alerts=tuple(alert(n, n) for n in names), deliveries=tuple(delivery(f"D{n}", n) for n in names))
            assert len(claim(store, limit=number // 3)) == number // 3
            counted: list[None] = []

            def count() -> None:
                counted.append(None)

            with store._database.engine.connect() as connection:  # the pool has this one alone
                driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(count, 100)
            claim(store, limit=number // 3)
            driver.set_progress_handler(None, 0)
            return len(counted)

    assert steps_with(1200) < 6 * steps_with(300)  # four times as many; it was sixteen times the work


def test_a_sent_delivery_stays_sent(store: Store) -> None:
    raise_alerts(store, "A")
    (one,) = claim(store)
    sent = replace(one, state="sent", sent_at=NOW, claimed_until=None)
    store.settle([sent])
    assert store.deliveries("sent") == [sent]
    store.settle([replace(one, state="dead", error="late news")])
    record(store, alerts=(alert("A", "k1"),), deliveries=(delivery("DA", "A"),), cancelled=("DA",))
    assert store.deliveries() == [sent]
    assert store.count_dirty() == 0


def test_a_failed_delivery_waits_for_its_next_try(store: Store) -> None:
    raise_alerts(store, "A")
    (one,) = claim(store)
    later = NOW + timedelta(hours=1)
    store.settle([replace(one, state="pending", next_try_at=later, error="450 try later\x00")])
    (waiting,) = store.deliveries("pending")
    assert (waiting.error, waiting.attempts, waiting.claimed_until) == ("450 try later", 1, None)
    assert claim(store) == []
    (again,) = claim(store, later)
    assert again.attempts == 2


def test_a_process_whose_lease_ran_out_does_not_settle_for_the_one_that_took_over(store: Store) -> None:
    raise_alerts(store, "A")
    (slow,) = claim(store)
    (fast,) = claim(store, NOW + 2 * LEASE)
    store.settle([replace(slow, state="pending", next_try_at=None)])
    assert states(store) == {"DA": "sending"}
    store.settle([replace(slow, state="sent", sent_at=NOW)])  # but what is on the wire is true
    assert [(one.state, one.attempts) for one in store.deliveries()] == [("sent", 2)]
    store.settle([replace(fast, state="pending", next_try_at=None)])
    assert states(store) == {"DA": "sent"}


def test_a_claim_given_back_costs_no_attempt(store: Store) -> None:
    raise_alerts(store, "A")
    (one,) = claim(store)
    store.settle([replace(one, state="pending", attempts=0)])
    assert store.deliveries() == [delivery("DA", "A", attempts=0)]
    (again,) = claim(store)
    assert again.attempts == 1


def test_only_the_claim_that_holds_can_be_given_back(store: Store) -> None:
    raise_alerts(store, "A")
    (slow,) = claim(store)
    (fast,) = claim(store, NOW + 2 * LEASE)
    store.settle([replace(slow, state="pending", attempts=0)])
    store.settle([replace(slow, state="pending", next_try_at=None, claimed_until=None)])  # as many as the fast one gives back
    assert store.deliveries() == [fast]
    store.settle([replace(fast, state="dead", attempts=1)])
    assert store.deliveries() == [fast]
    store.settle([replace(fast, state="pending", attempts=1)])
    assert store.deliveries() == [delivery("DA", "A", attempts=1, in_doubt=True)]


def test_a_clock_that_ran_ahead_keeps_nothing_from_being_sent(store: Store) -> None:
    """The machine thought it was years later, claimed one and put another off; then its clock was set right."""
    raise_alerts(store, "A", "B")
    ahead = NOW + timedelta(days=900)
    first, second = claim(store, ahead)
    put_off = replace(second, state="pending", next_try_at=ahead + timedelta(hours=2), claimed_until=None, error="no answer")
    store.settle([put_off])
    assert [(one.key, one.in_doubt) for one in claim(store)] == [(first.key, True), (second.key, False)]
    assert claim(store) == []


def test_a_rest_that_a_clock_that_ran_ahead_gave_a_channel_is_none(store: Store) -> None:
    raise_alerts(store, "A")
    pause = timedelta(minutes=10)
    store.channel_failed("mail", "down", NOW + timedelta(days=900), lambda failures: pause)
    assert keys(claim(store)) == ["DA"]
    assert store.channel_failed("mail", "down", NOW, lambda failures: pause).rests_until == NOW + pause


def test_what_is_held_for_long_is_not_looked_at_before(store: Store) -> None:
    raise_alerts(store, "A")
    (one,) = claim(store)
    store.settle([replace(one, state="pending", attempts=0, next_try_at=NOW + timedelta(days=200), held="muted")], NOW)
    assert claim(store, NOW + timedelta(days=100)) == []


def test_an_unknown_delivery_can_not_be_settled(store: Store) -> None:
    with pytest.raises(StoreError, match="unknown delivery 'DX'"):
        store.settle([delivery("DX", "A")])


def test_a_superseded_alert_is_not_sent(store: Store) -> None:
    raise_alerts(store, "A", "B")
    record(store, superseded=("A", "B"), cancelled=("DA",))
    assert claim(store) == []
    assert states(store) == {"DA": "cancelled", "DB": "cancelled"}


def test_an_alert_superseded_while_it_is_sent_makes_its_koc_dirty_when_it_arrives(store: Store) -> None:
    raise_alerts(store, "A")
    (one,) = claim(store)
    record(store, superseded=("A",), cancelled=("DA",))
    assert states(store) == {"DA": "sending"}
    assert store.count_dirty() == 0
    store.settle([replace(one, state="sent", sent_at=NOW)])
    assert states(store) == {"DA": "sent"}
    assert watch_all(store) == [("k1", BRAND, ())]


def test_an_alert_superseded_while_its_sending_fails_is_not_tried_again(store: Store) -> None:
    raise_alerts(store, "A", "B")
    one, two = claim(store)
    record(store, superseded=("A", "B"))
    store.settle([replace(one, state="pending", next_try_at=NOW)])
    assert store.count_dirty() == 1
    assert states(store) == {"DA": "cancelled", "DB": "sending"}
    watch_all(store)
    store.settle([replace(two, state="cancelled")])
    assert store.count_dirty() == 0
    assert claim(store, NOW + 2 * LEASE) == []


def test_a_cancelled_delivery_is_revived_when_it_is_wanted_again(store: Store) -> None:
    raise_alerts(store, "A")
    record(store, superseded=("A",), cancelled=("DA",))
    raise_alerts(store, "A")
    assert states(store) == {"DA": "pending"}
    assert keys(claim(store)) == ["DA"]


def test_a_correction_is_sent_though_its_alert_is_superseded(store: Store) -> None:
    raise_alerts(store, "A")
    store.settle([replace(one, state="sent", sent_at=NOW) for one in claim(store)])
    record(store, superseded=("A",), deliveries=(delivery("DA-", "A", kind="correction"),))
    assert keys(claim(store)) == ["DA-"]


def test_what_was_given_up_is_tried_again_on_request(store: Store) -> None:
    raise_alerts(store, "A", "B", "C")
    store.settle([replace(one, state="dead", error="550 no such user") for one in claim(store)])
    assert claim(store, NOW + timedelta(days=9)) == []
    assert store.retry_dead(["DB", "unknown"]) == 1
    (again,) = claim(store)
    assert (again.key, again.attempts, again.error) == ("DB", 1, "")
    record(store, alerts=(alert("A", "k1"),), superseded=("B", "C"))
    assert store.retry_dead() == 1  # nobody wants to hear of C
    assert keys(store.deliveries("pending")) == ["DA"]


def test_a_case_is_changed_and_its_log_only_grows(store: Store) -> None:
    opened = case("C1", "k1")
    record(store, alerts=(alert("A1", "k1"),), cases=(opened,), steps=(step("C1", "opened"),))
    answered = replace(opened, next_step="follow-up", alerts=("A1", "A2"))
    store.save_case(answered, [step("C1", "answered", days=6), step("C1", "called", days=5)], was=opened)
    assert store.cases() == [answered]
    assert [entry.step for entry in store.steps("C1")] == ["opened", "called", "answered"]
    assert store.steps("C1")[0] == step("C1", "opened")
    closed = replace(answered, state="closed")
    record(store, cases=(closed,))
    assert store.cases(state="open") == []
    assert store.cases(koc="k1", brand=BRAND, state="closed") == [closed]
    assert len(store.steps("C1")) == 3


def test_two_people_do_not_change_a_case_past_each_other(store: Store) -> None:
    opened = case("C1", "k1")
    store.save_case(opened, was=None)
    store.save_case(replace(opened, next_step="answer"), was=opened)
    with pytest.raises(StoreError, match="case C1 was changed by somebody else"):
        store.save_case(replace(opened, next_step="wait"), [step("C1", "waited")], was=opened)
    with pytest.raises(StoreError, match="changed by somebody else"):
        store.save_case(opened, was=None)
    assert store.steps("C1") == []


def reminded(store: Store, *wanted: Alert, now: datetime = NOW) -> Reminders:
    def decide(stored: Sequence[StoredAlert], told: Mapping[str, Sequence[Delivery]]) -> Reminders:
        return reminders(wanted, stored=stored, deliveries=told, channels_of=lambda _: ["mail"], kocs={}, now=now)

    return store.remind(decide, now)


def test_an_operational_alert_is_made_once_and_taken_away_without_a_correction(store: Store) -> None:
    due = alert("due", "k1", kind="case-due", level=None, turned_at=None, severity="watch")
    assert [one.alert_key for one in reminded(store, due).deliveries] == ["due"]
    assert reminded(store, due) == Reminders((), (), (), ())
    (sent,) = claim(store)
    reminded(store)
    store.settle([replace(sent, state="sent", sent_at=NOW, claimed_until=None)])
    assert store.count_dirty() == 0, "no replay corrects it"
    assert [one.state for one in store.alerts(history=True)] == ["superseded"]
    assert [(one.kind, one.state) for one in store.deliveries()] == [("alert", "sent")]


def test_a_replay_leaves_operational_alerts_alone(store: Store) -> None:
    reminded(store, alert("due", "k1", kind="case-due", level=None, turned_at=None, severity="watch"))
    store.mark_dirty(["k1"])
    with store.watching(brands=[BRAND]) as watch:
        assert watch is not None
        assert watch.stored == {("k1", BRAND): []}
        watch.record(changes("k1"), at=NOW)
    assert [one.alert.key for one in store.alerts()] == ["due"]
