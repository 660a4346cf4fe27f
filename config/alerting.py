"""``[alerts]``, ``[[people]]``, ``[[routes]]``, ``[[on_call]]``: what is sent when, and to whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict
from pydantic.dataclasses import dataclass

from config.errors import meant
from config.values import Name, Some, Whole, Words, at_least, duration_of, timezone_of

_VALUES = ConfigDict(arbitrary_types_allowed=True, extra="forbid")
_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OWNER, ON_CALL = "owner", "on-call"
KINDS = (
    "drift",
    "first-negative",
    "silence",
    "praise-withdrawal",
    "grave-post",
    "defection",
    "unresolved-feedback",
    "accusation",
    "brand-shift",
    "opinion-storm",
    "spread",
    "contagion",
    "source-silent",
    "delivery-failing",
    "case-due",
    "promise-due",
)

Tell = Callable[[tuple[str | int, ...], str], None]
Tables = Callable[[str], Iterator[tuple[int, dict[str, Any]]]]


def clock_of(text: object) -> time:
    """
    >>> clock_of("9:30")
    datetime.time(9, 30)
    """
    if isinstance(text, time):
        return text
    found = re.fullmatch(_CLOCK, text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError(f'应为时刻，如 "09:00" / must be a time of day like "09:00"; is {text!r}')
    return time(int(found[1]), int(found[2]))


def hours_of(text: object) -> tuple[time, time] | None:
    """
    >>> hours_of("22:00-08:30"), hours_of("")
    ((datetime.time(22, 0), datetime.time(8, 30)), None)
    """
    if text is None or text == "":
        return None
    if isinstance(text, tuple):
        first, last = text
        return clock_of(first), clock_of(last)
    found = re.fullmatch(rf"\s*({_CLOCK})\s*[-–~至]\s*({_CLOCK})\s*", text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f'应为时段，如 "22:00-08:00" / must be a span of hours like "22:00-08:00"; is {text!r}')
    first, last = clock_of(found[1]), clock_of(found[4])
    if first == last:
        raise ValueError(f"时段的起止相同 / a span that ends where it begins; is {text!r}")
    return first, last


def day_of(value: object) -> date:
    """A date of TOML, or one as text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"应为日期，如 / must be a date like 2026-10-01; is {value!r}") from error


def _days(value: object) -> object:
    return tuple(day_of(one) for one in value) if isinstance(value, list | tuple) else value


def _clocks(value: object) -> object:
    return tuple(clock_of(one) for one in value) if isinstance(value, list | tuple) else value


def _weekdays(value: object) -> object:
    """
    >>> _weekdays(["sat", "周日"])
    ('sat', 'sun')
    """
    if not isinstance(value, list | tuple):
        return value
    chinese = dict(zip("一二三四五六日天", (*range(7), 6), strict=True))
    found = []
    for one in value:
        day = WEEKDAYS[chinese[one[-1]]] if isinstance(one, str) and one[:1] == "周" and one[-1] in chinese else one
        if day not in WEEKDAYS:
            raise ValueError(f"应为 / must be of: {', '.join(WEEKDAYS)}, 周一 … 周日; is {one!r}")
        found.append(day)
    return tuple(found)


Clocks = Annotated[tuple[time, ...], BeforeValidator(_clocks)]
Span = Annotated[tuple[time, time] | None, BeforeValidator(hours_of)]
Days = Annotated[tuple[date, ...], BeforeValidator(_days)]
Day = Annotated[date | None, BeforeValidator(lambda value: None if value in (None, "") else day_of(value))]
Weekdays = Annotated[tuple[str, ...], BeforeValidator(_weekdays)]
MaybeDuration = Annotated[timedelta | None, BeforeValidator(lambda text: None if text in (None, "") else duration_of(text))]
MaybeTimezone = Annotated[str, AfterValidator(lambda name: name and timezone_of(name))]
Severity = Literal["info", "watch", "important", "urgent"]
Kinds = Annotated[Words, AfterValidator(lambda kinds: tuple(map(_kind, kinds)))]


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"没有这种预警 / no such kind of alert: {kind!r}; {meant(kind, KINDS)}")
    return kind


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Alerts:
    """``[alerts]``: when what is sent.

    quiet_hours: from when to when nobody is disturbed, "" never. holidays: whose free days are kept; extra_holidays,
    extra_workdays: days of one's own over them. digest: when the mild goes out in one message, none = as the rest. cool_down:
    a KOC is not told of again before that, unless it got graver, "" at once. storm: more alerts in an hour are one message, 0
    never. reach: likes, comments and reposts of one post that make its alert graver, 0 never. acknowledge_*: how soon somebody
    must take an alert on, "" never. escalate_to: who hears of it when nobody did, one after another.
    """

    quiet_hours: Span = None
    holidays: Literal["china", "weekends", "none"] = "none"
    extra_holidays: Days = ()
    extra_workdays: Days = ()
    digest: Clocks = ()
    cool_down: MaybeDuration = timedelta(hours=12)
    storm: Annotated[Whole, at_least(0, 100_000)] = 20
    reach: Annotated[Whole, at_least(0)] = 1000
    acknowledge_urgent: MaybeDuration = timedelta(minutes=30)
    acknowledge_important: MaybeDuration = timedelta(hours=4)
    acknowledge_watch: MaybeDuration = None
    escalate_to: Words = ()

    @property
    def clocks(self) -> dict[Severity, timedelta]:
        """How soon an alert of each severity must be taken on; those that need not be are left out."""
        given: dict[Severity, timedelta | None] = {
            "urgent": self.acknowledge_urgent,
            "important": self.acknowledge_important,
            "watch": self.acknowledge_watch,
        }
        return {severity: clock for severity, clock in given.items() if clock is not None}


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Person:
    """``[[people]]``: somebody of the team. channels: those that reach them. timezone, quiet_hours: theirs, "" as everybody's;
    they count for channels that are this person's alone."""

    name: Name
    channels: Annotated[Words, Some]
    groups: Words = ()
    timezone: MaybeTimezone = ""
    quiet_hours: Span = None


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class Route:
    """``[[routes]]``: alerts that match all that is given go to these people, groups, channels, to ``owner``, to ``on-call``;
    every route that matches adds its own."""

    to: Annotated[Words, Some]
    brands: Words = ()
    kinds: Kinds = ()
    severities: tuple[Severity, ...] = ()
    tiers: Words = ()


@dataclass(frozen=True, kw_only=True, config=_VALUES)
class OnCall:
    """``[[on_call]]``: a line of the rota; the first that covers the hour counts. first, last: days, both included."""

    person: Name
    first: Day = None
    last: Day = None
    weekdays: Weekdays = ()
    hours: Span = None


SECTIONS: Mapping[str, Any] = {"alerts": Alerts}
TABLES: Mapping[str, Mapping[str, Any]] = {"people": {"": Person}, "routes": {"": Route}, "on_call": {"": OnCall}}


def check_people(tables: Tables, tell: Tell, alerts: object) -> None:
    """Tell every name that nobody has: in people's channels, routes, the rota and the steps of escalation."""
    channels = {str(one.get("name")) for _, one in tables("channels")}
    people = {str(one.get("name")) for _, one in tables("people")}
    groups = {str(group) for _, one in tables("people") for group in _listed(one.get("groups"))}
    brands = {str(one.get("name")) for _, one in tables("brands")}
    known = channels | people | groups | {OWNER, ON_CALL}
    for index, one in tables("people"):
        _names(("people", index, "channels"), one.get("channels"), channels, "渠道 / channel", tell)
        if str(one.get("name")) in groups | channels | {OWNER, ON_CALL}:
            tell(("people", index, "name"), f"与小组或渠道同名 / is the name of a group or channel too: {one.get('name')}")
    for index, one in tables("routes"):
        _names(("routes", index, "to"), one.get("to"), known, "人、小组或渠道 / person, group or channel", tell)
        _names(("routes", index, "brands"), one.get("brands"), brands, "品牌 / brand", tell)
    for index, one in tables("on_call"):
        _names(("on_call", index, "person"), [one.get("person")], people, "人 / person", tell)
        if isinstance(one.get("first"), date) and isinstance(one.get("last"), date) and one["last"] < one["first"]:
            tell(("on_call", index, "last"), "早于 first / lies before first")
    steps = alerts.get("escalate_to") if isinstance(alerts, Mapping) else None
    _names(("alerts", "escalate_to"), steps, known, "人、小组或渠道 / person, group or channel", tell)


def _names(key: tuple[str | int, ...], given: object, known: set[str], what: str, tell: Tell) -> None:
    what_zh, _, what_en = what.partition(" / ")
    for name in _listed(given):
        if isinstance(name, str) and name not in known:
            zh, _, en = meant(name, known).partition(" / ")
            tell(key, f"没有叫 {name} 的{what_zh}；{zh} / no {what_en} is called {name}; {en}")


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
