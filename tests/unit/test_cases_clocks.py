"""A case's clocks and reminders under frozen time: working hours, a Chinese holiday with 调休, a change to summer time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from listener.alerts.reminding import reminders
from listener.cases.clocks import CaseStage, Due, Target, Targets, clock_of, due_alerts, due_of
from listener.working_days import Hours
from storage.records import Alert, Case, CaseStep, Delivery, StoredAlert

CHINA, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
OFFICE = Targets(hours=Hours("Asia/Shanghai", (time(18), time(9)), "china"))
ABROAD = Targets(hours=Hours("America/New_York", (time(18), time(9)), "none"))


def at(text: str, zone: ZoneInfo = CHINA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def a_case(opened: datetime, step: str = "acknowledge", **fields: object) -> Case:
    return Case("c1", "星澜", "K1", "public", "open", opened, "a1", step, ("a1",), **fields)  # type: ignore[arg-type]


def entry(step: str, when: datetime, who: str = "阿宁") -> CaseStep:
    return CaseStep("c1", when, who, step)


def due(case: Case, *log: CaseStep, targets: Targets = OFFICE, tier: str = "") -> Due:
    found = due_of(case, [entry("open", case.opened_at, "listener"), *log], tier, targets)
    assert found
    return found


@pytest.mark.parametrize(
    ("opened", "answer_by"),
    [
        ("2026-05-12T10:00", "2026-05-12T18:00"),  # a Tuesday
        ("2026-05-12T16:00", "2026-05-13T15:00"),
        ("2026-05-12T23:00", "2026-05-13T17:00"),  # by night
        ("2026-05-15T17:00", "2026-05-18T16:00"),  # over a weekend
        ("2026-09-30T17:00", "2026-10-08T16:00"),  # over 国庆, seven days
        ("2026-10-03T12:00", "2026-10-08T17:00"),  # in 国庆
        ("2026-10-09T17:00", "2026-10-10T16:00"),  # a Saturday that is worked for it
        ("2026-02-14T10:00", "2026-02-14T18:00"),  # another, before 春节
    ],
)
def test_the_first_answer_is_due_after_eight_hours_of_work(opened: str, answer_by: str) -> None:
    assert due(a_case(at(opened))).due_at == at(answer_by)


def test_working_hours_follow_the_clock_on_the_wall_over_a_change_to_summer_time_and_back() -> None:
    spring = due(a_case(at("2026-03-07T17:00", NEW_YORK)), targets=ABROAD)
    assert spring.due_at == at("2026-03-08T16:00", NEW_YORK) == datetime(2026, 3, 8, 20, tzinfo=UTC)
    autumn = due(a_case(at("2026-10-31T17:00", NEW_YORK)), targets=ABROAD)
    assert autumn.due_at == at("2026-11-01T16:00", NEW_YORK) == datetime(2026, 11, 1, 21, tzinfo=UTC)


def test_an_accident_is_due_within_an_hour_of_the_wall_clock_in_a_holiday_by_night_and_while_the_clocks_change() -> None:
    opened = at("2026-10-02T02:00")
    found = due(a_case(opened, urgent=True), entry("urgent", opened + timedelta(minutes=20), "listener"))
    assert (found.soon_at, found.due_at) == (opened + timedelta(minutes=20), opened + timedelta(minutes=80))
    change = at("2026-03-08T01:30", NEW_YORK)
    assert due(a_case(change, urgent=True), targets=ABROAD).due_at == change + timedelta(hours=1)


def test_each_further_step_has_its_own_time_from_the_one_before() -> None:
    done = at("2026-09-29T10:00")
    found = due(a_case(at("2026-09-28T10:00"), "route"), entry("acknowledge", done))
    assert (found.step, found.since, found.due_at) == ("route", done, at("2026-09-30T17:00"))
    assert found.soon_at == at("2026-09-30T15:00")
    assert found.late_at == at("2026-10-09T15:00"), (
        "16 hours of work more: one of 30 September, nine of the 8th, six of the 9th"
    )
    noted = due(a_case(at("2026-09-28T10:00"), "route"), entry("acknowledge", done), entry("note", done + timedelta(hours=5)))
    assert noted == found, "a note moves no clock"


def test_a_tier_has_targets_of_its_own() -> None:
    targets = replace(OFFICE, tiers={"核心": Target(answered=timedelta(hours=4))})
    opened = at("2026-05-12T10:00")
    assert due(a_case(opened), targets=targets, tier=" 核心 ").due_at == at("2026-05-12T14:00")
    assert due(a_case(opened), targets=targets, tier="B").due_at == at("2026-05-12T18:00")


def test_a_target_shorter_than_the_notice_is_reminded_half_way() -> None:
    targets = replace(OFFICE, common=Target(answered=timedelta(hours=2)), ahead=timedelta(hours=3))
    assert due(a_case(at("2026-05-12T10:00")), targets=targets).soon_at == at("2026-05-12T11:00")


def test_a_second_person_is_reminded_to_approve() -> None:
    asked = CaseStep("c1", at("2026-05-12T10:00"), "阿宁", "legal-asked", "聊天记录", data={"reason": "rumor"})
    found = due(a_case(at("2026-05-11T10:00"), "resolve"), asked)
    assert (found.step, found.since) == ("approve", asked.at)


def test_nothing_is_due_in_a_closed_case() -> None:
    case = replace(a_case(at("2026-05-12T10:00")), state="closed")
    assert due_of(case, [], "", OFFICE) is None
    assert due_alerts([case], {}, at("2027-05-12T10:00"), tiers={}, targets=OFFICE) == ()


class Season:
    """The scheduler's job every half hour, with the outbox that it writes to."""

    def __init__(self, case: Case, targets: Targets = OFFICE) -> None:
        self.case, self.targets = case, targets
        self.log = [entry("open", case.opened_at, "listener")]
        self.stored: dict[str, StoredAlert] = {}
        self.made: list[tuple[datetime, Alert]] = []

    def run(self, start: datetime, end: datetime) -> None:
        now = start
        while now < end:
            wanted = due_alerts([self.case], {"c1": self.log}, now, tiers={}, targets=self.targets)
            rows: dict[str, Sequence[Delivery]] = {}
            changes = reminders(
                wanted, stored=list(self.stored.values()), deliveries=rows, channels_of=lambda alert: ["mail"], kocs={}, now=now
            )
            by_key = {alert.key: alert for alert in changes.alerts}
            self.made += [(now, by_key[row.alert_key]) for row in changes.deliveries]
            self.stored |= {alert.key: StoredAlert(alert, "current", now, None) for alert in changes.alerts}
            for key in changes.superseded:
                self.stored[key] = replace(self.stored[key], state="superseded")
            now += timedelta(minutes=30)

    def told(self) -> list[tuple[str, str, str]]:
        return [(alert.evidence["stage"], alert.severity, f"{now.astimezone(CHINA):%m-%d %H:%M}") for now, alert in self.made]

    def current(self) -> list[str]:
        return [one.alert.evidence["stage"] for one in self.stored.values() if one.state == "current"]


def test_each_reminder_is_told_exactly_once_over_a_holiday_and_the_worked_saturday_after_it() -> None:
    season = Season(a_case(at("2026-09-30T14:00")))
    season.run(at("2026-09-30T14:00"), at("2026-10-14T00:00"))
    assert season.told() == [
        ("soon", "watch", "10-08 11:00"),
        ("overdue", "important", "10-08 13:00"),
        ("long-overdue", "important", "10-09 12:00"),
    ]
    assert season.current() == ["long-overdue"]


def test_reminders_stop_when_the_step_is_done_and_begin_anew_with_the_next() -> None:
    season = Season(a_case(at("2026-09-30T14:00")))
    season.run(at("2026-09-30T14:00"), at("2026-10-08T12:00"))
    season.case = replace(season.case, next_step="route")
    season.log.append(entry("acknowledge", at("2026-10-08T12:00")))
    season.run(at("2026-10-08T12:00"), at("2026-10-10T09:30"))
    assert [stage for stage, *_ in season.told()] == ["soon", "soon"]
    assert season.told()[-1][2] == "10-09 17:00"
    season.case = replace(season.case, state="closed")
    season.run(at("2026-10-10T09:30"), at("2026-10-12T12:00"))
    assert season.current() == []


def test_an_accident_is_told_at_once_as_urgent_and_again_when_an_hour_has_passed() -> None:
    opened = at("2026-10-02T02:00")
    season = Season(a_case(opened, urgent=True))
    season.run(opened, opened + timedelta(hours=5))
    assert season.told() == [
        ("urgent", "urgent", "10-02 02:00"),
        ("overdue", "urgent", "10-02 03:00"),
        ("long-overdue", "urgent", "10-02 04:00"),
    ]


def test_the_two_clocks_are_apart_and_each_knows_whether_it_was_kept() -> None:
    case = a_case(at("2026-05-12T10:00"), "route")
    log = [entry("open", case.opened_at, "listener"), entry("acknowledge", at("2026-05-12T15:00"))]
    clock = clock_of(case, log, at("2026-05-11T22:00"), at("2026-05-13T10:00"), "", OFFICE)
    assert (clock.to_find, clock.to_answer) == (timedelta(hours=12), timedelta(hours=5))
    assert (clock.found_on_time, clock.answered_on_time) == (True, True)
    late = clock_of(case, log[:1], at("2026-05-01T10:00"), at("2026-05-13T10:00"), "", OFFICE)
    assert (late.found_on_time, late.answered_on_time, late.to_answer) == (False, False, None)
    early = clock_of(case, log[:1], None, at("2026-05-12T12:00"), "", OFFICE)
    assert (early.to_find, early.found_on_time, early.answered_on_time) == (None, None, None)


def test_a_post_that_came_in_later_than_the_case_makes_no_negative_clock() -> None:
    case = a_case(at("2026-05-12T10:00"))
    assert clock_of(case, [], at("2026-05-13T10:00"), at("2026-05-13T11:00"), "", OFFICE).to_find == timedelta(0)


def test_the_stages_follow_each_other() -> None:
    now = at("2026-05-12T10:00")
    hour = timedelta(hours=1)
    one = Due("route", now, now + hour, now + 2 * hour, now + 3 * hour)
    assert [one.stage(now + n * hour) for n in range(4)] == [None, CaseStage.SOON, CaseStage.OVERDUE, CaseStage.LONG_OVERDUE]
