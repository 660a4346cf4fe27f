"""Praise withdrawn: the KOC speaks on, and praises no more."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from listener.signals.praise_withdrawals import praise_withdrawals
from storage.records import DriftState, History, Signal, Status, StatusChange
from tests.unit.drift.conftest import START, history_of


def standing(status: Status = "advocate") -> DriftState:
    return DriftState("K1", "星澜", status, 6, 0.8, 0.8, None, 0.0, "…", (StatusChange(START, status, "…"),), "c1")


def told(
    stances: str, *, days: float = 15, heard_to: datetime | None = datetime(2030, 1, 1, tzinfo=START.tzinfo), **more: float
) -> tuple[Signal, ...]:
    history = replace(history_of(stances, every_days=days), heard_to=heard_to)
    return praise_withdrawals(history, standing(), least_days=more.get("least_days", 60))[0]


def test_who_always_praised_and_then_only_mentions_has_withdrawn_the_praise() -> None:
    (found,) = told("f" * 10 + "n" * 6)
    assert (found.kind, found.ended_at) == ("praise-withdrawal", None)
    assert found.tipped_by.post_id == "K1-0013", "four mentions and sixty days"
    assert found.evidence["before_n"] == found.evidence["praised_n"] == 10
    assert [key.post_id for key in found.posts] == ["K1-0010", "K1-0011", "K1-0012", "K1-0013"]


def test_it_is_over_with_the_next_praise_and_may_come_again() -> None:
    once, again = told("f" * 10 + "n" * 6 + "f" * 6 + "n" * 8)
    assert once.ended_at == START + timedelta(days=15 * 16)
    assert again.ended_at is None


def test_a_short_time_is_no_withdrawal_however_many_mentions() -> None:
    assert told("f" * 20 + "n" * 12, days=4) == ()


def test_who_praised_now_and_then_withdraws_nothing() -> None:
    assert told("fnnfnnnfnn" + "n" * 6) == ()
    assert told("fnfnffnfnf" + "nnnn") == (), "such a run comes by chance"


def test_criticism_is_no_withdrawal() -> None:
    assert told("f" * 10 + "nnannnn") == ()
    history = replace(history_of("f" * 10 + "n" * 6, every_days=15), heard_to=START + timedelta(days=900))
    assert praise_withdrawals(history, standing("critic"), least_days=60) == ((), None)


def test_only_covered_time_counts() -> None:
    assert told("f" * 10 + "n" * 6, heard_to=None) == ()
    assert told("f" * 10 + "n" * 6, heard_to=START + timedelta(days=15 * 13 - 1)) == ()
    assert len(told("f" * 10 + "n" * 6, heard_to=START + timedelta(days=15 * 13))) == 1


def test_when_coverage_will_show_one_is_known_before() -> None:
    uncovered = replace(history_of("f" * 10 + "n" * 6, every_days=15), heard_to=START)
    assert praise_withdrawals(uncovered, standing(), least_days=60) == ((), START + timedelta(days=15 * 13))
    assert praise_withdrawals(replace(uncovered, heard_to=START + timedelta(days=900)), standing(), least_days=60)[1] is None


def test_it_can_be_switched_off() -> None:
    assert told("f" * 10 + "n" * 6, least_days=0) == ()


@pytest.mark.parametrize(("favorable", "most"), [(0.9, 0.02), (0.7, 0.05)])
def test_steady_advocates_hardly_ever_withdraw_by_chance(favorable: float, most: float) -> None:
    rng = random.Random(11)
    found, years = 0, 0.0
    for _ in range(400):
        history: History = history_of("".join("f" if rng.random() < favorable else "n" for _ in range(50)), every_days=13)
        found += len(
            praise_withdrawals(replace(history, heard_to=datetime(2030, 1, 1, tzinfo=START.tzinfo)), standing(), least_days=60)[
                0
            ]
        )
        years += 50 * 13 / 365
    assert found / years <= most


def test_a_true_withdrawal_is_noticed_within_a_few_mentions() -> None:
    rng = random.Random(12)
    delays = []
    for _ in range(200):
        before = "".join("f" if rng.random() < 0.85 else "n" for _ in range(25))
        found = [one for one in told(before + "n" * 12, days=13) if one.tipped_by.post_id >= "K1-0025"]
        delays.append(int(found[0].tipped_by.post_id[-4:]) - 24 if found else 99)
    assert sorted(delays)[100] <= 6
    assert sum(delay == 99 for delay in delays) <= 20
