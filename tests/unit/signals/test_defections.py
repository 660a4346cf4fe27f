"""Who leaves for a rival, by words or by where the praise goes."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from listener.signals.defections import defections
from storage.records import HeldBack, History, KocMention, Signal
from tests.unit.drift.conftest import START, history_of, mention_of

COVERED = START + timedelta(days=2000)


def rival(letter: str, day: float, *, name: str = "墨羽", i: int | None = None) -> KocMention:
    one = mention_of(int(day * 10) + 5 if i is None else i, letter, START + timedelta(days=day), koc="K1r")
    return replace(one, mention=replace(one.mention, target=name, is_rival=True))


def leaves(day: float, letter: str = "a") -> KocMention:
    return mention_of(int(day * 10), letter, START + timedelta(days=day), cues=("defection",))


def told(
    *posts: KocMention, before: str = "ffffff", heard_to: datetime | None = COVERED
) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...]]:
    every = sorted((*history_of(before).mentions, *posts), key=lambda one: (one.posted_at, one.mention.key))
    ours = tuple(one for one in every if not one.mention.is_rival)
    return both(ours, tuple(one for one in every if one.mention.is_rival), heard_to)[:2]


def both(
    ours: tuple[KocMention, ...], rivals: tuple[KocMention, ...], heard_to: datetime | None
) -> tuple[tuple[Signal, ...], tuple[HeldBack, ...], datetime | None]:
    return defections(History("K1", "星澜", ours, heard_to, rivals))


def test_a_farewell_with_praise_of_a_rival_in_the_same_post_or_within_days_is_told_with_the_later() -> None:
    same = replace(rival("f", 60), mention=replace(rival("f", 60).mention, key=leaves(60).mention.key))
    ((one,), _) = told(leaves(60), same)
    assert (one.at, one.posts) == (START + timedelta(days=60), (leaves(60).mention.key,) * 2)
    assert one.evidence["rival"] == "墨羽"
    ((after,), _) = told(leaves(60), rival("f", 70))
    assert (after.at, after.tipped_by) == (START + timedelta(days=70), rival("f", 70).mention.key)
    ((before,), _) = told(rival("f", 50), leaves(60), heard_to=None)
    assert (before.tipped_by, before.evidence["praised_n"]) == (leaves(60).mention.key, 6)
    assert told(leaves(60), rival("f", 75)) == ((), ())


def test_words_of_moving_to_a_rival_need_no_praise_of_it() -> None:
    moves = mention_of(600, "a", START + timedelta(days=60), cues=("switch",))
    named = replace(rival("n", 60), mention=replace(rival("n", 60).mention, key=moves.mention.key))
    ((one,), _) = told(moves, named)
    assert (one.evidence["cue"], one.evidence["rival"], one.posts) == ("switch", "墨羽", (moves.mention.key,) * 2)
    bad = replace(named, mention=replace(named.mention, against=0.9, favor=0.05))
    assert [held.reason for held in told(moves, bad)[1]] == ["rival-not-praised"]
    assert told(moves) == ((), ()), "no rival of ours is named"
    praised = mention_of(600, "f", START + timedelta(days=60), cues=("switch",))
    assert told(praised, named) == ((), ())


def test_what_was_no_leaving_is_held_back_with_its_reason() -> None:
    assert [one.reason for one in told(leaves(60), rival("n", 60))[1]] == ["rival-not-praised"]
    assert [one.reason for one in told(leaves(60), rival("f", 60), before="aaafaa")[1]] == ["no-favorable-baseline"]
    assert told(leaves(60)) == ((), ()), "a farewell without a rival is a first negative"
    assert told(leaves(60, "f"), rival("f", 60)) == ((), ())
    assert len(told(leaves(3), rival("f", 3), before="")[0]) == 1, "whose past is unknown may leave"


def test_it_is_over_with_three_praises_and_may_come_again() -> None:
    back = [mention_of(2000 + n, "f", START + timedelta(days=80 + n)) for n in range(3)]
    found, _ = told(leaves(60), rival("f", 61), leaves(70), rival("f", 71), *back, leaves(120), rival("f", 121))
    assert [one.at for one in found] == [START + timedelta(days=61), START + timedelta(days=121)]
    assert found[0].ended_at == START + timedelta(days=82)


def test_praise_that_moves_to_one_rival_is_told_over_covered_time_alone() -> None:
    row = [rival("f", 65 + 12 * n) for n in range(6)]
    ((one,), _) = told(*row)
    assert (one.evidence["row_n"], one.evidence["rival"], one.evidence["praised_n"]) == (5, "墨羽", 6)
    assert one.at == row[4].posted_at
    assert told(*row, heard_to=None)[0] == ()
    assert told(*row, heard_to=row[4].posted_at - timedelta(seconds=1))[0] == ()
    assert both(history_of("ffffff").mentions, tuple(row), START)[2] == row[4].posted_at, "coverage will show it"
    assert both(history_of("ffffff").mentions, tuple(row), COVERED)[2] is None
    assert told(*[rival("f", 65 + n) for n in range(8)])[0] == (), "a week is no lasting change"
    assert told(*[rival("f", 65 + 12 * n, name="墨羽" if n % 2 else "青禾") for n in range(8)])[0] == (), "no one rival"
    assert told(*[rival("n", 65 + 12 * n) for n in range(8)])[0] == ()


def test_who_praises_both_or_always_praised_the_rival_moves_nowhere() -> None:
    both = [
        replace(rival("f", d), mention=replace(rival("f", d).mention, key=mention_of(int(d * 10), "f", START).mention.key))
        for d in range(65, 125, 12)
    ]
    ours = [mention_of(d * 10, "f", START + timedelta(days=d)) for d in range(65, 125, 12)]
    assert told(*both, *ours)[0] == ()
    usual = [rival("f", 5 + 10 * n) for n in range(5)]
    assert told(*usual, *[rival("f", 65 + 12 * n) for n in range(5)])[0] == ()


def test_a_second_row_is_told_after_the_first_is_over() -> None:
    first, back = (
        [rival("f", 65 + 12 * n) for n in range(5)],
        [mention_of(2000 + n, "f", START + timedelta(days=130 + 9 * n)) for n in range(8)],
    )
    second = [rival("f", 210 + 12 * n) for n in range(12)]
    found, _ = told(*first, *back, *second)
    assert [one.evidence["row_n"] for one in found] == [5, 7], "who left before is asked for more"


@pytest.mark.parametrize(("rivals", "most"), [(0.1, 0.02), (0.3, 0.02)])
def test_steady_advocates_with_a_word_for_a_rival_hardly_ever_defect_by_chance(rivals: float, most: float) -> None:
    rng, found, years = random.Random(5), 0, 0.0
    for _ in range(400):
        posts: list[Any] = [
            rival("f", 13.0 * n, i=n) if rng.random() < rivals else mention_of(n, "f", START + timedelta(days=13.0 * n))
            for n in range(60)
        ]
        found += len(told(*posts, before="")[0])
        years += 60 * 13 / 365
    assert found / years <= most
