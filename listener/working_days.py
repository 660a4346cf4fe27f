"""Which days are worked and at which hours people may be disturbed: a calendar and a time zone → opening times.

Chinese public holidays, and the weekend days that are worked for them (调休), come from the package chinesecalendar, which is
brought up to date once a year, when the State Council has published the next one: it knows whole years. Of a year that it does
not know weekends alone are free, and `Day.is_known` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from chinese_calendar import get_holiday_detail, is_workday
from chinese_calendar.constants import holidays as _holidays

Holidays = Literal["china", "weekends", "none"]

LAST_KNOWN_YEAR: int = max(_holidays).year
FIRST_KNOWN_YEAR: int = min(_holidays).year
_LONGEST_CLOSED = 400  # days that are looked ahead: no calendar is closed for a year
_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午",
    "National Day": "国庆",
    "Mid-autumn Festival": "中秋",
    "Anti-Fascist 70th Day": "抗战胜利 70 周年",
}


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a calendar. name: the holiday that makes it free, or for which it is worked; "" where there is none. is_known:
    False where the calendar's year is not published yet, or not in the package, and weekends stand in for it."""

    day: date
    is_worked: bool
    name: str = ""
    is_known: bool = True


@lru_cache(maxsize=4096)
def day_of(day: date, holidays: Holidays) -> Day:
    """What a day is. With ``weekends`` only Saturday and Sunday are free, with ``none`` no day.

    >>> day_of(date(2026, 10, 10), "china"), day_of(date(2026, 10, 7), "china").is_worked
    (Day(day=datetime.date(2026, 10, 10), is_worked=True, name='国庆', is_known=True), False)
    >>> day_of(date(2031, 10, 1), "china")
    Day(day=datetime.date(2031, 10, 1), is_worked=True, name='', is_known=False)
    """
    if holidays == "none":
        return Day(day, True)
    is_weekday = day.weekday() < 5
    if holidays == "weekends":
        return Day(day, is_weekday)
    if not FIRST_KNOWN_YEAR <= day.year <= LAST_KNOWN_YEAR:
        return Day(day, is_weekday, is_known=False)
    is_worked = bool(is_workday(day))
    _, name = get_holiday_detail(day)
    return Day(day, is_worked, _NAMES.get(str(name), str(name)) if name else "")


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody may be disturbed with what can wait.

    timezone: of the place. quiet: from when to when, by the clock there, nobody is disturbed, past midnight where it ends
    before it begins; None: never. holidays: whose free days are kept. free, worked: days that the team adds itself, over the
    calendar, as for a year that is not published yet."""

    timezone: str = "Asia/Shanghai"
    quiet: tuple[time, time] | None = None
    holidays: Holidays = "none"
    free: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", ZoneInfo(self.timezone))

    def day_of(self, at: datetime) -> Day:
        """The local day of an instant."""
        return self._day(at.astimezone(self._zone).date())

    def is_open(self, at: datetime) -> bool:
        """Whether people may be disturbed at that instant."""
        return self.opens_at(at) == at

    def opens_at(self, at: datetime) -> datetime:
        """The first instant from then on at which people may be disturbed: that itself, or when the next span begins."""
        return next((max(start, at) for start, end in self._spans(at) if end > at), at)

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The instant at which so much time at which people may be disturbed has passed since ``start``."""
        left = span
        for opens, closes in self._spans(start):
            begins = max(opens, start)
            if closes <= begins:
                continue
            if closes - begins >= left:
                return begins + left
            left -= closes - begins
        return start + span

    def next_of(self, times: tuple[time, ...], at: datetime) -> datetime | None:
        """The first of these times of a worked day after ``at``; None where there are no times."""
        for day in self._days(at) if times else ():
            for each in sorted(times):
                if self._day(day).is_worked and (found := self._instant(day, each)) > at:
                    return found
        return None

    def _day(self, day: date) -> Day:
        if day in self.worked or day in self.free:
            return Day(day, day in self.worked)
        return day_of(day, self.holidays)

    def _days(self, at: datetime) -> Iterator[date]:
        first = at.astimezone(self._zone).date()
        return (first + timedelta(days=n) for n in range(_LONGEST_CLOSED))

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Spans in which people may be disturbed, in order, from the local day of ``at`` on; two may touch."""
        for day in self._days(at):
            if not self._day(day).is_worked:
                continue
            midnight, next_midnight = self._instant(day, time()), self._instant(day + timedelta(days=1), time())
            if self.quiet is None or self.quiet[0] == self.quiet[1]:
                yield midnight, next_midnight
                continue
            first, last = self._instant(day, self.quiet[0]), self._instant(day, self.quiet[1])
            if self.quiet[0] < self.quiet[1]:
                yield from (span for span in ((midnight, first), (last, next_midnight)) if span[0] < span[1])
            else:
                yield last, first

    def _instant(self, day: date, at: time) -> datetime:
        """That time of that day in UTC. One that a change to summer time leaves out is taken as if the clock had not been
        changed; of one that comes twice it is the first."""
        return datetime.combine(day, at, self._zone).astimezone(UTC)
