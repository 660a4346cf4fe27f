"""Brand mood (口碑整体波动): the brand-wide shifts → one signal each, with the posts of the public that made it.

A shift fires at the local midnight that closes the week which was significantly worse, and is over when three days have
passed without such a day. How many KOCs are swept along does not matter: they are held back one by one where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.records import QUIET_DAYS, BrandShift, DriftState, KocMention, PostKey, Signal, StatusChange, Verdict

KIND = "brand-shift"
WHOLE = ""  # the KOC of a signal that is of the whole brand
MOST_POSTS = 6
WEEK = timedelta(days=7)
DAY = timedelta(days=1)

Loudest = Callable[[str, date, date, int], Sequence[KocMention]]


def brand_verdict(brand: str, shifts: Sequence[BrandShift], loudest: Loudest, zone: ZoneInfo) -> Verdict:
    """What is said of a brand as a whole. loudest: the posts that are most surely against it on these days (brand, first, last,
    how many), in order of time."""
    signals = tuple(_signal(brand, one, loudest(brand, one.first - WEEK, one.first - DAY, MOST_POSTS), zone) for one in shifts)
    changes = tuple(StatusChange(one.ended_at, "recovered", "mood-recovered") for one in signals if one.ended_at)
    state = DriftState(WHOLE, brand, "candidate", 0, 0.0, 0.0, None, 0.0, KIND, changes, "")
    return Verdict(state, (), signals, shifts=tuple(shifts))


def _signal(brand: str, shift: BrandShift, posts: Sequence[KocMention], zone: ZoneInfo) -> Signal:
    ended = _midnight(shift.last + timedelta(days=QUIET_DAYS + 1), zone) if shift.ended else None
    evidence = {
        "first": shift.first.isoformat(),
        "last": shift.last.isoformat(),
        "days": (shift.last - shift.first).days + 1,
        "before_mean": shift.before,
        "before_n": shift.before_mentions,
        "worst_mean": shift.worst,
        "worst_n": shift.mentions,
    }
    keys = tuple(one.mention.key for one in posts)
    return Signal(KIND, WHOLE, brand, _midnight(shift.first, zone), PostKey("", shift.first.isoformat()), evidence, keys, ended)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
