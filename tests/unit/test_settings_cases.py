"""[cases] of listener.toml: targets, tiers and working hours; what is said of mistakes."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.settings import Settings, parse


def read(text: str) -> Settings:
    return parse(text, Path("/srv/listener"), {})


def test_targets_are_read_and_tiers_told_apart_whatever_their_case() -> None:
    found = read(
        '[cases]\nanswered = "4h"\nworking_hours = "08:30 - 17:30"\ntiers = { " VIP " = { answered = "2h", step = "6h" } }\n'
    ).cases
    assert (found.answered, found.step, found.working_hours) == (
        timedelta(hours=4),
        timedelta(hours=16),
        (time(8, 30), time(17, 30)),
    )
    assert (found.tiers["vip"].answered, found.tiers["vip"].found) == (timedelta(hours=2), timedelta(hours=24))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('working_hours = "18:00-09:00"', "09:00-18:00"),
        ('working_hours = "nine to five"', "09:00-18:00"),
        ("working_hours = 9", "09:00-18:00"),
        ('holidays = "mars"', "china"),
        ('tiers = { vip = { answer = "2h" } }', "answered"),
        ('answered = "soon"', "30m"),
    ],
)
def test_a_mistake_is_told_with_what_is_wanted(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(f"[cases]\n{text}\n")
    [problem] = refused.value.problems
    assert problem.line == 2
    assert told in problem.message
