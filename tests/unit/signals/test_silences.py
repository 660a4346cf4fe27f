"""Silence counts covered time alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from listener.drift.silence import silence_of


def day(n: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)


WEEKLY = [day(7 * i) for i in range(6)]


def test_time_nobody_listened_to_is_not_silence():
    assert silence_of(WEEKLY, [(day(0), day(50)), (day(90), day(120))], day(130)) is None
    found = silence_of(WEEKLY, [(day(90), day(200)), (day(0), day(50))], day(200))
    assert found is not None
    assert found.since == day(90 + 60 - 15)


def test_overlapping_spans_count_once():
    assert silence_of(WEEKLY, [(day(0), day(80)), (day(40), day(90)), (day(0), day(20))], day(300)) is None


def test_a_slow_poster_is_given_six_of_its_own_gaps():
    slow = [day(30 * i) for i in range(4)]
    assert silence_of(slow, [(day(0), day(400))], day(90 + 170)) is None
    found = silence_of(slow, [(day(0), day(400))], day(90 + 181))
    assert found is not None
    assert found.allowed_days == 180.0


def test_too_few_mentions_give_no_pace_to_compare_with():
    assert silence_of([day(0), day(1)], [(day(0), day(900))], day(900)) is None


def test_a_later_mention_than_now_is_not_known_yet():
    assert silence_of([*WEEKLY, day(150)], [(day(0), day(200))], day(140)) is not None
