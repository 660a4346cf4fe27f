"""Brand-wide shifts, and the ambers they hold back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from listener.drift.brand_shifts import brand_shifts, in_shift
from listener.drift.detect import detect
from listener.drift.moods import Moods, market_of, now_and_base, own_moods
from listener.drift.rules import Rule, default_calibration
from storage.records import MoodDay

FIRST = date(2025, 9, 1)


def mood(day: int, *, bad: bool = False) -> MoodDay:
    against, favor = (30 * 10_000, 8 * 10_000) if bad else (4 * 10_000, 34 * 10_000)
    return MoodDay(FIRST + timedelta(days=day), 40, against, 2 * 10_000, favor)


def test_a_fortnight_of_anger_is_one_span_that_begins_a_day_after_it():
    days = [mood(d, bad=100 <= d < 114) for d in range(200)]
    (span,) = brand_shifts(days)
    assert FIRST + timedelta(days=101) <= span.first <= FIRST + timedelta(days=103)
    assert span.last >= FIRST + timedelta(days=114)
    assert span.shift < -0.5
    assert in_shift(FIRST + timedelta(days=110), [span])
    assert not in_shift(FIRST, [span])


def test_two_storms_far_apart_are_two_spans_and_calm_is_none():
    days = [mood(d, bad=d in range(60, 70) or d in range(150, 160)) for d in range(220)]
    assert len(brand_shifts(days)) == 2
    assert brand_shifts([mood(d) for d in range(100)]) == ()


def test_an_amber_inside_a_storm_waits(make_history):
    start = datetime(2025, 9, 1, 4, tzinfo=UTC)
    history = make_history("f" * 25 + "a" * 5, every_days=4, start=start)
    storm = [mood(d, bad=d >= 99) for d in range(130)]
    (calm,) = detect([history], [mood(d) for d in range(130)], default_calibration(), Rule())
    (stormy,) = detect([history], storm, default_calibration(), Rule())
    assert "amber" in [d.level for d in calm.drifts]
    assert "amber" not in [d.level for d in stormy.drifts]


def test_the_mood_of_others_leaves_the_kocs_own_posts_out():
    today = np.array([FIRST.toordinal() + 60], dtype=np.int64)
    mine = FIRST.toordinal() + 58
    everyone = Moods([mood(d) for d in range(60)])
    own = own_moods(np.array([mine], dtype=np.int64), np.array([[1, 10_000, 0, 0]], dtype=np.int64))
    now, base = now_and_base(everyone, own, today)
    assert now[0].tolist() == [7 * 40 - 1, 7 * 40_000 - 10_000, 7 * 20_000, 7 * 340_000]
    assert base[0, 0] == 46 * 40
    assert market_of(now, base, half=20, errors=2).tolist() == [[1.0, 1.0, 1.0]]


def test_days_may_come_in_any_order():
    days = [mood(d, bad=100 <= d < 114) for d in range(200)]
    assert brand_shifts(days[::-1]) == brand_shifts(days)
