"""A deployment's calibration: what is too little, what marks change, and that its expectations are what comes true."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from listener.drift.deployment import Fit, fit, interval
from listener.drift.detect import detect
from listener.drift.rules import Rule, default_calibration, parameters_of
from storage.records import History, KocMark, MarkKind

RULE = Rule()
YEARS = (3000.0, 3000.0)
AT = datetime(2027, 6, 1, tzinfo=UTC)


@pytest.fixture
def people(make_history):
    def make(seed: int, n: int, weights: tuple[int, ...] = (85, 8, 7), posts: int = 30) -> list[History]:
        rng = random.Random(seed)
        return [
            make_history("".join(rng.choices("fna", weights, k=posts)), koc=f"S{seed}-{i:03d}", every_days=rng.uniform(6, 14))
            for i in range(n)
        ]

    return make


def run(histories: list[History], marks: list[KocMark], rule: Rule = RULE) -> Fit:
    return fit(histories, (), marks, default_calibration(), rule, effective_at=AT, years=YEARS)


def mark(history: History, kind: MarkKind, post: int) -> KocMark:
    at = history.mentions[post].posted_at
    return KocMark(f"{history.koc_id}{kind}", history.koc_id, history.brand, kind, at, "", "李", AT)


def test_the_same_history_gives_the_same_row_whatever_its_order(people) -> None:
    histories = people(1, 60)
    one, two = run(histories, []), run(histories[::-1], [])
    assert one == two
    assert one.calibration is not None
    assert one.calibration.effective_at == AT
    assert one.calibration.version.startswith("fitted-")


def test_too_little_history_is_told_and_gives_no_row(people) -> None:
    found = run(people(1, 29), [])
    assert found.calibration is None
    assert not found.material.is_enough
    assert (found.material.kocs, found.material.posts) == (29, 29 * 30)
    short = run(people(1, 40, posts=4), [])
    assert short.material.kocs == 0
    assert short.calibration is None


def test_what_is_expected_is_counted_at_the_bars_and_lies_near_the_promise(people) -> None:
    found = run(people(1, 60), [])
    for level, promised in (("amber", 10.0), ("red", 1.0)):
        one = found.expected[level]
        assert one.promised == promised
        assert one.low <= one.expected <= one.high
        assert one.low <= one.promised * 2  # a few dozen alarms at most in so few years
        assert one.high >= one.promised / 2
        assert one.bar == round(parameters_of(found.calibration).bar(promised), 2)
        assert found.before[level].bar == round(parameters_of(default_calibration()).bar(promised), 2)


def test_posts_after_a_confirmed_turn_teach_nothing_of_the_loyal(people, make_history) -> None:
    turned = [make_history("f" * 12 + "a" * 18, koc=f"T{i}") for i in range(8)]
    marks = [mark(h, "turned", 12) for h in turned]
    found = run(people(1, 60) + turned, marks)
    cut = run(people(1, 60) + [replace(h, mentions=h.mentions[:12]) for h in turned], [])
    assert found.material.turned == 8
    assert found.material.posts == cut.material.posts == 60 * 30 + 8 * 12
    assert found.calibration == cut.calibration


def test_false_alarms_that_would_be_raised_again_make_the_bars_stricter(people, make_history) -> None:
    rough = [make_history("f" * 12 + "a" * 12 + "f" * 6, koc=f"R{i}") for i in range(6)]
    histories = people(1, 60) + rough
    plain = run(histories, [])
    raised = {v.state.koc_id for v in detect(rough, (), plain.calibration, RULE) if v.drifts}
    assert raised
    denied = run(histories, [mark(h, "false-alarm", 16) for h in rough])
    assert denied.material.false_alarms == len(raised)
    assert parameters_of(denied.calibration).bar(1) > parameters_of(plain.calibration).bar(1)
    assert denied.calibration.version != plain.calibration.version
    mild = run(histories, [mark(h, "mild", 16) for h in rough])
    assert mild.calibration == denied.calibration


def test_a_false_alarm_that_is_not_raised_any_more_changes_nothing(people) -> None:
    histories = people(1, 60)
    calm = next(h for h, v in zip(histories, detect(histories, (), default_calibration(), RULE), strict=True) if not v.drifts)
    assert run(histories, [mark(calm, "false-alarm", 5)]).calibration == run(histories, []).calibration


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.0), (3, 0.8, 7.8), (30, 21.6, 40.7)])
def test_the_interval_is_poissons(count: int, low: float, high: float) -> None:
    found = interval(count)
    assert found[1] == count
    assert (found[0], found[2]) == (pytest.approx(low, abs=0.15), pytest.approx(high, abs=0.15))
