"""Working days with 调休, quiet hours, other time zones and changes to summer time: all under a clock that stands still."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from listener.working_days import LAST_KNOWN_YEAR, Hours, day_of

NIGHT = (time(22), time(9))
SHANGHAI, BERLIN, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
CHINA = Hours("Asia/Shanghai", NIGHT, "china")


def at(zone: ZoneInfo, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[misc, arg-type]


def test_national_day_is_free_for_a_week_and_the_saturday_after_it_is_worked() -> None:
    assert [day_of(date(2026, 10, d), "china").is_worked for d in range(1, 12)] == [False] * 7 + [True] * 3 + [False]
    assert day_of(date(2026, 10, 10), "china").name == "国庆"
    assert not day_of(date(2026, 10, 10), "weekends").is_worked


def test_what_comes_in_the_evening_before_national_day_waits_for_the_eighth() -> None:
    assert CHINA.opens_at(at(SHANGHAI, 2026, 9, 30, 22, 30)) == at(SHANGHAI, 2026, 10, 8, 9)
    assert CHINA.opens_at(at(SHANGHAI, 2026, 9, 30, 21, 59)) == at(SHANGHAI, 2026, 9, 30, 21, 59)


def test_spring_festival_is_free_from_sunday_on_and_the_saturday_before_it_is_worked() -> None:
    assert CHINA.is_open(at(SHANGHAI, 2026, 2, 14, 10)), "调休: a Saturday on which people work"
    assert CHINA.opens_at(at(SHANGHAI, 2026, 2, 14, 23)) == at(SHANGHAI, 2026, 2, 24, 9)
    assert CHINA.is_open(at(SHANGHAI, 2026, 2, 28, 10)), "and the Saturday after it"


def test_of_a_year_that_nobody_knows_weekends_alone_are_free_and_it_says_so() -> None:
    unknown = day_of(date(LAST_KNOWN_YEAR + 1, 10, 1), "china")
    assert not unknown.is_known
    assert unknown.is_worked == (unknown.day.weekday() < 5)


def test_days_of_ones_own_stand_over_the_calendar() -> None:
    own = Hours("Asia/Shanghai", NIGHT, "china", free=frozenset({date(2026, 11, 23)}), worked=frozenset({date(2026, 11, 22)}))
    assert own.opens_at(at(SHANGHAI, 2026, 11, 22, 10)) == at(SHANGHAI, 2026, 11, 22, 10), "a Sunday that the team works"
    assert own.opens_at(at(SHANGHAI, 2026, 11, 23, 10)) == at(SHANGHAI, 2026, 11, 24, 9)


@pytest.mark.parametrize(
    ("before", "opens"),
    [
        (datetime(2026, 3, 28, 21, tzinfo=UTC), datetime(2026, 3, 29, 7, tzinfo=UTC)),  # summer time begins: 9:00 is 07:00 UTC
        (datetime(2026, 3, 27, 21, tzinfo=UTC), datetime(2026, 3, 28, 8, tzinfo=UTC)),
        (datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 25, 8, tzinfo=UTC)),  # and ends
    ],
)
def test_morning_is_nine_by_the_clock_on_the_wall_through_a_change_to_summer_time(before: datetime, opens: datetime) -> None:
    berlin = Hours("Europe/Berlin", NIGHT)
    assert not berlin.is_open(before)
    assert berlin.opens_at(before) == opens
    assert opens.astimezone(BERLIN).time() == time(9)


def test_an_hour_that_the_clock_leaves_out_opens_and_one_that_comes_twice_opens_once() -> None:
    short = Hours("America/New_York", (time(1), time(2, 30)))
    assert short.opens_at(at(NEW_YORK, 2026, 3, 8, 1, 15)) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC), "2:30 is not there"
    twice = Hours("America/New_York", (time(22), time(1, 30)))
    opens = twice.opens_at(datetime(2026, 11, 1, 4, tzinfo=UTC))
    assert opens == datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "the first 1:30"
    assert twice.is_open(datetime(2026, 11, 1, 6, 10, tzinfo=UTC)), "and it stays open when 1:10 comes again"


def test_time_is_counted_in_hours_at_which_people_may_be_disturbed() -> None:
    start = at(SHANGHAI, 2026, 9, 30, 20)
    assert CHINA.after(start, timedelta(hours=1)) == at(SHANGHAI, 2026, 9, 30, 21)
    assert CHINA.after(start, timedelta(hours=4)) == at(SHANGHAI, 2026, 10, 8, 11), "two hours are left for the eighth"
    assert CHINA.after(at(SHANGHAI, 2026, 10, 3, 12), timedelta(hours=1)) == at(SHANGHAI, 2026, 10, 8, 10)
    assert Hours().after(start, timedelta(days=3)) == start + timedelta(days=3)


def test_a_digest_goes_out_on_the_next_worked_day() -> None:
    times = (time(9), time(17, 30))
    assert CHINA.next_of(times, at(SHANGHAI, 2026, 9, 30, 9)) == at(SHANGHAI, 2026, 9, 30, 17, 30)
    assert CHINA.next_of(times, at(SHANGHAI, 2026, 9, 30, 17, 30)) == at(SHANGHAI, 2026, 10, 8, 9)
    assert CHINA.next_of((), at(SHANGHAI, 2026, 9, 30, 9)) is None


def test_a_calendar_that_never_opens_keeps_nobody_waiting_for_ever() -> None:
    now = at(SHANGHAI, 2026, 9, 30, 9)
    shut = Hours(free=frozenset(date(2026, 9, 1) + timedelta(days=n) for n in range(800)))
    assert shut.opens_at(now) == now
    assert shut.after(now, timedelta(hours=1)) == now + timedelta(hours=1)
