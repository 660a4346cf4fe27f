"""`[alerts]`, people, routes and the rota of listener.toml: checked with their lines, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from config.settings import ConfigError, Problem, Settings, parse
from listener.alerts.policy import Policy
from listener.dispatching import directory_of, ladder_of, notes_of, owners, policy_of, settled_by
from listener.working_days import LAST_KNOWN_YEAR

CHANNELS = """
[[brands]]
name = "星澜"
[[channels]]
name = "群"
type = "webhook"
url = "https://hooks.example/t0ken"
secret_env = "HOOK"
[[channels]]
name = "wang"
type = "webhook"
url = "https://hooks.example/w"
secret_env = "HOOK"
[[channels]]
name = "off"
type = "webhook"
url = "https://hooks.example/o"
secret_env = "HOOK"
enabled = false
"""
PEOPLE = """
[[people]]
name = "王敏"
channels = ["wang", "群"]
groups = ["公关组"]
timezone = "Europe/Berlin"
quiet_hours = "21:00-07:00"
[[people]]
name = "李雷"
channels = ["群", "off"]
"""


def read(text: str) -> Settings:
    return parse(dedent(CHANNELS + text), Path("/srv"), {"HOOK": "whsec_" + "A" * 32})


def mistakes(text: str) -> list[Problem]:
    with pytest.raises(ConfigError) as refused:
        read(text)
    return list(refused.value.problems)


def test_by_default_everything_goes_out_at_once_but_for_the_cool_down_and_storms() -> None:
    policy, directory = policy_of(read("")), directory_of(read(""))
    assert (policy.cool_down, policy.storm, policy.digest) == (timedelta(hours=12), 20, ())
    assert policy.hours.is_open(datetime(2026, 10, 1, 18, tzinfo=UTC))
    assert directory.channels == ("群", "wang")
    assert policy.on_call(datetime(2026, 10, 1, tzinfo=UTC)) == ()
    off = policy_of(read('[alerts]\ncool_down = ""\nstorm = 0\nreach = 0\n'))
    assert (off.cool_down, off.storm, off.reach) == (timedelta(0), 0, Policy().reach)


def test_hours_of_a_person_count_for_the_channels_that_are_theirs_alone() -> None:
    settings = read(PEOPLE + '[alerts]\nquiet_hours = "22:00 至 8:30"\nholidays = "china"\nextra_holidays = [2027-02-05]\n')
    policy = policy_of(settings)
    assert policy.hours.quiet == (time(22), time(8, 30))
    assert policy.hours.free == {date(2027, 2, 5)}
    assert {name: person.name for name, person in owners(settings).items()} == {"wang": "王敏", "off": "李雷"}
    assert policy.hours_of("wang").timezone == "Europe/Berlin"
    assert policy.hours_of("wang").quiet == (time(21), time(7))
    assert policy.hours_of("wang").holidays == "china"
    assert policy.hours_of("群") == policy.hours


def test_the_rota_and_the_ladder_are_read() -> None:
    text = PEOPLE + '[[on_call]]\nperson = "王敏"\nfirst = 2026-10-01\nlast = "2026-10-07"\nweekdays = ["周六", "sun"]\n'
    settings = read(text + 'hours = "20:00-9:00"\n[alerts]\nescalate_to = ["on-call", "公关组"]\nacknowledge_important = ""\n')
    (shift,) = directory_of(settings).rota
    assert (shift.first, shift.last, shift.weekdays) == (date(2026, 10, 1), date(2026, 10, 7), {5, 6})
    ladder = ladder_of(settings)
    assert ladder.steps == (("on-call",), ("公关组",))
    assert ladder.clocks == {"urgent": timedelta(minutes=30)}
    assert policy_of(settings).on_call(datetime(2026, 10, 3, 14, tzinfo=UTC)) == ("群", "wang")


@pytest.mark.parametrize(
    ("text", "key", "word"),
    [
        ('[alerts]\nquiet_hours = "22-8"\n', "alerts.quiet_hours", "22:00-08:00"),
        ('[alerts]\nquiet_hours = "22:00-22:00"\n', "alerts.quiet_hours", "ends where it begins"),
        ('[alerts]\ndigest = ["9"]\n', "alerts.digest", "09:00"),
        ('[alerts]\nextra_workdays = ["soon"]\n', "alerts.extra_workdays", "2026-10-01"),
        ('[alerts]\nholidays = "germany"\n', "alerts.holidays", "china"),
        ('[alerts]\nescalate_to = ["老板"]\n', "alerts.escalate_to", "老板"),
        ('[[people]]\nname = "a"\nchannels = ["emial"]\n', "people[0].channels", "emial"),
        ('[[people]]\nname = "a"\nchannels = []\n', "people[0].channels", "empty"),
        ('[[people]]\nname = "群"\nchannels = ["wang"]\n', "people[0].name", "channel"),
        ('[[people]]\nname = "a"\nchannels = ["wang"]\ntimezone = "Mars"\n', "people[0].timezone", "Mars"),
        ('[[routes]]\nto = ["nobody"]\n', "routes[0].to", "nobody"),
        ('[[routes]]\nto = ["群"]\nkinds = ["drfit"]\n', "routes[0].kinds", "drift"),
        ('[[routes]]\nto = ["群"]\nseverities = ["red"]\n', "routes[0].severities[0]", "urgent"),
        ('[[routes]]\nto = ["群"]\nbrands = ["墨羽"]\n', "routes[0].brands", "墨羽"),
        ('[[on_call]]\nperson = "a"\n', "on_call[0].person", "a"),
        (PEOPLE + '[[on_call]]\nperson = "王敏"\nweekdays = ["月曜"]\n', "on_call[0].weekdays", "mon"),
        (PEOPLE + '[[on_call]]\nperson = "王敏"\nfirst = 2026-10-07\nlast = 2026-10-01\n', "on_call[0].last", "before first"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_would_be_right(text: str, key: str, word: str) -> None:
    found = mistakes(text)
    assert [one.key for one in found] == [key], found
    assert word in found[0].message
    assert found[0].line is not None
    assert found[0].line > CHANNELS.count("\n") - 1


def test_a_calendar_that_ends_soon_and_a_night_without_anybody_on_call_are_noted() -> None:
    last = date(LAST_KNOWN_YEAR, 12, 1)
    quiet = '[alerts]\nquiet_hours = "22:00-08:00"\nholidays = "china"\n'
    year, rota = notes_of(read(quiet), last)
    assert str(LAST_KNOWN_YEAR + 1) in year
    assert "rota" in rota
    assert notes_of(read(PEOPLE + '[[on_call]]\nperson = "王敏"\n' + quiet), last - timedelta(days=90)) == []
    assert notes_of(read(""), last) == []


def test_two_people_of_one_name_are_told() -> None:
    assert "王敏" in mistakes(PEOPLE + '[[people]]\nname = "王敏"\nchannels = ["wang"]\n')[0].message


def test_other_hours_people_or_routes_are_other_settings_to_hold_back_by() -> None:
    night = '[alerts]\nquiet_hours = "22:00-08:00"\n'
    assert settled_by(read(PEOPLE + night)) == settled_by(read(PEOPLE + night))
    assert len({settled_by(read(text)) for text in (PEOPLE, night, PEOPLE + night, night.replace("22", "21"))}) == 4
