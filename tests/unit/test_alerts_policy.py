"""What is sent at which hour, and what is held, why and until when: the clock, the calendar, mutes and the rest are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from listener.alerts.planning import moot
from listener.alerts.policy import Decision, Kept, Known, Policy, decide
from listener.alerts.severities import severity_of
from listener.keys import delivery_key, key_of
from listener.working_days import Hours
from storage.policy_records import Acknowledgement, Mute, Sent
from storage.records import Alert, Delivery, StoredAlert

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
POLICY = Policy(
    hours=Hours("Asia/Shanghai", (time(22), time(8)), "china"),
    digest=(time(9),),
    cool_down=12 * HOUR,
    storm=20,
)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZONE).astimezone(UTC)  # type: ignore[misc, arg-type]


NOON = local(2026, 9, 15, 12)  # a Tuesday
NIGHT = local(2026, 9, 15, 23)
MORNING = local(2026, 9, 16, 8)
HOLIDAY = local(2026, 10, 2, 12)

Pair = tuple[Delivery, StoredAlert]


def due(
    kind: str = "drift",
    level: str | None = "amber",
    *,
    koc: str = "K1",
    made: datetime = NOON,
    channel: str = "mail",
    told: str = "alert",
    tier: str = "",
    held: str = "",
    fired: datetime | None = None,
) -> Pair:
    """A claimed delivery of an alert."""
    level = level if kind == "drift" else None
    key = key_of(kind, level or "", koc, made.isoformat())
    severity = severity_of(kind, level, tier)
    alert = Alert(key, kind, level, severity, koc, "星澜", fired or made, None, {}, ())  # type: ignore[arg-type]
    state = "superseded" if told == "correction" else "current"
    row = Delivery(delivery_key(key, channel, told), key, channel, told, "sending", made, 1, None, made + HOUR, held=held)  # type: ignore[arg-type]
    return row, StoredAlert(alert, state, made, None)  # type: ignore[arg-type]


def act(*pairs: Pair, now: datetime = NOON, policy: Policy = POLICY, **known: object) -> Decision:
    return decide(pairs, now=now, policy=policy, known=Known(**known))  # type: ignore[arg-type]


def sent(made: Decision) -> list[str]:
    return [one.kind for one in made.messages]


def held(made: Decision) -> list[tuple[str, datetime | None]]:
    return [(one.held, one.next_try_at) for one in made.held]


def received(pair: Pair, at: datetime, told_in: str = "alert") -> Sent:
    row, about = pair
    alert = about.alert
    return Sent(row.alert_key, row.channel, row.kind, told_in, at, alert.koc_id, alert.brand, alert.kind, alert.severity)


def mute_of(until: datetime, *, koc: str = "", kind: str = "", at: datetime = NOON - HOUR, **more: object) -> Mute:
    return Mute("m1", koc, "", kind, at, until, "召回公告期间", "王敏", **more)  # type: ignore[arg-type]


def test_by_default_everything_goes_out_at_once_one_message_a_koc() -> None:
    made = act(due(), due(koc="K2"), due("first-negative"), now=NIGHT, policy=Policy())
    assert sent(made) == ["alert", "alert"]
    assert held(made) == []


def test_a_wavering_koc_is_told_of_by_day_and_waits_at_night() -> None:
    assert sent(act(due())) == ["alert"]
    assert held(act(due(made=NIGHT), now=NIGHT)) == [(Kept.QUIET_HOURS, MORNING)]


def test_what_waited_for_the_morning_is_told_together() -> None:
    made = act(due(made=NIGHT), due(made=NIGHT, koc="K2"), due("defection", made=NIGHT, koc="K3"), now=MORNING)
    assert sent(made) == ["digest"]
    assert len(made.messages[0].deliveries) == 3


@pytest.mark.parametrize(("kind", "level"), [("drift", "red"), ("grave-post", None), ("spread", None), ("opinion-storm", None)])
def test_what_is_grave_goes_to_whoever_is_on_call_at_night_and_to_the_others_in_the_morning(kind: str, level: str) -> None:
    policy = replace(POLICY, on_call=lambda now: ("phone",))
    made = act(due(kind, level, made=NIGHT), due(kind, level, made=NIGHT, channel="phone"), now=NIGHT, policy=policy)
    assert [(one.channel, one.kind) for one in made.messages] == [("phone", "alert")]
    assert held(made) == [(Kept.QUIET_HOURS, MORNING)]


def test_what_is_grave_goes_to_everybody_where_nobody_is_on_call() -> None:
    assert sent(act(due("grave-post", made=NIGHT), now=NIGHT)) == ["alert"]
    assert sent(act(due("grave-post", made=HOLIDAY), now=HOLIDAY)) == ["alert"]


def test_on_a_holiday_the_rest_waits_for_the_first_worked_day_with_that_reason() -> None:
    assert held(act(due(made=HOLIDAY), now=HOLIDAY)) == [(Kept.REST_DAY, local(2026, 10, 8, 8))]
    saturday = local(2026, 10, 10, 12)  # 调休
    assert sent(act(due(made=saturday), now=saturday)) == ["alert"]


def test_in_a_year_without_a_calendar_a_weekend_is_named_as_such() -> None:
    saturday = local(2031, 10, 4, 12)
    assert held(act(due(made=saturday), now=saturday)) == [(Kept.WEEKEND, local(2031, 10, 6, 8))]


def test_each_channel_keeps_the_hours_of_its_person() -> None:
    policy = replace(POLICY, own_hours={"phone": Hours("Europe/Berlin", (time(22), time(8)))})
    now = local(2026, 9, 15, 12)  # 06:00 in Berlin
    made = act(due(), due(channel="phone"), now=now, policy=policy)
    assert [one.channel for one in made.messages] == ["mail"]
    assert held(made) == [(Kept.QUIET_HOURS, datetime(2026, 9, 15, 6, tzinfo=UTC))]


def test_the_mild_waits_for_the_digest_and_is_told_in_it() -> None:
    morning = local(2026, 9, 16, 9)
    assert held(act(due("first-negative"))) == [(Kept.DIGEST, morning)]
    assert sent(act(due("first-negative"), due("silence", koc="K2"), now=morning)) == ["digest"]


def test_a_digest_that_could_not_be_sent_goes_out_when_it_can() -> None:
    late = local(2026, 9, 16, 15)
    assert sent(act(due("first-negative"), now=late)) == ["digest"]


def test_the_mild_goes_along_with_what_is_told_of_the_same_koc() -> None:
    made = act(due("first-negative"), due(level="red"))
    assert sent(made) == ["alert"]
    assert len(made.messages[0].deliveries) == 2


def test_old_news_are_summarized_by_day() -> None:
    old = due(fired=NOON - timedelta(days=20))
    assert sent(act(old)) == ["summary"]
    assert held(act(old, now=NIGHT)) == [(Kept.QUIET_HOURS, MORNING)]
    red = due(level="red", fired=NOON - timedelta(days=20))
    assert held(act(red, now=NIGHT)) == [(Kept.QUIET_HOURS, MORNING)], "an old red wakes nobody"


def test_a_koc_who_was_just_told_of_is_left_in_peace_unless_it_gets_graver() -> None:
    before = received(due(made=NOON - HOUR), NOON - HOUR)
    assert held(act(due(), sent=[before])) == [(Kept.COOLING_DOWN, NOON + 11 * HOUR)]
    assert sent(act(due(level="red"), sent=[before])) == ["alert"]
    assert sent(act(due(koc="K2"), sent=[before])) == ["alert"]
    assert sent(act(due(channel="hook"), sent=[before])) == ["alert"]
    assert sent(act(due(), sent=[replace(before, sent_at=NOON - 13 * HOUR)])) == ["alert"]


def test_a_second_blow_of_the_same_koc_waits_an_hour_at_most() -> None:
    before = received(due("grave-post", made=NOON - HOUR / 2), NOON - HOUR / 2)
    assert held(act(due("grave-post"), sent=[before])) == [(Kept.COOLING_DOWN, NOON + HOUR / 2)]


def test_what_is_muted_waits_for_the_end_of_the_mute_and_then_for_a_digest() -> None:
    end = NOON + timedelta(days=2)
    muted = [mute_of(end, koc="K1")]
    assert held(act(due(level="red"), mutes=muted)) == [(Kept.MUTED, end)]
    assert sent(act(due(level="red", koc="K2"), mutes=muted)) == ["alert"]
    assert held(act(due(), mutes=muted, now=end + HOUR)) == [(Kept.DIGEST, local(2026, 9, 18, 9))]
    assert sent(act(due(), mutes=muted, now=local(2026, 9, 18, 9))) == ["digest"]


def test_a_mute_of_one_kind_keeps_that_kind_alone() -> None:
    made = act(due(), due("defection"), mutes=[mute_of(NOON + HOUR, koc="K1", kind="defection")])
    assert sent(made) == ["alert"]
    assert held(made) == [(Kept.MUTED, NOON + HOUR)]


def test_a_mute_that_was_ended_early_or_is_to_come_keeps_nothing() -> None:
    ended = mute_of(NOON + HOUR, koc="K1", at=NOON - 2 * HOUR, lifted_at=NOON - HOUR, lifted_by="王敏")
    assert sent(act(due(), mutes=[ended])) == ["alert"]
    assert sent(act(due(), mutes=[mute_of(NOON + HOUR, at=NOON + HOUR / 2)])) == ["alert"]


def test_what_somebody_has_taken_on_disturbs_nobody_else_and_stands_in_the_digest() -> None:
    pair = due(level="red", made=NIGHT)
    taken = {pair[0].alert_key: Acknowledgement(pair[0].alert_key, NIGHT, "王敏")}
    morning = local(2026, 9, 16, 9)
    assert held(act(pair, now=NIGHT, acknowledged=taken)) == [(Kept.ACKNOWLEDGED, morning)]
    assert sent(act(pair, now=morning, acknowledged=taken)) == ["digest"]
    assert sent(act(pair, now=NIGHT, acknowledged=taken, policy=Policy())) == ["digest"]


def test_an_escalation_is_a_message_of_its_own_and_moot_once_somebody_has_taken_it_on() -> None:
    pair = due(level="red", told="escalation", made=NIGHT)
    policy = replace(POLICY, on_call=lambda now: ("phone",))
    assert sent(act(pair, now=NIGHT, policy=policy)) == ["escalation"], "that is what the ladder is for"
    assert held(act(due(told="escalation", made=NIGHT), now=NIGHT)) == [(Kept.QUIET_HOURS, MORNING)]
    assert [one.state for one in moot([pair], {pair[0].alert_key})] == ["cancelled"]
    assert moot([pair]) == []


def test_a_correction_waits_for_the_morning_and_for_no_digest() -> None:
    pair = due("first-negative", told="correction")
    assert sent(act(pair)) == ["correction"]
    assert held(act(pair, now=NIGHT)) == [(Kept.QUIET_HOURS, MORNING)]


def test_two_hundred_alerts_in_an_hour_are_one_message_the_most_urgent_first() -> None:
    crowd = [due(level="red" if n == 77 else "amber", koc=f"K{n}") for n in range(200)]
    made = act(*crowd)
    assert sent(made) == ["storm"]
    assert len(made.messages[0].deliveries) == 200
    assert made.messages[0].deliveries[0].alert_key == crowd[77][0].alert_key
    assert held(made) == []


def test_after_a_storm_message_the_next_one_comes_an_hour_later_and_for_the_urgent_sooner() -> None:
    crowd = [received(due(koc=f"K{n}"), NOON - HOUR / 10, "storm") for n in range(30)]
    next_one = NOON - HOUR / 10 + HOUR
    late, urgent = due(koc="late"), due(level="red", koc="top", tier="核心")
    assert held(act(late, sent=crowd)) == [(Kept.STORM, next_one)]
    assert held(act(urgent, sent=crowd)) == [(Kept.STORM, NOON - HOUR / 10 + HOUR / 4)]
    assert sent(act(urgent, late, sent=crowd, now=NOON + HOUR / 5)) == ["storm"]
    waiting = (replace(late[0], held=Kept.STORM.value), late[1])
    assert sent(act(waiting, sent=crowd, now=next_one)) == ["storm"], "what waited in a storm is told as one"


def test_twenty_alerts_in_an_hour_are_no_storm_and_one_more_is() -> None:
    before = [received(due(koc=f"K{n}"), NOON - HOUR / 2) for n in range(19)]
    assert sent(act(due(koc="a"), sent=before)) == ["alert"]
    assert sent(act(due(koc="a"), due(koc="b"), sent=before)) == ["storm"]
    assert sent(act(due(koc="a"), due(koc="b"), sent=[replace(one, sent_at=NOON - 2 * HOUR) for one in before])) == [
        "alert",
        "alert",
    ]


def test_corrections_and_digests_make_no_storm() -> None:
    crowd = [due("first-negative", koc=f"K{n}", told="correction") for n in range(200)]
    assert "storm" not in sent(act(*crowd))
    mild = [due("first-negative", koc=f"K{n}") for n in range(200)]
    assert sent(act(*mild, now=local(2026, 9, 16, 9))) == ["digest", "digest"]


def test_what_is_held_names_the_claim_that_it_gives_back_and_costs_no_attempt() -> None:
    row, about = due(made=NIGHT)
    (back,) = act((row, about), now=NIGHT).held
    assert (back.state, back.attempts, back.claimed_until) == ("pending", 0, row.claimed_until)
    assert back.next_try_at is not None
    assert back.next_try_at > NIGHT


def test_what_goes_out_after_all_is_held_no_more() -> None:
    row, about = due(held="quiet-hours")
    (message,) = act((row, about)).messages
    assert message.deliveries[0].held == ""


def test_what_was_answered_meanwhile_waits_for_the_digest_and_says_so() -> None:
    pair = due("unresolved-feedback", tier="头部")
    decision = decide([pair], now=NOON, policy=POLICY, known=Known(answered={pair[1].alert.key}))
    assert not decision.messages
    [held] = decision.held
    assert (held.held, held.next_try_at) == (Kept.ANSWERED, local(2026, 9, 16, 9))
    morning = decide([pair], now=local(2026, 9, 16, 9), policy=POLICY, known=Known(answered={pair[1].alert.key}))
    assert [one.kind for one in morning.messages] == ["digest"]
    escalated = due("unresolved-feedback", told="escalation")
    assert moot([escalated], {escalated[1].alert.key})


def test_what_a_clock_that_was_wrong_sent_in_the_future_holds_nothing_back() -> None:
    ahead = NOON + timedelta(days=900)
    lately = [received(due(level="red", made=ahead + i * HOUR / 90), ahead + i * HOUR / 90) for i in range(30)]
    lately.append(received(due(level="red", made=ahead), ahead, "storm"))
    made = act(due(level="red"), due(koc="K2"), sent=lately)
    assert sent(made) == ["alert", "alert"]
    assert held(made) == []


def test_more_escalations_than_make_a_storm_share_a_message_the_most_urgent_first() -> None:
    many = [due(level="red", koc=f"K{i:03d}", told="escalation") for i in range(200)]
    made = act(*many, due(level="red", koc="K900", told="escalation", tier="核心"))
    assert sent(made) == ["escalation"] * 3
    assert [len(one.deliveries) for one in made.messages] == [100, 100, 1]
    assert made.messages[0].deliveries[0].key == delivery_key(
        key_of("drift", "red", "K900", NOON.isoformat()), "mail", "escalation"
    )
    few = act(*many[:20])
    assert [len(one.deliveries) for one in few.messages] == [1] * 20


def test_a_digest_that_comes_late_does_not_come_in_the_night() -> None:
    one = due("first-negative", made=NOON)
    late = local(2026, 9, 16, 23)
    assert held(act(one, now=late)) == [(Kept.QUIET_HOURS, local(2026, 9, 17, 8))]
    assert sent(act(one, now=local(2026, 9, 16, 21))) == ["digest"]
    early = replace(POLICY, digest=(time(7),))
    assert sent(act(one, now=local(2026, 9, 16, 7), policy=early)) == ["digest"], (
        "who sets it into the quiet hours wants it there"
    )
