"""The first negative post of an advocate is a quiet notice of its own, as rare as promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from listener.signals.first_negatives import first_negatives
from storage.records import History, Signal
from tests.unit.drift.conftest import history_of, mention_of


def noticed(history: History, promised: float = 1000.0, **more: Callable[[datetime], bool]) -> list[str]:
    signals, _ = first_negatives(history, promised=promised, **more)
    return [one.tipped_by.post_id for one in signals]


def reasons(history: History, promised: float = 1000.0, **more: Callable[[datetime], bool]) -> list[str]:
    _, held = first_negatives(history, promised=promised, **more)
    return [one.reason for one in held]


def with_post(history: History, against: float, **more: object) -> History:
    at = history.mentions[-1].posted_at + timedelta(days=10)
    post = mention_of(900, "a", at, **more)  # type: ignore[arg-type]
    return replace(history, mentions=(*history.mentions, replace(post, mention=replace(post.mention, against=against))))


def test_the_first_post_against_after_a_favorable_baseline_is_noticed() -> None:
    (found,), held = first_negatives(history_of("f" * 6 + "a", every_days=30), promised=1000)
    assert held == ()
    assert found.tipped_by.post_id == "K1-0006"
    assert found.evidence["before_n"] == 6
    assert found.evidence["before_mean"] == 0.87
    assert found.evidence["cue"] is None
    assert found.posts == (found.tipped_by,)
    assert found.ended_at is None


def test_posts_that_leaned_against_the_brand_before_are_counted_and_hold_nothing_back() -> None:
    history = history_of("f" * 12 + "a", every_days=30)
    leaning = replace(history.mentions[9].mention, against=0.6, none=0.3, favor=0.1)
    mild = replace(leaning, against=0.97, none=0.02, favor=0.01, constructive=True)
    told = {}
    for at, name, post in ((None, "none", leaning), (9, "one", leaning), (9, "mild", mild)):
        mentions = [replace(m, mention=post) if i == at else m for i, m in enumerate(history.mentions)]
        (found,), _ = first_negatives(replace(history, mentions=tuple(mentions)), promised=1000)
        told[name] = (found.tipped_by.post_id, found.evidence["leaning"], found.evidence["since_last"])
    assert told == {"none": ("K1-0012", 0, 12), "one": ("K1-0012", 1, 12), "mild": ("K1-0012", 0, 12)}


def test_it_is_over_when_the_koc_has_gone_on_in_favor() -> None:
    history = history_of("f" * 6 + "afff", every_days=30)
    (found,), _ = first_negatives(history, promised=1000)
    assert found.ended_at == history.mentions[9].posted_at
    ((again,), _) = first_negatives(history_of("f" * 6 + "affaf", every_days=30), promised=1000)
    assert again.ended_at is None


def test_a_second_one_soon_after_is_not_a_first() -> None:
    history = history_of("f" * 6 + "aaa", every_days=30)
    assert noticed(history) == ["K1-0006"]
    assert reasons(history) == ["not-the-first", "not-the-first"]


def test_a_fast_poster_needs_a_longer_clean_run_than_a_slow_one() -> None:
    quick, slow = (history_of("f" * 6 + "a", every_days=days) for days in (4, 30))
    assert (noticed(quick), reasons(quick)) == ([], ["usual-for-this-koc"])
    assert noticed(slow) == ["K1-0006"]
    assert noticed(history_of("f" * 60 + "a", every_days=4)) == ["K1-0060"]


def test_who_is_often_harsh_is_not_noticed_each_time() -> None:
    history = history_of("ffffffa" * 8, every_days=10)
    assert len(noticed(history)) < 3
    assert "usual-for-this-koc" in reasons(history)


def test_a_higher_promise_gives_more_notices_and_none_at_zero() -> None:
    history = history_of("ffffffa" * 8, every_days=10)
    counts = [len(noticed(history, promised)) for promised in (0, 200, 1000, 5000, 100_000)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 8)
    assert first_negatives(history, promised=0) == ((), ())


def test_a_defection_needs_less_certainty_and_no_rarity() -> None:
    quick = history_of("f" * 6, every_days=4)
    plain, leaving = with_post(quick, 0.6), with_post(quick, 0.6, cues=("defection",))
    assert (noticed(plain), reasons(plain)) == ([], [])
    (found,), _ = first_negatives(leaving, promised=1000)
    assert found.evidence["cue"] == "defection"


def test_mild_criticism_is_recorded_and_passes_in_peace_unless_it_says_that_it_leaves() -> None:
    slow = history_of("f" * 6, every_days=30)
    mild = with_post(slow, 0.9, constructive=True)
    assert (noticed(mild), reasons(mild)) == ([], ["mild-criticism"])
    assert len(noticed(with_post(slow, 0.9, constructive=True, cues=("defection",)))) == 1
    after = replace(mild, mentions=(*mild.mentions, mention_of(901, "a", mild.mentions[-1].posted_at + timedelta(days=30))))
    assert noticed(after) == ["K1-0901"], "a mild post before it does not make it a second one"


def test_while_the_whole_market_is_angry_only_a_defection_is_noticed() -> None:
    slow = history_of("f" * 6, every_days=30)
    angry = with_post(slow, 0.9)
    assert reasons(angry, in_shift=lambda at: True) == ["brand-shift"]
    assert len(noticed(with_post(slow, 0.9, cues=("defection",)), in_shift=lambda at: True)) == 1


@pytest.mark.parametrize(("stances", "why"), [("ffffa", ["too-few-mentions"]), ("nnnnnna", ["no-favorable-baseline"])])
def test_without_a_favorable_baseline_nothing_is_noticed(stances: str, why: list[str]) -> None:
    history = history_of(stances, every_days=30)
    assert (noticed(history), reasons(history)) == ([], why)


def test_what_holds_no_own_words_or_was_not_read_is_left_out() -> None:
    assert first_negatives(history_of("f" * 8 + "ru", every_days=30), promised=1000) == ((), ())


def test_a_notice_is_a_function_of_what_came_before() -> None:
    history = history_of("ffffffaffffffffffaffa", every_days=30)
    whole, _ = first_negatives(history, promised=1000)

    def upto(n: int) -> list[Signal]:
        found, _ = first_negatives(replace(history, mentions=history.mentions[:n]), promised=1000)
        return [replace(one, ended_at=None) for one in found]

    for n in range(len(history.mentions)):
        last = history.mentions[n - 1].posted_at if n else None
        assert upto(n) == [replace(one, ended_at=None) for one in whole if last and one.at <= last]
