"""Silence counts covered time alone, against the KOC's own rhythm."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from listener.signals.silences import silences, silent_from, usual_pause
from storage.records import DriftState, History, PostKey, Signal, Status, StatusChange
from tests.unit.drift.conftest import mention_of


def day(n: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)


def standing(status: Status = "advocate", since: float = 0) -> DriftState:
    changes = (StatusChange(day(since), status, "…"),)
    return DriftState("K1", "星澜", status, 6, 0.8, 0.8, None, 0.0, "…", changes, "c1")


def told(days: list[float], heard_to: float | None, state: DriftState | None = None) -> tuple[Signal, ...]:
    return both(days, heard_to, state)[0]


def both(days: list[float], heard_to: float | None, state: DriftState | None = None, least_days: float = 60) -> tuple:
    mentions = tuple(mention_of(i, "f", day(at)) for i, at in enumerate(days))
    history = History("K1", "星澜", mentions, None if heard_to is None else day(heard_to))
    return silences(history, state or standing(), least_days=least_days)


WEEKLY = [7.0 * i for i in range(6)]
DUE = (silent_from([day(at) for at in WEEKLY], 60) - day(0)) / timedelta(days=1)  # 112 days after the last


def test_a_silence_fires_at_the_instant_that_the_rhythm_allows_and_not_before_it_is_covered() -> None:
    assert 146 < DUE < 148
    assert told(WEEKLY, DUE - 0.01) == ()
    (found,) = told(WEEKLY, DUE + 0.01)
    assert (found.at, found.ended_at) == (day(DUE), None)
    assert found.tipped_by == PostKey("forum", "K1-0005")
    assert found.evidence["allowed_days"] == round(DUE - 35, 2)
    assert found.evidence["mean_gap_days"] == 7
    assert told(WEEKLY, 400) == (found,), "what is heard later changes nothing"


def test_not_hearing_is_not_silence() -> None:
    assert told(WEEKLY, None) == ()
    assert told([*WEEKLY, 200], None) == ()


def test_a_silence_is_over_with_the_next_mention() -> None:
    (found,) = told([*WEEKLY, 160], 165)
    assert (found.at, found.ended_at) == (day(DUE), day(160))


def test_a_slow_poster_is_given_six_of_its_own_gaps_and_more_than_its_longest() -> None:
    slow = [90.0 * i for i in range(5)]
    assert told(slow, 360 + 539) == ()
    assert len(told(slow, 360 + 540)) == 1
    pausing = [0, 2, 4, 6, 130.0, 132]
    assert told(pausing, 132 + 185) == ()
    assert told(pausing, 132 + 186)[-1].at == day(132 + 186)


def test_a_pause_that_such_a_koc_has_now_and_then_is_no_silence() -> None:
    often = [3.0 * i for i in range(40)]
    assert told(often, 117 + 60) == told(often, 117 + 62) == ()
    assert len(told(often, 117 + 72)) == 1
    assert usual_pause(3) < usual_pause(10) < usual_pause(40)


def test_who_posts_in_bursts_and_pauses_is_called_silent_once_in_four_years() -> None:
    rng, found, years = random.Random(3), 0, 0.0
    for _ in range(300):
        at, days = 0.0, [0.0]
        while at < 1200:
            at += 9 * 1.8 * ((1 - rng.random()) ** (-1 / 2.8) - 1)  # gaps as 187,000 real ones have them, nine days on average
            days.append(at)
        found += len(told(days, days[-1]))
        years += at / 365
    assert 0.05 <= found / years <= 0.25


def test_too_few_mentions_give_no_pace_to_compare_with() -> None:
    assert told([0, 1, 2, 3], 900) == ()


def test_nobody_misses_a_critic_or_a_stranger() -> None:
    for status in ("critic", "candidate"):
        assert told(WEEKLY, 400, standing(status)) == ()
    turned = replace(standing(), changes=(*standing().changes, *standing("critic", since=30).changes))
    assert told(WEEKLY, 400, turned) == ()
    assert len(told(WEEKLY, 400, replace(turned, changes=turned.changes[:1]))) == 1


def test_when_a_silence_will_come_is_known_before() -> None:
    assert both(WEEKLY, 40)[1] == day(DUE)
    assert both(WEEKLY, None)[1] == day(DUE)
    assert both(WEEKLY, DUE + 0.01)[1] is None
    assert both(WEEKLY, 40, standing("critic"))[1] is None
    assert both([*WEEKLY, 160], 40)[1] == day(DUE), "it is over already and only not yet covered"
    assert both([*WEEKLY, 160], 165)[1] == silent_from([day(at) for at in (*WEEKLY, 160)], 60)


def test_silences_can_be_switched_off() -> None:
    assert both(WEEKLY, 400, least_days=0) == ((), None)
