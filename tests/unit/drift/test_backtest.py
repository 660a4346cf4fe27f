"""A backtest counts what other promises would have told: alerts, delays against confirmed turns, misses, false alarms."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from listener.drift.backtest import Outcome, only_in, outcome_of, side_of
from listener.drift.detect import detect
from listener.drift.rules import Rule, default_calibration
from storage.records import History, KocMark, Level, MarkKind

FAR = datetime.fromisoformat("2030-01-01T00:00+00:00")
EARLY = datetime.fromisoformat("2020-01-01T00:00+00:00")


def mark(history: History, kind: MarkKind, at: datetime) -> KocMark:
    return KocMark(kind, history.koc_id, history.brand, kind, at, "", "李", FAR)


def outcome(history: History, *marks: KocMark, red: float = 1.0, since: datetime = EARLY, until: datetime = FAR) -> Outcome:
    (verdict,) = detect([history], (), default_calibration(), Rule(false_alarms_red=red, false_alarms_amber=red * 10))
    return outcome_of(history, verdict, marks, since, until)


@pytest.fixture
def turned(make_history) -> History:
    return make_history("f" * 15 + "a" * 15, koc="T1")


def test_a_delay_counts_the_mentions_and_days_from_the_confirmed_day(turned: History) -> None:
    day = turned.mentions[15].posted_at
    found = outcome(turned, mark(turned, "turned", day))
    (turn,) = found.turns
    red = next(r for r in found.raised if r.level == "red")
    at = [m.posted_at for m in turned.mentions].index(red.fired_at)
    delay = turn.told["red"]
    assert delay is not None
    assert delay.mentions == at - 15 + 1
    assert delay.days == round((red.fired_at - day) / timedelta(days=1), 1)
    assert turn.told["amber"] is not None
    assert turn.told["amber"].mentions <= delay.mentions
    assert {r.judged for r in found.raised} == {"turned"}


def test_a_stricter_promise_is_later_and_may_miss(make_history) -> None:
    history = make_history("f" * 15 + "a" * 4, koc="T1")
    turn = mark(history, "turned", history.mentions[15].posted_at)
    lax, strict = outcome(history, turn, red=100.0), outcome(history, turn, red=0.01)
    assert lax.turns[0].told["red"] is not None
    assert strict.turns[0].told["red"] is None
    side = side_of(0.01, 0.1, [strict])
    assert side.told["red"] == 0
    assert [t.koc_id for t in side.missed["red"]] == ["T1"]
    assert side.delays["red"] is None
    assert {r.level for r in only_in([lax], [strict])} >= {"red"}
    assert only_in([strict], [lax]) == []


def test_an_amber_that_the_other_side_tells_as_red_at_once_is_not_left_out(turned: History) -> None:
    red = next(r for r in outcome(turned).raised if r.level == "red")
    both, graver = frozenset[Level]({"amber", "red"}), (red,)
    by_steps = Outcome("T1", turned.brand, (replace(red, level="amber"), red), (), 1.0, both)
    at_once = Outcome("T1", turned.brand, graver, (), 1.0, both)
    assert only_in([by_steps], [at_once]) == []
    assert outcome(turned).told == both
    silent = Outcome("T1", turned.brand, (), (), 1.0, frozenset())
    assert only_in([at_once], [silent]) == [red]


def test_alerts_outside_of_the_span_are_not_counted(turned: History) -> None:
    every = outcome(turned)
    first = min(r.fired_at for r in every.raised)
    later = outcome(turned, since=first + timedelta(seconds=1))
    assert len(later.raised) == len(every.raised) - 1
    assert outcome(turned, until=first).raised == ()


def test_months_begin_with_the_span_or_the_first_mention(turned: History) -> None:
    first, last = turned.mentions[0].posted_at, turned.mentions[-1].posted_at
    year = timedelta(days=365.25)
    assert outcome(turned, since=EARLY, until=first + year).koc_months == pytest.approx(12.0)
    assert outcome(turned, since=first + year / 2, until=first + year).koc_months == pytest.approx(6.0)
    assert outcome(turned, since=EARLY, until=first - year / 12).koc_months == 0.0
    nobody = History("K9", turned.brand, ())
    assert outcome(nobody, until=last).koc_months == 0.0
    assert side_of(1.0, 10.0, [outcome(nobody, until=last)]).per_koc_month("red") == 0.0


@pytest.mark.parametrize("kind", ["false-alarm", "mild"])
def test_alerts_that_the_team_denied_are_counted_apart(turned: History, kind: MarkKind) -> None:
    side = side_of(1.0, 10.0, [outcome(turned, mark(turned, kind, turned.mentions[18].posted_at))])
    denied = side.false_alarms if kind == "false-alarm" else side.mild
    assert denied["red"] == side.alerts["red"] == 1
    assert side.turns == 0


def test_the_sums_of_delays_are_means_and_upper_tenths(make_history) -> None:
    outcomes = []
    for i, ahead in enumerate((10, 12, 14, 16)):
        history = make_history("f" * ahead + "a" * 15, koc=f"T{i}")
        outcomes.append(outcome(history, mark(history, "turned", history.mentions[ahead].posted_at)))
    side = side_of(1.0, 10.0, outcomes)
    told = sorted(t.told["red"].mentions for one in outcomes for t in one.turns if t.told["red"])
    assert len(told) == 4
    assert side.delays["red"] is not None
    assert side.delays["red"].mean_mentions == round(sum(told) / 4, 1)
    assert side.delays["red"].p90_mentions == told[-1]
    assert side.per_koc_month("red") == pytest.approx(4 / side.koc_months, rel=1e-3)
