"""Brand-wide shifts, and the ambers they hold back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from listener.drift.brand_shifts import brand_shifts, shifted
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
    assert span.worst < span.before - 0.5


def test_two_storms_far_apart_are_two_spans_and_calm_is_none():
    days = [mood(d, bad=d in range(60, 70) or d in range(150, 160)) for d in range(220)]
    assert len(brand_shifts(days)) == 2
    assert brand_shifts([mood(d) for d in range(100)]) == ()


def stormy(moods: list[MoodDay]) -> list[MoodDay]:
    return shifted(moods, brand_shifts(moods))


def test_a_day_lies_in_a_shift_or_in_the_days_after_it_whatever_follows():
    days = [mood(d, bad=100 <= d < 114) for d in range(200)]
    (span,) = brand_shifts(days)
    marked = [m.day for m in stormy(days) if m.is_shifted]
    assert (marked[0], marked[-1]) == (span.first, span.last + timedelta(days=3))
    for known in range(101, 140):
        so_far = [m.is_shifted for m in stormy(days[:known])]
        assert so_far == [m.is_shifted for m in stormy(days)][:known], "a day's mark must not depend on later days"


def test_a_shift_is_over_when_three_quiet_days_have_passed():
    days = [mood(d, bad=100 <= d < 114) for d in range(140)]
    (span,) = brand_shifts(days)
    assert span.ended
    assert (span.before, span.worst) == (0.75, -0.55)
    (running,) = brand_shifts(days[: (span.last - FIRST).days + 2])
    assert not running.ended


def test_few_mentions_are_no_market():
    few = [MoodDay(m.day, 2, m.against // 20, m.none // 20, m.favor // 20) for m in (mood(d, bad=d > 99) for d in range(130))]
    assert brand_shifts(few) == ()


def test_an_amber_inside_a_storm_waits_and_is_released_after_it(make_history):
    start = datetime(2025, 9, 1, 4, tzinfo=UTC)
    history = make_history("f" * 25 + "aafaaaa", every_days=4, start=start)
    marked = stormy([mood(d, bad=d >= 99) for d in range(130)])
    (calm,) = detect([history], [mood(d) for d in range(130)], default_calibration(), Rule())
    (waits,) = detect([history], marked, default_calibration(), Rule())
    assert "amber" in [d.level for d in calm.drifts]
    assert calm.held == ()
    assert "amber" not in [d.level for d in waits.drifts]

    # The same evidence with the days marked alone: the market explains none of it, only the hold is seen.
    (amber,) = (d for d in calm.drifts if d.level == "amber")
    day = amber.fired_at.date()
    held_days = [replace(mood(d), is_shifted=FIRST + timedelta(days=d) == day) for d in range(130)]
    (held,) = detect([history], held_days, default_calibration(), Rule())
    (one,) = held.held
    assert (one.kind, one.level, one.key, one.reason) == ("drift", "amber", amber.tipped_by, "brand-shift")
    assert one.released_at == held.drifts[0].fired_at > amber.fired_at


def test_evidence_that_stands_out_against_the_market_is_not_held(make_history):
    history = make_history("f" * 25 + "a" * 12, every_days=4, start=datetime(2025, 9, 1, 4, tzinfo=UTC))
    all_held = [replace(mood(d), is_shifted=True) for d in range(160)]
    (verdict,) = detect([history], all_held, default_calibration(), Rule(false_alarms_red=0.01))
    assert next(d.level for d in verdict.drifts) == "amber"
    assert verdict.held[0].released_at == verdict.drifts[0].fired_at


def test_a_held_amber_whose_evidence_goes_is_never_raised(make_history):
    history = make_history("f" * 25 + "a" * 3 + "f" * 12, every_days=4, start=datetime(2025, 9, 1, 4, tzinfo=UTC))
    (calm,) = detect([history], [mood(d) for d in range(180)], default_calibration(), Rule(false_alarms_amber=100.0))
    assert [d.level for d in calm.drifts] == ["amber"]
    held_days = [replace(mood(d), is_shifted=96 <= d < 116) for d in range(180)]
    (held,) = detect([history], held_days, default_calibration(), Rule(false_alarms_amber=100.0))
    assert held.drifts == ()
    assert [one.released_at for one in held.held] == [None]


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
