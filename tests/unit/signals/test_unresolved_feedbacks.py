"""The same cause again, in other words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from listener.signals.unresolved_feedbacks import unresolved_feedbacks
from storage.records import DriftState, HeldBack, History, KocMention, Signal, Status, StatusChange
from tests.unit.drift.conftest import START, history_of, mention_of


def said(day: float, *causes: str, letter: str = "a", cues: tuple[str, ...] = (), **more: Any) -> KocMention:
    one = mention_of(int(day * 10) + 3, letter, START + timedelta(days=day), cues=cues, **more)
    return replace(one, mention=replace(one.mention, causes=causes or ("after-sales",)))


def told(
    posts: Sequence[KocMention], *, before: str = "f" * 12, status: Status = "advocate"
) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    every = sorted((*history_of(before).mentions, *posts), key=lambda one: (one.posted_at, one.mention.key))
    state = DriftState("K1", "星澜", status, 6, 0.8, 0.8, None, 0.0, "…", (StatusChange(START, status, "…"),), "c1")
    return unresolved_feedbacks(History("K1", "星澜", tuple(every)), state)


def test_the_second_post_of_a_cause_is_told_with_the_days_it_is_open() -> None:
    ((one,), held) = told([said(130), said(170, cues=("unresolved",))])
    assert (one.kind, one.at, held) == ("unresolved-feedback", START + timedelta(days=170), ())
    assert one.evidence == {
        "cause": "after-sales",
        "times": 2,
        "first_at": (START + timedelta(days=130)).isoformat(),
        "days": 40,
        "unsolved": "…",
        "before_n": 12,
        "before_mean": 0.87,
    }
    assert len(one.posts) == 2


def test_without_such_words_it_is_told_where_chance_would_hardly_make_it() -> None:
    assert len(told([said(130), said(145)])[0]) == 1
    assert [one.reason for one in told([said(130), said(180)])[1]] == ["usual-for-this-koc"]
    often = [said(day) for day in range(0, 120, 30)]
    found, held = told([*often, said(300), said(340)])
    assert held, "who complains of it several times a year is told less"
    assert {one.reason for one in held} <= {"usual-for-this-koc", "too-few-mentions"}
    assert len(found) <= 1


@pytest.mark.parametrize(
    "posts",
    [
        [said(130)],
        [said(130), said(260)],
        [said(130), said(170, "price")],
        [said(130, "price", "after-sales"), said(145, "after-sales", cues=("ignored",))],
        [said(130, "after-sales"), said(145, "logistics", "after-sales", cues=("unresolved",))],
        [said(130, "price", "after-sales"), said(145, "logistics", "after-sales", cues=("unresolved",))],
        [said(130, fingerprint=7), said(140, fingerprint=7)],
        [said(130, letter="f"), said(170, letter="f")],
        [said(130, letter="r"), said(170, letter="u")],
    ],
    ids=[
        "once",
        "long after",
        "another cause",
        "price, then service",
        "service, then delivery",
        "price, then delivery",
        "a copy",
        "praise",
        "not read",
    ],
)
def test_what_is_no_second_piece_of_feedback(posts: list[KocMention]) -> None:
    assert told(posts)[0] == ()


def test_mild_feedback_counts_and_neutral_words_where_they_say_that_nothing_was_solved() -> None:
    assert len(told([said(130, constructive=True), said(145, constructive=True)])[0]) == 1
    assert len(told([said(130), said(170, letter="n", cues=("ignored",))])[0]) == 1
    assert told([said(130), said(170, letter="n")])[0] == ()


def test_further_posts_are_the_same_matter_until_it_has_settled() -> None:
    again = [said(day, cues=("unresolved",)) for day in (130, 150, 170, 190)]
    assert len(told(again)[0]) == 1
    calm = [mention_of(3000 + n, "f", START + timedelta(days=200 + n)) for n in range(3)]
    found, _ = told([*again, *calm, said(230, cues=("unresolved",)), said(240, cues=("unresolved",))])
    assert [one.ended_at for one in found] == [START + timedelta(days=202), None]
    late, _ = told([*again, said(500, cues=("unresolved",)), said(510, cues=("unresolved",))])
    assert len(late) == 2


def test_the_same_posts_are_told_once_though_they_name_several_causes() -> None:
    both = [said(130, "after-sales", "product"), said(170, "after-sales", "product", cues=("unresolved",))]
    ((one,), held) = told(both)
    assert one.evidence["cause"] == "after-sales"
    assert held == ()
    more = [said(130, "product"), *[said(day, "after-sales", "product", cues=("unresolved",)) for day in (140, 150)]]
    ((one,), held) = told(more)
    assert (one.evidence["cause"], len(one.posts)) == ("product", 2)
    assert [each.reason for each in held] == ["already-raised"]


def test_a_post_that_names_no_cause_belongs_to_what_was_complained_of_before() -> None:
    bare = replace(said(170, cues=("unresolved",)), mention=replace(said(170, cues=("unresolved",)).mention, causes=()))
    ((one,), _) = told([said(130), bare])
    assert (one.evidence["cause"], one.evidence["times"]) == ("after-sales", 2)
    assert told([bare])[0] == ()


def test_a_post_that_names_no_cause_belongs_to_what_was_complained_of_last() -> None:
    bare = replace(said(170, cues=("unresolved",)), mention=replace(said(170, cues=("unresolved",)).mention, causes=()))
    assert [one.evidence["cause"] for one in told([said(130, "price"), said(150, "product"), bare])[0]] == ["product"]
    ((one,), _) = told([said(130, "price"), said(140, "after-sales"), said(150, "price", "after-sales"), bare])
    assert (one.evidence["cause"], one.evidence["times"]) == ("price", 2), "how service answered is no cause of its own"


def test_product_and_service_may_be_one_matter() -> None:
    ((one,), _) = told([said(130, "product", "after-sales"), said(150, "after-sales", cues=("unresolved",))])
    assert (one.evidence["cause"], one.evidence["times"]) == ("after-sales", 2)


def test_who_never_was_with_the_brand_is_lost_to_nobody() -> None:
    found, held = told([said(130), said(170, cues=("unresolved",))], before="a" * 12)
    assert (found, held[-1].reason) == ((), "no-favorable-baseline")


def test_of_whom_little_is_known_only_what_says_that_nothing_was_solved_is_told() -> None:
    assert [one.reason for one in told([said(10), said(20)], before="ff")[1]] == ["too-few-mentions"]
    assert len(told([said(10), said(20, cues=("ignored",))], before="ff")[0]) == 1


def test_who_has_turned_critic_is_answered_as_one() -> None:
    found, held = told([said(130), said(170, cues=("unresolved",))], status="critic")
    assert (found, [one.reason for one in held]) == ((), ["already-critic"])
    assert len(told([said(130), said(145)], status="wavering")[0]) == 1


def test_steady_advocates_with_a_hard_word_now_and_then_keep_the_promise() -> None:
    rng, found, years = random.Random(6), 0, 0.0
    causes = ("product", "after-sales", "logistics", "price")
    for _ in range(300):
        posts = [
            said(10.0 * n, rng.choice(causes), letter="a" if rng.random() < 0.06 else "f", fingerprint=rng.getrandbits(63))
            for n in range(100)
        ]
        found += len(told(posts, before="")[0])
        years += 1000 / 365
    assert found / years <= 0.12
