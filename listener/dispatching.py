"""Settings → what is sent when, whom there is to tell, and who hears of what nobody takes on."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from config import settings as config
from config.alerting import WEEKDAYS
from listener.alerts.owing import Ladder
from listener.alerts.policy import Policy
from listener.alerts.routing import Directory, Person, Route, Shift, on_call, stand_in
from listener.keys import key_of
from listener.working_days import LAST_KNOWN_YEAR, Hours, day_of

AHEAD = timedelta(days=60)  # in which a calendar that ends should be noticed


def policy_of(settings: config.Settings) -> Policy:
    """What is sent when. Hours of a person's own count for the channels that are this person's alone."""
    given = settings.alerts
    hours = hours_of(settings)
    return Policy(
        deliver_within=settings.rules.deliver_within,
        hours=hours,
        own_hours={name: _own(person, hours) for name, person in owners(settings).items()},
        digest=given.digest,
        cool_down=given.cool_down or timedelta(0),
        storm=given.storm,
        reach=given.reach,
        on_call=partial(on_call, directory_of(settings)),
        stand_in=partial(stand_in, directory_of(settings)),
    )


def settled_by(settings: config.Settings) -> str:
    """The settings that hold deliveries back, in short: another text where they are others."""
    return key_of(*map(repr, (settings.listener.timezone, settings.alerts, settings.people, settings.routes, settings.on_call)))


def hours_of(settings: config.Settings) -> Hours:
    """When people of the workspace may be disturbed."""
    given = settings.alerts
    return Hours(
        timezone=settings.listener.timezone,
        quiet=given.quiet_hours,
        holidays=given.holidays,
        free=frozenset(given.extra_holidays),
        worked=frozenset(given.extra_workdays),
    )


def notes_of(settings: config.Settings, today: date) -> list[str]:
    """What an operator should know though it is no mistake: holidays that nobody knows yet, alerts that reach nobody."""
    notes = []
    ahead = today + AHEAD
    if settings.alerts.holidays == "china" and not day_of(ahead, "china").is_known:
        notes.append(
            f"{ahead.year} 年的节假日与调休尚未收录（现到 {LAST_KNOWN_YEAR} 年），到时只按周末算：升级 chinesecalendar，"
            f"或写 extra_holidays、extra_workdays / the holidays of {ahead.year} are not known yet (up to {LAST_KNOWN_YEAR}),"
            " weekends alone will be free: upgrade chinesecalendar, or name the days yourself"
        )
    quiet = settings.alerts.quiet_hours is not None or settings.alerts.holidays != "none"
    if quiet and not settings.on_call:
        notes.append(
            "没有值班表：免打扰时段里严重的预警会发到所有渠道 / there is no rota: what is grave goes to every channel at night"
        )
    return notes


def directory_of(settings: config.Settings) -> Directory:
    """Whom there is to tell."""
    return Directory(
        channels=tuple(one.name for one in settings.channels if one.enabled),
        people=tuple(Person(one.name, one.channels, one.groups) for one in settings.people),
        routes=tuple(Route(one.to, one.brands, one.kinds, one.severities, one.tiers) for one in settings.routes),
        rota=tuple(
            Shift(one.person, one.first, one.last, frozenset(map(WEEKDAYS.index, one.weekdays)), one.hours)
            for one in settings.on_call
        ),
        timezone=settings.listener.timezone,
    )


def ladder_of(settings: config.Settings) -> Ladder:
    """Who hears of what nobody takes on."""
    return Ladder(settings.alerts.clocks, tuple((name,) for name in settings.alerts.escalate_to))


def owners(settings: config.Settings) -> dict[str, config.Person]:
    """Channels that are one person's alone, and whose."""
    every = [(name, person) for person in settings.people for name in set(person.channels)]
    names = [name for name, _ in every]
    return {name: person for name, person in every if names.count(name) == 1}


def _own(person: config.Person, hours: Hours) -> Hours:
    return Hours(
        timezone=person.timezone or hours.timezone,
        quiet=person.quiet_hours or hours.quiet,
        holidays=hours.holidays,
        free=hours.free,
        worked=hours.worked,
    )
