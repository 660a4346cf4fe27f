"""Who is told: the table where there are no routes, routes, owners, groups, the rota; who hears of what nobody takes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import alerting
from listener.alerts.owing import Ladder, owed
from listener.alerts.policy import Policy
from listener.alerts.routing import Directory, Person, Route, Shift, channels_of, named, on_call, stand_in
from listener.alerts.severities import SEVERITIES, URGENCY, is_at_once, severity_by_now, severity_of, table
from listener.keys import delivery_key
from listener.working_days import Hours
from storage.policy_records import Mute
from storage.records import Alert, Counts, Delivery, Koc, StoredAlert

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 15, 12, tzinfo=ZONE).astimezone(UTC)
NIGHT = datetime(2026, 9, 15, 23, tzinfo=ZONE).astimezone(UTC)
HOUR = timedelta(hours=1)
KOC = Koc("K1", "苏苏", (), owner="王敏", tier="核心")
TEAM = Directory(
    channels=("mail", "wang", "li", "boss"),
    people=(Person("王敏", ("wang",), ("公关组",)), Person("李雷", ("li",), ("公关组",)), Person("赵总", ("boss",))),
)


def an_alert(kind: str = "drift", level: str | None = "red", *, koc: str = "K1", severity: str = "important") -> Alert:
    level = level if kind == "drift" else None
    return Alert(f"{kind}-{level}-{koc}", kind, level, severity, koc, "星澜", NOW, None, {}, ())  # type: ignore[arg-type]


def test_without_people_every_channel_is_told_everything() -> None:
    assert channels_of(an_alert(), None, Directory(("mail", "hook"))) == ("mail", "hook")


def test_without_routes_the_table_says_who_is_told() -> None:
    assert channels_of(an_alert(), KOC, TEAM) == ("mail", "wang"), "the owner, and the channel that is nobody's own"
    assert channels_of(an_alert("silence"), KOC, TEAM) == ("wang",), "a quiet kind: the owner alone"
    assert channels_of(an_alert("delivery-failing", koc=""), None, TEAM) == ("mail",)


def test_no_alert_is_lost_for_a_gap_in_the_settings() -> None:
    nobody = replace(KOC, owner="没有这个人")
    assert channels_of(an_alert("silence"), nobody, TEAM) == TEAM.channels
    routes = replace(TEAM, routes=(Route(("boss",), severities=("urgent",)),))
    assert channels_of(an_alert(severity="watch"), KOC, routes) == TEAM.channels
    switched_off = replace(TEAM, channels=("mail",), routes=(Route(("boss",)),))
    assert channels_of(an_alert(), KOC, switched_off) == ("mail",)


def test_every_route_that_matches_adds_its_own() -> None:
    routes = (
        Route(("owner",)),
        Route(("mail",), kinds=("drift",)),
        Route(("赵总",), severities=("urgent",), tiers=("核心",)),
        Route(("公关组",), brands=("墨羽",)),
    )
    directory = replace(TEAM, routes=routes)
    assert channels_of(an_alert(), KOC, directory) == ("mail", "wang")
    assert channels_of(an_alert(), KOC, directory, "urgent") == ("mail", "wang", "boss")
    assert channels_of(an_alert(), replace(KOC, tier="B"), directory, "urgent") == ("mail", "wang")
    assert channels_of(replace(an_alert("silence"), brand="墨羽"), replace(KOC, owner=""), directory) == ("wang", "li")


def test_names_are_people_groups_channels_the_owner_and_whoever_is_on_call() -> None:
    directory = replace(TEAM, rota=(Shift("李雷"),))
    assert named(["公关组", "mail"], directory) == ("mail", "wang", "li")
    assert named(["owner", "on-call"], directory, KOC, NOW) == ("wang", "li")
    assert named(["nobody"], directory) == ()


@pytest.mark.parametrize(
    ("local", "who"),
    [
        (datetime(2026, 10, 1, 12), "wang"),  # 国庆 has a line of its own
        (datetime(2026, 10, 8, 3), "wang"),  # the night that began on the last day
        (datetime(2026, 10, 10, 12), "li"),  # a Saturday
        (datetime(2026, 10, 12, 19), "boss"),  # a Monday evening
        (datetime(2026, 10, 13, 7, 59), "boss"),  # … that ends on Tuesday morning
        (datetime(2026, 10, 13, 8), None),
    ],
)
def test_the_first_line_of_the_rota_that_covers_the_hour_counts(local: datetime, who: str | None) -> None:
    rota = (
        Shift("王敏", date(2026, 10, 1), date(2026, 10, 7), hours=(time(9), time(8, 59, 59))),
        Shift("李雷", weekdays=frozenset({5, 6})),
        Shift("赵总", hours=(time(18), time(8))),
    )
    directory = replace(TEAM, rota=rota)
    assert on_call(directory, local.replace(tzinfo=ZONE)) == ((who,) if who else ())


def test_the_table_is_complete_and_never_milder_with_weight_or_spread() -> None:
    for (kind, level), grade in SEVERITIES.items():
        ranks = [URGENCY[each] for each in (grade.plain, grade.weight, grade.spread, grade.both)]
        assert ranks[3] <= min(ranks[1:3]) <= max(ranks[1:3]) <= ranks[0], (kind, level)
        assert grade.to, (kind, level)
    assert {kind for kind, _ in SEVERITIES} == set(alerting.KINDS), "the settings know the same kinds"
    assert table().count("\n") == len(SEVERITIES) + 2


def test_mild_criticism_is_no_kind_of_alert() -> None:
    assert not [kind for kind, _ in SEVERITIES if "mild" in kind]


def test_what_is_grave_or_urgent_is_told_at_any_hour() -> None:
    assert is_at_once("drift", "red", "important")
    assert is_at_once("brand-shift", None, "urgent")
    assert not is_at_once("drift", "amber", "important")


def test_spread_makes_an_alert_graver_and_never_milder() -> None:
    far = [Counts(likes=900, comments=80, reposts=40)]
    assert severity_by_now(an_alert(level="amber", severity="watch"), "", far, 1000) == "important"
    assert severity_by_now(an_alert(level="amber", severity="watch"), "", far, 2000) == "watch"
    assert severity_by_now(an_alert(level="amber", severity="watch"), "", far, 0) == "watch"
    assert severity_by_now(an_alert("silence", severity="watch"), "", far, 1000) == "watch"


def test_a_koc_long_devoted_has_the_weight_of_a_first_tier() -> None:
    assert severity_of("drift", "red", "C", devoted=True) == severity_of("drift", "red", "核心") == "urgent"


# ------------------------------------------------------------------------------------------------------------- owed

LADDER = Ladder({"urgent": HOUR / 2, "important": 4 * HOUR, "watch": 24 * HOUR}, (("赵总",), ("mail",)))
BY_DAY = Policy(hours=Hours("Asia/Shanghai", (time(22), time(8)), "china"))


def a_row(alert: Alert, channel: str = "mail", state: str = "sent", at: datetime = NOW, told_in: str = "alert") -> Delivery:
    when = at if state in ("sent", "summarized") else None
    key = delivery_key(alert.key, channel, "alert")
    return Delivery(key, alert.key, channel, "alert", state, at, 1, None, None, when, told_in=told_in)  # type: ignore[arg-type]


def owes(alert: Alert, *rows: Delivery, now: datetime, policy: Policy = BY_DAY, **more: object) -> list[tuple[str, str]]:
    given: dict[str, object] = {"directory": TEAM, "ladder": LADDER, "kocs": {"K1": KOC}} | more
    stored = [StoredAlert(alert, "current", NOW, None)]
    return [(one.kind, one.channel) for one in owed(stored, {alert.key: rows}, now=now, policy=policy, **given)]  # type: ignore[arg-type]


def test_what_nobody_takes_on_in_time_is_escalated_once_a_step() -> None:
    alert = an_alert(severity="urgent")
    row = a_row(alert)
    assert owes(alert, row, now=NOW + HOUR / 2 - timedelta(seconds=1)) == []
    assert owes(alert, row, now=NOW + HOUR / 2) == [("escalation", "boss")]
    first = replace(row, key=delivery_key(alert.key, "boss", "escalation", 0), kind="escalation", channel="boss")
    assert owes(alert, row, first, now=NOW + 0.9 * HOUR) == []
    assert owes(alert, row, first, now=NOW + HOUR) == [("escalation", "mail")]
    second = replace(first, key=delivery_key(alert.key, "mail", "escalation", 1), channel="mail")
    assert owes(alert, row, first, second, now=NOW + timedelta(days=3)) == []


def test_steps_that_fell_due_while_no_process_ran_are_made_up_for_by_the_highest() -> None:
    alert = an_alert(severity="urgent")
    assert owes(alert, a_row(alert), now=NOW + 10 * HOUR) == [("escalation", "mail")]


def test_the_clock_of_what_is_not_grave_runs_in_working_hours_over_national_day() -> None:
    alert = an_alert(level="amber")
    eve = datetime(2026, 9, 30, 20, tzinfo=ZONE)
    row = a_row(alert, at=eve)
    assert owes(alert, row, now=datetime(2026, 10, 7, 12, tzinfo=ZONE)) == []
    assert owes(alert, row, now=datetime(2026, 10, 8, 9, 59, tzinfo=ZONE)) == []
    assert owes(alert, row, now=datetime(2026, 10, 8, 10, tzinfo=ZONE)) == [("escalation", "boss")]


def test_the_mild_the_muted_the_summarized_and_what_nobody_should_hear_of_are_not_escalated() -> None:
    late = NOW + timedelta(days=9)
    mild, grave = an_alert("silence", severity="info"), an_alert(severity="urgent")
    assert owes(mild, a_row(mild), now=late) == []
    assert owes(grave, now=late) == []
    assert owes(grave, a_row(grave, state="summarized", told_in="summary"), now=late) == []
    assert owes(grave, a_row(grave, state="cancelled"), now=late) == []
    mute = Mute("m", "K1", "", "", NOW, late + HOUR, "", "王敏")
    assert owes(grave, a_row(grave), now=late, mutes=[mute]) == []


def test_an_alert_whose_channels_all_fail_is_escalated_all_the_same() -> None:
    alert = an_alert(severity="urgent")
    assert owes(alert, a_row(alert, state="dead"), now=NOW + HOUR / 2) == [("escalation", "boss")]


def test_a_step_that_leads_to_nobody_goes_to_every_channel() -> None:
    alert = an_alert(severity="urgent")
    ladder = replace(LADDER, steps=(("on-call",),))
    assert len(owes(alert, a_row(alert), now=NOW + HOUR, ladder=ladder)) == len(TEAM.channels)


def test_at_night_whoever_is_on_call_gets_what_is_grave_and_nobody_what_is_not() -> None:
    policy = replace(BY_DAY, on_call=lambda now: ("li",))
    red, amber = an_alert(), an_alert(level="amber", severity="watch")
    quiet = Ladder()
    assert owes(red, a_row(red, state="pending", at=NIGHT), now=NIGHT, policy=policy, ladder=quiet) == [("alert", "li")]
    assert owes(amber, a_row(amber, state="pending", at=NIGHT), now=NIGHT, policy=policy, ladder=quiet) == []
    both = (a_row(red, state="pending", at=NIGHT), a_row(red, "li", "pending", NIGHT))
    assert owes(red, *both, now=NIGHT, policy=policy, ladder=quiet) == []
    assert owes(red, a_row(red, at=NIGHT), now=NIGHT, policy=policy, ladder=quiet) == [], "everybody has it"
    later = NIGHT + timedelta(days=2)
    assert owes(red, a_row(red, state="pending", at=NIGHT), now=later, policy=policy, ladder=quiet) == []


def test_one_that_has_become_graver_goes_to_whom_routes_send_the_graver_one() -> None:
    directory = replace(TEAM, routes=(Route(("mail",)), Route(("赵总",), severities=("urgent",))))
    alert = an_alert()
    given = {"directory": directory, "ladder": Ladder(), "now": NOW}
    assert owes(alert, a_row(alert), **given) == []  # type: ignore[arg-type]
    assert owes(alert, a_row(alert), severity=lambda one: "urgent", **given) == [("alert", "boss")]  # type: ignore[arg-type]


def test_the_readme_shows_the_table() -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    assert table() in readme


ROTA = replace(TEAM, rota=(Shift("李雷"), Shift("赵总", weekdays=frozenset({0})), Shift("王敏", weekdays=frozenset({6}))))


def rota_policy(directory: Directory = ROTA) -> Policy:
    return replace(
        BY_DAY, on_call=lambda now: on_call(directory, now), stand_in=lambda now, down: stand_in(directory, now, down)
    )


def woken(alert: Alert, *rows: Delivery, now: datetime = NIGHT, **given: object) -> list[tuple[str, str]]:
    """(channel, why) of what goes out at that hour besides."""
    given = {"policy": rota_policy(), "directory": ROTA, "ladder": Ladder(), "kocs": {"K1": KOC}} | given
    made = owed([StoredAlert(alert, "current", NOW, None)], {alert.key: rows}, now=now, **given)  # type: ignore[arg-type]
    assert all(one.next_try_at == now for one in made)
    return [(one.channel, one.held) for one in made]


def waiting(alert: Alert, channel: str, held: str = "quiet-hours", at: datetime = NIGHT) -> Delivery:
    return replace(a_row(alert, channel, "pending", at), held=held, next_try_at=NIGHT + 9 * HOUR)


def test_where_nobody_on_call_can_be_reached_the_next_one_of_the_rota_is_told_and_it_says_why() -> None:
    red = an_alert()
    rows = (waiting(red, "mail"), a_row(red, "li", "pending", NIGHT))
    assert woken(red, *rows) == [], "li is told as ever"
    assert woken(red, *rows, down={"li"}) == [("boss", "stand-in")]
    refused = (waiting(red, "mail"), a_row(red, "li", "dead", NIGHT))
    assert [why for _, why in woken(red, *refused)] == ["stand-in"], "its channel refused this one for good"
    known = (*rows, waiting(red, "boss"), waiting(red, "wang"))
    assert [why for _, why in woken(red, *known, down={"li"})] == ["stand-in"], "one that waits is let go"


def test_where_nobody_of_the_rota_can_be_reached_everybody_else_is_told() -> None:
    red = an_alert()
    rows = (waiting(red, "mail"), a_row(red, "li", "pending", NIGHT))
    assert woken(red, *rows, down={"li", "boss", "wang"}) == [("mail", "stand-in")]
    alone = a_row(red, "li", "pending", NIGHT)
    assert woken(red, alone, down={"li", "boss", "wang"}) == [("mail", "stand-in")], "it was to go to nobody else"
    assert woken(red, *rows, down=set(ROTA.channels)) == []


def test_what_becomes_urgent_days_later_in_a_holiday_is_told_to_whoever_is_on_call() -> None:
    amber = an_alert(level="amber", severity="watch")
    later = NIGHT + timedelta(days=3)
    raised = {"now": later, "severity": lambda alert: "urgent"}
    assert woken(amber, waiting(amber, "mail", "rest-day"), now=later) == []
    assert woken(amber, waiting(amber, "mail", "rest-day"), **raised) == [("li", "graver")]  # type: ignore[arg-type]
    both = (waiting(amber, "mail", "rest-day"), waiting(amber, "li", "rest-day"))
    assert woken(amber, *both, **raised) == [("li", "graver")], "the one that waits there waits no more"  # type: ignore[arg-type]
    nobody = {"policy": BY_DAY, "directory": TEAM, **raised}
    assert sorted(woken(amber, *both, **nobody)) == [("li", "graver"), ("mail", "graver")]  # type: ignore[arg-type]
