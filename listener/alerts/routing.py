"""Who is told of an alert: people, routes, the rota (值班表), the KOC's owner → names of channels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from listener.alerts.severities import SEVERITIES
from storage.records import Alert, Koc, Severity

OWNER, ON_CALL = "owner", "on-call"  # names that stand for whoever it is just then


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the team: the channels that reach them, the groups they belong to."""

    name: str
    channels: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts that match everything that is given go to these. to: names of people, groups, channels, ``owner`` (对接人) and
    ``on-call`` (值班)."""

    to: tuple[str, ...]
    brands: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    def matches(self, alert: Alert, severity: Severity, koc: Koc | None) -> bool:
        """Whether the route takes this alert."""
        tier = koc.tier.strip().casefold() if koc else ""
        return (
            (not self.brands or alert.brand in self.brands)
            and (not self.kinds or alert.kind in self.kinds)
            and (not self.severities or severity in self.severities)
            and (not self.tiers or tier in {each.strip().casefold() for each in self.tiers})
        )


@dataclass(frozen=True, slots=True)
class Shift:
    """A line of the rota: who is on call on the days from ``first`` to ``last`` (None: without bound), on these weekdays (0 is
    Monday; none given: on all), at these hours (None: all day; past midnight they belong to the day they began on)."""

    person: str
    first: date | None = None
    last: date | None = None
    weekdays: frozenset[int] = frozenset()
    hours: tuple[time, time] | None = None

    def covers(self, local: datetime) -> bool:
        """Whether it is this one's turn at that local time."""
        day, now = local.date(), local.time()
        if self.hours:
            begins, ends = self.hours
            is_over_midnight = ends <= begins
            if is_over_midnight and now < ends:
                day -= timedelta(days=1)
            elif not (now >= begins if is_over_midnight else begins <= now < ends):
                return False
        is_within = (self.first is None or self.first <= day) and (self.last is None or day <= self.last)
        return is_within and (not self.weekdays or day.weekday() in self.weekdays)


@dataclass(frozen=True, slots=True)
class Directory:
    """Whom the workspace knows. channels: names of those that are switched on. timezone: of the rota."""

    channels: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    routes: tuple[Route, ...] = ()
    rota: tuple[Shift, ...] = ()
    timezone: str = "Asia/Shanghai"


def channels_of(alert: Alert, koc: Koc | None, directory: Directory, severity: Severity | None = None) -> tuple[str, ...]:
    """The channels that an alert goes to, in the order of the settings, by every route that matches. severity: where it is
    another than the alert's own.

    Without routes the table of severities says who is told: the owner through their own channels, the team through those that
    are nobody's own. Where all that leads to nobody, every channel gets it: no alert is lost for a gap in the settings.
    """
    routes = [one for one in directory.routes if one.matches(alert, severity or alert.severity, koc)]
    names = [name for route in routes for name in route.to] if directory.routes else _by_table(alert, directory)
    found = set(named([name for name in names if name != ON_CALL], directory, koc))
    if not directory.routes and "team" in names:
        found.update(_shared(directory))
    return tuple(name for name in directory.channels if name in found) or directory.channels


def named(names: Iterable[str], directory: Directory, koc: Koc | None = None, now: datetime | None = None) -> tuple[str, ...]:
    """The channels, switched-on ones alone, behind names of people, groups and channels, and ``owner`` and ``on-call``."""
    found: set[str] = set()
    for name in names:
        if name == OWNER:
            found.update(_of_people([koc.owner] if koc and koc.owner else [], directory))
        elif name == ON_CALL:
            found.update(on_call(directory, now) if now else ())
        else:
            found.update(_of_people([name], directory), [name])
    return tuple(name for name in directory.channels if name in found)


def on_call(directory: Directory, now: datetime) -> tuple[str, ...]:
    """The channels of whoever is on call now: by the first line of the rota that covers it; empty where none does."""
    local = now.astimezone(ZoneInfo(directory.timezone))
    person = next((one.person for one in directory.rota if one.covers(local)), None)
    return named([person], directory) if person else ()


def stand_in(directory: Directory, now: datetime, down: Collection[str]) -> tuple[str, ...]:
    """The channels of the next one of the rota who can be reached where those of whoever is on call are ``down``: of the lines
    that cover the hour too, then of the others, in their order. Empty where nobody can."""
    local = now.astimezone(ZoneInfo(directory.timezone))
    for shift in sorted(directory.rota, key=lambda one: not one.covers(local)):
        if up := tuple(name for name in named([shift.person], directory) if name not in down):
            return up
    return ()


def _by_table(alert: Alert, directory: Directory) -> Sequence[str]:
    if not directory.people:
        return directory.channels
    return ["team" if each == "operator" else each for each in SEVERITIES[alert.kind, alert.level].to]


def _shared(directory: Directory) -> tuple[str, ...]:
    """Channels that are no single person's own; where every channel is somebody's, all of them."""
    owners = [channel for person in directory.people for channel in set(person.channels)]
    shared = tuple(name for name in directory.channels if owners.count(name) != 1)
    return shared or directory.channels


def _of_people(names: Sequence[str], directory: Directory) -> list[str]:
    return [
        channel
        for person in directory.people
        if person.name in names or set(person.groups) & set(names)
        for channel in person.channels
    ]
