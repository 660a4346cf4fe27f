"""Storms of one place: many authors within hours, against its own usual."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from listener.signals.storms import (
    BACK,
    DAY,
    QUIET,
    Storm,
    Usual,
    chance,
    copies_in,
    restart_of,
    storms_of_place,
    storms_of_thread,
)
from storage.records import PostKey, Voice

START = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)


def voice(day: float, by: str, words: int = 0, against: float = 0.9) -> Voice:
    at = START + day * DAY
    return Voice(at, PostKey("forum", f"{by}-{day:.5f}"), by, words or hash(by) & 0xFFFFFFFF, against)


def calm(days: int = 60, per_day: int = 3) -> list[Voice]:
    rng = random.Random(1)
    return sorted(
        (voice(day + rng.random(), f"a{rng.randrange(50)}") for day in range(days) for _ in range(per_day)), key=order
    )


def order(one: Voice) -> tuple[datetime, PostKey]:
    return one.at, one.key


def storm(day: float, authors: int, hours: float = 4.0) -> list[Voice]:
    return [voice(day + n * hours / 24 / authors, f"s{n}", n + 1) for n in range(authors)]


def found(voices: Sequence[Voice], before: Sequence[Storm] = (), since: datetime = START) -> tuple[Storm, ...]:
    some = sorted(voices, key=order)
    return storms_of_place(some, before, since=since, first_at=START, zone=ZONE, promised=0.2)


def test_a_calm_place_has_none_and_an_evening_of_strangers_is_one() -> None:
    assert found(calm()) == ()
    (one,) = found([*calm(), *storm(50, 20)])
    assert START + 50 * DAY <= one.fired_at <= START + 50 * DAY + 4 * HOUR
    assert 20 <= one.authors <= 24
    assert one.usual < 2
    assert one.tipped_by in one.quoted
    assert len(one.quoted) == 6
    assert one.first < one.peak <= one.authors


def test_one_author_who_writes_all_evening_is_one_voice() -> None:
    ranting = [voice(50 + n / 200, "ranter", n + 1) for n in range(40)]
    assert found([*calm(), *ranting]) == ()


def test_a_place_that_is_loud_every_evening_is_not_in_a_storm() -> None:
    loud = [voice(day + 0.5 + n / 100, f"e{(day + n) % 70}") for day in range(60) for n in range(9)]
    assert found([*calm(), *loud], since=START + 20 * DAY) == ()


def test_a_place_that_was_heard_for_less_than_a_week_has_no_usual() -> None:
    new = sorted([*calm(6), *storm(5, 20)], key=order)
    assert storms_of_place(new, (), since=START, first_at=START, zone=ZONE, promised=0.2) == ()
    long_ago = START - 30 * DAY
    assert len(storms_of_place(new, (), since=START, first_at=long_ago, zone=ZONE, promised=0.2)) == 1


def test_no_promise_no_storm() -> None:
    some = sorted([*calm(), *storm(50, 20)], key=order)
    assert storms_of_place(some, (), since=START, first_at=START, zone=ZONE, promised=0.0) == ()


def test_two_evenings_in_a_row_are_one_storm_and_two_weeks_apart_are_two() -> None:
    assert len(found([*calm(), *storm(50, 20), *storm(50.8, 20)])) == 1
    assert len(found([*calm(80), *storm(50, 20), *storm(65, 20)])) == 2


def test_an_earlier_storm_does_not_make_the_next_one_usual() -> None:
    first = [voice for day in range(4) for voice in storm(40 + day * 0.9, 25)]
    assert [one.fired_at > START + 48 * DAY for one in found([*calm(80), *first, *storm(50, 20)])] == [False, True]


def test_what_is_read_again_from_a_change_on_says_the_same_as_everything() -> None:
    everything = sorted([*calm(100), *storm(30, 20), *storm(60, 25), *storm(60.7, 20), *storm(90, 20)], key=order)
    whole = found(everything)
    assert len(whole) == 3
    for since in (START + 20 * DAY, START + 60.5 * DAY, START + 75 * DAY, START + 99 * DAY):
        restart = restart_of(whole, since)
        read = [one for one in everything if one.at >= restart - BACK]
        assert found(read, whole, since) == whole


def test_a_change_within_a_storm_goes_back_to_its_beginning() -> None:
    (one,) = found([*calm(), *storm(50, 20)])
    assert restart_of([one], one.last_at + QUIET) == one.from_at
    assert restart_of([one], one.last_at + QUIET + HOUR) == one.last_at + QUIET + HOUR


def test_the_same_words_by_many_are_counted_and_told() -> None:
    same = [voice(50 + n / 100, f"s{n}", 0b1111 if n % 2 else 0b1110) for n in range(16)]
    (one,) = found([*calm(), *same])
    assert one.copies == 16
    assert copies_in([voice(1, "a", 7), voice(1, "b", -7)]) == 1


def test_under_one_post_eight_and_twice_the_third_most_of_the_others() -> None:
    answers = storm(50, 12)
    (one,) = storms_of_thread(answers, [], (), since=START)
    assert (one.first, one.authors, one.usual) == (8, 12, 0.0)
    others = [(f"t{post}", START + 40 * DAY, f"o{n}") for post in range(3) for n in range(5)]
    (later,) = storms_of_thread(answers, others, (), since=START)
    assert (later.first, later.usual) == (10, 5.0)
    loud = [(f"t{post}", START + 40 * DAY, f"o{n}") for post in range(3) for n in range(9)]
    assert storms_of_thread(answers, loud, (), since=START) == ()
    long_ago = [(post, at - 200 * DAY, who) for post, at, who in loud]
    assert len(storms_of_thread(answers, long_ago, (), since=START)) == 1


@pytest.mark.parametrize("mean", [0.3, 2.0, 8.0])
def test_the_tail_is_a_negative_binomial(mean: float) -> None:
    usual = Usual(mean, 0.4)
    tails = [chance(n, usual) for n in range(60)]
    assert tails[0] == 1.0
    assert tails == sorted(tails, reverse=True)
    assert sum(tails[1:]) == pytest.approx(mean, rel=1e-3)


def test_a_place_that_stays_louder_for_good_is_told_a_few_times_and_then_that_is_its_usual() -> None:
    louder = [voice(50 + day + n / 100, f"n{(day * 7 + n) % 200}") for day in range(150) for n in range(20)]
    told = found([*calm(200), *louder])
    assert 1 <= len(told) <= 5
    assert told[0].last_at - told[0].from_at < 17 * DAY
    assert told[-1].last_at < START + 130 * DAY
