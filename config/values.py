"""The kinds of values a setting may have: durations, cron lines, time zones, secrets. Each says what it wants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from unicodedata import category
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, TypeAdapter

from config.addresses import host_of, mail_of, page_of
from config.errors import ConfigError, Problem, meant

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw]\s*)+")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY = f"(?:[0-7]|{'|'.join(_DAYS)})"


class Secret:
    """A password or a key: shown as ``***`` wherever it is printed. Not there yet: ``reveal`` says how to provide it.

    place: where it was found, ``env:NAME`` or ``file:PATH``; "" where it was written out."""

    __slots__ = ("_missing", "_value", "place")

    def __init__(self, value: str = "", *, missing: Problem | None = None, place: str = "") -> None:
        self._value, self._missing = value, missing
        self.place = place

    @property
    def missing(self) -> Problem | None:
        """What is wrong with it, where it could not be read."""
        return self._missing

    def reveal(self) -> str:
        """The value; raises ConfigError where it could not be read."""
        if self._missing is not None:
            raise ConfigError([self._missing])
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value) or self._missing is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._value, self._missing) == (other._value, other._missing)

    def __hash__(self) -> int:
        return hash((self._value, self._missing))

    def __repr__(self) -> str:
        return "***" if self else "-"


def duration_of(text: object) -> timedelta:
    """
    >>> duration_of("1h30m"), duration_of("14d")
    (datetime.timedelta(seconds=5400), datetime.timedelta(days=14))
    """
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not _DURATION.fullmatch(text.strip()):
        raise ValueError(f'应为时长，如 "30m"、"12h"、"14d" / must be a duration like "30m", "12h", "14d"; is {text!r}')
    seconds = sum(float(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[\d.]+[smhdw]", text))
    if not 0 < seconds <= 3650 * 86400:
        raise ValueError(f"时长须大于零、不超过十年 / must be more than nothing and at most ten years; is {text!r}")
    return timedelta(seconds=seconds)


def cron_of(text: object) -> str:
    """A cron line of five fields, its days of the week by name: in crontab 0 is Sunday, in APScheduler Monday.

    A line that names both days of the month and of the week is refused: crontab runs it on either, APScheduler on both.

    >>> cron_of("30 8 * * 1-5"), cron_of("0 8 * * */2")
    ('30 8 * * mon,tue,wed,thu,fri', '0 8 * * sun,tue,thu,sat')
    """
    wanted = '应为五段 cron，如 "0 8 * * *"（每天 8 点） / must be a cron line of five fields like "0 8 * * *" (daily at 8)'
    if not isinstance(text, str) or len(fields := text.split()) != 5:
        raise ValueError(f"{wanted}; is {text!r}")
    if not fields[2].startswith("*") and not fields[4].startswith("*"):
        raise ValueError(
            "日和星期不能都限定（crontab 会在满足任一个时运行）：其中一个写 *，或分成两个来源"
            " / days of the month and of the week can't both be named, as crontab runs on either:"
            f" write * for one, or make two sources; is {text!r}"
        )
    fields[4] = _week_of(fields[4].lower())
    line = " ".join(fields)
    try:
        CronTrigger.from_crontab(line, timezone="UTC")
    except ValueError as error:
        raise ValueError(f"{wanted}; {error}") from error
    return line


def _week_of(field: str) -> str:
    """The field of days of the week, every number, range and step as names in the order they are written."""
    if field == "*":
        return field
    return ",".join(dict.fromkeys(_DAYS[day % 7] for part in field.split(",") for day in _days_of(part)))


def _days_of(part: str) -> range:
    """The days, 0 to 7, of one part of the field: ``*/2``, ``1-5``, ``mon-fri``, ``5/2`` (from the fifth on), ``sun``."""
    match = re.fullmatch(rf"(\*|{_DAY})(?:-({_DAY}))?(?:/([1-7]))?", part)
    if not match or (match[1] == "*" and match[2]):
        raise ValueError(f'不是星期 / is no day of the week: {part!r}; 如 / like "1-5", "mon-fri", "*/2" (0, 7 = sun)')
    first = 0 if match[1] == "*" else _number_of(match[1])
    last = _number_of(match[2]) if match[2] else 6 if match[3] or match[1] == "*" else first
    if match[2] == "sun":
        last = 7  # at the end of a range it ends the week
    if last < first:
        raise ValueError(f"星期的范围倒置 / a range of days that runs backwards: {part}")
    return range(first, last + 1, int(match[3] or 1))


def _number_of(day: str) -> int:
    return int(day) if day.isdecimal() else _DAYS.index(day)


def timezone_of(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = meant(name, available_timezones()) if name else ""
        hint = near if "did you mean" in near else '如 / like "Asia/Shanghai"'
        raise ValueError(f"没有这个时区 / no such time zone: {name!r}; {hint}") from error
    return name


def _one_line(text: str) -> str:
    if not text.strip() or text != text.strip():
        raise ValueError(f"不能为空，首尾不能有空格 / must not be empty nor begin or end with a space; is {text!r}")
    if any(category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text):
        raise ValueError(f"不能含换行或控制字符 / must not hold line breaks or control characters; is {text!r}")
    return text


def _case_page(text: str) -> str:
    """A web address in which ``{key}``, or ``{id}``, may stand anywhere, in the host too."""
    page_of(text.replace("{key}", "0").replace("{id}", "0"))
    if other := next((word for word in re.findall(r"\{\w*\}", text) if word not in ("{key}", "{id}")), None):
        raise ValueError(
            f"没有这个占位符，只有 {{key}}（或 {{id}}） / no such placeholder, there is {{key}}, or {{id}}; is {other!r}"
        )
    return text


def ascii_of(text: str) -> str:
    """What SMTP's log-in can carry. The mistake does not repeat it: it may be a password."""
    if not text.isascii() or "\0" in text:
        raise ValueError("登录只能用 ASCII 字符 / a log-in can hold ASCII characters only")
    return text


def at_least(least: float, most: float | None = None) -> AfterValidator:
    """A number from ``least`` to ``most``."""

    def check(value: Any) -> Any:
        if value < least or (most is not None and value > most):
            upto = f" … {most:g}" if most is not None else " …"
            raise ValueError(f"应在范围内 / must be within {least:g}{upto}; is {value:g}")
        return value

    return AfterValidator(check)


def _words(value: object) -> object:
    """A list of words; numbers, as ids are written, become text."""
    if isinstance(value, str):
        raise ValueError(f'应为列表 / must be a list: ["{value}"]')
    if isinstance(value, list | tuple):
        return tuple(str(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in value)
    return value


def _accounts(value: object) -> object:
    """Account ids, or "roster": every account that the roster has on the platform."""
    if value == "roster":
        return value
    if isinstance(value, str):
        raise ValueError(f'应为 "roster" 或列表 / must be "roster" or a list: ["{value}"]')
    return TypeAdapter(tuple[Name, ...]).validate_python(_words(value))


def _options(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("应为表 / must be a table: [sources.options]")
    return value


def _columns(value: object) -> dict[str, tuple[str, ...]]:
    """
    >>> _columns({"text": ["标题", "内容"], "posted_at": "时间"})
    {'text': ('标题', '内容'), 'posted_at': ('时间',)}
    """
    if not isinstance(value, dict):
        raise ValueError('应为表 / must be a table: columns = { text = "内容", posted_at = "发布时间" }')
    found = {field: (names,) if isinstance(names, str) else names for field, names in value.items()}
    for field, names in found.items():
        if not isinstance(names, (list, tuple)) or not names or not all(isinstance(one, str) and one for one in names):
            raise ValueError(f"{field} 应为列名或列名的列表 / {field} must be the name of a column or a list of names")
    return {field: tuple(names) for field, names in found.items()}


def span_of(text: object) -> tuple[time, time]:
    """
    >>> span_of("09:00-18:00")
    (datetime.time(9, 0), datetime.time(18, 0))
    """
    if isinstance(text, tuple):
        return text
    wanted = f'应为一天里的起止时间，如 "09:00-18:00" / must be from when to when, like "09:00-18:00"; is {text!r}'
    first, _, last = text.partition("-") if isinstance(text, str) else ("", "", "")
    try:
        begins, ends = (datetime.strptime(each.strip(), "%H:%M").time() for each in (first, last))  # noqa: DTZ007
    except ValueError as error:
        raise ValueError(wanted) from error
    if begins >= ends:
        raise ValueError(wanted)
    return begins, ends


def _tiers(value: object) -> object:
    """Tiers are told apart by their names, whatever the case of their letters."""
    return {name.strip().casefold(): each for name, each in value.items()} if isinstance(value, dict) else value


def _rivals(value: object) -> object:
    """A rival may be no more than its name."""
    if isinstance(value, list | tuple):
        return tuple({"name": v} if isinstance(v, str) else v for v in value)
    return value


def _pair(value: object) -> object:
    """``"weibo:123"`` → ("weibo", "123")."""
    if isinstance(value, str):
        platform, _, account = value.partition(":")
        if platform.strip() and account.strip():
            return platform.strip().lower(), account.strip()
    elif isinstance(value, tuple):
        return value
    raise ValueError(f'应写成 "平台:账号ID" / must be written "platform:id", like "weibo:1234567890"; is {value!r}')


def _scheduler(text: str) -> str:
    found = re.fullmatch(r"(?:tcp|tls|ws|wss)://(.+):(\d{1,5})", text)
    if text and not (found and 0 < int(found[2]) < 65536):
        raise ValueError(f'应为 / must be like "tcp://scheduler:8786" or "tls://scheduler:8786"; is {text!r}')
    if found:
        host_of(found[1].strip("[]"))
    return text


def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A list that names somebody."""
    if not values:
        raise ValueError("不能为空 / must not be empty")
    return values


Name = Annotated[str, AfterValidator(_one_line)]
Duration = Annotated[timedelta, BeforeValidator(duration_of)]
Cron = Annotated[str, BeforeValidator(cron_of)]
Timezone = Annotated[str, AfterValidator(timezone_of)]
Address = Annotated[str, AfterValidator(page_of)]
CaseAddress = Annotated[str, AfterValidator(_case_page)]
Scheduler = Annotated[str, AfterValidator(_scheduler)]
Mail = Annotated[str, AfterValidator(mail_of)]
Host = Annotated[str, AfterValidator(host_of)]
Ascii = Annotated[str, AfterValidator(ascii_of)]
Whole = Annotated[int, Field(strict=True)]
DaySpan = Annotated[tuple[time, time], PlainValidator(span_of)]
Tiers = BeforeValidator(_tiers)
Language = Literal["zh-CN", "en"]
Words = Annotated[tuple[Name, ...], BeforeValidator(_words)]
Some = AfterValidator(some)
Accounts = Annotated[tuple[str, ...] | Literal["roster"], PlainValidator(_accounts)]
Rivals = BeforeValidator(_rivals)
Columns = Annotated[Mapping[str, tuple[str, ...]], PlainValidator(_columns)]
Options = Annotated[Mapping[str, Any], PlainValidator(_options)]
OwnAccounts = Annotated[tuple[Annotated[tuple[str, str], BeforeValidator(_pair)], ...], BeforeValidator(_words)]


def secrets_in(options: object) -> Iterator[Secret]:
    """The secrets in a source's options, at any depth."""
    if isinstance(options, Secret):
        yield options
    elif isinstance(options, Mapping | list):
        for value in options.values() if isinstance(options, Mapping) else options:
            yield from secrets_in(value)


def revealed(options: Any) -> Any:
    """Options with their secrets in clear; raises ConfigError where one could not be read.

    >>> revealed({"key": Secret("s3cret"), "limit": 5})
    {'key': 's3cret', 'limit': 5}
    """
    if isinstance(options, Secret):
        return options.reveal()
    if isinstance(options, Mapping):
        return {name: revealed(value) for name, value in options.items()}
    return [revealed(value) for value in options] if isinstance(options, list) else options


def sealed(options: Any, path: tuple[str, ...] = ()) -> tuple[Any, dict[tuple[str, ...], str]]:
    """Options without their secrets, and the place of each secret by its path; "" is the place of one that was written out.

    >>> sealed({"key": Secret("s3cret", place="env:KEY"), "limit": 5}, ("options",))
    ({'limit': 5}, {('options', 'key'): 'env:KEY'})
    """
    bare: dict[str, Any] = {}
    places: dict[tuple[str, ...], str] = {}
    for name, value in options.items():
        if isinstance(value, Secret):
            places[*path, name] = value.place
        elif isinstance(value, Mapping):
            bare[name], within = sealed(value, (*path, name))
            places |= within
        else:
            bare[name] = value
    return bare, places


def path_in(folder: Path, text: str) -> Path:
    """A path of the configuration: relative ones begin at the folder of listener.toml, ``~`` is the home.

    >>> path_in(Path("/srv"), "listener.key").as_posix()
    '/srv/listener.key'
    """
    return folder / Path(text).expanduser()
