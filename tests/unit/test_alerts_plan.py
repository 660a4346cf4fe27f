"""Deliveries that are due → messages, and what becomes of them afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from listener.alerts.attempts import BACK_OFF, failed, handed_back, next_try, told
from listener.alerts.planning import moot, plan
from listener.keys import delivery_key, key_of
from storage.records import Alert, AlertState, Delivery, DeliveryKind, Level, Message, Severity, StoredAlert

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)
WITHIN = 14 * DAY
Pair = tuple[Delivery, StoredAlert]


def due(
    koc: str = "K1",
    level: Level = "red",
    *,
    age: timedelta = DAY,
    kind: DeliveryKind = "alert",
    state: AlertState | None = None,
    channel: str = "mail",
    severity: Severity = "important",
    brand: str = "星澜",
) -> Pair:
    key = key_of(koc, brand, level, str(age))
    alert = Alert(key, "drift", level, severity, koc, brand, NOW - age, NOW - age - DAY, {}, ())
    stored = StoredAlert(alert, state or ("current" if kind == "alert" else "superseded"), NOW - age, None)
    delivery = Delivery(delivery_key(key, channel, kind), key, channel, kind, "sending", NOW - age, 1, None, NOW + DAY)
    return delivery, stored


def planned(*pairs: Pair, most_rows: int = 100) -> list[Message]:
    return plan(pairs, now=NOW, deliver_within=WITHIN, most_rows=most_rows)


def shape(messages: list[Message], *pairs: Pair) -> list[tuple[str, list[str]]]:
    who = {one.key: f"{about.alert.koc_id}-{about.alert.level}" for one, about in pairs}
    return [(message.kind, [who[one.key] for one in message.deliveries]) for message in messages]


def test_a_fresh_turn_is_a_message_of_its_own() -> None:
    pairs = [due("K1"), due("K2", age=2 * DAY)]
    assert shape(planned(*pairs), *pairs) == [("alert", ["K2-red"]), ("alert", ["K1-red"])]


def test_old_turns_share_one_summary_for_each_channel() -> None:
    pairs = [due(f"K{n}", age=(20 + n) * DAY, channel=channel) for n in range(5) for channel in ("mail", "hook")]
    messages = planned(*pairs)
    made = [(one.channel, one.kind, len(one.deliveries)) for one in messages]
    assert made == [("hook", "summary", 5), ("mail", "summary", 5)]
    assert shape(messages[:1], *pairs) == [("summary", [f"K{n}-red" for n in (4, 3, 2, 1, 0)])]


def test_a_turn_exactly_as_old_as_allowed_is_still_told_by_itself() -> None:
    assert [one.kind for one in planned(due(age=WITHIN))] == ["alert"]
    assert [one.kind for one in planned(due(age=WITHIN + timedelta(microseconds=1)))] == ["summary"]


def test_a_summary_has_so_many_rows_at_most_and_loses_none() -> None:
    pairs = [due(f"K{n}", age=20 * DAY) for n in range(7)]
    messages = planned(*pairs, most_rows=3)
    assert [len(one.deliveries) for one in messages] == [3, 3, 1]
    assert {one.key for message in messages for one in message.deliveries} == {one.key for one, _ in pairs}


def test_the_amber_and_the_red_of_one_koc_share_a_message_in_their_order() -> None:
    pairs = [due("K1", "red", age=DAY), due("K1", "amber", age=3 * DAY)]
    assert shape(planned(*pairs), *pairs) == [("alert", ["K1-amber", "K1-red"])]


def test_an_old_amber_goes_along_with_its_fresh_red() -> None:
    pairs = [due("K1", "amber", age=30 * DAY), due("K1", "red", age=DAY), due("K2", age=30 * DAY)]
    assert shape(planned(*pairs), *pairs) == [("alert", ["K1-amber", "K1-red"]), ("summary", ["K2-red"])]


def test_the_same_koc_under_another_brand_is_other_news() -> None:
    assert len(planned(due("K1"), due("K1", brand="墨羽"))) == 2


def test_the_most_urgent_comes_first() -> None:
    pairs = [due("K1", age=3 * DAY), due("K2", severity="urgent"), due("K3", "amber", age=5 * DAY, severity="watch")]
    assert [names for _, names in shape(planned(*pairs), *pairs)] == [["K2-red"], ["K1-red"], ["K3-amber"]]


def test_a_correction_goes_right_before_the_news_of_its_koc() -> None:
    pairs = [due("K1", age=2 * DAY), due("K1", age=3 * DAY, kind="correction"), due("K2", age=2 * DAY)]
    kinds = [(one.kind, next(a.alert.koc_id for d, a in pairs if d in one.deliveries)) for one in planned(*pairs)]
    assert kinds in (
        [("correction", "K1"), ("alert", "K1"), ("alert", "K2")],
        [("alert", "K2"), ("correction", "K1"), ("alert", "K1")],
    )


def test_corrections_of_old_turns_share_a_message() -> None:
    pairs = [due(f"K{n}", age=20 * DAY, kind="correction") for n in range(3)] + [due("K9", age=20 * DAY)]
    assert [(one.kind, len(one.deliveries)) for one in planned(*pairs)] == [("correction", 3), ("summary", 1)]


def test_the_plan_does_not_depend_on_the_order_of_the_claimed() -> None:
    pairs = [due(f"K{n}", level, age=n * 4 * DAY) for n in range(7) for level in ("amber", "red")]
    assert planned(*pairs) == planned(*reversed(pairs))


def test_what_does_not_hold_any_more_is_not_planned_but_cancelled() -> None:
    gone, untrue, valid = due("K1", state="superseded"), due("K2", kind="correction", state="current"), due("K3")
    assert shape(planned(gone, untrue, valid), valid) == [("alert", ["K3-red"])]
    cancelled = moot([gone, untrue, valid])
    assert [(one.key, one.state, one.claimed_until) for one in cancelled] == [
        (gone[0].key, "cancelled", None),
        (untrue[0].key, "cancelled", None),
    ]


def test_nothing_due_is_no_message() -> None:
    assert planned() == []


# ------------------------------------------------------------------------------------------------ after the attempt


@pytest.mark.parametrize(("kind", "state"), [("alert", "sent"), ("correction", "sent"), ("summary", "summarized")])
def test_what_arrived_is_told(kind: str, state: str) -> None:
    done = told(replace(due()[0], error="timed out"), NOW, kind)
    assert (done.state, done.sent_at, done.claimed_until, done.error) == (state, NOW, None, "")


def test_a_failed_delivery_is_tried_again_later() -> None:
    later = failed(due()[0], NOW, "connection refused")
    assert (later.state, later.error, later.claimed_until) == ("pending", "connection refused", None)
    assert later.next_try_at is not None
    assert NOW + timedelta(seconds=10) <= later.next_try_at <= NOW + timedelta(seconds=11)


def test_a_delivery_handed_back_is_due_again_at_once_and_costs_no_attempt() -> None:
    one, _ = due()
    back = handed_back(one)
    assert (back.state, back.attempts, back.next_try_at, back.claimed_until) == ("pending", 0, None, one.claimed_until)
    assert handed_back(back).attempts == 0


def test_a_permanent_failure_is_given_up_at_once() -> None:
    dead = failed(due()[0], NOW, "410 Gone", permanent=True)
    assert (dead.state, dead.error, dead.next_try_at) == ("dead", "410 Gone", None)


def test_after_the_last_wait_a_delivery_is_given_up() -> None:
    one = replace(due()[0], attempts=len(BACK_OFF))
    assert failed(one, NOW, "x").state == "pending"
    assert failed(replace(one, attempts=one.attempts + 1), NOW, "x").state == "dead"


def test_the_waits_grow_and_stay_within_a_tenth_of_the_table() -> None:
    waits = [next_try("mail", n, NOW) for n in range(1, 9)]
    spans = [at - NOW for at in waits if at]
    assert len(spans) == 8
    assert all(a < b for a, b in pairwise(spans))
    assert all(base <= span <= base * 1.1 for base, span in zip(BACK_OFF, spans, strict=True))


def test_channels_spread_out_while_one_message_stays_together() -> None:
    assert next_try("mail", 3, NOW) != next_try("hook", 3, NOW)
    rows = [due(f"K{n}")[0] for n in range(9)]
    assert len({failed(one, NOW, "x").next_try_at for one in rows}) == 1


@pytest.mark.parametrize(
    ("asked", "least"),
    [(timedelta(minutes=7), timedelta(minutes=7)), (420.0, timedelta(minutes=7)), (1, timedelta(seconds=10)), (10**9, DAY)],
)
def test_a_receivers_wish_to_be_left_alone_is_obeyed_up_to_a_day(asked: timedelta | float, least: timedelta) -> None:
    at = next_try("mail", 1, NOW, asked)
    assert at is not None
    assert least <= at - NOW <= least * 1.1
